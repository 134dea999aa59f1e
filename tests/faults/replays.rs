//! Killed at each failpoint of a replay, at the first time, the last and one in between, and in the middle of the recovery from
//! that: the next run ends with everything as if nothing had happened.

use super::points::{Rows, abort_at, aborts, count_hits, hits, points_of};
use super::workload::{Workload, seed};
use crate::harness::tell;

/// How often a point may be reached less in another run: the tally is written by the clock.
fn sure(point: &str, hits: usize) -> usize {
    if point.starts_with("tally::") { hits.min(3) } else { hits }
}

/// Every point that this workload meets; returns those.
fn killed_at_every_point(workload: &Workload, what: &str) -> Vec<&'static str> {
    let mut random = seed(what);
    let expected = workload.whole("whole");
    assert!(expected.1.count("cases") >= 3 && expected.1.count("rejects") > 50 && expected.1.count("alerts") > 50);
    assert!(expected.1.count("evidence") > 0 && expected.1.count("plates") > 0 && expected.1.count("counters") > 4);
    let file = workload.folder.path().join("hits");
    let mut counted = workload.replay("counted");
    count_hits(&mut counted.command, points_of(Rows::Replay), &file);
    counted.results().equals(&expected.0, "counted");
    let hits = hits(&file);
    workload.ends_as("counted", &expected, "replayed once more, with nothing left to do");

    let (mut met, mut kills) = (Vec::new(), 0);
    for point in points_of(Rows::Replay) {
        let Some(last) = hits.get(point).map(|hits| sure(point, *hits)) else { continue };
        met.push(point);
        let mut times = vec![1, 1 + random.below(last), last];
        times.sort_unstable();
        times.dedup();
        for time in times {
            let (name, when) = (format!("{kills}"), format!("{what}: killed at {point}, time {time} of {last}"));
            if point.starts_with("open::") {
                // What is opened was killed in the middle.
                let mut first = workload.replay(&name);
                let commits = hits["commit::after-write"];
                abort_at(&mut first.command, "commit::after-write", 1 + random.below(commits));
                aborts(first.command, &when);
            }
            let mut replay = workload.replay(&name);
            abort_at(&mut replay.command, point, time);
            aborts(replay.command, &when);
            workload.ends_as(&name, &expected, &when);
            kills += 1;
        }
    }
    tell(&format!("{what}: {kills} kills at {} points", met.len()));
    met
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_at_every_point_it_ends_as_if_it_had_not_been() {
    let mut met = killed_at_every_point(&Workload::new(None), "everything is kept");
    met.extend(killed_at_every_point(&Workload::new(Some("2h")), "two hours are kept"));
    for point in points_of(Rows::Replay) {
        assert!(met.contains(&point), "{point} was never reached");
    }
}
