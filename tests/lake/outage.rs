//! A folder that cannot be written, is another's, or is not mounted: the pipeline goes on, the message says what to do, and
//! once it is mended everything is there.

use std::path::Path;

use serde_json::json;

use super::{Peer, equals_store};
use crate::harness::{Appliance, Ended, PATIENCE, folder, simulated, wait_until};
use crate::whole::full_disk::{SmallDisk, may_mount};

fn started(folder: &Path, name: &str, lake: &Path) -> Appliance {
    let capture = folder.join("capture.tsv");
    if !capture.exists() {
        std::fs::write(&capture, simulated(3_000, 3, &[])).unwrap();
    }
    let mut appliance = Appliance::new(&folder.join(name));
    appliance.configure_lake(lake, &capture, "max_delay = \"50ms\"", "");
    appliance.start();
    appliance
}

/// Waits until the lake is blocked with a message that holds this, while all of the capture is taken in.
#[track_caller]
fn is_blocked(appliance: &Appliance, part: &str) {
    wait_until(PATIENCE, part, || {
        let lakes = appliance.lakes();
        lakes
            .iter()
            .all(|lake| lake["state"] == "blocked" && lake["last_error"].as_str().unwrap_or_default().contains(part))
    });
    wait_until(PATIENCE, "the source ends", || appliance.status()["source"]["state"] == "finished");
    let rows: u64 = appliance.lakes().iter().map(|lake| lake["lag_rows"].as_u64().unwrap()).sum();
    assert!(rows > 400, "{rows}");
}

#[test]
fn a_place_that_is_no_folder_blocks_the_lake_alone() {
    let folder = folder();
    let lake = folder.path().join("place/lake");
    std::fs::write(folder.path().join("place"), "a file").unwrap();
    let mut appliance = started(folder.path(), "one", &lake);
    is_blocked(&appliance, "cannot write");
    std::fs::remove_file(folder.path().join("place")).unwrap();
    appliance.wait_for_lake();
    appliance.stop();
    equals_store(&lake, &appliance.data(), "once there is room for the folder");
}

#[test]
fn a_lake_of_another_directory_and_one_that_is_not_mounted_are_left_alone() {
    let folder = folder();
    let lake = folder.path().join("lake");
    let mut first = started(folder.path(), "first", &lake);
    first.wait_for_lake();
    first.stop();
    let second = started(folder.path(), "second", &lake);
    is_blocked(&second, "is the lake of another data directory");
    drop(second);
    equals_store(&lake, &first.data(), "beside another appliance");

    // Its disk is not mounted: the folder is there and empty.
    let away = folder.path().join("away");
    std::fs::rename(&lake, &away).unwrap();
    std::fs::create_dir(&lake).unwrap();
    first.start();
    wait_until(PATIENCE, "it says so", || first.lakes().iter().all(|lake| lake["state"] == "blocked"));
    assert!(first.lakes()[0]["last_error"].as_str().unwrap().contains("Mount its disk"), "{:?}", first.lakes());
    assert_eq!(std::fs::read_dir(&lake).unwrap().count(), 0);
    std::fs::remove_dir(&lake).unwrap();
    std::fs::rename(&away, &lake).unwrap();
    first.wait_for_lake();
    first.stop();
    equals_store(&lake, &first.data(), "once it is mounted");
}

#[test]
fn a_full_disk_and_one_for_reading_only_hold_the_lake_until_they_are_mended() {
    if !may_mount(module_path!(), "a_full_disk_and_one_for_reading_only_hold_the_lake_until_they_are_mended") {
        return;
    }
    let folder = folder();
    let disk = SmallDisk::mount(folder.path().join("disk"), "12k");
    let lake = disk.0.join("lake");
    let mut appliance = started(folder.path(), "one", &lake);
    is_blocked(&appliance, "make room there");
    disk.remount("size=64m");
    appliance.wait_for_lake();
    appliance.stop();
    equals_store(&lake, &appliance.data(), "once there is room");

    disk.remount("ro");
    let capture = folder.path().join("capture.tsv");
    let mut more = std::fs::read(&capture).unwrap();
    more.extend_from_slice(&simulated(1_000, 4, &["--rate", "7"]));
    std::fs::write(&capture, more).unwrap();
    appliance.start();
    is_blocked(&appliance, "for reading only");
    disk.remount("rw");
    appliance.wait_for_lake();
    appliance.stop();
    equals_store(&lake, &appliance.data(), "once it can be written");
}

#[test]
fn what_forget_and_doctor_say_of_the_lake() {
    let folder = folder();
    let lake = folder.path().join("lake");
    let mut appliance = started(folder.path(), "one", &lake);
    appliance.wait_for_lake();
    let plate =
        appliance.post("/api/query", &json!({"limit": 1})).data()["records"][0]["HPHM"].as_str().unwrap().to_owned();
    appliance.stop();
    let forgotten =
        Ended::from(appliance.command("forget").args([&plate, "--reason", "asked for", "--yes"]).output().unwrap());
    forgotten.done();
    let question = forgotten.stdout.lines().find(|line| line.contains("SELECT DISTINCT filename")).unwrap();
    let files = Peer::Duck.says("ask", &[Path::new(question.trim().trim_end_matches(';'))]);
    assert!(files.contains("platewatch-s0"), "{question}: {files}");
    let said = Ended::from(appliance.command("doctor").arg("--offline").output().unwrap());
    assert!(said.stdout.contains(&format!("lake: ok: {} can be written", lake.display())), "{}", said.stdout);
}
