//! One flipped bit in each kind of file of a data directory and of a model folder: everything is as it was, or it is refused, or the
//! program says what is damaged. It never shows something else in silence, and never panics.
//!
//! `FAULTS_FLIPS` is how many bits of each kind are flipped, one at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::dump::{Dump, Extent};
use super::workload::{Workload, address, seed};
use crate::harness::{
    LONG, PATIENCE, Random, Running, done, folder, get, get_data, platewatch, repository, run, tell, wait_until,
};
use crate::whole::access::{Client, PASSWORD, log_in, make};
use crate::whole::bad::copy;

const FLIPS: usize = 3;

/// The kinds of files and how they are told apart: the folder that they are in, and what their names begin and end with.
const KINDS: [(&str, &str, &str, &str); 18] = [
    ("table", "rocksdb", "", ".sst"),
    ("blob file", "rocksdb", "", ".blob"),
    ("write-ahead log", "rocksdb", "", ".log"),
    ("MANIFEST", "rocksdb", "MANIFEST-", ""),
    ("CURRENT", "rocksdb", "CURRENT", ""),
    ("OPTIONS", "rocksdb", "OPTIONS-", ""),
    ("IDENTITY", "rocksdb", "IDENTITY", ""),
    ("tally", "data", "tally-", ""),
    ("reference data", "reference", "", ""),
    ("blobs of the reference data", "blobs", "", ""),
    ("hourly counts", "flow-history", "", ".bin"),
    ("model", "model", "model.bin", ""),
    ("metadata of a model", "model", "metadata.json", ""),
    ("accounts", "access", "accounts.json", ""),
    ("sessions", "access", "sessions.json", ""),
    ("last uses of tokens", "access", "uses.json", ""),
    ("audit log", "audit", "", ".jsonl"),
    ("end of the audit log", "audit", "head", ""),
];

/// Files that hold nothing that counts: locks and RocksDB's own log.
fn is_nothing(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    path.metadata().unwrap().len() == 0 || name.to_lowercase().starts_with("lock") || name.starts_with("LOG")
}

/// The files below a folder by kind.
fn files(folder: &Path, found: &mut BTreeMap<&'static str, Vec<PathBuf>>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if !is_nothing(&path) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let within = folder.file_name().unwrap().to_str().unwrap();
            let is = |(_, of, begin, end): &&(&str, &str, &str, &str)| {
                *of == within && name.starts_with(begin) && name.ends_with(end)
            };
            let kind = KINDS.iter().find(is).unwrap_or_else(|| panic!("{} is of no kind", path.display())).0;
            found.entry(kind).or_default().push(path);
        }
    }
}

/// Places to flip, in the order of the kinds.
struct Flips {
    /// A folder with `data`, and perhaps `model`.
    from: PathBuf,
    scratch: tempfile::TempDir,
    random: Random,
    counts: BTreeMap<String, [usize; 3]>,
}

/// What became of a damaged directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Same,
    Refused,
    Said,
}

impl Flips {
    fn new(from: &Path, random: Random) -> Self {
        Self { from: from.to_owned(), scratch: folder(), random, counts: BTreeMap::new() }
    }

    /// Flips bits of files of these kinds, one at a time, in a copy that `end` looks at.
    fn each(&mut self, kinds: &[&str], mut end: impl FnMut(&Path, &str) -> End) {
        let mut found = BTreeMap::new();
        files(&self.from, &mut found);
        let flips = std::env::var("FAULTS_FLIPS").map_or(FLIPS, |text| text.parse().expect("FAULTS_FLIPS is a number"));
        for kind in kinds {
            let all = found.get(kind).unwrap_or_else(|| panic!("there is no {kind} in {}", self.from.display()));
            for _ in 0..flips {
                let file = &all[self.random.below(all.len())];
                let copied = self.scratch.path().join("flipped");
                let _ = std::fs::remove_dir_all(&copied);
                copy(&self.from, &copied);
                let damaged = copied.join(file.strip_prefix(&self.from).unwrap());
                let mut bytes = std::fs::read(&damaged).unwrap();
                // Zeros at the end of a file that was made larger than needed are the most of some.
                let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
                let (place, bit) = (self.random.below(used), self.random.below(8));
                bytes[place] ^= 1 << bit;
                std::fs::write(&damaged, bytes).unwrap();
                let name = damaged.strip_prefix(&copied).unwrap().display().to_string();
                let end = end(&copied, &format!("{kind}: bit {bit} of byte {place} of {name}"));
                let counts = self.counts.entry((*kind).to_owned()).or_default();
                counts[end as usize] += 1;
            }
        }
    }
}

impl Drop for Flips {
    fn drop(&mut self) {
        for (kind, [same, refused, said]) in &self.counts {
            tell(&format!("{kind}: {same} the same, {refused} refused, {said} said"));
        }
    }
}

/// Serves `folder/data` without a source, with the model in `folder/model`.
fn start(folder: &Path) -> Running {
    // Beside the folder: what is in it is flipped.
    let (data, model, config) = (folder.join("data"), folder.join("model"), folder.with_extension("toml"));
    let text = format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\nmin_hours = 8000\nmodel_dir = {model:?}\n[api]\n\
         listen = \"127.0.0.1:0\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&config);
    Running::start(command)
}

/// What users see of what is not in the database.
fn seen(address: &str) -> Value {
    let model = get_data(address, "/api/predict/model");
    let versions =
        model["versions"].as_array().map(|all| all.iter().map(|one| one["version"].clone()).collect::<Vec<_>>());
    serde_json::json!({
        "checkpoints": get(address, "/api/checkpoints").1,
        "model": model["model"]["version"],
        "versions": versions,
        "flow": get_data(address, "/api/predict/flow?hour=8&date=2024-01-03")["predicted_flow"],
    })
}

/// Opens a directory, waits until everything in it was read, and stops: what was there, and what was logged; or the refusal.
fn opened(folder: &Path, when: &str) -> Result<(Value, Dump, String), String> {
    let mut running = start(folder);
    let Ok(line) = running.wait_or_end("address=") else {
        let ended = running.end();
        ended.failed(3, &[folder.to_str().unwrap()]);
        return Err(ended.stderr);
    };
    let at = line.split("address=").nth(1).unwrap().trim().to_owned();
    let read = ["all that is stored was read once and is whole", "something that is stored cannot be read"];
    while !read.iter().any(|part| running.seen().contains(part)) {
        running.wait_for("stored");
    }
    if folder.join("model").exists() {
        let loaded = ["flow model loaded", "the flow model cannot be loaded"];
        while !loaded.iter().any(|part| running.seen().contains(part)) {
            running.wait_for("flow model");
        }
        wait_until(PATIENCE, "the model is served or refused", || {
            let model = get_data(&at, "/api/predict/model");
            model["model"].is_object() || model["failure"].is_string() || running.seen().contains("cannot be loaded")
        });
    }
    let seen = seen(&at);
    running.signal("TERM");
    let ended = running.end();
    assert!(!ended.stderr.contains("panicked"), "{when}: {}", ended.stderr);
    let said = |part: &str| ended.stderr.contains(part);
    if ended.code != Some(0) || said(read[1]) {
        assert!(ended.code == Some(0) || ended.code == Some(3), "{when}: {ended:?}");
        // What is damaged cannot be dumped.
        return Err(ended.stderr);
    }
    Ok((seen, Dump::of(&folder.join("data"), Extent::Everything), ended.stderr))
}

/// Lines of the log in which the program says that something is wrong.
fn complaints(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains(" WARN ") || line.contains("ERROR")).collect()
}

/// A directory that was used by everything, killed; and the same after an orderly stop.
fn used() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = folder();
    let (killed, stopped) = (folder.path().join("killed"), folder.path().join("stopped"));
    std::fs::create_dir(&killed).unwrap();
    let table = repository("data/spark_lr/train.csv");
    let model = killed.join("model");
    done([
        "train".as_ref(),
        "--quiet".as_ref(),
        "--input".as_ref(),
        table.as_os_str(),
        "--model-dir".as_ref(),
        model.as_os_str(),
    ]);
    let data = killed.join("data");
    let sites = repository("data/kkmc_dimension.csv");
    done(["import-checkpoints".as_ref(), sites.as_os_str(), "--data-dir".as_ref(), data.as_os_str()]);
    let workload = Workload::new(None);
    let config = folder.path().join("used.toml");
    let text = format!(
        "data_dir = {data:?}\n{}memory = \"32MiB\"\n[predict]\nmin_hours = 8000\nmodel_dir = {model:?}\n[api]\nlisten = \"127.0.0.1:0\"\n",
        workload.settings()
    );
    std::fs::write(&config, text).unwrap();
    let serve = || {
        let mut command = platewatch();
        command.args(["serve", "--config"]).arg(&config);
        Running::start(command)
    };
    let mut running = serve();
    let at = address(&mut running);
    wait_until(LONG, "all is read", || get_data(&at, "/api/status")["source"]["state"] == "finished");
    wait_until(LONG, "the model is served", || get_data(&at, "/api/predict/model")["model"].is_object());
    running.signal("TERM");
    running.end().done();
    // The history of counts is taken when it starts.
    let mut running = serve();
    let at = address(&mut running);
    wait_until(LONG, "hourly counts are kept", || {
        get(&at, "/healthz");
        std::fs::read_dir(data.join("flow-history")).is_ok_and(|files| files.count() > 0)
    });
    running.signal("KILL");
    running.end();
    copy(&killed, &stopped);
    opened(&stopped, "as it was killed").unwrap();
    (folder, killed, stopped)
}

#[test]
fn a_flipped_bit_of_any_file_is_no_matter_or_is_said() {
    let random = seed("flipped bits");
    let (folder, killed, stopped) = used();
    let scratch = folder.path().join("scratch");
    for (from, kinds) in [
        (&killed, &["write-ahead log", "MANIFEST", "CURRENT", "OPTIONS", "IDENTITY", "tally"][..]),
        (&killed, &["reference data", "hourly counts", "model", "metadata of a model"]),
        (&stopped, &["table", "blob file", "MANIFEST"]),
    ] {
        let _ = std::fs::remove_dir_all(&scratch);
        copy(from, &scratch);
        let (seen, dump, log) = opened(&scratch, "without damage").unwrap();
        let usual = complaints(&log).len();
        Flips::new(from, random.clone()).each(kinds, |damaged, when| match opened(damaged, when) {
            Err(words) => {
                assert!(
                    words.contains("damaged") || words.contains("lost") || words.contains("cannot"),
                    "{when}: {words}"
                );
                End::Refused
            }
            Ok((now, held, log)) => {
                // What the database holds must be all there, whatever is said.
                held.equals(&dump, when);
                if now == seen {
                    return End::Same;
                }
                assert!(
                    complaints(&log).len() > usual,
                    "{when}: {now} instead of {seen}, and nothing was said:\n{log}"
                );
                End::Said
            }
        });
    }
}

#[test]
fn a_flipped_bit_of_accounts_sessions_or_the_audit_log_is_no_matter_or_is_said() {
    let random = seed("flipped bits of access");
    let folder = folder();
    let whole = folder.path().join("whole");
    std::fs::create_dir(&whole).unwrap();
    let data = whole.join("data");
    make(&data, &["user", "add", "wang", "--role", "operator", "--role", "auditor", "--shown", "王警官"]);
    make(&data, &["user", "add", "li", "--role", "viewer"]);
    let made = make(&data, &["token", "add", "wang", "--scope", "dashboard", "--note", "wall"]);
    let token = made.lines().next().unwrap().to_owned();
    let mut running = start(&whole);
    let at = address(&mut running);
    let cookie = log_in(&at, "wang", PASSWORD).unwrap();
    let clients = |at: &str| {
        let of = |name: &str, value: &str| {
            let client = Client { address: at, header: (name, value.to_owned()) };
            [client.get("/api/overview").0, client.get("/api/warnings?limit=1").0]
        };
        [of("cookie", &cookie), of("authorization", &format!("Bearer {token}"))]
    };
    let usual = clients(&at);
    assert_eq!(usual[0], [200, 200]);
    running.signal("TERM");
    running.end();
    // When a token was used last is another time at each use.
    let list = |data: &Path, what: &str| {
        let ended = run([what.as_ref(), "list".as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
        (ended.code, ended.stdout.split("used ").next().unwrap().to_owned())
    };
    let lists = |data: &Path| ["user", "token"].map(|what| list(data, what));
    let listed = lists(&data);
    let mut flips = Flips::new(&whole, random);
    flips.each(
        &["accounts", "sessions", "last uses of tokens", "audit log", "end of the audit log"],
        |damaged, when| {
            let data = damaged.join("data");
            let mut running = start(damaged);
            let Ok(line) = running.wait_or_end("address=") else {
                running.end().failed(3, &["access", "cannot be read"]);
                return End::Refused;
            };
            let at = line.split("address=").nth(1).unwrap().trim().to_owned();
            let now = clients(&at);
            running.signal("TERM");
            let ended = running.end();
            assert!(!ended.stderr.contains("panicked"), "{when}: {}", ended.stderr);
            assert_eq!(lists(&data), listed, "{when}");
            let verified = run(["verify-audit".as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
            if when.starts_with("audit log") && verified.code == Some(1) {
                return End::Said;
            }
            assert_eq!(verified.code, Some(0), "{when}: {verified:?}");
            if now == usual {
                return End::Same;
            }
            assert!(!complaints(&ended.stderr).is_empty(), "{when}: {now:?} instead of {usual:?}:\n{}", ended.stderr);
            // Nobody gains anything.
            assert!(
                now.iter().flatten().zip(usual.iter().flatten()).all(|(now, usual)| now == usual || *now == 401),
                "{when}"
            );
            End::Said
        },
    );
}
