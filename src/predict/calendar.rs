//! What kind of day a date is, by its weekday or a table of holidays (节假日). It knows dates, not traffic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use traffic::{CivilTime, TimeZoneName};

/// Hours of a day.
pub(super) const HOURS: usize = 24;

/// Values of one checkpoint: one for each class of day and hour.
pub(super) const SLOTS: usize = DayClass::COUNT * HOURS;

/// Most days in a table of holidays.
const MAX_DAYS: usize = 100_000;

/// A class of days that have the same rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayClass(u8);

impl DayClass {
    /// How many there are: Monday to Sunday, holiday, and a working or free day about which nothing else is known.
    pub const COUNT: usize = 10;
    /// A holiday of the table.
    pub const HOLIDAY: Self = Self(7);
    /// A working day whose weekday is not known, or does not count (调休上班).
    pub const WORK: Self = Self(8);
    /// A free day whose weekday is not known.
    pub const REST: Self = Self(9);

    /// All classes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u8).map(Self)
    }

    /// The class of a weekday, 0 for Monday to 6 for Sunday.
    pub fn of_weekday(weekday: u8) -> Self {
        Self(weekday.min(6))
    }

    /// Whether most people do not work.
    pub fn is_rest(self) -> bool {
        matches!(self.0, 5 | 6 | 7 | 9)
    }

    /// Whether only working or free is known of the day.
    pub fn is_generic(self) -> bool {
        self.0 >= Self::WORK.0
    }

    /// The class that knows only whether the day is free.
    pub fn generic(self) -> Self {
        if self.is_rest() { Self::REST } else { Self::WORK }
    }

    /// The index of this class and hour among [`SLOTS`].
    pub(super) fn slot(self, hour: usize) -> usize {
        usize::from(self.0) * HOURS + hour
    }
}

/// Days that are not what their weekday says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Day since 1970, and whether it is free.
    days: BTreeMap<i64, bool>,
}

impl Calendar {
    /// Reads a CSV with the columns `date` and `kind`, `holiday` (free) or `workday` (worked although a weekend); other
    /// columns are ignored.
    ///
    /// # Errors
    /// What is wrong, with the number of the line.
    pub fn parse_csv(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let column = |name: &str| {
            let place = header.iter().position(|known| known.eq_ignore_ascii_case(name));
            place.ok_or_else(|| format!("line 1: there is no column `{name}`: a table of holidays begins `date,kind`"))
        };
        let (date, kind) = (column("date")?, column("kind")?);
        let mut days = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let text = record.get(date).unwrap_or_default();
            let day = parse_date(text).ok_or_else(|| format!("line {line}: {text:?} is no date such as 2024-10-01"))?;
            let rest = match record.get(kind).unwrap_or_default().to_ascii_lowercase().as_str() {
                "holiday" => true,
                "workday" => false,
                other => return Err(format!("line {line}: the kind is {other:?}: write holiday or workday")),
            };
            if days.insert(day, rest).is_some_and(|known| known != rest) {
                return Err(format!("line {line}: {text} is a holiday and a workday: keep one of the two lines"));
            }
            if days.len() > MAX_DAYS {
                return Err(format!("line {line}: more than {MAX_DAYS} days"));
            }
        }
        Ok(Self { days })
    }

    /// The days of both tables; where they differ, those of `other`.
    pub fn merge(&mut self, other: Self) {
        self.days.extend(other.days);
    }

    /// How many days are in the table.
    pub(crate) fn len(&self) -> usize {
        self.days.len()
    }

    /// The class of a day since 1970.
    pub fn class_of(&self, day: i64) -> DayClass {
        match self.days.get(&day) {
            Some(true) => DayClass::HOLIDAY,
            Some(false) if is_weekend(day) => DayClass::WORK,
            _ => DayClass::of_weekday(weekday(day)),
        }
    }
}

/// Whether a day since 1970 is a Saturday or a Sunday.
pub fn is_weekend(day: i64) -> bool {
    weekday(day) >= 5
}

/// 0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday.
fn weekday(day: i64) -> u8 {
    (day.rem_euclid(7) + 3).rem_euclid(7) as u8
}

/// The day since 1970 of a date without a time of day, from 2000 to 2099.
pub fn parse_date(text: &str) -> Option<i64> {
    if text.contains([':', 'T', ' ']) {
        return None;
    }
    let time = CivilTime::parse(text.as_bytes(), &TimeZoneName::default())?;
    (2000..2100).contains(&time.date().0).then(|| time.day())
}

/// `YYYY-MM-DD` of a day since 1970.
pub fn date_text(day: i64) -> String {
    let (year, month, day) = CivilTime(day.saturating_mul(86_400)).date();
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i64 {
        parse_date(text).unwrap()
    }

    #[test]
    fn days_have_their_class() {
        let calendar = Calendar::parse_csv(
            "\u{feff}Date, kind ,name\n2024-10-01,holiday,国庆\n2024/9/29,workday,调休\n2024-10-08,workday,\n",
        )
        .unwrap();
        assert_eq!(calendar.len(), 3);
        assert_eq!(calendar.class_of(day("2024-10-01")), DayClass::HOLIDAY);
        assert_eq!(calendar.class_of(day("2024-09-29")), DayClass::WORK, "a worked Sunday");
        assert_eq!(calendar.class_of(day("2024-10-08")), DayClass::of_weekday(1), "a Tuesday is worked anyway");
        assert_eq!(calendar.class_of(day("2024-10-06")), DayClass::of_weekday(6));
        assert!(is_weekend(day("2024-10-05")) && !is_weekend(day("2024-10-04")));
        for class in DayClass::all() {
            assert_eq!(class.is_rest(), class.generic().is_rest());
        }
        assert_eq!(date_text(day("2024-02-29")), "2024-02-29");
    }

    #[test]
    fn wrong_tables_are_refused_by_line() {
        let refused = |text: &str, part: &str| {
            let error = Calendar::parse_csv(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("date\n", "no column `kind`");
        refused("date,kind\n2024-10-01,holiday\n2024-13-01,holiday\n", "line 3: \"2024-13-01\" is no date");
        refused("date,kind\n2024-10-01,free\n", "line 2: the kind is \"free\": write holiday or workday");
        refused("date,kind\n2024-10-01,holiday\n2024-10-01,workday\n", "line 3: 2024-10-01 is a holiday and a workday");
        assert_eq!(parse_date("2024-01-01 00:00:00"), None);
        assert_eq!(parse_date("1999-12-31"), None);
    }
}
