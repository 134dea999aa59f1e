//! However rows are cut into batches and wherever the process ends, orderly or killed: totals, alerts, rejects and rows
//! are those of one run.

use proptest::prelude::*;
use storage::codec::{self, Kind};
use storage::{Durability, Family};

use super::model::{Random, accepted, lines, newest_first};
use super::scene::{SELDOM, SMALL, Scene, cases, same, settings};
use crate::reader::Snapshot as _;
use crate::store::disk::keys;
use crate::store::write::Saving;

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn pieces_and_restarts_change_nothing(
        seed in any::<u64>(),
        count in 1usize..900,
        step in prop_oneof![Just(1i64), Just(4), Just(30)],
        partitions in 1usize..4,
        largest_cut in prop_oneof![Just(1usize), Just(7), Just(40), Just(200)],
        ends in 0usize..12,
        seldom in any::<bool>(),
    ) {
        let lines = lines(seed, count, step, partitions);
        let mut whole = Scene::new(settings(), SMALL, Saving::default());
        whole.commit_all(&lines, || usize::MAX);

        let mut random = Random(!seed);
        let mut pieces = Scene::new(settings(), SMALL, if seldom { SELDOM } else { Saving::default() });
        let mut from = 0;
        for end in 0..=ends {
            let to = if end == ends { lines.len() } else { from + random.below(lines.len() - from + 1) };
            pieces.commit_all(&lines[from..to], || 1 + random.below(largest_cut));
            from = to;
            if end < ends {
                if random.rarely(3) { pieces.restart() } else { pieces.crash() }
            }
        }

        for _ in 0..2 {
            prop_assert_eq!(pieces.totals(), whole.totals());
            prop_assert_eq!(pieces.alerts(), whole.alerts());
            prop_assert_eq!(pieces.rejects(), whole.rejects());
            prop_assert_eq!(pieces.view().totals(), whole.view().totals());
            let rows = pieces.rows();
            prop_assert_eq!(&rows, &whole.rows());
            let expected = accepted(&lines, 600);
            let expected = newest_first(&expected);
            prop_assert_eq!(rows.len(), expected.len());
            prop_assert!(rows.iter().zip(&expected).all(|(row, expected)| same(row, expected)));
            pieces.restart();
            whole.crash();
        }
    }
}

/// Evidence of an earlier layout is dropped, and learnt again from what comes.
#[test]
fn evidence_of_an_earlier_layout_begins_again() {
    let lines = lines(5, 400, 2, 1);
    let (lines, later) = lines.split_at(300);
    let mut scene = Scene::new(settings(), SMALL, Saving::default());
    scene.commit_all(lines, || 50);
    scene.restart();
    let database = scene.store().shared().reading.database.clone();
    let mut old = database.begin();
    let earlier = Kind { version: keys::EVIDENCE.version - 1, ..keys::EVIDENCE };
    old.put(Family::Evidence, &keys::evidence(0, 0), &codec::encode(earlier, &"what it was").unwrap());
    old.put(Family::Evidence, &keys::evidence(0, 1), b"a part of it");
    database.commit(old, Durability::AsConfigured).unwrap();
    drop(database);
    scene.crash();
    assert_eq!(scene.store().shared().reading.database.scan(Family::Evidence, &[]).count(), 0);
    scene.commit_all(later, || 50);
    scene.restart();
    assert!(scene.store().shared().reading.database.scan(Family::Evidence, &[]).count() > 0);
}

#[test]
fn the_last_minute_is_that_of_the_rows() {
    let lines = lines(5, 400, 2, 1);
    let mut scene = Scene::new(settings(), SMALL, Saving::default());
    scene.commit_all(&lines, || 50);
    let rows = accepted(&lines, 600);
    let newest = rows.iter().map(|row| row.gcsj.0).max().unwrap();
    let expected = rows.iter().filter(|row| row.gcsj.0 > newest - 60).count() as u64;
    assert_eq!(scene.view().totals().last_minute, expected);
    scene.crash();
    assert_eq!(scene.view().totals().last_minute, expected);
}

#[test]
fn a_new_partition_does_not_make_a_restart_read_everything() {
    let mut scene = Scene::new(settings(), SMALL, SELDOM);
    scene.commit_all(&lines(1, 400, 2, 1), || 100);
    scene.restart();
    let accepted = scene.totals().accepted;
    let late_comer: Vec<_> = lines(2, 10, 2, 1).into_iter().map(|(_, line)| line).collect();
    scene.commit(9, &late_comer);
    assert_eq!(scene.store().partitions[&9].state.saved_arrival, accepted);
}
