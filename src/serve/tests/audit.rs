//! The audit log: what leaves an entry and which, what happens where none can be written, what a search is for, and reading the
//! log.

use access::Permission;
use serde_json::{Value, json};
use traffic::AlertId;

use super::access::{Closed, PASSWORD, endpoints, limits, noticed};
use super::client::Reply;
use crate::config::PurposeUse;
use crate::gate::GateSettings;
use crate::serve::access::Needs;

impl Closed {
    /// The entries of the log, oldest first.
    pub(super) fn entries(&self) -> Vec<Value> {
        let folder = self.folder.path().join("access/audit");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        files.sort();
        let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn actions(&self) -> Vec<String> {
        self.entries().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    }

    /// A token with everything that a role may.
    async fn bearer(&self, role: &str) -> String {
        let token = self.token(role, &Permission::ALL, None);
        noticed().await;
        format!("Bearer {token}")
    }

    async fn as_token(&self, bearer: &str, method: &str, path: &str, body: &Value) -> Reply {
        self.send(method, path, &[("authorization", bearer)], body).await
    }
}

const PLATE: &str = "hphm=%E8%8B%8FC12345";

/// What an endpoint must be sent so that it answers.
fn fitting(method: &str, path: &str) -> (String, Value) {
    match (method, path) {
        ("GET", "/api/track") => (format!("{path}?{PLATE}"), Value::Null),
        ("PATCH", _) => (path.to_owned(), json!({"note": "why", "by": "x"})),
        _ => (path.to_owned(), Value::Null),
    }
}

/// An endpoint that needs what is about plates and leaves no entry fails here, also one that is not there yet.
#[tokio::test]
async fn whatever_needs_plates_leaves_an_entry() {
    let closed = Closed::start().await;
    let of = [("supervisor", closed.bearer("supervisor").await), ("auditor", closed.bearer("auditor").await)];
    let mut walked = 0;
    for (method, path, needs) in endpoints() {
        let Needs::Permission(permission) = needs else { continue };
        use Permission::{Audit, Export, Plates, Rejects, Work};
        if !matches!(permission, Plates | Export | Rejects | Work | Audit) {
            continue;
        }
        let (user, bearer) = &of[usize::from(permission == Audit)];
        let (path, body) = fitting(&method, &path);
        let before = closed.entries().len();
        let reply = closed.as_token(bearer, &method, &path, &body).await;
        let entries = closed.entries();
        let entry = entries.get(before).unwrap_or_else(|| panic!("{method} {path} leaves no entry: {reply:?}"));
        assert_eq!((&entry["user"], &entry["status"]), (&json!(user), &json!(reply.status)), "{method} {path}");
        assert_eq!((&entry["via"], &entry["address"]), (&json!("token"), &json!("127.0.0.1")), "{method} {path}");
        assert!(reply.status != 200 || entry["details"].is_object(), "{method} {path} says nothing: {entry}");
        assert_eq!(reply.status, if path.contains("/cases/") { 404 } else { 200 }, "{method} {path}: {}", reply.text());
        walked += 1;
    }
    assert!(walked >= 10, "{walked}");
    let text = closed.entries().iter().map(Value::to_string).collect::<String>();
    assert!(!of.iter().any(|(_, bearer)| text.contains(bearer.trim_start_matches("Bearer "))), "no secrets");
}

#[tokio::test]
async fn a_search_is_recorded_as_it_was_understood() {
    let closed = Closed::start().await;
    let (cookie, _) = closed.log_in("operator").await;
    let headers = [("cookie", cookie.as_str()), ("x-purpose", "case;%E6%A1%88%207")];
    let body =
        json!({"hphm": " 苏c·123*", "startTime": "2024-01-01", "endTime": "2024-01-01", "hpzl": 2, "limit": "5"});
    let found = closed.send("POST", "/api/query", &headers, &body).await.data();
    let entry = closed.entries().pop().unwrap();
    let rows = found["records"].as_array().unwrap().len();
    assert_eq!((&entry["action"], &entry["rows"], &entry["status"]), (&json!("query"), &json!(rows), &json!(200)));
    assert_eq!(entry["purpose"], json!({"code": "case", "text": "案 7"}));
    assert_eq!(
        entry["details"],
        json!({"endTime": "2024-01-01 23:59:59", "hphm": "苏C123*", "hpzl": "02", "limit": 5, "order": "newest", "page": 1,
               "startTime": "2024-01-01 00:00:00"})
    );
    let login = closed.entries().remove(0);
    assert_eq!(
        (&login["action"], &login["user"], &login["via"]),
        (&json!("login"), &json!("operator"), &json!("session"))
    );
    assert_eq!(login["credential"], entry["credential"]);
    let id = AlertId::of("苏C12345", "A2", "B2");
    closed.send("GET", &format!("/api/warnings/{id}"), &headers, &Value::Null).await.data();
    let entry = closed.entries().pop().unwrap();
    assert_eq!(entry["details"], json!({"hphm": "苏C12345", "id": id.to_string()}), "the plate is found by the id");
    // Nothing was shown: nothing is said.
    let before = closed.entries().len();
    closed.send("POST", "/api/query", &headers, &json!({"limit": 0})).await.error(400);
    closed.send("POST", "/api/query", &[], &body).await.error(401);
    assert_eq!(closed.entries().len(), before);
}

#[tokio::test]
async fn logins_and_refusals_are_recorded() {
    let closed = Closed::start().await;
    closed.try_login("operator", "a wrong one").await.error(401);
    closed.try_login("my secret passphrase", "x").await.error(401);
    let (cookie, csrf) = closed.log_in("viewer").await;
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    closed.send("POST", "/api/query", &headers, &json!({})).await.error(403);
    closed.send("GET", &format!("/api/warnings?{PLATE}"), &headers, &Value::Null).await.error(403);
    closed.send("GET", "/metrics", &headers, &Value::Null).await.error(403);
    closed.send("GET", "/api/overview", &headers, &Value::Null).await.data();
    let change = json!({"old": PASSWORD, "new": "four barges in the rain"});
    closed.send("POST", "/api/session/password", &headers, &change).await.data();
    closed.send("DELETE", "/api/sessions/nothing", &headers, &Value::Null).await.error(404);
    closed.send("DELETE", "/api/session", &headers, &Value::Null).await.data();
    let expected = [
        "login_failed",
        "login_failed",
        "login",
        "query",
        "list_warnings",
        "refused",
        "password",
        "session_ended",
        "logout",
    ];
    assert_eq!(closed.actions(), expected);
    let entries = closed.entries();
    assert_eq!(
        (&entries[0]["user"], &entries[0]["via"], &entries[0]["status"]),
        (&json!("operator"), &json!("nothing"), &json!(401))
    );
    assert_eq!(entries[1]["user"], Value::Null, "what is no user's name may be a secret");
    assert_eq!(entries[3]["status"], 403);
    assert_eq!(entries[5]["details"], json!({"method": "GET", "path": "/metrics"}));
    let text = entries.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("barges") && !text.contains("lorries") && !text.contains("passphrase"), "{text}");
    assert!(entries.iter().skip(2).all(|entry| entry["user"] == "viewer"));
    // Who guesses on has to wait, and leaves an entry a minute.
    for _ in 0..12 {
        closed.try_login("admin", "wrong password").await;
    }
    let waiting = closed.entries().iter().filter(|entry| entry["details"]["reason"] == "wait").count();
    assert_eq!(waiting, 1);
}

#[tokio::test]
async fn a_dashboard_leaves_an_entry_an_hour_and_a_plate_each_time() {
    let closed = Closed::start().await;
    let (operator, viewer) = (closed.bearer("operator").await, closed.bearer("viewer").await);
    let count = |action: &str| closed.actions().iter().filter(|known| *known == action).count();
    for _ in 0..3 {
        closed.as_token(&operator, "GET", "/api/warnings", &Value::Null).await.data();
        closed.as_token(&operator, "GET", "/api/warnings/realtime", &Value::Null).await.data();
        closed.as_token(&operator, "GET", "/api/cases", &Value::Null).await.data();
        closed.as_token(&viewer, "GET", "/api/warnings", &Value::Null).await.data();
    }
    assert_eq!((count("list_warnings"), count("list_cases")), (1, 1), "masked plates are none");
    for _ in 0..3 {
        closed.as_token(&operator, "GET", &format!("/api/warnings?{PLATE}"), &Value::Null).await.data();
    }
    assert_eq!(count("list_warnings"), 4);
    assert_eq!(closed.entries().pop().unwrap()["details"]["hphm"], "苏C12345");
    let other = closed.bearer("operator").await;
    closed.as_token(&other, "GET", "/api/warnings", &Value::Null).await.data();
    assert_eq!(count("list_warnings"), 5, "another credential");
}

#[tokio::test]
async fn an_export_says_at_its_end_what_was_sent() {
    let closed = Closed::start().await;
    let bearer = closed.bearer("operator").await;
    let reply = closed.as_token(&bearer, "POST", "/api/query/export", &json!({"columns": "HPHM,GCSJ"})).await;
    let rows = reply.text().lines().count() - 1;
    let [start, end] = closed.entries().try_into().unwrap();
    assert_eq!((&start["action"], &start["rows"]), (&json!("export"), &json!(rows)));
    assert_eq!(start["details"]["columns"], json!(["HPHM", "GCSJ"]));
    assert_eq!((&end["action"], &end["rows"], &end["user"]), (&json!("export_end"), &json!(rows), &json!("operator")));
    assert_eq!(end["details"], json!({"complete": true, "export": 1}));
}

#[tokio::test]
async fn without_an_entry_nothing_is_shown_and_nothing_changed() {
    let closed = Closed::start().await;
    let bearer = closed.bearer("operator").await;
    let metrics = closed.bearer("admin").await;
    closed.as_token(&bearer, "GET", &format!("/api/track?{PLATE}"), &Value::Null).await.data();
    let audit = closed.folder.path().join("access/audit");
    let aside = closed.folder.path().join("aside");
    std::fs::rename(&audit, &aside).unwrap();
    std::fs::write(&audit, "in the way").unwrap();
    let patch = format!("/api/warnings/{}", AlertId::of("苏C12345", "A2", "B2"));
    let change = json!({"status": "investigating", "by": "x"});
    for (method, path, body) in [
        ("POST", "/api/query", &Value::Null),
        ("POST", "/api/query/export", &Value::Null),
        ("GET", &format!("/api/track?{PLATE}"), &Value::Null),
        ("GET", "/api/warnings", &Value::Null),
        ("GET", "/api/warnings/stream", &Value::Null),
        ("GET", &patch, &Value::Null),
        ("PATCH", &patch, &change),
    ] {
        let reply = closed.as_token(&bearer, method, path, body).await;
        assert!(reply.error(503).contains("audit log"), "{method} {path}");
        assert_eq!(reply.json()["reason"], "audit_unavailable");
        assert!(!reply.text().contains("苏C"), "{method} {path}: {}", reply.text());
    }
    // Where GA/T 1400 is not spoken nothing is changed, and nobody makes us look whether an entry could be written.
    assert_eq!(closed.send("POST", "/VIID/MotorVehicles", &[], &Value::Null).await.status, 404);
    closed.try_login("operator", PASSWORD).await.error(503);
    assert_eq!(closed.as_token(&bearer, "GET", "/api/overview", &Value::Null).await.status, 200, "no plates");
    let ready = || async { closed.send("GET", "/readyz", &[], &Value::Null).await };
    assert!(ready().await.error(503).contains("audit log"));
    let metrics = || async { closed.as_token(&metrics, "GET", "/metrics", &Value::Null).await.text().to_owned() };
    assert!(metrics().await.contains("\nplatewatch_audit_log_ready 0\n"));
    std::fs::remove_file(&audit).unwrap();
    std::fs::rename(&aside, &audit).unwrap();
    let shown = closed.as_token(&bearer, "GET", &patch, &Value::Null).await.data();
    assert_eq!(
        (&shown["status"], shown["history"].as_array().unwrap().len()),
        (&json!("new"), 0),
        "nothing was changed"
    );
    assert_eq!(closed.actions(), ["track", "warning"]);
    assert_eq!(ready().await.status, 200);
    assert!(metrics().await.contains("\nplatewatch_audit_log_ready 1\n"));
}

#[tokio::test]
async fn a_purpose_is_demanded_where_plates_are_shown() {
    let settings = GateSettings { open: false, is_local: false, limits: limits() };
    let closed = Closed::start_with(settings, |settings| settings.purpose = PurposeUse::Required).await;
    let bearer = closed.bearer("supervisor").await;
    let session = closed.as_token(&bearer, "GET", "/api/session", &Value::Null).await.data();
    assert_eq!(session["purpose"], "required");
    for (method, path, needs) in endpoints() {
        use Permission::{Export, Plates, Rejects, Work};
        let shows = matches!(needs, Needs::Permission(Plates | Export | Rejects | Work));
        if path.ends_with("/stream") || matches!(needs, Needs::Login | Needs::Nothing | Needs::Device) {
            continue;
        }
        let (path, body) = fitting(&method, &path);
        let reply = closed.as_token(&bearer, &method, &path, &body).await;
        let demanded = reply.status == 403 && reply.json()["reason"] == "purpose_required";
        assert_eq!(demanded, shows, "{method} {path}: {}", reply.text());
    }
    let list = format!("/api/cases?{PLATE}");
    assert!(closed.as_token(&bearer, "GET", &list, &Value::Null).await.error(403).contains("X-Purpose"));
    let with = async |purpose: &str| {
        closed.send("GET", &list, &[("authorization", bearer.as_str()), ("x-purpose", purpose)], &Value::Null).await
    };
    assert_eq!(with("patrol").await.status, 200);
    assert_eq!(closed.entries().pop().unwrap()["purpose"], json!({"code": "patrol", "text": ""}));
    for wrong in ["fun", "other", "other;%20", "case;%ff", "case;a%0Ab"] {
        let reply = with(wrong).await;
        assert!(reply.error(400).contains("urpose"), "{wrong}: {}", reply.text());
        assert_eq!(reply.json()["reason"], "wrong_purpose");
    }
}

#[tokio::test]
async fn auditors_read_the_log_and_nobody_else() {
    let closed = Closed::start().await;
    let (operator, auditor) = (closed.bearer("operator").await, closed.bearer("auditor").await);
    for number in 0..7 {
        closed.as_token(&operator, "POST", "/api/query", &json!({"hphm": format!("苏C1234{number}")})).await.data();
    }
    assert!(closed.as_token(&operator, "GET", "/api/audit", &Value::Null).await.error(403).contains("audit"));
    assert!(closed.as_token(&operator, "POST", "/api/audit/verify", &Value::Null).await.error(403).contains("audit"));
    let read = async |query: &str| closed.as_token(&auditor, "GET", &format!("/api/audit?{query}"), &Value::Null).await;
    let page = read("action=query&length=3").await.data();
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.iter().map(|entry| entry["n"].as_u64().unwrap()).collect::<Vec<_>>(), [7, 6, 5]);
    assert_eq!((&page["next"], &page["head"]["n"], &page["first"]["n"]), (&json!(5), &json!(9), &json!(1)));
    assert_eq!(
        (&entries[0]["user"], &entries[0]["shown"], &entries[0]["details"]["hphm"], &entries[0]["erased"]),
        (&json!("operator"), &json!("operator 警官"), &json!("苏C12346"), &json!(false))
    );
    let rest = read("action=query&length=10&before=5").await.data();
    assert_eq!((rest["entries"].as_array().unwrap().len(), &rest["next"]), (4, &Value::Null));
    let plate = read(&format!("{PLATE}&user=Operator")).await.data();
    assert_eq!((plate["entries"].as_array().unwrap().len(), &plate["entries"][0]["n"]), (1, &json!(6)));
    assert_eq!(read("from=2099-01-01").await.data()["entries"], json!([]));
    assert_eq!(read("to=2001-01-01").await.data()["entries"], json!([]));
    for wrong in ["action=fun", "length=0", "length=501", "from=x", "before=-1", "usr=x"] {
        read(wrong).await.error(400);
    }
    assert_eq!(closed.actions().iter().filter(|action| *action == "audit").count(), 1 + 5);
    let entries = closed.entries().len();
    let verified = closed.as_token(&auditor, "POST", "/api/audit/verify", &Value::Null).await.data();
    assert_eq!(
        (&verified["entries"], &verified["broken"], &verified["head"]["n"]),
        (&json!(entries), &Value::Null, &json!(entries))
    );
    let mut files =
        std::fs::read_dir(closed.folder.path().join("access/audit")).unwrap().map(|file| file.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|ending| ending == "jsonl")).unwrap();
    let text = std::fs::read_to_string(&file).unwrap().replacen("苏C12342", "苏C99999", 1);
    std::fs::write(&file, text).unwrap();
    let verified = closed.as_token(&auditor, "POST", "/api/audit/verify", &Value::Null).await.data();
    assert_eq!(
        (&verified["entries"], &verified["broken"]["line"], &verified["head"]),
        (&json!(0), &json!(3), &Value::Null)
    );
    let last = closed.entries().pop().unwrap();
    assert_eq!((&last["action"], &last["details"]["sound"]), (&json!("verified"), &json!(false)));
}
