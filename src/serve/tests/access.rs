//! Who may do what: the OpenAPI document walked with no, wrong, expired and every role's credentials; login, sessions,
//! forged requests, and what somebody sees who may not see plates.

use std::time::Duration;

use access::{PasswordHash, Permission, Role, SessionLimits, Token, User, UserName};
use serde_json::{Value, json};
use traffic::AlertId;

use super::Server;
use super::client::{Reply, request};
use super::memory::MemoryReader;
use crate::clock::unix_now;
use crate::gate::{AccountFiles, Gate, GateSettings, Trail, secret};
use crate::serve::access::{Needs, row_of};
use crate::serve::endpoints;
use crate::serve::settings::ServeSettings;

pub(super) const PASSWORD: &str = "three lorries in fog";
const COOKIE: &str = "__Host-platewatch";

/// A server with a user for each role, and the folder of the accounts.
pub(super) struct Closed {
    pub(super) server: Server,
    pub(super) files: AccountFiles,
    pub(super) gate: std::sync::Arc<Gate>,
    pub(super) folder: tempfile::TempDir,
}

fn user(name: &str, role: Role) -> User {
    User {
        name: UserName::parse(name).unwrap(),
        shown: format!("{name} 警官"),
        roles: vec![role].into(),
        area: None,
        password: Some(PasswordHash::new(PASSWORD, name, [5; 16]).unwrap()),
        must_change: false,
        disabled: false,
        made_at: 0,
        password_at: 0,
    }
}

impl Closed {
    pub(super) async fn start() -> Self {
        Self::start_with(GateSettings { open: false, is_local: false, limits: limits() }, |_| {}).await
    }

    pub(super) async fn start_with(settings: GateSettings, change: impl FnOnce(&mut ServeSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = AccountFiles::below(folder.path());
        for role in Role::ALL {
            files.change(|accounts| accounts.add(user(role.as_str(), role))).unwrap();
        }
        let gate = std::sync::Arc::new(Gate::new(settings, files.clone(), 0).unwrap());
        let held = gate.clone();
        let trail = Trail::below(folder.path(), traffic::TimeZoneName::default());
        let server = Server::start_with(MemoryReader::sample(), move |settings| {
            settings.gate = gate;
            settings.trail = Some(std::sync::Arc::new(trail));
            change(settings);
        });
        Self { server: server.await, files, gate: held, folder }
    }

    /// Another server with the same accounts, which takes this machine for a reverse proxy.
    pub(super) async fn behind_a_proxy(&self) -> Server {
        self.behind_a_proxy_with(crate::serve::RateSettings::default()).await
    }

    /// The same with limits of a client.
    pub(super) async fn behind_a_proxy_with(&self, rates: crate::serve::RateSettings) -> Server {
        let settings = GateSettings { open: false, is_local: false, limits: limits() };
        let gate = std::sync::Arc::new(Gate::new(settings, self.files.clone(), 0).unwrap());
        let proxies = vec![std::net::IpAddr::from([127, 0, 0, 1])];
        let connections = crate::serve::ConnectionSettings { proxies, ..Default::default() };
        let change = move |settings: &mut crate::serve::ServeSettings| (settings.gate, settings.rates) = (gate, rates);
        Server::start_limited(MemoryReader::sample(), connections, change).await
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(super) fn token(&self, owner: &str, scopes: &[Permission], expires_at: Option<i64>) -> String {
        let secret = secret(Token::PREFIX).unwrap();
        let owner = UserName::parse(owner).unwrap();
        let token = Token::new(secret.digest(), owner, String::new(), scopes.to_vec(), 0, expires_at);
        self.files.change(|accounts| accounts.add_token(token)).unwrap();
        secret.reveal().to_owned()
    }

    pub(super) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(self.server.address, method, path, &all, body.as_bytes()).await
    }

    pub(super) async fn try_login(&self, user: &str, password: &str) -> Reply {
        self.send("POST", "/api/session", &[], &json!({"user": user, "password": password})).await
    }

    /// The cookie and the secret of changes of a new session.
    pub(super) async fn log_in(&self, user: &str) -> (String, String) {
        let reply = self.try_login(user, PASSWORD).await;
        let cookie = reply.header("set-cookie").unwrap_or_else(|| panic!("{reply:?}")).to_owned();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        (cookie, reply.data()["csrf"].as_str().unwrap().to_owned())
    }

    pub(super) async fn get_as(&self, cookie: &str, path: &str) -> Reply {
        self.send("GET", path, &[("cookie", cookie)], &Value::Null).await
    }
}

/// The gate looks at the accounts once in each second of the clock.
pub(super) async fn noticed() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

pub(super) fn limits() -> SessionLimits {
    SessionLimits { idle: Duration::from_secs(3600), absolute: Duration::from_secs(86_400) }
}

/// Every endpoint, with an id where it takes one. The stream has no end: of it only what is refused is asked.
pub(super) fn endpoints() -> Vec<(String, String, Needs)> {
    let document = endpoints::document().unwrap();
    let id = AlertId::of("苏C12345", "A2", "B2").to_string();
    let all = document.all().map(|(method, path)| {
        let needs = row_of(&method.parse().unwrap(), &path).expect("a row in the table").needs;
        (method, path.replace("{id}", &id).replace("{name}", "nobody"), needs)
    });
    all.collect()
}

#[tokio::test]
async fn nobody_gets_anything_without_a_valid_credential() {
    let closed = Closed::start().await;
    let stale = closed.token("supervisor", &Permission::ALL, Some(unix_now() - 1));
    let bearer = |token: &str| ("authorization".to_owned(), format!("Bearer {token}"));
    let credentials = [
        None,
        Some(("cookie".to_owned(), format!("{COOKIE}={}", "A".repeat(43)))),
        Some(("cookie".to_owned(), format!("{COOKIE}="))),
        Some(bearer("pw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        Some(bearer("")),
        Some(bearer(&stale)),
        Some(("authorization".to_owned(), "Basic c3VwZXJ2aXNvcjp0aHJlZQ==".to_owned())),
    ];
    let all = endpoints();
    assert!(all.len() > 35, "{}", all.len());
    for credential in &credentials {
        let headers: Vec<(&str, &str)> =
            credential.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for (method, path, needs) in &all {
            let reply = closed.send(method, path, &headers, &Value::Null).await;
            // It asks for accounts of its own, and none are set up here.
            if *needs == Needs::Device {
                assert_eq!(reply.status, 404, "{method} {path}: {reply:?}");
                continue;
            }
            if *needs == Needs::Nothing {
                assert!(![401, 403].contains(&reply.status), "{method} {path}: {reply:?}");
                continue;
            }
            assert!(reply.error(401).contains("token"), "{method} {path} {credential:?}");
            assert!(!reply.text().contains("苏C"), "{method} {path} shows a plate");
        }
    }
    // Paths and methods that there are not say only that.
    assert_eq!(closed.send("DELETE", "/api/query", &[], &Value::Null).await.status, 405);
    assert_eq!(closed.send("GET", "/api/nothing", &[], &Value::Null).await.status, 404);
    assert_eq!(closed.send("HEAD", "/api/query", &[], &Value::Null).await.status, 405);
    assert_eq!(closed.send("HEAD", "/api/status", &[], &Value::Null).await.status, 401);
}

#[tokio::test]
async fn every_role_gets_what_its_row_says_and_no_more() {
    let closed = Closed::start().await;
    for role in Role::ALL {
        let (cookie, csrf) = closed.log_in(role.as_str()).await;
        let token = closed.token(role.as_str(), &Permission::ALL, None);
        noticed().await;
        let by_token = format!("Bearer {token}");
        let by_cookie = vec![("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
        for headers in [by_cookie, vec![("authorization", by_token.as_str())]] {
            for (method, path, needs) in endpoints() {
                let is_own = path.starts_with("/api/session");
                if path.ends_with("/stream") || is_own {
                    continue;
                }
                let may = match needs {
                    Needs::Nothing | Needs::Login | Needs::Device => true,
                    Needs::Permission(permission) => role.permissions().allow(permission),
                };
                let reply = closed.send(&method, &path, &headers, &Value::Null).await;
                assert_ne!(reply.status, 401, "{role:?} {method} {path}");
                assert_eq!(reply.status != 403, may, "{role:?} {method} {path}: {}", reply.text());
                // The examples of the document are no data, and the audit log is about plates.
                let is_about = ["/api/openapi.json", "/api/audit"].contains(&path.as_str());
                let sees = role.permissions().allow(Permission::Plates) || is_about;
                assert!(sees || !shows_a_plate(reply.text()), "{role:?} {method} {path}: {}", reply.text());
            }
        }
    }
}

/// Whether a text holds a plate of the sample that is not masked.
fn shows_a_plate(text: &str) -> bool {
    ["苏C12345", "苏CD12345"].iter().any(|plate| text.contains(plate))
}

#[tokio::test]
async fn a_token_does_what_its_scopes_and_its_owner_may() {
    let closed = Closed::start().await;
    let narrow = closed.token("operator", &[Permission::Dashboard], None);
    let greedy = closed.token("viewer", &Permission::ALL, None);
    noticed().await;
    for token in [&narrow, &greedy] {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(closed.send("GET", "/api/overview", &headers, &Value::Null).await.status, 200);
        assert!(closed.send("POST", "/api/query", &headers, &json!({})).await.error(403).contains("plates"));
    }
    let id = access::Digest::of(&narrow).short(12);
    closed.files.change(|accounts| accounts.revoke(&id)).unwrap();
    closed.files.change(|accounts| accounts.set_disabled(&UserName::parse("viewer").unwrap(), true)).unwrap();
    noticed().await;
    for token in [narrow, greedy] {
        let bearer = format!("Bearer {token}");
        let reply = closed.send("GET", "/api/overview", &[("authorization", &bearer)], &Value::Null).await;
        assert!(reply.error(401).contains("not valid"), "a revoked token, and one of a disabled user");
    }
}

#[tokio::test]
async fn a_session_begins_with_the_password_and_ends_with_the_logout() {
    let closed = Closed::start().await;
    let before = closed.send("GET", "/api/session", &[], &Value::Null).await.data();
    assert_eq!(
        before,
        json!({"access": "login", "exposed": false, "permissions": [], "areas": [], "single_sign_on": false, "user": null, "csrf": null, "purpose": "optional", "expires_at": null})
    );
    for (name, password) in [("operator", "wrong password"), ("nobody", PASSWORD), ("OPERATOR ", "x"), ("'; --", "x")] {
        assert_eq!(closed.try_login(name, password).await.error(401), "the name or the password is wrong");
    }
    let reply = closed.try_login("Operator", PASSWORD).await;
    let set = reply.header("set-cookie").unwrap().to_owned();
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Max-Age=86400"] {
        assert!(set.contains(part), "{set}");
    }
    let data = reply.data();
    assert_eq!((&data["user"]["shown"], &data["user"]["roles"]), (&json!("operator 警官"), &json!(["operator"])));
    assert_eq!(data["permissions"], json!(["dashboard", "plates", "work", "export"]));
    let (cookie, csrf) = (set.split(';').next().unwrap().to_owned(), data["csrf"].as_str().unwrap().to_owned());
    assert_eq!(closed.get_as(&cookie, "/api/overview").await.status, 200);
    let (second, _) = closed.log_in("operator").await;
    let sessions = closed.get_as(&cookie, "/api/sessions").await.data()["sessions"].clone();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    let changing = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    assert_eq!(closed.send("DELETE", "/api/sessions/nothing", &changing, &Value::Null).await.status, 404);
    let left = closed.send("DELETE", &format!("/api/sessions/{other}"), &changing, &Value::Null).await.data();
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);
    closed.get_as(&second, "/api/overview").await.error(401);
    let out = closed.send("DELETE", "/api/session", &changing, &Value::Null).await;
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(out.data()["user"], Value::Null);
    closed.get_as(&cookie, "/api/overview").await.error(401);
}

#[tokio::test]
async fn another_page_cannot_use_the_cookie() {
    let closed = Closed::start().await;
    let (cookie, csrf) = closed.log_in("operator").await;
    let (_, of_another) = closed.log_in("operator").await;
    let path = format!("/api/warnings/{}", AlertId::of("苏C12345", "A2", "B2"));
    let body = json!({"status": "investigating", "by": "somebody else"});
    let wrong = csrf.chars().rev().collect::<String>();
    for header in [None, Some(""), Some("x"), Some(&*wrong), Some(&*of_another)] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(header.map(|value| ("x-csrf-token", value)));
        assert!(closed.send("PATCH", &path, &headers, &body).await.error(403).contains("X-CSRF-Token"));
        assert!(
            closed.send("DELETE", "/api/session", &headers, &Value::Null).await.error(403).contains("X-CSRF-Token")
        );
    }
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let data = closed.send("PATCH", &path, &headers, &body).await.data();
    assert_eq!(data["history"][0]["by"], "operator 警官", "nobody works under another's name");
    // Neither by a page of another origin that has it.
    let forged = [headers[0], headers[1], ("origin", "https://evil.example")];
    closed.send("PATCH", &path, &forged, &body).await.error(403);
    closed
        .send("POST", "/api/session", &[("origin", "https://evil.example")], &json!({"user": "x", "password": "y"}))
        .await
        .error(403);
}

#[tokio::test]
async fn who_guesses_waits() {
    let closed = Closed::start().await;
    for _ in 0..5 {
        closed.try_login("admin", "wrong password").await.error(401);
    }
    let reply = closed.try_login("admin", PASSWORD).await;
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds) && reply.error(429).contains("wait"), "{reply:?}");
    // The address waits as well, whatever name it tries.
    closed.try_login("viewer", PASSWORD).await.error(429);
}

#[tokio::test]
async fn a_password_that_others_know_is_changed_first() {
    let closed = Closed::start().await;
    let hash = PasswordHash::new(PASSWORD, "supervisor", [9; 16]).unwrap();
    let name = UserName::parse("supervisor").unwrap();
    closed.files.change(|accounts| accounts.set_password(&name, hash, true, 0)).unwrap();
    noticed().await;
    let (cookie, csrf) = closed.log_in("supervisor").await;
    let (other, _) = closed.log_in("supervisor").await;
    assert!(closed.get_as(&cookie, "/api/overview").await.error(403).contains("new password"));
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let change = async |old: &str, new: &str| {
        closed.send("POST", "/api/session/password", &headers, &json!({"old": old, "new": new})).await
    };
    change("wrong password", "four barges in the rain").await.error(401);
    for (new, code, words) in [
        ("short", "short", "10 characters"),
        ("Supervisor1!", "name", "name"),
        ("Password123!", "well_known", "first that others would try"),
        (PASSWORD, "same", "another"),
    ] {
        let reply = change(PASSWORD, new).await;
        assert!(reply.error(400).contains(words), "{new}: {}", reply.text());
        assert_eq!(reply.json()["values"]["code"], code);
    }
    let data = change(PASSWORD, "four barges in the rain").await.data();
    assert_eq!((&data["user"]["must_change"], data["permissions"].as_array().unwrap().len()), (&json!(false), 6));
    assert_eq!(closed.get_as(&cookie, "/api/overview").await.status, 200);
    closed.get_as(&other, "/api/overview").await.error(401);
    closed.try_login("supervisor", PASSWORD).await.error(401);
    assert_eq!(closed.try_login("supervisor", "four barges in the rain").await.status, 200);
}

#[tokio::test]
async fn a_viewer_sees_masked_plates_and_cannot_ask_for_one() {
    let closed = Closed::start().await;
    let (viewer, _) = closed.log_in("viewer").await;
    let (operator, _) = closed.log_in("operator").await;
    let masked = closed.get_as(&viewer, "/api/warnings").await;
    let shown = closed.get_as(&operator, "/api/warnings").await;
    assert!(shows_a_plate(shown.text()) && !shows_a_plate(masked.text()));
    let [masked, shown] = [masked, shown].map(|reply| reply.data()["records"].as_array().unwrap().clone());
    assert_eq!(masked.len(), shown.len());
    assert!(masked.iter().any(|alert| alert["hphm"] == "苏C•••45"), "{masked:?}");
    for (masked, shown) in masked.iter().zip(&shown) {
        assert_eq!(masked["gap_seconds"], shown["gap_seconds"]);
        assert_ne!(masked["id"], shown["id"], "an id is a hash of the plate");
        assert!(!masked.to_string().contains(shown["prev_gcxh"].as_str().unwrap()));
    }
    for path in ["/api/warnings?hphm=苏C12345", "/api/warnings?%68phm=x", "/api/cases?hphm=苏C12345"] {
        let path = path.replace('苏', "%E8%8B%8F");
        assert!(closed.get_as(&viewer, &path).await.error(403).contains("plates"), "{path}");
        assert_eq!(closed.get_as(&operator, &path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_not_its_user() {
    let closed = Closed::start().await;
    let (cookie, _) = closed.log_in("operator").await;
    let settings = GateSettings { open: false, is_local: false, limits: limits() };
    let again = Gate::new(settings, closed.files.clone(), 0).unwrap();
    let restarted =
        Server::start_with(MemoryReader::sample(), move |settings| settings.gate = std::sync::Arc::new(again)).await;
    let get = async || request(restarted.address, "GET", "/api/overview", &[("cookie", cookie.as_str())], b"").await;
    assert_eq!(get().await.status, 200);
    closed.files.change(|accounts| accounts.set_disabled(&UserName::parse("operator").unwrap(), true)).unwrap();
    noticed().await;
    get().await.error(401);
    let stored = std::fs::read_to_string(closed.folder.path().join("access/sessions.json")).unwrap();
    assert!(!stored.contains(cookie.split('=').nth(1).unwrap()), "the cookie itself is stored nowhere");
}

#[tokio::test]
async fn without_users_this_machine_needs_no_login_and_with_one_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let files = AccountFiles::below(folder.path());
    let settings = GateSettings { open: false, is_local: true, limits: limits() };
    let gate = Gate::new(settings, files.clone(), 0).unwrap();
    let server =
        Server::start_with(MemoryReader::sample(), move |settings| settings.gate = std::sync::Arc::new(gate)).await;
    let data = server.get("/api/session").await.data();
    assert_eq!((&data["access"], &data["exposed"]), (&json!("open"), &json!(false)));
    assert_eq!(data["permissions"].as_array().unwrap().len(), Permission::ALL.len());
    assert_eq!(server.get("/api/overview").await.status, 200);
    server.post("/api/session", r#"{"user":"wang","password":"x"}"#).await.error(409);
    server.get("/api/sessions").await.error(409);
    files.change(|accounts| accounts.add(user("wang", Role::Admin))).unwrap();
    noticed().await;
    assert!(server.get("/api/overview").await.error(401).contains("log in"));
    let exposed = GateSettings { open: true, is_local: false, limits: limits() };
    let gate = Gate::new(exposed, files, 0).unwrap();
    let server =
        Server::start_with(MemoryReader::sample(), move |settings| settings.gate = std::sync::Arc::new(gate)).await;
    let data = server.get("/api/session").await.data();
    assert_eq!((&data["access"], &data["exposed"]), (&json!("open"), &json!(true)));
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_masks_plates() {
    let closed = Closed::start().await;
    let (cookie, csrf) = closed.log_in("viewer").await;
    let headers = [("cookie", cookie.as_str()), ("last-event-id", "0")];
    let mut stream = super::client::open(closed.server.address, "GET", "/api/warnings/stream", &headers, b"").await;
    let (status, _) = super::client::head(&mut stream).await;
    assert_eq!(status, 200);
    let mut text = String::new();
    while !text.contains("\"hphm\"") {
        let read = tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut text);
        assert!(tokio::time::timeout(Duration::from_secs(5), read).await.unwrap().unwrap() > 0, "{text}");
    }
    assert!(text.contains('•') && !shows_a_plate(&text), "{text}");
    let changing = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    closed.send("DELETE", "/api/session", &changing, &Value::Null).await.data();
    let ended = async { while tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut text).await.unwrap() > 0 {} };
    tokio::time::timeout(Duration::from_secs(40), ended).await.expect("the stream ends");
}

#[tokio::test]
async fn when_a_token_was_last_used_is_known_after_a_restart_too() {
    let closed = Closed::start().await;
    let [used, unused] = ["used", "unused"].map(|_| closed.token("operator", &[Permission::Dashboard], None));
    noticed().await;
    let before = crate::clock::unix_now();
    let bearer = format!("Bearer {used}");
    assert_eq!(closed.send("GET", "/api/overview", &[("authorization", &bearer)], &Value::Null).await.status, 200);
    let (admin, _) = closed.log_in("admin").await;
    let listed = closed.get_as(&admin, "/api/tokens").await.data();
    let of = |secret: &str| {
        let id = access::Digest::of(secret).short(12);
        let all = listed["tokens"].as_array().unwrap();
        all.iter().find(|token| token["id"] == id.as_str()).unwrap()["used_at"].clone()
    };
    assert!(of(&used).is_string() && of(&unused).is_null(), "{listed}");
    // Another process knows what was stored, and only of tokens that there are.
    let settings = GateSettings { open: false, is_local: false, limits: limits() };
    let gate = || Gate::new(settings, closed.files.clone(), 0).unwrap();
    assert!(gate().last_uses().is_empty());
    closed.gate.keep_uses().unwrap();
    let uses: Vec<i64> = gate().last_uses().into_values().collect();
    assert!(uses.len() == 1 && uses[0] >= before, "{uses:?}");
    let path = closed.folder.path().join("access/uses.json");
    std::fs::remove_file(&path).unwrap();
    closed.gate.keep_uses().unwrap();
    assert!(!path.exists(), "nothing has changed");
    closed.files.change(|accounts| accounts.revoke(&access::Digest::of(&used).short(12))).unwrap();
    closed.send("GET", "/api/overview", &[("authorization", &bearer)], &Value::Null).await;
    noticed().await;
    let other = format!("Bearer {unused}");
    closed.send("GET", "/api/overview", &[("authorization", &other)], &Value::Null).await.data();
    closed.gate.keep_uses().unwrap();
    assert_eq!(gate().last_uses().len(), 1, "a revoked token is forgotten");
    // Damage keeps nobody out.
    std::fs::write(&path, "{").unwrap();
    assert!(gate().last_uses().is_empty());
}
