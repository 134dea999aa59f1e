//! The configuration as a user sees it: what loads, what is refused and with which message.

use std::path::PathBuf;
use std::time::Duration;

use expect_test::expect_file;
use traffic::{Delimiter, PlateScope};

use super::*;

fn load(text: &str) -> Result<Config, ConfigError> {
    Config::from_toml(text, [])
}

fn with_variable(name: &str, value: &str) -> Result<Config, ConfigError> {
    Config::from_toml("", [(name.to_owned(), value.to_owned())])
}

/// The text is refused, and the message holds every one of `parts`.
fn refused(text: &str, parts: &[&str]) {
    let message = load(text).expect_err(text).to_string();
    for part in parts {
        assert!(message.contains(part), "{text}\nis refused without {part:?}:\n{message}");
    }
}

#[test]
fn an_empty_file_gives_the_contract_defaults() {
    let config = load("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.role, Role::All);
    assert_eq!(config.source.kind, SourceKind::None);
    assert_eq!(config.source.timezone.as_str(), "Asia/Shanghai");
    assert_eq!(config.detect.window, Duration::from_secs(300));
    assert_eq!(config.detect.state_ttl, Duration::from_secs(600));
    assert_eq!(config.detect.speed_window(), Duration::from_secs(300));
    assert_eq!(config.store.retention.duration(), Some(Duration::from_secs(259_200)));
    assert_eq!(config.api.listen.to_string(), "127.0.0.1:5000");
    assert_eq!(config.api.cors_origins, ["*"]);
}

#[test]
fn every_kind_of_value_is_read() {
    let text = r#"
        role = "all"
        data_dir = "/var/lib/platewatch"
        [source]
        kind = "capture"
        files = ["a.log", "b.log.gz"]
        order = "time"
        encoding = "gb18030"
        delimiter = "comma"
        columns = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH", "SFZRKMC"]
        shard_key = "SFZRKMC"
        rate = 1000
        [detect]
        window = "2m"
        state_ttl = "1h"
        speed_window = "30m"
        plates = "any"
        [store]
        retention = "forever"
        memory = "1GiB"
        sync = "off"
        [api]
        listen = "[::1]:80"
        cors_origins = ["https://example.org:8443"]
        [predict]
        model_dir = "/var/lib/platewatch/model"
        kind = "spark-linear"
        train = "off"
        retrain_every = "1d"
        interval = 0.9
        holidays = ["2024.csv"]
    "#;
    let config = load(text).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/platewatch"));
    assert_eq!(config.source.files, [PathBuf::from("a.log"), PathBuf::from("b.log.gz")]);
    assert_eq!(config.source.encoding, TextEncoding::Gb18030);
    assert_eq!(config.source.rate, 1000.0);
    assert_eq!(config.source.layout().unwrap().shard_key(), &traffic::ShardKey::Extra("SFZRKMC".to_owned()));
    assert_eq!(config.source.delimiter.fixed(), Some(Delimiter::Comma));
    assert_eq!(config.detect.speed_window(), Duration::from_secs(1800));
    assert_eq!(config.store.retention, Retention::Forever);
    assert_eq!(config.store.memory.bytes(), 1 << 30);
    assert_eq!(config.store.sync, Sync::Off);
    assert_eq!(config.predict.kind, ServedModel::SparkLinear);
    assert_eq!(config.predict.train, TrainFrom::Off);
    assert_eq!((config.predict.interval, config.predict.min_hours), (0.9, 12));
    assert_eq!(config.predict.holidays, [PathBuf::from("2024.csv")]);
    let detector = config.detect.detector_settings();
    assert_eq!((detector.window, detector.state_ttl, detector.speed_window), (120, 3600, 1800));
    assert_eq!(detector.plates, PlateScope::Any);
}

#[test]
fn a_problem_names_its_setting_and_line_and_what_to_write() {
    refused("\n[detect]\nwindow = \"5 minutes\"\n", &["line 3: detect.window: ", "write a duration", "\"5m\""]);
    refused("[detect]\nwindow = 300\n", &["line 2: detect.window: ", "the number 300", "write a duration"]);
    refused("[detect]\nwindow = \"1500ms\"\n", &["detect.window", "whole number of seconds"]);
    refused("[detect]\nmax_speed_kmh = -1\n", &["detect.max_speed_kmh", "-1.0 is out of range; write 1.0 to 2000.0"]);
    refused(
        "[store]\nmemory = \"1MiB\"\n",
        &["line 2: store.memory: \"1MiB\" is out of range; write \"32MiB\" to \"64TiB\""],
    );
    refused("[store]\nmax_names = -5\n", &["store.max_names", "-5"]);
    refused("[store]\nretention = \"1s\"\n", &["store.retention: \"1s\" is out of range; write \"1h\""]);
    refused("[api]\nlisten = \"5000\"\n", &["line 2: api.listen", "IP address and a port"]);
    refused("[api]\ncors_origins = \"*\"\n", &["api.cors_origins", "list in brackets"]);
    refused("[api]\ncors_origins = [\"example.org\"]\n", &["\"example.org\" is not an origin", "https://"]);
    refused(
        "[api]\ntls_certificate = \"a.pem\"\n",
        &["line 2: api.tls_certificate", "api.tls_key is not: HTTPS needs both"],
    );
    refused("[api]\ntls_key = \"a.key\"\n", &["line 2: api.tls_key", "api.tls_certificate is not"]);
    refused("[api]\nmetrics_listen = \"127.0.0.1:5000\"\n", &["line 2: api.metrics_listen", "write another port"]);
    refused("[api]\nclient_burst = 0\n", &["line 2: api.client_burst: 0 is out of range"]);
    refused("[source]\ntimezone = \"Asia/Xuzhou\"\n", &["line 2: source.timezone", "use Asia/Shanghai or UTC"]);
    refused("[source]\nkind = \"simulater\"\n", &["source.kind", "did you mean \"simulator\"?"]);
    refused("data_dir = \"\"\n", &["line 1: data_dir: the path is empty"]);
    refused("detect = 5\n", &["line 1: detect: this is a section; write [detect]"]);
}

#[test]
fn single_sign_on_is_set_up_whole_or_not_at_all() {
    let whole = "[oidc]\nissuer = \"https://login.example.org\"\nclient_id = \"watch\"\n\
                 redirect_url = \"https://watch.example.org/api/session/oidc/callback\"\nroles = [\"desk=operator\"]\n";
    assert!(load(whole).unwrap().oidc.is_on());
    for (left_out, line) in [("client_id", 1), ("redirect_url", 2), ("roles", 3)] {
        let lines = whole.lines().filter(|text| !text.starts_with(left_out));
        let text: String = lines.map(|text| format!("{text}\n")).collect();
        refused(&text, &["line 2: oidc.issuer", &format!("oidc.{left_out} is not"), "write "]);
        let alone: String = whole.lines().skip(1 + line).take(1).map(|text| format!("[oidc]\n{text}\n")).collect();
        refused(&alone, &[&format!("line 2: oidc.{left_out}"), "oidc.issuer is not"]);
    }
    refused("[oidc]\nissuer = \"http://login.example.org\"\n", &["line 2: oidc.issuer", "is not encrypted"]);
    refused("[oidc]\nroles = [\"desk=king\"]\n", &["line 2: oidc.roles", "viewer, operator"]);
    refused(&format!("[api]\nopen = true\n{whole}"), &["line 2: api.open", "leave one of them out"]);
}

#[test]
fn the_api_role_needs_its_servers_and_takes_nothing_in() {
    let servers = "role = \"api\"\n[mycat]\nurls = [\"mysql://a/x\"]\n[redis]\nurl = \"redis://b\"\n";
    assert_eq!(load(servers).unwrap().role, Role::Api);
    refused("role = \"api\"\n", &["line 1: role: ", "mycat.urls"]);
    refused("role = \"api\"\n[mycat]\nurls = [\"mysql://a/x\"]\n", &["line 1: role: ", "redis.url"]);
    let with_source = format!("{servers}[source]\nkind = \"kafka\"\n");
    refused(&with_source, &["source.kind", "role = \"ingest\""]);
    assert_eq!(load("role = \"ingest\"\n").unwrap().role, Role::Ingest);
    refused("role = \"both\"\n", &["line 1: role", "\"all\", \"ingest\" or \"api\""]);
}

#[test]
fn unknown_settings_are_refused_with_the_likeliest_one() {
    refused("[store]\nretension = \"3d\"\n", &["line 2: store.retension: ", "did you mean store.retention?"]);
    refused("window = \"5m\"\n", &["line 1: window: ", "did you mean detect.window?"]);
    refused("[api]\nmemory = \"1GiB\"\n", &["line 2: api.memory: ", "did you mean store.memory?"]);
    refused("[detct]\nwindow = \"5m\"\n", &["line 1: detct: there is no such section; did you mean [detect]?"]);
    refused(
        "[colours]\n",
        &["line 1: colours: there is no such section; the sections are [source], [kafka], [mqtt], [viid], [detect]"],
    );
    refused("colour = 1\n", &["line 1: colour: ", "`platewatch print-config`"]);
    refused("[predict]\nmodel = 1\n", &["line 2: predict.model: ", "there is no such setting"]);
    refused("[predict]\nkind = \"spark\"\n", &["line 2: predict.kind: ", "\"seasonal\" or \"spark-linear\""]);
    refused("[predict]\ninterval = 1.0\n", &["line 2: predict.interval: 1.0 is out of range; write 0.5 to 0.99"]);
}

#[test]
fn text_that_is_not_toml_is_refused_by_line() {
    refused("role = \"all\"\nthis is not toml\n", &["line 2: this is not TOML"]);
    refused("role = \"all\"\nrole = \"all\"\n", &["line 2: this is not TOML: duplicate key"]);
    refused("[store]\nsync = \"off\n", &["line 2: "]);
}

#[test]
fn all_problems_are_told_at_once() {
    let message = load("role = 1\n[store]\nsync = \"never\"\nmemory = 5\n").unwrap_err().to_string();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 3, "{message}");
    for (line, start) in lines.iter().zip(["line 1: role: ", "line 3: store.sync: ", "line 4: store.memory: "]) {
        assert!(line.starts_with(start), "{message}");
    }
}

#[test]
fn kafka_properties_pass_through_but_for_those_that_keep_the_count() {
    let config = load(
        "[kafka]\nbrokers = \"a:9092, b:9093\"\nstart = \"latest\"\n[kafka.properties]\n\"security.protocol\" = \"SASL_SSL\"\n\
         sasl.mechanism = \"PLAIN\"\nsocket.keepalive.enable = true\nsession.timeout.ms = 6000\n",
    )
    .unwrap();
    assert_eq!(config.kafka.start, KafkaStart::Latest);
    let pairs: Vec<_> = config.kafka.properties.iter().collect();
    let expected = [
        ("sasl.mechanism", "PLAIN"),
        ("security.protocol", "SASL_SSL"),
        ("session.timeout.ms", "6000"),
        ("socket.keepalive.enable", "true"),
    ];
    assert_eq!(pairs, expected);
    let variable = "{ \"sasl.password\" = \"gorse-hill\" }";
    let config = with_variable("PLATEWATCH__KAFKA__PROPERTIES", variable).unwrap();
    assert_eq!(config.kafka.properties.iter().next(), Some(("sasl.password", "gorse-hill")));
    assert!(!format!("{config:?}").contains("gorse"), "a secret must not be in any log");
    assert_eq!(load(&config.to_toml_with_docs()).unwrap(), config);

    refused("[kafka.properties]\nenable.auto.commit = true\n", &["kafka.properties", "enable.auto.commit", "always"]);
    refused("[kafka.properties]\ngroup.id = \"x\"\n", &["group.id", "write kafka.group instead"]);
    refused("[kafka.properties]\nlinger.ms = [1]\n", &["linger.ms", "text, a number, true or false"]);
    refused("[kafka]\nproperties = \"secret\"\n", &["line 2: kafka.properties", "[kafka.properties]"]);
    refused("[kafka]\nbrokers = \"b\"\n", &["line 2: kafka.brokers", "\"b\" has no port", "b:9092"]);
    refused("[kafka]\ntopic = \"a b\"\n", &["line 2: kafka.topic", "letters, digits"]);
    refused("[kafka]\ngroup = \"\"\n", &["line 2: kafka.group", "empty"]);
}

#[test]
fn mirrors_are_named_by_url_and_their_secrets_are_not_shown() {
    let config = load(
        "[mycat]\nurls = [\"mysql://pw:g%40rse@db-app:3306/traffic_db\", \"mysql://[::1]:3307/traffic_db\"]\nuser = \"platewatch\"\n\
         password = \"hidden\"\ntls = \"verify\"\ntls_ca = \"/etc/ca.pem\"\n[redis]\nurl = \"rediss://db-app/2\"\npassword = \"hidden\"\n[oidc]\nclient_secret = \"hidden\"\n",
    )
    .unwrap();
    let [first, second] = &config.mycat.urls[..] else { panic!("two") };
    assert_eq!((first.host(), first.port(), first.path()), ("db-app", 3306, "traffic_db"));
    assert_eq!((first.user(), first.password().unwrap().expose()), (Some("pw"), "g@rse"));
    assert_eq!(
        (second.host(), second.user(), second.to_string().as_str()),
        ("::1", None, "mysql://[::1]:3307/traffic_db")
    );
    assert_eq!(first.to_string(), "mysql://db-app:3306/traffic_db");
    let redis = config.redis.url.as_ref().unwrap();
    assert_eq!((redis.scheme(), redis.port(), redis.path()), ("rediss", 6379, "2"));
    assert_eq!(config.redis.tls_ca, None);
    let shown = format!("{config:?}");
    for secret in ["hidden", "g@rse", "g%40rse"] {
        assert!(!shown.contains(secret), "a secret must not be in any log: {shown}");
    }
    assert_eq!(load(&config.to_toml_with_docs()).unwrap(), config);
    let config = with_variable("PLATEWATCH__MYCAT__PASSWORD", "12345").unwrap();
    assert_eq!(config.mycat.password.expose(), "12345");
    let config = with_variable("PLATEWATCH__MYCAT__URLS", "mysql://a/x,mysql://b/x").unwrap();
    assert_eq!(config.mycat.urls.len(), 2);

    for (text, parts) in [
        ("[mycat]\nurls = [\"postgres://u:topsecret@a/x\"]\n", ["line 2: mycat.urls", "mysql://"]),
        ("[mycat]\nurls = [\"mysql://u:topsecret@a\"]\n", ["mycat.urls", "names no database"]),
        ("[mycat]\nurls = [\"mysql://u:topsecret@a:x/y\"]\n", ["mycat.urls", "port"]),
        (
            "[mycat]\nurls = [\"mysql://u:topsecret@a/x\", \"mysql://b/x\", \"mysql://c/x\"]\n",
            ["mycat.urls", "one URL of MyCat"],
        ),
        ("[mycat]\nurls = [\"mysql://a/x\", \"mysql://a:3306/x\"]\n", ["mycat.urls", "the same"]),
        ("[mycat]\nurls = \"mysql://u:topsecret@a/x\"\n", ["mycat.urls", "list in brackets"]),
        ("[mycat]\npassword = 31415\n", ["mycat.password", "text in quotes"]),
        ("[redis]\nurl = \"http://u:topsecret@a\"\n", ["redis.url", "redis://"]),
        ("[redis]\nurl = \"redis://u:topsecret@a/first\"\n", ["redis.url", "number"]),
        ("[redis]\nmax_length = 0\n", ["redis.max_length", "1_000_000"]),
        (
            "[source]\ncolumns = [\"GCXH\", \"XZQHMC\", \"KKMC\", \"FXLX\", \"GCSJ\", \"HPZL\", \"HPHM\", \"CLPPXH\", \"SFZRKMC\"]\n\
          shard_key = \"SFZRKMC\"\n[mycat]\nurls = [\"mysql://a/x\"]\n",
            ["source.shard_key", "MyCat cannot route by SFZRKMC"],
        ),
    ] {
        refused(text, &parts);
        let message = load(text).unwrap_err().to_string();
        assert!(!message.contains("topsecret") && !message.contains("31415"), "{message}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    refused("[detect]\nwindow = \"11m\"\n", &["line 2: detect.window: ", "longer than detect.state_ttl (10m)"]);
    refused("[detect]\nstate_ttl = \"1m\"\n", &["line 2: detect.state_ttl: ", "detect.window (5m)"]);
    refused("[detect]\nspeed_window = \"1h\"\n", &["line 2: detect.speed_window: ", "state_ttl of at least 1h"]);
    refused("[source]\nshard_key = \"HPHM\"\n", &["line 2: source.shard_key: ", "HPHM cannot be the shard key"]);
    refused("[redis]\nkey = \"traffic:cases\"\n", &["line 2: redis.key: ", "need a list each"]);
    refused("[source]\nsites = 1\n", &["line 2: source.sites: 1 is out of range; write 2 to 10_000"]);
    refused("[source]\nkind = \"capture\"\n", &["line 2: source.kind: ", "files = ["]);
    refused("[source]\nshard_key = \"SFZRKMC\"\n", &["line 2: source.shard_key: ", "SFZRKMC is not among the columns"]);
    refused("[source]\ncolumns = [\"GCXH\", \"KKMC\"]\n", &["line 2: source.columns: ", "lack XZQHMC, FXLX, GCSJ"]);
    assert!(load("[detect]\nwindow = \"10m\"\n").is_ok(), "window may equal state_ttl");
}

#[test]
fn the_environment_overrides_and_is_checked_alike() {
    let config = Config::from_toml(
        "[store]\nretention = \"1d\"\nmemory = \"64MiB\"\n",
        [
            ("PLATEWATCH__STORE__RETENTION", "7d"),
            ("PLATEWATCH__DATA_DIR", "/srv/plates"),
            ("PLATEWATCH__DETECT__MAX_SPEED_KMH", "140.5"),
            ("PLATEWATCH__SOURCE__SEED", "7"),
            ("PLATEWATCH__SOURCE__FILES", "a.log,b.log"),
            ("PLATEWATCH__API__CORS_ORIGINS", "[\"http://a\", \"http://b\"]"),
            ("PLATEWATCH_LOG", "debug"),
            ("HOME", "/root"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    )
    .unwrap();
    assert_eq!(config.store.retention.to_string(), "7d");
    assert_eq!(config.store.memory, ByteSize::mib(64));
    assert_eq!(config.data_dir, PathBuf::from("/srv/plates"));
    assert_eq!(config.detect.max_speed_kmh, 140.5);
    assert_eq!(config.source.seed, 7);
    assert_eq!(config.source.files.len(), 2);
    assert_eq!(config.api.cors_origins, ["http://a", "http://b"]);

    let message = with_variable("PLATEWATCH__DETECT__WINDOW", "soon").unwrap_err().to_string();
    assert!(
        message.starts_with("environment variable PLATEWATCH__DETECT__WINDOW: detect.window: \"soon\""),
        "{message}"
    );
    let message = with_variable("PLATEWATCH__STORE__MAX_NAMES", "many").unwrap_err().to_string();
    assert!(message.contains("\"many\" does not fit here; write a whole number"), "{message}");
    let message = with_variable("PLATEWATCH__STORE__MEMROY", "1GiB").unwrap_err().to_string();
    assert!(message.contains("did you mean PLATEWATCH__STORE__MEMORY?"), "{message}");
    let message = with_variable("PLATEWATCH__DETECT__WINDOW", "1h").unwrap_err().to_string();
    assert!(
        message.contains("environment variable PLATEWATCH__DETECT__WINDOW") && message.contains("state_ttl"),
        "{message}"
    );
}

#[test]
fn a_file_is_named_in_its_problems() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("platewatch.toml");
    let message = Config::load(&path).unwrap_err().to_string();
    assert!(message.contains("cannot read the configuration file") && message.contains("platewatch.toml"), "{message}");
    std::fs::write(&path, "\u{feff}role = \"all\"\r\n[api]\r\nlisten = 1\r\n").unwrap();
    let message = Config::load(&path).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}, line 3: api.listen: ", path.display())), "{message}");
    std::fs::write(&path, b"\xff\xfe").unwrap();
    assert!(Config::load(&path).unwrap_err().to_string().contains("UTF-8"));
    std::fs::write(&path, "").unwrap();
    assert_eq!(Config::load(&path).unwrap(), Config::default());
}

#[test]
fn the_printed_configuration_loads_back() {
    let printed = Config::default().to_toml_with_docs();
    assert_eq!(load(&printed).unwrap(), Config::default(), "{printed}");
    let changed =
        load("[store]\nmemory = \"77MiB\"\n[detect]\nspeed_window = \"7m\"\n[source]\nfiles = [\"a \\\"b\\\".log\"]\n")
            .unwrap();
    assert_eq!(load(&changed.to_toml_with_docs()).unwrap(), changed);
}

/// `scripts/generate` writes the file instead.
#[test]
fn the_committed_reference_is_current() {
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")].assert_eq(&reference_markdown());
}
