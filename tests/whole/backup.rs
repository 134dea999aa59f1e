//! `backup` and `restore`: beside an appliance that takes in records, of a directory that nobody has open, killed anywhere, on full
//! disks, and with every kind of damage. What is restored holds all that was acknowledged when the backup began, and ends as an
//! unbroken run when the rest is sent.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::access::make;
use super::full_disk::{SmallDisk, may_mount};
use crate::faults::dump::{Dump, Extent};
use crate::faults::points::{Rows, abort_at, aborts, points_of};
use crate::harness::{
    Appliance, Ended, LONG, Random, Replay, agent, answer, binary, done, folder, patch, platewatch, repository, road,
    run, simulated, tell, url, wait_until,
};
use crate::mirror::mirroring::{HASTY_MYSQL, HASTY_REDIS};
use crate::mirror::truth::Truth;
use crate::servers::mariadb::MariaDb;
use crate::servers::redis::Redis;

const SIGABRT: i32 = 6;
const KEPT: &str =
    "[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nrejects_retention = \"forever\"\n";

fn backup(data: &Path, target: &Path, more: &[&str]) -> Ended {
    command("backup", target, data, more).output().unwrap().into()
}

fn restore(backup: &Path, data: &Path) -> Ended {
    command("restore", backup, data, &[]).output().unwrap().into()
}

fn command(name: &str, backup: &Path, data: &Path, more: &[&str]) -> Command {
    let mut command = platewatch();
    command.arg(name).arg(backup).arg("--data-dir").arg(data).args(more);
    command
}

fn check(backup: &Path) -> Ended {
    platewatch().args(["restore", "--check"]).arg(backup).output().unwrap().into()
}

/// A data directory with alerts, users, an audit log and plate states, that nobody has open.
fn stopped(folder: &Path, lines: u64) -> PathBuf {
    let (capture, data) = (folder.join("capture.tsv"), folder.join("data"));
    std::fs::write(&capture, simulated(lines, 71, &[])).unwrap();
    Replay::new(&capture, &folder.join("out")).args(["--batch-records", "500", "--data-dir"]).args([&data]).results();
    make(&data, &["user", "add", "wang", "--role", "supervisor"]);
    data
}

/// All files below a folder, and what `about` says of each.
fn files<T>(folder: &Path, about: impl Fn(&Path) -> T) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                all.insert(name, about(&entry.path()));
            }
        }
    }
    all
}

fn inode(path: &Path) -> (u64, u64) {
    let about = std::fs::metadata(path).unwrap();
    (about.dev(), about.ino())
}

fn tables(files: &BTreeMap<String, (u64, u64)>) -> BTreeMap<&String, (u64, u64)> {
    let is_table = |name: &str| name.ends_with(".sst") || name.ends_with(".blob");
    files.iter().filter(|(name, _)| is_table(name)).map(|(name, inode)| (name, *inode)).collect()
}

/// An appliance that takes records by HTTP.
fn taking_in(folder: &Path, data: &Path) -> Appliance {
    let appliance = Appliance::new(folder);
    let text = format!("data_dir = {data:?}\n[source]\nkind = \"http\"\n{KEPT}[predict]\ntrain = \"off\"\n");
    appliance.configure(&text, "");
    appliance
}

fn send(address: &str, body: &str) {
    let sent = answer(agent(LONG).post(url(address, "/api/ingest")).send(body));
    assert_eq!(sent.0, 200, "{}", sent.1);
}

/// Lines of a delivery.
const LINES: usize = 40;

/// How many deliveries an appliance holds: whole ones.
fn deliveries(appliance: &Appliance, bodies: &[String]) -> usize {
    let lines = appliance.status()["pipeline"]["lines"].as_u64().unwrap() as usize;
    let held = lines.div_ceil(LINES);
    assert_eq!(bodies[..held].iter().map(|body| body.lines().count()).sum::<usize>(), lines, "half a delivery");
    held
}

#[test]
fn beside_an_appliance_that_takes_in_records() {
    let folder = folder();
    let road = road(7);
    let lines: Vec<&str> = road.lines().collect();
    let bodies: Vec<String> = lines.chunks(LINES).map(|lines| lines.join("\n")).collect();
    let data = folder.path().join("data");
    let mut appliance = taking_in(&folder.path().join("running"), &data);
    appliance.start();
    let (address, sent) = (appliance.address(), AtomicUsize::new(0));
    let next = |moment: usize| bodies.len() * (moment + 1) / 8;
    let backups: Vec<(PathBuf, usize)> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for body in &bodies {
                send(&address, body);
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
        let take = |moment: usize| {
            wait_until(LONG, "records are sent", || sent.load(Ordering::Relaxed) >= next(moment));
            let target = folder.path().join(format!("backup-{moment}"));
            let acknowledged = sent.load(Ordering::Relaxed);
            backup(&data, &target, &[]).done();
            (target, acknowledged)
        };
        (0..5).map(take).collect()
    });
    wait_until(LONG, "all is there", || deliveries(&appliance, &bodies) == bodies.len());
    appliance.stop();
    let expected = Dump::of(&data, Extent::WhateverTheBatches);
    assert!(expected.count("alerts") > 3 && expected.count("row") > 1_000);
    assert!(!data.join("backup-work/copy").exists(), "a copy is left");
    for (moment, (target, acknowledged)) in backups.into_iter().enumerate() {
        let restored = folder.path().join(format!("restored-{moment}"));
        restore(&target, &restored).done();
        let mut appliance = taking_in(&folder.path().join(format!("again-{moment}")), &restored);
        appliance.start();
        let held = deliveries(&appliance, &bodies);
        assert!(held >= acknowledged, "{held} of {acknowledged} acknowledged deliveries");
        tell(&format!("backup {moment}: {acknowledged} deliveries acknowledged before, {held} held"));
        bodies[held..].iter().for_each(|body| send(&appliance.address(), body));
        appliance.stop();
        Dump::of(&restored, Extent::WhateverTheBatches).equals(&expected, &format!("backup {moment}"));
    }
}

#[test]
fn work_users_and_the_audit_log_are_restored_and_sessions_are_not() {
    let folder = folder();
    let data = stopped(folder.path(), 6_000);
    let scopes = ["--scope", "dashboard", "--scope", "plates", "--scope", "work"];
    let made = make(&data, &[&["token", "add", "wang", "--note", "test"], &scopes[..]].concat());
    let token = format!("Bearer {}", made.lines().next().unwrap());
    let mut appliance = taking_in(&folder.path().join("running"), &data);
    appliance.start_unseen();
    let warnings = |appliance: &Appliance| appliance.get("/api/warnings?limit=500");
    let asked = |appliance: &Appliance, path: &str| -> Value {
        let got = answer(agent(LONG).get(url(&appliance.address(), path)).header("authorization", &token).call());
        assert_eq!(got.0, 200, "{}", got.1);
        serde_json::from_str::<Value>(&got.1).unwrap()["data"].clone()
    };
    assert!(warnings(&appliance).is_none(), "a login is needed");
    let list = asked(&appliance, "/api/warnings?limit=500");
    let id = list["records"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"status": "investigating", "note": "看过录像"});
    let path = format!("/api/warnings/{id}");
    let changed =
        answer(agent(LONG).patch(url(&appliance.address(), &path)).header("authorization", &token).send_json(&body));
    assert_eq!(changed.0, 200, "{}", changed.1);
    let target = folder.path().join("backup");
    let taken = backup(&data, &target, &[]);
    taken.done();
    assert!(taken.stdout.starts_with("OK ") && taken.stdout.contains(" passages to 20"), "{}", taken.stdout);
    let seen = |appliance: &Appliance| {
        [path.as_str(), "/api/warnings?limit=500", "/api/cases", "/api/stats/kkmc_count"].map(|at| asked(appliance, at))
    };
    let expected = seen(&appliance);
    appliance.stop();
    let restored = folder.path().join("restored");
    let said = restore(&target, &restored);
    said.done();
    assert!(said.stdout.contains("Everybody logs in again"), "{}", said.stdout);
    let mut again = taking_in(&folder.path().join("again"), &restored);
    again.start_unseen();
    assert_eq!(seen(&again), expected);
    again.stop();
    // The chain goes on: the backup is in it, and that it was restored.
    let restored_text = restored.to_str().unwrap();
    let verified = done(["verify-audit", "--data-dir", restored_text]);
    assert!(verified.contains("OK "), "{verified}");
    let log: String = files(&restored.join("access/audit"), |path| std::fs::read_to_string(path).unwrap())
        .into_iter()
        .filter(|(name, _)| name.ends_with(".jsonl"))
        .map(|(_, text)| text)
        .collect();
    for action in ["\"work_warning\"", "\"backup\"", "\"restore\""] {
        assert_eq!(log.matches(action).count(), 1, "{action}: {log}");
    }
    let held = files(&target, |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777);
    assert!(held.contains_key("data/access/accounts.json") && held.contains_key("data/access/audit/head"));
    for not in ["sessions.json", "tally-0", "LOCK", "in-use", "backup-work"] {
        assert!(!held.keys().any(|name| name.contains(not)), "{not}");
    }
    // Whoever may read it reads all plates.
    assert!(held.values().all(|mode| *mode == 0o600), "{held:?}");
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn of_a_directory_that_nobody_has_open_and_the_next_takes_what_is_the_same() {
    let folder = folder();
    let data = stopped(folder.path(), 6_000);
    // Backups on the same disk, and on another one.
    let disk = tempfile::Builder::new().prefix("platewatch-test-").tempdir_in("/dev/shm").unwrap();
    for place in [folder.path(), disk.path()] {
        let other = place == disk.path();
        let [first, second, third] = ["first", "second", "third"].map(|name| place.join(name));
        backup(&data, &first, &[]).done();
        let expected = Dump::of(&data, Extent::Everything);
        backup(&data, &second, &["--from", first.to_str().unwrap()]).done();
        let (one, two) = (files(&first, inode), files(&second, inode));
        assert!(tables(&one).len() > 3 && tables(&one) == tables(&two), "{one:?}\n{two:?}");
        let in_data = files(&data.join("rocksdb"), inode);
        let is_linked = tables(&in_data).values().any(|inode| two.values().any(|other| other == inode));
        assert_eq!(is_linked, !other);
        // More comes: what is new is copied, and what was is linked.
        let more = folder.path().join(format!("more-{other}.tsv"));
        std::fs::write(&more, simulated(3_000, if other { 73 } else { 72 }, &[])).unwrap();
        let mut appliance = taking_in(&folder.path().join(format!("fed-{other}")), &data);
        let token = make(&data, &["token", "add", "wang", "--scope", "ingest", "--note", "x"]);
        let token = format!("Bearer {}", token.lines().next().unwrap());
        appliance.start_unseen();
        let body = std::fs::read_to_string(&more).unwrap();
        let sent = answer(
            agent(LONG).post(url(&appliance.address(), "/api/ingest")).header("authorization", &token).send(body),
        );
        assert_eq!(sent.0, 200, "{}", sent.1);
        appliance.stop();
        backup(&data, &third, &["--from", second.to_str().unwrap()]).done();
        let three = files(&third, inode);
        let shared = tables(&three).values().filter(|inode| tables(&two).values().any(|two| two == *inode)).count();
        assert!(shared > 0 && shared < tables(&three).len(), "{shared} of {}", tables(&three).len());
        let now = Dump::of(&data, Extent::Everything);
        // The earlier ones are not needed.
        for (backup, dump) in [(&first, &expected), (&third, &now)] {
            check(backup).done();
            let restored = folder.path().join("restored");
            restore(backup, &restored).done();
            Dump::of(&restored, Extent::Everything).equals(dump, &format!("{}", backup.display()));
            std::fs::remove_dir_all(&restored).unwrap();
            let _ = std::fs::remove_dir_all(&first);
            let _ = std::fs::remove_dir_all(&second);
        }
    }
}

#[test]
fn any_damage_is_refused_by_name() {
    let folder = folder();
    let data = stopped(folder.path(), 3_000);
    let whole = folder.path().join("whole");
    backup(&data, &whole, &[]).done();
    let mut random = Random(81);
    let names: Vec<String> = files(&whole, |_| ()).into_keys().collect();
    assert!(names.len() > 10 && names.iter().any(|name| name == "backup.json"));
    let target = folder.path().join("restored");
    let mut damages = 0;
    for name in &names {
        let path = whole.join(name);
        let bytes = std::fs::read(&path).unwrap();
        let mut cases = vec![("missing", None)];
        if !bytes.is_empty() {
            let mut flipped = bytes.clone();
            flipped[random.below(bytes.len())] ^= 1 << random.below(8);
            cases.push(("flipped", Some(flipped)));
            cases.push(("cut", Some(bytes[..random.below(bytes.len())].to_vec())));
        }
        let longer = [&bytes[..], b"x"].concat();
        cases.push(("longer", Some(longer)));
        for (what, damaged) in cases {
            // White space between the fields of the manifest is no content.
            if name == "backup.json" && what == "longer" {
                continue;
            }
            let _ = std::fs::remove_file(&path);
            if let Some(damaged) = damaged {
                std::fs::write(&path, damaged).unwrap();
            }
            let ended = restore(&whole, &target);
            let is_content_alike = name == "backup.json" && ended.code == Some(0);
            if is_content_alike {
                // A flipped bit between the fields.
                std::fs::remove_dir_all(&target).unwrap();
            } else {
                ended.failed(1, &[name.as_str(), "another"]);
                assert!(!target.exists(), "{name} {what}");
            }
            damages += 1;
        }
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, bytes).unwrap();
    }
    tell(&format!("{damages} damages of {} files, seed 81", names.len()));
    restore(&whole, &target).done();
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_anywhere_it_is_no_backup_and_the_next_one_is() {
    let folder = folder();
    let data = stopped(folder.path(), 3_000);
    let expected = Dump::of(&data, Extent::Everything);
    let mut number = 0;
    let mut next = || {
        number += 1;
        folder.path().join(format!("backup-{number}"))
    };
    for (point, time) in [("backup::file", 1), ("backup::file", 5), ("backup::before-manifest", 1)] {
        let target = next();
        let mut killed = command("backup", &target, &data, &[]);
        abort_at(&mut killed, point, time);
        aborts(killed, point);
        restore(&target, &folder.path().join("restored")).failed(1, &["holds no backup.json", "was interrupted"]);
        backup(&data, &target, &[]).failed(2, &["is not empty", "an earlier attempt"]);
        let again = next();
        backup(&data, &again, &[]).done();
        assert!(!data.join("backup-work/copy").exists(), "{point}: a copy is left");
        restore(&again, &folder.path().join("restored")).done();
        Dump::of(&folder.path().join("restored"), Extent::Everything).equals(&expected, point);
        std::fs::remove_dir_all(folder.path().join("restored")).unwrap();
    }
    // The appliance is killed: the command takes what the directory holds then.
    let mut appliance = taking_in(&folder.path().join("running"), &data);
    appliance.environment("PLATEWATCH_FAILPOINTS", "backup::copied=abort@1");
    appliance.start_unseen();
    let target = next();
    let taking = command("backup", &target, &data, &[]);
    let ended = std::thread::spawn(move || { taking }.output().unwrap());
    appliance.dies(SIGABRT);
    Ended::from(ended.join().unwrap()).done();
    restore(&target, &folder.path().join("restored")).done();
    // The command is killed: the appliance removes what is left.
    appliance.environment("PLATEWATCH_FAILPOINTS", "");
    appliance.start_unseen();
    let target = next();
    let mut killed = command("backup", &target, &data, &[]);
    abort_at(&mut killed, "backup::file", 2);
    aborts(killed, "beside an appliance");
    wait_until(LONG, "what is left is removed", || !data.join("backup-work/copy").exists());
    assert!(appliance.log().contains("removed what an interrupted backup left"), "{}", appliance.log());
    appliance.stop();
    let points = |rows| points_of(rows).collect::<Vec<_>>();
    assert_eq!(points(Rows::Backup), ["backup::before-manifest", "backup::copied", "backup::file"]);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn a_restore_that_was_killed_is_served_by_nobody() {
    let folder = folder();
    let data = stopped(folder.path(), 3_000);
    let target = folder.path().join("backup");
    backup(&data, &target, &[]).done();
    let count = files(&target, |_| ()).len() - 1;
    let mut times = vec![("restore::before-current", 1)];
    times.extend([1, 2, count / 2, count - 1].map(|time| ("restore::file", time)));
    for (point, time) in times {
        let restored = folder.path().join("restored");
        let mut killed = command("restore", &target, &restored, &[]);
        abort_at(&mut killed, point, time);
        aborts(killed, point);
        restore(&target, &restored).failed(2, &["is not empty"]);
        let mut appliance = taking_in(&folder.path().join(format!("{time}-served")), &restored);
        appliance.spawn();
        assert_eq!(appliance.ends(), Some(3), "{point} {time}: {}", appliance.log());
        assert!(appliance.log().contains("CURRENT is missing"), "{point} {time}: {}", appliance.log());
        std::fs::remove_dir_all(&restored).unwrap();
        restore(&target, &restored).done();
        std::fs::remove_dir_all(&restored).unwrap();
    }
    assert_eq!(points_of(Rows::Restore).collect::<Vec<_>>(), ["restore::before-current", "restore::file"]);
}

#[test]
fn on_a_full_disk_nothing_is_harmed() {
    if !may_mount(module_path!(), "on_a_full_disk_nothing_is_harmed") {
        return;
    }
    let folder = folder();
    let data = stopped(folder.path(), 20_000);
    let expected = Dump::of(&data, Extent::Everything);
    let disk = SmallDisk::mount(folder.path().join("disk"), "300k");
    let target = disk.0.join("backup");
    backup(&data, &target, &[]).failed(3, &["has room for", "backup", "free some space"]);
    assert_eq!(std::fs::read_dir(&disk.0).unwrap().count(), 0, "something is left");
    Dump::of(&data, Extent::Everything).equals(&expected, "after a full disk");
    disk.remount("size=64m");
    backup(&data, &target, &[]).done();
    // No room for what is restored.
    let small = SmallDisk::mount(folder.path().join("small"), "200k");
    let restored = small.0.join("data");
    restore(&target, &restored).failed(3, &["has room for", "free some space"]);
    assert_eq!(std::fs::read_dir(&small.0).unwrap().count(), 0, "something is left");
    // The disk of the data directory itself, while it is served.
    let served = SmallDisk::mount(folder.path().join("served"), "64m");
    let data = served.0.join("data");
    restore(&target, &data).done();
    let mut appliance = taking_in(&folder.path().join("running"), &data);
    appliance.start_unseen();
    let free = free_bytes(&served.0);
    std::fs::write(served.0.join("filler"), vec![1; (free - (8 << 20)) as usize]).unwrap();
    let other = folder.path().join("other");
    backup(&data, &other, &[]).failed(3, &["cannot copy its database", "free some space there"]);
    assert!(!other.exists());
    assert_eq!(answer(agent(LONG).get(url(&appliance.address(), "/readyz")).call()).0, 200);
    std::fs::remove_file(served.0.join("filler")).unwrap();
    backup(&data, &other, &[]).done();
    appliance.stop();
}

fn free_bytes(path: &Path) -> u64 {
    let text = Command::new("df").args(["--output=avail", "-B1"]).arg(path).output().unwrap().stdout;
    String::from_utf8(text).unwrap().lines().nth(1).unwrap().trim().parse().unwrap()
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = folder();
    let data = stopped(folder.path(), 1_000);
    let target = folder.path().join("backup");
    backup(&folder.path().join("nothing"), &target, &[]).failed(2, &["is no data directory"]);
    backup(&data, &data.join("backups/one"), &[]).failed(2, &["lies in the data directory"]);
    assert!(!data.join("backups").exists());
    run(["backup", target.to_str().unwrap()]).failed(2, &["name the data directory"]);
    backup(&data, &target, &["--from", folder.path().to_str().unwrap()]).failed(1, &["holds no backup.json"]);
    assert!(!target.exists());
    backup(&data, &target, &[]).done();
    // Nothing is put beside what is there.
    backup(&data, &target, &[]).failed(2, &["is not empty"]);
    let expected = Dump::of(&data, Extent::Everything);
    restore(&target, &data).failed(2, &["is not empty"]);
    Dump::of(&data, Extent::Everything).equals(&expected, "after a refused restore");
    check(&data).failed(1, &["holds no backup.json"]);
    // Another program has the directory and does not know of backups.
    let tally = std::fs::File::open(data.join("tally-0")).unwrap();
    tally.lock().unwrap();
    let other = folder.path().join("other");
    backup(&data, &other, &[]).failed(3, &["does not answer", "`replay` has ended"]);
    assert!(!other.exists());
    drop(tally);
    // Another backup.
    let lock = std::fs::File::open(data.join("backup-work/lock")).unwrap();
    lock.lock().unwrap();
    backup(&data, &other, &[]).failed(3, &["another backup of", "is under way"]);
    drop(lock);
    // A damaged directory gives no backup.
    let log = files(&data.join("rocksdb"), |path| path.to_owned());
    let table = log.iter().find(|(name, _)| name.ends_with(".sst")).unwrap().1;
    std::fs::remove_file(table).unwrap();
    backup(&data, &other, &[]).failed(3, &["nothing was kept, because the copy is not whole"]);
    assert!(!other.exists());
}

#[test]
fn mirrors_that_are_ahead_of_what_is_restored_have_everything_once() {
    let folder = folder();
    let servers = MariaDb::start_two();
    let redis = Redis::start();
    let urls = servers.each_ref().map(MariaDb::url);
    let (road, capture) = (road(5), folder.path().join("road.tsv"));
    let lines: Vec<&str> = road.lines().collect();
    let sections = format!(
        "[mycat]\nurls = {urls:?}\nbatch_rows = 50\nretention = \"forever\"\nalerts_retention = \"forever\"\n{HASTY_MYSQL}\
         [redis]\nurl = {:?}\nmax_length = 300\n{HASTY_REDIS}[source]\nkind = \"capture\"\nfiles = [{capture:?}]\n{KEPT}",
        redis.url()
    );
    let mut appliance = Appliance::new(folder.path());
    let target = folder.path().join("backup");
    for (lines, is_backed_up) in [(&lines[..lines.len() / 2], true), (&lines[..], false)] {
        std::fs::write(&capture, lines.join("\n") + "\n").unwrap();
        appliance.start_with(&sections);
        appliance.wait_until_level();
        if is_backed_up {
            // Work on a case that the backup has, and later work that it lacks.
            backup(&appliance.data(), &target, &[]).done();
        }
        let cases = appliance.get("/api/cases").unwrap();
        let id = cases["records"][0]["id"].as_str().unwrap().to_owned();
        let body = json!({"by": "王警官", "note": "看过录像"});
        assert_eq!(patch(&appliance.address(), &format!("/api/cases/{id}"), &body).0, 200);
        appliance.wait_until_level();
        appliance.stop();
    }
    let expected = Dump::of(&appliance.data(), Extent::WhateverTheBatches);
    let ahead = Truth::read(&appliance.data());
    ahead.check_instances([&servers[0], &servers[1]]);
    std::fs::remove_dir_all(appliance.data()).unwrap();
    restore(&target, &appliance.data()).done();
    let restored = Truth::read(&appliance.data());
    assert!(restored.alerts.len() < ahead.alerts.len(), "the mirrors are not ahead");
    appliance.start_with(&sections);
    appliance.wait_until_level();
    appliance.stop();
    let dump = Dump::of(&appliance.data(), Extent::WhateverTheBatches);
    assert_eq!(dump.count("row"), expected.count("row"));
    let truth = Truth::read(&appliance.data());
    assert_eq!(truth.alerts.len(), ahead.alerts.len());
    truth.check_instances([&servers[0], &servers[1]]);
    truth.check_list(&redis, 300);
}

/// As docs/backup.md has it in a timer.
#[test]
fn the_script_keeps_the_newest_and_checks_them() {
    let folder = folder();
    let data = stopped(folder.path(), 1_000);
    let backups = folder.path().join("backups");
    let script = || -> Ended {
        let mut command = Command::new(repository("deploy/platewatch-backup"));
        command.arg(&backups).arg("2").arg("--data-dir").arg(&data).env("PLATEWATCH", binary());
        command.output().unwrap().into()
    };
    let names = || -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&backups)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let mut before: Vec<String> = Vec::new();
    for round in 1..=4 {
        if round == 3 {
            // What was interrupted is no backup, and goes.
            std::fs::create_dir_all(backups.join("20200101T000000Z/data")).unwrap();
        }
        let ended = script();
        ended.done();
        assert_eq!(ended.stdout.matches("OK ").count(), 2, "{}", ended.stdout);
        let now = names();
        assert_eq!(now.len(), round.min(2), "{now:?}");
        assert!(now.last() > before.last(), "{before:?} {now:?}");
        if let [.., one, two] = &now[..] {
            let [one, two] = [one, two].map(|name| files(&backups.join(name), inode));
            assert_eq!(tables(&one), tables(&two));
        }
        before = now;
    }
    let restored = folder.path().join("restored");
    restore(&backups.join(before.last().unwrap()), &restored).done();
    Dump::of(&restored, Extent::Everything).equals(&Dump::of(&data, Extent::Everything), "restored");
    // A backup that fails leaves the others alone.
    std::fs::remove_file(data.join("rocksdb/CURRENT")).unwrap();
    assert_ne!(script().code, Some(0));
    assert_eq!(names(), before);
}

impl Appliance {
    /// Starts it where only who is logged in may ask for its status.
    fn start_unseen(&mut self) {
        self.spawn();
        let address = self.address();
        wait_until(LONG, "it answers", || {
            agent(LONG).get(url(&address, "/healthz")).call().is_ok_and(|answer| answer.status() == 200)
        });
    }
}
