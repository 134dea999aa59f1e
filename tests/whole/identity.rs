//! The accounting identity on files of any bytes: every line is counted once, every broken one is kept with its number.

use super::agreement::compare;
use super::model::{self, Question};
use super::reading;
use crate::harness::{Random, Replay, folder, simulated};

/// Arbitrary bytes, mixed with lines of traffic and pieces of them.
fn any_bytes(seed: u64, traffic: &[u8]) -> Vec<u8> {
    let mut random = Random(seed);
    let lines: Vec<&[u8]> = traffic.split(|byte| *byte == b'\n').collect();
    let mut bytes = Vec::new();
    // A gzip or Zstandard file is detected by its beginning: this is neither.
    bytes.push(b"\n x\"\tG"[random.below(6)]);
    for _ in 0..random.below(300) {
        match random.below(9) {
            0 => bytes.extend(std::iter::repeat_with(|| random.next() as u8).take(200)),
            1 => bytes.extend_from_slice([&b"\n"[..], b"\r\n", b"\n\n\r\n", b"\r"][random.below(4)]),
            2 => bytes.extend(std::iter::repeat_n(random.next() as u8, [1, 3, 70_000, 140_000][random.below(4)])),
            3 => bytes.extend_from_slice(["\u{feff}", "\"", ",", "\t", "\0", "过车"][random.below(6)].as_bytes()),
            4 => {
                let line = lines[random.below(lines.len())];
                bytes.extend_from_slice(&line[..random.below(line.len() + 1)]);
            }
            _ => {
                bytes.extend_from_slice(lines[random.below(lines.len())]);
                bytes.push(b'\n');
            }
        }
    }
    bytes
}

#[test]
fn every_line_of_any_file_is_accounted_for() {
    let traffic = simulated(2000, 11, &[]);
    let folder = folder();
    let file = folder.path().join("any.bin");
    for seed in 0..60 {
        let bytes = any_bytes(seed, &traffic);
        std::fs::write(&file, &bytes).unwrap();
        let question = Question { by_time: seed % 2 == 1, ..Question::default() };
        let mut replay = Replay::new(&file, &folder.path().join("out"));
        if question.by_time {
            replay = replay.args(["--order", "time"]);
        }
        let results = replay.results();
        assert_eq!(results.count("lines"), reading::lines(&bytes).len() as u64, "seed {seed}");
        compare(&results, &model::answer(&bytes, question), &format!("seed {seed}"));
    }
}

#[test]
fn rejects_name_the_file_the_line_and_the_reason() {
    let folder = folder();
    let traffic = String::from_utf8(simulated(3, 12, &["--clean"])).unwrap();
    let good: Vec<&str> = traffic.lines().collect();
    let [first, second] = ["first.log", "second.log"].map(|name| folder.path().join(name));
    std::fs::write(&first, format!("{}\nshort\tline\n\n{}\n", good[0], good[1])).unwrap();
    std::fs::write(&second, [good[2].as_bytes(), b"\n\xff\xfe broken\r\n"].concat()).unwrap();
    for order in ["arrival", "time"] {
        let replay = Replay::new(&first, &folder.path().join("out"));
        let results = replay.args([second.as_os_str()]).args(["--order", order]).results();
        results.adds_up();
        let rejects = results.rejects();
        let told: Vec<_> = rejects
            .iter()
            .map(|reject| {
                let text = |name: &str| reject[name].as_str().unwrap_or_default();
                (text("file"), reject["line"].as_u64().unwrap(), text("reason"), text("raw"), text("raw_base64"))
            })
            .collect();
        let wrong_count = ("first.log", 2, "wrong_column_count", "short\tline", "");
        let not_text = ("second.log", 2, "invalid_encoding", "\u{fffd}\u{fffd} broken", "//4gYnJva2Vu");
        assert_eq!(told, [wrong_count, not_text], "{order}");
        assert_eq!(results.summary["rejected"]["by_reason"]["invalid_encoding"], 1);
    }
}
