//! Killed or stopped at any moment and started again, a replay ends as if nothing had happened.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::dirty::{Style, dirty};
use super::wrong_clocks::wrong_clocks;
use crate::harness::{Random, Replay, Results, Running, folder, simulated, tell};

/// Kills that must hit a running process, over all ways.
const KILLS: u32 = 60;
/// How many of them must come after commits, for small and for large batches.
const IN_THE_MIDDLE: u32 = 15;

/// How a replay is run that is interrupted.
#[derive(Debug, Clone, Copy)]
struct Way {
    by_time: bool,
    compaction: bool,
    /// After a large batch the plates' states are not saved: a start takes them from the log.
    large: bool,
}

const WAYS: [Way; 6] = [
    Way { by_time: false, compaction: true, large: false },
    Way { by_time: true, compaction: false, large: true },
    Way { by_time: true, compaction: false, large: false },
    Way { by_time: false, compaction: true, large: true },
    Way { by_time: false, compaction: false, large: false },
    Way { by_time: true, compaction: true, large: false },
];

impl Way {
    fn replay(self, folder: &Path, out: &Path, data: &Path) -> Replay {
        let order = if self.by_time { "time" } else { "arrival" };
        let batch = if self.large { "10000" } else { "256" };
        let replay = Replay::new(self.capture(folder), out).args(["--batch-records", batch, "--order", order]);
        let replay = replay.args(["--data-dir"]).args([data]);
        if self.compaction { replay } else { replay.args(["--no-compaction"]) }
    }

    /// The capture, made when it is first asked for.
    fn capture(self, folder: &Path) -> std::path::PathBuf {
        let file = folder.join(if self.large { "large.tsv" } else { "small.tsv" });
        if !file.exists() {
            let (count, spoilt) = if self.large { (300_000, 400) } else { (60_000, 25) };
            let style = Style { separator: '\t', pieces: 1, spoilt };
            std::fs::write(&file, dirty(&wrong_clocks(&simulated(count, 31, &[]), 31), 31, style)).unwrap();
        }
        file
    }
}

#[test]
fn kill_9_at_random_moments() {
    let folder = folder();
    let mut random = Random(31);
    let (mut kills, mut replays) = (0, 0);
    // Kills after the first commits, by whether batches were large.
    let mut in_the_middle = [0, 0];
    let mut uninterrupted: [Option<(Results, Duration)>; WAYS.len()] = Default::default();
    while kills < KILLS || in_the_middle.iter().any(|count| *count < IN_THE_MIDDLE) {
        let number = replays % WAYS.len();
        let way = WAYS[number];
        let (expected, takes) = uninterrupted[number].get_or_insert_with(|| {
            let data = folder.path().join(format!("whole-{number}"));
            let replay = way.replay(folder.path(), &folder.path().join("whole"), &data);
            let started = Instant::now();
            (replay.results(), started.elapsed())
        });
        assert!(expected.count("alerts") > 300 && expected.rejected() > 500, "{}", expected.summary);
        let data = folder.path().join(format!("data-{replays}"));
        let out = folder.path().join(format!("out-{replays}"));
        loop {
            // Half of the kills come early in a run, so that a start is also killed while it recovers.
            let span = if random.one_in(2) { *takes / 4 } else { *takes };
            let after = span.mul_f64(random.below(1000) as f64 / 1000.0);
            let mut command = way.replay(folder.path(), &out, &data).command;
            let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            // A random moment, not a wait for something.
            std::thread::sleep(after);
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "after {kills} kills: {}", crate::harness::rest_of(&mut child));
                break;
            }
            child.kill().unwrap();
            let status = child.wait().unwrap();
            // Killed by the signal, not ended just before it.
            if status.code().is_none() {
                kills += 1;
                in_the_middle[usize::from(way.large)] += u32::from(wal_bytes(&data) > 100_000);
            }
        }
        Results::read(&out).equals(expected, &format!("{way:?}, {kills} kills so far"));
        let left: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 4, "something was left behind: {left:?}");
        replays += 1;
    }
    let [small, large] = in_the_middle;
    tell(&format!(
        "{kills} kills over {replays} replays, {small} and {large} of them in the middle of small and large batches"
    ));
}

#[test]
fn a_signal_stops_behind_the_batch_in_hand_and_the_replay_goes_on() {
    let folder = folder();
    let path = |name: &str, number: usize| folder.path().join(format!("{name}-{number}"));
    let small = WAYS.into_iter().filter(|way| !way.large);
    for (number, (signal, way)) in ["INT", "TERM", "INT", "TERM"].into_iter().zip(small).enumerate() {
        let expected = way.replay(folder.path(), &path("whole", number), &path("whole-data", number)).results();
        let (data, out) = (path("data", number), path("out", number));
        let running = Running::start(way.replay(folder.path(), &out, &data).command);
        // Its log grows once it commits: then it is in the middle.
        wait_until(|| wal_bytes(&data) > 100_000);
        running.signal(signal);
        let ended = running.end();
        ended.failed(3, &["interrupted after line ", "the same command continues there"]);
        assert!(!out.join("summary.json").exists(), "an interrupted replay has no summary");
        way.replay(folder.path(), &out, &data).results().equals(&expected, &format!("{signal}, {way:?}"));
    }
}

#[test]
fn without_a_data_dir_a_signal_leaves_nothing_behind() {
    let folder = folder();
    let out = folder.path().join("out");
    let running =
        Running::start(Replay::new(WAYS[0].capture(folder.path()), &out).args(["--batch-records", "16"]).command);
    wait_until(|| out.is_dir() && std::fs::read_dir(&out).unwrap().flatten().any(|it| wal_bytes(&it.path()) > 10_000));
    running.signal("TERM");
    running.end().failed(3, &["interrupted after line ", "with --data-dir it could be continued"]);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "a temporary folder was left");
}

/// The binary has no event for "in the middle", but the file system shows it.
#[track_caller]
fn wait_until(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < crate::harness::PATIENCE, "it did not come to that");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Bytes in the write-ahead logs of a data directory.
fn wal_bytes(data: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(data.join("rocksdb")) else { return 0 };
    let logs = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|kind| kind == "log"));
    logs.filter_map(|entry| entry.metadata().ok()).map(|log| log.len()).sum()
}

#[test]
fn the_second_signal_ends_at_once() {
    let folder = folder();
    let config = folder.path().join("platewatch.toml");
    let data = folder.path().join("data");
    // A pipe without a writer: the source waits in a read that no stop signal reaches.
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = format!(
        "data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [{pipe:?}]\n[api]\nlisten = \"127.0.0.1:0\"\n",
    );
    std::fs::write(&config, text).unwrap();
    let mut command = crate::harness::platewatch();
    command.args(["serve", "--config"]).arg(&config);
    let mut running = Running::start(command);
    running.wait_for("listening");
    running.signal("TERM");
    running.wait_for("a second signal ends at once");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(130));
}
