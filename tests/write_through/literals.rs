//! Texts in statements: exact in every sql_mode, and never SQL. Each is sent to a real MariaDB.

use std::sync::Arc;
use std::time::Instant;

use platewatch::internals::{Config, MysqlError, MysqlPool, push_text};
use proptest::prelude::*;
use proptest::test_runner::{Config as RunnerConfig, TestRunner};
use serde_json::json;

use super::data::{Data, api_settings};
use crate::harness::{Appliance, LONG, wait_until};
use crate::servers::mariadb::MariaDb;
use crate::servers::mycat::MyCat;
use crate::servers::redis::Redis;

const NO_ESCAPES: &str = "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'";
const ESCAPES: &str = "SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES'";

fn pool(urls: &[String]) -> Arc<MysqlPool> {
    let config = Config::from_toml(&format!("[mycat]\nurls = {urls:?}\n"), []).unwrap();
    MysqlPool::of(&config.mycat).remove(0)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Texts of characters that have a meaning to statements, servers and MyCat, and of any others.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let part = prop_oneof![
        Just("'".to_owned()),
        Just("''".to_owned()),
        Just("\\".to_owned()),
        Just("\"".to_owned()),
        Just("`".to_owned()),
        Just("\0".to_owned()),
        Just("\n\r\u{1a}\t".to_owned()),
        Just("%_?".to_owned()),
        Just(" OR 1=1 -- ".to_owned()),
        Just("/*!99999 ".to_owned()),
        Just("next value for MYCATSEQ_".to_owned()),
        Just("mycatseq_".to_owned()),
        Just("MYETCDB.".to_owned()),
        Just(";".to_owned()),
        "[\u{0}-\u{10ffff}]{1,6}".prop_map(|text| text),
        "[苏C0-9🚗é]{1,6}".prop_map(|text| text),
    ];
    proptest::collection::vec(proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat()), 40)
}

fn literal(text: &str) -> String {
    let mut literal = String::new();
    push_text(&mut literal, text);
    literal
}

fn every_text_comes_back(pool: &MysqlPool, cases: u32) {
    let runtime = runtime();
    let mut runner = TestRunner::new(RunnerConfig { cases, failure_persistence: None, ..RunnerConfig::default() });
    let checked = runner.run(&texts(), |texts| {
        let columns: Vec<String> =
            texts.iter().enumerate().map(|(at, text)| format!("HEX({}) AS c{at}", literal(text))).collect();
        let rows = runtime.block_on(pool.rows(&format!("SELECT {}", columns.join(", ")))).unwrap();
        let told: Vec<String> =
            rows.into_iter().next().unwrap().unwrap().into_iter().map(mysql_async::from_value).collect();
        let sent: Vec<String> =
            texts.iter().map(|text| text.bytes().map(|byte| format!("{byte:02X}")).collect()).collect();
        prop_assert_eq!(told, sent);
        Ok(())
    });
    // Its message holds the texts and the seed.
    checked.unwrap();
}

/// One round of probes, of both dataNodes at once.
fn the_cost_of_trust(pool: &MysqlPool) {
    const ROUNDS: u32 = 300;
    let runtime = runtime();
    runtime.block_on(pool.all_answer(Instant::now())).unwrap();
    let began = Instant::now();
    for _ in 0..ROUNDS {
        runtime.block_on(pool.all_answer(Instant::now())).unwrap();
    }
    println!("a round of probes takes {:?}; an answer is framed by two", began.elapsed() / ROUNDS);
}

#[test]
fn every_text_comes_back_to_the_letter_in_both_modes() {
    let servers = MariaDb::start_two();
    let both = [servers[0].url(), servers[1].url()];
    for mode in [ESCAPES, NO_ESCAPES] {
        servers[0].sql(mode);
        every_text_comes_back(&pool(&both), 60);
        every_text_comes_back(&pool(&both[..1]), 60);
    }
    servers[0].sql(ESCAPES);
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    every_text_comes_back(&pool(&[mycat.url()]), 20);
    the_cost_of_trust(&pool(&[mycat.url()]));
    // Through MyCat a session's mode is not ours to set: texts without a backslash are right, others are refused.
    servers[1].sql(NO_ESCAPES);
    let pool = pool(&[mycat.url()]);
    let runtime = runtime();
    let ask = |text: &str| runtime.block_on(pool.rows(&format!("SELECT {} AS c", literal(text))));
    let told: String = mysql_async::from_row(ask("zzz' OR 1=1 -- x").unwrap().remove(0));
    assert_eq!(told, "zzz' OR 1=1 -- x");
    for refused in [ask("a\\b").unwrap_err(), runtime.block_on(pool.execute("DELETE FROM kkmc_info")).unwrap_err()] {
        let words = refused.to_string();
        assert!(matches!(refused, MysqlError::Unfit(_)), "{refused:?}");
        assert!(words.contains("dataNode dn2 has NO_BACKSLASH_ESCAPES") && words.contains("sql_mode"), "{words}");
    }
}

#[test]
fn no_text_of_a_request_is_sql_in_any_mode() {
    let data = Data::make(3_000);
    let servers = MariaDb::start_two();
    data.fill_two(&servers);
    let all = MariaDb::start();
    data.fill_one(&all);
    let redis = Redis::start();
    for server in servers.iter().chain([&all]) {
        server.sql(NO_ESCAPES);
    }
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    let injections = [
        json!({"xzqhmc": "zzz' OR 1=1 -- x"}),
        json!({"hphm": "zzz' OR 1=1 -- x"}),
        json!({"hphm": "z?z' OR 1=1 -- x"}),
        json!({"clppxh": "zzz' OR '1'='1"}),
        json!({"kkmc": "zzz') OR 1=1 -- x"}),
    ];
    let urls = [vec![servers[0].reader_url(), servers[1].reader_url()], vec![all.reader_url()], vec![mycat.url()]];
    for (number, urls) in urls.iter().enumerate() {
        let folder = data.folder(&format!("api-{number}"));
        let appliance = Appliance::serving(&folder, &api_settings(urls, &redis.url()));
        wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
        for body in &injections {
            let answer = appliance.post("/api/query", body);
            assert_eq!(answer.data()["total"], json!(0), "{body}: {answer:?}");
        }
        assert_eq!(appliance.ask("/api/track?hphm=zzz' OR 1=1 -- x").data()["total"], json!(0));
        assert_eq!(appliance.post("/api/query", &json!({})).data()["total"], json!(data.rows.len()));
        // A backslash: right where the session is ours, refused in words where it is MyCat's; and no reason to mark the
        // server as away.
        let answer = appliance.post("/api/query", &json!({"kkmc": "back\\slash"}));
        if number < 2 {
            assert_eq!(answer.data()["total"], json!(1), "{answer:?}");
        } else {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.message().contains("NO_BACKSLASH_ESCAPES"), "{answer:?}");
        }
        assert_eq!(appliance.post("/api/query", &json!({})).data()["total"], json!(data.rows.len()));
        wait_until(LONG, "it is ready", || appliance.ask("/readyz").status == 200);
    }
}
