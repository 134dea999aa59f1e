//! The cloned-plate rule over the passages of one partition: duplicate guard, watermark, lateness, comparison, evidence.
//!
//! Everything is decided by event time and arrival order alone, so that the same passages in the same order give the
//! same alerts at any speed, batch size or restart. It does not know names, files, clocks or storage: a checkpoint is a
//! number, and what is known about it comes in [`Knowledge`].
//!
//! State is bounded by the TTL: a sighting or a guarded id older than `watermark − state_ttl` is never looked at again,
//! and is dropped when its table next needs room. Passages ahead of the watermark stay until it has passed them; the
//! source's limit for times in the future bounds how long that takes. Until the watermark is defined, which takes 4,096
//! passages at most, nothing is late and nothing expires.

mod clocks;
mod evidence;
mod fate;
mod guard;
mod settings;
mod sighting;
mod tracks;
mod watermark;

use crate::batch::odd_text;
use crate::{
    Cause, CivilTime, Dimension, NameId, PassageBatch, PassageId, PlateClass, PlateCode, PlateType, Resolution, Rule,
    Severity,
};
use clocks::Clocks;
pub use clocks::{ClockCount, Lead};
pub use evidence::{Evidence, Pair};
pub use fate::Fate;
use guard::{Admission, Guard};
pub use settings::{DetectorSettings, PlateScope};
pub use sighting::Sighting;
use tracks::{Reach, Tracks};
pub use watermark::{Reached, Watermark, WatermarkState};

/// How many rows' slots in the guard are read together: more than a processor has reads in flight.
const TOUCHED_AT_ONCE: usize = 16;

/// A passage and the earlier or later sighting that it contradicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Row of the passage in its batch.
    pub row: u32,
    /// The other sighting, already in the state.
    pub other: Sighting,
    /// Text of the other sighting's GCXH, if that is odd.
    pub other_odd_id: Option<Box<str>>,
    /// Whether the other sighting is the earlier one in event time (or has the same time and came first).
    pub other_is_earlier: bool,
    /// Seconds between the two.
    pub gap_seconds: i64,
    /// Great-circle distance in km, if both positions are known.
    pub distance_km: Option<f64>,
    /// Distance over gap in km/h, if the distance is known and the gap is not 0.
    pub speed_kmh: Option<f64>,
    /// How strong the evidence is.
    pub severity: Severity,
    /// What else explains it.
    pub cause: Option<Cause>,
    /// The rule that raised it.
    pub rule: Rule,
}

/// Positions (longitude, latitude in degrees) of checkpoints by their number; a number beyond the end is unknown.
pub type Places = [Option<(f64, f64)>];

/// What is known about the names in a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knowledge<'a> {
    /// Positions of checkpoints.
    pub places: &'a Places,
    /// Plate types by the number of their HPZL; a number beyond the end is unknown.
    pub plate_types: &'a [PlateType],
    /// Brands by the number of their model (CLPPXH), from 1; 0 and a number beyond the end are unknown.
    pub brands: &'a [u32],
}

/// One passage, as the rule sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passage<'a> {
    time: CivilTime,
    resolution: Resolution,
    id: PassageId,
    odd_id: &'a str,
    plate: PlateCode,
    class: PlateClass,
    plate_type: PlateType,
    checkpoint: NameId,
}

/// The rule and its state for one partition.
#[derive(Debug)]
pub struct Detector {
    settings: DetectorSettings,
    /// Sightings at least this many seconds apart are not compared.
    farthest_gap: i64,
    watermark: Watermark,
    guard: Guard,
    tracks: Tracks,
    clocks: Clocks,
}

impl Detector {
    /// A detector without state.
    pub fn new(settings: DetectorSettings) -> Self {
        Self {
            settings,
            farthest_gap: Rule::farthest_gap(&settings),
            watermark: Watermark::default(),
            guard: Guard::default(),
            tracks: Tracks::default(),
            clocks: Clocks::default(),
        }
    }

    /// The watermark: the newest GCSJ that three checkpoints have reached.
    pub fn watermark(&self) -> Option<CivilTime> {
        self.watermark.time().map(CivilTime)
    }

    /// All of the watermark's state.
    pub fn watermark_state(&self) -> WatermarkState {
        self.watermark.state()
    }

    /// Sets the watermark of a state that is being restored.
    pub fn restore_watermark(&mut self, state: &WatermarkState) {
        self.watermark = Watermark::of(state);
    }

    /// Puts a plate's saved sightings back, oldest first; `odd_ids` are the texts of those GCXH that are odd.
    pub fn restore_plate(&mut self, plate: PlateCode, sightings: Vec<Sighting>, odd_ids: Vec<(PassageId, Box<str>)>) {
        self.tracks.restore(plate, sightings, odd_ids);
    }

    /// Guards a GCXH that was accepted before a restart.
    pub fn restore_guard(&mut self, id: PassageId, time: CivilTime) {
        let _ = self.guard.admit(id, time.0, self.watermark.oldest(self.settings.state_ttl));
    }

    /// The counts of each checkpoint, by its number.
    pub fn clocks(&self) -> impl Iterator<Item = ClockCount> + '_ {
        self.clocks.counts()
    }

    /// Puts saved counts back.
    pub fn restore_clocks(&mut self, counts: &[ClockCount]) {
        self.clocks.restore(counts);
    }

    /// Gives `save` what the next lead of a checkpoint is to be made of, where that changed since the last call.
    pub fn drain_clock_samples(&mut self, save: impl FnMut(NameId, &[i32])) {
        self.clocks.drain_samples(save);
    }

    /// Puts saved samples of a checkpoint back, after [`Detector::restore_clocks`].
    pub fn restore_clock_samples(&mut self, checkpoint: NameId, samples: &[i32]) {
        self.clocks.restore_samples(checkpoint, samples);
    }

    /// Replays rows of `batch` that were accepted before a restart but after the plate states were last saved: updates
    /// the watermark and the plate states, but not the guard (see [`Detector::restore_guard`]) or the counts.
    pub fn recover(&mut self, batch: &PassageBatch, knowledge: Knowledge<'_>) {
        for row in 0..batch.len() {
            if let Some(passage) = passage_at(batch, row, knowledge) {
                self.watermark.see(passage.time, passage.checkpoint);
                let _ = self.compare(row as u32, &passage, &[], &mut |_| {});
            }
        }
        let _ = self.tracks.take_forgotten();
    }

    /// Takes rows that another process has stored, to reach the state that it had: without output, and uncounted. Pushes
    /// one [`Fate`] per row.
    pub fn read_back(&mut self, batch: &PassageBatch, knowledge: Knowledge<'_>, fates: &mut Vec<Fate>) {
        for row in 0..batch.len() {
            let Some(passage) = passage_at(batch, row, knowledge) else { break };
            let horizon = self.watermark.oldest(self.settings.state_ttl);
            fates.push(match self.guard.admit(passage.id, passage.time.0, horizon) {
                Admission::New => {
                    self.watermark.see(passage.time, passage.checkpoint);
                    self.compare(row as u32, &passage, &[], &mut |_| {})
                }
                Admission::Again => Fate::Duplicate,
                Admission::Conflict => Fate::Conflict,
            });
        }
        let _ = self.tracks.take_forgotten();
    }

    /// Takes the rows of `batch` in order: pushes one [`Fate`] per row, and every [`Hit`] in the order found.
    pub fn observe(
        &mut self,
        batch: &PassageBatch,
        knowledge: Knowledge<'_>,
        fates: &mut Vec<Fate>,
        hits: &mut Vec<Hit>,
    ) {
        fates.reserve(batch.len());
        for row in 0..batch.len() {
            if row % TOUCHED_AT_ONCE == 0 {
                let end = batch.len().min(row + TOUCHED_AT_ONCE);
                self.guard.touch(batch.ids.get(row..end).unwrap_or_default());
            }
            let Some(passage) = passage_at(batch, row, knowledge) else { break };
            let horizon = self.watermark.oldest(self.settings.state_ttl);
            let fate = match self.guard.admit(passage.id, passage.time.0, horizon) {
                Admission::New => {
                    self.watermark.see(passage.time, passage.checkpoint);
                    let fate = self.compare(row as u32, &passage, knowledge.places, &mut |hit| hits.push(hit));
                    let lead = self.watermark.time().map(|watermark| passage.time.0 - watermark);
                    self.clocks.see(passage.checkpoint, fate, lead);
                    fate
                }
                Admission::Again => Fate::Duplicate,
                Admission::Conflict => Fate::Conflict,
            };
            fates.push(fate);
        }
    }

    /// Takes the plates that changed since the last call and still hold a live sighting, in the order of their codes.
    pub fn drain_changed(&mut self, mut save: impl FnMut(PlateCode, &[Sighting], &[(PassageId, &str)])) {
        let oldest = CivilTime(self.watermark.oldest(self.settings.state_ttl));
        self.tracks.drain_changed(oldest, &mut save);
    }

    /// Plates that hold state (some of it may have expired already).
    pub fn plates(&self) -> usize {
        self.tracks.len()
    }

    /// How many changes wait for [`Detector::drain_changed`].
    pub fn changes(&self) -> usize {
        self.tracks.changes()
    }

    /// How many sightings were dropped since the last call, beyond the most that a plate may have.
    pub fn take_forgotten(&mut self) -> u64 {
        self.tracks.take_forgotten()
    }

    /// The times that decide what is expired, late or ahead; none before the watermark is defined.
    fn reach(&self) -> Option<Reach> {
        let DetectorSettings { state_ttl, window, .. } = self.settings;
        let watermark = self.watermark.time()?;
        Some(Reach {
            oldest: CivilTime(watermark.saturating_sub(state_ttl)),
            late: CivilTime(watermark.saturating_sub(state_ttl - window)),
            ahead: CivilTime(watermark.saturating_add(state_ttl - window)),
        })
    }

    /// Compares an accepted passage with the state and adds it there. The watermark already includes it.
    #[inline]
    fn compare(&mut self, row: u32, passage: &Passage<'_>, places: &Places, found: &mut impl FnMut(Hit)) -> Fate {
        let settings = &self.settings;
        let reach = self.reach().unwrap_or(Reach::ALL);
        if passage.time < reach.late {
            return Fate::Late;
        }
        if passage.class.is_valid() || settings.plates == PlateScope::Any {
            let sighting = passage.sighting();
            let (earlier, later) = self.tracks.insert(passage.plate, sighting, passage.odd_id, reach);
            for (other, other_is_earlier) in [(earlier, true), (later, false)] {
                let Some(other) = other else { continue };
                if other.checkpoint == passage.checkpoint {
                    continue;
                }
                let gap_seconds = (sighting.time().0 - other.time().0).abs();
                if gap_seconds >= self.farthest_gap {
                    continue;
                }
                let pair = pair_of(gap_seconds, &sighting, &other, places);
                let Evidence { distance_km, speed_kmh, severity, cause, rule } = Evidence::of(settings, &pair);
                let Some(rule) = rule else { continue };
                let other_odd_id = self.tracks.odd_id(other.id());
                #[rustfmt::skip]
                found(Hit {
                    row, other, other_odd_id, other_is_earlier, gap_seconds, distance_km, speed_kmh, severity, cause, rule,
                });
            }
        }
        if passage.time > reach.ahead { Fate::Ahead } else { Fate::Accepted }
    }
}

impl Passage<'_> {
    #[inline]
    fn sighting(&self) -> Sighting {
        Sighting::new(self.time, self.resolution, self.checkpoint, self.plate_type, self.id)
    }
}

#[inline]
fn passage_at<'a>(batch: &'a PassageBatch, row: usize, knowledge: Knowledge<'_>) -> Option<Passage<'a>> {
    let id = *batch.ids.get(row)?;
    let plate_type =
        batch.columns[Dimension::PlateType].get(row).and_then(|name| knowledge.plate_types.get(*name as usize));
    Some(Passage {
        time: *batch.times.get(row)?,
        resolution: *batch.resolutions.get(row)?,
        id,
        odd_id: if id.is_odd() { odd_text(&batch.odd_ids, row) } else { "" },
        plate: *batch.plates.get(row)?,
        class: *batch.classes.get(row)?,
        plate_type: plate_type.copied().unwrap_or_default(),
        checkpoint: *batch.columns[Dimension::Checkpoint].get(row)?,
    })
}

/// What is known about two sightings of one plate at different checkpoints.
fn pair_of(gap_seconds: i64, sighting: &Sighting, other: &Sighting, places: &Places) -> Pair {
    let place = |sighting: &Sighting| places.get(sighting.checkpoint as usize).copied().flatten();
    Pair {
        gap_seconds,
        slack_seconds: sighting.resolution().seconds() + other.resolution().seconds(),
        from: place(sighting),
        to: place(other),
        twins: sighting.plate_type().are_twins(other.plate_type()),
    }
}
