//! A data directory that the first version wrote opens, and its watermark is not used any more.
//!
//! `tests/fixtures/data_v1` is what version 1 of the layout made of [`capture`]: one record 20 hours ahead had made
//! everything after it late, so that no plate state of the last five minutes was kept.

use std::path::Path;

use super::reading::{civil_seconds, civil_text};
use crate::harness::{Replay, folder, get_data, repository, serve_nothing};

const SITES: [&str; 4] = ["S250_Pizhou_Sulu", "G3_Sulu", "S253_Peixian_Sulu", "G104_Suining_Suwan"];

fn line(number: usize, site: usize, seconds: i64, plate: usize) -> String {
    let time = civil_text(civil_seconds("2024-01-01 08:00:00").unwrap() + seconds);
    format!("G3203{number:014}\t邳州市\t{}\t1\t{time}\t02\t苏C{plate}\t大众牌-朗逸-2015\n", SITES[site])
}

/// Four checkpoints, each with a car every two seconds for ten minutes, all of them different.
fn capture() -> String {
    let mut text = String::new();
    let mut number = 0;
    let mut add = |site, seconds, plate| {
        number += 1;
        text += &line(number, site, seconds, plate);
    };
    for second in (0..600).step_by(2) {
        (0..4).for_each(|site| add(site, second, 10_000 + second as usize * 4 + site));
        if second == 300 {
            add(3, second + 20 * 3600, 55_555);
        }
    }
    text
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn its_watermark_is_computed_again_from_its_rows() {
    let folder = folder();
    let data = folder.path().join("data");
    copy(&repository("tests/fixtures/data_v1"), &data);
    let (running, address) = serve_nothing(&data);
    let status = get_data(&address, "/api/status");
    assert_eq!(status["detection"]["watermark"], "2024-01-01 08:09:58", "not 2024-01-02 04:05:00");
    assert_eq!(status["pipeline"]["late"], 596, "what was counted stays");
    assert_eq!(get_data(&address, "/api/overview")["total"], 1201);
    drop(running);

    // The plates of the last minutes are known again, though their states were not stored.
    let [first, more] = ["capture.tsv", "more.tsv"].map(|name| folder.path().join(name));
    std::fs::write(&first, capture()).unwrap();
    let late_again = [(1, 602, 12_392), (2, 603, 10_800), (0, 604, 11_601)];
    let lines =
        late_again.iter().zip(5000..).map(|((site, seconds, plate), number)| line(number, *site, *seconds, *plate));
    // And a passage that was stored before is still a duplicate.
    let lines: String = lines.chain([line(1201, 3, 598, 10_000 + 598 * 4 + 3)]).collect();
    std::fs::write(&more, lines).unwrap();
    for _ in 0..2 {
        let replay = Replay::new(&first, &folder.path().join("out")).args([&more]).args(["--data-dir"]).args([&data]);
        let results = replay.results();
        results.adds_up();
        let found: Vec<_> = results.alerts().iter().map(|alert| alert["hphm"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, ["苏C12392", "苏C11601"]);
        assert_eq!((results.count("accepted"), results.count("late"), results.count("duplicates")), (1204, 596, 1));
    }
}
