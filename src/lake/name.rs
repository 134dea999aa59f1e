//! Names in a lake: the folder of a day, and a file by the rows that it was made of. It opens nothing.

use std::fmt;
use std::ops::Range;

use traffic::CivilTime;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// A file by what it was made of: a range of a shard's rows. There may be one in the folder of each day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartName {
    /// The number of the shard.
    pub shard: u8,
    /// Row numbers of the shard's log. It is not empty.
    pub rows: Range<u64>,
}

impl PartName {
    /// The name that a file has; none if it is another's.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("platewatch-s")?.strip_suffix(".parquet")?.split('-');
        let shard = parts.next()?.parse().ok()?;
        let (first, last): (u64, u64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let parsed = Self { shard, rows: first..last.checked_add(1)? };
        // Only what is written as here is one of ours.
        (parts.next().is_none() && first <= last && parsed.to_string() == name).then_some(parsed)
    }

    /// The name while it is written. It neither ends nor begins as what readers take.
    pub(super) fn while_written(&self) -> String {
        format!(".{self}.tmp")
    }

    /// Whether a file is one of `shard` that was being written.
    pub(super) fn is_left_over(name: &str, shard: u8) -> bool {
        let inner = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp"));
        inner.and_then(Self::parse).is_some_and(|part| part.shard == shard)
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.rows;
        write!(formatter, "platewatch-s{:02}-{start:012}-{:012}.parquet", self.shard, end.saturating_sub(1))
    }
}

/// Under which name the store keeps the number by which the folder of an edition is known.
pub fn number_name(edition: u64) -> String {
    match edition {
        1 => "lake".to_owned(),
        edition => format!("lake edition {edition}"),
    }
}

/// The day of a time, counted from 1970.
pub fn day_of(time: CivilTime) -> i64 {
    time.0.div_euclid(SECONDS_OF_A_DAY)
}

/// The folder of a day.
pub(super) fn day_folder(day: i64) -> String {
    let mut text = CivilTime(day.saturating_mul(SECONDS_OF_A_DAY)).to_string();
    text.truncate("2024-01-01".len());
    format!("date={text}")
}

/// Whether a folder is that of a day, as it is called here. A user may have others beside them.
pub(super) fn is_day_folder(name: &str) -> bool {
    const DATE: &[u8] = b"date=dddd-dd-dd";
    let fits = |(byte, meant): (u8, &u8)| if *meant == b'd' { byte.is_ascii_digit() } else { byte == *meant };
    // The first letter is one of the pattern's own.
    name.len() == DATE.len() && name.starts_with("date=") && name.bytes().zip(DATE).skip("date=".len()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let part = PartName { shard: 1, rows: 983_040..1_000_000 };
        assert_eq!(part.to_string(), "platewatch-s01-000000983040-000000999999.parquet");
        assert_eq!(PartName::parse(&part.to_string()), Some(part.clone()));
        assert_eq!(part.while_written(), ".platewatch-s01-000000983040-000000999999.parquet.tmp");
        assert!(PartName::is_left_over(&part.while_written(), 1) && !PartName::is_left_over(&part.while_written(), 0));
        for other in [
            "platewatch-s1-000000983040-000000999999.parquet",
            "platewatch-s01-000000000009-000000000003.parquet",
            "platewatch-s01-18446744073709551615-18446744073709551615.parquet",
            "platewatch-s01-000000000000-000000000003-000000000004.parquet",
            "platewatch-s01-000000000000-000000000003.parquet.tmp",
            "part-00000.parquet",
            "",
        ] {
            assert_eq!(PartName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_day_is_that_of_the_civil_time() {
        let time = CivilTime::from_civil(2024, 2, 29, 23, 59, 59).unwrap();
        assert_eq!(day_folder(day_of(time)), "date=2024-02-29");
        assert_eq!(day_folder(day_of(CivilTime(time.0 + 1))), "date=2024-03-01");
        assert!(is_day_folder("date=2024-03-01"));
        for other in
            ["date=2024-03-01 old", "date=2024-3-1", "date=", "date=2024-03-0x", "data=2024-03-01", "2024-03-01"]
        {
            assert!(!is_day_folder(other), "{other}");
        }
    }
}
