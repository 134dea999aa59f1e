//! What is too large is split, isolated or dropped, and whatever is written can be read back.

use storage::{Durability, Family};
use traffic::{CivilTime, RejectReason};

use super::model::{Line, Row};
use super::scene::{ALWAYS, SMALL, Scene, settings};
use crate::batch::Batch;
use crate::store::StoreSettings;
use crate::store::disk::keys;

fn row(number: i64, hphm: String) -> Row {
    Row {
        partition: 0,
        gcxh: format!("G{number:018}"),
        xzqhmc: "铜山县".to_owned(),
        kkmc: super::model::CHECKPOINTS[0].to_owned(),
        fxlx: "1".to_owned(),
        gcsj: CivilTime(1_704_067_200 + number),
        hpzl: "02".to_owned(),
        hphm,
        clppxh: "-".to_owned(),
    }
}

fn passages(plates: impl Iterator<Item = String>) -> Vec<Line> {
    (0..).zip(plates).map(|(number, plate)| Line::Passage(row(number, plate))).collect()
}

#[test]
fn rows_with_much_text_become_smaller_segments() {
    let mut scene = Scene::new(settings(), SMALL, ALWAYS);
    let lines = passages((0..150).map(|number| format!("无牌{number:0300}")));
    // At once, and as a tail that grows.
    scene.commit(0, &lines[..100]);
    for line in &lines[100..] {
        scene.commit(0, std::slice::from_ref(line));
    }
    let rows = scene.rows();
    assert_eq!(rows.len(), 150);
    for log in scene.store().state.logs.values() {
        let (sealed, tail) = (log.sealed(), log.tail());
        let most = sealed.iter().cloned().chain(tail).map(|entry| entry.zone.rows).max();
        assert!(most <= Some(SMALL.seal_text_bytes as u32 / 300), "{most:?} rows in one segment");
    }
    scene.crash();
    assert_eq!(scene.rows(), rows);
    // A single row with more text than a segment should have becomes a segment.
    scene.commit(0, &passages(std::iter::once("无".repeat(1000))));
    scene.restart();
    assert_eq!(scene.rows().len(), 150, "the same GCXH");
}

#[test]
fn a_row_that_cannot_be_stored_is_a_reject_and_the_others_are_stored() {
    let mut scene = Scene::new(settings(), SMALL, ALWAYS);
    let lines =
        passages((0..50).map(|number| if number % 7 == 3 { "无牌".to_owned() } else { format!("苏C{number:05}") }));
    scene.commit_changed(0, &lines, |batch| {
        for (row, text) in batch.passages.odd_plates.iter_mut().filter(|(row, _)| matches!(row, 10 | 31)) {
            *text = format!("{row}").repeat(100_000).into();
        }
    });
    let rows = scene.rows();
    assert_eq!((rows.len(), scene.store().totals().accepted), (48, 48));
    assert!(rows.iter().all(|row| row.gcxh[1..].parse::<u32>().is_ok_and(|number| number != 10 && number != 31)));
    let odd = rows.iter().filter(|row| &*row.hphm == "无牌").count();
    assert_eq!(odd, 5, "the texts beside other rows stay theirs");
    let rejects = scene.view().rejects_after(0, 10).unwrap();
    let told: Vec<_> = rejects.iter().map(|(seq, it)| (*seq, it.reason, it.line, &*it.origin)).collect();
    let expected = [(1, RejectReason::LineTooLong, 11, "capture"), (2, RejectReason::LineTooLong, 32, "capture")];
    assert_eq!(told, expected);
    let raw: Vec<_> = rejects.iter().map(|(_, it)| String::from_utf8_lossy(&it.raw).contains("无牌")).collect();
    assert_eq!(raw, [true, true], "the lines as they came");
    scene.crash();
    assert_eq!(scene.rows(), rows);
}

#[test]
fn rejects_stay_within_their_size_and_it_is_known_after_every_opening() {
    let mut scene = Scene::new(StoreSettings { rejects_size: Some(5_000), ..settings() }, SMALL, ALWAYS);
    for _ in 0..60 {
        scene.commit(0, &[Line::Other("one\ttwo"), Line::Other("three\tfour"), Line::Other("five")]);
    }
    let kept = scene.rejects();
    assert_eq!((kept.last().unwrap().0, scene.totals().rejected_total()), (180, 180));
    assert!((60..180).contains(&kept.len()), "{} are kept", kept.len());
    let bytes = scene.store().rejects_bytes;
    assert!((3_000..5_500).contains(&bytes), "{bytes}");
    scene.crash();
    assert_eq!((scene.rejects(), scene.store().rejects_bytes), (kept, bytes));
    // A directory of an older program has no such record.
    let database = scene.store().shared.reading.database.clone();
    let mut commit = database.begin();
    commit.delete(Family::Meta, keys::REJECTS_BYTES_KEY);
    database.commit(commit, Durability::AsConfigured).unwrap();
    drop(database);
    scene.crash();
    assert_eq!(scene.store().rejects_bytes, bytes);
}

#[test]
fn a_batch_keeps_what_it_is_beside_other_passages() {
    let batch = Batch { partition: 7, position: b"here".to_vec(), place: "there".to_owned(), ..Batch::default() };
    let other = batch.with_passages(traffic::PassageBatch { lines: 3, ..Default::default() });
    assert_eq!(
        (other.partition, &other.position[..], &*other.place, other.passages.lines),
        (7, &b"here"[..], "there", 3)
    );
}
