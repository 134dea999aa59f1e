//! Killed at the failpoints of the mirrors: before something is sent, when the target has it and the cursor does not say so yet,
//! and when the cursor says so. After the next start every target has everything once, and the directory holds what one holds that
//! was never killed.

use super::dump::{Dump, Extent};
use super::points::{Rows, points_of};
use super::workload::{SIGABRT, Workload, seed};
use crate::harness::Appliance;
use crate::mirror::mirroring::{HASTY_MYSQL, HASTY_REDIS};
use crate::mirror::truth::Truth;
use crate::servers::mariadb::MariaDb;
use crate::servers::redis::Redis;

const TABLES: [&str; 3] = ["traffic_data", "traffic_alerts", "traffic_cases"];
const CASES: &str = "traffic:cases";

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_around_sending_and_acknowledging_targets_have_everything_once() {
    let mut random = seed("mirrors killed at their points");
    let workload = Workload::clean();
    let servers = MariaDb::start_two();
    let redis = Redis::start();
    let urls = servers.each_ref().map(MariaDb::url);
    let sections = format!(
        "[mycat]\nurls = {urls:?}\nbatch_rows = 50\nretention = \"forever\"\nalerts_retention = \"forever\"\n{HASTY_MYSQL}\
         [redis]\nurl = {:?}\nmax_length = 300\n{HASTY_REDIS}{}",
        redis.url(),
        workload.settings()
    );
    let mut rows = vec![None];
    // The first is a mirror's first of all; the others are anywhere in the middle of six mirrors.
    rows.extend(points_of(Rows::Mirrors).flat_map(|point| [Some((point, 1)), Some((point, 2 + random.below(40)))]));
    let mut expected: Option<(Dump, [String; 3])> = None;
    for row in rows {
        let when = format!("{row:?}");
        for server in &servers {
            TABLES.iter().for_each(|table| drop(server.sql(&format!("TRUNCATE traffic_db.{table}"))));
        }
        redis.command(&["FLUSHALL"]);
        let folder = tempfile::tempdir().unwrap();
        let mut appliance = Appliance::new(folder.path());
        if let Some((point, time)) = row {
            appliance.environment("PLATEWATCH_FAILPOINTS", &format!("{point}=abort@{time}"));
            appliance.configure(&format!("data_dir = {:?}\n{sections}", appliance.data()), "");
            appliance.spawn();
            appliance.dies(SIGABRT);
            appliance.environment("PLATEWATCH_FAILPOINTS", "");
        }
        appliance.start_with(&sections);
        appliance.wait_until_level();
        appliance.stop();
        let dump = Dump::of(&appliance.data(), Extent::WhateverTheBatches);
        let truth = Truth::read(&appliance.data());
        assert!(!truth.alerts.is_empty() && truth.refused.is_empty(), "{when}");
        truth.check_instances([&servers[0], &servers[1]]);
        truth.check_list(&redis, 300);
        // What is not the clock's of alerts and cases.
        let alerts = servers[0].sql("SELECT id, seq, curr_time FROM traffic_db.traffic_alerts ORDER BY seq");
        let cases =
            servers[0].sql("SELECT id, hphm, last_time, contradictions FROM traffic_db.traffic_cases ORDER BY id");
        let mut listed: Vec<String> = redis.list(CASES).iter().map(|text| without_version(text)).collect();
        listed.sort();
        let found = [alerts, cases, listed.join("\n")];
        assert!(found.iter().all(|text| !text.is_empty()), "{when}");
        match &expected {
            None => expected = Some((dump, found)),
            Some((whole, targets)) => {
                dump.equals(whole, &when);
                assert!(found == *targets, "{when}: the targets differ");
            }
        }
    }
}

/// An element of the list of cases but for its version, which is a time of the clock.
fn without_version(text: &str) -> String {
    let mut element: serde_json::Value = serde_json::from_str(text).unwrap();
    element.as_object_mut().unwrap().remove("version").expect("a version");
    element.to_string()
}
