//! How the api role, `verify-mirror` and `repair-mirror` handle MyCat's behaviour: one instance dead, no greeting, an
//! instance without its table.

use serde_json::json;

use super::data::{Data, api_settings, local_settings};
use crate::harness::{Appliance, LONG, run, wait_until};
use crate::servers::mariadb::MariaDb;
use crate::servers::mycat::MyCat;
use crate::servers::redis::Redis;

const HASTY: &str = "connect_timeout = \"2s\"\n[redis]";

#[test]
fn half_an_answer_is_none() {
    let data = Data::make(3_000);
    let mut servers = MariaDb::start_two();
    data.fill_two(&servers);
    let redis = Redis::start();
    data.fill_redis(&redis);
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    let settings = api_settings(&[mycat.url()], &redis.url()).replace("[redis]", HASTY);
    let appliance = Appliance::serving(&data.folder("api"), &settings);
    let ready = || wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
    ready();
    let checkpoints = appliance.ask("/api/stats/kkmc_count?limit=1000").data().clone();
    an_overview_is_not_made_twice_at_once(&appliance, &mycat);
    for fails in [false, true] {
        mycat.fail_when_half(fails);
        servers[1].kill();
        // From the first answer on: nothing was noticed before.
        for answer in [
            appliance.ask("/api/stats/kkmc_count?limit=1000"),
            appliance.ask("/api/stats/hour_count"),
            appliance.ask("/api/stats/map_data?start=2024-01-01 00:10:00&end=2024-01-01 00:20:00"),
            appliance.ask("/api/overview"),
            appliance.ask("/api/track?hphm=苏C12345"),
            appliance.post("/api/query", &json!({})),
            appliance.post("/api/query", &json!({"hphm": "苏C1"})),
        ] {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.message().contains("the instance behind dataNode dn2 is away"), "{answer:?}");
            assert!(answer.json["data"].is_null());
        }
        wait_until(LONG, "it is told", || appliance.ask("/readyz").message().contains("dataNode dn2"));
        let status = appliance.ask("/api/status").data().clone();
        assert_eq!(status["backends"][0]["state"], json!("away"), "{status}");
        assert_eq!(status["backends"][1]["state"], json!("up"), "{status}");
        assert_eq!(appliance.ask("/api/warnings/realtime").status, 200, "the others go on");
        servers[1].start_again();
        ready();
        assert_eq!(*appliance.ask("/api/stats/kkmc_count?limit=1000").data(), checkpoints);
    }

    // Only the forms of mycat.md were sent.
    let statements = mycat.take_statements();
    assert!(statements.iter().any(|text| text == "/*!mycat:dataNode=dn1*/ SELECT @@sql_mode"));
    for statement in &statements {
        let upper = statement.to_uppercase();
        for wrong in ["DISTINCT", "HAVING", "UNION", " OVER ", "OFFSET", "JOIN", "(SELECT", "SET ", "BEGIN", "@@SOCKET"]
        {
            assert!(!upper.contains(wrong), "{wrong}: {statement}");
        }
        assert!(!(upper.contains("GROUP BY") && upper.contains("LIMIT")), "{statement}");
    }

    servers[1].kill();
    let file = data.folder("verify.toml");
    let config = format!("{}[mycat]\nurls = [{:?}]\n", local_settings(&data.data_dir), mycat.url());
    std::fs::write(&file, config).unwrap();
    for fails in [false, true] {
        mycat.fail_when_half(fails);
        for command in ["verify-mirror", "repair-mirror"] {
            let (code, out, complaint) = run([command, "--wait", "1s", "--config", file.to_str().unwrap()]).parts();
            assert_eq!(code, Some(3), "{out}{complaint}");
            assert!(!out.contains("missing in MySQL"), "{out}");
            assert!(complaint.contains("instance away") && complaint.contains("dataNode dn2"), "{complaint}");
        }
    }
}

/// Without a cache each overview counts again, but concurrent requests share the count.
fn an_overview_is_not_made_twice_at_once(appliance: &Appliance, mycat: &MyCat) {
    const ASKING: usize = 12;
    let scans = || {
        let is_scan = |text: &String| text.contains(" AS brand, COUNT(*)");
        mycat.take_statements().iter().filter(|text| is_scan(text)).count()
    };
    let ask = || assert_eq!(appliance.ask("/api/overview").status, 200);
    scans();
    ask();
    let one = scans();
    assert!(one > 0);
    std::thread::scope(|scope| {
        for _ in 0..ASKING {
            scope.spawn(ask);
        }
    });
    let all = scans();
    assert!(all <= one * ASKING / 2, "{ASKING} who ask at once cost {all} scans where one costs {one}");
}

#[test]
fn an_instance_that_is_away_is_named_where_there_is_no_mycat_too() {
    let data = Data::make(3_000);
    let mut servers = MariaDb::start_two();
    data.fill_two(&servers);
    servers[1].kill();
    let file = data.folder("verify.toml");
    let urls = [servers[0].url(), servers[1].url()];
    std::fs::write(&file, format!("{}[mycat]\nurls = {urls:?}\n", local_settings(&data.data_dir))).unwrap();
    let (code, out, complaint) = run(["verify-mirror", "--wait", "1s", "--config", file.to_str().unwrap()]).parts();
    assert_eq!(code, Some(3), "{out}{complaint}");
    let place = format!("instance away: mysql://127.0.0.1:{}/traffic_db", servers[1].port());
    assert!(complaint.contains(&place) && !out.contains("missing"), "{out}{complaint}");
}

#[test]
fn a_mycat_that_never_greets_and_a_dead_port_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let servers = MariaDb::start_two();
    let redis = Redis::start();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    mycat.mute(true);
    let settings = api_settings(&[mycat.url()], &redis.url()).replace("[redis]", HASTY);
    let appliance = Appliance::serving(folder.path(), &settings);
    let says = |part: &str| wait_until(LONG, "it says so", || appliance.ask("/readyz").message().contains(part));
    says("it accepts connections and does not greet within 2s");
    says("refuses MyCat's own account");
    mycat.mute(false);
    wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
}

#[test]
fn what_somebody_must_change_first_is_no_outage() {
    let data = Data::make(3_000);
    let servers = MariaDb::start_two();
    data.fill_two(&servers);
    let redis = Redis::start();
    redis.command(&["SET", "traffic:warnings", "precious"]);
    let settings = api_settings(&[servers[0].reader_url(), servers[1].reader_url()], &redis.url());
    let appliance = Appliance::serving(&data.folder("api"), &settings);
    let answer = appliance.ask("/api/warnings/realtime");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.message().contains("its key traffic:warnings is not a list"), "{answer:?}");
    assert!(answer.message().contains("answers, but") && !answer.message().contains("does not answer"), "{answer:?}");
    redis.command(&["DEL", "traffic:warnings"]);
    wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);

    servers[1].sql("RENAME TABLE traffic_db.traffic_data TO traffic_db.elsewhere");
    let answer = appliance.ask("/api/stats/kkmc_count");
    assert_eq!(answer.status, 503, "{answer:?}");
    for part in ["answers, but", "traffic_data", "load sql/schema.sql"] {
        assert!(answer.message().contains(part), "{part}: {answer:?}");
    }
    assert!(!answer.message().contains("does not answer"), "{answer:?}");
    wait_until(LONG, "it is told", || {
        let status = appliance.ask("/api/status").data().clone();
        status["backends"][1]["state"] == json!("blocked") && status["backends"][1]["connected"] == json!(true)
    });
    servers[1].sql("RENAME TABLE traffic_db.elsewhere TO traffic_db.traffic_data");
    wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
    assert_eq!(appliance.ask("/api/stats/kkmc_count").status, 200);
}
