//! A million passages while every target in turn is stopped, stalled, cut after a statement reached it and restarted
//! empty, and the appliance is killed ten times.

use std::time::{Duration, Instant};

use super::mirroring::{HASTY_MYSQL, HASTY_REDIS};
use super::truth::Truth;
use crate::harness::{Appliance, LONG, wait_until};
use crate::servers::mariadb;
use crate::servers::mariadb::{MariaDb, WRITER_PASSWORD};
use crate::servers::proxy::{Fault, Mode, Proxy};
use crate::servers::redis::Redis;

const LIST: usize = 300;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Two instances and a Redis, each behind a proxy.
struct Targets {
    instances: [MariaDb; 2],
    redis: Redis,
    /// In front of the instances, then of Redis.
    proxies: [Proxy; 3],
}

impl Targets {
    fn start() -> Self {
        let instances = MariaDb::start_two();
        let redis = Redis::start();
        let proxies = [instances[0].port(), instances[1].port(), redis.port()].map(Proxy::start);
        Self { instances, redis, proxies }
    }

    fn sections(&self) -> String {
        let [first, second, redis] = self.proxies.each_ref().map(Proxy::port);
        let url = |port| mariadb::url("platewatch", WRITER_PASSWORD, port);
        format!(
            "[mycat]\nurls = [{:?}, {:?}]\n{HASTY_MYSQL}[redis]\nurl = \"redis://127.0.0.1:{redis}/0\"\nmax_length = {LIST}\n\
             {HASTY_REDIS}[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nmemory = \"64MiB\"\nsync = \"off\"\n",
            url(first),
            url(second),
        )
    }

    fn stop(&mut self, target: usize) {
        match target {
            2 => self.redis.stop(),
            shard => self.instances[shard].stop(),
        }
    }

    fn start_again(&mut self, target: usize) {
        match target {
            2 => self.redis.start_again(),
            shard => self.instances[shard].start_again(),
        }
    }

    fn start_empty(&mut self, target: usize) {
        match target {
            2 => self.redis.start_empty(),
            shard => self.instances[shard].start_empty(),
        }
    }
}

const NAMES: [&str; 3] = ["mysql/0", "mysql/1", "redis"];

struct Chaos {
    appliance: Appliance,
    sections: String,
    kills: u32,
}

impl Chaos {
    fn kill(&mut self) {
        self.appliance.kill();
        self.kills += 1;
        self.appliance.start_with(&self.sections);
    }

    /// Waits until this target has acknowledged something new, so that it is in the middle of it.
    fn wait_for_progress(&self, target: usize) {
        let before = self.appliance.number(NAMES[target], "sent");
        self.appliance.wait_for(NAMES[target], "it sends", |mirror| mirror["sent"].as_u64() > Some(before));
    }

    fn wait_for_outage(&self, target: usize) {
        self.appliance.wait_for(NAMES[target], "it notices the outage", |mirror| {
            mirror["state"] == "away" && mirror["away_since"].is_string() && mirror["last_error"].is_string()
        });
    }
}

/// Sleeps for the outage; the intake continues meanwhile.
fn outage(chaos: &Chaos, length: Duration) {
    let before = chaos.appliance.status()["pipeline"]["accepted"].as_u64().unwrap();
    let began = Instant::now();
    wait_until(length + LONG, "passages are taken in during an outage", || {
        let accepted = chaos.appliance.status()["pipeline"]["accepted"].as_u64().unwrap();
        accepted > before && began.elapsed() >= length
    });
}

#[test]
fn a_million_passages_arrive_exactly_once_whatever_happens() {
    let rows = setting("PLATEWATCH_TEST_ROWS", 1_000_000);
    let length = Duration::from_secs(setting("PLATEWATCH_TEST_OUTAGE_SECONDS", 60));
    let folder = tempfile::tempdir().unwrap();
    let mut targets = Targets::start();
    let common = targets.sections();
    let sections = format!("{common}[source]\nkind = \"simulator\"\nrate = 5000\nseed = 4\n");
    // Illegible plates too, so that there are alerts all the time.
    let sections = format!("{sections}[detect]\nplates = \"any\"\n");
    let mut chaos = Chaos { appliance: Appliance::new(folder.path()), sections, kills: 0 };
    chaos.appliance.start_with(&chaos.sections);

    for (target, name) in NAMES.into_iter().enumerate() {
        chaos.wait_for_progress(target);
        targets.stop(target);
        chaos.wait_for_outage(target);
        chaos.kill();
        outage(&chaos, length);
        targets.start_again(target);
        chaos.wait_for_progress(target);

        targets.proxies[target].set(Mode::Stall);
        chaos.wait_for_outage(target);
        outage(&chaos, length / 6);
        chaos.kill();
        targets.proxies[target].set(Mode::Pass);
        chaos.wait_for_progress(target);

        // `least` is more than a query and less than a batch; an alert's call has some hundred bytes.
        for fault in [
            Fault::CutBeforeAnswer { least: 600 },
            Fault::TruncateAnswer { least: 600, arrive: 3 },
            Fault::CutUpstream(700),
        ] {
            let met = targets.proxies[target].faults_met();
            targets.proxies[target].arm(fault);
            wait_until(LONG, "the fault happens", || targets.proxies[target].faults_met() > met);
        }
        chaos.wait_for_progress(target);

        let refilled = chaos.appliance.number(name, "refilled");
        targets.start_empty(target);
        chaos.appliance.wait_for(name, "it is filled again", |mirror| mirror["refilled"].as_u64() > Some(refilled));
        chaos.kill();
    }
    while chaos.kills < 10 {
        let target = chaos.kills as usize % 3;
        chaos.wait_for_progress(target);
        chaos.kill();
    }
    wait_until(LONG + Duration::from_secs(rows / 1000), "all are taken in", || {
        chaos.appliance.status()["pipeline"]["accepted"].as_u64().unwrap() >= rows
    });

    // No more traffic; what is left drains.
    chaos.appliance.stop();
    chaos.appliance.start_with(&common);
    chaos.appliance.wait_until_level();
    let text = chaos.appliance.text("/metrics").unwrap();
    for name in NAMES {
        assert!(text.contains(&format!("platewatch_mirror_lag_rows{{mirror=\"{name}\"}} 0\n")), "{text}");
        let mirror = chaos.appliance.mirror(name);
        assert_eq!((&mirror["refused"], &mirror["lost"]), (&0.into(), &0.into()), "{mirror}");
    }
    chaos.appliance.stop();

    let (code, said) = chaos.appliance.verify_mirror();
    assert_eq!(code, Some(0), "{said}");
    println!("{said}");
    let truth = Truth::read(&chaos.appliance.data());
    let [first, second] = truth.shards[..] else { panic!("there are two") };
    assert!(first.rows > 0 && second.rows > 0 && first.rows + second.rows >= rows);
    let [one, other] = &targets.instances;
    truth.check_instances([one, other]);
    assert!(truth.alerts.len() > LIST, "{} alerts do not fill the list", truth.alerts.len());
    truth.check_list(&targets.redis, LIST);
    assert!(chaos.kills >= 10);
}
