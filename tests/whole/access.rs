//! Login with the real program: the command line that makes users and tokens beside a running appliance, and what it lets in.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Ended, PATIENCE, Running, folder, get, platewatch, serve, wait_until};

pub(crate) const PASSWORD: &str = "three lorries in fog";

/// Runs the program with a line on standard input.
fn typed(data: &Path, arguments: &[&str], line: &str) -> Ended {
    let mut command: Command = platewatch();
    command.args(arguments).arg("--data-dir").arg(data);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // It may refuse before it reads.
    let _ = writeln!(child.stdin.take().unwrap(), "{line}");
    child.wait_with_output().unwrap().into()
}

#[track_caller]
pub(crate) fn make(data: &Path, arguments: &[&str]) -> String {
    let ended = typed(data, arguments, PASSWORD);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout
}

/// What one asks with, and the answer.
pub(crate) struct Client<'a> {
    pub(crate) address: &'a str,
    pub(crate) header: (&'a str, String),
}

impl Client<'_> {
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
        let asked = agent.get(format!("http://{}{path}", self.address)).header(self.header.0, &self.header.1).call();
        let mut response = asked.unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }
}

/// The cookie of a new session.
pub(crate) fn log_in(address: &str, user: &str, password: &str) -> Result<String, u16> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
    let body = json!({"user": user, "password": password});
    let response = agent.post(format!("http://{address}/api/session")).send_json(&body).unwrap();
    let set = response.headers().get("set-cookie").and_then(|set| set.to_str().ok());
    set.map(|set| set.split(';').next().unwrap().to_owned()).ok_or(response.status().as_u16())
}

fn started(data: &Path) -> (Running, String) {
    serve(&format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n"))
}

#[test]
fn users_and_tokens_are_made_beside_a_running_appliance() {
    let folder = folder();
    let data = folder.path().join("data");
    let (running, address) = started(&data);
    assert_eq!(get(&address, "/api/overview").0, 200, "without users this machine needs no login");
    make(&data, &["user", "add", "wang", "--role", "operator", "--shown", "王警官"]);
    wait_until(PATIENCE, "the first user closes the gate", || get(&address, "/api/overview").0 == 401);
    assert_eq!(get(&address, "/metrics").0, 401);
    assert_eq!(get(&address, "/healthz").0, 200);
    let page = get(&address, "/");
    assert!(page.0 == 200 && page.1.contains("<div id=\"app\""), "the page itself holds nothing: {}", page.1);
    assert_eq!(log_in(&address, "wang", "three lorries in rain"), Err(401));
    let cookie = log_in(&address, "wang", PASSWORD).unwrap();
    let by_cookie = Client { address: &address, header: ("cookie", cookie.clone()) };
    assert_eq!(by_cookie.get("/api/overview").0, 200);
    assert_eq!(by_cookie.get("/metrics").0, 403);

    let made = make(&data, &["token", "add", "wang", "--scope", "dashboard", "--note", "wall"]);
    let token = made.lines().next().unwrap().to_owned();
    assert!(token.starts_with("pw_") && token.len() == 46, "{made}");
    let by_token = Client { address: &address, header: ("authorization", format!("Bearer {token}")) };
    wait_until(PATIENCE, "the token is known", || by_token.get("/api/overview").0 == 200);
    assert_eq!(by_token.get("/api/track?hphm=x").0, 403);
    let listed = make(&data, &["token", "list"]);
    assert!(listed.contains("wang") && listed.contains("wall") && !listed.contains(&token), "{listed}");

    // Sessions and tokens outlive a restart, and end with their user.
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    assert!(make(&data, &["token", "list"]).contains(" used 2"), "the last use is stored at the end");
    let (running, address) = started(&data);
    let by_cookie = Client { address: &address, header: ("cookie", cookie) };
    let by_token = Client { address: &address, header: ("authorization", format!("Bearer {token}")) };
    assert_eq!((by_cookie.get("/api/overview").0, by_token.get("/api/overview").0), (200, 200));
    make(&data, &["user", "disable", "wang"]);
    wait_until(PATIENCE, "a disabled user is out", || by_cookie.get("/api/overview").0 == 401);
    assert_eq!(by_token.get("/api/overview").0, 401);
    assert!(make(&data, &["user", "list"]).contains("disabled"));
    make(&data, &["user", "enable", "wang"]);
    wait_until(PATIENCE, "and in again", || by_token.get("/api/overview").0 == 200);
    make(&data, &["user", "roles", "wang", "--role", "auditor"]);
    wait_until(PATIENCE, "another role holds at once", || by_token.get("/api/overview").0 == 403);
    drop(running);
    // What is stored opens nothing.
    for file in ["accounts.json", "sessions.json", "uses.json"] {
        let text = std::fs::read_to_string(data.join("access").join(file)).unwrap();
        let secret = by_cookie.header.1.split('=').nth(1).unwrap();
        assert!(!text.contains(secret) && !text.contains(&token) && !text.contains(PASSWORD), "{file}");
    }
}

#[test]
fn a_port_that_others_reach_is_not_opened_by_accident() {
    let folder = folder();
    let data = folder.path().join("data");
    let file = folder.path().join("platewatch.toml");
    let serve = |api: &str| {
        let text =
            format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\ntrain = \"off\"\n[api]\n{api}\n");
        std::fs::write(&file, text).unwrap();
        let mut command = platewatch();
        command.args(["serve", "--config"]).arg(&file);
        command
    };
    for api in ["listen = \"0.0.0.0:0\"", "listen = \"[::]:0\"", "listen = \"127.0.0.1:0\"\nproxies = [\"127.0.0.1\"]"]
    {
        let ended: Ended = serve(api).output().unwrap().into();
        ended.failed(2, &["nobody has a login yet", "platewatch user add", "api.open = true"]);
        assert!(!data.join("rocksdb").exists(), "nothing was made");
    }
    let mut running = Running::start(serve("listen = \"0.0.0.0:0\"\nopen = true"));
    let port = running.wait_for("address=").rsplit(':').next().unwrap().trim().to_owned();
    assert!(running.seen().contains("api.open: everybody who reaches this port"), "{}", running.seen());
    let (_, session) = get(&format!("127.0.0.1:{port}"), "/api/session");
    let session: Value = serde_json::from_str(&session).unwrap();
    assert_eq!((&session["data"]["access"], &session["data"]["exposed"]), (&json!("open"), &json!(true)));
    drop(running);

    make(&data, &["user", "add", "boss", "--role", "admin"]);
    let mut running = Running::start(serve("listen = \"0.0.0.0:0\""));
    let port = running.wait_for("address=").rsplit(':').next().unwrap().trim().to_owned();
    assert_eq!(get(&format!("127.0.0.1:{port}"), "/api/overview").0, 401);
    drop(running);

    std::fs::write(data.join("access/accounts.json"), "{").unwrap();
    let ended: Ended = serve("listen = \"127.0.0.1:0\"").output().unwrap().into();
    ended.failed(3, &["accounts.json cannot be read", "Nobody is let in on a guess"]);
}

#[test]
fn the_command_line_says_what_is_wrong() {
    let folder = folder();
    let data = folder.path().join("data");
    make(&data, &["user", "add", "boss", "--role", "admin"]);
    for (arguments, line, parts) in [
        (&["user", "add", "li", "--role", "viewer"][..], "short", &["at least 10 characters"][..]),
        (&["user", "add", "li", "--role", "viewer"], "li li li li li", &["made of the user's name"]),
        (&["user", "add", "boss", "--role", "viewer"], PASSWORD, &["there is a user boss already"]),
        (&["user", "add", "王", "--role", "viewer"], PASSWORD, &["is no name to log in with"]),
        (&["user", "disable", "boss"], "", &["the last admin"]),
        (&["user", "roles", "boss", "--role", "viewer"], "", &["the last admin"]),
        (&["user", "password", "nobody"], PASSWORD, &["there is no user nobody"]),
        (&["token", "add", "nobody", "--scope", "dashboard"], "", &["there is no user nobody"]),
        (&["token", "revoke", "0123456789ab"], "", &["there is no token"]),
    ] {
        let ended = typed(&data, arguments, line);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(parts.iter().any(|part| ended.stderr.contains(part)), "{arguments:?}: {}", ended.stderr);
    }
    let made = make(&data, &["user", "add", "li", "--role", "viewer", "--generate"]);
    let password = made.lines().find_map(|line| line.strip_prefix("password: ")).unwrap().to_owned();
    let (_running, address) = started(&data);
    let cookie = log_in(&address, "li", &password).unwrap();
    let client = Client { address: &address, header: ("cookie", cookie) };
    let (status, text) = client.get("/api/overview");
    assert!(status == 403 && text.contains("must_change"), "{text}");
}
