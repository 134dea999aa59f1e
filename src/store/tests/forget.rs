//! A plate is forgotten: nothing of it is left, all else is as before, and the directory goes on.

use proptest::prelude::*;
use storage::{Durability, Family};
use traffic::CivilTime;

use super::model::{Line, Random, Row, accepted, lines, newest_first};
use super::queries::check_counts;
use super::scene::{ALWAYS, SELDOM, SMALL, Scene, cases, same, settings, shard};
use super::traces::{in_files, in_values};
use crate::mentions::Mentions;
use crate::reader::{Snapshot as _, TimeRange};
use crate::store::Forgotten;
use crate::store::disk::keys;
use crate::store::write::Saving;
use crate::work::{WorkChange, WorkStatus};

/// One that others begin with, one of eight symbols, one that does not fit into a number.
const FORGOTTEN: [&str; 3] = ["苏C12345", "苏CD12345", "苏C123456789"];
const LATER: i64 = 10 * 86_400;

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn all_else_is_as_before(
        seed in any::<u64>(),
        count in 100usize..1000,
        largest_cut in prop_oneof![Just(5usize), Just(60), Just(300)],
        saving in prop_oneof![Just(SELDOM), Just(ALWAYS), Just(Saving::default())],
        plate in proptest::sample::select(&FORGOTTEN[..]),
        closed in any::<bool>(),
    ) {
        let traffic = lines(seed, count, 20, 2);
        let mut random = Random(!seed);
        let mut scene = Scene::new(settings(), SMALL, saving);
        scene.commit_all(&traffic, || 1 + random.below(largest_cut));
        if closed {
            scene.restart();
        }
        let (totals, alerts, rejects) = (scene.totals(), scene.alerts(), scene.rejects());
        let before = accepted(&traffic, 600);
        let held = scene.forget(plate);
        prop_assert_eq!(held.passages, before.iter().filter(|row| row.hphm == plate).count() as u64);
        prop_assert_eq!(held.alerts, alerts.iter().filter(|alert| alert.plate == plate).count() as u64);

        let mut left: Vec<Row> = before.into_iter().filter(|row| row.hphm != plate).collect();
        check_rows(&scene, &left)?;
        prop_assert_eq!(scene.totals(), totals);
        for (now, then) in scene.alerts().iter().zip(&alerts) {
            if then.plate == plate {
                prop_assert!(now.plate == "-" && now.later.passage == "-" && now.id != then.id, "{:?}", now);
                prop_assert_eq!((now.seq, now.later.passed_at), (then.seq, then.later.passed_at));
            } else {
                prop_assert_eq!(now, then);
            }
        }
        prop_assert_eq!(scene.rejects().len(), rejects.len());
        let field = format!("{plate}\t");
        prop_assert!(scene.rejects().iter().all(|(.., line)| !line.contains(&field)));
        let database = scene.store().shared.reading.database.clone();
        prop_assert_eq!(in_values(&database, plate), Vec::<String>::new());
        drop(database);
        prop_assert_eq!(in_files(scene.folder.path(), plate), Vec::<String>::new());
        prop_assert_eq!(scene.forget(plate).passages, 0, "it is not found again");

        // The directory goes on, and the plate is a plate as any other.
        let more: Vec<(u32, Line)> = lines(seed ^ 1, 300, 20, 2).into_iter().map(later).collect();
        scene.commit_all(&more, || 1 + random.below(largest_cut));
        if closed {
            scene.restart();
        } else {
            scene.crash();
        }
        let all = accepted(&[&traffic[..], &more[..]].concat(), 600);
        left = all.into_iter().filter(|row| row.hphm != plate || row.gcxh.starts_with('N')).collect();
        check_rows(&scene, &left)?;
    }
}

/// Ids of its own and a time of its own.
fn later((partition, line): (u32, Line)) -> (u32, Line) {
    let line = match line {
        Line::Passage(row) => {
            Line::Passage(Row { gcxh: format!("N{}", row.gcxh), gcsj: CivilTime(row.gcsj.0 + LATER), ..row })
        }
        other => other,
    };
    (partition, line)
}

fn check_rows(scene: &Scene, left: &[Row]) -> Result<(), TestCaseError> {
    let answered = scene.rows();
    prop_assert_eq!(answered.len(), left.len());
    for (answered, row) in answered.iter().zip(newest_first(left)) {
        prop_assert!(same(answered, row), "{:?} instead of {:?}", answered, row);
    }
    let view = scene.view();
    prop_assert_eq!(view.totals().passages, left.len() as u64);
    check_counts(&view, TimeRange::default(), left)
}

/// A mirror meets every row that is left, by its number of before.
#[test]
fn rows_keep_their_numbers() {
    let traffic = lines(5, 600, 20, 1);
    let mut scene = Scene::new(settings(), SMALL, SELDOM);
    scene.commit_all(&traffic, || 40);
    let numbered = |scene: &Scene| {
        let mut rows = Vec::new();
        for number in 0..2 {
            let mut next = 0;
            while let Some(block) = scene.store().shared().log_block(shard(number), next).unwrap() {
                rows.extend((block.first_row()..block.end_row()).map(|row| (number, row, block.row(row).unwrap())));
                next = block.end_row();
            }
        }
        rows
    };
    let mut before = numbered(&scene);
    scene.forget("苏C12345");
    before.retain(|(.., row)| &*row.hphm != "苏C12345");
    assert!(before.len() > 300);
    assert_eq!(numbered(&scene), before);
}

/// Killed after its first commit, it is done again; until then the directory opens and takes more.
#[test]
fn a_part_of_it_leaves_a_directory_that_opens() {
    let plate = Mentions::of("苏C12345").unwrap();
    let traffic = lines(6, 900, 20, 2);
    let (first, rest) = traffic.split_at(600);
    let mut scene = Scene::new(settings(), SMALL, SELDOM);
    scene.commit_all(first, || 40);
    let held = scene.store_mut().held_of(&plate).unwrap();
    let database = scene.store().shared.reading.database.clone();
    let mut commit = database.begin();
    scene.store_mut().forget_records(&plate, Some(&held), &mut commit).unwrap();
    database.commit(commit, Durability::AsConfigured).unwrap();
    drop(database);
    scene.crash();
    scene.commit_all(rest, || 40);
    scene.restart();
    let again = scene.forget("苏C12345");
    assert!(again.passages > held.passages, "{again:?}");
    assert_eq!(scene.store_mut().held_of(&plate).unwrap(), Forgotten::default());
    assert!(in_files(scene.folder.path(), "苏C12345").is_empty());
}

/// Work goes with its alert, and notes on others that name the plate are emptied.
#[test]
fn work_and_notes_go() {
    let mut scene = Scene::new(settings(), SMALL, SELDOM);
    scene.commit_all(&lines(7, 900, 5, 1), || 40);
    let alerts = scene.alerts();
    let own = alerts.iter().find(|alert| alert.plate == "苏C12345").unwrap().clone();
    let other = alerts.iter().find(|alert| alert.plate != "苏C12345").unwrap().clone();
    let change = |note: &str| WorkChange {
        status: Some(WorkStatus::Investigating),
        note: note.to_owned(),
        reason: None,
        by: "王".to_owned(),
        at: CivilTime(7),
        version: None,
    };
    let shared = scene.store().shared();
    shared.change_work(own.id, &change("车主来电")).unwrap();
    shared.change_work(other.id, &change("与苏C·12345同车")).unwrap();
    drop(shared);
    let held = scene.forget("苏C12345");
    assert_eq!((held.work, held.mentions), (1, 1));
    let database = scene.store().shared.reading.database.clone();
    assert!(database.get(Family::Meta, &keys::work(own.seq)).unwrap().is_none());
    let found = scene.view().alert(other.id).unwrap().unwrap();
    assert_eq!((found.work.status, found.work.history[0].note.as_str()), (WorkStatus::Investigating, ""));
    assert!(scene.view().alert(own.id).unwrap().is_none());
}
