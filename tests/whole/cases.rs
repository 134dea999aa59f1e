//! Small inputs of kinds that went wrong once, each with its right result, through the whole program.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{Random, Replay, Results, folder, get_data, post, post_data, repository, run, serve_nothing};

fn case(name: &str) -> PathBuf {
    repository("tests/fixtures/cases").join(name)
}

/// Replays a file; the accounting identity holds.
fn replay(file: &Path, more: &[&str]) -> Results {
    let folder = folder();
    let results = Replay::new(file, &folder.path().join("out")).args(more).results();
    results.adds_up();
    results
}

fn replay_text(text: impl AsRef<[u8]>, more: &[&str]) -> Results {
    let folder = folder();
    let file = folder.path().join("capture");
    std::fs::write(&file, text).unwrap();
    replay(&file, more)
}

#[track_caller]
fn counts(results: &Results) -> (u64, u64, u64) {
    (results.rejected(), results.count("accepted"), results.count("alerts"))
}

#[test]
fn a_title_above_the_table_is_one_reject() {
    let results = replay(&case("title.tsv"), &[]);
    assert_eq!(counts(&results), (1, 6, 3));
    assert_eq!(results.rejects()[0]["reason"], "wrong_column_count");
}

#[test]
fn a_header_that_names_another_order_is_followed() {
    for order in ["arrival", "time"] {
        let results = replay(&case("swapped_header.csv"), &["--order", order]);
        assert_eq!((counts(&results), results.count("headers")), ((0, 6, 3), 1), "{order}");
        let by_kkmc = results.by_kkmc().into_iter().collect::<Vec<_>>();
        assert_eq!(by_kkmc, [("G3_Sulu".to_owned(), 3), ("S250_Pizhou_Sulu".to_owned(), 3)], "{order}");
    }
}

#[test]
fn letters_that_look_alike_and_colours_are_one_plate() {
    assert_eq!(counts(&replay(&case("look_alikes.tsv"), &[])), (0, 8, 4));
    let colours = replay(&case("colours.tsv"), &[]);
    assert_eq!(counts(&colours), (0, 14, 6));
    assert!(!colours.alerts.contains("绿色"), "{}", colours.alerts);
}

#[test]
fn a_new_energy_plate_that_lacks_its_last_character_is_no_evidence() {
    let results = replay(&case("green_truncated.tsv"), &[]);
    assert_eq!(counts(&results), (0, 4, 1));
    assert_eq!(results.alerts()[0]["hphm"], "苏CD12345");
    assert_eq!(replay(&case("green_truncated.tsv"), &["--detect-plates", "any"]).count("alerts"), 2);
}

#[test]
fn a_block_that_was_never_written_is_no_part_of_a_record() {
    let results = replay(&case("nul_small.log"), &[]);
    assert_eq!(counts(&results).1, 6);
    // However long it is.
    let line = "G1\t沛县\tS250_Pizhou_Sulu\t1\t2024-01-01 08:00:00\t02\t苏C12345\t-\n";
    for nuls in [1, 65_536, 3_000_000] {
        let block = "\0".repeat(nuls);
        let text =
            format!("{line}{block}{}{block}\n{block}\n{}{block}", line.replace("G1", "G2"), line.replace("G1", "G3"));
        let results = replay_text(&text, &[]);
        assert_eq!((counts(&results), results.count("lines")), ((0, 3, 0), results.count("blank") + 3), "{nuls}");
        assert_eq!(results.count("blank"), 3, "{nuls}");
    }
}

#[test]
fn times_without_seconds_or_without_a_time_of_day_are_accepted() {
    assert_eq!(counts(&replay(&case("minutes_only_high.csv"), &[])).1, 4);
    assert_eq!(counts(&replay(&case("date_only.tsv"), &[])).1, 4);
}

#[test]
fn coordinates_of_zero_are_no_place() {
    let sites = case("null_island.checkpoints.csv");
    let results = replay(&case("null_island.tsv"), &["--checkpoints", sites.to_str().unwrap()]);
    assert_eq!(counts(&results), (0, 6, 3));
    for alert in results.alerts() {
        let at_sea =
            ["prev_kkmc", "curr_kkmc"].iter().any(|name| ["P2", "P4"].contains(&alert[name].as_str().unwrap()));
        assert_eq!(alert["distance_km"].is_null(), at_sea, "{alert}");
        assert!(!at_sea || alert["severity"] == "medium", "{alert}");
    }
    let data = folder();
    let ended = run(["import-checkpoints", sites.to_str().unwrap(), "--data-dir", data.path().to_str().unwrap()]);
    ended.done();
    assert!(ended.stdout.contains("2 without coordinates (empty, or 0,0): P2, P4"), "{}", ended.stdout);
}

const HEADER: &str = "GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH";

/// A table of three passages, two of them a clone's.
fn table(separator: &str, end: &str) -> String {
    let lines = [
        HEADER.replace(',', separator),
        ["G1", "沛县", "S250_Pizhou_Sulu", "1", "2024-01-01 08:00:00", "02", "苏C12345", "大众牌-朗逸-2015"]
            .join(separator),
        ["G2", "沛县", "G3_Sulu", "1", "2024-01-01 08:00:40", "02", "苏C12345", "大众牌-朗逸-2015"].join(separator),
        ["G3", "沛县", "G3_Sulu", "2", "2024-01-01 08:00:41", "2", "鲁D54321", "-"].join(separator),
    ];
    lines.join(end) + end
}

#[test]
fn separators_and_line_endings_of_every_kind() {
    let usual = replay_text(table("\t", "\n"), &[]);
    assert_eq!(counts(&usual), (0, 3, 1));
    for separator in ["\t", ",", ";", "|"] {
        for end in ["\n", "\r\n", "\r"] {
            for order in ["arrival", "time"] {
                let results = replay_text(table(separator, end), &["--order", order]);
                results.equals(&usual, &format!("{separator:?} {end:?} {order}"));
            }
        }
    }
    for (name, separator) in [("semicolon", ";"), ("|", "|")] {
        replay_text(table(separator, "\n"), &["--delimiter", name]).equals(&usual, name);
    }
}

#[test]
fn utf_16_with_its_mark() {
    use std::io::Write as _;
    let usual = replay_text(table("\t", "\n"), &[]);
    let units: Vec<u16> = format!("\u{feff}{}", table("\t", "\r\n")).encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for (bytes, what) in [(&little, "little-endian"), (&big, "big-endian")] {
        for order in ["arrival", "time"] {
            replay_text(bytes, &["--order", order]).equals(&usual, what);
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        replay_text(packed.finish().unwrap(), &[]).equals(&usual, what);
        replay_text(zstd::encode_all(&bytes[..], 3).unwrap(), &["--encoding", "gb18030"]).equals(&usual, what);
        let folder = folder();
        let piped = Replay::new("-", &folder.path().join("out")).input(bytes).results();
        assert_eq!(counts(&piped), counts(&usual), "piped, {what}");
    }
    // Half a surrogate pair and half a unit get their lines rejected, and no other.
    let mut broken = little.clone();
    broken.extend_from_slice(&[0x00, 0xd8, b'\n', 0, b'x']);
    let results = replay_text(&broken, &[]);
    let reasons: Vec<_> = results.rejects().iter().map(|reject| reject["reason"].clone()).collect();
    assert_eq!((counts(&results).1, reasons), (3, vec![json!("invalid_encoding"); 2]));
}

#[test]
fn a_header_that_contradicts_the_columns_is_refused_in_words() {
    let folder = folder();
    let out = folder.path().join("out");
    for order in ["arrival", "time"] {
        let ended = Replay::new(case("swapped_header.csv"), &out).args(["--columns", HEADER, "--order", order]).run();
        ended.failed(2, &["swapped_header.csv", "line 1", "GCXH,KKMC,XZQHMC,FXLX", HEADER, "leave them out"]);
    }
    // If it comes late, what was read before is there.
    let late = folder.path().join("late.csv");
    let passage = "G3,沛县,G3_Sulu,2,2024-01-01 08:00:41,2,鲁D54321,-\n".to_owned();
    let many: String = (0..5000).map(|number| passage.replace("G3,", &format!("G{number},"))).collect();
    let swapped = std::fs::read_to_string(case("swapped_header.csv")).unwrap();
    std::fs::write(&late, format!("{many}{swapped}")).unwrap();
    let ended = Replay::new(&late, &out).args(["--columns", HEADER]).run();
    ended.failed(3, &["late.csv", "line 5001", "what came before is in"]);
    assert_eq!(Results::read(&out).count("accepted"), 5000);
    // One that agrees is a header like any other, extra columns or not.
    let columns = format!("{HEADER},SFZRKMC");
    let wide: String = table(",", "\n").lines().map(|line| format!("{line},入口\n")).collect();
    let results =
        replay_text(wide.replacen(",入口", ",SFZRKMC", 1), &["--columns", &columns, "--shard-key", "SFZRKMC"]);
    assert_eq!((counts(&results), results.count("headers")), ((0, 3, 1), 1));
}

#[test]
fn extra_columns_are_found_by_the_header() {
    let wide: String = table(";", "\n").lines().map(|line| format!("x;{line};y\n")).collect();
    let wide = wide.replacen("x;", "NOTE;", 1).replacen(";y", ";SFZRKMC", 1);
    assert_eq!(counts(&replay_text(format!("标题\n{wide}"), &[])), (1, 3, 1));
}

#[test]
fn where_hardly_any_line_fits_the_user_is_told_which_option_helps() {
    let folder = folder();
    let (file, out) = (folder.path().join("wide.csv"), folder.path().join("out"));
    let wide: String = table(";", "\n").lines().skip(1).map(|line| format!("{line};入口\n")).collect();
    std::fs::write(&file, wide.repeat(400)).unwrap();
    let ended = Replay::new(&file, &out).run();
    ended.done();
    ended.one_sentence(&["wide.csv", "9 fields", "semicolon", "8 columns", "--columns"]);
    assert!(Results::read(&out).summary["notes"][0].as_str().unwrap().contains("9 fields"));
    // The right number of columns, but not with the stated separator.
    std::fs::write(&file, table(";", "\n")).unwrap();
    let ended = Replay::new(&file, &out).args(["--delimiter", "comma"]).run();
    ended.done();
    ended.one_sentence(&["8 fields", "semicolon", "--delimiter"]);
    // A capture that fits has no such note.
    assert!(replay(&case("title.tsv"), &[]).summary.get("notes").is_none());
}

#[test]
fn the_order_of_a_header_outlives_a_restart() {
    let folder = folder();
    let [file, data, out] = ["capture.csv", "data", "out"].map(|name| folder.path().join(name));
    let line = |number: usize| format!("K{},G{number},沛县,1,2024-01-01 08:00:00,02,苏C{number:05},-\n", number % 3);
    let lines = |numbers: std::ops::Range<usize>| numbers.map(line).collect::<String>();
    let header = "KKMC,GCXH,XZQHMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH\n";
    std::fs::write(&file, format!("{header}{}", lines(0..300))).unwrap();
    let replay = || Replay::new(&file, &out).args(["--data-dir"]).args([&data]).results();
    assert_eq!(replay().by_kkmc()["K1"], 100);
    // The file has grown: another process resumes at its old end, where there is no header.
    std::fs::write(&file, format!("{header}{}", lines(0..600))).unwrap();
    let grown = replay();
    assert_eq!((grown.count("headers"), grown.count("accepted"), grown.rejected()), (1, 600, 0));
    assert_eq!(grown.by_kkmc().into_values().collect::<Vec<_>>(), [200, 200, 200]);
}

/// Exports all passages of a data directory, oldest first.
fn export(data: &Path) -> String {
    let (running, address) = serve_nothing(data);
    let (status, text) = post(&address, "/api/query/export", &json!({ "order": "oldest" }));
    assert_eq!(status, 200, "{text}");
    drop(running);
    text
}

/// Replays a capture, exports it, replays the export, and exports again: the same to the letter.
#[track_caller]
fn comes_back(capture: &str, what: &str) -> u64 {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("capture"), capture).unwrap();
    let first = Replay::new(path("capture"), &path("out")).args(["--data-dir"]).args([path("first")]).results();
    let exported = export(&path("first"));
    std::fs::write(path("export.csv"), &exported).unwrap();
    let second = Replay::new(path("export.csv"), &path("out")).args(["--data-dir"]).args([path("second")]).results();
    let counted = (second.count("headers"), second.rejected(), second.count("accepted"));
    assert_eq!(counted, (1, 0, first.count("accepted")), "{what}: {}", second.rejects);
    assert_eq!(export(&path("second")), exported, "{what}");
    first.count("accepted")
}

#[test]
fn an_export_replays_to_the_same_rows() {
    let capture = std::fs::read_to_string(case("formula.tsv")).unwrap();
    assert_eq!(comes_back(&capture, "formula.tsv"), 6);
}

#[test]
fn whatever_was_accepted_comes_back_from_its_export() {
    const PIECES: &[&str] = &[
        "=",
        "+",
        "-",
        "@",
        "'",
        "\"",
        "\"\"",
        ",",
        ";",
        "|",
        " ",
        "\\N",
        "=\"",
        "\u{feff}",
        "\u{3000}",
        "\u{a0}",
        "\0",
        "苏C12345",
        "蓝",
        "_1",
        "(黄)",
        "·",
        ".",
        "苏C-",
        "Ａ",
        "ﷺ",
        "Ϊ́",
        "ß",
        "ŉ",
        "1",
        "02",
        "=1+1",
        "'=x",
        "徐州",
        "*",
        "\x0b",
        "\u{2003}",
        "\u{85}",
    ];
    for seed in 0..4 {
        let mut random = Random(seed);
        let mut text = || (0..random.below(5)).map(|_| random.pick(PIECES)).collect::<String>();
        let lines: String = (0..400)
            .map(|number| {
                let time = format!("2024-01-01 08:{:02}:{:02}", number / 60, number % 60);
                let id = format!("{}{number}", text());
                let kkmc = text().replace(['\'', '"', '\0', '\x0b'], "") + "K";
                [&id, &text(), &kkmc, &text(), &time, &text(), &text(), &text()].map(|field| field.as_str()).join("\t")
                    + "\n"
            })
            .collect();
        let accepted = comes_back(&lines, &format!("seed {seed}"));
        assert!(accepted > 350, "seed {seed}: only {accepted} accepted");
    }
}

#[test]
fn a_plate_is_searched_as_it_is_stored() {
    let folder = folder();
    let data = folder.path().join("data");
    Replay::new(case("look_alikes.tsv"), &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    let (_running, address) = serve_nothing(&data);
    for written in
        ["苏C90001", "蘇С９０００１", "苏C-90001", "蓝苏C90001", "苏C90001_1", "%E8%8B%8FC%C2%A090001", "苏c·90001"]
    {
        let found = get_data(&address, &format!("/api/track?hphm={written}"));
        assert_eq!((&found["hphm"], &found["total"]), (&json!("苏C90001"), &json!(2)), "{written}");
        if !written.starts_with('%') {
            let page = post_data(&address, "/api/query", &json!({ "hphm": written }));
            assert_eq!(page["total"], 2, "{written}");
        }
    }
}
