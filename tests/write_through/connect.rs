//! `check-config --connect` against real MariaDB and Redis: each kind of trouble is said in words, and nothing is changed.

use crate::process::platewatch;
use crate::servers::redis::{Options, Redis};
use crate::servers::{free_port, wait_until};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// What the program says of a configuration, and its exit code.
fn check(text: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("platewatch.toml");
    std::fs::write(&file, format!("data_dir = {:?}\n{text}", dir.path().join("data"))).unwrap();
    let output = platewatch().args(["check-config", "--connect"]).arg(&file).env("RUST_LOG", "trace").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let logged = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!dir.path().join("data").exists(), "checking made a data directory");
    assert!(!said.contains("s3cret") && !logged.contains("s3cret"), "{said}{logged}");
    (output.status.code(), said)
}

fn redis(url: &str) -> String {
    format!("[redis]\nurl = \"{url}\"\nconnect_timeout = \"2s\"\nresponse_timeout = \"2s\"\n")
}

/// There is exactly one problem, of `target`, told with all of `parts`.
fn problem(target: &str, text: &str, parts: &[&str]) {
    let (code, said) = check(text);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said.matches(": problem: ").count(), 1, "{said}");
    let line = said.lines().find(|line| line.starts_with(&format!("{target}: problem: "))).unwrap_or_default();
    assert!(parts.iter().all(|part| line.contains(part)), "{parts:?}: {said}");
}

fn sound(text: &str, parts: &[&str]) -> String {
    let (code, said) = check(text);
    assert!(code == Some(0) && parts.iter().all(|part| said.contains(part)), "{parts:?}: {code:?} {said}");
    said
}

#[test]
fn redis_is_tried_and_left_as_it_is() {
    let server = Redis::start();
    server.command(&["RPUSH", "traffic:warnings", "a", "b"]);
    sound(&redis(&server.url()), &["redis: ok: ", "the list traffic:warnings has 2 of at most 10000 alerts"]);
    assert_eq!(server.list("traffic:warnings"), ["a", "b"]);
    server.command(&["SET", "taken", "x"]);
    let other = redis(&server.url()) + "key = \"taken\"\n";
    problem("redis", &other, &["the key taken holds a string, not a list", "redis.key"]);
    let absent = redis(&server.url()) + "key = \"none\"\n";
    sound(&absent, &["the list none has 0"]);
    assert_eq!(server.command(&["EXISTS", "none"]), "0");

    let closed = format!("redis://127.0.0.1:{}", free_port());
    problem("redis", &redis(&closed), &["of redis.url", "nothing listens there"]);
    let guarded = Redis::start_with(Options { password: Some("s3cret".to_owned()), ..Options::default() });
    sound(&redis(&guarded.url()), &["redis: ok: "]);
    problem("redis", &redis(&format!("redis://127.0.0.1:{}", guarded.port())), &["set redis.password"]);
    let wrong = format!("redis://:wrong@127.0.0.1:{}", guarded.port());
    problem("redis", &redis(&wrong), &["it refuses the login"]);

    let small = Redis::start_with(Options {
        max_memory: Some("64mb".to_owned()),
        policy: Some("allkeys-lru".to_owned()),
        ..Options::default()
    });
    let said = sound(&redis(&small.url()), &["redis: ok: ", "redis: advice: maxmemory-policy is allkeys-lru"]);
    assert!(!said.contains("problem"), "{said}");
}

#[test]
fn a_node_of_a_cluster_that_has_not_the_key_is_explained() {
    let server = Redis::start_with(Options { cluster: true, ..Options::default() });
    problem("redis", &redis(&server.url()), &["node of a cluster of which no node serves the key"]);
    // This node has all slots but the key's, which another one has: it is named, and not there.
    let slot: u32 = server.command(&["CLUSTER", "KEYSLOT", "traffic:warnings"]).parse().unwrap();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", &(slot - 1).to_string()]);
    server.command(&["CLUSTER", "ADDSLOTSRANGE", &(slot + 1).to_string(), "16383"]);
    let other = Redis::start_with(Options { cluster: true, ..Options::default() });
    other.command(&["CLUSTER", "ADDSLOTS", &slot.to_string()]);
    let (port, bus) = (other.port().to_string(), other.bus_port().to_string());
    server.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    wait_until(PATIENCE, "both nodes know each other", || {
        server.try_command(&["TYPE", "traffic:warnings"]).is_err_and(|error| error.contains("MOVED"))
    });
    let there = format!("127.0.0.1:{}", other.port());
    problem("redis", &redis(&server.url()), &["the key belongs to another node", &there, "set redis.url to that node"]);
    wait_until(PATIENCE, "the cluster is sound", || other.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    sound(&redis(&other.url()), &["redis: ok: "]);
}
