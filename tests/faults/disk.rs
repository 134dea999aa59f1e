//! A disk that is full or fails, and has room again: everything is then as if it had always had.
//!
//! Full is a small file system of its own. An error of the disk comes from the points that stand for a write: of a commit,
//! of a flush, of the tally; full comes there too, at every one of them.

use serde_json::json;

use super::points::{Rows, count_hits, hits, points_of};
use super::starts::{NO_SOURCE, served};
use super::workload::{Workload, address, finish, seed, serving, serving_with, stop};
use crate::harness::{LONG, Running, folder, get_data, patch, tell, try_get, try_patch, wait_until};
use crate::whole::full_disk::{SmallDisk, may_mount};

/// What the operating system says, and what a user reads.
const ERRORS: [(&str, &str); 2] =
    [("No space left on device", "no space left on the disk of"), ("Input/output error", "Input/output error")];

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn a_write_that_fails_anywhere_ends_the_run_and_the_next_goes_on() {
    let mut random = seed("failing writes");
    for retention in [None, Some("2h")] {
        let workload = Workload::new(retention);
        let expected = workload.whole("whole");
        let file = workload.folder.path().join("hits");
        let mut counted = workload.replay("counted");
        count_hits(&mut counted.command, points_of(Rows::Writes), &file);
        counted.results().equals(&expected.0, "counted");
        let hits = hits(&file);
        let mut runs = 0;
        for point in points_of(Rows::Writes) {
            let all = *hits.get(point).unwrap_or_else(|| panic!("{point} was never reached"));
            // Those of the tally follow the clock.
            let last = if point == "tally::write" { 3 } else { all };
            let mut times = vec![1, 1 + random.below(last), last];
            times.sort_unstable();
            times.dedup();
            for (time, (error, words)) in times.into_iter().flat_map(|time| ERRORS.map(|error| (time, error))) {
                let (name, when) = (runs.to_string(), format!("{point} fails from time {time} of {all} on: {error}"));
                // As long as the disk fails, a start fails too or changes nothing.
                for attempt in 0..2 {
                    let replay =
                        workload.replay(&name).env("PLATEWATCH_FAILPOINTS", &format!("{point}=fail@{time}:{error}"));
                    let ended = replay.run();
                    if attempt == 1 && ended.code == Some(0) {
                        break;
                    }
                    ended.failed(3, &[words, workload.data(&name).to_str().unwrap()]);
                }
                workload.ends_as(&name, &expected, &when);
                runs += 1;
            }
        }
        tell(&format!("retention {retention:?}: {runs} writes failed"));
    }
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn an_appliance_whose_disk_fails_says_so_and_goes_on_after_a_restart() {
    let workload = Workload::new(None);
    let settings = workload.settings();
    let whole = workload.data("whole");
    let expected = finish(serving(&whole, &settings), &whole);
    for (error, words) in ERRORS {
        let data = workload.data(&error.replace([' ', '/'], "-"));
        let mut command = serving(&data, &settings);
        command.env("PLATEWATCH_FAILPOINTS", format!("database::write=fail@40:{error}"));
        // It ends by itself: no more input can be taken.
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(3), "{error}: {}", ended.stderr);
        assert!(ended.stderr.contains(words) && !ended.stderr.contains("panicked"), "{error}: {}", ended.stderr);
        finish(serving(&data, &settings), &data).equals(&expected, error);
    }
}

/// With nothing to take in, no batch meets the latch.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn an_appliance_that_takes_nothing_in_ends_too_when_a_write_fails() {
    let workload = Workload::new(None);
    workload.whole("road");
    let data = workload.data("road");
    served(serving(&data, NO_SOURCE));
    let file = workload.folder.path().join("hits");
    let mut command = serving(&data, NO_SOURCE);
    count_hits(&mut command, points_of(Rows::Writes), &file);
    let mut running = Running::start(command);
    let at = address(&mut running);
    let path = format!("/api/warnings/{}", get_data(&at, "/api/warnings")["records"][0]["id"].as_str().unwrap());
    let body = json!({"status": "investigating", "by": "王警官", "note": "看过录像"});
    assert_eq!(patch(&at, &path, &body).0, 200);
    // The change is the newest of them.
    let time = hits(&file)["database::write"];
    stop(running);
    let (error, words) = ERRORS[0];
    let mut command = serving(&data, NO_SOURCE);
    command.env("PLATEWATCH_FAILPOINTS", format!("database::write=fail@{time}:{error}"));
    let mut running = Running::start(command);
    let at = address(&mut running);
    assert_ne!(try_patch(&at, &path, &json!({"by": "王警官", "note": "再看"})), Some(200));
    running.end().failed(3, &[words]);
}

#[test]
fn an_appliance_on_a_full_disk_goes_on_when_there_is_room() {
    if !may_mount(module_path!(), "an_appliance_on_a_full_disk_goes_on_when_there_is_room") {
        return;
    }
    let workload = Workload::new(None);
    let settings = workload.settings();
    let whole = workload.data("whole");
    let expected = finish(serving(&whole, &settings), &whole);
    let folder = folder();
    let mut full = 0;
    for size in ["400k", "1m", "1500k", "2m", "3m"] {
        let disk = SmallDisk::mount(folder.path().join(size), size);
        // The configuration is not on that disk.
        let data = disk.0.join("data");
        let config = folder.path().join(format!("{size}.toml"));
        let command = || serving_with(&data, &config, &settings);
        for _ in 0..2 {
            let mut running = Running::start(command());
            match running.wait_or_end("address=") {
                Err(()) => {
                    full += 1;
                    running.end().failed(3, &["no space left on the disk of ", "free some space"]);
                }
                Ok(line) => {
                    let at = line.split("address=").nth(1).unwrap().trim().to_owned();
                    let mut ended = false;
                    wait_until(LONG, "it has read all, or ends", || {
                        ended = running.child.try_wait().unwrap().is_some();
                        // It may end while it is asked.
                        ended || try_get(&at, "/api/status").is_some_and(|(_, text)| text.contains("\"finished\""))
                    });
                    if ended {
                        full += 1;
                        running.end().failed(3, &["no space left on the disk of ", "free some space"]);
                    } else {
                        running.signal("TERM");
                        let ended = running.end();
                        // The last flush may be what does not fit.
                        assert!(matches!(ended.code, Some(0 | 3)), "{size}: {}", ended.stderr);
                        full += usize::from(ended.code == Some(3));
                    }
                }
            }
        }
        disk.remount("size=512m");
        finish(command(), &data).equals(&expected, size);
    }
    tell(&format!("{full} starts met a full disk"));
    assert!(full >= 4, "only {full} starts met a full disk");
}
