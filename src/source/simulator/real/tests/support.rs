//! Some traffic with its truth, and what is computed from it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::LazyLock;

use traffic::{CivilTime, TimeZoneName};

use super::super::super::event::Event;
use super::super::super::facts::{CameraFacts, RoadFacts, TruePassage};
use super::super::super::settings::{Roads, SimulatorSettings};
use super::super::Real;

pub(super) const START: i64 = SimulatorSettings::DEFAULT_START.0;

pub(super) fn settings() -> SimulatorSettings {
    SimulatorSettings { roads: Roads::Real, rate: 10.0, passage_truth: true, ..Default::default() }
}

/// When a line arrived, its fields, and who passed.
pub(super) type Seen<'a> = (&'a Event, [&'a str; 8], &'a TruePassage);

/// Lines, events and truth of some traffic.
pub(super) struct Run {
    pub(super) real: Real,
    pub(super) events: Vec<(Event, String)>,
    /// By GCXH.
    pub(super) truth: HashMap<String, TruePassage>,
}

impl Run {
    pub(super) fn lines(settings: SimulatorSettings, lines: usize) -> Self {
        let mut real = Real::new(settings);
        let mut events = Vec::with_capacity(lines);
        for _ in 0..lines {
            let due = real.next_due();
            let mut bytes = Vec::new();
            let event = real.next_passage(&mut bytes);
            assert_eq!(event.arrived_at_ms, due);
            events.push((event, String::from_utf8(bytes).unwrap().trim_end().to_owned()));
        }
        let truth = real.take_passages().into_iter().map(|it| (it.gcxh.clone(), it)).collect();
        Self { real, events, truth }
    }

    /// Lines that are no repetitions, with what passed.
    pub(super) fn passages(&self) -> impl Iterator<Item = Seen<'_>> {
        let first = self.events.iter().filter(|(event, _)| !event.is_retransmission);
        first.map(|(event, line)| {
            let fields = fields(line);
            (event, fields, &self.truth[fields[0]])
        })
    }

    /// Each camera with what it wrote.
    pub(super) fn by_camera(&self) -> Vec<(CameraFacts, Vec<Seen<'_>>)> {
        let mut all: HashMap<&str, Vec<Seen<'_>>> = HashMap::new();
        for seen in self.passages() {
            all.entry(seen.1[2]).or_default().push(seen);
        }
        let with = |camera: CameraFacts| {
            let seen = all.remove(camera.kkmc.as_str()).unwrap();
            (camera, seen)
        };
        self.real.camera_facts().into_iter().map(with).collect()
    }

    pub(super) fn cameras(&self, fault: &str) -> Vec<CameraFacts> {
        self.real.camera_facts().into_iter().filter(|it| it.fault == fault).collect()
    }
}

pub(super) fn fields(line: &str) -> [&str; 8] {
    line.split('\t').collect::<Vec<_>>().try_into().unwrap()
}

pub(super) fn civil(text: &str) -> i64 {
    CivilTime::parse(text.as_bytes(), &TimeZoneName::default()).unwrap().0
}

pub(super) fn share(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A day at 48 checkpoints, where each fault is there.
pub(super) static DAY: LazyLock<Run> =
    LazyLock::new(|| Run::lines(SimulatorSettings { sites: 48, rate: 6.0, ..settings() }, 560_000));

/// Milliseconds of free flow between any two checkpoints, by the shortest way.
pub(super) fn free_flow(roads: &[RoadFacts]) -> HashMap<&str, HashMap<&str, u64>> {
    let mut from: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
    for road in roads {
        let milliseconds = (road.free_flow_seconds * 1000.0).round() as u64;
        from.entry(&road.from).or_default().push((&road.to, milliseconds));
    }
    from.keys().map(|start| (*start, shortest(start, &from))).collect()
}

fn shortest<'a>(start: &'a str, roads: &HashMap<&'a str, Vec<(&'a str, u64)>>) -> HashMap<&'a str, u64> {
    let mut reached = HashMap::new();
    let mut next = BinaryHeap::from([(Reverse(0), start)]);
    while let Some((Reverse(time), here)) = next.pop() {
        if !reached.contains_key(here) {
            reached.insert(here, time);
            next.extend(roads[here].iter().map(|(to, road)| (Reverse(time + road), *to)));
        }
    }
    reached
}
