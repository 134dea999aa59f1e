//! How much traffic there is over the weeks, as a share of what its rhythm says: it changes slowly, and by a step.
//!
//! The whole region and each checkpoint have a level of their own; a trip counts by where it begins. It does not know
//! hours or days of the week.

use super::super::chance::{mix, scale};
use super::super::network::SiteId;

/// A level in permille of the usual: a slow wave, and a step that stays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// How far the wave goes up and down, in permille.
    swing: i64,
    /// Seconds from one crest of the wave to the next.
    period: i64,
    phase: i64,
    /// Seconds since the start when the step comes, and its size in permille.
    pub(super) step_at: i64,
    pub(super) step: i64,
}

/// The levels of a region.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    region: Level,
    sites: Vec<Level>,
    /// The levels in the hour that is cached: of the region, and of the sites.
    region_now: u64,
    now: Vec<u64>,
    hour: i64,
}

const DAY: i64 = 86_400;

impl Level {
    fn region(seed: u64) -> Self {
        let step_at = 12 * DAY + scale(mix(seed, 1), 8 * DAY as u64) as i64;
        let period = 40 * DAY;
        Self { swing: 100, period, phase: Self::start(period, seed), step_at, step: sign(seed) * 150 }
    }

    fn site(seed: u64) -> Self {
        let period = (20 + scale(mix(seed, 3), 31) as i64) * DAY;
        let step_at = 8 * DAY + scale(mix(seed, 4), 16 * DAY as u64) as i64;
        let has_step = mix(seed, 5).is_multiple_of(6);
        let step = if has_step { sign(seed) * (150 + scale(mix(seed, 6), 101) as i64) } else { 0 };
        Self { swing: 100, period, phase: Self::start(period, seed), step_at, step }
    }

    /// Every wave starts half way, up or down.
    fn start(period: i64, seed: u64) -> i64 {
        if sign(mix(seed, 7)) > 0 { period / 4 } else { period * 3 / 4 }
    }

    /// The level at a second since the start, in permille.
    fn at(&self, second: i64) -> u64 {
        // A triangle: least at 0, greatest at half the period.
        let place = (second + self.phase).rem_euclid(self.period) * 2;
        let rise = if place < self.period { place } else { 2 * self.period - place };
        let wave = rise * 2 * self.swing / self.period - self.swing;
        let step = if second >= self.step_at { self.step } else { 0 };
        (1000 + wave + step).max(0) as u64
    }
}

fn sign(seed: u64) -> i64 {
    if mix(seed, 2).is_multiple_of(2) { 1 } else { -1 }
}

impl Levels {
    /// No checkpoint's level is higher, in permille.
    pub(super) const MOST: u64 = 1350;

    pub(super) fn new(sites: usize, seed: u64) -> Self {
        let sites: Vec<_> = (0..sites).map(|site| Level::site(mix(site as u64, seed))).collect();
        Self { region: Level::region(seed), region_now: 0, now: Vec::with_capacity(sites.len()), sites, hour: i64::MIN }
    }

    /// The level of the region at a second since the start, in permille; the same within an hour.
    pub(super) fn of_region(&mut self, second: i64) -> u64 {
        self.move_to(second);
        self.region_now.max(1)
    }

    /// The level of a checkpoint, that of the region aside.
    pub(super) fn of_site(&mut self, site: SiteId, second: i64) -> u64 {
        self.move_to(second);
        self.now.get(usize::from(site)).copied().unwrap_or(1000)
    }

    #[inline]
    fn move_to(&mut self, second: i64) {
        let hour = second.div_euclid(3600);
        if hour != self.hour {
            self.hour = hour;
            self.region_now = self.region.at(hour * 3600);
            self.now.clear();
            self.now.extend(self.sites.iter().map(|level| level.at(hour * 3600).min(Self::MOST)));
        }
    }

    /// The level of the whole region, and that of a checkpoint.
    pub(super) fn steps(&self, site: SiteId) -> [Option<Level>; 2] {
        [Some(self.region), self.sites.get(usize::from(site)).copied()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(daily: &[i64]) -> usize {
        daily.windows(2).filter(|days| (days[1] - days[0]).abs() > 100).count()
    }

    #[test]
    fn levels_begin_as_usual_change_slowly_and_step() {
        let mut levels = Levels::new(40, 3);
        let region: Vec<_> = (0..60).map(|day| levels.of_region(day * DAY) as i64).collect();
        assert_eq!((region[0], steps(&region)), (1000, 1));
        let mut stepped = 0;
        for site in 0..40 {
            let daily: Vec<_> = (0..60).map(|day| levels.of_site(site, day * DAY) as i64).collect();
            assert_eq!(daily[0], 1000);
            assert!(daily.iter().all(|level| (500..=Levels::MOST as i64).contains(level)));
            stepped += steps(&daily);
            let changed = daily.windows(2).filter(|days| days[0] != days[1]).count();
            assert!(changed > 50, "{site}: {changed}");
        }
        assert!((2..16).contains(&stepped), "{stepped}");
    }
}
