//! What mirrors get: every row of a shard once, in its order, across merges, seals, restarts and retention; cursors and
//! refused rows that survive; and nothing they need is dropped unless it must be.

use std::collections::BTreeSet;

use proptest::prelude::*;
use shard::ShardId;
use traffic::CivilTime;

use super::model::{Line, Random, accepted, lines};
use super::scene::{ALWAYS, SMALL, Scene, cases, settings, shard};
use crate::reader::{PassageRow, Snapshot as _};
use crate::store::write::Saving;
use crate::store::{Keep, MirrorCursor, RefusedRow, StoreSettings};

const HOUR: i64 = 3600;

/// All rows of a shard from row `from` on, as a mirror reads them, and how many were missing between.
fn follow(scene: &Scene, shard: ShardId, from: u64) -> (Vec<PassageRow>, u64) {
    let shared = scene.store().shared();
    let (mut rows, mut missing, mut next) = (Vec::new(), 0, from);
    while let Some(block) = shared.log_block(shard, next).unwrap() {
        assert!(block.end_row() > next, "a block without news");
        missing += block.first_row().saturating_sub(next);
        next = next.max(block.first_row());
        while let Some(row) = block.row(next) {
            rows.push(row);
            next += 1;
        }
        assert_eq!(next, block.end_row());
    }
    assert_eq!(next.max(from), shared.view().next_row(shard));
    (rows, missing)
}

fn ids(rows: &[PassageRow]) -> Vec<&str> {
    rows.iter().map(|row| row.gcxh.as_str()).collect()
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn a_mirror_meets_every_row_once_in_its_order(
        seed in any::<u64>(),
        count in 100usize..900,
        largest_cut in prop_oneof![Just(5usize), Just(60), Just(300)],
    ) {
        let lines = lines(seed, count, 20, 2);
        let mut random = Random(!seed);
        let mut scene = Scene::new(settings(), SMALL, Saving::default());
        let mut met: [Vec<PassageRow>; 2] = Default::default();
        let mut from = 0;
        while from < lines.len() {
            let to = (from + 1 + random.below(200)).min(lines.len());
            scene.commit_all(&lines[from..to], || 1 + random.below(largest_cut));
            from = to;
            match random.below(5) {
                0 => scene.crash(),
                1 => scene.restart(),
                _ => {}
            }
            for (shard, met) in met.iter_mut().enumerate() {
                // From time to time it skips a few reads.
                if random.below(3) > 0 {
                    let (rows, missing) = follow(&scene, self::shard(shard), met.len() as u64);
                    prop_assert_eq!(missing, 0);
                    met.extend(rows);
                }
            }
        }
        for (shard, met) in met.iter_mut().enumerate() {
            met.extend(follow(&scene, self::shard(shard), met.len() as u64).0);
        }
        let ring = shard::Ring::mycat_default(2).unwrap();
        for (shard, met) in met.iter().enumerate() {
            let expected: Vec<_> = accepted(&lines, 600).into_iter().filter(|row| ring.shard_of(&row.kkmc) == shard).collect();
            prop_assert_eq!(met.len(), expected.len());
            for (found, row) in met.iter().zip(&expected) {
                prop_assert!(super::scene::same(found, row), "{:?} instead of {:?}", found, row);
            }
        }
    }
}

/// Hours of traffic, of which retention would keep one.
fn old_traffic() -> Vec<(u32, Line)> {
    lines(3, 900, 60, 1)
}

fn keeping(hold: u64) -> StoreSettings {
    StoreSettings { retention: Keep::written(Some(HOUR)), mirror_hold: hold, ..settings() }
}

#[test]
fn retention_waits_for_mirrors_and_goes_on_behind_them() {
    let lines = old_traffic();
    let mut scene = Scene::new(keeping(u64::MAX), SMALL, ALWAYS);
    scene.store().shared().hold_rows("mirror", shard(0), 0);
    scene.store().shared().hold_rows("mirror", shard(1), 0);
    scene.commit_all(&lines, || 40);
    let all = accepted(&lines, 600).len() as u64;
    assert_eq!(scene.view().totals().passages, all, "nothing was taken yet");

    let shared = scene.store().shared();
    shared.hold_rows("mirror", shard(0), 150);
    let last: Vec<Line> = lines.last().into_iter().map(|(_, line)| line.clone()).collect();
    for _ in 0..4 {
        scene.commit(0, &last);
    }
    let (rows, missing) = follow(&scene, shard(0), 150);
    assert_eq!((missing, rows.len() as u64), (0, scene.view().next_row(shard(0)) - 150), "what the mirror lacks stays");
    assert!(shared.oldest_row(shard(0)) > 0, "what it has goes");
    assert_eq!(shared.oldest_row(shard(1)), 0, "the other shard's has nothing");

    for shard in [0, 1].map(shard) {
        shared.hold_rows("mirror", shard, scene.view().next_row(shard));
    }
    for _ in 0..20 {
        scene.commit(0, &last);
    }
    assert!(scene.view().totals().passages < all / 2, "{} of {all}", scene.view().totals().passages);
}

#[test]
fn above_the_limit_the_oldest_goes_all_the_same() {
    let lines = old_traffic();
    let mut scene = Scene::new(keeping(8_000), SMALL, ALWAYS);
    scene.store().shared().hold_rows("mirror", shard(0), 0);
    scene.store().shared().hold_rows("mirror", shard(1), 0);
    scene.commit_all(&lines, || 40);
    let shared = scene.store().shared();
    let waits: [u64; 2] = [0, 1].map(|number| shared.oldest_row(shard(number)));
    assert!(waits.iter().all(|oldest| *oldest > 0), "{waits:?}");
    let lost: u64 = [0, 1].map(|number| follow(&scene, shard(number), 0).1).iter().sum();
    assert_eq!(lost, waits.iter().sum::<u64>(), "the oldest are gone, without gaps behind them");
    let left = scene.view().totals().passages;
    let without = {
        let mut scene = Scene::new(keeping(u64::MAX), SMALL, ALWAYS);
        scene.commit_all(&lines, || 40);
        scene.view().totals().passages
    };
    assert!(left > without, "{left} rows are left, {without} where no mirror waits");
}

#[test]
fn cursors_and_refused_rows_survive() {
    let lines = old_traffic();
    let mut scene =
        Scene::new(StoreSettings { rejects_retention: Keep::written(Some(HOUR)), ..settings() }, SMALL, ALWAYS);
    scene.commit_all(&lines[..200], || 40);
    let shared = scene.store().shared();
    assert_eq!(shared.mirror_cursor("mysql/0").unwrap(), None);
    let rows = follow(&scene, shard(0), 0).0;
    let refused = |row: u64| {
        let PassageRow { gcxh, gcsj, .. } = rows[row as usize].clone();
        RefusedRow { shard: 0, row, line: format!("{gcxh}\t…"), gcxh, gcsj: gcsj.0, error: "too long".to_owned() }
    };
    let cursor = MirrorCursor { next: 60, time: Some(5), refused: 2, lost: 1, refilled: 3 };
    shared.move_mirror("mysql/0", &cursor, &[refused(3), refused(59)]).unwrap();
    let rejects = scene.rejects();
    drop(shared);
    scene.crash();
    let shared = scene.store().shared();
    assert_eq!(shared.mirror_cursor("mysql/0").unwrap(), Some(cursor));
    assert_eq!(shared.mirror_cursor("mysql/1").unwrap(), None);
    assert_eq!(shared.refused_rows(10).unwrap(), [refused(3), refused(59)]);
    assert_eq!(shared.refused_rows(1).unwrap(), [refused(59)]);
    assert_eq!(scene.rejects(), rejects, "rejected lines are others");

    // Samples are of what the target should have: its newest row, ever fewer before it, some others, and none that it
    // refused.
    let sampled = |look| shared.sample(shard(0), 60, look).unwrap().iter().map(|sample| sample.row).collect::<Vec<_>>();
    assert_eq!(sampled(0), [56, 51, 44, 37, 14, 0]);
    let met: BTreeSet<u64> = (0..60).flat_map(sampled).collect();
    assert!(met.iter().copied().eq((0..59).filter(|row| *row != 3)), "a hole would not be met: {met:?}");
    let samples = shared.sample(shard(0), 60, 0).unwrap();
    let all = ids(&rows);
    assert!(samples.iter().all(|sample| sample.gcxh == all[sample.row as usize]));
    assert!(shared.sample(shard(0), 0, 0).unwrap().is_empty());
    drop(shared);

    // They are dropped with the rejects' retention.
    scene.commit_all(&lines[200..], || 40);
    assert_eq!(scene.store().shared().refused_rows(10).unwrap(), []);
}

#[test]
fn alerts_wait_for_a_mirror_as_far_as_it_keeps_any() {
    let lines = old_traffic();
    let settings = StoreSettings { alerts_retention: Keep::written(Some(HOUR)), ..settings() };
    let kept = |hold: Option<(u64, u64)>| {
        let mut scene = Scene::new(settings.clone(), SMALL, ALWAYS);
        if let Some((seq, count)) = hold {
            scene.store().shared().hold_alerts("mirror", seq, count);
        }
        scene.commit_all(&lines, || 40);
        scene.alerts().first().map(|alert| alert.seq).unwrap()
    };
    let free = kept(None);
    assert!(free > 12, "too few old alerts: {free}");
    assert_eq!(kept(Some((1, 10_000))), 1);
    assert_eq!(kept(Some((7, 10_000))), 7);
    assert_eq!(kept(Some((u64::MAX, 10_000))), free);
    // It would push the others out of its list; the newest one waits until a commit sees a newer one.
    assert!((free - 1..=free).contains(&kept(Some((1, 1)))));
}

#[test]
fn event_times_of_samples_are_those_of_the_rows() {
    let mut scene = Scene::new(settings(), SMALL, ALWAYS);
    scene.commit_all(&lines(8, 300, 20, 1), || 7);
    for shard in [0, 1].map(shard) {
        let rows = follow(&scene, shard, 0).0;
        for sample in scene.store().shared().sample(shard, rows.len() as u64, 0).unwrap() {
            let row = &rows[sample.row as usize];
            assert_eq!((&sample.gcxh, sample.gcsj), (&row.gcxh, row.gcsj));
            assert_ne!(sample.gcsj, CivilTime(0));
        }
    }
}
