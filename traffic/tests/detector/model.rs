//! The rule of contract section 2 over plain lists: every accepted passage is kept, and all are looked at each time.

use std::collections::BTreeMap;

use proptest::prelude::*;
use traffic::{
    Cause, CivilTime, DetectorSettings, Fate, PlateClass, PlateCode, PlateScope, Resolution, Rule, Severity,
    great_circle_km,
};

/// A passage, as far as the rule sees it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) time: CivilTime,
    pub(crate) resolution: Resolution,
    pub(crate) gcxh: String,
    pub(crate) plate: String,
    pub(crate) hpzl: &'static str,
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
    pub(crate) cause: Option<Cause>,
    pub(crate) rule: Rule,
}

/// All that was accepted, by row in the order of arrival, and whether it is a sighting of its plate's state.
pub(crate) struct Model<'a> {
    scene: &'a Scene,
    accepted: Vec<(usize, bool)>,
    clock: Clock,
}

impl<'a> Model<'a> {
    pub(crate) fn run(scene: &'a Scene) -> (Vec<Fate>, Vec<Found>) {
        let mut model = Self { scene, accepted: Vec::new(), clock: Clock::default() };
        let mut found = Vec::new();
        let fates = (0..scene.events.len()).map(|row| model.take(row, &mut found)).collect();
        (fates, found)
    }

    fn event(&self, row: usize) -> &'a Event {
        &self.scene.events[row]
    }

    /// What the clock of section 2 shows behind the records accepted so far.
    fn watermark(&self) -> Option<i64> {
        self.clock.watermark
    }

    fn take(&mut self, row: usize, found: &mut Vec<Found>) -> Fate {
        let event = self.event(row);
        let settings = &self.scene.settings;
        let guarded = |other: &&Event| {
            other.gcxh == event.gcxh && self.watermark().is_none_or(|now| other.time.0 >= now - settings.state_ttl)
        };
        // Of several that were accepted under one GCXH only the last can be guarded still.
        if let Some(other) = self.accepted.iter().rev().map(|(row, _)| self.event(*row)).find(guarded) {
            return if other.time == event.time { Fate::Duplicate } else { Fate::Conflict };
        }
        let compared = settings.plates == PlateScope::Any
            || matches!(
                PlateCode::pack(&event.plate).class(&event.plate),
                PlateClass::Ordinary | PlateClass::NewEnergy | PlateClass::Special
            );
        self.accepted.push((row, false));
        self.clock.see(event.time.0, event.checkpoint);
        let slack = settings.state_ttl - settings.window;
        if self.watermark().is_some_and(|now| event.time.0 < now - slack) {
            return Fate::Late;
        }
        let is_ahead = self.watermark().is_some_and(|now| event.time.0 > now + slack);
        let fate = if is_ahead { Fate::Ahead } else { Fate::Accepted };
        if !compared {
            return fate;
        }
        let state: Vec<usize> = self
            .accepted
            .iter()
            .filter(|(_, sighting)| *sighting)
            .map(|(row, _)| *row)
            .filter(|other| self.event(*other).plate == event.plate)
            .filter(|other| self.watermark().is_none_or(|now| self.event(*other).time.0 >= now - settings.state_ttl))
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
        fate
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
        let longest = gap_seconds + event.resolution.seconds() + other.resolution.seconds();
        let lower_speed = distance_km.map(|km| (km - 0.3) / (longest as f64 / 3600.0));
        let impossible = lower_speed.is_some_and(|speed| speed > settings.max_speed_kmh);
        let rule = if gap_seconds < settings.window {
            Rule::Window
        } else if gap_seconds < settings.speed_window && impossible {
            Rule::Speed
        } else {
            return None;
        };
        let known = |hpzl: &str| hpzl != "-";
        let green = |hpzl: &str| hpzl == "51" || hpzl == "52";
        let (here, there) = (event.hpzl, other.hpzl);
        let twins = here != there && known(here) && known(there) && !(green(here) && green(there));
        let severity = match distance_km {
            _ if twins => Severity::Low,
            _ if impossible => Severity::High,
            None => Severity::Medium,
            Some(km) if km > settings.max_speed_kmh * gap_seconds as f64 / 3600.0 => Severity::Medium,
            Some(_) => Severity::Low,
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
            cause: twins.then_some(Cause::PlateTypes),
            rule,
        })
    }
}

/// W of section 2, by looking at every checkpoint that was ever above it.
#[derive(Default)]
struct Clock {
    watermark: Option<i64>,
    /// Newest GCSJ and ordinal of the last record, by checkpoint.
    above: BTreeMap<u32, (i64, usize)>,
    accepted: usize,
    moved: usize,
}

impl Clock {
    fn see(&mut self, time: i64, checkpoint: u32) {
        self.accepted += 1;
        if self.watermark.is_none_or(|watermark| time > watermark) {
            let newest = self.above.get(&checkpoint).map_or(time, |(newest, _)| time.max(*newest));
            self.above.insert(checkpoint, (newest, self.accepted));
        }
        self.above.retain(|_, (_, last)| self.accepted - *last < 4096);
        let waited = self.accepted - self.moved >= 4096;
        if self.above.len() >= 3 || (waited && !self.above.is_empty()) {
            let smallest = self.above.values().map(|(newest, _)| *newest).min();
            self.watermark = self.watermark.max(smallest);
            self.moved = self.accepted;
            self.above.retain(|_, (newest, _)| Some(*newest) > self.watermark);
        }
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
    /// Seconds that the clock of the checkpoint is wrong by, this once.
    leap: i64,
    resolution: Resolution,
    hpzl: &'static str,
    /// Whether it has the GCSJ of the event whose GCXH it has.
    same_time: bool,
    plate: usize,
    checkpoint: u32,
    /// Which earlier event's GCXH it has, counted back; none = its own.
    again: Option<usize>,
    odd: bool,
}

/// How every plate type stands in an event.
pub(crate) const HPZLS: [&str; 5] = ["02", "01", "51", "52", "-"];

fn draft() -> impl Strategy<Value = Draft> {
    let step = prop_oneof![4 => 0i64..3, 4 => 0i64..40, 1 => 100i64..700, 1 => 299i64..=301];
    let behind = prop_oneof![6 => Just(0i64), 3 => 0i64..60, 2 => 250i64..320, 1 => 0i64..3000];
    let leap = prop_oneof![30 => Just(0i64), 1 => 200i64..400, 1 => 0i64..90_000, 1 => -90_000i64..0];
    let again = prop_oneof![8 => Just(None), 1 => (0usize..4).prop_map(Some), 1 => (0usize..80).prop_map(Some)];
    let resolution =
        prop_oneof![8 => Just(Resolution::Second), 1 => Just(Resolution::Minute), 1 => Just(Resolution::Day)];
    let hpzl = prop_oneof![8 => Just(0usize), 1 => 0..HPZLS.len()].prop_map(|at| HPZLS[at]);
    let named = (0..PLATES.len(), prop_oneof![3 => 0u32..5, 1 => 0u32..2], again, prop::bool::weighted(0.2));
    (step, behind, leap, resolution, hpzl, prop::bool::weighted(0.7), named).prop_map(
        |(step, behind, leap, resolution, hpzl, same_time, (plate, checkpoint, again, odd))| Draft {
            step,
            behind,
            leap,
            resolution,
            hpzl,
            same_time,
            plate,
            checkpoint,
            again,
            odd,
        },
    )
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

/// Any traffic of one partition, under any settings. Some of it is quiet for so long between two drafts that W moves without a
/// third checkpoint.
pub(crate) fn scene() -> impl Strategy<Value = Scene> {
    let quiet = prop_oneof![12 => Just(None), 1 => (0usize..160, 0u32..2).prop_map(Some)];
    (settings(), places(), prop::collection::vec(draft(), 0..160), 1usize..=PLATES.len(), quiet).prop_map(
        |(settings, places, drafts, plates, quiet)| {
            let mut clock = 1_704_067_200;
            let mut events: Vec<Event> = Vec::new();
            for (number, draft) in drafts.into_iter().enumerate() {
                clock += draft.step;
                let own = if draft.odd { format!("过车-{number}") } else { format!("G{:09}", 320_300_000 + number) };
                let again =
                    draft.again.and_then(|back| events.len().checked_sub(back + 1)).map(|at| events[at].clone());
                let time = CivilTime(clock - draft.behind + draft.leap);
                events.push(Event {
                    time: again.as_ref().filter(|_| draft.same_time).map_or(time, |again| again.time),
                    resolution: draft.resolution,
                    gcxh: again.map_or(own, |again| again.gcxh),
                    plate: PLATES[draft.plate % plates].to_owned(),
                    hpzl: draft.hpzl,
                    checkpoint: draft.checkpoint,
                });
                if let Some((at, checkpoint)) = quiet
                    && at == number
                {
                    events.extend((0..4100).map(|more| still(clock + more / 50, more, checkpoint)));
                    clock += 82;
                }
            }
            Scene { settings, places, events }
        },
    )
}

/// One of many passages at one checkpoint, of a plate that nobody looks for.
fn still(time: i64, number: i64, checkpoint: u32) -> Event {
    Event {
        time: CivilTime(time),
        resolution: Resolution::Second,
        gcxh: format!("S{number:09}"),
        plate: "-".to_owned(),
        hpzl: "-",
        checkpoint,
    }
}
