//! Messages of a real broker of MQTT: each is stored once, whatever is killed in between, and what cannot be read is kept.

use serde_json::json;

use crate::harness::{Appliance, LONG, PATIENCE, Replay, folder, simulated, wait_until};
use crate::servers::mosquitto::{Mosquitto, Options};

fn configure(appliance: &Appliance, broker: &Mosquitto, more: &str) {
    let (data, url) = (appliance.data(), broker.url());
    let settings = format!(
        "data_dir = {data:?}\n[source]\nkind = \"http\"\n[store]\nretention = \"forever\"\n[predict]\ntrain = \"off\"\n\
         [mqtt]\nurl = {url:?}\nretry_max = \"100ms\"\n{more}"
    );
    appliance.configure(&settings, "");
}

fn connections(appliance: &Appliance) -> usize {
    appliance.log().matches("connected to the broker of MQTT").count()
}

fn accepted(appliance: &Appliance) -> u64 {
    appliance.status()["pipeline"]["accepted"].as_u64().unwrap()
}

#[test]
fn messages_are_stored_once_whatever_is_killed() {
    let folder = folder();
    let capture = String::from_utf8(simulated(3_000, 97, &["--clean"])).unwrap();
    let file = folder.path().join("capture.tsv");
    std::fs::write(&file, &capture).unwrap();
    let results = Replay::new(&file, &folder.path().join("out")).results();
    let all: Vec<&str> = capture.split_inclusive('\n').collect();
    let third = |part: usize| all[all.len() * part / 3..all.len() * (part + 1) / 3].concat();
    let topic = "gates/1/passages";

    let mut broker = Mosquitto::start_with(Options::default());
    let mut appliance = Appliance::new(folder.path());
    configure(&appliance, &broker, "topics = [\"gates/+/passages\"]\nformat = \"lines\"\n");
    appliance.start();
    wait_until(PATIENCE, "it is connected", || connections(&appliance) == 1);
    broker.publish(topic, &third(0), &[]);
    wait_until(PATIENCE, "the first come", || accepted(&appliance) > 0);
    // Some are stored and some are not; none of those that come now.
    appliance.kill();
    broker.publish(topic, &third(1), &[]);
    broker.stop();
    broker.start_again();
    appliance.start();
    wait_until(PATIENCE, "it goes on", || accepted(&appliance) > 1_000);
    broker.stop();
    let config = appliance.config();
    let said = crate::harness::run(["check-config".as_ref(), config.as_os_str(), "--connect".as_ref()]);
    assert!(said.code == Some(1) && said.stdout.contains("that the broker listens on it"), "{said:?}");
    broker.start_again();
    broker.publish(topic, &third(2), &[]);
    wait_until(LONG, "all have come", || accepted(&appliance) == results.summary["accepted"]);
    let status = appliance.status();
    assert_eq!(status["pipeline"]["rejected"]["total"], 0);
    assert_eq!(status["pipeline"]["alerts"], results.summary["alerts"]);
    // All is acknowledged: nothing comes again.
    appliance.stop();
    appliance.start();
    wait_until(PATIENCE, "it is connected", || connections(&appliance) > 0);
    broker.publish(topic, "no record\n", &[]);
    wait_until(PATIENCE, "the last comes", || appliance.status()["pipeline"]["rejected"]["total"] == 1);
    assert_eq!(accepted(&appliance), results.summary["accepted"]);
    assert_eq!(appliance.status()["pipeline"]["duplicates"], status["pipeline"]["duplicates"]);
}

#[test]
fn events_come_through_login_and_tls_and_what_is_none_is_kept() {
    let folder = folder();
    let login = Some(("gate".to_owned(), "hush-hush".to_owned()));
    let broker = Mosquitto::start_with(Options { login, tls: true });
    let mut appliance = Appliance::new(folder.path());
    let authority = broker.authority().to_owned();
    let with =
        |more: &str| format!("tls_ca = {authority:?}\ntopics = [\"frigate/events\"]\nformat = \"frigate\"\n{more}");
    configure(&appliance, &broker, &with(""));
    let wrong = std::fs::read_to_string(appliance.config()).unwrap().replace("hush-hush", "another");
    std::fs::write(appliance.config(), wrong).unwrap();
    appliance.start();
    wait_until(PATIENCE, "the login is refused", || appliance.log().contains("check mqtt.user and mqtt.password"));
    let feed = |appliance: &Appliance| appliance.status()["source"]["feeds"][0].clone();
    wait_until(PATIENCE, "it is shown", || feed(&appliance)["last_error"].is_string());
    let refused = feed(&appliance);
    assert!(refused["last_error"].as_str().unwrap().contains("check mqtt.user"), "{refused}");
    assert_eq!(refused["last_error_notice"]["code"], "mqtt_login");
    assert!(refused["connected"] == false && refused["away_since"].is_string(), "{refused}");
    assert!(!refused.to_string().contains("another"), "{refused}");
    let check = |appliance: &Appliance| {
        let config = appliance.config();
        crate::harness::run(["check-config".as_ref(), config.as_os_str(), "--connect".as_ref()])
    };
    let said = check(&appliance);
    assert!(said.code == Some(1) && said.stdout.contains("check mqtt.user and mqtt.password"), "{said:?}");
    assert!(!appliance.log().contains("another"), "{}", appliance.log());
    appliance.stop();

    let event = |id: &str, kind: &str| {
        let vehicle = json!({"id": id, "camera": "gate-1", "label": "car", "start_time": 1_704_038_424.5,
            "recognized_license_plate": ["苏C12345", 0.9]});
        format!("{}\n", json!({"type": kind, "before": vehicle, "after": vehicle}))
    };
    broker.publish("frigate/events", &event("retained", "end"), &["-r"]);
    configure(&appliance, &broker, &with(""));
    appliance.start();
    wait_until(PATIENCE, "it is connected", || connections(&appliance) > 0);
    let messages = [event("a", "new"), event("a", "end"), "online\n".to_owned(), event("b", "end"), event("b", "end")];
    wait_until(PATIENCE, "it is shown", || feed(&appliance)["connected"] == true);
    let said = check(&appliance);
    assert!(
        said.code == Some(0) && said.stdout.contains("mqtt: ok") && said.stdout.contains("frigate/events"),
        "{said:?}"
    );
    let connected = feed(&appliance);
    assert_eq!(
        json!([connected["name"], connected["away_since"], connected["last_error"]]),
        json!(["MQTT", null, null])
    );
    broker.publish("frigate/events", &messages.concat(), &[]);
    wait_until(PATIENCE, "all have come", || appliance.status()["pipeline"]["lines"] == 5);
    let pipeline = appliance.status()["pipeline"].clone();
    let counts = ["accepted", "duplicates", "blank"].map(|name| pipeline[name].clone());
    assert_eq!(json!(counts), json!([2, 1, 1]), "{pipeline}");
    let found = appliance.post("/api/query", &json!({"kkmc": "gate-1", "order": "oldest"}));
    let record = &found.data()["records"][0];
    assert_eq!((&record["GCSJ"], &record["HPHM"]), (&json!("2024-01-01 00:00:24"), &json!("苏C12345")), "{record}");
    let rejects = appliance.get("/api/rejects").unwrap();
    let reject = &rejects["records"][0];
    assert_eq!((&reject["reason"], &reject["text"]), (&json!("invalid_json"), &json!("online")), "{rejects}");
    assert!(reject.to_string().contains("mqtt frigate/events"), "{reject}");
    assert!(appliance.log().contains("a retained message is not taken"), "{}", appliance.log());
}

#[test]
fn settings_that_cannot_work_are_refused_in_words() {
    let folder = folder();
    let refused = |settings: &str| {
        let file = folder.path().join("wrong.toml");
        std::fs::write(&file, settings).unwrap();
        let ended = crate::harness::run(["serve".as_ref(), "--config".as_ref(), file.as_os_str()]);
        assert_eq!(ended.code, Some(2), "{settings}: {ended:?}");
        ended.stderr
    };
    let data = folder.path().join("data");
    let with = |kind: &str, mqtt: &str| {
        refused(&format!(
            "data_dir = {data:?}\n[source]\nkind = {kind:?}\n[api]\nlisten = \"127.0.0.1:0\"\n[mqtt]\n{mqtt}"
        ))
    };
    let broker = "url = \"mqtt://127.0.0.1:1\"\n";
    assert!(with("simulator", &format!("{broker}topics = [\"a\"]")).contains("source.kind = \"http\""));
    assert!(with("http", broker).contains("mqtt.topics"));
    assert!(with("http", &format!("{broker}topics = [\"a/#/b\"]")).contains("frigate/events"));
    assert!(with("http", "url = \"redis://127.0.0.1\"").contains("mqtt://host:1883"));
    let format = with("http", &format!("{broker}topics = [\"a\"]\nformat = \"frigat\""));
    assert!(format.contains("mqtt.format") && format.contains("plate-recognizer"), "{format}");
    let tls = with("http", "url = \"mqtts://127.0.0.1:1\"\ntopics = [\"a\"]\ntls_ca = \"/nowhere.pem\"");
    assert!(tls.contains("mqtt.tls_ca") && tls.contains("/nowhere.pem"), "{tls}");
}
