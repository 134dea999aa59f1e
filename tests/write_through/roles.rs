//! The roles: what `api` does while a server is away, what `ingest` answers, TLS, and that no secret is shown.

use std::time::Duration;

use serde_json::{Value, json};

use super::data::{Data, api_settings};
use crate::harness::{Appliance, LONG, run, wait_until};
use crate::servers::mariadb::{MariaDb, READER_PASSWORD, url};
use crate::servers::proxy::{Mode, Proxy};
use crate::servers::redis::{Options, Redis};

const REDIS_PASSWORD: &str = "r3dis-s3cret";

fn password(text: &str) -> Redis {
    Redis::start_with(Options { password: Some(text.to_owned()), ..Options::default() })
}

/// An alert like any other, with this number.
fn alert(data: &Data, seq: u64) -> String {
    let mut alert: Value = serde_json::from_str(&data.alerts[0]).unwrap();
    alert["seq"] = json!(seq);
    alert["id"] = json!(format!("{seq:016x}"));
    alert["cause"] = json!("plate_types");
    alert.to_string()
}

#[test]
fn while_a_server_is_away_the_api_says_so_and_recovers_by_itself() {
    let data = Data::make(3_000);
    let servers = MariaDb::start_two();
    data.fill_two(&servers);
    let redis = password(REDIS_PASSWORD);
    data.fill_redis(&redis);
    let [first, second, list] = [servers[0].port(), servers[1].port(), redis.port()].map(Proxy::start);
    let urls = [&first, &second].map(|proxy| url("platewatch_reader", READER_PASSWORD, proxy.port()));
    let mut settings = api_settings(&urls, &redis.url_through(list.port()));
    settings = settings
        .replace("[redis]", "connect_timeout = \"1s\"\n[redis]\nconnect_timeout = \"1s\"\nresponse_timeout = \"1s\"");
    // It does not wait for its servers at the start either.
    first.set(Mode::Refuse);
    list.set(Mode::Refuse);
    let appliance = Appliance::serving(&data.folder("api"), &settings);
    let not_ready = appliance.ask("/readyz");
    assert_eq!(not_ready.status, 503, "{not_ready:?}");
    assert_eq!(appliance.ask("/healthz").status, 200);
    first.set(Mode::Pass);
    list.set(Mode::Pass);
    let ready = || wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
    ready();
    let statistics = appliance.ask("/api/stats/kkmc_count").data().clone();
    let warnings = appliance.ask("/api/warnings/realtime").data().clone();

    for mode in [Mode::Refuse, Mode::Stall] {
        second.set(mode);
        wait_until(LONG, "MySQL is missed", || appliance.ask("/readyz").status == 503);
        for answer in [
            appliance.ask("/api/stats/kkmc_count"),
            appliance.ask("/api/stats/hour_count"),
            appliance.ask("/api/overview"),
            appliance.ask("/api/stats/recent"),
            appliance.ask("/api/track?hphm=苏C12345"),
            appliance.post("/api/query", &json!({})),
        ] {
            assert_eq!(answer.status, 503, "{mode:?}: {answer:?}");
            assert!(answer.json["data"].is_null());
            let place = format!("MySQL at mysql://127.0.0.1:{}/traffic_db does not answer", second.port());
            assert!(answer.message().contains(&place), "{answer:?}");
        }
        // The others go on.
        assert_eq!(*appliance.ask("/api/warnings/realtime").data(), warnings);
        let status = appliance.ask("/api/status").data().clone();
        assert_eq!(status["ready"], json!(false));
        let connected: Vec<&Value> =
            status["backends"].as_array().unwrap().iter().map(|backend| &backend["connected"]).collect();
        assert_eq!(connected, [&json!(true), &json!(false), &json!(true)], "{status}");
        assert!(status["backends"][1]["away_since"].is_string() && status["backends"][1]["last_error"].is_string());
        assert!(appliance.text("/metrics").unwrap().contains(&format!(
            "platewatch_backend_connected{{server=\"MySQL\",address=\"mysql://127.0.0.1:{}/traffic_db\"}} 0",
            second.port()
        )));
        second.set(Mode::Pass);
        ready();
        assert_eq!(*appliance.ask("/api/stats/kkmc_count").data(), statistics);

        list.set(mode);
        wait_until(LONG, "Redis is missed", || appliance.ask("/readyz").status == 503);
        for path in ["/api/warnings", "/api/warnings/realtime"] {
            let answer = appliance.ask(path);
            assert_eq!(answer.status, 503, "{mode:?}: {answer:?}");
            assert!(answer.message().contains("Redis at redis://127.0.0.1:"), "{answer:?}");
        }
        assert_eq!(*appliance.ask("/api/stats/kkmc_count").data(), statistics);
        list.set(Mode::Pass);
        ready();
        assert_eq!(*appliance.ask("/api/warnings/realtime").data(), warnings);
    }

    // It learns from the counts that MySQL has, as the appliance does from its own.
    wait_until(LONG, "a model was trained", || appliance.ask("/api/predict/flow").status == 200);
    assert!(appliance.ask("/api/predict/flow?kkmc=LOWER").data()["predicted_flow"].is_number());

    // A connection that is cut is replaced after at most one error.
    first.cut();
    second.cut();
    wait_until(LONG, "it answers again", || appliance.ask("/api/stats/map_data").status == 200);

    // Alerts that come into the list reach the stream, in order, from where the client was.
    let last = data.alerts.len() as u64;
    let listening = std::thread::scope(|scope| {
        let stream = scope.spawn(|| appliance.stream_until(last - 1, &format!("id: {}\n", last + 2)));
        for seq in [last + 1, last + 2] {
            redis.command(&["LPUSH", "traffic:warnings", &alert(&data, seq)]);
        }
        stream.join().unwrap()
    });
    let ids: Vec<&str> = listening.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids, [last, last + 1, last + 2].map(|seq| seq.to_string()));
    // An element that is not an alert is skipped.
    redis.command(&["LPUSH", "traffic:warnings", "not an alert"]);
    let newest = appliance.ask("/api/warnings/realtime?limit=3");
    assert_eq!(newest.data()[0]["seq"], json!(last + 2));
    assert_eq!(newest.data()[0]["cause"], json!("plate_types"), "what the list says of an alert is passed on");

    let log = appliance.log();
    assert!(log.contains("server does not answer") && log.contains("server answers again"), "{log}");
    let shown = [
        log,
        appliance.ask("/api/status").json.to_string(),
        appliance.text("/metrics").unwrap(),
        appliance.seen_by_others(),
    ];
    for text in shown {
        for secret in [READER_PASSWORD, REDIS_PASSWORD, "%40der", "s3cret", "platewatch_reader"] {
            assert!(!text.contains(secret), "{secret} shows: {text}");
        }
    }
}

#[test]
fn a_refused_account_is_told_without_naming_it() {
    let servers = MariaDb::start_two();
    let redis = password(REDIS_PASSWORD);
    let folder = tempfile::tempdir().unwrap();
    let urls = [&servers[0], &servers[1]].map(|server| url("platewatch_reader", "wr0ng-s3cret", server.port()));
    let settings = api_settings(&urls, &format!("redis://:wr0ng-s3cret@127.0.0.1:{}", redis.port()));
    let appliance = Appliance::serving(folder.path(), &settings);
    let mut message = String::new();
    wait_until(LONG, "both are missed", || {
        message = appliance.ask("/readyz").message().to_owned();
        !message.contains("not answered yet")
    });
    for part in ["check mycat.user, mycat.password", "check redis.user and redis.password"] {
        assert!(message.contains(part), "{message}");
    }
    let answer = appliance.ask("/api/stats/kkmc_count");
    assert_eq!(answer.status, 503);
    for text in [answer.json.to_string(), appliance.ask("/readyz").json.to_string(), appliance.log()] {
        for secret in ["wr0ng", "platewatch_reader"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn tls_to_mysql_and_redis() {
    let data = Data::make(3_000);
    let server = MariaDb::start_tls();
    data.fill_one(&server);
    let redis =
        Redis::start_with(Options { tls: true, password: Some(REDIS_PASSWORD.to_owned()), ..Options::default() });
    data.fill_redis(&redis);
    let secured = |mysql_ca: &std::path::Path, redis_ca: &std::path::Path| {
        api_settings(&[server.reader_url()], &redis.url())
            .replace("[redis]", &format!("tls = \"verify\"\ntls_ca = {mysql_ca:?}\n[redis]\ntls_ca = {redis_ca:?}"))
    };
    let appliance = Appliance::serving(&data.folder("tls"), &secured(server.authority(), redis.authority()));
    wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
    assert_eq!(appliance.ask("/api/overview").data()["total"], json!(data.rows.len()));
    assert_eq!(appliance.ask("/api/warnings/realtime").data()[0]["seq"], json!(data.alerts.len()));

    // Each is signed by an authority of its own: with the two swapped, neither is trusted.
    let distrusting = Appliance::serving(&data.folder("distrust"), &secured(redis.authority(), server.authority()));
    wait_until(LONG, "neither is trusted", || {
        let answer = distrusting.ask("/readyz");
        answer.status == 503
            && answer.message().contains("MyCat")
            && answer.message().contains("Redis")
            && !answer.message().contains("not answered yet")
    });
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(distrusting.ask("/readyz").status, 503);
}

#[test]
fn ingest_only_tells_how_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let settings = format!(
        "role = \"ingest\"\ndata_dir = {data:?}\n[source]\nkind = \"simulator\"\nrate = 200.0\n[store]\nmemory = \"64MiB\"\n"
    );
    let appliance = Appliance::serving(folder.path(), &settings);
    wait_until(LONG, "it takes in", || {
        appliance.ask("/api/status").data()["pipeline"]["accepted"].as_u64().is_some_and(|accepted| accepted > 200)
    });
    assert_eq!(appliance.ask("/api/status").data()["role"], json!("ingest"));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(appliance.ask(path).status, 200);
    }
    assert!(appliance.text("/metrics").unwrap().contains("role=\"ingest\""));
    for path in ["/api/stats/kkmc_count", "/api/warnings", "/api/overview", "/", "/index.html"] {
        let answer = appliance.ask(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(answer.message().contains("role \"api\""), "{answer:?}");
    }
    assert_eq!(appliance.post("/api/query", &json!({})).status, 404);
}

#[test]
fn the_api_role_stores_nothing_but_its_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let settings = format!(
        "role = \"api\"\ndata_dir = {data:?}\n[mycat]\nurls = [\"mysql://127.0.0.1:1/x\"]\n[redis]\nurl = \"redis://127.0.0.1:1\"\n"
    );
    let appliance = Appliance::serving(folder.path(), &settings);
    assert_eq!(appliance.ask("/readyz").status, 503);
    assert_eq!(appliance.ask("/api/status").data()["role"], json!("api"));
    let stored = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(stored.collect::<Vec<_>>(), ["access"]);
    let (code, _, complaint) = run(["serve", "--config", "/nonexistent"]).parts();
    assert_eq!(code, Some(2), "{complaint}");
}
