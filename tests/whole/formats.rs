//! The same records in other forms: compressed, piped, in another encoding, with other columns, sorted with spill.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{Replay, Results, folder, get_data, run, serve_nothing, simulated};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The results with the file name in the rejects made the same.
fn named_alike(mut results: Results, name: &str) -> Results {
    results.rejects = results.rejects.replace(&format!("\"file\":\"{name}\""), "\"file\":\"capture\"");
    results
}

#[test]
fn gzip_zstandard_and_standard_input() {
    let folder = folder();
    let mut lines = simulated(20_000, 41, &[]);
    lines.extend_from_slice(b"not a passage\n");
    let replay = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        named_alike(Replay::new(&file, &folder.path().join("out")).results(), name)
    };
    let plain = replay("capture.tsv", &lines);
    assert_eq!((plain.count("lines"), plain.rejected()), (20_001, 1));
    // Members end where rotation cut, here in the middle of a line.
    let members: Vec<u8> = lines.chunks(lines.len() / 3 - 7).flat_map(gzip).collect();
    replay("capture.tsv.gz", &members).equals(&plain, "gzip");
    let zstandard = zstd::encode_all(&lines[..], 3).unwrap();
    replay("capture.tsv.zst", &zstandard).equals(&plain, "Zstandard");
    replay("misnamed.log", &zstandard).equals(&plain, "Zstandard, told by its beginning");
    for (bytes, what) in [(&lines, "piped"), (&members, "piped, gzip"), (&zstandard, "piped, Zstandard")] {
        let piped = Replay::new("-", &folder.path().join("out")).input(bytes).results();
        named_alike(piped, "-").equals(&plain, what);
    }
}

#[test]
fn gb18030() {
    let folder = folder();
    let lines = simulated(10_000, 42, &["--full-names"]);
    let [utf8, gb] = ["utf8.tsv", "gb.tsv"].map(|name| folder.path().join(name));
    std::fs::write(&utf8, &lines).unwrap();
    let plain = Replay::new(&utf8, &folder.path().join("plain")).results();

    let text = String::from_utf8(lines).unwrap();
    let mut encoded = encoding_rs::GB18030.encode(&text).0.into_owned();
    assert_ne!(encoded, text.as_bytes());
    std::fs::write(&gb, &encoded).unwrap();
    let replay = |more: &[&str]| Replay::new(&gb, &folder.path().join("out")).args(more);
    replay(&["--encoding", "gb18030"]).results().equals(&plain, "GB18030");
    replay(&["--encoding", "GBK", "--order", "time"]).results().adds_up();

    encoded.extend_from_slice(b"G1\t\xff\xff\tK\t1\t2024-01-01 00:00:00\t02\t\x80\t-\r\n");
    std::fs::write(&gb, &encoded).unwrap();
    let results = replay(&["--encoding", "gb18030"]).results();
    assert_eq!((results.count("accepted"), results.rejected()), (plain.count("accepted"), 1));
    let reject = &results.rejects()[0];
    assert_eq!((reject["line"].as_u64(), &reject["reason"]), (Some(10_001), &"invalid_encoding".into()));
    assert_eq!(reject["raw_base64"], "RzEJ//8JSwkxCTIwMjQtMDEtMDEgMDA6MDA6MDAJMDIJgAkt");

    // Read as UTF-8 it is not traffic, and the user is advised what to check.
    let ended = replay(&[]).run();
    ended.done();
    ended.one_sentence(&["is a passage", "--encoding"]);
}

#[test]
fn commas_with_quotes_are_tabs_in_disguise() {
    let folder = folder();
    let text = String::from_utf8(simulated(10_000, 43, &[])).unwrap();
    let quoted = text.lines().map(|line| {
        let fields: Vec<_> = line.split('\t').map(|field| format!("\"{field}\"")).collect();
        fields.join(",") + "\r\n"
    });
    let [tab, comma] = ["tab", "comma"].map(|name| folder.path().join(name));
    std::fs::write(&tab, &text).unwrap();
    std::fs::write(&comma, quoted.collect::<String>()).unwrap();
    let plain = Replay::new(&tab, &folder.path().join("plain")).results();
    Replay::new(&comma, &folder.path().join("out")).results().equals(&plain, "quoted");
    let told = Replay::new(&comma, &folder.path().join("out")).args(["--delimiter", "comma"]).results();
    told.equals(&plain, "quoted, told so");
    let wrong = Replay::new(&comma, &folder.path().join("out")).args(["--delimiter", "tab"]).results();
    assert_eq!(wrong.summary["rejected"]["by_reason"]["wrong_column_count"], 10_000);
}

/// The shard of a key as the binary itself prints it.
fn shard_of(key: &str) -> usize {
    let ended = run(["shard", key]);
    ended.done();
    ended.stdout.trim_end().rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn other_columns_and_another_shard_key() {
    let folder = folder();
    let text = String::from_utf8(simulated(10_000, 44, &[])).unwrap();
    let [usual, other] = ["usual", "other"].map(|name| folder.path().join(name));
    std::fs::write(&usual, &text).unwrap();
    let units = ["江苏省", "安徽省", "山东省", "河南省"];
    let mut by_unit = [0u64; 4];
    let moved: String = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let f: Vec<_> = line.split('\t').collect();
            let unit = index % 7 % units.len();
            by_unit[unit] += 1;
            [f[4], f[6], f[0], units[unit], f[2], f[1], f[3], f[5], f[7]].join("\t") + "\n"
        })
        .collect();
    std::fs::write(&other, moved).unwrap();
    let plain = Replay::new(&usual, &folder.path().join("plain")).results();
    let columns = ["--columns", "GCSJ,HPHM,GCXH,SFZRKMC,KKMC,XZQHMC,FXLX,HPZL,CLPPXH"];
    let replay = || Replay::new(&other, &folder.path().join("out")).args(columns);
    replay().results().equals(&plain, "other order, one more column");

    let routed = replay().args(["--shard-key", "SFZRKMC"]).results();
    routed.adds_up();
    assert_eq!((&routed.alerts, routed.by_kkmc()), (&plain.alerts, plain.by_kkmc()));
    assert!(routed.count("duplicates") < 500, "{}", routed.summary);
    let shards: Vec<u64> = serde_json::from_value(routed.summary["by_shard"].clone()).unwrap();
    let mut lines_of = [0u64; 2];
    units.iter().zip(by_unit).for_each(|(unit, count)| lines_of[shard_of(unit)] += count);
    assert!(lines_of.iter().all(|count| *count > 0), "the keys lie on one shard: choose others");
    // All but the few repeated passages.
    let missing = lines_of.iter().zip(&shards).map(|(lines, rows)| lines - rows).sum::<u64>();
    assert_eq!(missing, routed.count("duplicates"));

    // By checkpoint, the summary itself shows the shards.
    let mut rows_of = [0u64; 2];
    plain.by_kkmc().iter().for_each(|(kkmc, count)| rows_of[shard_of(kkmc)] += count);
    assert_eq!(plain.summary["by_shard"], serde_json::json!(rows_of));
}

#[test]
fn checkpoints_of_ones_own_give_evidence() {
    let folder = folder();
    let [capture, sites] = ["capture.tsv", "sites.csv"].map(|name| folder.path().join(name));
    let more = ["--sites", "60", "--checkpoints-out", sites.to_str().unwrap()];
    std::fs::write(&capture, simulated(20_000, 45, &more)).unwrap();
    let severities = |results: &Results| {
        let mut severities = BTreeMap::new();
        for alert in results.alerts() {
            let known = alert["distance_km"].is_number();
            *severities.entry((alert["severity"].as_str().unwrap().to_owned(), known)).or_insert(0u64) += 1;
        }
        severities
    };
    // Without what the traffic teaches, severity follows from the coordinates.
    let replay = || Replay::new(&capture, &folder.path().join("out")).env("PLATEWATCH__DETECT__EVIDENCE", "off");
    let without = severities(&replay().results());
    assert!(without.keys().all(|(severity, known)| !known && severity != "low"), "{without:?}");
    let with = severities(&replay().args(["--checkpoints", sites.to_str().unwrap()]).results());
    assert!(with.keys().all(|(severity, known)| *known && severity != "medium"), "{with:?}");
    assert_eq!(with.values().sum::<u64>(), without.values().sum::<u64>());
    assert!(with[&("high".to_owned(), true)] > 30, "{with:?}");
}

#[test]
fn retention_drops_passages_and_nothing_else() {
    let folder = folder();
    let (capture, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    // 200,000 lines at 10 a second: five and a half hours.
    std::fs::write(&capture, simulated(200_000, 46, &["--rate", "10", "--clean"])).unwrap();
    let all = Replay::new(&capture, &folder.path().join("all")).results();
    let replay =
        Replay::new(&capture, &folder.path().join("out")).args(["--retention", "1h", "--data-dir"]).args([&data]);
    let some = replay.results();
    assert_eq!((&some.alerts, some.count("accepted")), (&all.alerts, all.count("accepted")));
    let (running, address) = serve_nothing(&data);
    let retained = get_data(&address, "/api/overview")["total"].as_u64().unwrap();
    assert!((20_000..180_000).contains(&retained), "{retained} retained");
    drop(running);
}

#[test]
fn sorting_by_time_spills_what_memory_does_not_hold() {
    let folder = folder();
    let capture = folder.path().join("capture.tsv");
    let lines = simulated(300_000, 47, &[]);
    // Pieces end to end, as one real export was.
    let mut pieces = vec![Vec::new(); 97];
    for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
        pieces[index * 7919 % 97].extend_from_slice(line);
    }
    std::fs::write(&capture, pieces.concat()).unwrap();
    assert!(lines.len() > 24 << 20, "a quarter of 32 MiB would hold it");
    let replay =
        |memory: &str| Replay::new(&capture, &folder.path().join("out")).args(["--order", "time", "--memory", memory]);
    let large = replay("512MiB").results();
    large.adds_up();
    assert!(large.count("late") == 0 && large.count("alerts") > 2000, "{}", large.summary);
    replay("32MiB").results().equals(&large, "with spill");

    // Unsorted it is hardly comparable, and the user is warned.
    let ended = Replay::new(&capture, &folder.path().join("out")).run();
    ended.done();
    ended.one_sentence(&["came too late to be compared", "--order time"]);
}

#[test]
fn a_damaged_gzip_file_gives_what_came_before_the_damage() {
    let folder = folder();
    let lines = simulated(60_000, 48, &[]);
    let mut packed = gzip(&lines);
    let (capture, out) = (folder.path().join("capture.tsv.gz"), folder.path().join("out"));
    for kind in ["cut", "overwritten"] {
        let at = packed.len() * 2 / 3;
        match kind {
            "cut" => std::fs::write(&capture, &packed[..at]).unwrap(),
            _ => {
                packed[at..at + 64].fill(0xff);
                std::fs::write(&capture, &packed).unwrap();
            }
        }
        let ended = Replay::new(&capture, &out).run();
        ended.failed(3, &["cannot read ", "capture.tsv.gz after byte ", "what came before is in "]);
        let results = Results::read(&out);
        results.adds_up();
        // The last line may be half a one; all others are whole and accepted.
        assert!((30_000..60_000).contains(&results.count("accepted")), "{kind}: {}", results.summary);
        assert!(results.rejected() <= 2, "{kind}: {}", results.summary);
        std::fs::remove_dir_all(&out).unwrap();

        let ended = Replay::new(&capture, &out).args(["--order", "time"]).run();
        ended.failed(3, &["cannot read ", "capture.tsv.gz after byte "]);
        assert!(!out.join("summary.json").exists(), "half a capture sorted by time is no result");
    }
}
