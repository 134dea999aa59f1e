//! A target that is away costs the pipeline nothing: the intake continues, memory stays within bounds, and what the
//! target lacks waits on the disk.

use std::time::{Duration, Instant};

use super::mirroring::{HASTY_MYSQL, HASTY_REDIS};
use super::truth::Truth;
use crate::harness::{Appliance, LONG, simulated, wait_until};
use crate::servers::mariadb;
use crate::servers::mariadb::{MariaDb, WRITER_PASSWORD};
use crate::servers::proxy::{Mode, Proxy};
use crate::servers::redis::Redis;

/// Starts an appliance on a capture and returns how long reading it took.
fn take_in(appliance: &mut Appliance, sections: &str) -> Duration {
    let began = Instant::now();
    appliance.start_with(sections);
    wait_until(LONG, "all is taken in", || appliance.status()["source"]["state"] == "finished");
    began.elapsed()
}

#[test]
fn intake_and_memory_do_not_mind_targets_that_swallow_everything() {
    const ROWS: u64 = 300_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture.tsv");
    std::fs::write(&file, simulated(ROWS, 11, &["--start", "2024-01-01 00:00:00"])).unwrap();
    let instances = MariaDb::start_two();
    let redis = Redis::start();
    let proxies = [instances[0].port(), instances[1].port(), redis.port()].map(Proxy::start);
    let common = format!(
        "[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nmemory = \"64MiB\"\n\
         [source]\nkind = \"capture\"\nfiles = [{file:?}]\nbatch_records = 2000\n"
    );
    let [first, second, third] = proxies.each_ref().map(Proxy::port);
    let urls = [first, second].map(|port| mariadb::url("platewatch", WRITER_PASSWORD, port));
    let mirrored = format!(
        "{common}[mycat]\nurls = {urls:?}\nretention = \"forever\"\n{HASTY_MYSQL}[redis]\nurl = \"redis://127.0.0.1:{third}\"\n\
         {HASTY_REDIS}"
    );

    let mut alone = Appliance::new(&folder.path().join("alone"));
    let without = take_in(&mut alone, &common);
    let memory_without = alone.memory_kib("VmHWM");
    alone.stop();

    proxies.iter().for_each(|proxy| proxy.set(Mode::Stall));
    let mut appliance = Appliance::new(&folder.path().join("mirrored"));
    let with = take_in(&mut appliance, &mirrored);
    for name in ["mysql/0", "mysql/1", "redis"] {
        appliance
            .wait_for(name, "it notices", |mirror| mirror["state"] == "away" && mirror["lag_rows"].as_u64() > Some(0));
    }
    let memory_away = appliance.memory_kib("VmHWM");
    proxies.iter().for_each(|proxy| proxy.set(Mode::Pass));
    appliance.wait_until_level();
    let memory_drained = appliance.memory_kib("VmHWM");
    println!(
        "intake of {ROWS} passages: {without:?} without mirrors, {with:?} with three that swallow everything (ratio {:.2}); \
         peak memory {memory_without} KiB, {memory_away} KiB, and {memory_drained} KiB after draining",
        with.as_secs_f64() / without.as_secs_f64()
    );
    // A mirror holds a segment and a few statements of each shard; the rest of the difference is the driver's.
    const BOUND_KIB: u64 = 96 << 10;
    assert!(memory_away < memory_without + BOUND_KIB, "{memory_away} KiB after {memory_without} KiB");
    assert!(memory_drained < memory_without + 2 * BOUND_KIB, "{memory_drained} KiB after {memory_without} KiB");
    appliance.stop();
    let truth = Truth::read(&appliance.data());
    let [one, other] = &instances;
    truth.check_instances([one, other]);
    truth.check_list(&redis, 10_000);
}

#[test]
fn retention_leaves_a_mirror_what_it_has_not_taken() {
    const ROWS: u64 = 200_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture.tsv");
    // Many hours of traffic.
    std::fs::write(&file, simulated(ROWS, 12, &["--start", "2024-01-01 00:00:00"])).unwrap();
    let instances = MariaDb::start_two();
    let proxies = [instances[0].port(), instances[1].port()].map(Proxy::start);
    let urls = proxies.each_ref().map(|proxy| mariadb::url("platewatch", WRITER_PASSWORD, proxy.port()));
    let common = format!(
        "[store]\nretention = \"1h\"\nmemory = \"64MiB\"\n[source]\nkind = \"capture\"\nfiles = [{file:?}]\nbatch_records = 1000\n"
    );
    let mirrored = format!("{common}[mycat]\nurls = {urls:?}\nretention = \"forever\"\n{HASTY_MYSQL}");

    let mut alone = Appliance::new(&folder.path().join("alone"));
    take_in(&mut alone, &common);
    let kept = alone.status()["storage"]["passages"].as_u64().unwrap();
    let accepted = alone.status()["pipeline"]["accepted"].as_u64().unwrap();
    assert!(kept < accepted / 2, "{kept} of {accepted}: retention has nothing to do here");
    alone.stop();

    proxies.iter().for_each(|proxy| proxy.set(Mode::Refuse));
    let mut appliance = Appliance::new(&folder.path().join("mirrored"));
    take_in(&mut appliance, &mirrored);
    assert_eq!(appliance.status()["storage"]["passages"], accepted, "all of it waits");
    appliance.kill();
    appliance.start_with(&mirrored);
    assert_eq!(appliance.status()["storage"]["passages"], accepted, "and after a restart too");
    proxies.iter().for_each(|proxy| proxy.set(Mode::Pass));
    appliance.wait_until_level();
    let found: u64 = instances.iter().map(|instance| instance.count("traffic_data")).sum();
    assert_eq!(found, accepted);
    for name in ["mysql/0", "mysql/1"] {
        assert_eq!(appliance.number(name, "lost"), 0);
    }
    appliance.stop();
    // The orderly end drops what no mirror waits for any more.
    let truth = Truth::read(&appliance.data());
    let left: u64 = truth.shards.iter().map(|shard| shard.rows).sum();
    assert!(left < accepted / 2, "{left} of {accepted}");
}
