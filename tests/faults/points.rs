//! The failpoints of the program and how a process is ended at one.
//!
//! [`POINTS`] is the matrix: each name that the sources hold, and the test whose rows end the process there. Whether a
//! point is reached shows in how the process ends: by the signal of the abort, or not.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use super::workload::SIGABRT;
use crate::harness::{Ended, repository};

/// A group of rows of the matrix: a workload that meets its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// `replays.rs`: a capture in small commits, also where a retention drops rows.
    Replay,
    /// `starts.rs`: a directory whose retention becomes shorter.
    Announcement,
    /// `starts.rs`: a directory of an older format.
    Migration,
    /// `starts.rs`: work on alerts and cases.
    Work,
    /// `takeover.rs`: a partition that another appliance had.
    Takeover,
    /// `mirrors.rs`: MariaDB and Redis.
    Mirrors,
    /// `disk.rs`: points that stand for a write and can fail.
    Writes,
    /// `whole/backup.rs`: a backup that is taken, and one that is restored.
    Backup,
    Restore,
    /// `lake/killed.rs`: files of the lake.
    Lake,
}

/// Every failpoint, and which rows end the process there or make it fail.
pub(super) const POINTS: [(&str, Rows); 36] = [
    ("backup::before-manifest", Rows::Backup),
    ("backup::copied", Rows::Backup),
    ("backup::file", Rows::Backup),
    ("close::before-flush", Rows::Replay),
    ("commit::after-write", Rows::Replay),
    ("commit::before-publish", Rows::Replay),
    ("commit::before-write", Rows::Replay),
    ("database::flush", Rows::Writes),
    ("database::write", Rows::Writes),
    ("database::written", Rows::Replay),
    ("evidence::saved", Rows::Replay),
    ("lake::published", Rows::Lake),
    ("lake::written", Rows::Lake),
    ("migrate::after-format", Rows::Migration),
    ("migrate::before-format", Rows::Migration),
    ("migrate::rewritten", Rows::Migration),
    ("mirror::acknowledged", Rows::Mirrors),
    ("mirror::before-send", Rows::Mirrors),
    ("mirror::sent", Rows::Mirrors),
    ("open::before-stray-bodies", Rows::Replay),
    ("open::before-tally", Rows::Replay),
    ("open::replayed", Rows::Replay),
    ("restore::before-current", Rows::Restore),
    ("restore::file", Rows::Restore),
    ("retention::announced", Rows::Announcement),
    ("retention::before-announcement", Rows::Announcement),
    ("retention::body-removed", Rows::Replay),
    ("retention::dropped", Rows::Replay),
    ("segment::merged", Rows::Replay),
    ("segment::sealed", Rows::Replay),
    ("takeover::after-write", Rows::Takeover),
    ("takeover::before-write", Rows::Takeover),
    ("tally::write", Rows::Writes),
    ("tally::written", Rows::Replay),
    ("work::after-write", Rows::Work),
    ("work::before-write", Rows::Work),
];

/// The points of a group of rows.
pub(crate) fn points_of(rows: Rows) -> impl Iterator<Item = &'static str> {
    POINTS.into_iter().filter(move |(_, of)| *of == rows).map(|(name, _)| name)
}

/// Ends the process the `time`-th time that it comes to `point`.
pub(crate) fn abort_at(command: &mut Command, point: &str, time: usize) {
    command.env("PLATEWATCH_FAILPOINTS", format!("{point}=abort@{time}"));
}

/// Has these points counted in a file.
pub(super) fn count_hits(command: &mut Command, points: impl Iterator<Item = &'static str>, file: &Path) {
    let actions: Vec<String> = points.map(|point| format!("{point}=count")).collect();
    command.env("PLATEWATCH_FAILPOINTS", actions.join(";")).env("PLATEWATCH_FAILPOINTS_HITS", file);
}

/// How often each point was reached.
pub(super) fn hits(file: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in std::fs::read_to_string(file).unwrap().lines() {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// Runs a command that must end at the failpoint that was set.
#[track_caller]
pub(crate) fn aborts(mut command: Command, when: &str) {
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let signal = output.status.signal();
    assert_eq!(signal, Some(SIGABRT), "{when}: the point was not reached: {:?}", Ended::from(output));
}

/// The names in the sources.
fn names_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names_in(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fail_point!(\"").skip(1);
            found.extend(names.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
}

#[test]
fn the_matrix_has_every_failpoint_of_the_sources() {
    let mut found = BTreeSet::new();
    for folder in ["src", "storage/src", "shard/src", "traffic/src", "access/src"] {
        names_in(&repository(folder), &mut found);
    }
    let known: BTreeSet<String> = POINTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, known);
    assert_eq!(known.len(), POINTS.len(), "a point is there twice");
}
