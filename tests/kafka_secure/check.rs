//! `check-config --connect`: every kind of problem is reported in words, with what to change.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::guarded::{Guarded, PASSWORD};
use crate::harness::{platewatch, wait_until};
use crate::kafka::topic;
use crate::servers::free_port;

const LONG: Duration = Duration::from_secs(90);

/// What the program says about a configuration, and its exit code.
fn check(brokers: &str, kafka: &str, properties: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("platewatch.toml");
    let text = format!(
        "data_dir = {:?}\n[source]\nkind = \"kafka\"\n[kafka]\nbrokers = \"{brokers}\"\n{kafka}\n[kafka.properties]\n{properties}\n",
        dir.path().join("data")
    );
    std::fs::write(&file, text).unwrap();
    let output = platewatch().args(["check-config", "--connect"]).arg(&file).env("RUST_LOG", "trace").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let logged = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains(PASSWORD) && !logged.contains(PASSWORD), "{said}{logged}");
    assert!(!dir.path().join("data").exists(), "checking made a data directory");
    (output.status.code(), said)
}

/// There is exactly one problem, and its text has all of `parts`.
fn problem(brokers: &str, kafka: &str, properties: &str, parts: &[&str]) {
    let (code, said) = check(brokers, kafka, properties);
    assert_eq!(code, Some(1), "{brokers} {properties}: {said}");
    assert_eq!(said.matches("kafka: problem: ").count(), 1, "{said}");
    assert!(!said.contains("kafka: ok"), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing for {brokers} {properties}: {said}");
    }
}

fn sound(brokers: &str, kafka: &str, properties: &str, part: &str) {
    let (code, said) = check(brokers, kafka, properties);
    assert!(code == Some(0) && said.contains("kafka: ok: ") && said.contains(part), "{code:?} {said}");
}

#[test]
fn what_is_sound_is_told_for_every_way_in() {
    let guarded = Guarded::shared();
    let broker = &guarded.broker;
    broker.create_topic("sound", 3);
    let topic = "topic = \"sound\"\ngroup = \"sound\"";
    sound(
        broker.bootstrap(),
        topic,
        "",
        "as PLAINTEXT; brokers: 1; topic sound, partitions: 3; group sound can be used",
    );
    let trusted = format!("\"ssl.ca.location\" = {:?}\n", guarded.authority());
    sound(broker.door("TLS"), topic, &format!("security.protocol = \"SSL\"\n{trusted}"), "as SSL;");
    let plain = format!(
        "security.protocol = \"SASL_PLAINTEXT\"\nsasl.mechanism = \"PLAIN\"\nsasl.username = \"alice\"\nsasl.password = \"{PASSWORD}\"\n"
    );
    sound(broker.door("LOGIN"), topic, &plain, "as SASL_PLAINTEXT (PLAIN);");
    sound(broker.door("SECURE"), topic, &guarded.login("alice", PASSWORD), "as SASL_SSL (SCRAM-SHA-512);");
    // Nothing was changed: the group has no member and no offset.
    assert_eq!(topic::members(broker, "sound"), 0);
    let group: BaseConsumer = broker.client_config().set("group.id", "sound").create().unwrap();
    let mut asked = rdkafka::TopicPartitionList::new();
    asked.add_partition_range("sound", 0, 2);
    let told = group.committed_offsets(asked, Duration::from_secs(20)).unwrap();
    assert!(told.elements().iter().all(|it| it.offset() == rdkafka::Offset::Invalid), "{told:?}");
}

#[test]
fn what_cannot_be_reached_is_told() {
    let closed = format!("127.0.0.1:{}", free_port());
    problem(&closed, "", "", &[&closed, "the connection is refused: nothing listens there"]);
    problem("no-such-broker.invalid:9092", "", "", &["no-such-broker.invalid:9092", "cannot resolve the name"]);

    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = http.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in http.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    problem(&address, "", "", &["is not Kafka (it said \"HTTP/1.1 400 Bad Request", "check the port"]);
    problem(Guarded::shared().broker.controller(), "", "", &["KRaft controller", "name a broker's listener"]);
}

#[test]
fn a_protocol_that_does_not_fit_is_told() {
    let broker = &Guarded::shared().broker;
    let set = |protocol: &str| format!("security.protocol = \"{protocol}\"\n");
    let scram = "sasl.mechanism = \"SCRAM-SHA-512\"\nsasl.username = \"alice\"\nsasl.password = \"x\"\n";
    problem(broker.door("TLS"), "", "", &["speaks TLS, and security.protocol is PLAINTEXT"]);
    problem(broker.door("SECURE"), "", "", &["speaks TLS", "\"SASL_SSL\""]);
    problem(broker.bootstrap(), "", &set("SSL"), &["neither TLS nor a login", "\"PLAINTEXT\""]);
    problem(broker.door("LOGIN"), "", "", &["wants a login", "offers PLAIN", "\"SASL_PLAINTEXT\""]);
    let wrong = set("SASL_PLAINTEXT") + scram;
    problem(broker.door("LOGIN"), "", &wrong, &["no login by SCRAM-SHA-512", "to one of PLAIN"]);
    problem(broker.bootstrap(), "", &wrong, &["neither TLS nor a login"]);
    // Within TLS only the broker itself can report it.
    let trusted = format!("\"ssl.ca.location\" = {:?}\n", Guarded::shared().authority());
    problem(broker.door("SECURE"), "", &(set("SSL") + &trusted), &["SASL_SSL"]);
    problem(broker.door("TLS"), "", &(set("SASL_SSL") + scram + &trusted), &["takes no login", "\"SSL\""]);
}

#[test]
fn a_login_or_a_certificate_that_fails_is_told() {
    let guarded = Guarded::shared();
    let broker = &guarded.broker;
    let refused = ["refuses the login", "\"sasl.password\""];
    problem(broker.door("SECURE"), "", &guarded.login("alice", "guessed"), &refused);
    problem(broker.door("SECURE"), "", &guarded.login("nobody", PASSWORD), &refused);
    let other = guarded.authority().with_file_name("other.pem");
    let distrusting = format!("security.protocol = \"SSL\"\n\"ssl.ca.location\" = {other:?}\n");
    problem(broker.door("TLS"), "", &distrusting, &["certificate is not trusted", "\"ssl.ca.location\""]);
    problem(broker.door("TLS"), "", "security.protocol = \"SSL\"\n", &["certificate is not trusted"]);
    let trusting = format!("security.protocol = \"SSL\"\n\"ssl.ca.location\" = {:?}\n", guarded.authority());
    problem(broker.door("MISNAMED"), "", &trusting, &["certificate is for another name"]);

    for (properties, part) in [
        ("no.such.property = \"hush\"\n", "no.such.property"),
        ("security.protocol = \"SSL\"\nssl.ca.location = \"/nowhere.pem\"\n", "ssl.ca.location"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("platewatch.toml");
        let text = format!("[source]\nkind = \"kafka\"\n[kafka.properties]\n{properties}");
        std::fs::write(&file, text).unwrap();
        let mut command = platewatch();
        let output = command.args(["check-config", "--connect"]).arg(&file).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(part) && !said.contains("hush"), "{said}");
    }
}

#[test]
fn an_advertised_address_that_leads_nowhere_is_told_with_the_setting() {
    let guarded = Guarded::shared();
    let broker = &guarded.broker;
    broker.create_topic("trap", 1);
    let topic = "topic = \"trap\"\ngroup = \"trap\"";
    let lost = broker.door("LOST");
    let advertised = format!("go on to localhost:{} (its advertised address)", guarded.closed_port);
    let advice = format!("such as PLAINTEXT://{lost}");
    let parts = [&advertised[..], "always the machine that asks", "refused", "change advertised.listeners", &advice];
    problem(lost, topic, "", &parts);
    // Another cluster answers on the advertised port.
    let advertised = format!("go on to {}", guarded.stranger.bootstrap());
    let parts = [&advertised[..], "listens there is another cluster", "change advertised.listeners"];
    problem(broker.door("STRANGER"), topic, "", &parts);
    let parts = ["go on to kafka-1.invalid:9092", "cannot resolve the name", "change advertised.listeners"];
    problem(broker.door("NAMELESS"), topic, "", &parts);
}

#[test]
fn a_missing_topic_and_missing_rights_are_told() {
    let guarded = Guarded::shared();
    let broker = &guarded.broker;
    broker.create_topic("rights", 2);
    let missing = ["there is no topic nowhere: create it", "kafka.topic"];
    problem(broker.bootstrap(), "topic = \"nowhere\"", "", &missing);
    let check = |user: &str, parts: &[&str]| {
        let topic = "topic = \"rights\"\ngroup = \"rights\"";
        problem(broker.door("SECURE"), topic, &guarded.login(user, PASSWORD), parts);
    };
    check("bob", &["may not use the topic rights: grant Describe and Read"]);
    check("carol", &["may not use the group rights: grant Read"]);
    check("dora", &["may not use the topic rights: grant Read"]);
}

#[test]
fn a_group_that_others_use_otherwise_is_told() {
    let broker = &Guarded::shared().broker;
    broker.create_topic("taken", 1);
    let mut config = broker.client_config();
    config.set("group.id", "taken").set("partition.assignment.strategy", "range");
    let other: BaseConsumer = config.create().unwrap();
    other.subscribe(&["taken"]).unwrap();
    wait_until(LONG, "the other is a member", || {
        let _ = other.poll(Duration::from_millis(50));
        other.assignment().unwrap().count() == 1
    });
    let parts = ["the group taken has members that share partitions out by range", "a kafka.group of its own"];
    problem(broker.bootstrap(), "topic = \"taken\"\ngroup = \"taken\"", "", &parts);
}

#[test]
fn a_configuration_without_kafka_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("platewatch.toml");
    std::fs::write(&file, "[source]\nkind = \"simulator\"\n").unwrap();
    let mut command = platewatch();
    let output = command.args(["check-config", "--connect"]).arg(&file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("kafka: ok: nothing to connect to"), "{said}");
}
