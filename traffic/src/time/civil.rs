//! Seconds on the clock over the road.

use std::fmt;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 86_400;

/// Seconds from 1970-01-01 00:00:00 to a civil date and time, both read on the same clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CivilTime(pub i64);

impl CivilTime {
    /// 2000-01-01 00:00:00: a GCSJ before it is rejected.
    pub const MIN: Self = Self(946_684_800);

    /// The time of a date of the Gregorian calendar and a time of day; none if there is no such moment (month 13,
    /// 30 February, second 60, a year outside 1–9999).
    #[inline]
    pub fn from_civil(year: i64, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Self> {
        let real = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in_month(year as u32, month)
            && hour < 24
            && minute < 60
            && second < 60;
        if !real {
            return None;
        }
        let days = days_from_civil(year as u32, month, day);
        Some(Self(i64::from(days) * DAY + i64::from(hour * 3_600 + minute * 60 + second)))
    }

    /// Whole hours since 1970-01-01 00:00.
    #[inline]
    pub fn hour(self) -> i64 {
        self.0.div_euclid(HOUR)
    }

    /// Whole minutes since 1970-01-01 00:00.
    #[inline]
    pub fn minute(self) -> i64 {
        self.0.div_euclid(MINUTE)
    }

    /// Whole days since 1970-01-01.
    #[inline]
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// Hour of the day, 0–23.
    #[inline]
    pub fn hour_of_day(self) -> u8 {
        (self.0.rem_euclid(DAY) / HOUR) as u8
    }

    /// Minute of the hour, 0–59.
    #[inline]
    pub fn minute_of_hour(self) -> u8 {
        (self.0.rem_euclid(HOUR) / MINUTE) as u8
    }

    /// Second of the minute, 0–59.
    #[inline]
    pub fn second_of_minute(self) -> u8 {
        self.0.rem_euclid(MINUTE) as u8
    }

    /// Day of the week, 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u8 {
        (self.day() + 3).rem_euclid(7) as u8
    }

    /// Year, month 1–12 and day of the month 1–31.
    ///
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    pub fn date(self) -> (i64, u8, u8) {
        let shifted = self.day() + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month as u8, day as u8)
    }

    /// The midnight that begins this day.
    pub fn midnight(self) -> Self {
        Self(self.day() * DAY)
    }

    /// Appends `YYYY-MM-DD HH:MM:SS`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        match self.stamp() {
            Some(stamp) => out.extend_from_slice(&stamp),
            None => out.extend_from_slice(self.to_string().as_bytes()),
        }
    }

    /// `YYYY-MM-DD HH:MM:SS` in ASCII; none if the year does not have four digits.
    fn stamp(self) -> Option<[u8; 19]> {
        let (year, month, day) = self.date();
        let year = u16::try_from(year).ok().filter(|year| *year <= 9999)?;
        let [y0, y1] = two_digits((year / 100) as u8);
        let [y2, y3] = two_digits((year % 100) as u8);
        let [m0, m1] = two_digits(month);
        let [d0, d1] = two_digits(day);
        let [h0, h1] = two_digits(self.hour_of_day());
        let [i0, i1] = two_digits(self.minute_of_hour());
        let [s0, s1] = two_digits(self.second_of_minute());
        Some([y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b' ', h0, h1, b':', i0, i1, b':', s0, s1])
    }
}

/// `YYYY-MM-DD HH:MM:SS`.
impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stamp) = self.stamp() {
            return f.write_str(str::from_utf8(&stamp).unwrap_or_default());
        }
        let (year, month, day) = self.date();
        let (hour, minute, second) = (self.hour_of_day(), self.minute_of_hour(), self.second_of_minute());
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

#[inline]
fn two_digits(value: u8) -> [u8; 2] {
    [b'0' + value / 10, b'0' + value % 10]
}

/// Days of a month 1–12.
#[inline]
fn days_in_month(year: u32, month: u32) -> u32 {
    if month == 2 {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        28 + u32::from(leap)
    } else {
        // 31 days in odd months up to July, then in even ones.
        30 + ((month + (month >> 3)) & 1)
    }
}

/// Days since 1970-01-01 of a real date.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`, without eras, since the
/// year is 1–9999.
#[inline]
fn days_from_civil(year: u32, month: u32, day: u32) -> i32 {
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    (365 * year + year / 4 - year / 100 + year / 400 + day_of_year) as i32 - 719_468
}
