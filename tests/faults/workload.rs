//! What the rows of the matrix run: a small road with clones, misreads and a fast clock, made as dirty as a real export.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dump::{Dump, Extent};
use crate::harness::{LONG, Random, Replay, Results, Running, folder, get_data, platewatch, road, tell, wait_until};
use crate::whole::dirty::{Style, dirty};

/// The signal of an abort.
pub(super) const SIGABRT: i32 = 6;
/// Lines of a commit.
const BATCH: &str = "256";

/// The seed of this run: `FAULTS_SEED`, or one of the clock's. It is printed.
pub(super) fn seed(what: &str) -> Random {
    let given = std::env::var("FAULTS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into());
    tell(&format!("{what}: FAULTS_SEED={seed}"));
    Random(seed)
}

/// A capture, and folders for what is made of it.
pub(super) struct Workload {
    pub(super) folder: tempfile::TempDir,
    pub(super) capture: PathBuf,
    retention: Option<&'static str>,
}

impl Workload {
    /// Eight hours of road. With a retention most of it is dropped on the way.
    pub(super) fn new(retention: Option<&'static str>) -> Self {
        let style = Style { separator: '\t', pieces: 1, spoilt: 40 };
        Self::of(&dirty(road(5).as_bytes(), 5, style), retention)
    }

    /// The same road without dirt: every GCXH is there once, as in a table whose key it is.
    pub(super) fn clean() -> Self {
        Self::of(road(5).as_bytes(), None)
    }

    fn of(lines: &[u8], retention: Option<&'static str>) -> Self {
        let folder = folder();
        let capture = folder.path().join("road.tsv");
        std::fs::write(&capture, lines).unwrap();
        Self { folder, capture, retention }
    }

    pub(super) fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}-data"))
    }

    /// The replay into the data directory of this name.
    pub(super) fn replay(&self, name: &str) -> Replay {
        let replay = Replay::new(&self.capture, &self.folder.path().join(format!("{name}-out")));
        let replay = replay.args(["--batch-records", BATCH, "--data-dir"]).args([self.data(name)]);
        match self.retention {
            Some(retention) => replay.args(["--retention", retention]),
            None => replay,
        }
    }

    /// Sections of a configuration with which `serve` reads the capture.
    pub(super) fn settings(&self) -> String {
        format!(
            "[source]\nkind = \"capture\"\nfiles = [{:?}]\nbatch_records = 100\n[store]\nretention = \"forever\"\n\
             alerts_retention = \"forever\"\nrejects_retention = \"forever\"\n",
            self.capture
        )
    }

    /// Replays to the end; what came out, and what the directory holds then.
    pub(super) fn whole(&self, name: &str) -> (Results, Dump) {
        let results = self.replay(name).results();
        (results, Dump::of(&self.data(name), Extent::Everything))
    }

    /// Replays to the end, and demands what a replay without a fault left.
    #[track_caller]
    pub(super) fn ends_as(&self, name: &str, (results, dump): &(Results, Dump), when: &str) {
        let ended = self.replay(name).results();
        ended.equals(results, when);
        Dump::of(&self.data(name), Extent::Everything).equals(dump, when);
        // Rows have many runs: their folders would fill the disk.
        let _ = std::fs::remove_dir_all(self.data(name));
    }
}

/// The command that serves a data directory. `settings` are sections of the configuration; one for the source is needed.
pub(super) fn serving(data: &Path, settings: &str) -> Command {
    serving_with(data, &data.with_extension("toml"), settings)
}

/// The same with another place for the configuration.
pub(super) fn serving_with(data: &Path, config: &Path, settings: &str) -> Command {
    let text =
        format!("data_dir = {data:?}\n{settings}\n[api]\nlisten = \"127.0.0.1:0\"\n[predict]\ntrain = \"off\"\n");
    std::fs::write(config, text).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(config);
    command
}

/// Runs it until its capture is read, and stops it; what its data directory holds then.
#[track_caller]
pub(super) fn finish(command: Command, data: &Path) -> Dump {
    let mut running = Running::start(command);
    let at = address(&mut running);
    wait_until(LONG, "all is read", || get_data(&at, "/api/status")["source"]["state"] == "finished");
    stop(running);
    Dump::of(data, Extent::WhateverTheBatches)
}

/// Waits until it answers; returns its address.
#[track_caller]
pub(super) fn address(running: &mut Running) -> String {
    running.wait_for("address=").split("address=").nth(1).unwrap().trim().to_owned()
}

/// Stops it in order.
#[track_caller]
pub(super) fn stop(running: Running) {
    running.signal("TERM");
    running.end().done();
}

/// Waits until it ends by the abort of a failpoint.
#[track_caller]
pub(super) fn dies(mut running: Running, when: &str) {
    let mut status = None;
    wait_until(LONG, &format!("{when}: the point is reached"), || {
        status = running.child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().signal(), Some(SIGABRT), "{when}: {}", running.seen());
}
