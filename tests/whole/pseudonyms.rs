//! Keyed pseudonyms with the real program: with a key the same is found and shown as without, no plate stands in the data
//! directory, and a directory is never opened with another key.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{
    Ended, Replay, Running, folder, get, get_data, patch, platewatch, post, post_data, road, serve, simulated,
};

/// Makes a key in a folder.
fn key(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name);
    let ended: Ended = platewatch().args(["plate-key", "new"]).arg(&file).output().unwrap().into();
    ended.done();
    file
}

fn replay(folder: &Path, name: &str, key: Option<&Path>) -> PathBuf {
    let data = folder.join(name);
    let mut replay = Replay::new(folder.join("capture.tsv"), &folder.join(format!("{name}-out")));
    replay = replay.args(["--data-dir"]).args([&data]);
    if let Some(key) = key {
        replay = replay.args(["--plate-key"]).args([key]);
    }
    replay.results().adds_up();
    data
}

fn served(data: &Path, key: Option<&Path>) -> (Running, String) {
    let key = key.map(|key| format!("[privacy]\nplate_key_file = {key:?}\n")).unwrap_or_default();
    serve(&format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n{key}"))
}

fn stop(running: Running) {
    running.signal("TERM");
    running.end().done();
}

/// A value without ids, which are hashes of the stored plate.
fn without_ids(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.remove("id");
            fields.values_mut().for_each(|field| *field = without_ids(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_ids(item.take())),
        _ => {}
    }
    value
}

/// All warnings, passages and rejects as they are shown, and all cases by their plates.
fn shown(address: &str) -> Vec<Value> {
    let warnings = (1..20).map(|page| get_data(address, &format!("/api/warnings?page={page}&limit=500")));
    let passages = (1..10).map(|page| post_data(address, "/api/query", &json!({"page": page, "limit": 500})));
    let rejects = get_data(address, "/api/rejects?limit=100");
    let mut cases = Vec::new();
    for case in get_data(address, "/api/cases?limit=100")["records"].as_array().unwrap() {
        cases.push(get_data(address, &format!("/api/cases/{}", case["id"].as_str().unwrap())));
    }
    // Numbers of cases that one batch opens follow the codes of their plates.
    cases.iter_mut().for_each(|case| {
        case.as_object_mut().unwrap().remove("seq");
    });
    cases.sort_by_key(|case| case["hphm"].to_string());
    warnings.chain(passages).chain([rejects]).chain(cases).map(without_ids).collect()
}

/// Files that hold these bytes.
fn files_with(folder: &Path, text: &[u8], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, text, found);
        } else if memchr::memmem::find(&std::fs::read(&path).unwrap(), text).is_some() {
            found.push(path);
        }
    }
}

/// Lines that are rejected, which hold plates.
const REJECTED: &str = "G1\t徐州市\tX\t1\t2024-99-01 00:00:00\t02\t苏C98765\t大众\nonly\t苏C98765\n";

#[test]
fn the_same_is_found_and_shown_as_without_a_key() {
    for (traffic, least_cases) in [(road(5).into_bytes(), 3), (simulated(40_000, 71, &["--roads", "real"]), 0)] {
        let folder = folder();
        let capture = [&*traffic, REJECTED.as_bytes()].concat();
        std::fs::write(folder.path().join("capture.tsv"), capture).unwrap();
        let key = key(folder.path(), "plates.key");
        let clear = replay(folder.path(), "clear", None);
        let hidden = replay(folder.path(), "hidden", Some(&key));
        let (one, plates) = served(&clear, None);
        let (other, pseudonyms) = served(&hidden, Some(&key));
        let (expected, found) = (shown(&plates), shown(&pseudonyms));
        assert_eq!(expected.len(), found.len());
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected, found);
        }
        let total = |path: &str| get_data(&pseudonyms, path)["total"].as_u64().unwrap();
        assert!(total("/api/cases") >= least_cases && total("/api/warnings") > 10, "{}", total("/api/warnings"));
        let plate = get_data(&plates, "/api/warnings?limit=1")["records"][0]["hphm"].as_str().unwrap().to_owned();
        for path in [format!("/api/track?hphm={plate}"), format!("/api/warnings?hphm={plate}&limit=500")] {
            let [expected, found] = [&plates, &pseudonyms].map(|address| without_ids(get_data(address, &path)));
            assert_eq!(expected, found, "{path}");
        }
        let of_plate = json!({"hphm": plate, "limit": 500});
        assert_eq!(post_data(&plates, "/api/query", &of_plate), post_data(&pseudonyms, "/api/query", &of_plate));
        for asked in ["C123", "苏C1*", "苏C1234?"] {
            let (status, body) = post(&pseudonyms, "/api/query", &json!({"hphm": asked}));
            assert!(status == 400 && body.contains("part_of_plate"), "{asked}: {status} {body}");
            let (status, body) =
                get(&pseudonyms, &format!("/api/warnings?hphm={asked}").replace('?', "%3F").replacen("%3F", "?", 1));
            assert!(status == 400 && body.contains("part_of_plate"), "{asked}: {status} {body}");
        }
        stop(one);
        stop(other);
    }
}

#[test]
fn no_plate_stands_in_the_directory() {
    let folder = folder();
    let capture = [&*simulated(20_000, 71, &[]), REJECTED.as_bytes()].concat();
    std::fs::write(folder.path().join("capture.tsv"), capture).unwrap();
    let key = key(folder.path(), "plates.key");
    let data = replay(folder.path(), "data", Some(&key));
    let (running, address) = served(&data, Some(&key));
    let warning = get_data(&address, "/api/warnings?limit=1")["records"][0].clone();
    let (plate, id) = (warning["hphm"].as_str().unwrap(), warning["id"].as_str().unwrap());
    assert!(!plate.contains('#') && post_data(&address, "/api/query", &json!({"hphm": plate}))["total"] != 0);
    get_data(&address, &format!("/api/track?hphm={plate}"));
    let full_width: String = plate
        .chars()
        .map(|it| if it.is_ascii() { char::from_u32(u32::from(it) + 0xfee0).unwrap() } else { it })
        .collect();
    let written = format!("车主称{plate}系套牌，即{full_width} D座");
    let note = json!({"status": "investigating", "by": "王", "note": written});
    let path = format!("/api/warnings/{id}");
    assert_eq!(patch(&address, &path, &note).0, 200);
    assert!(get(&address, &path).1.contains(&written), "it is shown as it was written");
    get_data(&address, &format!("/api/track?hphm={plate}*"));
    let audit = get_data(&address, &format!("/api/audit?hphm={plate}"));
    assert!(audit["entries"].to_string().contains(plate), "{audit}");
    // A reading that is no valid plate, which a track finds, and parts of plates in the log.
    get_data(&address, "/api/track?hphm=苏C7654");
    let audit = get_data(&address, "/api/audit?hphm=C765");
    assert_eq!(audit["entries"][0]["details"]["hphm"], "苏C7654", "{audit}");
    stop(running);
    let mut parts = Vec::new();
    files_with(&data.join("access"), b"C765", &mut parts);
    assert!(parts.is_empty(), "a part of a plate is in {parts:#?}");
    for plate in [plate, &full_width, "苏C98765", "苏C7654"] {
        let mut found = Vec::new();
        files_with(&data, plate.as_bytes(), &mut found);
        files_with(&folder.path().join("data-out"), plate.as_bytes(), &mut found);
        assert!(found.is_empty(), "{plate} is in {found:#?}");
    }

    // It is looked at without the key, and forgotten with it.
    let (running, address) = served(&data, None);
    let (_, shown) = get(&address, "/api/warnings?limit=500");
    assert!(!shown.contains(plate) && shown.contains('#'));
    stop(running);
    let forget = |more: &[&str]| -> Ended {
        let mut command = platewatch();
        command.args(["forget", plate, "--reason", "x", "--yes", "--data-dir"]).arg(&data).args(more);
        command.output().unwrap().into()
    };
    forget(&[]).failed(2, &["--plate-key"]);
    forget(&["--plate-key", key.to_str().unwrap()]).done();
    let (running, address) = served(&data, Some(&key));
    // Nothing that anybody asked names it any more, and what was asked for as part of a text does not either.
    let (_, audit) = get(&address, "/api/audit?length=200");
    assert!(!audit.contains(&plate[3..]) && audit.contains("苏C7654"), "{audit}");
    assert_eq!(post_data(&address, "/api/query", &json!({"hphm": plate}))["total"], 0);
    assert_eq!(get(&address, &path).0, 404);
    stop(running);
}

#[test]
fn a_directory_has_one_key_or_none() {
    let folder = folder();
    std::fs::write(folder.path().join("capture.tsv"), simulated(2_000, 71, &[])).unwrap();
    let [one, other] = ["one.key", "other.key"].map(|name| key(folder.path(), name));
    let clear = replay(folder.path(), "clear", None);
    let hidden = replay(folder.path(), "hidden", Some(&one));
    let again = |data: &Path, key: Option<&Path>| -> Ended {
        let replay = Replay::new(folder.path().join("capture.tsv"), &folder.path().join("again"));
        let replay = replay.args(["--data-dir"]).args([data]);
        match key {
            Some(key) => replay.args(["--plate-key"]).args([key]).run(),
            None => replay.run(),
        }
    };
    again(&clear, Some(&one)).failed(2, &["holds plates as they are", "platewatch export"]);
    again(&hidden, Some(&other)).failed(2, &["were made with the plate key", "privacy.plate_key_file"]);
    again(&hidden, None).failed(2, &["takes nothing in without their key"]);
    again(&hidden, Some(&one)).done();

    // What is exported with the key is the same as without pseudonyms.
    let export = |data: &Path, key: Option<&Path>| {
        let mut command = platewatch();
        command.args(["export", "--quiet", "--data-dir"]).arg(data);
        if let Some(key) = key {
            command.arg("--plate-key").arg(key);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(export(&clear, None), export(&hidden, Some(&one)));
    assert!(export(&hidden, None).contains('#'));

    let ended: Ended = platewatch().args(["plate-key", "new"]).arg(&one).output().unwrap().into();
    ended.failed(2, &["exists already"]);
}

/// `prove` needs the key to see which plates are alike; what it keeps holds no plate.
#[test]
fn prove_reads_a_directory_with_pseudonyms() {
    let folder = folder();
    std::fs::write(folder.path().join("capture.tsv"), road(5)).unwrap();
    let [one, other] = ["one.key", "other.key"].map(|name| key(folder.path(), name));
    let clear = replay(folder.path(), "clear", None);
    let hidden = replay(folder.path(), "hidden", Some(&one));
    let prove = |data: &Path, key: Option<&Path>| -> Ended {
        let mut command = platewatch();
        command.args(["prove", "--quiet", "--pairs", "5", "--json", "-", "--data-dir"]).arg(data);
        if let Some(key) = key {
            command.arg("--plate-key").arg(key);
        }
        command.output().unwrap().into()
    };
    prove(&hidden, None).failed(2, &["--plate-key"]);
    prove(&hidden, Some(&other)).failed(2, &["were made with the plate key"]);
    prove(&clear, Some(&one)).failed(2, &["holds plates as they are"]);
    let numbers = |ended: Ended| -> Value {
        ended.done();
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let pairs = report["pairs"].as_array().unwrap();
        assert!(pairs.len() == 5 && pairs.iter().all(|pair| pair["hphm"].as_str().unwrap().starts_with("苏C")));
        json!([report["passages"], report["plates"], report["others"]["plates"], report["merged"]["plates"]])
    };
    assert_eq!(numbers(prove(&clear, None)), numbers(prove(&hidden, Some(&one))));
    for data in [&clear, &hidden] {
        let kept = std::fs::read_to_string(data.join("prove.json")).unwrap();
        assert!(kept.contains("\"passages\"") && !kept.contains('苏'), "no plate is kept: {kept}");
    }
}
