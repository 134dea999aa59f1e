//! Several appliances share a topic: together they store and find what a single one would.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use super::consuming::sorted_without_numbers;
use super::traffic::{Replayed, Traffic};
use super::{SHORT_SESSION, STATIC_MEMBER, committed};
use crate::harness::{Appliance, CLONED, LONG, road, wait_until};
use crate::kafka::{Broker, topic};

const PARTITIONS: usize = 6;

/// Traffic in which some records come again minutes later: dropping them takes the ids of the last minutes.
fn traffic_with_repeats(dir: &Path, count: usize, seed: u64) -> Traffic {
    let mut traffic = Traffic::simulate(dir, count, PARTITIONS, seed);
    let repeats: Vec<_> = traffic.all.iter().step_by(97).cloned().collect();
    let mut all = Vec::with_capacity(count + repeats.len());
    let (mut repeats, delay) = (repeats.into_iter(), 2_000);
    for (at, line) in traffic.all.drain(..).enumerate() {
        all.push(line);
        if at >= delay && (at - delay) % 97 == 0 {
            all.extend(repeats.next());
        }
    }
    traffic.all = all;
    traffic
}

pub(crate) fn id_of(line: &[u8]) -> String {
    String::from_utf8(line.split(|byte| *byte == b'\t').next().unwrap().to_vec()).unwrap()
}

fn appliances<const N: usize>(dir: &Path, broker: &Broker, name: &str) -> [Appliance; N] {
    std::array::from_fn(|number| {
        let dir = dir.join(number.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        Appliance::consuming(&dir, broker.bootstrap(), name, SHORT_SESSION)
    })
}

fn lines(appliances: &[Appliance]) -> u64 {
    appliances.iter().map(Appliance::lines).sum()
}

fn assigned(appliance: &Appliance) -> usize {
    let status = appliance.get("/api/status").unwrap_or_default();
    let partitions = status["source"]["kafka"]["partitions"].as_array().cloned().unwrap_or_default();
    partitions.iter().filter(|partition| partition["assigned"] == true).count()
}

/// The appliances together have stored every record once, and found what a single one finds. All of them run.
fn check_union(appliances: &[Appliance], traffic: &Traffic, expected: &Replayed) {
    let mut ids: Vec<String> = appliances.iter().flat_map(Appliance::ids).collect();
    ids.sort_unstable();
    let wanted: BTreeSet<String> = traffic.all.iter().map(|(_, line)| id_of(line)).collect();
    assert!(ids.iter().eq(&wanted), "{} rows instead of {}", ids.len(), wanted.len());
    let alerts = sorted_without_numbers(appliances.iter().flat_map(Appliance::alerts).collect());
    assert!(!alerts.is_empty());
    assert!(alerts == expected.alerts, "{} alerts instead of {}", alerts.len(), expected.alerts.len());
    let mut totals = BTreeMap::new();
    for status in appliances.iter().map(Appliance::status) {
        for name in expected.totals.keys().filter(|name| **name != "rejected") {
            *totals.entry(*name).or_default() += status["pipeline"][*name].as_u64().unwrap();
        }
    }
    let wanted: BTreeMap<_, _> =
        expected.totals.iter().filter(|(name, _)| **name != "rejected").map(|(n, c)| (*n, *c)).collect();
    assert_eq!(totals, wanted);
}

#[test]
fn two_then_three_then_one_share_a_topic_while_traffic_flows() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "shared";
    broker.create_topic(name, PARTITIONS as i32);
    let traffic = traffic_with_repeats(dir.path(), 90_000, 21);
    let count = traffic.all.len();
    let expected = traffic.replayed(dir.path());
    assert!(expected.totals["duplicates"] > 500, "{:?}", expected.totals);
    let mut all: [Appliance; 3] = appliances(dir.path(), broker, name);
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| traffic.produce(broker.bootstrap(), name, 0..count, Duration::from_secs(50)));
        all[0].start();
        all[1].start();
        wait_until(LONG, "two share", || assigned(&all[0]) == 3 && assigned(&all[1]) == 3);
        std::thread::sleep(Duration::from_secs(4));
        all[2].start();
        wait_until(LONG, "three share", || all.iter().all(|one| assigned(one) == 2));
        std::thread::sleep(Duration::from_secs(4));
        all[0].stop();
        wait_until(LONG, "two are left", || assigned(&all[1]) + assigned(&all[2]) == PARTITIONS);
        std::thread::sleep(Duration::from_secs(4));
        all[1].stop();
        wait_until(LONG, "one is left", || assigned(&all[2]) == PARTITIONS);
        println!("one is left after {:?}", began.elapsed());
    });
    let kafka = |appliance: &Appliance| appliance.status()["source"]["kafka"].clone();
    wait_until(LONG, "the lag is 0", || kafka(&all[2])["lag"] == 0);
    // Restarted appliances add nothing.
    all[0].start();
    all[1].start();
    wait_until(LONG, "all is there", || lines(&all) >= count as u64 && all.iter().all(|one| assigned(one) == 2));
    check_union(&all, &traffic, &expected);
    println!("rebalances {}", kafka(&all[2])["rebalances"]);
}

#[test]
fn whoever_returns_late_or_killed_leaves_the_union_as_it_is() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "stale";
    broker.create_topic(name, PARTITIONS as i32);
    let traffic = traffic_with_repeats(dir.path(), 60_000, 22);
    let count = traffic.all.len();
    let expected = traffic.replayed(dir.path());
    let mut all: [Appliance; 2] = appliances(dir.path(), broker, name);
    std::thread::scope(|scope| {
        scope.spawn(|| traffic.produce(broker.bootstrap(), name, 0..count, Duration::from_secs(45)));
        all[0].start();
        all[1].start();
        wait_until(LONG, "two share", || assigned(&all[0]) == 3 && assigned(&all[1]) == 3);
        std::thread::sleep(Duration::from_secs(2));
        all[0].signal("-STOP");
        wait_until(LONG, "the other has taken over", || assigned(&all[1]) == PARTITIONS);
        std::thread::sleep(Duration::from_secs(2));
        all[0].signal("-CONT");
        wait_until(LONG, "two share again", || assigned(&all[0]) == 3 && assigned(&all[1]) == 3);
        std::thread::sleep(Duration::from_secs(2));
        all[1].kill();
        wait_until(LONG, "the first has taken over", || assigned(&all[0]) == PARTITIONS);
        all[1].start();
        wait_until(LONG, "two share at last", || assigned(&all[0]) == 3 && assigned(&all[1]) == 3);
    });
    wait_until(LONG, "all is stored", || {
        committed(broker, name, PARTITIONS as i32) == topic::end_offsets(broker, name)
    });
    let mut ids: Vec<String> = all.iter().flat_map(Appliance::ids).collect();
    let stored = ids.len();
    ids.sort_unstable();
    ids.dedup();
    let wanted: BTreeSet<String> = traffic.all.iter().map(|(_, line)| id_of(line)).collect();
    assert!(ids.iter().eq(&wanted), "{} rows instead of {}", ids.len(), wanted.len());
    // What was stored, but not committed to the group when a process was killed or suspended, is stored by both.
    println!("{} rows of {} are stored by both", stored - ids.len(), ids.len());
    assert!(stored - ids.len() < 3 * count / 45, "more than a moment's rows are stored by both");
    let mut alerts = sorted_without_numbers(all.iter().flat_map(Appliance::alerts).collect::<Vec<Value>>());
    alerts.dedup();
    assert!(alerts == expected.alerts, "{} alerts instead of {}", alerts.len(), expected.alerts.len());
}

/// The two cars of a cloned plate, road and clocks are known to the new owner as they were to the old one.
#[test]
fn cases_go_with_their_partition() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "cases";
    broker.create_topic(name, 2);
    let other = |text: String| text.replace("苏C", "苏D").replace("G32030", "G32031").replace("_Road", "_Other");
    let roads = [road(5), other(road(6))];
    let mut all: Vec<(i32, Vec<u8>)> = Vec::new();
    let mut lines = roads.each_ref().map(|road| road.lines());
    loop {
        let before = all.len();
        for (partition, lines) in (0..).zip(&mut lines) {
            all.extend(lines.next().map(|line| (partition, line.as_bytes().to_vec())));
        }
        if all.len() == before {
            break;
        }
    }
    let traffic = Traffic { partitions: 2, all };
    let count = traffic.all.len();
    let expected = traffic.replayed(dir.path());
    assert!(expected.cases.len() >= 2 * CLONED.len(), "{} cases", expected.cases.len());
    // Five and seven of eight hours: much longer ago than what a pair's sightings may lie apart.
    let (first, second) = (count * 5 / 8, count * 7 / 8);
    let produce = |part: std::ops::Range<usize>| {
        traffic.produce(broker.bootstrap(), name, part, Duration::from_secs(1));
    };
    let mut both: [Appliance; 2] = appliances(dir.path(), broker, name);
    let read = |lines: usize| {
        wait_until(LONG, "the lines are read", || committed(broker, name, 2).iter().sum::<i64>() == lines as i64);
    };
    both.iter_mut().for_each(Appliance::start);
    wait_until(LONG, "two share", || both.iter().all(|one| assigned(one) == 1));
    produce(0..first);
    read(first);
    both[0].stop();
    wait_until(LONG, "one is left", || assigned(&both[1]) == 2);
    produce(first..second);
    read(second);
    both[0].start();
    wait_until(LONG, "two share again", || both.iter().all(|one| assigned(one) == 1));
    // What was learnt before the takeover is in the data directory, too: it is not read back after every start.
    both[1].kill();
    wait_until(LONG, "the other has both", || assigned(&both[0]) == 2);
    both[1].start();
    wait_until(LONG, "two share at last", || both.iter().all(|one| assigned(one) == 1));
    produce(second..count);
    read(count);
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for case in both.iter().flat_map(cases) {
        let newest = |case: &Value| (case["last_time"].to_string(), case["contradictions"].as_u64());
        let known = found.entry(case["hphm"].to_string()).or_insert_with(|| case.clone());
        if newest(&case) > newest(known) {
            *known = case;
        }
    }
    assert_eq!(found.len(), expected.cases.len());
    for case in &expected.cases {
        let found = &found[&case["hphm"].to_string()];
        for (field, value) in case.as_object().unwrap().iter().filter(|(field, _)| *field != "seq") {
            assert_eq!(&found[field], value, "{field} of {}", case["hphm"]);
        }
    }
    let alerts = sorted_without_numbers(both.iter().flat_map(Appliance::alerts).collect());
    assert!(alerts == expected.alerts, "{} alerts instead of {}", alerts.len(), expected.alerts.len());
}

/// All cases of an appliance, whole.
fn cases(appliance: &Appliance) -> Vec<Value> {
    let list = appliance.get("/api/cases?limit=100").unwrap();
    let ids = list["records"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap().to_owned());
    ids.map(|id| appliance.get(&format!("/api/cases/{id}")).unwrap()).collect()
}

/// Two sightings of one plate around the change of owner; the second comes with the first record's repetition.
pub(super) fn clone_lines(minute: u32) -> [String; 2] {
    let line = |id: &str, site: &str, second: u32| {
        format!("{id}\t铜山县\t{site}\t1\t2024-01-01 00:{minute:02}:{second:02}\t02\t苏C12345\t大众牌-朗逸-2015")
    };
    [line(&format!("G{minute}1"), "S250_Pizhou_Sulu", 1), line(&format!("G{minute}2"), "G3_Sulu", 40)]
}

pub(super) fn produce(broker: &Broker, name: &str, lines: &[String]) {
    topic::produce(broker, name, lines.iter().map(|line| (None, Some(line.as_bytes()))));
}

#[test]
fn state_is_read_back_from_where_another_program_has_committed_and_after_a_kill() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "foreign";
    broker.create_topic(name, 1);
    let ([first, second], [third, fourth]) = (clone_lines(1), clone_lines(2));
    produce(broker, name, std::slice::from_ref(&first));
    // Another program has consumed it, and committed a bare offset.
    let other: BaseConsumer = broker.client_config().set("group.id", name).create().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(1)).unwrap();
    other.commit(&offsets, CommitMode::Sync).unwrap();
    drop(other);

    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    produce(broker, name, &[first.clone(), second]);
    appliance.wait_for_lines(2);
    let pipeline = appliance.status()["pipeline"].clone();
    assert_eq!(
        (&pipeline["accepted"], &pipeline["duplicates"], &pipeline["alerts"]),
        (&1.into(), &1.into(), &1.into())
    );
    // Its own log does not hold the first record: after a kill it is read back again.
    appliance.kill();
    produce(broker, name, &[first, third, fourth]);
    appliance.start();
    appliance.wait_for_lines(5);
    let pipeline = appliance.status()["pipeline"].clone();
    assert_eq!((&pipeline["accepted"], &pipeline["duplicates"]), (&3.into(), &2.into()), "{}", appliance.log());
    assert!(appliance.log().matches("reading back").count() == 2, "{}", appliance.log());
    appliance.stop();
    assert_eq!(committed(broker, name, 1), [6]);
}

#[test]
fn a_topic_made_anew_that_has_grown_past_the_position_is_noticed() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "remade";
    broker.create_topic(name, 1);
    let line = |number: usize| clone_lines(number as u32)[0].clone();
    produce(broker, name, &(0..5).map(line).collect::<Vec<_>>());
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    appliance.wait_for_lines(5);
    appliance.stop();
    broker.delete_topic(name);
    broker.create_topic(name, 1);
    produce(broker, name, &(10..20).map(line).collect::<Vec<_>>());
    appliance.start();
    appliance.wait_for_lines(15);
    let status = appliance.status();
    assert_eq!(status["pipeline"]["accepted"], 15);
    let kafka = &status["source"]["kafka"];
    assert_eq!((&kafka["gaps"], &kafka["recent_gaps"][0]["cause"]), (&1.into(), &"truncated".into()), "{kafka}");
    appliance.stop();
    // And a restart reports no problem.
    appliance.start();
    appliance.wait_for_lines(15);
    assert_eq!(appliance.status()["source"]["kafka"]["gaps"], 1);
}
