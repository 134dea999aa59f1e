//! What a replay must answer, by a model that is plain instead of fast: it reads the whole capture ([`reading`]), keeps
//! every sighting and compares with all of them. Written from the contract; it shares no code with the program.
//!
//! [`reading`]: super::reading

use std::collections::{BTreeMap, HashMap};

use super::reading::{Row, read};

const CHECKPOINTS: &str = include_str!("../../data/kkmc_dimension.csv");
const WINDOW: i64 = 300;
const TTL: i64 = 600;
const MAX_SPEED: f64 = 160.0;

/// What is asked of the model.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Question {
    pub(crate) any_plate: bool,
    pub(crate) by_time: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) lines: u64,
    pub(crate) headers: u64,
    pub(crate) blank: u64,
    pub(crate) duplicates: u64,
    pub(crate) accepted: u64,
    pub(crate) late: u64,
    pub(crate) ahead: u64,
    pub(crate) rejects: Vec<Rejected>,
    pub(crate) by_kkmc: BTreeMap<String, u64>,
    pub(crate) times: Option<(i64, i64)>,
    /// In the order in which they are raised.
    pub(crate) alerts: Vec<Alarm>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) line: u64,
    pub(crate) reason: &'static str,
    pub(crate) raw: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) plate: String,
    pub(crate) earlier: Seen,
    pub(crate) later: Seen,
    pub(crate) distance_km: Option<f64>,
    pub(crate) severity: &'static str,
    pub(crate) cause: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) time: i64,
    /// Seconds that the time is exact to.
    pub(crate) resolution: i64,
    pub(crate) hpzl: String,
    pub(crate) kkmc: String,
    pub(crate) gcxh: String,
}

/// Answers for one capture.
pub(crate) fn answer(capture: &[u8], question: Question) -> Answer {
    let mut answer = Answer::default();
    let mut rows = read(capture, &mut answer);
    if question.by_time {
        rows.sort_by_key(|row| row.seen.time);
    }
    judge(rows, question, &mut answer);
    answer
}

fn judge(rows: Vec<Row>, question: Question, answer: &mut Answer) {
    let places = places();
    let mut accepted_ids: HashMap<String, i64> = HashMap::new();
    let mut sightings: HashMap<String, Vec<Seen>> = HashMap::new();
    let mut clock = Clock::default();
    let mut conflicts = Vec::new();
    for Row { seen, plate, is_whole, line, raw } in rows {
        let guarded = accepted_ids.get(&seen.gcxh).filter(|time| clock.watermark.is_none_or(|now| **time >= now - TTL));
        if let Some(time) = guarded {
            if *time == seen.time {
                answer.duplicates += 1;
            } else {
                conflicts.push(Rejected { line, reason: "gcxh_conflict", raw });
            }
            continue;
        }
        accepted_ids.insert(seen.gcxh.clone(), seen.time);
        clock.see(seen.time, &seen.kkmc);
        answer.accepted += 1;
        *answer.by_kkmc.entry(seen.kkmc.clone()).or_default() += 1;
        let (first, last) = answer.times.unwrap_or((seen.time, seen.time));
        answer.times = Some((first.min(seen.time), last.max(seen.time)));
        if clock.watermark.is_some_and(|now| seen.time < now - (TTL - WINDOW)) {
            answer.late += 1;
            continue;
        }
        answer.ahead += u64::from(clock.watermark.is_some_and(|now| seen.time > now + (TTL - WINDOW)));
        if !question.any_plate && !is_whole {
            continue;
        }
        let others = sightings.entry(plate.clone()).or_default();
        let live = others.iter().filter(|other| clock.watermark.is_none_or(|now| other.time >= now - TTL));
        // Of equal times the last to arrive is the nearest before, so `max_by_key`, which takes the last, is right;
        // of equal later times, the first to arrive is next, and `min_by_key` takes the first.
        let before = live.clone().filter(|other| other.time <= seen.time).max_by_key(|other| other.time).cloned();
        let after = live.filter(|other| other.time > seen.time).min_by_key(|other| other.time).cloned();
        for (other, is_earlier) in [(before, true), (after, false)] {
            let Some(other) = other else { continue };
            if other.kkmc == seen.kkmc || (other.time - seen.time).abs() >= WINDOW {
                continue;
            }
            let (earlier, later) = if is_earlier { (other, seen.clone()) } else { (seen.clone(), other) };
            answer.alerts.push(alarm(&plate, earlier, later, &places));
        }
        others.push(seen);
    }
    answer.rejects.extend(conflicts);
    if !question.by_time {
        answer.rejects.sort_by_key(|reject| reject.line);
    }
}

/// The newest time that three checkpoints have reached.
#[derive(Default)]
struct Clock {
    watermark: Option<i64>,
    /// Newest time and ordinal of the last record, of every checkpoint above the watermark.
    above: BTreeMap<String, (i64, usize)>,
    accepted: usize,
    moved: usize,
}

impl Clock {
    fn see(&mut self, time: i64, kkmc: &str) {
        self.accepted += 1;
        if self.watermark.is_none_or(|now| time > now) {
            let newest = self.above.get(kkmc).map_or(time, |(newest, _)| time.max(*newest));
            self.above.insert(kkmc.to_owned(), (newest, self.accepted));
        }
        let (accepted, waited) = (self.accepted, self.accepted - self.moved >= 4096);
        self.above.retain(|_, (_, last)| accepted - *last < 4096);
        if self.above.len() >= 3 || (waited && !self.above.is_empty()) {
            let lowest = self.above.values().map(|(newest, _)| *newest).min();
            self.watermark = self.watermark.max(lowest);
            self.moved = self.accepted;
            let watermark = self.watermark;
            self.above.retain(|_, (newest, _)| Some(*newest) > watermark);
        }
    }
}

type Places = HashMap<String, (f64, f64)>;

fn alarm(plate: &str, earlier: Seen, later: Seen, places: &Places) -> Alarm {
    let gap = later.time - earlier.time;
    let ends = places.get(&earlier.kkmc).zip(places.get(&later.kkmc));
    let distance_km = ends.map(|(from, to)| kilometres(*from, *to));
    let (one, other) = (known_type(&earlier.hpzl), known_type(&later.hpzl));
    let twins = matches!((&one, &other), (Some(one), Some(other)) if one != other)
        && ![one, other].iter().all(|hpzl| matches!(hpzl.as_deref(), Some("51" | "52")));
    let hours = |seconds: i64| seconds as f64 / 3600.0;
    let severity = match distance_km {
        _ if twins => "low",
        None => "medium",
        Some(km) if km - 0.3 > MAX_SPEED * hours(gap + earlier.resolution + later.resolution) => "high",
        Some(km) if km > MAX_SPEED * hours(gap) => "medium",
        Some(_) => "low",
    };
    let cause = twins.then_some("plate_types");
    Alarm { plate: plate.to_owned(), earlier, later, distance_km, severity, cause }
}

/// Two digits; one is padded.
fn known_type(hpzl: &str) -> Option<String> {
    let is_code = (1..=2).contains(&hpzl.len()) && hpzl.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| format!("{hpzl:0>2}"))
}

fn places() -> Places {
    let mut places = Places::new();
    for line in CHECKPOINTS.lines().skip(1) {
        let fields: Vec<&str> = line.trim_end().split(',').collect();
        let place = (fields[5].parse().unwrap(), fields[6].parse().unwrap());
        places.insert(fields[0].to_owned(), place);
        places.insert(fields[1].to_owned(), place);
    }
    places
}

/// Great-circle distance by the angle between the two directions from the centre of the earth.
fn kilometres(from: (f64, f64), to: (f64, f64)) -> f64 {
    let direction = |(lon, lat): (f64, f64)| {
        let (lon, lat) = (lon.to_radians(), lat.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let [ax, ay, az] = direction(from);
    let [bx, by, bz] = direction(to);
    let cross = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
    let sine = cross.iter().map(|part| part * part).sum::<f64>().sqrt();
    sine.atan2(ax * bx + ay * by + az * bz) * 6371.0088
}
