//! What goes wrong for users: one sentence that says what to do, and the right exit code.

use std::net::TcpListener;
use std::path::Path;

use crate::harness::{Replay, Running, folder, platewatch, run, serve_nothing, simulated};

fn capture(folder: &Path, count: u64) -> std::path::PathBuf {
    let file = folder.join("capture.tsv");
    std::fs::write(&file, simulated(count, 51, &[])).unwrap();
    file
}

#[test]
fn what_is_no_capture() {
    let folder = folder();
    let out = folder.path().join("out");
    let missing = folder.path().join("missing.tsv");
    Replay::new(&missing, &out).run().failed(2, &["missing.tsv", "no such file: check the name"]);
    Replay::new(folder.path(), &out)
        .run()
        .failed(2, &["is a directory without Parquet files: name the capture files in it"]);
    assert!(!out.exists(), "a wrong file name made an output folder");

    let empty = folder.path().join("empty.tsv");
    std::fs::write(&empty, b"").unwrap();
    for order in ["arrival", "time"] {
        let ended = Replay::new(&empty, &out).args(["--order", order]).run();
        ended.done();
        ended.one_sentence(&["empty.tsv holds no line: nothing to replay"]);
        let results = crate::harness::Results::read(&out);
        results.adds_up();
        assert!(results.count("lines") == 0 && results.summary["first_time"].is_null(), "{}", results.summary);
    }
    let ended = Replay::new("-", &out).input(b"").run();
    ended.done();
    ended.one_sentence(&["holds no line"]);

    let junk = folder.path().join("junk.bin");
    let mut random = crate::harness::Random(52);
    std::fs::write(&junk, std::iter::repeat_with(|| random.next() as u8).take(300_000).collect::<Vec<_>>()).unwrap();
    let ended = Replay::new(&junk, &out).run();
    ended.done();
    ended.one_sentence(&["none of the ", "is a passage: see rejects.jsonl"]);
    let results = crate::harness::Results::read(&out);
    results.adds_up();
    assert!(results.count("accepted") == 0 && results.rejected() > 900, "{}", results.summary);

    // Too short or damaged to be what their first bytes say.
    for (name, bytes) in [("short.gz", &b"\x1f\x8b\x08"[..]), ("short.zst", b"\x28\xb5\x2f\xfd\x00")] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        Replay::new(&file, &out).run().failed(3, &["cannot read ", name]);
    }
}

#[test]
fn what_is_no_output_folder() {
    let folder = folder();
    let file = capture(folder.path(), 10);
    Replay::new(&file, &file).run().failed(2, &["cannot make the output folder", "capture.tsv"]);
    Replay::new(&file, &file.join("below")).run().failed(2, &["cannot make the output folder"]);
    Replay::new(&file, Path::new("/proc/nowhere")).run().failed(2, &["cannot make the output folder /proc/nowhere"]);
    Replay::new(&file, Path::new("/proc")).run().failed(3, &["/proc"]);
}

#[test]
fn what_is_no_usage() {
    let folder = folder();
    let file = capture(folder.path(), 10);
    let replay = || Replay::new(&file, &folder.path().join("out"));
    replay().args(["--columns", "GCXH,KKMC"]).run().failed(2, &["the columns lack XZQHMC, FXLX"]);
    replay().args(["--shard-key", "SFZRKMC"]).run().failed(2, &["SFZRKMC is not among the columns"]);
    replay().args(["--checkpoints", "/nowhere.csv"]).run().failed(2, &["cannot read the checkpoints /nowhere.csv"]);
    replay().args([folder.path()]).run().failed(2, &["is a directory"]);
    let csv = folder.path().join("sites.csv");
    std::fs::write(&csv, "code,kkmc\nA\n").unwrap();
    replay().args(["--checkpoints", csv.to_str().unwrap()]).run().failed(2, &["sites.csv", "line "]);
    replay()
        .env("PLATEWATCH__STORE__MEMORY", "plenty")
        .run()
        .failed(2, &["environment variable PLATEWATCH__STORE__MEMORY", "store.memory"]);
    for wrong in
        [&["--memory", "plenty"][..], &["--order", "space"], &["--retention", "long"], &["--batch-records", "0"]]
    {
        let ended = replay().args(wrong).run();
        assert!(ended.code == Some(2) && ended.stderr.contains(wrong[0]), "{ended:?}");
    }
    let ended = run(["replay"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("--out"), "{ended:?}");
}

#[test]
fn what_is_no_configuration() {
    let folder = folder();
    let file = folder.path().join("platewatch.toml");
    for (text, parts) in [
        (
            "[store]\n\nretenton = \"3d\"\n",
            &["line 3: store.retenton: there is no such setting", "store.retention"][..],
        ),
        ("[detect]\nwindow = \"long\"\n", &["line 2: detect.window"]),
        ("role = \"all\"\nwhat\n", &["line 2"]),
        ("[source]\nkind = \"rabbit\"\n", &["line 2: source.kind", "\"kafka\""]),
        (
            "[source]\nkind = \"kafka\"\n[kafka.properties]\nauto.offset.reset = \"latest\"\n",
            &["kafka.properties: auto.offset.reset cannot be set here: write kafka.start"],
        ),
        ("[source]\nkind = \"capture\"\n", &["line 2: source.kind: a capture source needs files"]),
    ] {
        std::fs::write(&file, text).unwrap();
        for command in [&["serve", "--config"][..], &["check-config"]] {
            let mut command = {
                let mut it = platewatch();
                it.args(command);
                it
            };
            command.arg(&file).env("PLATEWATCH__DATA_DIR", folder.path().join("data"));
            command.env("PLATEWATCH__API__LISTEN", "127.0.0.1:0");
            crate::harness::Ended::from(command.output().unwrap()).failed(2, parts);
        }
    }
    let ended = run(["serve", "--config", "/nowhere.toml"]);
    ended.failed(2, &["cannot read the configuration file /nowhere.toml"]);
}

#[test]
fn a_port_in_use() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let data = folder.path().join("data");
    let ended = run(["demo", "--port", &port, "--data-dir", data.to_str().unwrap()]);
    ended.failed(3, &[&format!("port {port} on 127.0.0.1 is in use"), "--port"]);
    assert!(!data.exists(), "a port in use cost a data directory");
}

#[test]
fn a_data_dir_in_use() {
    let folder = folder();
    let (file, data, out) = (capture(folder.path(), 100), folder.path().join("data"), folder.path().join("out"));
    let replay = || Replay::new(&file, &out).args(["--data-dir"]).args([&data]);
    replay().results();
    let (running, _) = serve_nothing(&data);
    replay().run().failed(3, &["is in use by another process", data.to_str().unwrap()]);
    let ended = run(["import-checkpoints", "data/kkmc_dimension.csv", "--data-dir", data.to_str().unwrap()]);
    ended.failed(3, &["is in use by another process"]);
    stop(running);
    replay().results();
}

fn stop(running: Running) {
    running.signal("TERM");
    running.end().done();
}

#[test]
fn a_data_dir_that_holds_something_else() {
    let folder = folder();
    let (file, data, out) = (capture(folder.path(), 100), folder.path().join("data"), folder.path().join("out"));
    let replay = |data: &Path| Replay::new(&file, &out).args(["--data-dir"]).args([data]);
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("thesis.doc"), b"mine").unwrap();
    replay(&data)
        .run()
        .failed(3, &["is not a Platewatch data directory", "thesis.doc", "give an empty or a new directory"]);
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1, "something was put beside what is another's");
    let ended = replay(&file).run();
    assert!(ended.code == Some(3) || ended.code == Some(2), "{ended:?}");
    ended.one_sentence(&["capture.tsv"]);

    let other = folder.path().join("other.tsv");
    std::fs::write(&other, simulated(100, 53, &[])).unwrap();
    let data = folder.path().join("data2");
    replay(&data).results();
    let expect = ["holds the replay of other input (capture.tsv, order arrival)", "another --data-dir"];
    Replay::new(&other, &out).args(["--data-dir"]).args([&data]).run().failed(2, &expect);
    replay(&data).args(["--order", "time"]).run().failed(2, &expect);
    let expect = ["holds a replay with other options", "another --data-dir"];
    replay(&data).args(["--detect-plates", "any"]).run().failed(2, &expect);
    replay(&data).args(["--encoding", "gb18030"]).run().failed(2, &expect);
    replay(&data).results();
}

#[test]
fn a_data_dir_of_a_newer_version() {
    use storage::{Database, Durability, Family, Settings, codec};
    let folder = folder();
    let (file, out) = (capture(folder.path(), 100), folder.path().join("out"));
    let settings = Settings { memory: 32 << 20, sync: true, compaction: false, accept_loss: false, shards: None };
    for (kind, version) in
        [(1, 4u32), (9, 3)].map(|(layout, version)| (codec::Kind { magic: b'F', version: layout }, version))
    {
        let data = folder.path().join(format!("data-{version}"));
        let replay = || Replay::new(&file, &out).args(["--data-dir"]).args([&data]);
        replay().results();
        let database = Database::open(&data, settings).unwrap();
        let mut commit = database.begin();
        commit.put(Family::Meta, b"format", &codec::encode(kind, &version).unwrap());
        database.commit(commit, Durability::AsConfigured).unwrap();
        drop(database);
        let found = version.max(u32::from(kind.version));
        // Refused every time: the first refusal changed nothing.
        for _ in 0..2 {
            let expect = [&format!("has format version {found}, this program knows 3")[..], "newer program"];
            replay().run().failed(3, &expect);
        }
    }
}

#[test]
fn a_damaged_data_dir_is_refused_or_right() {
    let folder = folder();
    let (file, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    std::fs::write(&file, simulated(20_000, 54, &[])).unwrap();
    let replay = |data: &Path, out: &str| {
        Replay::new(&file, &folder.path().join(out)).args(["--batch-records", "5000", "--data-dir"]).args([data])
    };
    let expected = replay(&data, "whole").results();
    let mut refused = std::collections::BTreeMap::new();
    let names: Vec<_> =
        std::fs::read_dir(data.join("rocksdb")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in names {
        for kind in ["cut", "overwritten", "missing"] {
            let what = format!("{kind} {}", name.to_string_lossy());
            let damaged = folder.path().join("damaged");
            copy(&data, &damaged);
            let victim = damaged.join("rocksdb").join(&name);
            let mut bytes = std::fs::read(&victim).unwrap();
            let half = bytes.len() / 2;
            match kind {
                "cut" => bytes.truncate(half),
                _ => bytes.iter_mut().skip(half).take(64).for_each(|byte| *byte ^= 0x5a),
            }
            std::fs::write(&victim, bytes).unwrap();
            if kind == "missing" {
                std::fs::remove_file(&victim).unwrap();
            }
            let ended = replay(&damaged, "out").run();
            if ended.code == Some(0) {
                crate::harness::Results::read(&folder.path().join("out")).equals(&expected, &what);
            } else {
                ended.failed(3, &[damaged.to_str().unwrap()]);
                assert!(ended.stderr.len() < 600, "{what}: {}", ended.stderr);
                let sort = name.to_string_lossy().trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
                let sort = if sort.ends_with(".sst") { "sst".to_owned() } else { sort };
                refused.entry(sort).or_insert_with(Vec::new).push((what, ended.stderr));
            }
            std::fs::remove_dir_all(&damaged).unwrap();
        }
    }
    for sort in ["CURRENT", "MANIFEST-", "sst"] {
        assert!(refused.contains_key(sort), "no damage to {sort} was noticed: {refused:#?}");
    }
    for (what, stderr) in refused.values().flatten() {
        let advice = stderr.contains("restore the directory from a backup or replay into a new one");
        assert!(advice, "{what}: {stderr}");
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
