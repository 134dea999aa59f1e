//! Civil time: what the clock over the road showed, in seconds, without a zone.
//!
//! GCSJ carries no zone, so the pipeline compares and counts civil seconds. A zone matters only where a record states
//! an offset; see [`TimeZoneName`]. This module knows no clock: the caller passes the time in.

mod civil;
mod parse;
mod range;
mod resolution;
mod zone;

pub use civil::CivilTime;
pub use range::TimeRange;
pub use resolution::Resolution;
pub use zone::{TimeZoneName, UnknownTimeZone};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_agrees_with_jiff_on_every_day_of_twelve_centuries() {
        let mut date = jiff::civil::date(1600, 1, 1);
        while date.year() < 2800 {
            let (year, month, day) = (i64::from(date.year()), date.month() as u32, date.day() as u32);
            let time = CivilTime::from_civil(year, month, day, 23, 59, 58).unwrap();
            let expected = jiff::civil::date(1970, 1, 1).until(date).unwrap().get_days();
            assert_eq!(time.day(), i64::from(expected), "{date}");
            assert_eq!(time.date(), (year, month as u8, day as u8));
            assert_eq!(time.weekday(), date.weekday().to_monday_zero_offset() as u8);
            date = date.tomorrow().unwrap();
        }
    }

    #[test]
    fn moments_that_do_not_exist() {
        for (year, month, day, hour, minute, second) in [
            (0, 1, 1, 0, 0, 0),
            (10_000, 1, 1, 0, 0, 0),
            (2024, 0, 1, 0, 0, 0),
            (2024, 13, 1, 0, 0, 0),
            (2024, 1, 0, 0, 0, 0),
            (2023, 2, 29, 0, 0, 0),
            (1900, 2, 29, 0, 0, 0),
            (2024, 4, 31, 0, 0, 0),
            (2024, 1, 1, 24, 0, 0),
            (2024, 1, 1, 0, 60, 0),
            (2024, 1, 1, 0, 0, 60),
        ] {
            assert_eq!(CivilTime::from_civil(year, month, day, hour, minute, second), None, "{year}-{month}-{day}");
        }
        assert!(CivilTime::from_civil(2000, 2, 29, 23, 59, 59).is_some());
    }

    #[test]
    fn parts_and_text() {
        let time = CivilTime::from_civil(2024, 1, 2, 3, 4, 5).unwrap();
        assert_eq!(time.to_string(), "2024-01-02 03:04:05");
        assert_eq!((time.hour_of_day(), time.minute_of_hour(), time.second_of_minute()), (3, 4, 5));
        assert_eq!(time.hour() * 3_600 + 4 * 60 + 5, time.0);
        assert_eq!(time.minute() * 60 + 5, time.0);
        assert_eq!(time.midnight().to_string(), "2024-01-02 00:00:00");
        assert_eq!(CivilTime(-1).to_string(), "1969-12-31 23:59:59");
        assert_eq!(CivilTime::MIN.to_string(), "2000-01-01 00:00:00");
        assert_eq!(CivilTime(253_402_300_800).to_string(), "10000-01-01 00:00:00");
        for odd in [i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            CivilTime(odd).write_to(&mut out);
            assert_eq!(out, CivilTime(odd).to_string().as_bytes());
        }
    }
}
