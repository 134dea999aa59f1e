//! Killed at the failpoints of a served directory: while a shorter retention is announced, while an older format is brought to the
//! current one, and around a change of work.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::dump::{Dump, Extent};
use super::points::{Rows, abort_at, points_of};
use super::workload::{Workload, address, dies, serving, stop};
use crate::harness::{Running, folder, get_data, patch, try_patch};
use crate::whole::bad::copy;

pub(super) const NO_SOURCE: &str = "[source]\nkind = \"none\"\n";

/// Serves it once, from start to stop.
#[track_caller]
pub(super) fn served(command: Command) {
    let mut running = Running::start(command);
    address(&mut running);
    stop(running);
}

/// Each point of `rows`, at each of its times, in a start of a copy of `data`; then it is served without one and must hold what
/// `data` holds after being served once.
fn killed_in_a_start(data: &Path, settings: &str, rows: Rows, times: impl Fn(&str) -> usize) {
    let folder = folder();
    let whole = folder.path().join("whole");
    copy(data, &whole);
    served(serving(&whole, settings));
    let expected = Dump::of(&whole, Extent::Everything);
    for point in points_of(rows) {
        for time in 1..=times(point) {
            let when = format!("killed at {point}, time {time}");
            let killed = folder.path().join("killed");
            let _ = std::fs::remove_dir_all(&killed);
            copy(data, &killed);
            let mut command = serving(&killed, settings);
            abort_at(&mut command, point, time);
            dies(Running::start(command), &when);
            served(serving(&killed, settings));
            Dump::of(&killed, Extent::Everything).equals(&expected, &when);
        }
    }
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_while_a_shorter_retention_is_announced() {
    let workload = Workload::new(None);
    workload.whole("road");
    let data = workload.data("road");
    let settings = |grace: &str| format!("{NO_SOURCE}[store]\nretention = \"2h\"\nretention_grace = \"{grace}\"\n");
    for grace in ["1h", "0s"] {
        killed_in_a_start(&data, &settings(grace), Rows::Announcement, |_| 1);
    }
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_while_an_older_format_is_brought_to_the_current_one() {
    let folder = folder();
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--file", "tests/fixtures/data-dir-format-1.tar.gz", "--directory"])
        .arg(folder.path());
    assert!(tar.status().unwrap().success());
    // Once for each kind of value that is rewritten.
    let times = |point: &str| if point == "migrate::rewritten" { 2 } else { 1 };
    killed_in_a_start(&folder.path().join("data"), NO_SOURCE, Rows::Migration, times);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_around_a_change_of_work() {
    let workload = Workload::new(None);
    workload.whole("road");
    let folder = folder();
    for list in ["/api/warnings", "/api/cases"] {
        let change = |address: &str| {
            let records = get_data(address, list)["records"].clone();
            let path = format!("{list}/{}", records[0]["id"].as_str().unwrap());
            let body = json!({"status": "investigating", "by": "王警官", "note": "看过录像"});
            (path, body)
        };
        let whole = folder.path().join("whole");
        let _ = std::fs::remove_dir_all(&whole);
        copy(&workload.data("road"), &whole);
        let mut running = Running::start(serving(&whole, NO_SOURCE));
        let at = address(&mut running);
        let (path, body) = change(&at);
        assert_eq!(patch(&at, &path, &body).0, 200);
        stop(running);
        let expected = Dump::of(&whole, Extent::Everything);

        for point in points_of(Rows::Work) {
            let when = format!("killed at {point} of {list}");
            let killed = folder.path().join("killed");
            let _ = std::fs::remove_dir_all(&killed);
            copy(&workload.data("road"), &killed);
            let mut command = serving(&killed, NO_SOURCE);
            abort_at(&mut command, point, 1);
            let mut running = Running::start(command);
            let at = address(&mut running);
            assert_eq!(try_patch(&at, &path, &body), None, "{when}: it was answered");
            dies(running, &when);

            let mut running = Running::start(serving(&killed, NO_SOURCE));
            let at = address(&mut running);
            // A change that was not answered may be there or not; a user looks, and makes it again if it is not.
            let is_there = get_data(&at, &path)["status"] == "investigating";
            assert_eq!(is_there, point == "work::after-write", "{when}");
            if !is_there {
                assert_eq!(patch(&at, &path, &body).0, 200, "{when}");
            }
            stop(running);
            Dump::of(&killed, Extent::Everything).equals(&expected, &when);
        }
    }
}
