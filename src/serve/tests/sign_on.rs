//! Login by single sign-on against a provider of our own that also lies: who gets in, who does not and why, and what the audit log
//! says of it.

mod provider;

use std::sync::Arc;
use std::time::Duration;

use access::{Role, UserName};
use serde_json::{Value, json};

use super::access::{Closed, limits, noticed};
use super::client::Reply;
use crate::gate::GateSettings;
use crate::oidc::{OidcSettings, SignOn};
use provider::{CLIENT, Lie, Provider, SECRET};

const REDIRECT: &str = "https://watch.example/api/session/oidc/callback";
const BINDING: &str = "__Host-platewatch-oidc";
const SESSION: &str = "__Host-platewatch=";

/// A server with single sign-on, and its provider.
struct Joined {
    closed: Closed,
    provider: Provider,
}

fn settings(issuer: &str) -> OidcSettings {
    let roles = [("traffic-desk", Role::Operator), ("it", Role::Admin)];
    OidcSettings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.to_owned()),
        redirect_url: REDIRECT.to_owned(),
        scopes: vec!["profile".to_owned()],
        role_claim: "groups".to_owned(),
        roles: roles.map(|(value, role)| (value.to_owned(), role)).to_vec(),
        ca_certificate: None,
        timeout: Duration::from_secs(2),
    }
}

impl Joined {
    async fn start() -> Self {
        let provider = Provider::start().await;
        let sign_on = Arc::new(SignOn::new(settings(&provider.issuer)).unwrap());
        let gate = GateSettings { open: false, is_local: false, limits: limits() };
        let closed = Closed::start_with(gate, move |settings| settings.sign_on = Some(sign_on)).await;
        Self { closed, provider }
    }

    async fn get(&self, path: &str, cookie: &str) -> Reply {
        self.closed.get_as(cookie, path).await
    }

    /// A browser is sent to the provider: the cookie that it keeps, and the query with which it comes back.
    async fn leave(&self) -> (String, String) {
        let reply = self.get("/api/session/oidc", "a=b").await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let set = reply.header("set-cookie").unwrap_or_else(|| panic!("{reply:?}"));
        for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=1200"] {
            assert!(set.contains(part), "{set}");
        }
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let cookie = set.split(';').next().unwrap().to_owned();
        (cookie, self.provider.log_in(reply.header("location").unwrap()))
    }

    async fn come_back(&self, cookie: &str, query: &str) -> Reply {
        self.get(&format!("/api/session/oidc/callback?{query}"), cookie).await
    }

    /// A whole login.
    async fn log_in(&self) -> Reply {
        let (cookie, query) = self.leave().await;
        self.come_back(&cookie, &query).await
    }

    /// A whole login that is refused for this reason.
    #[track_caller]
    fn refuses(reply: &Reply, reason: &str) {
        let place = reply.header("location").map(str::to_owned);
        assert_eq!((reply.status, place), (303, Some(format!("/?sign_on={reason}"))), "{reply:?}");
        assert!(!reply.header("set-cookie").is_some_and(|set| set.contains(SESSION)), "{reply:?}");
    }

    fn newest_entry(&self) -> Value {
        self.closed.entries().pop().unwrap()
    }
}

/// The cookie of the session that an answer opens.
fn session(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{reply:?}");
    let set = reply.header("set-cookie").unwrap();
    for part in [SESSION, "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Max-Age=86400"] {
        assert!(set.contains(part), "{set}");
    }
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn whom_the_provider_vouches_for_has_a_session_like_any_other() {
    let joined = Joined::start().await;
    assert_eq!(joined.get("/api/session", "").await.data()["single_sign_on"], true);
    let cookie = session(&joined.log_in().await);
    let data = joined.get("/api/session", &cookie).await.data();
    let name = data["user"]["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("sso-"), "{data}");
    assert_eq!((&data["user"]["shown"], &data["user"]["external"]), (&json!("王警官"), &json!(true)));
    assert_eq!(data["permissions"], json!(["dashboard", "plates", "work", "export"]));
    let entry = joined.newest_entry();
    assert_eq!((&entry["action"], &entry["user"], &entry["status"]), (&json!("login"), &json!(name), &json!(303)));
    let details = &entry["details"];
    assert_eq!((&details["subject"], &details["issuer"]), (&json!("17"), &json!(joined.provider.issuer)));
    assert!(!entry.to_string().contains("code-"), "no secrets: {entry}");
    // It is in the list, has no password, and only disabling is done here.
    let (admin, csrf) = joined.closed.log_in("admin").await;
    let listed = joined.get("/api/users", &admin).await.data();
    let listed = listed["users"].as_array().unwrap().iter().find(|user| user["name"] == name.as_str()).unwrap();
    assert_eq!((&listed["external"], &listed["sessions"]), (&json!(true), &json!(1)));
    let headers = [("cookie", admin.as_str()), ("x-csrf-token", csrf.as_str())];
    let path = format!("/api/users/{name}");
    for change in [json!({"password": "generate"}), json!({"roles": ["admin"]}), json!({"shown": "x"})] {
        let refused = joined.closed.send("PATCH", &path, &headers, &change).await.error(409);
        assert!(refused.contains("single sign-on"), "{change}: {refused}");
    }
    assert_eq!(joined.closed.try_login(&name, "three lorries in fog").await.status, 401);
    joined.closed.send("PATCH", &path, &headers, &json!({"disabled": true})).await.data();
    joined.get("/api/overview", &cookie).await.error(401);
    Joined::refuses(&joined.log_in().await, "disabled");
    let entry = joined.newest_entry();
    assert_eq!((&entry["action"], &entry["details"]["subject"]), (&json!("login_failed"), &json!("17")));
}

#[tokio::test]
async fn roles_and_names_are_those_of_the_last_login() {
    let joined = Joined::start().await;
    let first = session(&joined.log_in().await);
    let name = joined.get("/api/session", &first).await.data()["user"]["name"].clone();
    joined.provider.says("groups", json!(["it", "golf"]));
    joined.provider.says("name", json!("admin"));
    let second = session(&joined.log_in().await);
    let data = joined.get("/api/session", &second).await.data();
    assert_eq!((&data["user"]["name"], &data["user"]["shown"]), (&name, &json!("admin")));
    assert_eq!(data["user"]["roles"], json!(["admin"]));
    assert_eq!(joined.get("/api/session", &first).await.data()["user"]["roles"], json!(["admin"]), "at once");
    // Another who takes over the names is another, and no user of our own.
    joined.provider.says("sub", json!("18"));
    joined.provider.says("preferred_username", json!("admin"));
    let other = joined.get("/api/session", &session(&joined.log_in().await)).await.data();
    assert!(other["user"]["name"] != name && other["user"]["name"] != "admin", "{other}");
    // Who has no role any more is refused, and turned out.
    joined.provider.says("groups", json!(["golf"]));
    joined.provider.says("sub", json!("17"));
    Joined::refuses(&joined.log_in().await, "role");
    joined.get("/api/overview", &second).await.error(401);
    let entry = joined.newest_entry();
    assert_eq!((&entry["action"], &entry["details"]["reason"]), (&json!("login_failed"), &json!("sign_on_role")));
    assert_eq!(entry["details"]["subject"], "17");
}

#[tokio::test]
async fn who_is_limited_here_is_not_let_in_as_admin() {
    let joined = Joined::start().await;
    let cookie = session(&joined.log_in().await);
    let name = joined.get("/api/session", &cookie).await.data()["user"]["name"].as_str().unwrap().to_owned();
    let (admin, csrf) = joined.closed.log_in("admin").await;
    let headers = [("cookie", admin.as_str()), ("x-csrf-token", csrf.as_str())];
    let path = format!("/api/users/{name}");
    joined.closed.send("PATCH", &path, &headers, &json!({"districts": ["邳州市"]})).await.data();
    joined.provider.says("groups", json!(["it"]));
    Joined::refuses(&joined.log_in().await, "area");
    assert_eq!(joined.newest_entry()["details"]["reason"], "sign_on_area");
    assert_eq!(joined.get("/api/session", &cookie).await.data()["user"]["roles"], json!(["operator"]), "as before");
    joined.closed.send("PATCH", &path, &headers, &json!({"districts": []})).await.data();
    session(&joined.log_in().await);
}

#[tokio::test]
async fn a_token_that_does_not_hold_lets_nobody_in() {
    let joined = Joined::start().await;
    let users = joined.closed.files.accounts().unwrap().users().len();
    for lie in [
        Lie::Nonce,
        Lie::NoNonce,
        Lie::Audience,
        Lie::TwoAudiences,
        Lie::Expired,
        Lie::Issuer,
        Lie::Signature,
        Lie::AlgNone,
        Lie::AlgHs256,
        Lie::NoToken,
        Lie::NoSubject,
    ] {
        joined.provider.lies(lie);
        let reply = joined.log_in().await;
        assert_eq!(reply.header("location"), Some("/?sign_on=token"), "{lie:?}: {reply:?}");
        Joined::refuses(&reply, "token");
    }
    let entry = joined.newest_entry();
    assert_eq!((&entry["action"], &entry["details"]["reason"]), (&json!("login_failed"), &json!("sign_on_token")));
    assert_eq!(joined.closed.files.accounts().unwrap().users().len(), users, "no account was made");
    joined.provider.lies(None::<Lie>);
    session(&joined.log_in().await);
}

#[tokio::test]
async fn a_provider_that_signs_by_rsa_is_believed_and_its_lies_are_not() {
    let joined = Joined::start().await;
    joined.provider.use_rsa();
    session(&joined.log_in().await);
    for lie in [Lie::Signature, Lie::AlgNone, Lie::AlgHs256, Lie::Nonce, Lie::Expired] {
        joined.provider.lies(lie);
        Joined::refuses(&joined.log_in().await, "token");
    }
    joined.provider.lies(None::<Lie>);
    session(&joined.log_in().await);
}

#[tokio::test]
async fn a_provider_with_a_new_key_is_asked_for_it() {
    let joined = Joined::start().await;
    session(&joined.log_in().await);
    joined.provider.new_key();
    session(&joined.log_in().await);
}

#[tokio::test]
async fn a_login_comes_back_once_and_in_the_browser_that_began_it() {
    let joined = Joined::start().await;
    let (mine, query) = joined.leave().await;
    let (other, _) = joined.leave().await;
    for cookie in [other.as_str(), "", &format!("{mine}; {mine}"), &format!("{BINDING}=")] {
        Joined::refuses(&joined.come_back(cookie, &query).await, "state");
    }
    Joined::refuses(&joined.come_back(&mine, "code=x").await, "state");
    Joined::refuses(&joined.come_back(&mine, "").await, "state");
    assert!(joined.provider.known.lock().answered.is_empty(), "the provider is not asked");
    session(&joined.come_back(&mine, &query).await);
    Joined::refuses(&joined.come_back(&mine, &query).await, "state");
    // A code that was used already, with a state that was not.
    let (cookie, fresh) = joined.leave().await;
    let state = fresh.split('&').next().unwrap();
    let used = query.split('&').find(|part| part.starts_with("code=")).unwrap();
    Joined::refuses(&joined.come_back(&cookie, &format!("{state}&{used}")).await, "denied");
    assert_eq!(joined.provider.known.lock().answered, [200, 400]);
    // Two tabs of one browser both come back.
    let first = joined.get("/api/session/oidc", &cookie).await;
    assert!(first.header("set-cookie").unwrap().starts_with(&cookie), "the browser keeps its secret");
}

#[tokio::test]
async fn what_the_provider_refuses_is_said_and_another_issuer_is_not_believed() {
    let joined = Joined::start().await;
    let (cookie, query) = joined.leave().await;
    let state = query.split('&').next().unwrap();
    let denied = format!("{state}&error=access_denied&error_description=no");
    Joined::refuses(&joined.come_back(&cookie, &denied).await, "denied");
    let (cookie, query) = joined.leave().await;
    let query = query.replace(&format!("iss={}", joined.provider.issuer), "iss=https://evil.example");
    Joined::refuses(&joined.come_back(&cookie, &query).await, "token");
}

#[tokio::test]
async fn a_provider_that_is_away_or_sends_too_much_or_too_late_costs_nothing() {
    let mut joined = Joined::start().await;
    joined.provider.stop().await;
    Joined::refuses(&joined.get("/api/session/oidc", "").await, "provider");
    let entry = joined.newest_entry();
    assert_eq!((&entry["action"], &entry["details"]["reason"]), (&json!("login_failed"), &json!("sign_on_provider")));
    joined.provider.resume().await;
    for lie in [Lie::HugeDiscovery, Lie::OtherIssuer, Lie::InsecureAuthorize] {
        let joined = Joined::start().await;
        joined.provider.lies(lie);
        let reply = joined.get("/api/session/oidc", "").await;
        assert_eq!(reply.header("location"), Some("/?sign_on=provider"), "{lie:?}");
    }
    for lie in [Lie::HugeToken, Lie::SlowToken] {
        joined.provider.lies(lie);
        let begun = std::time::Instant::now();
        Joined::refuses(&joined.log_in().await, "provider");
        assert!(begun.elapsed() < Duration::from_secs(20), "{lie:?}");
    }
    let (cookie, query) = {
        joined.provider.lies(None::<Lie>);
        joined.leave().await
    };
    joined.provider.stop().await;
    Joined::refuses(&joined.come_back(&cookie, &query).await, "provider");
    joined.provider.resume().await;
    session(&joined.log_in().await);
}

#[tokio::test]
async fn where_it_is_not_set_up_there_is_none() {
    let closed = Closed::start().await;
    for path in ["/api/session/oidc", "/api/session/oidc/callback?state=x&code=y"] {
        assert!(closed.send("GET", path, &[], &Value::Null).await.error(404).contains("oidc.issuer"));
    }
    assert_eq!(closed.send("GET", "/api/session", &[], &Value::Null).await.data()["single_sign_on"], false);
}

#[tokio::test]
async fn the_command_line_disables_such_a_user_and_its_session_ends() {
    let joined = Joined::start().await;
    let cookie = session(&joined.log_in().await);
    let name = joined.get("/api/session", &cookie).await.data()["user"]["name"].as_str().unwrap().to_owned();
    let name = UserName::parse(&name).unwrap();
    joined.closed.files.change(|accounts| accounts.set_disabled(&name, true)).unwrap();
    noticed().await;
    joined.get("/api/overview", &cookie).await.error(401);
}
