//! Alerts found through the index, whatever part of them it holds, and the work on them, against plain lists.

use std::collections::BTreeMap;

use proptest::prelude::*;
use storage::{Database, Durability, Family};
use traffic::{Alert, AlertId, CivilTime, Rule, Severity};

use super::model::{CHECKPOINTS, PLATES, Random, finds, in_range, lines};
use super::scene::{SELDOM, SMALL, Scene, cases, settings};
use crate::reader::{AlertFilter, Snapshot as _, TimeRange};
use crate::store::disk::keys;
use crate::store::state::ROW_BYTES;
use crate::store::{Keep, StoreSettings, View};
use crate::work::{AlertWork, WorkChange, WorkError, WorkStatus};

const HOUR: i64 = 3600;

fn change(status: Option<WorkStatus>, note: &str) -> WorkChange {
    WorkChange {
        status,
        note: note.to_owned(),
        reason: None,
        by: "王".to_owned(),
        at: CivilTime(1_704_067_200),
        version: None,
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn every_search_is_that_of_a_plain_list(
        seed in any::<u64>(),
        count in 300usize..1500,
        // Alerts that the index holds: none, some, all.
        held in prop_oneof![Just(0usize), Just(40), Just(1 << 20)],
        kept_hours in prop_oneof![Just(None), (1i64..3).prop_map(Some)],
    ) {
        let lines = lines(seed, count, 10, 2);
        let mut random = Random(!seed);
        let settings = StoreSettings {
            alert_index: held * ROW_BYTES,
            alerts_retention: Keep::written(kept_hours.map(|hours| hours * HOUR)),
            ..settings()
        };
        let mut scene = Scene::new(settings, SMALL, SELDOM);
        let mut work: BTreeMap<u64, AlertWork> = BTreeMap::new();
        let mut from = 0;
        while from < lines.len() {
            let to = (from + 1 + random.below(500)).min(lines.len());
            scene.commit_all(&lines[from..to], || 1 + random.below(100));
            from = to;
            touch_some(&scene, &mut random, &mut work);
            match random.below(4) {
                0 => scene.crash(),
                1 => scene.restart(),
                _ => {}
            }
            check(&scene.view(), &mut random, &mut work)?;
        }
        prop_assert!(count < 600 || scene.totals().alerts > 20, "{:?}", scene.totals());
        // Stored work belongs to alerts that are kept.
        let oldest = scene.view().oldest_alert();
        let database = scene.store().shared.reading.database.clone();
        prop_assert_eq!(stored_work(&database), work.keys().copied().filter(|seq| *seq >= oldest).collect::<Vec<_>>());
    }
}

fn touch_some(scene: &Scene, random: &mut Random, work: &mut BTreeMap<u64, AlertWork>) {
    let alerts = scene.alerts();
    for _ in 0..random.below(12).min(alerts.len()) {
        let alert = &alerts[random.below(alerts.len())];
        // Of alerts with the same id the newest counts.
        let Some(alert) = alerts.iter().rev().find(|other| other.id == alert.id) else { continue };
        let asked = change(
            random.one(&[&None, &Some(WorkStatus::Investigating), &Some(WorkStatus::Dismissed)]).to_owned(),
            "why",
        );
        let expected = work.entry(alert.seq).or_default();
        let made = scene.store().shared().change_work(alert.id, &asked);
        let modelled = expected.change(&asked);
        assert_eq!(made.as_ref().err(), modelled.as_ref().err());
        if let Ok(worked) = made {
            assert_eq!((&worked.alert, &worked.work), (alert, &*expected));
        }
    }
    work.retain(|_, work| work.version > 0);
}

fn check(view: &View, random: &mut Random, work: &mut BTreeMap<u64, AlertWork>) -> Result<(), TestCaseError> {
    let kept = view.alerts_after(0, usize::MAX).unwrap();
    prop_assert_eq!(kept.first().map_or(view.oldest_alert(), |alert| alert.seq), view.oldest_alert());
    work.retain(|seq, _| *seq >= view.oldest_alert());
    let status = |seq| work.get(&seq).map_or(WorkStatus::New, |work| work.status);
    for _ in 0..25 {
        let filter = filter(random, &kept);
        let expected: Vec<&Alert> =
            kept.iter().rev().filter(|alert| passes(&filter, alert, status(alert.seq))).collect();
        let limit = 1 + random.below(20);
        for number in 1..=expected.len().div_ceil(limit) as u64 + 1 {
            let page = view.alerts(&filter, number, limit).unwrap();
            prop_assert_eq!(page.total, expected.len() as u64, "{:?}", filter);
            let shown = expected.chunks(limit).nth(number as usize - 1).unwrap_or_default();
            prop_assert_eq!(page.records.iter().collect::<Vec<_>>(), shown, "page {} of {:?}", number, filter);
        }
    }
    for alert in &kept {
        let newest = kept.iter().rev().find(|other| other.id == alert.id).unwrap();
        let found = view.alert(alert.id).unwrap().expect("it is kept");
        prop_assert_eq!(&found.alert, newest);
        prop_assert_eq!(&found.work, &work.get(&newest.seq).cloned().unwrap_or_default());
    }
    prop_assert_eq!(view.alert(AlertId(0x0123_4567_89ab_cdef)).unwrap(), None);
    let seqs: Vec<u64> = kept.iter().map(|alert| alert.seq).collect();
    let expected: Vec<AlertWork> = seqs.iter().map(|seq| work.get(seq).cloned().unwrap_or_default()).collect();
    prop_assert_eq!(view.work(&seqs).unwrap(), expected);
    Ok(())
}

fn filter(random: &mut Random, kept: &[Alert]) -> AlertFilter {
    let time = |random: &mut Random| Some(kept.get(random.below(kept.len()))?.later.passed_at);
    let (one, other) = (time(random), time(random));
    let mut filter = AlertFilter::default();
    if random.rarely(2) {
        filter.time = TimeRange { start: one.min(other), end: random.rarely(2).then_some(one.max(other)).flatten() };
    }
    if random.rarely(3) {
        filter.hphm = Some(random.one(&["苏C1", "1234", "苏C*5", "C?2345", "鲁Q8A8B8", "港", "", "没有"]).to_owned());
    }
    if random.rarely(3) {
        filter.kkmc = Some(vec![random.one(&CHECKPOINTS).to_owned(), random.one(&["某路口", "nowhere"]).to_owned()]);
    }
    if random.rarely(3) {
        filter.severity = Some(*random.one(&[&Severity::High, &Severity::Medium, &Severity::Low]));
    }
    if random.rarely(3) {
        filter.rule = Some(*random.one(&[&Rule::Window, &Rule::Speed]));
    }
    if random.rarely(3) {
        filter.status = Some(WorkStatus::ALL[random.below(4)]);
    }
    filter
}

fn passes(filter: &AlertFilter, alert: &Alert, status: WorkStatus) -> bool {
    in_range(filter.time, alert.later.passed_at)
        && filter.hphm.as_ref().is_none_or(|pattern| finds(pattern, &alert.plate))
        && filter.kkmc.as_ref().is_none_or(|any| any.iter().any(|kkmc| alert.is_at(kkmc)))
        && filter.severity.is_none_or(|severity| severity == alert.severity)
        && filter.rule.is_none_or(|rule| rule == alert.rule)
        && filter.status.is_none_or(|wanted| wanted == status)
}

/// Alerts on which work is stored.
fn stored_work(database: &Database) -> Vec<u64> {
    let keys = database.scan(Family::Meta, keys::WORK_PREFIX).map(|item| item.unwrap().0);
    keys.take_while(|key| key.starts_with(keys::WORK_PREFIX)).filter_map(|key| keys::last_u64(&key)).collect()
}

fn scene_with_alerts() -> Scene {
    let mut scene = Scene::new(settings(), SMALL, SELDOM);
    scene.commit_all(&lines(11, 1200, 10, 1), || 100);
    assert!(scene.totals().alerts > 50, "{:?}", scene.totals());
    scene
}

#[test]
fn the_index_is_bounded_and_accounted() {
    let mut scene = scene_with_alerts();
    let all = scene.view().alert_index_bytes();
    assert!(all >= scene.totals().alerts as usize * ROW_BYTES, "{all}");
    let odd = PLATES.iter().filter(|plate| traffic::PlateCode::pack(plate).is_odd()).count();
    assert!(odd > 0, "plates whose text stands beside the columns are among them");
    for budget in [0, 30 * ROW_BYTES, all] {
        scene.settings.alert_index = budget;
        scene.restart();
        let bytes = scene.view().alert_index_bytes();
        assert!(bytes <= budget && (budget == 0 || bytes > budget / 3), "{bytes} of {budget}");
        scene.commit_all(&lines(12, 50, 10, 1), || 10);
        assert!(scene.view().alert_index_bytes() <= budget.max(all) + 16 * ROW_BYTES);
    }
}

#[test]
fn work_on_an_alert_that_is_gone_goes_too() {
    let scene = scene_with_alerts();
    let shared = scene.store().shared();
    let view = scene.view();
    let first = view.alerts_after(0, 1).unwrap().remove(0);
    shared.change_work(first.id, &change(Some(WorkStatus::Investigating), "")).unwrap();
    assert_eq!(stored_work(&shared.reading.database), [first.seq]);
    drop((shared, view));

    let mut scene = scene;
    scene.settings.alerts_retention = Keep::written(Some(HOUR));
    scene.restart();
    // Hours later: the next commits drop the old alerts, and an opening drops what was written for a dropped one.
    let mut later = lines(13, 60, 10, 1);
    for (_, line) in &mut later {
        if let super::model::Line::Passage(row) = line {
            row.gcsj.0 += 12 * HOUR;
        }
    }
    scene.commit_all(&later, || 20);
    let shared = scene.store().shared();
    assert!(scene.view().oldest_alert() > first.seq);
    assert_eq!(stored_work(&shared.reading.database), [] as [u64; 0]);
    assert_eq!(shared.change_work(first.id, &change(None, "x")), Err(WorkError::NotFound(first.id)));
    let mut stray = shared.reading.database.begin();
    stray.put(Family::Meta, &keys::work(first.seq), b"whatever");
    shared.reading.database.commit(stray, Durability::AsConfigured).unwrap();
    drop(shared);
    scene.crash();
    assert_eq!(stored_work(&scene.store().shared().reading.database), [] as [u64; 0]);
}

/// Rejects in parts, of all reasons and of one.
#[test]
fn rejects_piece_after_piece() {
    let scene = scene_with_alerts();
    let view = scene.view();
    let all = view.rejects_after(0, usize::MAX).unwrap();
    assert!(all.len() > 10, "{}", all.len());
    for reason in [None, Some(traffic::RejectReason::InvalidGcsj), Some(traffic::RejectReason::LineTooLong)] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let piece = view.rejects(reason, before, 3).unwrap();
            assert_eq!(piece.kept, all.len() as u64);
            assert!(piece.records.len() <= 3);
            found.extend(piece.records.into_iter().map(|row| (row.seq, row.raw)));
            match piece.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let of_reason = all.iter().rev().filter(|(_, reject)| reason.is_none_or(|reason| reject.reason == reason));
        assert_eq!(found, of_reason.map(|(seq, reject)| (*seq, reject.raw.clone())).collect::<Vec<_>>(), "{reason:?}");
    }
}

/// A directory from before work was stored: nothing under its keys, no index on the disk.
#[test]
fn a_directory_without_work_opens() {
    let mut scene = scene_with_alerts();
    assert_eq!(stored_work(&scene.store().shared().reading.database), [] as [u64; 0]);
    scene.crash();
    let view = scene.view();
    for alert in view.alerts_after(0, usize::MAX).unwrap() {
        let found = view.alert(alert.id).unwrap().unwrap();
        assert_eq!(found.work, AlertWork::default());
    }
}

/// While the writer commits, many threads change work: every change is there in the end, and so is every row.
#[test]
fn changes_beside_the_writer() {
    let mut scene = scene_with_alerts();
    let shared = scene.store().shared();
    let ids: Vec<AlertId> = scene.alerts().into_iter().map(|alert| alert.id).take(8).collect();
    let before = scene.totals().accepted;
    let changers: Vec<_> = (0..4)
        .map(|number| {
            let (shared, ids) = (shared.clone(), ids.clone());
            std::thread::spawn(move || {
                for round in 0..10 {
                    for id in &ids {
                        shared.change_work(*id, &change(None, &format!("{number} {round}"))).unwrap();
                    }
                }
            })
        })
        .collect();
    scene.commit_all(&lines(14, 1500, 10, 1), || 10);
    changers.into_iter().for_each(|changer| changer.join().unwrap());
    drop(shared);
    let accepted = scene.totals().accepted;
    scene.crash();
    assert!(accepted > before && scene.totals().accepted == accepted);
    for id in &ids {
        let worked = scene.view().alert(*id).unwrap().unwrap();
        assert_eq!((worked.work.version, worked.work.history.len()), (40, 40));
    }
}
