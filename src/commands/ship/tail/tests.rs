use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;

use super::*;

/// A log in a folder of its own, and the lines that were returned.
struct Bench {
    dir: tempfile::TempDir,
    tail: Tail,
    shipped: String,
    place: Option<Place>,
}

impl Bench {
    fn new(content: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, content).unwrap();
        Self { tail: Tail::new(&path, false, None), dir, shipped: String::new(), place: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Reads until there is nothing new, across rotated files.
    fn read(&mut self) {
        let mut buffer = Vec::new();
        let mut idle = Instant::now();
        loop {
            match self.tail.next(&mut buffer).unwrap() {
                Next::Lines(place) => {
                    self.shipped += str::from_utf8(&buffer).unwrap();
                    self.place = Some(place);
                    idle = Instant::now();
                }
                Next::End => return,
                Next::Idle if self.on_the_log() || idle.elapsed() > QUIET * 4 => return,
                Next::Idle => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn on_the_log(&self) -> bool {
        let current = self.tail.current.as_ref().map(|place| place.file.metadata().unwrap().ino());
        current == fs::metadata(self.path("log")).ok().map(|metadata| metadata.ino())
    }

    /// The lines that are returned from here on.
    fn reads(&mut self, expected: &str) {
        self.shipped.clear();
        self.read();
        assert_eq!(self.shipped, expected);
    }

    /// Another process continues after the returned lines.
    fn restart(&mut self) {
        let json = serde_json::to_string(&self.place.as_ref().unwrap().position()).unwrap();
        self.tail = Tail::new(&self.path("log"), false, Some(&serde_json::from_str(&json).unwrap()));
    }
}

#[test]
fn a_line_goes_when_it_has_its_end() {
    let mut log = Bench::new("one\ntw");
    log.reads("one\n");
    log.append("log", "o");
    log.reads("");
    log.append("log", "\nthree\n\n");
    log.reads("two\nthree\n\n");
}

#[test]
fn a_renamed_log_is_read_to_its_end_first() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    log.rename("log", "log.1");
    log.append("log.1", "two\nlast, unended");
    log.append("log", "three\n");
    log.reads("two\nlast, unended\nthree\n");
}

#[test]
fn a_truncated_log_is_read_from_its_beginning() {
    let mut log = Bench::new("one\ntwo\n");
    log.reads("one\ntwo\n");
    fs::write(log.path("log"), "3\n").unwrap();
    log.tail.next(&mut Vec::new()).unwrap();
    assert!(log.tail.take_notices()[0].contains("was truncated behind byte 8"));
    log.reads("3\n");
    // Already longer than before when it is checked.
    fs::write(log.path("log"), "four and more\n").unwrap();
    log.tail.next(&mut Vec::new()).unwrap();
    log.tail.take_notices();
    log.reads("four and more\n");
}

#[test]
fn a_log_written_anew_with_the_same_beginning_is_another() {
    let banner = "the same banner every day\n".repeat(40);
    let mut log = Bench::new(&format!("{banner}one\ntwo\n"));
    log.reads(&format!("{banner}one\ntwo\n"));
    // Truncated and already longer than before when it is checked: only what was read last shows it.
    let anew = format!("{banner}three\nfour\nfive\n");
    fs::write(log.path("log"), &anew).unwrap();
    log.tail.next(&mut Vec::new()).unwrap();
    assert!(log.tail.take_notices()[0].contains("was truncated behind byte"));
    log.reads(&anew);
    // The same while it is not followed, and with a copy beside it.
    log.append("log", "six\n");
    fs::copy(log.path("log"), log.path("log.1")).unwrap();
    let anew = format!("{banner}seven\n{banner}");
    fs::write(log.path("log"), &anew).unwrap();
    log.restart();
    log.reads(&format!("six\n{anew}"));
    assert!(log.tail.take_notices().is_empty());
}

#[test]
fn a_state_file_of_before_endings_is_read() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    let mut saved = serde_json::to_value(log.place.as_ref().unwrap().position()).unwrap();
    saved.as_object_mut().unwrap().remove("ending");
    log.append("log", "two\n");
    log.tail = Tail::new(&log.path("log"), false, Some(&serde_json::from_value(saved).unwrap()));
    log.reads("two\n");
}

#[test]
fn what_truncation_took_away_is_in_the_copy() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    log.append("log", "two\n");
    fs::copy(log.path("log"), log.path("log.1")).unwrap();
    fs::write(log.path("log"), "three\n").unwrap();
    log.reads("two\nthree\n");
    assert!(log.tail.take_notices().is_empty());
}

#[test]
fn a_log_replaced_by_a_longer_copy_of_itself_goes_on() {
    let replacements: [fn(&Bench, &str); 3] = [
        // As rsync and editors do.
        |log, text| {
            fs::write(log.path("log.tmp"), text).unwrap();
            log.rename("log.tmp", "log");
        },
        // The old one stays beside it.
        |log, text| {
            log.rename("log", "log.old");
            fs::write(log.path("log"), text).unwrap();
        },
        |log, text| {
            fs::remove_file(log.path("log")).unwrap();
            fs::write(log.path("log"), text).unwrap();
        },
    ];
    for replace in replacements {
        for restarts in [false, true] {
            let mut log = Bench::new("one\ntwo\nthr");
            log.reads("one\ntwo\n");
            replace(&log, "one\ntwo\nthree\nfour\n");
            if restarts {
                log.restart();
            }
            log.reads("three\nfour\n");
            log.append("log", "five\n");
            log.reads("five\n");
            assert!(log.tail.take_notices().is_empty());
        }
    }
}

#[test]
fn a_hole_of_nul_bytes_is_no_line() {
    for restarts in [false, true] {
        let mut log = Bench::new("one\n");
        log.reads("one\n");
        log.append("log", "two\n");
        // The writer does not append: after the truncation it continues at its old offset.
        fs::copy(log.path("log"), log.path("log.1")).unwrap();
        let hole = vec![0; 3 * CHUNK + 8];
        fs::write(log.path("log"), [&hole[..], b"three\nfour\n"].concat()).unwrap();
        if restarts {
            log.restart();
        }
        log.reads("two\nthree\nfour\n");
        // A hole between lines, and room that is not written yet.
        log.append("log", "\0\0\0five\n\0\0\0\0");
        log.reads("five\n");
        log.append("log", "\0six\n");
        log.reads("six\n");
        assert!(log.tail.take_notices().is_empty());
    }
}

#[test]
fn a_restart_goes_on_behind_what_was_read() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    log.append("log", "two\n");
    log.restart();
    log.reads("two\n");
    log.restart();
    log.reads("");
}

#[test]
fn a_log_that_was_only_opened_is_not_passed_over() {
    let rotations: [fn(&Bench); 2] = [
        |log| log.rename("log", "log.1"),
        |log| {
            fs::copy(log.path("log"), log.path("log.1")).unwrap();
            fs::write(log.path("log"), "").unwrap();
        },
    ];
    for rotate in rotations {
        let mut log = Bench::new("one\n");
        log.place = log.tail.place().unwrap();
        rotate(&log);
        log.append("log", "two\n");
        log.restart();
        log.reads("one\ntwo\n");
        assert!(log.tail.take_notices().is_empty());
    }
}

#[test]
fn all_files_of_several_rotations_come_after_a_restart() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    log.append("log", "two\n");
    for (line, pause) in [("three\n", 20), ("four\n", 0)] {
        if log.path("log.1").exists() {
            log.rename("log.1", "log.2");
        }
        log.rename("log", "log.1");
        std::thread::sleep(Duration::from_millis(pause));
        log.append("log", line);
    }
    log.append("log.bak", "not one of them\n");
    log.append("log.1.gz", "nor this\n");
    log.restart();
    log.reads("two\nthree\nfour\n");
}

#[test]
fn a_file_that_is_gone_is_missed_loudly() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    fs::remove_file(log.path("log")).unwrap();
    log.append("log", "two\n");
    log.restart();
    assert!(log.tail.take_notices()[0].contains("read up to byte 4 is no longer beside"));
    log.reads("two\n");
}

#[test]
fn a_log_with_an_old_inode_is_another_log() {
    let mut log = Bench::new("one\n");
    log.reads("one\n");
    // The same inode with other bytes: what a file system does that reuses inode numbers.
    fs::write(log.path("log"), "two, which is longer\n").unwrap();
    log.restart();
    log.tail.take_notices();
    log.reads("two, which is longer\n");
}

#[test]
fn once_ends_with_a_line_that_has_no_end() {
    let mut log = Bench::new("one\ntwo");
    log.tail = Tail::new(&log.path("log"), true, None);
    let mut buffer = Vec::new();
    let mut all = String::new();
    loop {
        match log.tail.next(&mut buffer).unwrap() {
            Next::Lines(_) => all += str::from_utf8(&buffer).unwrap(),
            Next::Idle => std::thread::sleep(Duration::from_millis(10)),
            Next::End => break,
        }
    }
    assert_eq!(all, "one\ntwo\n");
}

#[test]
fn an_endless_line_is_cut() {
    let mut log = Bench::new(&("x".repeat(3 * CHUNK + 5) + "\nnext\n"));
    log.read();
    let (long, rest) = log.shipped.split_once('\n').unwrap();
    assert_eq!((long.len(), rest), (MAX_LINE, "next\n"));
    assert_eq!(log.tail.take_notices().len(), 1);
    log.append("log", &"y".repeat(2 * CHUNK));
    log.reads("");
    log.append("log", "\nend\n");
    log.reads(&("y".repeat(MAX_LINE) + "\nend\n"));
}
