//! A disk that fills up, on a small file system of its own: a clear sentence, and nothing that was accepted is lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::dirty::{Style, dirty};
use crate::harness::{Replay, folder, simulated, tell};

/// A file system in memory, removed with the value.
#[derive(Debug)]
pub(crate) struct SmallDisk(pub(crate) PathBuf);

impl SmallDisk {
    pub(crate) fn mount(at: PathBuf, size: &str) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        assert!(mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], &at), "mounting failed");
        Self(at)
    }

    pub(crate) fn remount(&self, option: &str) {
        assert!(
            mount(&["-t", "tmpfs", "-o", &format!("remount,{option}"), "tmpfs"], &self.0),
            "remounting with {option} failed"
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], at: &Path) -> bool {
    Command::new("mount").args(args).arg(at).output().is_ok_and(|output| output.status.success())
}

const INSIDE: &str = "PLATEWATCH_TEST_MAY_MOUNT";

/// Whether this process may mount; if not, the named test runs in a namespace where it may, and this process is done. A
/// machine where neither works fails the test.
pub(crate) fn may_mount(module: &str, test: &str) -> bool {
    let folder = folder();
    if mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], folder.path()) {
        drop(SmallDisk(folder.path().to_owned()));
        return true;
    }
    assert!(std::env::var_os(INSIDE).is_none(), "mounting does not work even in a namespace of its own");
    let (_, module) = module.split_once("::").unwrap();
    let test = format!("{module}::{test}");
    let mut command = Command::new("unshare");
    command.arg("-Urm").arg(std::env::current_exe().unwrap()).args(["--exact", &test, "--nocapture"]).env(INSIDE, "1");
    let status =
        command.status().unwrap_or_else(|error| panic!("neither mount nor unshare works ({error}): run it as root"));
    assert!(status.success(), "{test} failed in its namespace");
    false
}

fn capture(folder: &Path, count: u64) -> PathBuf {
    let file = folder.join("capture.tsv");
    let style = Style { separator: '\t', pieces: 1, spoilt: 30 };
    std::fs::write(&file, dirty(&simulated(count, 61, &[]), 61, style)).unwrap();
    file
}

#[test]
fn of_the_data_directory() {
    if !may_mount(module_path!(), "of_the_data_directory") {
        return;
    }
    let folder = folder();
    let file = capture(folder.path(), 80_000);
    let expected = Replay::new(&file, &folder.path().join("whole")).args(["--batch-records", "2000"]).results();
    let mut full = 0;
    for size in ["200k", "1m", "2m", "4m", "6m", "8m", "10m"] {
        let disk = SmallDisk::mount(folder.path().join(format!("disk-{size}")), size);
        let (data, out) = (disk.0.join("data"), folder.path().join("out"));
        let replay = || Replay::new(&file, &out).args(["--batch-records", "2000", "--data-dir"]).args([&data]);
        let _ = std::fs::remove_dir_all(&out);
        // The disk stays full for a while. Starting again loses nothing, and may even succeed: opening frees space.
        for _ in 0..2 {
            let ended = replay().run();
            if ended.code == Some(0) {
                break;
            }
            full += 1;
            ended.failed(3, &["no space left on the disk of ", "free some space", data.to_str().unwrap()]);
            assert!(!out.join("summary.json").exists(), "{size}: a summary of half a replay");
        }
        disk.remount("size=512m");
        replay().results().equals(&expected, size);
    }
    tell(&format!("{full} replays met a full disk"));
    assert!(full >= 4, "only {full} replays met a full disk");
}

#[test]
fn of_the_output() {
    if !may_mount(module_path!(), "of_the_output") {
        return;
    }
    let folder = folder();
    let file = capture(folder.path(), 20_000);
    let expected = Replay::new(&file, &folder.path().join("whole")).results();
    let disk = SmallDisk::mount(folder.path().join("disk"), "64k");
    let (data, out) = (folder.path().join("data"), disk.0.join("out"));
    let replay = || Replay::new(&file, &out).args(["--data-dir"]).args([&data]);
    replay().run().failed(3, &["cannot write ", ".jsonl", "No space left"]);
    assert!(std::fs::read_dir(&out).unwrap().count() <= 1, "half a file was left");
    disk.remount("size=64m");
    replay().results().equals(&expected, "with space again");

    // Without a data directory, the temporary one is beside the output.
    disk.remount("size=16m");
    let ended = Replay::new(capture(folder.path(), 400_000), &disk.0.join("other")).run();
    ended.failed(3, &["no space left on the disk of "]);
    assert_eq!(std::fs::read_dir(disk.0.join("other")).unwrap().count(), 0, "something was left on the full disk");
}

#[test]
fn while_sorting() {
    if !may_mount(module_path!(), "while_sorting") {
        return;
    }
    let folder = folder();
    let file = folder.path().join("capture.tsv");
    std::fs::write(&file, simulated(300_000, 62, &[])).unwrap();
    let disk = SmallDisk::mount(folder.path().join("disk"), "1m");
    let data = folder.path().join("data");
    let replay = || {
        let replay =
            Replay::new(&file, &disk.0.join("out")).args(["--order", "time", "--memory", "32MiB", "--data-dir"]);
        replay.args([&data])
    };
    replay().run().failed(3, &["no space left for sorting by time", "free some space beside the output"]);
    disk.remount("size=256m");
    let sorted = replay().results();
    sorted.adds_up();
    assert_eq!(sorted.count("lines"), 300_000);
}

#[test]
fn read_only() {
    if !may_mount(module_path!(), "read_only") {
        return;
    }
    let folder = folder();
    let file = capture(folder.path(), 1000);
    let disk = SmallDisk::mount(folder.path().join("disk"), "64m");
    let (data, out) = (disk.0.join("data"), folder.path().join("out"));
    let replay = |data: &Path, out: &Path| Replay::new(&file, out).args(["--data-dir"]).args([data]);
    let expected = replay(&data, &out).results();
    disk.remount("ro");
    replay(&data, &out).run().failed(3, &["in data directory", data.to_str().unwrap(), "Read-only file system"]);
    let other = disk.0.join("other");
    replay(&other, &out).run().failed(3, &["cannot create the folder in data directory", "Read-only file system"]);
    replay(&folder.path().join("data"), &disk.0.join("out")).run().failed(2, &["cannot make the output folder"]);
    disk.remount("rw");
    replay(&data, &out).results().equals(&expected, "writable again");
}
