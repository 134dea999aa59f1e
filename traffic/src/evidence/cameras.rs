//! What is known of each camera: its clock, how its records arrive, and what is wrong with it.
//!
//! **Lead**: a record's corrected time less where the stream is. On live input a high quantile of the leads is the
//! clock's error less the shortest delay of sending, for all cameras against one reference, so cameras can be compared
//! with one another. Leads are sampled in stretches of ten minutes.

use serde::{Deserialize, Serialize};

use super::faults::{CameraFault, CameraState};
use super::last_seen::Spot;
use super::leads::{STRETCHES, slope, step};
use super::offsets::{Own, median};
use super::trend::{CONFLICT_BURSTS, MASKED_BURSTS, Trend, take_hour};
use crate::NameId;

/// Leads that a stretch samples.
const SAMPLES: usize = 48;
/// A stretch with fewer says nothing.
const MIN_SAMPLES: usize = 6;
/// A clock drifts if it gains or loses more seconds an hour, and so clearly: see `slope`.
const MIN_DRIFT: f64 = 5.0;
const CLEARLY: f64 = 8.0;
/// How many stretches are remembered.
const MEMORY: usize = 18;
/// How many hours of counts are remembered.
const HOURS: usize = 6;

/// How much the newest hour counts in a camera's usual share.
const SHARE_WEIGHT: f64 = 0.2;
/// Shares over fewer readings say nothing.
const MIN_READINGS: u32 = 60;
/// A record that is so many seconds further ahead than the limit was written by a clock that leapt: no traffic, however thin,
/// explains it.
const LEAP: i64 = 3600;

/// Counts of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct HourCount {
    pub(super) records: u32,
    /// Corrected times far ahead of the stream.
    pub(super) ahead: u32,
    /// Those among them that are so far ahead that one of them is enough: see [`LEAP`].
    pub(super) leapt: u32,
    /// GCSJ on a whole minute.
    pub(super) whole_minutes: u32,
    /// Compared with the plate's sighting before.
    pub(super) compared: u32,
    /// Contradictions among them.
    pub(super) contradicted: u32,
    /// Contradictions with this camera's sighting on either side: a false one contradicts the next sighting elsewhere, too.
    pub(super) conflicts: u32,
    /// Plates that are masked or irregular; they are not among `records`.
    pub(super) unread: u32,
    /// Records without a brand.
    pub(super) unbranded: u32,
    /// Records of a plate that this camera recorded within the minute before.
    pub(super) doubles: u32,
    /// Brand known in both of a feasible pair.
    pub(super) brands: u32,
    /// Brand that differs among them.
    pub(super) brands_differ: u32,
}

impl HourCount {
    /// Counts a record that is ahead of the stream, by so many seconds more than the limit.
    #[cold]
    pub(super) fn count_ahead(&mut self, seconds: i64) {
        self.ahead += 1;
        self.leapt += u32::from(seconds > LEAP);
    }

    fn forget_ahead(&mut self) {
        (self.ahead, self.leapt) = (0, 0);
    }

    /// Counts a sighting that was compared with the plate's one before.
    #[inline]
    pub(super) fn compare(&mut self, before: &Spot, spot: &Spot, is_contradiction: bool) {
        self.compared += 1;
        self.contradicted += u32::from(is_contradiction);
        let is_known = before.brand != 0 && spot.brand != 0 && !is_contradiction;
        self.brands += u32::from(is_known);
        self.brands_differ += u32::from(is_known && before.brand != spot.brand);
    }
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Camera {
    /// Seconds that its clock is fast, and by how much this may be wrong.
    pub(super) offset: f64,
    pub(super) error: f64,
    /// How much of the offset in whole seconds is taken off a GCSJ.
    pub(super) whole_offset: i64,
    /// Times are written to the minute, whatever they look like.
    pub(super) is_to_the_minute: bool,
    pub(super) hour: HourCount,
    pub(super) past: Vec<HourCount>,
    pub(super) faults: Vec<CameraFault>,
    /// Seconds a day that its clock gains.
    pub(super) drift: f64,
    /// Whether its clock was off by over a minute an hour ago.
    was_off: bool,
    /// Masked and irregular plates among all, and contradictions among comparisons, hour by hour.
    unread_trend: Trend,
    misread_trend: Trend,
    /// Its share of all records in the hours in which it had any, the newest counting most.
    pub(super) usual_share: f64,
    samples: Vec<Vec<i32>>,
    /// High quantile of the leads of each remembered stretch less that of all cameras, in absolute terms (GCSJ, not
    /// corrected), newest last.
    leads: Vec<Option<f32>>,
    pub(super) spread: Option<f32>,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            offset: 0.0,
            error: UNKNOWN_ERROR,
            whole_offset: 0,
            is_to_the_minute: false,
            hour: HourCount::default(),
            past: Vec::new(),
            faults: Vec::new(),
            drift: 0.0,
            was_off: false,
            unread_trend: Trend::default(),
            misread_trend: Trend::default(),
            usual_share: 0.0,
            samples: vec![Vec::new(); STRETCHES],
            leads: Vec::new(),
            spread: None,
        }
    }
}

/// An offset that nothing is known of may be this wrong, in seconds.
pub(super) const UNKNOWN_ERROR: f64 = 600.0;

impl Camera {
    /// Takes the lead of a record, in seconds before correction.
    #[inline]
    pub(super) fn see_lead(&mut self, lead: i64, now: i64, ordinal: u64) {
        let stretch = (now.rem_euclid(3600) / 600) as usize;
        let Some(samples) = self.samples.get_mut(stretch) else { return };
        let lead = lead.clamp(-86_400, 86_400) as i32;
        if samples.len() < SAMPLES {
            samples.push(lead);
        } else {
            // Any record of the stretch is as likely to be kept as another, nearly.
            let at = (ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % (SAMPLES * 4);
            if let Some(place) = samples.get_mut(at) {
                *place = lead;
            }
        }
    }

    /// The high quantile and the spread of each stretch of the hour; the samples are gone then.
    fn take_stretches(&mut self) -> Vec<Option<(f32, f32)>> {
        let quantiles = |samples: &mut Vec<i32>| {
            samples.sort_unstable();
            let last = samples.len().checked_sub(1)?;
            let at = |share: f64| samples.get((last as f64 * share) as usize).copied().map_or(0.0, |lead| lead as f32);
            let quantiles = (samples.len() >= MIN_SAMPLES).then(|| (at(0.75), at(0.75) - at(0.25)));
            samples.clear();
            quantiles
        };
        self.samples.iter_mut().map(quantiles).collect()
    }

    /// The offset that the leads of the newest stretches show, in absolute terms; and how many stretches there are.
    pub(super) fn lead(&self) -> Option<f64> {
        let mut newest: Vec<f32> = self.leads.iter().rev().take(STRETCHES).flatten().copied().take(2).collect();
        newest.sort_unstable_by(f32::total_cmp);
        match newest.as_slice() {
            [one] => Some(f64::from(*one)),
            [one, other] => Some(f64::from(one + other) / 2.0),
            _ => None,
        }
    }

    fn sum(&self, of: impl Fn(&HourCount) -> u32) -> u32 {
        self.past.iter().rev().take(HOURS).map(of).sum()
    }

    /// What its leads and the offset in force say of the change of its offset. A lead of a camera that sends in batches
    /// is worth less, by what its leads scatter more than usual.
    pub(super) fn said(&self, lead_error: f64, usual_spread: f64) -> Vec<Own> {
        let in_force = self.whole_offset as f64;
        let scatter = (self.spread.map_or(0.0, f64::from) - 2.0 * usual_spread).max(0.0);
        let lead = self.lead().map(|lead| Own { seconds: lead - in_force, error: lead_error + scatter });
        let kept =
            (self.error < UNKNOWN_ERROR).then(|| Own { seconds: self.offset - in_force, error: self.error.max(10.0) });
        lead.into_iter().chain(kept).collect()
    }

    /// Comparisons of this hour and the one before, and contradictions among them.
    fn contradictions(&self) -> [f64; 2] {
        [|count: &HourCount| count.compared, |count: &HourCount| count.contradicted]
            .map(|of| f64::from(of(&self.hour)) + f64::from(self.past.last().map_or(0, of)))
    }
}

/// All cameras, by checkpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Cameras {
    pub(super) all: Vec<Camera>,
    /// A record whose corrected time is this many seconds ahead of the stream has a wrong time.
    pub(super) ahead_limit: i64,
    /// The usual spread of a camera's leads, in seconds.
    pub(super) spread: f64,
    /// No clock was set in the hour that was learnt last, as far as is known.
    pub(super) are_steady: bool,
}

impl Cameras {
    #[inline]
    pub(super) fn get(&self, checkpoint: NameId) -> Option<&Camera> {
        self.all.get(checkpoint as usize)
    }

    #[inline]
    pub(super) fn at(&mut self, checkpoint: NameId) -> Option<&mut Camera> {
        if self.all.len() <= checkpoint as usize {
            self.all.resize_with(checkpoint as usize + 1, Camera::default);
        }
        self.all.get_mut(checkpoint as usize)
    }

    /// GCSJ less the offset in force.
    #[inline]
    pub(super) fn correct(&self, spot: &Spot) -> i64 {
        spot.time - self.get(spot.checkpoint).map_or(0, |camera| camera.whole_offset)
    }

    /// The same without the counts and leads of this hour.
    pub(super) fn without_hour(&self) -> Self {
        let mut cameras = self.clone();
        for camera in &mut cameras.all {
            camera.hour = HourCount::default();
            camera.samples.iter_mut().for_each(Vec::clear);
        }
        cameras
    }

    /// The stream went on by so many seconds at once. If that is more than the limit, nothing was recorded for some time, and
    /// the first records after it were ahead of nothing.
    #[inline]
    pub(super) fn follow_stream(&mut self, seconds: i64) {
        if seconds > self.ahead_limit {
            self.all.iter_mut().for_each(|camera| camera.hour.forget_ahead());
        }
    }

    /// Counts a contradiction between sightings of these two.
    #[cold]
    pub(super) fn count_conflict(&mut self, one: NameId, other: NameId) {
        for checkpoint in [one, other] {
            if let Some(camera) = self.at(checkpoint) {
                camera.hour.conflicts += 1;
            }
        }
    }

    /// How many times likelier a contradiction is at this camera than at all: this hour and the one before.
    pub(super) fn doubt(&self, checkpoint: NameId) -> f64 {
        let sums = self.all.iter().map(Camera::contradictions).fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
        let [compared, contradicted] = sums;
        let usual = (contradicted + 1.0) / (compared + 2000.0);
        let [compared, contradicted] = self.get(checkpoint).map_or([0.0; 2], Camera::contradictions);
        (contradicted + 20.0 * usual) / (compared + 20.0) / usual
    }

    /// What is known of each.
    pub(super) fn states(&self) -> impl Iterator<Item = CameraState> {
        self.all.iter().map(|camera| CameraState {
            offset: camera.offset,
            error: camera.error,
            drift: camera.drift,
            records: camera.sum(|count| count.records),
            ahead: camera.sum(|count| count.ahead),
            compared: camera.sum(|count| count.compared),
            contradicted: camera.sum(|count| count.contradicted),
            unread: camera.sum(|count| count.unread),
            unbranded: camera.sum(|count| count.unbranded),
            doubles: camera.sum(|count| count.doubles),
            usual_share: camera.usual_share,
            faults: camera.faults.clone(),
        })
    }

    /// Ends an hour: the leads of its stretches, each less the median of all cameras.
    pub(super) fn end_stretches(&mut self) {
        let hours: Vec<_> = self.all.iter_mut().map(Camera::take_stretches).collect();
        // A stretch is compared among cameras by what remains after their offsets, so that they agree.
        for stretch in 0..STRETCHES {
            let of = |camera: usize| hours.get(camera).and_then(|hour| *hour.get(stretch)?);
            let mut rest: Vec<f64> =
                (0..self.all.len()).filter_map(|at| of(at).map(|(lead, _)| f64::from(lead))).collect();
            let usual = if rest.len() >= 3 { median(&mut rest) } else { None };
            for (at, camera) in self.all.iter_mut().enumerate() {
                camera.leads.push(of(at).zip(usual).map(|((lead, _), usual)| lead - usual as f32));
                let extra = camera.leads.len().saturating_sub(MEMORY);
                camera.leads.drain(..extra);
            }
        }
        for (camera, hour) in self.all.iter_mut().zip(&hours) {
            let mut spreads: Vec<f64> = hour.iter().flatten().map(|(_, spread)| f64::from(*spread)).collect();
            camera.spread = median(&mut spreads).map(|spread| spread as f32);
        }
        let mut spreads: Vec<f64> = self.all.iter().filter_map(|camera| camera.spread.map(f64::from)).collect();
        let spread = median(&mut spreads).unwrap_or(600.0);
        self.ahead_limit = (300.0 + 6.0 * spread) as i64;
        self.spread = spread;
    }

    /// Ends an hour's counts, and says what is wrong with each camera.
    pub(super) fn end_hour(&mut self) {
        let mut spreads: Vec<f64> = self.all.iter().filter_map(|camera| camera.spread.map(f64::from)).collect();
        let spread = median(&mut spreads).unwrap_or(0.0);
        let slopes: Vec<Option<(f64, f64)>> = self.all.iter().map(|camera| slope(&camera.leads)).collect();
        let mut sizes: Vec<f64> = slopes.iter().flatten().map(|(slope, _)| slope.abs()).collect();
        let usual_slope = median(&mut sizes).unwrap_or(f64::INFINITY);
        let all: u64 = self.all.iter().map(|camera| u64::from(camera.hour.records)).sum();
        take_hour(&mut self.all, MASKED_BURSTS, |camera| {
            let HourCount { unread, records, .. } = camera.hour;
            (&mut camera.unread_trend, unread, records + unread)
        });
        // A clock that was set contradicts the others' records, too.
        if self.are_steady {
            take_hour(&mut self.all, CONFLICT_BURSTS, |camera| {
                let HourCount { conflicts, compared, .. } = camera.hour;
                (&mut camera.misread_trend, conflicts.min(2 * compared), 2 * compared)
            });
        }
        for (camera, slope) in self.all.iter_mut().zip(slopes) {
            camera.learn_share(all);
            camera.past.push(std::mem::take(&mut camera.hour));
            let extra = camera.past.len().saturating_sub(HOURS);
            camera.past.drain(..extra);
            let [records, whole] =
                [|count: &HourCount| count.records, |count: &HourCount| count.whole_minutes].map(|of| camera.sum(of));
            camera.is_to_the_minute = records >= 20 && whole * 2 > records;
            let step = step(&camera.leads).filter(|step| *step > 60.0 + 4.0 * spread);
            if step.is_some() {
                // What was ahead since then is the step's.
                camera.past.iter_mut().for_each(HourCount::forget_ahead);
            }
            let [ahead, leapt] =
                [|count: &HourCount| count.ahead, |count: &HourCount| count.leapt].map(|of| camera.sum(of));
            let leaps = (ahead >= 2 || leapt >= 1) && ahead * 5 < records && step.is_none();
            // In seconds an hour.
            let drift = slope
                .filter(|(slope, clearly)| {
                    let clear = if camera.is_to_the_minute { 2.0 * CLEARLY } else { CLEARLY };
                    slope.abs() > MIN_DRIFT.max(6.0 * usual_slope) && *clearly > clear && step.is_none()
                })
                .map(|(slope, _)| slope);
            camera.drift = drift.unwrap_or(0.0) * 24.0;
            let batches = camera.spread.is_some_and(|own| f64::from(own) > 60.0 + 5.0 * spread);
            let scatters = camera.spread.is_some_and(|own| f64::from(own) > 60.0 + 2.0 * spread);
            // Of two hours' traffic, so that few cars at night name nobody.
            let is_off = camera.offset.abs() > 60.0 + camera.error;
            let is = [
                (CameraFault::Leaps, leaps),
                (CameraFault::Drifts, drift.is_some() && !batches),
                (CameraFault::Steps, step.is_some() && !scatters),
                (CameraFault::Batches, batches),
                (CameraFault::Offset, is_off && camera.was_off && !batches),
                (CameraFault::Minutes, camera.is_to_the_minute),
                (CameraFault::Unread, camera.unread_trend.is_worse()),
                (CameraFault::Misreads, camera.misread_trend.is_worse() && !is_off && step.is_none() && !batches),
            ];
            camera.was_off = is_off;
            camera.faults = is.into_iter().filter_map(|(fault, is)| is.then_some(fault)).collect();
        }
        self.note_readings();
    }
}

impl Camera {
    /// Learns its share of an hour's records, if it had any.
    fn learn_share(&mut self, all: u64) {
        if self.hour.records > 0 && all > 0 {
            let share = f64::from(self.hour.records) / all as f64;
            let weight = if self.usual_share == 0.0 { 1.0 } else { SHARE_WEIGHT };
            self.usual_share += weight * (share - self.usual_share);
        }
    }
}

impl Cameras {
    /// Says which cameras read worse than the others: by so many times their median, and so often.
    fn note_readings(&mut self) {
        type Count = fn(&HourCount) -> u32;
        let kinds: [(CameraFault, f64, Count); 3] = [
            (CameraFault::Unread, 0.2, |count| count.unread),
            (CameraFault::Unbranded, 0.5, |count| count.unbranded),
            (CameraFault::Doubles, 0.1, |count| count.doubles),
        ];
        for (fault, least, of) in kinds {
            let share = |camera: &Camera| {
                let all = camera.sum(|count| count.records + count.unread);
                (all >= MIN_READINGS).then(|| f64::from(camera.sum(of)) / f64::from(all))
            };
            let mut shares: Vec<f64> = self.all.iter().filter_map(share).collect();
            let known = shares.len();
            let Some(usual) = median(&mut shares).filter(|_| known >= 4) else { continue };
            for camera in &mut self.all {
                let is_worst = share(camera).is_some_and(|share| share >= least && share > 3.0 * usual);
                if is_worst && !camera.faults.contains(&fault) {
                    camera.faults.push(fault);
                }
            }
        }
    }
}
