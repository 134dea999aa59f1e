//! `ship` on a log that grows: rotation, restarts, kills, and brokers that come and go.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use super::log::{Log, Times, check, line};
use crate::harness::{LONG, run, wait_until};
use crate::kafka::{Broker, topic};

#[test]
fn a_growing_log_arrives_once_and_in_order_across_rotations() {
    let kafka = Broker::shared();
    kafka.create_topic("grows", 4);
    let mut log = Log::new();
    log.grow(100);
    let ship = log.ship(kafka, "grows", &[]);
    // What was rotated away before it first saw the log is not sent.
    wait_until(LONG, "a position is kept", || log.dir.path().join("passages.log.ship").exists());
    for round in 0..6 {
        log.grow(700);
        let whole = line(log.written);
        let (first, second) = whole.split_at(17);
        log.write(first);
        std::thread::sleep(Duration::from_millis(150));
        log.write(second);
        log.written += 1;
        match round % 3 {
            0 => log.rename(),
            1 => log.copy_and_truncate(),
            _ => {}
        }
    }
    log.grow(50);
    check(&log.wait_for_all(kafka, "grows"), 0..log.written, Times::Once);
    ship.signal("-TERM");
    assert!(ship.wait().success());
}

#[test]
fn a_log_replaced_by_a_longer_copy_of_itself_goes_on() {
    let kafka = Broker::shared();
    kafka.create_topic("copied", 2);
    let mut log = Log::new();
    log.grow(500);
    let mut ship = log.ship(kafka, "copied", &["--quiet"]);
    for round in 0..4 {
        let lines = log.written as i64;
        wait_until(LONG, "what is there", || topic::count(kafka, "copied") == lines);
        // While it runs, and while it does not.
        if round % 2 == 1 {
            ship.signal("-TERM");
            assert!(ship.wait().success());
            log.replace_by_longer_copy(300);
            ship = log.ship(kafka, "copied", &["--quiet"]);
        } else {
            log.replace_by_longer_copy(300);
        }
        log.grow(20);
    }
    check(&log.wait_for_all(kafka, "copied"), 0..log.written, Times::Once);
    assert!(!ship.log().contains("missing"), "{}", ship.log());
}

#[test]
fn a_writer_that_does_not_append_leaves_a_hole_and_loses_no_line() {
    let kafka = Broker::shared();
    kafka.create_topic("hole", 2);
    let mut log = Log::new();
    log.grow(20_000);
    let mut writer = std::fs::File::options().write(true).open(log.path()).unwrap();
    writer.seek(SeekFrom::End(0)).unwrap();
    let ship = log.ship(kafka, "hole", &["--quiet"]);
    for _ in 0..3 {
        // Some of it is still unread when the log is truncated.
        wait_until(LONG, "some lines", || topic::count(kafka, "hole") > 0);
        log.copy_and_truncate();
        for number in log.written..log.written + 500 {
            writer.write_all(line(number).as_bytes()).unwrap();
        }
        log.written += 500;
        let lines = log.written as i64;
        wait_until(LONG, "all lines", || topic::count(kafka, "hole") >= lines);
    }
    check(&log.wait_for_all(kafka, "hole"), 0..log.written, Times::Once);
    drop(ship);
}

#[test]
fn several_rotations_between_two_looks_cost_nothing() {
    let kafka = Broker::shared();
    kafka.create_topic("asleep", 2);
    let mut log = Log::new();
    log.grow(500);
    let ship = log.ship(kafka, "asleep", &["--quiet"]);
    wait_until(LONG, "the first lines", || topic::count(kafka, "asleep") == 500);
    for round in 0..4 {
        ship.signal("-STOP");
        for rotation in 0..3 {
            log.grow(300);
            if (round + rotation) % 2 == 0 {
                log.copy_and_truncate()
            } else {
                log.rename()
            }
            // A moment apart, so that their times show their order.
            std::thread::sleep(Duration::from_millis(20));
        }
        log.grow(200);
        ship.signal("-CONT");
        // Before the oldest files are deleted: what is deleted unread is lost.
        check(&log.wait_for_all(kafka, "asleep"), 0..log.written, Times::Once);
    }
}

#[test]
fn a_line_without_an_end_waits_for_it() {
    let kafka = Broker::shared();
    kafka.create_topic("partial", 1);
    let mut log = Log::new();
    log.grow(3);
    log.write("\n  \nnot a passage\nGCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM\tCLPPXH\r\nG1\t沛县");
    let ship = log.ship(kafka, "partial", &[]);
    wait_until(LONG, "five lines", || topic::count(kafka, "partial") == 5);
    log.write("\tK1\t1\tnever\t02\t苏c·1\t-\n");
    wait_until(LONG, "the last line", || topic::count(kafka, "partial") == 6);
    let records = topic::read_all(kafka, "partial");
    let [.., nonsense, header, last] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((nonsense.text(), &nonsense.key), ("not a passage", &None));
    assert_eq!((header.text(), &header.key), ("GCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM\tCLPPXH", &None));
    assert_eq!((last.text(), last.key_text()), ("G1\t沛县\tK1\t1\tnever\t02\t苏c·1\t-", "苏C1"));
    drop(ship);
}

#[test]
fn a_stop_by_signal_repeats_nothing() {
    let kafka = Broker::shared();
    kafka.create_topic("stops", 3);
    let mut log = Log::new();
    for round in 0..4 {
        log.grow(150_000);
        let ship = log.ship(kafka, "stops", &["--property", "queue.buffering.max.messages=2000"]);
        let before = i64::from(round) * 20_000;
        wait_until(LONG, "some lines", || topic::count(kafka, "stops") > before);
        ship.signal("-TERM");
        assert!(ship.wait().success());
        if round == 1 {
            log.rename();
        }
    }
    let ship = log.ship(kafka, "stops", &["--once"]);
    assert!(ship.wait().success());
    check(&topic::read_all(kafka, "stops"), 0..log.written, Times::Once);
}

#[test]
fn a_kill_loses_nothing() {
    let kafka = Broker::shared();
    kafka.create_topic("ship-killed", 3);
    let mut log = Log::new();
    for round in 0..10 {
        log.grow(30_000);
        let before = topic::count(kafka, "ship-killed");
        let ship = log.ship(kafka, "ship-killed", &[]);
        wait_until(LONG, "some lines", || topic::count(kafka, "ship-killed") > before);
        std::thread::sleep(Duration::from_millis(round * 37));
        ship.signal("-KILL");
        ship.wait();
        match round % 3 {
            0 => log.rename(),
            1 => log.copy_and_truncate(),
            _ => {}
        }
    }
    assert!(log.ship(kafka, "ship-killed", &["--once"]).wait().success());
    let repeated = check(&topic::read_all(kafka, "ship-killed"), 0..log.written, Times::AtLeastOnce);
    eprintln!("{repeated} of {} lines repeated by ten kills", log.written);
}

#[test]
fn a_broker_that_goes_away_costs_only_time() {
    let mut kafka = Broker::start();
    kafka.create_topic("away", 3);
    let mut log = Log::new();
    log.grow(20_000);
    let ship = log.ship(&kafka, "away", &["--quiet"]);
    wait_until(LONG, "some lines", || topic::count(&kafka, "away") > 0);
    kafka.kill();
    log.grow(200_000);
    log.rename();
    log.grow(10_000);
    wait_until(LONG, "a word about it", || ship.log().contains("takes no lines since"));
    kafka.start_again();
    log.grow(1_000);
    wait_until(LONG, "lines after the kill", || topic::count(&kafka, "away") > 100_000);
    kafka.stop();
    log.grow(30_000);
    kafka.start_again();
    check(&log.wait_for_all(&kafka, "away"), 0..log.written, Times::Once);
    assert!(ship.log().contains("nothing is lost") && ship.log().contains("takes lines again"), "{}", ship.log());
}

#[test]
fn it_waits_for_a_broker_a_topic_and_a_log() {
    let mut kafka = Broker::start();
    kafka.stop();
    let mut log = Log::new();
    let ship = log.ship(&kafka, "late", &["--property", "topic.metadata.propagation.max.ms=1000"]);
    wait_until(LONG, "a word about the log", || ship.log().contains("is not there yet"));
    log.grow(1_000);
    wait_until(LONG, "a word about Kafka", || ship.log().contains("takes no lines since"));
    kafka.start_again();
    wait_until(LONG, "a word about the topic", || ship.log().contains("there is no topic late: create it"));
    kafka.create_topic("late", 2);
    check(&log.wait_for_all(&kafka, "late"), 0..log.written, Times::Once);
}

#[test]
fn wrong_usage_says_what_to_do() {
    let log = Log::new();
    std::fs::write(log.path(), "").unwrap();
    let path = log.path();
    let refused = |args: &[&str], expected: &str| {
        let mut all = vec!["ship", "--brokers", "127.0.0.1:1"];
        all.extend(args);
        let ended = run(all);
        assert_eq!(ended.code, Some(2), "{args:?}");
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains(expected), "{said}");
    };
    let path = path.to_str().unwrap();
    refused(&["/nowhere/at/all", "--once"], "/nowhere/at/all is not there");
    refused(&[path, "--property", "no.such=1"], "property no.such: ");
    refused(&[path, "--property", "nonsense"], "write name=value");
    refused(&[path, "--columns", "A,B"], "columns");
    refused(&[path, "--state", path], "is not a state file");
}
