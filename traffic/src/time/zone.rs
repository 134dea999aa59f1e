//! The zone of civil times. Needed only where a record or a clock states an instant.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::civil::{CivilTime, HOUR};

/// A time zone by its IANA name. The default is Asia/Shanghai.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeZoneName {
    name: Box<str>,
    rule: Rule,
}

/// The name is not a zone of this system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "time zone {0:?} is not known here: use Asia/Shanghai or UTC, or an IANA name such as Asia/Urumqi with the system's \
     time zone database (package tzdata) installed"
)]
pub struct UnknownTimeZone(pub Box<str>);

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    /// Seconds east of UTC.
    Fixed(i64),
    Database(TimeZone),
}

impl TimeZoneName {
    /// The name, as given.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The civil time of an instant, given in seconds since 1970-01-01 00:00:00 UTC; none outside the years −9999 to
    /// 9999.
    pub fn civil(&self, unix_seconds: i64) -> Option<CivilTime> {
        let offset = match &self.rule {
            Rule::Fixed(offset) => *offset,
            Rule::Database(zone) => i64::from(zone.to_offset(Timestamp::from_second(unix_seconds).ok()?).seconds()),
        };
        unix_seconds.checked_add(offset).map(CivilTime)
    }
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self { name: "Asia/Shanghai".into(), rule: Rule::Fixed(8 * HOUR) }
    }
}

/// Looks the name up.
///
/// NOTE: Asia/Shanghai is +08:00 without a look-up, so that the default works on a system without a time zone database.
/// It has been so since 1991, and a GCSJ before 2000 is rejected.
impl FromStr for TimeZoneName {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        let rule = match name {
            "Asia/Shanghai" | "PRC" => Rule::Fixed(8 * HOUR),
            "UTC" => Rule::Fixed(0),
            _ => Rule::Database(TimeZone::get(name).map_err(|_| UnknownTimeZone(name.into()))?),
        };
        Ok(Self { name: name.into(), rule })
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, unix_seconds: i64, expected: &str) {
        let zone: TimeZoneName = name.parse().unwrap();
        assert_eq!(zone.civil(unix_seconds).unwrap().to_string(), expected, "{name}");
    }

    #[test]
    fn instants() {
        check("Asia/Shanghai", 0, "1970-01-01 08:00:00");
        check("PRC", 1_704_067_200, "2024-01-01 08:00:00");
        check("UTC", 1_704_067_200, "2024-01-01 00:00:00");
        assert_eq!(TimeZoneName::default(), "Asia/Shanghai".parse().unwrap());
        assert_eq!(TimeZoneName::default().civil(i64::MAX), None);
    }

    #[test]
    fn unknown_zone_says_what_to_do() {
        let error = "Asia/Xuzhou".parse::<TimeZoneName>().unwrap_err().to_string();
        assert!(error.contains("Asia/Xuzhou") && error.contains("tzdata"), "{error}");
    }

    #[test]
    fn zone_of_the_database() {
        // Kept apart from `instants`: a system without tzdata can only refuse the name.
        match "America/New_York".parse::<TimeZoneName>() {
            Ok(zone) => {
                assert_eq!(zone.civil(1_704_067_200).unwrap().to_string(), "2023-12-31 19:00:00");
                assert_eq!(zone.civil(1_720_000_000).unwrap().to_string(), "2024-07-03 05:46:40");
            }
            Err(error) => assert!(error.to_string().contains("tzdata")),
        }
    }
}
