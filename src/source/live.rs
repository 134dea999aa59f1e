//! Simulated traffic as a live source: history first, as fast as it goes, then paced by the clock.
//!
//! The simulator is deterministic, so the position is its start and the number of lines taken: a restart makes the same
//! traffic and skips what was committed.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError, Kind};
use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, LineParser, NameTable, ParserSettings};

use super::simulator::{Roads, Simulator, SimulatorSettings};
use super::{Source, SourceError};
use crate::batch::Batch;
use crate::clock::{civil_now, civil_now_ms};

/// The name under which the position is stored.
pub const NAME: &str = "simulator";
const KIND: Kind = Kind { magic: b'S', version: 2 };
/// The version before there were real roads.
const OLD_KIND: Kind = Kind { magic: b'S', version: 1 };
/// A restart after a longer pause than this starts again with fresh history, instead of making up the pause.
const LONGEST_PAUSE_MS: i64 = 48 * 3_600_000;
const DAY: i64 = 86_400;

/// What is simulated, and how it is read.
#[derive(Debug, Clone)]
pub struct LiveSettings {
    /// The traffic; its start is set here.
    pub simulator: SimulatorSettings,
    /// How lines are parsed.
    pub parser: ParserSettings,
    /// Seconds of history before the first live line.
    pub history: i64,
    /// Lines of one batch at most.
    pub batch_records: u64,
    /// The longest that a line waits for its commit.
    pub batch_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct LivePosition {
    seed: u64,
    sites: usize,
    rate: f64,
    start: i64,
    taken: u64,
    is_real: bool,
}

impl LivePosition {
    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match codec::decode::<FirstPosition>(OLD_KIND, bytes) {
            Ok(FirstPosition { seed, sites, rate, start, taken }) => {
                Ok(Self { seed, sites, rate, start, taken, is_real: false })
            }
            Err(_) => codec::decode(KIND, bytes),
        }
    }
}

/// As version 1 has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct FirstPosition {
    seed: u64,
    sites: usize,
    rate: f64,
    start: i64,
    taken: u64,
}

/// The source.
#[derive(Debug)]
pub struct Live {
    simulator: Simulator,
    settings: LiveSettings,
    parser: LineParser,
    position: LivePosition,
    /// Position after the last batch that was given.
    given: Option<Vec<u8>>,
    line: Vec<u8>,
}

impl Live {
    /// Simulated traffic that resumes after `position`, the one committed last.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if a setting is out of range, [`SourceError::DamagedPosition`].
    pub fn open(mut settings: LiveSettings, names: &NameTable, position: Option<&[u8]>) -> Result<Self, SourceError> {
        let now = civil_now(&settings.parser.zone);
        let SimulatorSettings { seed, sites, rate, roads, .. } = settings.simulator;
        let is_real = roads == Roads::Real;
        let fresh = LivePosition { seed, sites, rate, start: now.0 - settings.history, taken: 0, is_real };
        let known = position.map(LivePosition::decode).transpose();
        let known = known.map_err(|error| SourceError::damaged("the simulator", error))?;
        let position = match known {
            None => fresh,
            Some(known) if LivePosition { start: known.start, taken: known.taken, ..fresh } == known => known,
            // Different traffic from now on: the past hours have theirs already.
            Some(_) => LivePosition { start: now.0, ..fresh },
        };
        settings.simulator.start = CivilTime(position.start);
        let make = |settings: &LiveSettings| {
            Simulator::new(settings.simulator.clone()).map_err(|error| SourceError::Refused(error.to_string()))
        };
        let mut live = Self {
            simulator: make(&settings)?,
            parser: LineParser::new(settings.parser.clone(), names),
            position,
            given: None,
            line: Vec::new(),
            settings,
        };
        for _ in 0..position.taken {
            live.line.clear();
            live.simulator.next_passage(&mut live.line);
        }
        if now.0 * 1000 - live.simulator.next_due() > LONGEST_PAUSE_MS && position != fresh {
            live.position = fresh;
            live.settings.simulator.start = CivilTime(fresh.start);
            live.simulator = make(&live.settings)?;
        }
        live.parser.set_line_number(live.position.taken);
        Ok(live)
    }

    /// The checkpoints of the simulated network.
    pub fn checkpoints(&self) -> &[traffic::Checkpoint] {
        self.simulator.checkpoints()
    }
}

impl Source for Live {
    fn name(&self) -> &str {
        NAME
    }

    fn describe(&self) -> String {
        format!("simulated traffic, seed {}, from {}", self.position.seed, CivilTime(self.position.start))
    }

    fn next(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, SourceError> {
        let zone = self.settings.parser.zone.clone();
        let mut batch = Batch::default();
        batch.enter(NAME.into());
        let began = Instant::now();
        while batch.passages.lines < self.settings.batch_records {
            if stop.is_cancelled() {
                break;
            }
            let wait_ms = self.simulator.next_due() - civil_now_ms(&zone);
            if wait_ms > 0 {
                let open = self.settings.batch_interval.saturating_sub(began.elapsed());
                if open.is_zero() && batch.passages.lines > 0 {
                    break;
                }
                // Short sleeps, so that a stop is noticed at once.
                std::thread::sleep(Duration::from_millis(wait_ms.min(20) as u64));
                continue;
            }
            if batch.passages.lines == 0 {
                self.parser.set_not_after(CivilTime(civil_now(&zone).0 + DAY));
            }
            self.line.clear();
            self.simulator.next_passage(&mut self.line);
            let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
            self.parser.parse_line(line, &mut batch.passages);
            self.position.taken += 1;
        }
        if batch.passages.lines == 0 {
            return Ok(None);
        }
        batch.position = codec::encode(KIND, &self.position).map_err(SourceError::failed)?;
        batch.before = self.given.replace(batch.position.clone());
        batch.place = format!("line {}", self.position.taken);
        Ok(Some(batch))
    }
}

#[cfg(test)]
mod tests {
    use traffic::{Layout, ParserSettings, TimeZoneName};

    use super::*;

    fn settings() -> LiveSettings {
        LiveSettings {
            simulator: SimulatorSettings { sites: 2, rate: 3.0, ..SimulatorSettings::default() },
            parser: ParserSettings {
                layout: Layout::default(),
                delimiter: None,
                not_after: CivilTime(i64::MAX),
                zone: TimeZoneName::default(),
                max_names: 1_000,
            },
            history: 0,
            batch_records: 1,
            batch_interval: Duration::ZERO,
        }
    }

    #[test]
    fn a_position_of_before_real_roads_is_one_on_ideal_roads() {
        let start = civil_now(&settings().parser.zone).0 - 60;
        let first = FirstPosition { seed: 1, sites: 2, rate: 3.0, start, taken: 5 };
        let bytes = codec::encode(OLD_KIND, &first).unwrap();
        let live = Live::open(settings(), &NameTable::default(), Some(&bytes)).unwrap();
        let expected = LivePosition { seed: 1, sites: 2, rate: 3.0, start, taken: 5, is_real: false };
        assert_eq!(live.position, expected);
        let mut other = settings();
        other.simulator.roads = Roads::Real;
        let live = Live::open(other, &NameTable::default(), Some(&bytes)).unwrap();
        assert!(live.position.is_real && live.position.taken == 0, "{:?}", live.position);
    }

    #[test]
    fn a_damaged_position_is_reported_and_not_taken_for_none() {
        let position = LivePosition { seed: 1, sites: 2, rate: 3.0, start: 4, taken: 0, is_real: false };
        let mut bytes = codec::encode(KIND, &position).unwrap();
        bytes[4] ^= 1;
        let error = Live::open(settings(), &NameTable::default(), Some(&bytes)).unwrap_err();
        assert!(matches!(&error, SourceError::DamagedPosition { .. }), "{error}");
        assert!(error.to_string().contains("the simulator"), "{error}");
    }
}
