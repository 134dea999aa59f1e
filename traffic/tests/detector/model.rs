//! The rule of contract section 2 over plain lists: every accepted passage is kept, and all are looked at each time.

use proptest::prelude::*;
use traffic::{CivilTime, DetectorSettings, Fate, PlateClass, PlateCode, PlateScope, Rule, Severity, great_circle_km};

/// A passage, as far as the rule sees it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) time: CivilTime,
    pub(crate) gcxh: String,
    pub(crate) plate: String,
    pub(crate) checkpoint: u32,
}

/// Passages of one partition, the settings they are judged by and where the checkpoints are.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) settings: DetectorSettings,
    pub(crate) places: Vec<Option<(f64, f64)>>,
    pub(crate) events: Vec<Event>,
}

/// An alert, as far as the rule makes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) row: usize,
    pub(crate) other_gcxh: String,
    pub(crate) other_checkpoint: u32,
    pub(crate) other_time: CivilTime,
    pub(crate) other_is_earlier: bool,
    pub(crate) gap_seconds: i64,
    pub(crate) distance_km: Option<f64>,
    pub(crate) speed_kmh: Option<f64>,
    pub(crate) severity: Severity,
    pub(crate) rule: Rule,
}

/// All that was accepted, by row in the order of arrival, and whether it is a sighting of its plate's state.
pub(crate) struct Model<'a> {
    scene: &'a Scene,
    accepted: Vec<(usize, bool)>,
}

impl<'a> Model<'a> {
    pub(crate) fn run(scene: &'a Scene) -> (Vec<Fate>, Vec<Found>) {
        let mut model = Self { scene, accepted: Vec::new() };
        let mut found = Vec::new();
        let fates = (0..scene.events.len()).map(|row| model.take(row, &mut found)).collect();
        (fates, found)
    }

    fn event(&self, row: usize) -> &'a Event {
        &self.scene.events[row]
    }

    fn take(&mut self, row: usize, found: &mut Vec<Found>) -> Fate {
        let event = self.event(row);
        let settings = &self.scene.settings;
        let newest = |model: &Self| model.accepted.iter().map(|(row, _)| model.event(*row).time.0).max();
        if let Some(watermark) = newest(self) {
            let guarded = |other: &Event| other.gcxh == event.gcxh && other.time.0 >= watermark - settings.state_ttl;
            if self.accepted.iter().any(|(row, _)| guarded(self.event(*row))) {
                return Fate::Duplicate;
            }
        }
        let compared = settings.plates == PlateScope::Any
            || matches!(
                PlateCode::pack(&event.plate).class(&event.plate),
                PlateClass::Ordinary | PlateClass::NewEnergy | PlateClass::Special
            );
        self.accepted.push((row, false));
        let watermark = newest(self).expect("one was accepted");
        if event.time.0 < watermark - (settings.state_ttl - settings.window) {
            return Fate::Late;
        }
        if !compared {
            return Fate::Accepted;
        }
        let state: Vec<usize> = self
            .accepted
            .iter()
            .filter(|(_, sighting)| *sighting)
            .map(|(row, _)| *row)
            .filter(|other| self.event(*other).plate == event.plate)
            .filter(|other| self.event(*other).time.0 >= watermark - settings.state_ttl)
            .collect();
        // Of equal times the last arrival is the nearest earlier one, the first arrival the nearest later one.
        let earlier = state.iter().copied().filter(|other| self.event(*other).time <= event.time);
        let later = state.iter().copied().filter(|other| self.event(*other).time > event.time);
        let earlier = earlier.max_by_key(|other| (self.event(*other).time, *other));
        let later = later.min_by_key(|other| (self.event(*other).time, *other));
        found.extend(earlier.and_then(|other| self.judge(row, other, true)));
        found.extend(later.and_then(|other| self.judge(row, other, false)));
        if let Some((_, sighting)) = self.accepted.last_mut() {
            *sighting = true;
        }
        Fate::Accepted
    }

    fn judge(&self, row: usize, other_row: usize, other_is_earlier: bool) -> Option<Found> {
        let (event, other) = (self.event(row), self.event(other_row));
        let settings = &self.scene.settings;
        if event.checkpoint == other.checkpoint {
            return None;
        }
        let place = |event: &Event| self.scene.places.get(event.checkpoint as usize).copied().flatten();
        let gap_seconds = (event.time.0 - other.time.0).abs();
        let distance_km = match (place(event), place(other)) {
            (Some(here), Some(there)) => Some(great_circle_km(here, there)),
            _ => None,
        };
        let speed_kmh = match distance_km {
            Some(km) if gap_seconds > 0 => Some(km * 3600.0 / gap_seconds as f64),
            _ => None,
        };
        let impossible = speed_kmh.is_some_and(|speed| speed > settings.max_speed_kmh);
        let rule = if gap_seconds < settings.window {
            Rule::Window
        } else if gap_seconds < settings.speed_window && impossible {
            Rule::Speed
        } else {
            return None;
        };
        let severity = if impossible || gap_seconds == 0 {
            Severity::High
        } else if distance_km.is_some() {
            Severity::Low
        } else {
            Severity::Medium
        };
        Some(Found {
            row,
            other_gcxh: other.gcxh.clone(),
            other_checkpoint: other.checkpoint,
            other_time: other.time,
            other_is_earlier,
            gap_seconds,
            distance_km,
            speed_kmh,
            severity,
            rule,
        })
    }
}

const PLATES: [&str; 9] =
    ["苏C12345", "苏CD12345", "苏C1234警", "苏C12346", "苏CDM***", "-", "无牌", "苏宁CZ***", "苏C123456789"];

/// What one event is made of, before the clock of its scene is known.
#[derive(Debug, Clone)]
struct Draft {
    /// Seconds that the clock goes on.
    step: i64,
    /// Seconds that the event lies behind the clock.
    behind: i64,
    plate: usize,
    checkpoint: u32,
    /// Which earlier event's GCXH it has, counted back; none = its own.
    again: Option<usize>,
    odd: bool,
}

fn draft() -> impl Strategy<Value = Draft> {
    let step = prop_oneof![4 => 0i64..3, 4 => 0i64..40, 1 => 100i64..700, 1 => 299i64..=301];
    let behind = prop_oneof![6 => Just(0i64), 3 => 0i64..60, 2 => 250i64..320, 1 => 0i64..3000];
    let again = prop_oneof![8 => Just(None), 1 => (0usize..4).prop_map(Some), 1 => (0usize..80).prop_map(Some)];
    (step, behind, 0..PLATES.len(), 0u32..5, again, prop::bool::weighted(0.2))
        .prop_map(|(step, behind, plate, checkpoint, again, odd)| Draft { step, behind, plate, checkpoint, again, odd })
}

fn settings() -> impl Strategy<Value = DetectorSettings> {
    let times = prop_oneof![
        3 => Just((300, 600, 300)),
        2 => Just((300, 600, 600)),
        2 => Just((300, 3600, 3600)),
        1 => Just((60, 600, 301)),
        1 => Just((300, 300, 300)),
        1 => (1i64..400, 0i64..1000, 0i64..1400).prop_map(|(window, more, speed)| {
            let state_ttl = window + more;
            (window, state_ttl, speed.clamp(window, state_ttl))
        }),
    ];
    (times, prop_oneof![Just(160.0), Just(40.0), Just(1000.0)], any::<bool>()).prop_map(
        |((window, state_ttl, speed_window), max_speed_kmh, any)| DetectorSettings {
            window,
            state_ttl,
            speed_window,
            max_speed_kmh,
            plates: if any { PlateScope::Any } else { PlateScope::Valid },
        },
    )
}

/// Places of up to five checkpoints, hundreds of kilometres or a few of them apart, some of them unknown.
fn places() -> impl Strategy<Value = Vec<Option<(f64, f64)>>> {
    let far = prop::option::weighted(0.8, (116.0f64..119.0, 33.5f64..35.0));
    let near = prop::option::weighted(0.9, (117.0f64..117.1, 34.0f64..34.05));
    prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(far, 3..6),
        2 => prop::collection::vec(near, 3..6),
    ]
}

/// Any traffic of one partition, under any settings.
pub(crate) fn scene() -> impl Strategy<Value = Scene> {
    (settings(), places(), prop::collection::vec(draft(), 0..160), 1usize..=PLATES.len()).prop_map(
        |(settings, places, drafts, plates)| {
            let mut clock = 1_704_067_200;
            let mut ids: Vec<String> = Vec::new();
            let mut events = Vec::new();
            for (number, draft) in drafts.into_iter().enumerate() {
                clock += draft.step;
                let own = if draft.odd { format!("过车-{number}") } else { format!("G{:09}", 320_300_000 + number) };
                let again = draft.again.and_then(|back| ids.len().checked_sub(back + 1));
                let gcxh = again.map_or(own, |earlier| ids[earlier].clone());
                ids.push(gcxh.clone());
                events.push(Event {
                    time: CivilTime(clock - draft.behind),
                    gcxh,
                    plate: PLATES[draft.plate % plates].to_owned(),
                    checkpoint: draft.checkpoint,
                });
            }
            Scene { settings, places, events }
        },
    )
}
