//! The cloned-plate rule over the passages of one partition: duplicate guard, watermark, lateness, comparison, evidence.
//!
//! Everything is decided by event time and arrival order alone, so that the same passages in the same order give the
//! same alerts at any speed, batch size or restart. It does not know names, files, clocks or storage: a checkpoint is a
//! number, and its position comes in [`Places`].
//!
//! State is bounded by the TTL: a sighting or a guarded id older than `watermark − state_ttl` is never looked at again,
//! and is dropped when its table next needs room.

mod guard;
mod tracks;

use crate::batch::odd_text;
use crate::{CivilTime, NameId, PassageBatch, PassageId, PlateClass, PlateCode, Rule, Severity, great_circle_km};
use guard::Guard;
use tracks::Tracks;

/// Which plates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlateScope {
    /// Plates of class ordinary, new_energy or special.
    #[default]
    Valid,
    /// All plates, as the original job did.
    Any,
}

/// Settings of the rule. Times in seconds, speed in km/h.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectorSettings {
    /// Two checkpoints with a gap strictly under this are an alert.
    pub window: i64,
    /// How long a sighting is kept, and a GCXH guarded, behind the newest event time.
    pub state_ttl: i64,
    /// Sightings with a gap strictly under this are checked for their implied speed.
    pub speed_window: i64,
    /// A speed above this is impossible.
    pub max_speed_kmh: f64,
    /// Which plates are compared.
    pub plates: PlateScope,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self { window: 300, state_ttl: 600, speed_window: 300, max_speed_kmh: 160.0, plates: PlateScope::Valid }
    }
}

/// What became of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// Stored, and compared if its plate is of a class that is compared.
    Accepted,
    /// Stored, but too old to be compared.
    Late,
    /// Its GCXH was accepted already: not stored again.
    Duplicate,
}

/// One plate at one checkpoint at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// GCSJ.
    pub time: CivilTime,
    /// KKMC.
    pub checkpoint: NameId,
    id_tag: u32,
    id_number: u64,
}

impl Sighting {
    /// A sighting by passage `id`.
    #[inline]
    pub fn new(time: CivilTime, checkpoint: NameId, id: PassageId) -> Self {
        Self { time, checkpoint, id_tag: id.tag, id_number: id.number }
    }

    /// GCXH, packed.
    #[inline]
    pub fn id(&self) -> PassageId {
        PassageId { number: self.id_number, tag: self.id_tag }
    }
}

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
    /// How sure the evidence makes us.
    pub severity: Severity,
    /// The rule that raised it.
    pub rule: Rule,
}

/// Positions (longitude, latitude in degrees) of checkpoints by their number; a number beyond the end is unknown.
pub type Places = [Option<(f64, f64)>];

/// One passage, as the rule sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passage<'a> {
    time: CivilTime,
    id: PassageId,
    odd_id: &'a str,
    plate: PlateCode,
    class: PlateClass,
    checkpoint: NameId,
}

/// The rule and its state for one partition.
#[derive(Debug)]
pub struct Detector {
    settings: DetectorSettings,
    watermark: Option<CivilTime>,
    guard: Guard,
    tracks: Tracks,
}

impl Detector {
    /// A detector without state.
    pub fn new(settings: DetectorSettings) -> Self {
        Self { settings, watermark: None, guard: Guard::default(), tracks: Tracks::default() }
    }

    /// Newest accepted GCSJ.
    pub fn watermark(&self) -> Option<CivilTime> {
        self.watermark
    }

    /// Sets the watermark of a state that is being restored.
    pub fn restore_watermark(&mut self, watermark: Option<CivilTime>) {
        self.watermark = watermark;
    }

    /// Puts a plate's saved sightings back, oldest first; `odd_ids` are the texts of those GCXH that are odd.
    pub fn restore_plate(&mut self, plate: PlateCode, sightings: Vec<Sighting>, odd_ids: Vec<(PassageId, Box<str>)>) {
        self.tracks.restore(plate, sightings, odd_ids);
    }

    /// Guards a GCXH that was accepted before a restart.
    pub fn restore_guard(&mut self, id: PassageId, time: CivilTime) {
        let horizon = self.watermark.unwrap_or(time).0 - self.settings.state_ttl;
        let _ = self.guard.admit(id, time.0, horizon);
    }

    /// Replays rows of `batch` that were accepted before a restart but after the plate states were last saved: the
    /// watermark and the plate states follow, the guard does not (see [`Detector::restore_guard`]).
    pub fn recover(&mut self, batch: &PassageBatch) {
        for row in 0..batch.len() {
            if let Some(passage) = passage_at(batch, row) {
                self.advance(passage.time);
                let _ = self.compare(row as u32, &passage, &[], &mut |_| {});
            }
        }
    }

    /// Takes the rows of `batch` in order: pushes one [`Fate`] per row, and every [`Hit`] in the order found.
    pub fn observe(&mut self, batch: &PassageBatch, places: &Places, fates: &mut Vec<Fate>, hits: &mut Vec<Hit>) {
        fates.reserve(batch.len());
        for row in 0..batch.len() {
            let Some(passage) = passage_at(batch, row) else { break };
            let horizon = self.watermark.unwrap_or(passage.time).0 - self.settings.state_ttl;
            if !self.guard.admit(passage.id, passage.time.0, horizon) {
                fates.push(Fate::Duplicate);
                continue;
            }
            self.advance(passage.time);
            fates.push(self.compare(row as u32, &passage, places, &mut |hit| hits.push(hit)));
        }
    }

    /// Takes the plates that changed since the last call and still hold a live sighting, in the order of their codes.
    pub fn drain_changed(&mut self, mut save: impl FnMut(PlateCode, &[Sighting], &[(PassageId, &str)])) {
        let oldest = self.oldest_live();
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

    fn oldest_live(&self) -> CivilTime {
        CivilTime(self.watermark.map_or(i64::MIN, |watermark| watermark.0 - self.settings.state_ttl))
    }

    #[inline]
    fn advance(&mut self, time: CivilTime) {
        self.watermark = Some(self.watermark.map_or(time, |watermark| watermark.max(time)));
    }

    /// Compares an accepted passage with the state and adds it there. The watermark already includes it.
    #[inline]
    fn compare(&mut self, row: u32, passage: &Passage<'_>, places: &Places, found: &mut impl FnMut(Hit)) -> Fate {
        let settings = &self.settings;
        let watermark = self.watermark.unwrap_or(passage.time).0;
        if passage.time.0 < watermark - (settings.state_ttl - settings.window) {
            return Fate::Late;
        }
        if passage.class.is_valid() || settings.plates == PlateScope::Any {
            let sighting = Sighting::new(passage.time, passage.checkpoint, passage.id);
            let oldest = CivilTime(watermark - settings.state_ttl);
            let (earlier, later) = self.tracks.insert(passage.plate, sighting, passage.odd_id, oldest);
            for (other, other_is_earlier) in [(earlier, true), (later, false)] {
                let Some(other) = other else { continue };
                if other.checkpoint == passage.checkpoint {
                    continue;
                }
                if let Some(hit) = judge(settings, row, &sighting, other, other_is_earlier, places) {
                    found(Hit { other_odd_id: self.tracks.odd_id(other.id()), ..hit });
                }
            }
        }
        Fate::Accepted
    }
}

#[inline]
fn passage_at(batch: &PassageBatch, row: usize) -> Option<Passage<'_>> {
    let id = *batch.ids.get(row)?;
    Some(Passage {
        time: *batch.times.get(row)?,
        id,
        odd_id: if id.is_odd() { odd_text(&batch.odd_ids, row) } else { "" },
        plate: *batch.plates.get(row)?,
        class: *batch.classes.get(row)?,
        checkpoint: *batch.checkpoints.get(row)?,
    })
}

/// What the rule says of two sightings of one plate at different checkpoints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Great-circle distance in km, if both positions are known.
    pub distance_km: Option<f64>,
    /// Distance over gap in km/h, if the distance is known and the gap is not 0.
    pub speed_kmh: Option<f64>,
    /// How sure it makes us: [`Severity::High`] means that one car cannot have made both, however far apart they are.
    pub severity: Severity,
    /// The rule that raises an alert; none if neither does.
    pub rule: Option<Rule>,
}

impl Evidence {
    /// Weighs a gap of `gap_seconds` (not negative) between two checkpoints at these positions (longitude and latitude in
    /// degrees).
    #[inline]
    pub fn of(settings: &DetectorSettings, gap_seconds: i64, from: Option<(f64, f64)>, to: Option<(f64, f64)>) -> Self {
        let distance_km = from.zip(to).map(|(a, b)| great_circle_km(a, b));
        let speed_kmh = distance_km.filter(|_| gap_seconds > 0).map(|km| km * 3600.0 / gap_seconds as f64);
        let too_fast = speed_kmh.is_some_and(|speed| speed > settings.max_speed_kmh);
        let rule = if gap_seconds < settings.window {
            Some(Rule::Window)
        } else {
            (too_fast && gap_seconds < settings.speed_window).then_some(Rule::Speed)
        };
        let severity = if too_fast || gap_seconds == 0 {
            Severity::High
        } else if distance_km.is_none() {
            Severity::Medium
        } else {
            Severity::Low
        };
        Self { distance_km, speed_kmh, severity, rule }
    }
}

/// Applies both rules to two sightings of one plate at different checkpoints.
fn judge(
    settings: &DetectorSettings,
    row: u32,
    sighting: &Sighting,
    other: Sighting,
    other_is_earlier: bool,
    places: &Places,
) -> Option<Hit> {
    let gap_seconds = (sighting.time.0 - other.time.0).abs();
    if gap_seconds >= settings.window.max(settings.speed_window) {
        return None;
    }
    let place = |sighting: &Sighting| places.get(sighting.checkpoint as usize).copied().flatten();
    let Evidence { distance_km, speed_kmh, severity, rule } =
        Evidence::of(settings, gap_seconds, place(sighting), place(&other));
    let rule = rule?;
    Some(Hit { row, other, other_odd_id: None, other_is_earlier, gap_seconds, distance_km, speed_kmh, severity, rule })
}
