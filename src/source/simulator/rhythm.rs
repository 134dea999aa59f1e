//! The rhythm of the road: how much traffic starts at each hour of the week, against the week's mean.
//!
//! Weekdays have a morning and an evening peak and a low night; on Saturday and Sunday there is less traffic and its
//! morning comes later. It knows civil time and nothing of vehicles.

/// Traffic at each full hour, in any unit.
type Day = [u32; 24];

const WEEKDAY: Day = [
    380, 280, 230, 210, 240, 420, 850, 1500, 1750, 1450, 1250, 1180, 1080, 1120, 1180, 1250, 1450, 1780, 1700, 1250,
    950, 780, 620, 480,
];
const SATURDAY: Day = [
    420, 320, 250, 220, 230, 330, 560, 880, 1150, 1350, 1400, 1280, 1120, 1120, 1180, 1260, 1380, 1420, 1250, 980, 800,
    680, 560, 460,
];
const SUNDAY: Day = [
    400, 300, 240, 210, 210, 290, 470, 740, 1000, 1210, 1270, 1160, 1020, 1040, 1120, 1240, 1400, 1500, 1400, 1120,
    900, 720, 540, 420,
];

const HOURS: usize = 7 * 24;
const SECONDS_PER_WEEK: i64 = 7 * 86_400;
/// 1970-01-01 was a Thursday: seconds after the start of its week.
const EPOCH_IN_WEEK: i64 = 3 * 86_400;

/// Traffic by the hour of the week, scaled to a weekly mean of [`Rhythm::MEAN`].
#[derive(Debug, Clone)]
pub(super) struct Rhythm {
    hours: Vec<u64>,
}

impl Rhythm {
    /// The mean over a week of [`Rhythm::at`].
    pub(super) const MEAN: u64 = 1 << 16;

    pub(super) fn new() -> Self {
        let week = [&WEEKDAY, &WEEKDAY, &WEEKDAY, &WEEKDAY, &WEEKDAY, &SATURDAY, &SUNDAY];
        let sum: u64 = week.iter().flat_map(|day| day.iter()).map(|&weight| u64::from(weight)).sum();
        let scaled = |&weight: &u32| u64::from(weight) * Self::MEAN * HOURS as u64 / sum;
        Self { hours: week.iter().flat_map(|day| day.iter()).map(scaled).collect() }
    }

    /// Traffic at a civil time in seconds since 1970-01-01 00:00:00; linear between full hours.
    pub(super) fn at(&self, civil_seconds: i64) -> u64 {
        let second = (civil_seconds + EPOCH_IN_WEEK).rem_euclid(SECONDS_PER_WEEK) as u64;
        let hour = (second / 3600) as usize;
        let into = second % 3600;
        let weight = |hour: usize| self.hours.get(hour % HOURS).copied().unwrap_or(Self::MEAN);
        (weight(hour) * (3600 - into) + weight(hour + 1) * into) / 3600
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-01-01 00:00:00, a Monday.
    const MONDAY: i64 = 1_704_067_200;

    #[test]
    fn the_week_has_its_mean() {
        let rhythm = Rhythm::new();
        let sum: u64 = (0..SECONDS_PER_WEEK).step_by(60).map(|second| rhythm.at(MONDAY + second)).sum();
        let mean = sum as f64 / (SECONDS_PER_WEEK / 60) as f64 / Rhythm::MEAN as f64;
        assert!((mean - 1.0).abs() < 0.001, "{mean}");
    }

    #[test]
    fn weekdays_have_two_peaks_and_weekends_start_later() {
        let rhythm = Rhythm::new();
        let at = |day: i64, hour: i64| rhythm.at(MONDAY + day * 86_400 + hour * 3600);
        for (day, quieter, busier) in [(0, 3, 8), (0, 12, 8), (0, 12, 17), (0, 22, 17), (5, 8, 10), (6, 8, 10)] {
            assert!(at(day, quieter) < at(day, busier), "day {day}: {quieter} h against {busier} h");
        }
        assert!(at(5, 8) < at(0, 8) && at(6, 8) < at(5, 8));
        assert_eq!(at(0, 8), at(7, 8), "weeks repeat");
        assert_eq!(rhythm.at(-SECONDS_PER_WEEK), rhythm.at(0), "times before 1970 too");
    }
}
