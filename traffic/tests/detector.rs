//! The detector against a naive model that keeps everything for ever and was written from the contract alone; and the
//! same whatever the batches are, and across a state that was saved and restored anywhere.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "detector/model.rs"]
mod model;
#[path = "detector/restart.rs"]
mod restart;

use model::{Event, Found, HPZLS, Model, Scene, scene};
use proptest::prelude::*;
use traffic::{Detector, Dimension, Fate, Hit, Knowledge, PassageBatch, PassageId, PlateCode, PlateType};

/// A batch of events, as a parser would fill it.
fn batch(events: &[Event]) -> PassageBatch {
    let mut batch = PassageBatch::default();
    for (row, event) in events.iter().enumerate() {
        let (id, plate) = (PassageId::pack(&event.gcxh), PlateCode::pack(&event.plate));
        if id.is_odd() {
            batch.odd_ids.push((row as u32, event.gcxh.as_str().into()));
        }
        if plate.is_odd() {
            batch.odd_plates.push((row as u32, event.plate.as_str().into()));
        }
        batch.times.push(event.time);
        batch.resolutions.push(event.resolution);
        batch.ids.push(id);
        batch.plates.push(plate);
        batch.classes.push(plate.class(&event.plate));
        batch.columns[Dimension::Checkpoint].push(event.checkpoint);
        batch.columns[Dimension::PlateType]
            .push(HPZLS.iter().position(|hpzl| *hpzl == event.hpzl).expect("one of them") as u32);
    }
    batch
}

/// What is known of the names in a scene's batches.
fn knowledge<'a>(scene: &'a Scene, plate_types: &'a [PlateType]) -> Knowledge<'a> {
    Knowledge { places: &scene.places, plate_types, brands: &[] }
}

fn plate_types() -> Vec<PlateType> {
    HPZLS.iter().map(|hpzl| PlateType::of(hpzl)).collect()
}

/// A hit with its texts, its row counted from the first event of all.
fn found(hit: &Hit, first_row: usize) -> Found {
    let id = hit.other.id();
    let other_gcxh = match &hit.other_odd_id {
        Some(text) => text.to_string(),
        None => id.unpack(),
    };
    Found {
        row: first_row + hit.row as usize,
        other_gcxh,
        other_checkpoint: hit.other.checkpoint,
        other_time: hit.other.time(),
        other_is_earlier: hit.other_is_earlier,
        gap_seconds: hit.gap_seconds,
        distance_km: hit.distance_km,
        speed_kmh: hit.speed_kmh,
        severity: hit.severity,
        cause: hit.cause,
        rule: hit.rule,
    }
}

/// Takes the events in pieces; `between` may replace the detector behind each.
fn run(
    scene: &Scene,
    mut cut: impl FnMut() -> usize,
    mut between: impl FnMut(&mut Detector, usize),
) -> (Vec<Fate>, Vec<Found>) {
    let mut detector = Detector::new(scene.settings);
    let (mut fates, mut all) = (Vec::new(), Vec::new());
    let types = plate_types();
    let mut from = 0;
    while from < scene.events.len() {
        let to = (from + cut().max(1)).min(scene.events.len());
        let mut hits = Vec::new();
        detector.observe(&batch(&scene.events[from..to]), knowledge(scene, &types), &mut fates, &mut hits);
        all.extend(hits.iter().map(|hit| found(hit, from)));
        from = to;
        between(&mut detector, from);
    }
    (fates, all)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_model_that_keeps_everything(scene in scene()) {
        let (fates, hits) = Model::run(&scene);
        let (got_fates, got_hits) = run(&scene, || usize::MAX, |_, _| {});
        prop_assert_eq!(got_fates, fates);
        prop_assert_eq!(got_hits, hits);
    }

    #[test]
    fn batches_make_no_difference(scene in scene(), cuts in prop::collection::vec(1usize..60, 1..20)) {
        let whole = run(&scene, || usize::MAX, |_, _| {});
        let mut cuts = cuts.into_iter().cycle();
        prop_assert_eq!(run(&scene, || cuts.next().expect("endless"), |_, _| {}), whole);
    }
}

/// What is generated must reach every branch of the rule, or agreement says little.
#[test]
fn the_scenes_have_all_that_the_rule_tells_apart() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..300 {
        let scene = scene().new_tree(&mut runner).expect("a scene").current();
        let (fates, hits) = Model::run(&scene);
        for fate in fates {
            *counts.entry(format!("{fate:?}")).or_default() += 1;
        }
        for hit in hits {
            let earlier = if hit.other_is_earlier { "earlier" } else { "later" };
            if hit.cause.is_some() {
                *counts.entry("twins".to_owned()).or_default() += 1;
            }
            for key in [format!("{:?}", hit.severity), format!("{:?}", hit.rule), earlier.to_owned()] {
                *counts.entry(key).or_default() += 1;
            }
            if hit.gap_seconds == 0 {
                *counts.entry("same second".to_owned()).or_default() += 1;
            }
            if PassageId::pack(&hit.other_gcxh).is_odd() {
                *counts.entry("odd id".to_owned()).or_default() += 1;
            }
        }
    }
    for key in [
        "Accepted",
        "Late",
        "Ahead",
        "Duplicate",
        "Conflict",
        "High",
        "Medium",
        "Low",
        "Window",
        "Speed",
        "earlier",
        "later",
        "same second",
        "odd id",
        "twins",
    ] {
        assert!(counts.get(key).is_some_and(|count| *count >= 100), "{key}: {counts:?}");
    }
}
