//! What is learnt at a whole hour: offsets, travel times, roads and rates, from the hour that ended and those before.

use super::assessor::Assessor;
use super::cameras::{HourCount, UNKNOWN_ERROR};
use super::offsets::{Own, difference, median, solve};
use super::paths::Paths;
use super::posterior::Rates;
use super::suspects::Suspect;

/// Hours of a day, and of a week.
const DAY: usize = 24;
const WEEK: u64 = 168;
/// A pair whose offsets changed by more seconds in an hour teaches no travel times in it.
const STEADY: f64 = 60.0;
/// How wrong a lead is as an offset before that is learnt, and at least, in seconds.
const LEAD_ERROR: f64 = 15.0;
const MIN_LEAD_ERROR: f64 = 2.0;
/// An offset of the hour before is at least this wrong in the next, in seconds.
const KEPT_ERROR: f64 = 10.0;
/// An offset that moved was wrong by as much in the hour that ended, up to this many seconds.
const MAX_MOVED: f64 = 120.0;

impl Assessor {
    /// Learns if the stream's clock has passed a whole hour.
    #[inline]
    pub(super) fn end_hour(&mut self) {
        let Some(now) = self.clock.now() else { return };
        let hour = now.div_euclid(3600);
        if self.hour.is_some_and(|before| hour != before) {
            self.learn(now);
        }
        self.hour = Some(hour);
    }

    #[cold]
    fn learn(&mut self, now: i64) {
        self.hours += 1;
        self.cameras.end_stretches();
        self.learn_offsets();
        self.sightings.push(self.cameras.all.iter().map(|camera| u64::from(camera.hour.records)).sum());
        let extra = self.sightings.len().saturating_sub(DAY);
        self.sightings.drain(..extra);
        self.cameras.end_hour();
        if self.hours.is_multiple_of(WEEK) {
            self.times.halve();
        }
        self.paths = Paths::of(&self.times);
        self.times.follow_segments();
        self.suspects.expire(now);
        self.learn_rates();
    }

    /// Solves the clocks, and folds the hour's gaps into the travel times.
    fn learn_offsets(&mut self) {
        let lead_error = self.lead_error.unwrap_or(LEAD_ERROR);
        let own: Vec<Vec<Own>> =
            self.cameras.all.iter().map(|camera| camera.said(lead_error, self.cameras.spread)).collect();
        let differences: Vec<_> = self.times.pairs.iter().filter_map(difference).collect();
        let solved = solve(&own, &differences);
        let change = |at: u32| solved.get(at as usize).copied().flatten().map(|solved| solved.seconds);
        self.times.fold(self.hour.unwrap_or_default(), |low, high| {
            let shift = change(high)? - change(low)?;
            (shift.abs() <= STEADY).then_some(shift)
        });
        // What is solved says how much the leads are worth.
        let apart = own
            .iter()
            .zip(&solved)
            .filter_map(|(own, solved)| Some((own.first()?.seconds - solved.as_ref()?.seconds).abs()));
        let mut apart: Vec<f64> = apart.collect();
        if apart.len() >= 4 && !differences.is_empty() {
            self.lead_error = median(&mut apart).map(|apart| (apart * 1.5).max(MIN_LEAD_ERROR));
        }
        let known = self.cameras.all.iter().zip(&solved);
        let mut offsets: Vec<f64> =
            known.filter_map(|(camera, solved)| Some(camera.whole_offset as f64 + solved.as_ref()?.seconds)).collect();
        let level = median(&mut offsets).unwrap_or(0.0);
        self.cameras.are_steady = true;
        for (camera, solved) in self.cameras.all.iter_mut().zip(&solved) {
            let Some(solved) = solved else {
                camera.error = (camera.error + KEPT_ERROR / 2.0).min(UNKNOWN_ERROR);
                continue;
            };
            let offset = camera.whole_offset as f64 + solved.seconds - level;
            let moved =
                if camera.error < UNKNOWN_ERROR { (offset - camera.offset).abs().min(MAX_MOVED) } else { KEPT_ERROR };
            self.cameras.are_steady &= moved <= STEADY;
            camera.error = solved.error + moved;
            camera.offset = offset;
            camera.whole_offset = offset.round() as i64;
        }
    }

    /// How often readings are false: what suspects show, as far as two cars do not explain it.
    fn learn_rates(&mut self) {
        let (mut outliers, mut jumps, mut single, mut due) = (0.0, 0.0, 0.0, 0.0);
        for Suspect { verdict, .. } in self.suspects.in_order() {
            let one_car = 1.0 - verdict.explanations.clone;
            for run in &verdict.runs {
                *(if run.is_two_sided { &mut outliers } else { &mut jumps }) += one_car;
            }
            if let [run] = verdict.runs.as_slice()
                && run.is_two_sided
                && run.sightings == 1
            {
                single += one_car;
                due += one_car * f64::from(run.due);
            }
        }
        let day = self.sightings.iter().sum::<u64>() as f64;
        let past = |of: fn(&HourCount) -> u32| {
            self.cameras.all.iter().flat_map(|camera| &camera.past).map(|count| f64::from(of(count))).sum::<f64>()
        };
        let [brands, differ] = [|count: &HourCount| count.brands, |count: &HourCount| count.brands_differ].map(past);
        // With what is expected before anything is seen, as if it had been seen in 30,000 sightings.
        self.rates = Rates {
            outliers: (outliers + 1.0) / (day + 30_000.0),
            jumps: (jumps + 4.0) / (day + 20_000.0),
            due_if_false: ((due + 8.0) / (single + 10.0)).min(0.95),
            due_by_chance: (f64::from(self.checks.due) + 0.5) / (f64::from(self.checks.all) + 50.0),
            brand_error: (differ / 2.0 + 5.0) / (brands + 100.0),
        };
    }
}
