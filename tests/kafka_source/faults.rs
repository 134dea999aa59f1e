//! Killed, cut off, paused, and fed with bad records.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use platewatch::internals::{Store, StoreSettings};

use super::traffic::Traffic;
use super::{LINE, SHORT_SESSION, SHORTEST_SESSION, STATIC_MEMBER, check_equal, committed};
use crate::harness::{Appliance, LONG, wait_until};
use crate::kafka::{Broker, topic};
use crate::ship::log;

fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
fn killed_twenty_times_it_stores_each_record_once() {
    let count: usize = std::env::var("PLATEWATCH_TEST_RECORDS").map_or(1_000_000, |text| text.parse().unwrap());
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "killed";
    broker.create_topic(name, 3);
    let traffic = Traffic::simulate(dir.path(), count, 3, 11);
    let expected = traffic.replayed(dir.path());
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}, {count} records, {} alerts", expected.alerts.len());
    let began = Instant::now();
    let bootstrap = broker.bootstrap();
    const KILLS: usize = 20;
    std::thread::scope(|scope| {
        let (mut moved, mut before) = (0, 0);
        let mut producing = scope.spawn(|| {});
        for round in 0..KILLS {
            // Records come in every round, however long the machine takes for one.
            producing.join().unwrap();
            let part = count * round / KILLS..count * (round + 1) / KILLS;
            producing = scope.spawn(|| traffic.produce(bootstrap, name, part, Duration::from_secs(1)));
            appliance.spawn();
            if round % 2 == 1 {
                wait_until(LONG, "it consumes", || appliance.lines() > before);
            }
            // Before it answers, while it joins, while records come, or when it has caught up.
            std::thread::sleep(Duration::from_millis(random(&mut seed) % 1_500));
            let lines = appliance.lines();
            moved += usize::from(lines > before);
            before = before.max(lines);
            appliance.kill();
        }
        producing.join().unwrap();
        println!("{before} lines after the last kill; they moved in {moved} of {KILLS}; {:?}", began.elapsed());
        assert!(moved >= KILLS / 2, "the kills did not fall into the work");
    });
    appliance.start();
    appliance.wait_for_lines(count as u64);
    check_equal(&appliance, &expected);
    let status = appliance.status();
    let positions = status["source"]["kafka"]["partitions"].as_array().unwrap().iter();
    let positions: Vec<i64> = positions.map(|partition| partition["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, topic::end_offsets(broker, name));
    let kafka = &status["source"]["kafka"];
    assert!(kafka["gaps"] == 0 && kafka["advice"].is_null(), "{kafka}");
    let metrics = appliance.text("/metrics").unwrap();
    assert!(metrics.contains("platewatch_kafka_lag{topic=\"killed\",partition=\"2\"} 0\n"), "{metrics}");
    assert!(metrics.contains("platewatch_watermark_delay_seconds{partition=\"2\"} "), "{metrics}");
    let took = appliance.stop();
    assert!(took < Duration::from_secs(10), "stopping took {took:?}");
    // The positions were committed to the group: another tool sees them.
    assert_eq!(committed(broker, name, 3), positions);
    println!("stopped in {took:?}, all in {:?}", began.elapsed());
}

#[test]
fn without_a_broker_it_serves_and_goes_on_when_one_comes() {
    let mut broker = Broker::start();
    let dir = tempfile::tempdir().unwrap();
    let name = "away";
    broker.create_topic(name, 3);
    broker.stop();
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, SHORT_SESSION);
    appliance.start();
    wait_until(LONG, "the status says that Kafka is away", || appliance.status()["source"]["state"] == "away");
    let status = appliance.status();
    assert_eq!(status["source"]["kafka"]["connected"], false);
    assert!(status["source"]["kafka"]["away_since"].is_string() && status["ready"] == true, "{status}");
    assert!(appliance.text("/readyz").is_some() && appliance.get("/api/overview").is_some());
    assert!(appliance.text("/metrics").unwrap().contains("platewatch_kafka_connected 0\n"));
    let took = appliance.stop();
    assert!(took < Duration::from_secs(10), "stopping without a broker took {took:?}");

    appliance.start();
    broker.start_again();
    let count = 60_000;
    let traffic = Traffic::simulate(dir.path(), count, 3, 12);
    let expected = traffic.replayed(dir.path());
    traffic.produce(broker.bootstrap(), name, 0..count / 3, Duration::from_secs(1));
    appliance.wait_for_lines(count as u64 / 3);
    assert_eq!(appliance.status()["source"]["state"], "running");

    // Away in the middle of the traffic.
    let bootstrap = broker.bootstrap().to_owned();
    std::thread::scope(|scope| {
        scope.spawn(|| traffic.produce(&bootstrap, name, count / 3..count, Duration::from_secs(40)));
        std::thread::sleep(Duration::from_secs(1));
        broker.stop();
        wait_until(LONG, "Kafka is away again", || appliance.status()["source"]["state"] == "away");
        std::thread::sleep(Duration::from_secs(30));
        broker.start_again();
    });
    let back = Instant::now();
    appliance.wait_for_lines(count as u64);
    println!("lag 0 {:?} after everything was produced", back.elapsed());
    check_equal(&appliance, &expected);
    let kafka = &appliance.status()["source"]["kafka"];
    assert!(kafka["connected"] == true && kafka["away_since"].is_null() && kafka["gaps"] == 0, "{kafka}");
}

#[test]
fn poison_is_rejected_with_its_place_and_nothing_stops() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "poison";
    broker.create_topic_with(name, 1, &[("max.message.bytes", "20000000")]);
    let second = LINE.replace("G1", "G2");
    let several = format!("{}\nbroken\n{}\r\n", LINE.replace("G1", "G3"), LINE.replace("G1", "G4"));
    let huge = vec![b'x'; 10 << 20];
    let many: String = (0..100_000).map(|at| LINE.replace("G1", &format!("G{}", 100 + at)) + "\n").collect();
    assert!(many.len() > 8 << 20);
    let comma = LINE.replace("G1", "G5").replace('\t', ",");
    let values: [Option<&[u8]>; 10] = [
        Some(LINE.as_bytes()),
        None,
        Some(b""),
        Some(b"not a line"),
        Some(b"\xff\xfe\x00"),
        Some(&huge),
        Some(several.as_bytes()),
        Some(many.as_bytes()),
        Some(comma.as_bytes()),
        Some(second.as_bytes()),
    ];
    topic::produce(broker, name, values.map(|value| (None, value)));
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    appliance.wait_for_lines(100_011);
    let status = appliance.status();
    let (pipeline, kafka) = (&status["pipeline"], &status["source"]["kafka"]);
    assert_eq!(pipeline["accepted"], 100_005, "{pipeline}");
    assert_eq!(pipeline["blank"], 2, "{pipeline}");
    assert_eq!(
        pipeline["rejected"]["by_reason"],
        serde_json::json!({"invalid_encoding": 1, "line_too_long": 1, "wrong_column_count": 2})
    );
    assert!(kafka["null_values"] == 1 && kafka["gaps"] == 0 && kafka["partitions"][0]["position"] == 10, "{kafka}");
    appliance.stop();
    let places = reject_places(&dir.path().join("data"));
    assert_eq!(places, ["poison[0]@3 line 1", "poison[0]@4 line 1", "poison[0]@5 line 1", "poison[0]@6 line 2"]);
}

/// Origins and lines of stored rejects, read from the data directory.
fn reject_places(data: &std::path::Path) -> Vec<String> {
    let store = Store::open(data, StoreSettings::default()).unwrap();
    let shared = store.shared();
    let rejects = shared.view().rejects_after(0, 100).unwrap();
    rejects.iter().map(|(_, reject)| format!("{} line {}", reject.origin, reject.line)).collect()
}

#[test]
fn a_truncated_topic_leaves_a_gap_that_is_shown() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "truncated";
    broker.create_topic(name, 2);
    let count = 4_000;
    let traffic = Traffic::simulate(dir.path(), count, 2, 13);
    traffic.produce(broker.bootstrap(), name, 0..count / 2, Duration::ZERO);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    appliance.wait_for_lines(count as u64 / 2);
    appliance.stop();

    let stood = topic::end_offsets(broker, name);
    traffic.produce(broker.bootstrap(), name, count / 2..count, Duration::ZERO);
    let ends = topic::end_offsets(broker, name);
    // The next 100 records of partition 1 are deleted, and none of partition 0.
    broker.delete_before(name, 1, stood[1] + 100);
    appliance.start();
    appliance.wait_for_lines(count as u64 - 100);
    let kafka = appliance.status()["source"]["kafka"].clone();
    assert!(kafka["gaps"] == 1 && kafka["missing_records"] == 100, "{kafka}");
    let gap = &kafka["recent_gaps"][0];
    assert_eq!(
        (gap["partition"].as_i64(), gap["first"].as_i64(), gap["last"].as_i64()),
        (Some(1), Some(stood[1]), Some(stood[1] + 99))
    );
    assert_eq!(gap["cause"], "deleted");
    let metrics = appliance.text("/metrics").unwrap();
    assert!(metrics.contains("platewatch_kafka_missing_records_total{topic=\"truncated\",partition=\"1\"} 100\n"));
    assert_eq!(appliance.log().matches("records were gone from Kafka").count(), 1, "{}", appliance.log());

    // All records are deleted while it runs: nothing is missing, since all were read. Then all are deleted while it is
    // stopped, and none follow: the gap is stored anyway.
    broker.delete_before(name, 0, ends[0]);
    appliance.stop();
    traffic.produce(broker.bootstrap(), name, 0..100, Duration::ZERO);
    let ends = topic::end_offsets(broker, name);
    for partition in 0..2 {
        broker.delete_before(name, partition, ends[partition as usize]);
    }
    appliance.start();
    wait_until(LONG, "both gaps are stored", || appliance.status()["source"]["kafka"]["missing_records"] == 200);
    appliance.kill();
    appliance.start();
    wait_until(LONG, "the lag is 0", || appliance.status()["source"]["kafka"]["lag"] == 0);
    let status = appliance.status();
    assert!(status["source"]["kafka"]["gaps"] == 3, "{status}");
    assert_eq!(status["pipeline"]["lines"], count - 100);
}

#[test]
fn paused_past_its_session_and_with_leaders_that_move_it_loses_nothing() {
    let mut broker = Broker::start_nodes(3);
    let dir = tempfile::tempdir().unwrap();
    let name = "moved";
    broker.create_topic_with(name, 3, &[("min.insync.replicas", "2")]);
    let count = 90_000;
    let traffic = Traffic::simulate(dir.path(), count, 3, 14);
    let expected = traffic.replayed(dir.path());
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, SHORTEST_SESSION);
    appliance.start();
    // Meanwhile a log is shipped to the same brokers.
    broker.create_topic_with("shipped", 3, &[("min.insync.replicas", "2")]);
    let mut log = log::Log::new();
    let ship = log.ship(&broker, "shipped", &["--quiet"]);
    let bootstrap = broker.bootstrap().to_owned();
    std::thread::scope(|scope| {
        scope.spawn(|| traffic.produce(&bootstrap, name, 0..count, Duration::from_secs(15)));
        wait_until(LONG, "some lines", || appliance.lines() > 0);
        assert_eq!(topic::members(&broker, name), 1);
        let before = appliance.rebalances();
        // Longer than its session: the group drops it, and it learns that when it returns.
        appliance.signal("-STOP");
        wait_until(LONG, "the group gives the paused member up", || topic::members(&broker, name) == 0);
        appliance.signal("-CONT");
        wait_until(LONG, "it takes notice, and joins again", || {
            appliance.rebalances() > before + 1 && topic::members(&broker, name) == 1
        });
        // Each of the three in turn: the leader of every partition of both topics moves while records come.
        for node in 1..=3 {
            log.grow(20_000);
            broker.stop_node(node);
            for (topic, id) in [name, "shipped"].into_iter().flat_map(|topic| (0..3).map(move |id| (topic, id))) {
                let moved = || broker.leader(topic, id).is_some_and(|now| now != node);
                wait_until(LONG, "another broker leads", moved);
            }
            log.grow(20_000);
            broker.start_node(node);
        }
    });
    log::check(&log.wait_for_all(&broker, "shipped"), 0..log.written, log::Times::Once);
    drop(ship);
    appliance.wait_for_lines(count as u64);
    check_equal(&appliance, &expected);
    let kafka = &appliance.status()["source"]["kafka"];
    assert!(kafka["gaps"] == 0, "{kafka}");
}

#[test]
fn a_topic_without_keys_is_noticed() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "unkeyed";
    broker.create_topic(name, 3);
    let mut traffic = Traffic::simulate(dir.path(), 60_000, 3, 15);
    for (at, (partition, _)) in traffic.all.iter_mut().enumerate() {
        *partition = at as i32 % 3;
    }
    traffic.produce(broker.bootstrap(), name, 0..60_000, Duration::ZERO);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    appliance.wait_for_lines(60_000);
    let advice = appliance.status()["source"]["kafka"]["advice"].clone();
    assert!(advice.as_str().is_some_and(|text| text.contains("use HPHM as the key")), "{advice}");
    assert_eq!(appliance.log().matches("use HPHM as the key").count(), 1, "{}", appliance.log());
}
