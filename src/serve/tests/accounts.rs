//! Users and tokens over the interface: what an admin may do with them, and what nobody may.

use access::{Permission, Role};
use serde_json::{Value, json};

use super::access::{Closed, PASSWORD};
use super::client::Reply;

/// An admin who is logged in.
struct Desk {
    closed: Closed,
    cookie: String,
    csrf: String,
}

impl Desk {
    async fn open() -> Self {
        let closed = Closed::start().await;
        let (cookie, csrf) = closed.log_in("admin").await;
        Self { closed, cookie, csrf }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        self.closed.send(method, path, &headers, &body).await
    }

    async fn user(&self, name: &str) -> Value {
        let users = self.send("GET", "/api/users", Value::Null).await.data()["users"].clone();
        let all = users.as_array().unwrap();
        all.iter().find(|user| user["name"] == name).unwrap_or_else(|| panic!("{all:?}")).clone()
    }
}

/// The reason of an error.
fn reason(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    reply.json()["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_is_added_logs_in_and_chooses_another_password() {
    let desk = Desk::open().await;
    let body = json!({"name": "Li.Lei", "shown": "李警官", "roles": ["operator", "viewer"]});
    let data = desk.send("POST", "/api/users", body.clone()).await.data();
    let password = data["password"].as_str().unwrap();
    assert!(password.len() == 20 && !password.contains('•'), "an answer for an admin is not masked: {password}");
    let user = &data["user"];
    assert_eq!((&user["name"], &user["shown"]), (&json!("li.lei"), &json!("李警官")));
    assert_eq!((&user["roles"], &user["must_change"]), (&json!(["viewer", "operator"]), &json!(true)));
    assert_eq!(reason(&desk.send("POST", "/api/users", body).await, 409), "user_exists");
    let reply = desk.closed.try_login("li.lei", password).await;
    assert_eq!(reply.data()["user"]["must_change"], true);
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(reason(&desk.closed.get_as(&cookie, "/api/overview").await, 403), "must_change");
    assert_eq!(desk.user("li.lei").await["sessions"], 1);
    let stored = std::fs::read_to_string(desk.closed.folder().join("access/accounts.json")).unwrap();
    assert!(stored.contains("li.lei") && !stored.contains(password), "the password itself is stored nowhere");
}

#[tokio::test]
async fn a_change_holds_at_once_and_is_made_as_a_whole() {
    let desk = Desk::open().await;
    let (operator, csrf) = desk.closed.log_in("operator").await;
    assert_eq!(desk.closed.get_as(&operator, "/api/cases").await.status, 200);
    let query = async || {
        let headers = [("cookie", operator.as_str()), ("x-csrf-token", csrf.as_str())];
        desk.closed.send("POST", "/api/query", &headers, &json!({})).await
    };
    assert_eq!(query().await.status, 200);
    let data = desk.send("PATCH", "/api/users/operator", json!({"roles": ["viewer"]})).await.data();
    assert_eq!((&data["user"]["roles"], &data["password"]), (&json!(["viewer"]), &Value::Null));
    assert_eq!(reason(&query().await, 403), "not_permitted");
    // Nothing of a change that is refused in part.
    let refused = desk.send("PATCH", "/api/users/admin", json!({"shown": "Nobody", "roles": ["viewer"]})).await;
    assert_eq!(reason(&refused, 409), "last_admin");
    assert_eq!(desk.user("admin").await["shown"], "admin 警官");
    let data = desk.send("PATCH", "/api/users/operator", json!({"disabled": true, "shown": "王警官"})).await.data();
    assert_eq!((&data["user"]["disabled"], &data["user"]["shown"]), (&json!(true), &json!("王警官")));
    query().await.error(401);
    desk.closed.try_login("operator", PASSWORD).await.error(401);
    desk.send("PATCH", "/api/users/operator", json!({"disabled": "false"})).await.data();
    query().await.error(401);
    assert_eq!(desk.closed.try_login("operator", PASSWORD).await.status, 200, "a session that ended stays so");
}

#[tokio::test]
async fn another_password_ends_the_sessions_of_its_user() {
    let desk = Desk::open().await;
    let (first, _) = desk.closed.log_in("supervisor").await;
    desk.closed.log_in("supervisor").await;
    assert_eq!(desk.user("supervisor").await["sessions"], 2);
    let data = desk.send("PATCH", "/api/users/supervisor", json!({"password": "generate"})).await.data();
    assert_eq!((&data["user"]["sessions"], &data["user"]["must_change"]), (&json!(0), &json!(true)));
    desk.closed.get_as(&first, "/api/overview").await.error(401);
    let password = data["password"].as_str().unwrap();
    assert_eq!(desk.closed.try_login("supervisor", password).await.status, 200);
    desk.closed.try_login("supervisor", PASSWORD).await.error(401);
    let chosen = desk.send("PATCH", "/api/users/supervisor", json!({"password": "three barges"})).await;
    assert_eq!(reason(&chosen, 400), "not_choice", "nobody chooses another's password");
}

#[tokio::test]
async fn somebody_can_always_manage_users() {
    let desk = Desk::open().await;
    let patch = async |name: &str, body: Value| desk.send("PATCH", &format!("/api/users/{name}"), body).await;
    assert_eq!(reason(&patch("admin", json!({"disabled": true})).await, 409), "own_account");
    assert_eq!(reason(&patch("admin", json!({"roles": ["operator"]})).await, 409), "last_admin");
    patch("operator", json!({"roles": ["operator", "admin"]})).await.data();
    assert_eq!(reason(&patch("admin", json!({"disabled": true})).await, 409), "own_account");
    patch("admin", json!({"roles": ["viewer"]})).await.data();
    assert_eq!(reason(&patch("operator", json!({"disabled": true})).await, 403), "not_permitted", "no admin any more");
    assert_eq!(desk.closed.files.accounts().unwrap().users().len(), Role::ALL.len());
}

#[tokio::test]
async fn wrong_fields_are_named_and_change_nothing() {
    let desk = Desk::open().await;
    let before = desk.closed.files.accounts().unwrap();
    for (method, path, body, status, expected) in [
        ("POST", "/api/users", json!({}), 400, "missing_field"),
        ("POST", "/api/users", json!({"name": "li"}), 400, "missing_field"),
        ("POST", "/api/users", json!({"name": "li", "roles": []}), 400, "missing_field"),
        ("POST", "/api/users", json!({"name": "li", "roles": ["king"]}), 400, "not_choice"),
        ("POST", "/api/users", json!({"name": "li", "roles": [1]}), 400, "item_not_text"),
        ("POST", "/api/users", json!({"name": "李", "roles": ["viewer"]}), 400, "not_name"),
        ("POST", "/api/users", json!({"name": " li", "roles": ["viewer"]}), 400, "not_name"),
        ("POST", "/api/users", json!({"name": "a".repeat(33), "roles": ["viewer"]}), 400, "not_name"),
        (
            "POST",
            "/api/users",
            json!({"name": "li", "roles": ["viewer"], "shown": "\u{202e}x"}),
            400,
            "control_character",
        ),
        (
            "POST",
            "/api/users",
            json!({"name": "li", "roles": ["viewer"], "shown": "x".repeat(65)}),
            400,
            "text_too_long",
        ),
        ("POST", "/api/users", json!({"name": "li", "roles": ["viewer"], "password": "mine"}), 400, "unknown_field"),
        ("PATCH", "/api/users/viewer", json!({}), 400, "no_change"),
        ("PATCH", "/api/users/viewer", json!({"roles": "king"}), 400, "not_choice"),
        ("PATCH", "/api/users/nobody", json!({"disabled": true}), 404, "no_such_user"),
        ("PATCH", "/api/users/%E6%9D%8E", json!({"disabled": true}), 404, "no_such_user"),
        ("POST", "/api/tokens", json!({"owner": "viewer"}), 400, "missing_field"),
        ("POST", "/api/tokens", json!({"owner": "viewer", "scopes": ["dashboard"], "days": 0}), 400, "not_whole"),
        ("POST", "/api/tokens", json!({"owner": "viewer", "scopes": ["dashboard"], "days": 3651}), 400, "not_whole"),
        ("POST", "/api/tokens", json!({"owner": "nobody", "scopes": ["dashboard"]}), 404, "no_such_user"),
        ("POST", "/api/tokens", json!({"owner": "viewer", "scopes": ["plates", "users"]}), 409, "scope_not_owned"),
        ("DELETE", "/api/tokens/0123456789ab", Value::Null, 404, "no_such_token"),
    ] {
        let said = format!("{method} {path} {body}");
        assert_eq!(reason(&desk.send(method, path, body).await, status), expected, "{said}");
    }
    assert_eq!(desk.closed.files.accounts().unwrap(), before);
    let forged = [("cookie", desk.cookie.as_str())];
    for (method, path) in [("POST", "/api/users"), ("PATCH", "/api/users/viewer"), ("POST", "/api/tokens")] {
        assert_eq!(reason(&desk.closed.send(method, path, &forged, &json!({})).await, 403), "csrf", "{method} {path}");
    }
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_is_taken_back() {
    let desk = Desk::open().await;
    let body = json!({"owner": "operator", "scopes": ["plates", "dashboard"], "days": 30, "note": "夜间报表"});
    let data = desk.send("POST", "/api/tokens", body).await.data();
    let (secret, id) = (data["secret"].as_str().unwrap(), data["token"]["id"].as_str().unwrap());
    assert!(secret.starts_with("pw_") && secret.len() == 46, "{secret}");
    assert_eq!((&data["token"]["note"], &data["token"]["expired"]), (&json!("夜间报表"), &json!(false)));
    let bearer = format!("Bearer {secret}");
    let ask = async || desk.closed.send("POST", "/api/query", &[("authorization", &bearer)], &json!({})).await;
    assert_eq!(ask().await.status, 200, "it works at once");
    let listed = desk.send("GET", "/api/tokens", Value::Null).await;
    assert!(listed.text().contains(id) && !listed.text().contains(secret));
    assert_eq!(desk.user("operator").await["tokens"], 1);
    let left = desk.send("DELETE", &format!("/api/tokens/{id}"), Value::Null).await.data();
    assert_eq!(left["tokens"], json!([]));
    ask().await.error(401);
    // A script of an admin may manage users, one without the scope may not.
    for (scopes, may) in [(vec![Permission::Users], true), (vec![Permission::Dashboard], false)] {
        let data = desk.send("POST", "/api/tokens", json!({"owner": "admin", "scopes": scopes})).await.data();
        let bearer = format!("Bearer {}", data["secret"].as_str().unwrap());
        let body = json!({"name": format!("made-{may}"), "roles": "viewer"});
        let reply = desk.closed.send("POST", "/api/users", &[("authorization", &bearer)], &body).await;
        assert_eq!(reply.status, if may { 200 } else { 403 }, "{}", reply.text());
    }
}

/// Whoever could add users where nobody needs to log in would be let in later, once others are asked for a password.
#[tokio::test]
async fn where_nobody_logs_in_nobody_manages_users() {
    let server = super::Server::start().await;
    for (method, path) in [
        ("GET", "/api/users"),
        ("POST", "/api/users"),
        ("PATCH", "/api/users/wang"),
        ("GET", "/api/tokens"),
        ("POST", "/api/tokens"),
        ("DELETE", "/api/tokens/0123456789ab"),
    ] {
        let body = br#"{"name":"wang","roles":["admin"]}"#;
        let headers = [("content-type", "application/json")];
        let reply = super::client::request(server.address, method, path, &headers, body).await;
        assert_eq!(reason(&reply, 409), "no_login", "{method} {path}");
    }
}

/// A proxy that does not say https, and another machine, get no password to read along.
#[tokio::test]
async fn secrets_go_over_https_only() {
    let desk = Desk::open().await;
    let token = desk.closed.token("admin", &[Permission::Users], None);
    super::access::noticed().await;
    let bearer = format!("Bearer {token}");
    let proxied = desk.closed.behind_a_proxy().await;
    for (said, status) in [("http", 403), ("https", 200)] {
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", said),
        ];
        let send = async |method: &str, path: &str, body: Value| {
            super::client::request(proxied.address, method, path, &headers, body.to_string().as_bytes()).await
        };
        let name = format!("by-{said}");
        assert_eq!(send("POST", "/api/users", json!({"name": name, "roles": ["viewer"]})).await.status, status);
        assert_eq!(send("PATCH", "/api/users/viewer", json!({"password": "generate"})).await.status, status);
        let token = json!({"owner": "viewer", "scopes": ["dashboard"]});
        assert_eq!(send("POST", "/api/tokens", token).await.status, status);
        assert_eq!(send("PATCH", "/api/users/viewer", json!({"shown": "x"})).await.status, 200, "no secret in it");
    }
}
