//! Shipping and consuming through a login and TLS; secrets are not shown.

use super::guarded::{Guarded, PASSWORD};
use crate::harness::{Appliance, LONG, platewatch, wait_until};
use crate::kafka::topic;
use crate::kafka_source::traffic::Traffic;

#[test]
fn a_log_is_shipped_and_consumed_through_login_and_tls() {
    let guarded = Guarded::shared();
    let broker = &guarded.broker;
    let dir = tempfile::tempdir().unwrap();
    let name = "secured";
    broker.create_topic(name, 3);
    let count = 20_000;
    let traffic = Traffic::simulate(dir.path(), count, 1, 21);
    let log = dir.path().join("passages.log");
    let text: Vec<u8> = traffic.all.iter().flat_map(|(_, line)| line.iter().copied().chain([b'\n'])).collect();
    std::fs::write(&log, text).unwrap();

    // As in the file for serve, without TOML's quotes.
    let properties = dir.path().join("client.properties");
    std::fs::write(&properties, guarded.login("alice", PASSWORD).replace('"', "")).unwrap();
    let ship = |door: &str, properties: &std::path::Path| {
        let mut command = platewatch();
        command.args(["ship", "--once", "--topic", name, "--brokers", door, "--properties-file"]).arg(properties);
        command.arg(&log).env("RUST_LOG", "trace");
        command
    };
    let output = ship(broker.door("SECURE"), &properties).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("20000 lines in Kafka"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    assert_eq!(topic::count(broker, name), count as i64);

    let mut appliance =
        Appliance::consuming(dir.path(), broker.door("SECURE"), name, &guarded.login("alice", PASSWORD));
    appliance.start();
    appliance.wait_for_lines(count as u64);
    let kafka = &appliance.status()["source"]["kafka"];
    assert!(kafka["connected"] == true && kafka["last_error"].is_null(), "{kafka}");
    let shown = [appliance.status().to_string(), appliance.text("/metrics").unwrap(), appliance.log()].concat();
    assert!(!shown.contains(PASSWORD));
    appliance.stop();
    for entry in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        let configured = ["platewatch.toml", "client.properties"].iter().any(|name| entry.file_name() == *name);
        if !configured && entry.file_type().unwrap().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "{:?}", entry.path());
        }
    }
}

#[test]
fn a_login_that_is_refused_is_told_and_tried_again() {
    let guarded = Guarded::shared();
    let broker = &guarded.broker;
    let dir = tempfile::tempdir().unwrap();
    let name = "refused";
    broker.create_topic(name, 1);
    let secret = "wrong-sesame-1234";
    let login = guarded.login("alice", secret);
    let mut appliance = Appliance::consuming(dir.path(), broker.door("SECURE"), name, &login);
    appliance.start();
    wait_until(LONG, "the status tells why", || {
        let source = appliance.status()["source"].clone();
        source["state"] == "away" && source["kafka"]["last_error"].to_string().contains("invalid credentials")
    });
    let status = appliance.status();
    assert!(status["ready"] == true, "{status}");
    let log = appliance.log();
    assert!(log.contains("invalid credentials with SASL mechanism SCRAM-SHA-512"), "{log}");
    let shown = [status.to_string(), appliance.text("/metrics").unwrap(), log].concat();
    assert!(!shown.contains(secret) && !shown.contains(PASSWORD), "{shown}");

    // With the right password it goes on.
    appliance.stop();
    let config = dir.path().join("platewatch.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(secret, PASSWORD)).unwrap();
    topic::produce(broker, name, [(None, Some(&b"not a passage"[..]))]);
    appliance.start();
    appliance.wait_for_lines(1);
}
