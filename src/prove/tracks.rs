//! The first pass: what is known of each plate, as far as choosing needs it.

use traffic::{Catalogue, NameId, PassageBatch, PlateClass, PlateCode, PlateType};

use super::detection::{Detection, Seen, Settings};
use super::sample::Sample;

/// A plate with fewer sightings is no track.
pub(super) const MIN_SIGHTINGS: u32 = 4;
const HOUR: i64 = 3600;

/// What is known of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Track {
    /// Hours with a sighting, by the hour since 1970 modulo 64.
    hours: u64,
    /// The first and the last of them.
    first_hour: i32,
    last_hour: i32,
    sightings: u32,
    checkpoint: NameId,
    /// Brand of the first sighting, by its number.
    pub(super) brand: u32,
    /// HPZL, of the first sighting.
    pub(super) plate_type: PlateType,
    /// Class of the plate.
    pub(super) class: PlateClass,
    /// Whether it was seen at two checkpoints.
    moves: bool,
    /// Whether it contradicts itself, or was seen with two plate types.
    is_unfit: bool,
}

impl Track {
    fn of(seen: &Seen<'_>, class: PlateClass) -> Self {
        let hour = hour_of(seen);
        Self {
            hours: 0,
            first_hour: hour,
            last_hour: hour,
            sightings: 0,
            checkpoint: seen.spot.checkpoint,
            brand: seen.spot.brand,
            plate_type: seen.spot.plate_type,
            class,
            moves: false,
            is_unfit: false,
        }
    }

    fn see(&mut self, seen: &Seen<'_>) {
        let hour = hour_of(seen);
        self.hours |= 1 << (hour & 63);
        self.first_hour = self.first_hour.min(hour);
        self.last_hour = self.last_hour.max(hour);
        self.sightings = self.sightings.saturating_add(1);
        self.moves |= self.checkpoint != seen.spot.checkpoint;
        self.is_unfit |= seen.suspect.is_some() || self.plate_type != seen.spot.plate_type;
    }

    /// Whether it may be merged with another: it is seen often enough, moves, and is one car as far as anybody can tell.
    pub(super) fn is_fit(&self) -> bool {
        self.sightings >= MIN_SIGHTINGS && self.moves && !self.is_unfit
    }

    /// Whether both are seen in the same hour; over more than 64 hours, in the same hour of such a stretch, while the
    /// other is about.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.hours & other.hours != 0 && self.first_hour <= other.last_hour && other.first_hour <= self.last_hour
    }
}

fn hour_of(seen: &Seen<'_>) -> i32 {
    i32::try_from(seen.spot.time.div_euclid(HOUR)).unwrap_or(i32::MAX)
}

/// All plates of the first pass.
#[derive(Debug)]
pub struct Tracks {
    detection: Detection,
    tracks: Sample<Track>,
}

impl Tracks {
    /// No passage yet.
    pub fn new(settings: Settings, catalogue: Catalogue) -> Self {
        Self { detection: Detection::new(settings, catalogue), tracks: Sample::default() }
    }

    /// Takes the passages of a batch.
    pub fn take(&mut self, batch: &PassageBatch) {
        let Self { detection, tracks } = self;
        detection.take(batch, |seen| {
            let class = batch.classes.get(seen.row).copied().unwrap_or(PlateClass::Irregular);
            if let Some(track) = tracks.entry(seen.plate, || Track::of(seen, class)) {
                track.see(seen);
            }
        });
    }

    /// Complete plates in all.
    pub fn plates(&self) -> u64 {
        self.tracks.count(|_| true)
    }

    /// Those that may be merged.
    pub fn fit(&self) -> u64 {
        self.tracks.count(Track::is_fit)
    }

    /// Whether the counts are estimates, see [`Sample`].
    pub(super) fn is_partial(&self) -> bool {
        self.tracks.is_partial()
    }

    /// Those that may be merged, in the order of their codes.
    pub(super) fn fit_plates(&self) -> Vec<PlateCode> {
        let all = self.tracks.in_order();
        all.into_iter().filter(|(_, track)| track.is_fit()).map(|(plate, _)| plate).collect()
    }

    pub(super) fn get(&self, plate: PlateCode) -> Option<&Track> {
        self.tracks.get(plate)
    }
}
