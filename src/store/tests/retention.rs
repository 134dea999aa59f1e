//! Old data is dropped, the rest stays; counters, readers and the disk agree with it.

use std::sync::Arc;

use proptest::prelude::*;
use storage::Family;
use traffic::CivilTime;

use super::model::{Line, PLATES, Random, Row, accepted, lines, newest_first};
use super::queries::check_counts;
use super::scene::{ALWAYS, SELDOM, SMALL, Scene, cases, same, settings};
use crate::reader::{Order, Page, PassageRow, QueryFilter, Snapshot as _, TimeRange};
use crate::store::state::Sizes;
use crate::store::write::Saving;
use crate::store::{Keep, StoreSettings, View};

const HOUR: i64 = 3600;

fn kept(hours: i64) -> StoreSettings {
    StoreSettings { retention: Keep::written(Some(hours * HOUR)), ..settings() }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn only_old_rows_go_and_counters_follow(
        seed in any::<u64>(),
        count in 200usize..1200,
        step in prop_oneof![Just(20i64), Just(60)],
        partitions in 1usize..3,
        hours in 1i64..4,
        largest_cut in prop_oneof![Just(5usize), Just(60), Just(300)],
        seldom in any::<bool>(),
    ) {
        let lines = lines(seed, count, step, partitions);
        let mut random = Random(!seed);
        let mut scene = Scene::new(kept(hours), SMALL, if seldom { SELDOM } else { Saving::default() });
        let mut without = Scene::new(settings(), SMALL, Saving::default());
        without.commit_all(&lines, || usize::MAX);
        let mut from = 0;
        while from < lines.len() {
            let to = (from + 1 + random.below(300)).min(lines.len());
            scene.commit_all(&lines[from..to], || 1 + random.below(largest_cut));
            match random.below(4) {
                0 => scene.crash(),
                1 => scene.restart(),
                _ => {}
            }
            check_kept(&scene, &accepted(&lines[..to], 600), hours * HOUR)?;
            from = to;
        }
        // Retention drops rows, never alerts, and never what the detector needs after a restart.
        prop_assert_eq!(scene.alerts(), without.alerts());
        let totals = scene.totals();
        prop_assert_eq!(totals, without.totals());
        scene.restart();
        check_kept(&scene, &accepted(&lines, 600), hours * HOUR)?;
        check_bodies(&scene)?;
    }
}

proptest! {
    #![proptest_config(cases(6))]

    /// One partition's times are hours before the other's, so that its rows are old as soon as they come.
    #[test]
    fn what_a_restart_needs_stays(seed in any::<u64>(), count in 600usize..1200, seldom in any::<bool>()) {
        let mut lines = lines(seed, count, 10, 2);
        // Long runs of each, so that whole segments are old.
        lines.chunks_mut(200).for_each(|chunk| chunk.sort_by_key(|(partition, _)| *partition));
        let mut whole = Scene::new(settings(), SMALL, Saving::default());
        whole.commit_all(&lines, || usize::MAX);
        let mut scene = Scene::new(kept(1), SMALL, if seldom { SELDOM } else { Saving::default() });
        let mut random = Random(!seed);
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at((1 + random.below(120)).min(rest.len()));
            scene.commit_all(now, || 1 + random.below(30));
            scene.crash();
            rest = later;
        }
        prop_assert_eq!(scene.totals(), whole.totals());
        prop_assert_eq!(scene.alerts(), whole.alerts());
        let left = scene.view().totals().passages;
        prop_assert!(left < whole.view().totals().passages, "nothing was dropped");
    }
}

/// What is left is a part of what was committed, lacks nothing that is new enough, and is what the counters say.
fn check_kept(scene: &Scene, committed: &[Row], retention: i64) -> Result<(), TestCaseError> {
    let view = scene.view();
    let answered = scene.rows();
    let mut committed = newest_first(committed).into_iter().peekable();
    let newest = committed.peek().map_or(0, |row| row.gcsj.0);
    let mut left = Vec::new();
    for row in &answered {
        loop {
            let next = committed.next();
            prop_assert!(next.is_some(), "{:?} was not committed, or not in this order", row);
            let Some(next) = next else { break };
            if same(row, next) {
                left.push(next.clone());
                break;
            }
            prop_assert!(next.gcsj.0 < newest - retention, "{:?} is gone too early", next);
        }
    }
    prop_assert!(committed.all(|row| row.gcsj.0 < newest - retention));
    check_counts(&view, TimeRange::default(), &left)?;
    let within = TimeRange { start: Some(CivilTime(newest - retention + 77)), end: Some(CivilTime(newest - 1000)) };
    check_counts(&view, within, &left)?;
    prop_assert_eq!(view.totals().passages, left.len() as u64);
    Ok(())
}

/// The families hold the bodies of the known segments, and no others.
fn check_bodies(scene: &Scene) -> Result<(), TestCaseError> {
    let database = scene.store().shared.reading.database.clone();
    for (shard, log) in scene.store().state.logs.iter() {
        let (sealed, tail) = (log.sealed(), log.tail());
        let known: Vec<u64> = sealed.iter().cloned().chain(tail).map(|entry| entry.zone.first_row).collect();
        let bodies = database.scan(Family::Rows(shard.number()), &[]);
        let bodies: Vec<u64> = bodies.map(|item| u64::from_be_bytes(item.unwrap().0[..].try_into().unwrap())).collect();
        prop_assert_eq!(bodies, known);
    }
    Ok(())
}

fn all(view: &View) -> Page<PassageRow> {
    view.query(&QueryFilter::default(), Order::Newest, 1, usize::MAX).unwrap()
}

#[test]
fn a_view_from_before_still_answers_and_bodies_go_when_it_is_gone() {
    let lines = lines(3, 900, 60, 1);
    let (old, new) = lines.split_at(300);
    let mut scene = Scene::new(StoreSettings { memory: 0, ..kept(1) }, SMALL, Saving::default());
    scene.commit_all(old, || 80);
    let view = scene.view();
    let before = all(&view);
    scene.commit_all(new, || 80);
    assert!(all(&scene.view()).total < accepted(&lines, 600).len() as u64);
    assert_eq!(all(&view), before);
    assert!(check_bodies(&scene).is_err(), "bodies wait for the reader");
    drop(view);
    let last: Vec<Line> = new.last().into_iter().map(|(_, line)| line.clone()).collect();
    scene.commit(0, &last);
    scene.commit(0, &last);
    check_bodies(&scene).unwrap();
}

#[test]
fn bodies_that_a_killed_process_left_behind_go_at_the_next_start() {
    let lines = lines(3, 900, 60, 1);
    let mut scene = Scene::new(kept(1), SMALL, Saving::default());
    let (old, new) = lines.split_at(300);
    scene.commit_all(old, || 80);
    let view = scene.view();
    scene.commit_all(new, || 80);
    assert!(check_bodies(&scene).is_err());
    drop(view);
    scene.crash();
    check_bodies(&scene).unwrap();
}

#[test]
fn rows_that_are_old_when_they_come_do_not_stop_the_road() {
    let lines = lines(3, 900, 60, 1);
    let (old, new) = lines.split_at(400);
    let mut scene = Scene::new(kept(1), SMALL, Saving::default());
    scene.commit_all(new, || 500);
    scene.commit_all(old, || 400);
    scene.commit_all(old, || 90);
    let (_, last) = new.last().unwrap();
    scene.commit(0, std::slice::from_ref(last));
    scene.restart();
    let (left, accepted) = (all(&scene.view()).total, scene.totals().accepted);
    assert!(left < accepted / 3, "{left} of {accepted}");
    check_bodies(&scene).unwrap();
}

#[test]
fn a_record_from_tomorrow_does_not_empty_the_store() {
    let now = CivilTime::from_civil(2024, 1, 1, 8, 0, 0).unwrap();
    let clock = StoreSettings { clock: Arc::new(move || now), ..kept(1) };
    let mut scene = Scene::new(clock, SMALL, Saving::default());
    let lines = lines(3, 400, 20, 1);
    scene.commit_all(&lines, || 80);
    let row = accepted(&lines, 600).pop().unwrap();
    let tomorrow = Row { gcsj: CivilTime(now.0 + 20 * HOUR), gcxh: "G99".to_owned(), ..row };
    scene.commit(0, &[Line::Passage(tomorrow.clone())]);
    scene.commit(0, &[Line::Passage(Row { gcxh: "G98".to_owned(), ..tomorrow })]);
    let kept = all(&scene.view()).records;
    let expected = accepted(&lines, 600);
    assert!(expected.iter().filter(|row| row.gcsj.0 >= now.0 - HOUR).count() + 2 <= kept.len());
}

#[test]
fn a_shard_without_traffic_gives_up_its_tail_too() {
    let mut scene = Scene::new(kept(1), SMALL, Saving::default());
    let mut lines = lines(3, 2, 1, 1);
    lines.retain(|(_, line)| matches!(line, Line::Passage(_)));
    scene.commit_all(&lines, || 1);
    let Some((_, Line::Passage(first))) = lines.first().cloned() else { unreachable!("a passage was kept") };
    let other = ["G3_Sulu", "某路口", "S505_Xinyi_West", "S250_Pizhou_Sulu"];
    for number in 0..8 {
        let later = Row {
            gcsj: CivilTime(first.gcsj.0 + 3 * HOUR + number),
            gcxh: format!("G{number}"),
            kkmc: other[number as usize % other.len()].to_owned(),
            ..first.clone()
        };
        scene.commit(0, &[Line::Passage(later)]);
    }
    assert!(all(&scene.view()).records.iter().all(|row| row.gcsj.0 > first.gcsj.0 + HOUR));
    scene.restart();
    check_bodies(&scene).unwrap();
}

#[test]
fn alerts_and_rejects_have_their_own_retention() {
    let lines = lines(8, 900, 60, 1);
    let settings = StoreSettings {
        alerts_retention: Keep::written(Some(2 * HOUR)),
        rejects_retention: Keep::written(Some(2 * HOUR)),
        ..settings()
    };
    let mut scene = Scene::new(settings, SMALL, Saving::default());
    let mut without = Scene::new(super::scene::settings(), SMALL, Saving::default());
    for scene in [&mut scene, &mut without] {
        scene.commit_all(&lines, || 40);
    }
    let newest = scene.store().totals().newest().unwrap().0;
    let oldest = CivilTime(newest - 2 * HOUR);
    let (alerts, every) = (scene.alerts(), without.alerts());
    assert!(alerts.len() < every.len());
    assert_eq!(alerts, every[every.len() - alerts.len()..]);
    let recent = every.iter().filter(|alert| alert.later.passed_at >= oldest).count();
    assert!(recent <= alerts.len() && alerts.first().unwrap().later.passed_at >= CivilTime(newest - 3 * HOUR));
    let page = scene.view().alerts(&Default::default(), 1, 5).unwrap();
    assert_eq!((page.total, page.records.len()), (alerts.len() as u64, 5));
    let (rejects, every) = (scene.rejects(), without.rejects());
    assert!(!rejects.is_empty() && rejects.len() < every.len());
    assert_eq!(rejects, every[every.len() - rejects.len()..]);
    assert_eq!(scene.totals().rejected_total(), without.totals().rejected_total());
    scene.crash();
    assert_eq!(scene.alerts(), alerts);
}

#[test]
fn rejects_from_before_the_first_passage_are_kept_like_others() {
    let settings = StoreSettings { rejects_retention: Keep::written(Some(HOUR)), ..settings() };
    let mut scene = Scene::new(settings, SMALL, ALWAYS);
    let lines = lines(3, 400, 60, 1);
    scene.commit(0, &[Line::Other("one\ttwo")]);
    scene.commit_all(&lines[..10], || 1);
    assert_eq!(scene.rejects().first().map(|reject| reject.0), Some(1));
    scene.commit_all(&lines[10..], || 1);
    assert!(scene.rejects().iter().all(|reject| reject.0 > 1));
}

#[test]
fn the_disk_gets_its_space_back() {
    let mut scene = Scene::new(kept(1), Sizes::default(), ALWAYS);
    let mut random = Random(1);
    let mut hour = |scene: &mut Scene, hour: i64, count: i64| {
        let rows = (0..count).map(|number| {
            Line::Passage(Row {
                partition: 0,
                gcxh: format!("{:018}", random.next() % 1_000_000_000_000_000_000),
                xzqhmc: "铜山县".to_owned(),
                kkmc: super::model::CHECKPOINTS[random.below(6)].to_owned(),
                fxlx: "1".to_owned(),
                gcsj: CivilTime(1_704_067_200 + hour * HOUR + number / 12),
                hpzl: "02".to_owned(),
                hphm: if random.rarely(9) {
                    PLATES[random.below(16)].to_owned()
                } else {
                    format!("苏C{:05}", random.below(100_000))
                },
                clppxh: "-".to_owned(),
            })
        });
        scene.commit(0, &rows.collect::<Vec<_>>());
    };
    for number in 0..8 {
        hour(&mut scene, number, 40_000);
    }
    let database = scene.store().shared.reading.database.clone();
    database.flush().unwrap();
    let full = blob_bytes(scene.folder.path());
    for _ in 0..4 {
        hour(&mut scene, 40, 10);
    }
    database.flush().unwrap();
    for shard in [Family::Rows(0), Family::Rows(1)] {
        database.compact(shard, None, None);
    }
    let after = blob_bytes(scene.folder.path());
    assert!(after < full / 4, "{full} bytes before, {after} after");
}

/// Bytes of the files that hold segments' bodies.
fn blob_bytes(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder.join("rocksdb")).unwrap().flatten();
    let blobs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "blob"));
    blobs.map(|file| file.metadata().unwrap().len()).sum()
}
