//! Damage to a data directory, done to copies of one that was killed with everything acknowledged: it opens with all of it,
//! or is refused in words. It is never ready with less, unless the user accepts the loss.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Ended, Random, Running, folder, get, get_data, patch, platewatch, serve, simulated, tell};

/// A data directory that was killed, and what it held.
struct Killed {
    folder: tempfile::TempDir,
    data: PathBuf,
    holds: Value,
}

/// What a served data directory holds: everything that a loss could take.
fn holds(address: &str) -> Value {
    let (overview, status) = (get_data(address, "/api/overview"), get_data(address, "/api/status"));
    let worked = get_data(address, "/api/warnings?status=investigating");
    let hours = get_data(address, "/api/stats/hour_count");
    let newest = get_data(address, "/api/warnings?limit=5");
    json!({
        "passages": overview["total"], "alerts": overview["alerts"], "rejects": status["storage"]["rejects"],
        "accepted": status["pipeline"]["accepted"], "worked": worked["records"], "hours": hours, "newest": newest["records"],
    })
}

impl Killed {
    fn new() -> Self {
        let folder = folder();
        let (file, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
        let mut lines = simulated(60_000, 71, &[]);
        lines.extend_from_slice(b"not a passage\n");
        std::fs::write(&file, lines).unwrap();
        // Small commits and small buffers: several logs, tables and blob files.
        let config = format!(
            "data_dir = {data:?}\n[store]\nmemory = \"32MiB\"\n[source]\nkind = \"capture\"\nfiles = [{file:?}]\n\
             batch_records = 400\n"
        );
        let (running, address) = serve(&config);
        let finished = || get_data(&address, "/api/status")["source"]["state"] == "finished";
        while !finished() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let alerts = get_data(&address, "/api/warnings?limit=12");
        for alert in alerts["records"].as_array().unwrap() {
            let id = alert["id"].as_str().unwrap();
            let body = json!({"status": "investigating", "by": "王警官"});
            // An answered change is on the disk, and the tally after it.
            assert_eq!(patch(&address, &format!("/api/warnings/{id}"), &body).0, 200);
        }
        let holds = holds(&address);
        assert!(holds["accepted"].as_u64().unwrap() > 59_000 && holds["rejects"] == 1, "{holds}");
        running.signal("KILL");
        running.end();
        Self { folder, data, holds }
    }

    fn files(&self, kind: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.data.join("rocksdb")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(kind) || name.starts_with(kind)).collect();
        names.sort();
        assert!(!names.is_empty(), "there is no {kind}");
        names
    }

    /// A copy with something done to it.
    fn damaged(&self, what: impl FnOnce(&Path)) -> PathBuf {
        let copy = self.folder.path().join("damaged");
        let _ = std::fs::remove_dir_all(&copy);
        super::bad::copy(&self.data, &copy);
        what(&copy);
        copy
    }

    /// Opens it: whether it was ready, with everything; otherwise why it was refused.
    #[track_caller]
    fn opened(&self, data: &Path, what: &str) -> Result<(), String> {
        match started(data, &[]) {
            Ok((running, address, _)) => {
                assert_eq!(holds(&address), self.holds, "{what}: ready, and not with everything");
                drop(running);
                Ok(())
            }
            Err(ended) => {
                ended.failed(3, &[data.to_str().unwrap(), "restore the directory from a backup"]);
                Err(ended.stderr)
            }
        }
    }

    #[track_caller]
    fn refused(&self, what: &str, parts: &[&str], damage: impl FnOnce(&Path)) -> PathBuf {
        let data = self.damaged(damage);
        // Twice: the first refusal must not have made it look whole.
        for _ in 0..2 {
            let Err(words) = self.opened(&data, what) else { panic!("{what}: it was opened") };
            for part in parts {
                assert!(words.contains(part), "{what}: {part:?} is not in {words}");
            }
        }
        data
    }

    #[track_caller]
    fn whole(&self, what: &str, damage: impl FnOnce(&Path)) {
        let data = self.damaged(damage);
        if let Err(words) = self.opened(&data, what) {
            panic!("{what}: {words}");
        }
    }
}

/// Serves without a source; also returns what it printed until it was ready.
fn started(data: &Path, args: &[&str]) -> Result<(Running, String, String), Ended> {
    let config = data.with_extension("toml");
    std::fs::write(
        &config,
        format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[api]\nlisten = \"127.0.0.1:0\"\n[predict]\ntrain = \"off\"\n"),
    )
    .unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&config).args(args);
    let mut running = Running::start(command);
    match running.wait_or_end("address=") {
        Ok(line) => {
            let address = line.split("address=").nth(1).unwrap().trim().to_owned();
            let said = running.seen().to_owned();
            Ok((running, address, said))
        }
        Err(()) => Err(running.end()),
    }
}

fn change(file: PathBuf, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(&file).unwrap();
    change(&mut bytes);
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn what_was_committed_is_there_or_it_is_refused() {
    let killed = Killed::new();
    killed.whole("as it was killed", |_| {});
    let logs = killed.files(".log");
    let (first, last) = (logs.first().unwrap().clone(), logs.last().unwrap().clone());
    let manifest = killed.files("MANIFEST-").pop().unwrap();
    let at = |data: &Path, name: &str| data.join("rocksdb").join(name);

    for name in [&first, &last] {
        killed.refused("a bit of a log", &["the write-ahead log", name, "damaged at byte"], |data| {
            change(at(data, name), |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            });
        });
        killed.refused("a page of a log", &["has lost committed data"], |data| {
            change(at(data, name), |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle..middle + 4096.min(middle)].fill(0);
            });
        });
    }
    killed.refused("a log cut short", &["has lost committed data", "missing are", "passages"], |data| {
        change(at(data, &last), |bytes| bytes.truncate(bytes.len() / 2));
    });
    killed.refused("the last change of work", &["1 of 12 changes of the work on alerts"], |data| {
        change(at(data, &last), |bytes| bytes.truncate(bytes.len() - 1));
    });
    killed.refused("a zeroed log", &["has lost committed data"], |data| change(at(data, &last), |bytes| bytes.fill(0)));
    killed.refused("a missing log", &[], |data| std::fs::remove_file(at(data, &last)).unwrap());
    for share in [2, 3] {
        killed.refused("a MANIFEST cut short", &[&manifest, "was cut short"], |data| {
            change(at(data, &manifest), |bytes| bytes.truncate(bytes.len() * (share - 1) / share));
        });
    }
    killed.refused("half a MANIFEST of zeros", &[&manifest, "is damaged"], |data| {
        change(at(data, &manifest), |bytes| {
            let half = bytes.len() / 2;
            bytes[half..].fill(0);
        });
    });
    killed
        .refused("no MANIFEST", &[&manifest, "is missing"], |data| std::fs::remove_file(at(data, &manifest)).unwrap());
    killed.refused("an empty CURRENT", &["CURRENT"], |data| std::fs::write(at(data, "CURRENT"), b"").unwrap());
    killed.refused("no CURRENT", &["CURRENT"], |data| std::fs::remove_file(at(data, "CURRENT")).unwrap());
    killed.refused("no database", &["the folder of the database is missing"], |data| {
        std::fs::remove_dir_all(data.join("rocksdb")).unwrap();
    });

    // A torn tail was never committed, and the tally is only a guard.
    killed.whole("half a record behind the log", |data| {
        change(at(data, &last), |bytes| {
            bytes.extend_from_slice(&[1, 2, 3, 4, 200, 0, 1]);
            bytes.extend_from_slice(&[7; 100]);
        });
    });
    killed.whole("zeros behind the log", |data| change(at(data, &last), |bytes| bytes.extend_from_slice(&[0; 9000])));
    for names in [&["tally-0"][..], &["tally-1"], &["tally-0", "tally-1"]] {
        killed.whole("a zeroed tally", |data| {
            names.iter().for_each(|name| change(data.join(name), |bytes| bytes.fill(0)));
        });
        killed.whole("no tally", |data| names.iter().for_each(|name| std::fs::remove_file(data.join(name)).unwrap()));
    }
}

#[test]
fn tables_and_blobs_are_there_or_it_is_refused() {
    let killed = Killed::new();
    // An orderly end moves everything into tables and blob files.
    let (running, _, _) = started(&killed.data, &[]).unwrap();
    running.signal("TERM");
    running.end().done();
    for kind in [".sst", ".blob"] {
        let name = killed.files(kind).pop().unwrap();
        let at = |data: &Path| data.join("rocksdb").join(&name);
        killed.refused("a missing file", &["is damaged"], |data| std::fs::remove_file(at(data)).unwrap());
        killed.refused("a zeroed file", &["is damaged"], |data| change(at(data), |bytes| bytes.fill(0)));
        killed.refused("a file cut short", &["is damaged"], |data| {
            change(at(data), |bytes| bytes.truncate(bytes.len() / 2));
        });
    }
}

/// A damaged byte deep in a blob file is found without a request for it.
#[test]
fn a_damaged_segment_is_told_before_somebody_asks() {
    let killed = Killed::new();
    let (running, _, _) = started(&killed.data, &[]).unwrap();
    running.signal("TERM");
    running.end().done();
    let name = killed.files(".blob").pop().unwrap();
    let data = killed.damaged(|data| {
        change(data.join("rocksdb").join(&name), |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
    });
    match started(&data, &[]) {
        Ok((mut running, address, _)) => {
            running.wait_for("something that is stored cannot be read");
            assert_eq!(get(&address, "/readyz").0, 503);
            assert!(get_data(&address, "/api/status")["failure"].as_str().unwrap().contains("damaged"));
        }
        Err(ended) => ended.failed(3, &["restore the directory from a backup"]),
    }
}

/// One damage anywhere: everything that was acknowledged, or a refusal.
#[test]
fn random_damage_is_never_ready_with_less() {
    let killed = Killed::new();
    let mut random = Random(72);
    let files = [killed.files(".log"), killed.files("MANIFEST-"), killed.files("CURRENT")].concat();
    let (mut whole, mut refused) = (0, 0);
    for round in 0..60 {
        let name = &files[random.below(files.len())];
        let kind = random.pick(&["bit", "bytes", "zeros", "cut"]);
        let mut place = 0;
        let data = killed.damaged(|data| {
            change(data.join("rocksdb").join(name), |bytes| {
                place = random.below(bytes.len());
                let end = (place + 1 + random.below(5000)).min(bytes.len());
                match kind {
                    "bit" => bytes[place] ^= 1 << random.below(8),
                    "bytes" => bytes[place..end].iter_mut().for_each(|byte| *byte = random.next() as u8),
                    "zeros" => bytes[place..end].fill(0),
                    _ => bytes.truncate(place),
                }
            });
        });
        match killed.opened(&data, &format!("seed 72, round {round}: {kind} at {place} of {name}")) {
            Ok(()) => whole += 1,
            Err(_) => refused += 1,
        }
    }
    tell(&format!("of 60 damaged directories {refused} were refused, {whole} opened with everything"));
    assert!(refused > 40, "only {refused} were refused");
}

#[test]
fn a_loss_is_accepted_only_when_somebody_says_so() {
    let killed = Killed::new();
    let last = killed.files(".log").pop().unwrap();
    let data = killed.refused("a bit of a log", &["--accept-loss"], |data| {
        change(data.join("rocksdb").join(&last), |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
    });
    // Every command that opens the directory refuses it.
    for command in [&["import-checkpoints", "data/kkmc_dimension.csv"][..], &["train"]] {
        let mut refused = platewatch();
        refused.args(command).arg("--data-dir").arg(&data);
        Ended::from(refused.output().unwrap()).failed(3, &["has lost committed data", "--accept-loss"]);
    }
    let (running, address, said) = started(&data, &["--accept-loss"]).unwrap();
    assert!(said.contains("the loss is accepted") && said.contains(" passages ("), "{said}");
    let left = holds(&address);
    let accepted = left["accepted"].as_u64().unwrap();
    assert!(accepted > 0 && accepted < killed.holds["accepted"].as_u64().unwrap(), "{left}");
    assert_eq!(left["accepted"], left["passages"], "the counters are of what is left");
    let storage = get_data(&address, "/api/status")["storage"].clone();
    assert!(storage["accepted_loss"].as_str().unwrap().contains("passages"), "{storage}");
    running.signal("KILL");
    running.end();
    // What is left is what counts from now on.
    let (_running, address, _) = started(&data, &[]).unwrap();
    assert_eq!(holds(&address), left);
    assert!(get_data(&address, "/api/status")["storage"]["accepted_loss"].is_null());
}

/// The folder of the reference data, zeroed: imported checkpoints come back from their copy.
#[test]
fn imported_checkpoints_outlive_their_folder() {
    let folder = folder();
    let (csv, data) = (folder.path().join("sites.csv"), folder.path().join("data"));
    let sites: String =
        (0..40).map(|number| format!("S{number},点位{number},,邳州市,S250,117.{number},34.{number}\n")).collect();
    std::fs::write(&csv, format!("code,kkmc,label,xzqhmc,road,lon,lat\n{sites}")).unwrap();
    let mut import = platewatch();
    import.arg("import-checkpoints").arg(&csv).arg("--data-dir").arg(&data);
    Ended::from(import.output().unwrap()).done();
    let known = |address: &str| get(address, "/api/checkpoints").1;
    let (running, address, _) = started(&data, &[]).unwrap();
    let before = known(&address);
    assert!(before.contains("点位39"), "{before}");
    running.signal("TERM");
    running.end().done();
    for kind in ["zeroed", "missing", "emptied"] {
        let reference = data.join("reference");
        if kind == "zeroed" {
            zero(&reference);
        } else {
            std::fs::remove_dir_all(&reference).unwrap();
            if kind == "emptied" {
                std::fs::create_dir(&reference).unwrap();
            }
        }
        let (running, address, said) = started(&data, &[]).unwrap();
        assert!(
            said.contains("they were restored from their copy") && said.contains("checkpoints=40"),
            "{kind}: {said}"
        );
        assert_eq!(known(&address), before, "{kind}");
        let checkpoints = get_data(&address, "/api/status")["storage"]["checkpoints"].clone();
        assert_eq!((&checkpoints["count"], &checkpoints["restored"]), (&json!(40), &json!(true)), "{kind}");
        assert!(checkpoints["source"].as_str().unwrap().ends_with("sites.csv"), "{checkpoints}");
        running.signal("TERM");
        running.end().done();
    }
}

fn zero(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            zero(&path);
        } else {
            change(path, |bytes| bytes.fill(0));
        }
    }
}

/// A data directory of version 0.1.0, which knew no tally, no retention of its own and no copy of the checkpoints.
#[test]
fn an_old_data_directory_opens() {
    let folder = folder();
    let data = folder.path().join("data");
    let status = std::process::Command::new("tar")
        .args(["--extract", "--gzip", "--file", "tests/fixtures/data-dir-0.1.0.tar.gz", "--directory"])
        .arg(folder.path())
        .status();
    assert!(status.unwrap().success());
    for start in 0..2 {
        let (running, address, _) = started(&data, &[]).unwrap();
        let held = holds(&address);
        assert_eq!((&held["accepted"], &held["passages"]), (&json!(2994), &json!(2994)), "start {start}");
        assert!(data.join("tally-0").exists() && data.join("tally-1").exists());
        running.signal("TERM");
        running.end().done();
    }
}
