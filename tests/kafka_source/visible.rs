//! How soon what is produced can be seen: rows in the status, alerts in the API.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::STATIC_MEMBER;
use super::group::id_of;
use super::traffic::Traffic;
use crate::harness::Appliance;
use crate::kafka::Broker;

/// The bound, from producing to being visible.
const BOUND: Duration = Duration::from_secs(5);
const PER_SECOND: usize = 2_000;

#[test]
fn at_two_thousand_records_a_second_alerts_are_seen_within_seconds() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "soon";
    broker.create_topic(name, 3);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    let (first, count) = (1_000, 31_000);
    let traffic = Traffic::simulate(dir.path(), count, 3, 16);
    let numbers: HashMap<String, usize> =
        traffic.all.iter().enumerate().map(|(number, (_, line))| (id_of(line), number)).collect();
    traffic.produce(broker.bootstrap(), name, 0..first, Duration::ZERO);
    appliance.wait_for_lines(first as u64);
    // The producer's pace is exact enough: the time of a record follows from its number.
    let time = Duration::from_secs_f64((count - first) as f64 / PER_SECOND as f64);
    let produced = |number: usize| time.mul_f64(number.saturating_sub(first) as f64 / (count - first) as f64);
    let (mut rows, mut alerts) = (Vec::new(), Vec::new());
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| traffic.produce(broker.bootstrap(), name, first..count, time));
        let (mut seen, mut newest) = (first, newest_alert(&appliance));
        while seen < count {
            let now = usize::try_from(appliance.lines()).unwrap();
            let at = began.elapsed();
            rows.extend((seen..now).map(|number| at.saturating_sub(produced(number))));
            seen = now.max(seen);
            let answer = appliance.get("/api/warnings/realtime?limit=100").unwrap();
            let at = began.elapsed();
            for alert in answer.as_array().unwrap().iter().filter(|alert| alert["seq"].as_u64().unwrap() > newest) {
                // It can be found as soon as the second of its two records is there.
                let pair = ["prev_gcxh", "curr_gcxh"].map(|name| numbers[alert[name].as_str().unwrap()]);
                alerts.push(at.saturating_sub(produced(pair[0].max(pair[1]))));
            }
            newest = answer[0]["seq"].as_u64().unwrap_or(newest);
            assert!(at < Duration::from_secs(90), "{seen} of {count}");
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    assert!(alerts.len() > 50, "{} alerts", alerts.len());
    let (row, alert) = (percentiles(&mut rows), percentiles(&mut alerts));
    println!("from producing to being stored: {row:?}; to a visible alert, of {}: {alert:?}", alerts.len());
    assert!(row.p99 < BOUND && alert.p99 < BOUND, "{row:?} {alert:?}");
}

#[derive(Debug)]
struct Percentiles {
    #[expect(dead_code, reason = "to be read in the output")]
    p50: Duration,
    p99: Duration,
    #[expect(dead_code, reason = "to be read in the output")]
    longest: Duration,
}

fn percentiles(delays: &mut [Duration]) -> Percentiles {
    delays.sort_unstable();
    let at = |hundredths: usize| delays[(delays.len() * hundredths / 100).min(delays.len() - 1)];
    Percentiles { p50: at(50), p99: at(99), longest: at(100) }
}

fn newest_alert(appliance: &Appliance) -> u64 {
    appliance.get("/api/warnings/realtime?limit=1").unwrap()[0]["seq"].as_u64().unwrap_or(0)
}
