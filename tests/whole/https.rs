//! HTTPS with the real program: a login from another address, a new certificate while connections are open, what is wrong with a
//! certificate, and health and metrics on a listener of their own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::harness::{Ended, PATIENCE, Running, folder, get, platewatch, wait_until};

const PASSWORD: &str = "three lorries in fog";

type Connection = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// An answer: status, head and body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Writes a new certificate for 127.0.0.1, which is its own authority.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    certificate.der().clone()
}

fn connect(port: u16, trusted: &CertificateDer<'static>) -> std::io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = versions.with_root_certificates(roots).with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    client.complete_io(&mut stream)?;
    Ok(BufReader::new(StreamOwned::new(client, stream)))
}

fn ask(connection: &mut Connection, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(text.as_bytes()).unwrap();
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        assert!(connection.read_line(&mut line).unwrap() > 0, "{head}");
        if let Some(text) = line.to_lowercase().strip_prefix("content-length: ") {
            length = text.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

/// A configuration with the certificate of this folder, and a user.
fn configured(folder: &Path, api: &str) -> std::path::PathBuf {
    let file = folder.join("platewatch.toml");
    let (data, certificate, key) = (folder.join("data"), folder.join("server.pem"), folder.join("server.key"));
    let text = format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\ntrain = \"off\"\n[api]\nlisten = \"0.0.0.0:0\"\n\
         tls_certificate = {certificate:?}\ntls_key = {key:?}\n{api}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn add_user(folder: &Path) {
    let mut command = platewatch();
    command.args(["user", "add", "wang", "--role", "operator", "--data-dir"]).arg(folder.join("data"));
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success());
}

fn serve(file: &Path) -> (Running, u16) {
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(file);
    let mut running = Running::start(command);
    let port = running.wait_for(" address=").rsplit(':').next().unwrap().trim().parse().unwrap();
    (running, port)
}

#[test]
fn a_desk_logs_in_and_stays_while_the_certificate_is_renewed() {
    let folder = folder();
    let folder = folder.path();
    let first = renew(folder);
    add_user(folder);
    let (mut running, port) = serve(&configured(folder, ""));
    let mut desk = connect(port, &first).unwrap();
    let body = json!({"user": "wang", "password": PASSWORD}).to_string();
    let answer = ask(&mut desk, "POST", "/api/session", "", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("strict-transport-security: max-age="), "{}", answer.head);
    let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = format!("cookie: {}\r\n", set.split(';').next().unwrap());
    assert_eq!(ask(&mut desk, "GET", "/api/cases", &cookie, "").status, 200);
    assert_eq!(ask(&mut desk, "GET", "/api/cases", "", "").status, 401);
    let (status, refused) = get(&format!("127.0.0.1:{port}"), "/api/session");
    assert!(status == 400 && refused.contains("https_only"), "{status} {refused}");

    // Clients that begin a handshake and wait.
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    for mut stream in &idle {
        stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    }
    let second = renew(folder);
    running.signal("HUP");
    wait_until(PATIENCE, "the new certificate", || connect(port, &second).is_ok());
    assert!(connect(port, &first).is_err(), "the old one is not shown any more");
    assert_eq!(ask(&mut desk, "GET", "/api/cases", &cookie, "").status, 200, "the desk's connection goes on");
    drop(idle);

    std::fs::write(folder.join("server.pem"), "nothing").unwrap();
    running.signal("HUP");
    let said = running.wait_for("the new certificate is not used");
    assert!(said.contains("holds no certificate that can be read"), "{said}");
    let mut again = connect(port, &second).unwrap();
    assert_eq!(ask(&mut again, "GET", "/api/cases", &cookie, "").status, 200);
    // Noticed without a signal, too.
    let third = renew(folder);
    wait_until(PATIENCE, "the next certificate", || connect(port, &third).is_ok());
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}

/// The same signal ends no process that has nothing to read again.
#[test]
fn without_a_certificate_a_hangup_changes_nothing() {
    let folder = folder();
    let file = folder.path().join("platewatch.toml");
    let data = folder.path().join("data");
    let text = format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\ntrain = \"off\"\n[api]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let (mut running, port) = serve(&file);
    let address = format!("127.0.0.1:{port}");
    wait_until(PATIENCE, "an answer", || get(&address, "/readyz").0 == 200);
    running.signal("HUP");
    running.wait_for("SIGHUP: no certificate to read again");
    assert_eq!(get(&address, "/readyz").0, 200);
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_before_anything_is_made() {
    let folder = folder();
    let folder = folder.path();
    renew(folder);
    let file = configured(folder, "open = true");
    let check = |command: &str| -> Ended {
        let mut program = platewatch();
        match command {
            "serve" => program.args(["serve", "--config"]).arg(&file),
            _ => program.arg("check-config").arg(&file),
        };
        program.output().unwrap().into()
    };
    let ended = check("check-config");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    std::fs::write(folder.join("server.key"), "").unwrap();
    for command in ["check-config", "serve"] {
        check(command).failed(2, &["api.tls_key", "server.key", "holds no private key"]);
    }
    std::fs::remove_file(folder.join("server.pem")).unwrap();
    for command in ["check-config", "serve"] {
        check(command).failed(2, &["api.tls_certificate: cannot read", "server.pem"]);
    }
    assert!(!folder.join("data").exists(), "nothing was made");
}

#[test]
fn health_and_metrics_have_a_listener_of_their_own() {
    let folder = folder();
    let folder = folder.path();
    let trusted = renew(folder);
    add_user(folder);
    let (mut running, port) = serve(&configured(folder, "metrics_listen = \"127.0.0.1:0\""));
    let line = running.wait_for("health and metrics are also answered here");
    let aside = line.rsplit("at=").next().unwrap().trim().to_owned();
    for (path, expected) in [("/healthz", "alive"), ("/readyz", "ready"), ("/metrics", "platewatch_uptime_seconds")] {
        let (status, body) = get(&aside, path);
        assert!(status == 200 && body.contains(expected), "{path}: {body}");
    }
    assert!(get(&aside, "/metrics").1.contains("platewatch_tls_certificate_ends_seconds"));
    for path in ["/", "/api/overview", "/api/session", "/api/status", "/api/openapi.json"] {
        let (status, body) = get(&aside, path);
        let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {body}"));
        assert_eq!((status, &body["reason"]), (404, &json!("unknown_endpoint")), "{path}");
    }
    let mut desk = connect(port, &trusted).unwrap();
    assert_eq!(ask(&mut desk, "GET", "/metrics", "", "").status, 401, "there a login is needed as before");
    assert_eq!(ask(&mut desk, "GET", "/healthz", "", "").status, 200);
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}
