//! The same records in the same order give the same files, whatever the batch size, the memory, compaction, or whether
//! the data is kept.

use super::dirty::{Style, dirty};
use crate::harness::{Replay, Results, folder, simulated};

#[test]
fn batches_memory_compaction_and_data_dir_change_nothing() {
    let folder = folder();
    let file = folder.path().join("capture.csv");
    let style = Style { separator: ',', pieces: 1, spoilt: 20 };
    std::fs::write(&file, dirty(&simulated(12_000, 21, &[]), 21, style)).unwrap();
    for order in ["arrival", "time"] {
        let replay = |more: &[&str]| -> Results {
            Replay::new(&file, &folder.path().join("out")).args(["--order", order]).args(more).results()
        };
        let plain = replay(&[]);
        assert!(plain.count("alerts") > 50 && plain.rejected() > 200, "{}", plain.summary);
        let ways: [&[&str]; 9] = [
            &["--batch-records", "1"],
            &["--batch-records", "7"],
            &["--batch-records", "100000"],
            &["--memory", "32MiB"],
            &["--memory", "512MiB"],
            &["--no-compaction"],
            &["--no-compaction", "--batch-records", "7", "--memory", "32MiB"],
            &["--data-dir", "data"],
            &["--data-dir", "data", "--batch-records", "100", "--no-compaction"],
        ];
        for (number, way) in ways.into_iter().enumerate() {
            let data = folder.path().join(format!("data-{order}-{number}"));
            let way: Vec<&str> =
                way.iter().map(|part| if *part == "data" { data.to_str().unwrap() } else { *part }).collect();
            replay(&way).equals(&plain, &format!("{order}, {way:?}"));
        }
    }
}

#[test]
fn a_finished_replay_is_answered_again_from_its_data_dir() {
    let folder = folder();
    let (file, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    std::fs::write(&file, simulated(5_000, 22, &[])).unwrap();
    let replay =
        || Replay::new(&file, &folder.path().join("out")).args(["--data-dir", data.to_str().unwrap()]).results();
    let first = replay();
    replay().equals(&first, "the second run had nothing left to read");
}

/// More files after those that were read are read as one longer capture.
#[test]
fn files_may_be_added_behind() {
    let folder = folder();
    let data = folder.path().join("data");
    let lines = simulated(6_000, 23, &[]);
    let half = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2_999).unwrap().0 + 1;
    let [first, second, whole] = ["1.tsv", "2.tsv", "whole.tsv"].map(|name| folder.path().join(name));
    std::fs::write(&first, &lines[..half]).unwrap();
    std::fs::write(&second, &lines[half..]).unwrap();
    std::fs::write(&whole, &lines).unwrap();
    let expected = Replay::new(&whole, &folder.path().join("whole")).results();
    let replay = || Replay::new(&first, &folder.path().join("out")).args(["--data-dir", data.to_str().unwrap()]);
    assert_eq!(replay().results().count("lines"), 3000);
    let both = replay().args([&second]).results();
    both.equals(&expected, "two files, one after the other");
}
