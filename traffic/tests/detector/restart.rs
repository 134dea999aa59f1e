//! Saving and restoring as the store does it: plate states now and then, the guard from the passages themselves, and the
//! passages since the last save taken again.

use std::collections::BTreeMap;

use proptest::prelude::*;
use traffic::{Detector, Fate, PassageId, PlateCode, Sighting, WatermarkState};

use super::model::{Event, Scene, scene};
use super::{batch, knowledge, plate_types, run};

/// Sightings of a plate and the texts of its odd GCXH.
type SavedPlate = (Vec<Sighting>, Vec<(PassageId, Box<str>)>);

/// What is durable.
#[derive(Default)]
struct Saved {
    plates: BTreeMap<PlateCode, SavedPlate>,
    /// The watermark's state when plates were saved last, and how many events had been taken by then.
    saved_watermark: WatermarkState,
    saved_events: usize,
    watermark: WatermarkState,
}

impl Saved {
    fn save_plates(&mut self, detector: &mut Detector, events: usize) {
        detector.drain_changed(|plate, sightings, odd_ids| {
            let odd_ids = odd_ids.iter().map(|(id, text)| (*id, (*text).into())).collect();
            self.plates.insert(plate, (sightings.to_vec(), odd_ids));
        });
        self.saved_watermark = detector.watermark_state();
        self.saved_events = events;
    }

    /// A detector as it was after `taken` events, whose fates were `fates`.
    fn restore(&mut self, scene: &Scene, fates: &[Fate]) -> Detector {
        let mut detector = Detector::new(scene.settings);
        detector.restore_watermark(&self.saved_watermark);
        let oldest = self.watermark.time.map_or(i64::MIN, |watermark| watermark - scene.settings.state_ttl);
        // A compaction may drop what has expired, at any time.
        self.plates.retain(|_, (sightings, _)| sightings.last().is_some_and(|newest| newest.time().0 >= oldest));
        for (plate, (sightings, odd_ids)) in &self.plates {
            let live = sightings.iter().copied().filter(|sighting| sighting.time().0 >= oldest).collect();
            detector.restore_plate(*plate, live, odd_ids.clone());
        }
        let accepted = fates.iter().zip(&scene.events).enumerate().filter(|(_, (fate, _))| fate.is_accepted());
        let mut again: Vec<Event> = Vec::new();
        for (row, (_, event)) in accepted {
            if event.time.0 >= oldest {
                detector.restore_guard(PassageId::pack(&event.gcxh), event.time);
            }
            if row >= self.saved_events {
                again.push(event.clone());
            }
        }
        detector.recover(&batch(&again), knowledge(scene, &plate_types()));
        assert_eq!(detector.watermark_state(), self.watermark);
        detector
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn restarts_make_no_difference(
        scene in scene(),
        plan in prop::collection::vec((1usize..40, any::<bool>(), any::<bool>()), 1..20),
    ) {
        let whole = run(&scene, || usize::MAX, |_, _| {});
        let mut cuts = plan.clone().into_iter().cycle();
        let mut ends = plan.into_iter().cycle();
        let mut saved = Saved::default();
        let pieces = run(
            &scene,
            || cuts.next().expect("endless").0,
            |detector, taken| {
                let (_, save, restart) = ends.next().expect("endless");
                saved.watermark = detector.watermark_state();
                if save {
                    saved.save_plates(detector, taken);
                }
                if restart {
                    *detector = saved.restore(&scene, &whole.0[..taken]);
                }
            },
        );
        prop_assert_eq!(pieces, whole);
    }
}
