//! The list in Redis: filled again whenever Redis loses it, left alone if the key is something else, and exactly once
//! if two appliances share it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use super::mirroring::HASTY_REDIS;
use super::truth::Truth;
use crate::harness::{Appliance, LONG, simulated, wait_until};
use crate::servers::free_port;
use crate::servers::redis::{Options, Redis};

const KEY: &str = "traffic:warnings";
const LIST: usize = 300;

/// A configuration that reads a capture of simulated passages and mirrors its alerts to `url`.
fn sections(folder: &Path, seed: u64, url: &str) -> String {
    let file = folder.join(format!("capture-{seed}.tsv"));
    std::fs::write(&file, simulated(40_000, seed, &["--start", "2024-01-01 00:00:00"])).unwrap();
    format!(
        "[source]\nkind = \"capture\"\nfiles = [{file:?}]\n[redis]\nurl = {url:?}\nmax_length = {LIST}\n{HASTY_REDIS}\
         [store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nmemory = \"64MiB\"\n"
    )
}

fn expected(appliance: &Appliance) -> Vec<String> {
    let mut alerts = Vec::new();
    for page in 1..=LIST.div_ceil(100) {
        let answer = appliance.get(&format!("/api/warnings?limit=100&page={page}")).unwrap();
        alerts.extend(answer["records"].as_array().unwrap().iter().map(|alert| alert["seq"].to_string()));
    }
    alerts.truncate(LIST);
    alerts
}

fn seqs(redis: &Redis) -> Vec<String> {
    let element = |text: &String| serde_json::from_str::<Value>(text).unwrap()["seq"].to_string();
    redis.list(KEY).iter().map(element).collect()
}

fn wait_for_list(redis: &Redis, expected: &[String], when: &str) {
    wait_until(LONG, when, || redis.try_command(&["LLEN", KEY]).is_ok() && seqs(redis) == expected);
}

#[test]
fn the_list_is_filled_again_whatever_redis_forgets() {
    let folder = tempfile::tempdir().unwrap();
    let mut redis = Redis::start();
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), 1, &redis.url()));
    appliance.wait_until_level();
    let expected = expected(&appliance);
    assert_eq!(expected.len(), LIST, "not enough alerts");
    wait_for_list(&redis, &expected, "the list is there");

    redis.command(&["FLUSHALL"]);
    wait_for_list(&redis, &expected, "filled after FLUSHALL");
    redis.command(&["DEL", KEY]);
    redis.command(&["SCRIPT", "FLUSH"]);
    wait_for_list(&redis, &expected, "filled after an eviction, script and all");
    redis.command(&["LTRIM", KEY, "0", "9"]);
    wait_for_list(&redis, &expected, "filled after its tail went");
    redis.command(&["LTRIM", KEY, "120", "-1"]);
    wait_for_list(&redis, &expected, "filled after its head went");
    redis.command(&["LTRIM", KEY, "50", "150"]);
    wait_for_list(&redis, &expected, "filled around its middle");
    redis.start_empty();
    wait_for_list(&redis, &expected, "filled in a fresh Redis");
    assert!(appliance.number("redis", "refilled") >= 6);
    assert_eq!(appliance.number("redis", "lag_rows"), 0);
    appliance.kill();
    redis.command(&["LTRIM", KEY, "0", "133"]);
    appliance.start_with(&sections(folder.path(), 1, &redis.url()));
    wait_for_list(&redis, &expected, "filled after a restart");
    appliance.stop();
    Truth::read(&appliance.data()).check_list(&redis, LIST);
}

#[test]
fn a_key_of_another_type_is_left_alone_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start();
    redis.command(&["SET", KEY, "precious"]);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), 2, &redis.url()));
    appliance.wait_for("redis", "it says so", |mirror| {
        let error = mirror["last_error"].as_str().unwrap_or_default();
        mirror["state"] == "blocked" && error.contains("holds a string, not a list") && error.contains(KEY)
    });
    wait_until(LONG, "it tries again", || appliance.number("redis", "failures") > 2);
    assert_eq!(redis.command(&["GET", KEY]), "precious");
    redis.command(&["DEL", KEY]);
    appliance.wait_until_level();
    wait_for_list(&redis, &expected(&appliance), "filled once the key is free");
    assert_eq!(appliance.mirror("redis")["away_since"], Value::Null);
}

#[test]
fn a_redis_without_memory_or_that_is_read_only_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Some("1mb".to_owned());
    let redis =
        Redis::start_with(Options { max_memory: limit, policy: Some("noeviction".to_owned()), ..Options::default() });
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), 3, &redis.url()));
    let says = |word: &'static str| {
        appliance.wait_for("redis", word, |mirror| {
            mirror["state"] == "away" && mirror["last_error"].as_str().unwrap_or_default().contains(word)
        });
    };
    says("OOM");
    says("maxmemory");
    let nobody = free_port().to_string();
    redis.command(&["REPLICAOF", "127.0.0.1", &nobody]);
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    says("read only replica");
    redis.command(&["REPLICAOF", "NO", "ONE"]);
    appliance.wait_until_level();
    wait_for_list(&redis, &expected(&appliance), "filled once there is room");
}

/// A server that answers every command that it is loading, until it is dropped.
fn loading() -> (u16, std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        while receiver.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            if let Ok((mut stream, _)) = listener.accept() {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer) {
                    let commands = buffer.iter().filter(|byte| **byte == b'*').count();
                    let answer = "-LOADING Redis is loading the dataset in memory\r\n".repeat(commands);
                    let _ = stream.write_all(answer.as_bytes());
                    buffer = [0; 4096];
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
    (port, sender, thread)
}

#[test]
fn a_redis_that_is_loading_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (port, loaded, thread) = loading();
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), 4, &format!("redis://127.0.0.1:{port}")));
    appliance.wait_for("redis", "it says so", |mirror| {
        mirror["state"] == "away" && mirror["last_error"].as_str().unwrap_or_default().contains("loading")
    });
    assert!(appliance.status()["failure"].is_null(), "intake does not care");
    drop(loaded);
    thread.join().unwrap();
}

#[test]
fn two_appliances_share_a_list_and_every_alert_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start();
    let mut appliances = [5, 6].map(|seed| Appliance::new(&folder.path().join(seed.to_string())));
    // Alerts enough to fill half the list each, so that none is pushed out.
    let sections = [5u64, 6].map(|seed| {
        let file = folder.path().join(format!("small-{seed}.tsv"));
        std::fs::write(&file, simulated(12_000, seed, &["--start", "2024-01-01 00:00:00"])).unwrap();
        let text = sections(folder.path(), seed, &redis.url());
        text.replace(&format!("capture-{seed}.tsv"), &format!("small-{seed}.tsv"))
            .replace("max_length = 300", "max_length = 5000")
    });
    for (appliance, sections) in appliances.iter_mut().zip(&sections) {
        appliance.start_with(sections);
    }
    for (appliance, sections) in appliances.iter_mut().zip(&sections) {
        appliance.kill();
        appliance.start_with(sections);
    }
    let check = |appliances: &[Appliance; 2]| {
        appliances.iter().for_each(Appliance::wait_until_level);
        let each = appliances.each_ref().map(|appliance| {
            let answer = appliance.get("/api/warnings?limit=1").unwrap();
            answer["total"].as_u64().unwrap()
        });
        let all = (each[0] + each[1]) as usize;
        assert!(each[0] > 20 && each[1] > 20 && all < 5000, "{each:?}");
        wait_until(LONG, "all are there", || redis.list(KEY).len() == all);
        let list: Vec<Value> = redis.list(KEY).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let ids: std::collections::HashSet<String> = list.iter().map(|alert| alert["id"].to_string()).collect();
        assert_eq!(ids.len(), all, "an alert is there twice");
        for count in each {
            // Each appliance's own alerts, in their order.
            assert!(list.iter().filter(|alert| alert["seq"].as_u64() == Some(count)).count() >= 1);
        }
    };
    check(&appliances);
    redis.command(&["FLUSHALL"]);
    wait_until(LONG, "it is filled by both", || redis.list(KEY).len() > 40);
    check(&appliances);
    for (appliance, sections) in appliances.iter_mut().zip(&sections) {
        appliance.kill();
        appliance.start_with(sections);
    }
    check(&appliances);
}

/// Lines of the log that hold `words`.
fn lines(appliance: &Appliance, words: &str) -> usize {
    appliance.log().lines().filter(|line| line.contains(words)).count()
}

#[test]
fn a_redis_that_throws_the_list_away_is_filled_ever_more_seldom_and_told_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    // Room for Redis itself, and for the list or another application's value, but not for both.
    let redis = Redis::start();
    let memory = redis.command(&["INFO", "memory"]);
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let limit = used.trim().parse::<u64>().unwrap() + 900_000;
    redis.command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    redis.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    let sections = sections(folder.path(), 7, &redis.url()).replace("max_length = 300", "max_length = 3000");
    appliance.start_with(&sections);
    wait_until(LONG, "all is taken in", || appliance.status()["source"]["state"] == "finished");
    // Another application's value evicts the list repeatedly, as in a shared Redis.
    let began = std::time::Instant::now();
    let mut told = String::new();
    while began.elapsed() < std::time::Duration::from_secs(20) {
        let _ = redis.try_command(&["SETRANGE", "other", "850000", "x"]);
        let mirror = appliance.mirror("redis");
        let error = mirror["last_error"].as_str().unwrap_or_default();
        if mirror["state"] == "blocked" {
            told = error.to_owned();
        }
    }
    for part in ["allkeys-lru", "set maxmemory-policy noeviction", "redis.max_length", "filled"] {
        assert!(told.contains(part), "{part}: {told}\n{}", appliance.log());
    }
    // With a check every 200 ms there would be a hundred.
    let refilled = appliance.number("redis", "refilled");
    assert!((1..=9).contains(&refilled), "{refilled}\n{}", appliance.log());
    for filled in ["forgotten alerts and is filled again", "forgotten cases and is filled again"] {
        assert!(lines(&appliance, filled) <= 9, "{}", appliance.log());
    }
    // Of both lists.
    assert!(lines(&appliance, "cannot be level") <= 18, "{}", appliance.log());

    // With the setting that it advised, it recovers by itself; nothing is there twice.
    redis.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    appliance.wait_until_level();
    let stored = appliance.get("/api/warnings?limit=1").unwrap()["total"].as_u64().unwrap();
    let expected: Vec<String> = (1..=stored).rev().take(3000).map(|seq| seq.to_string()).collect();
    wait_for_list(&redis, &expected, "all are there once, in their order");
}

#[test]
fn a_list_that_was_left_with_doubles_is_put_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start();
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    let sections = sections(folder.path(), 8, &redis.url());
    appliance.start_with(&sections);
    appliance.wait_until_level();
    let expected = expected(&appliance);
    wait_for_list(&redis, &expected, "the list is there");
    appliance.kill();
    // What an earlier version could leave behind: the list, with forty of its alerts repeated at its tail and at its
    // head.
    let list = redis.list(KEY);
    for (push, element) in [("RPUSH", &list[10..50]), ("LPUSH", &list[20..60])] {
        let mut command = vec![push, KEY];
        command.extend(element.iter().map(String::as_str));
        redis.command(&command);
    }
    appliance.start_with(&sections);
    wait_for_list(&redis, &expected, "each is there once, in order");
}
