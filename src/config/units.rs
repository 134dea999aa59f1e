//! Durations, sizes and retentions: values that carry their unit in the text (`"5m"`, `"512MiB"`).
//!
//! A bare number is refused, because its unit would be ambiguous. It knows no setting by name.

use std::fmt;
use std::time::Duration;

use toml::de::DeValue;

use super::declare::Setting;
use super::text::{quoted, text_of};

/// How long to keep something, measured in event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Nothing is dropped.
    Forever,
    /// Data older than this may be dropped.
    For(Duration),
    /// The same as a default that is not set explicitly: it does not shorten the retention that a data directory remembers.
    Unwritten(Duration),
}

impl Retention {
    /// The time to keep; none means forever.
    pub fn duration(self) -> Option<Duration> {
        match self {
            Self::Forever => None,
            Self::For(duration) | Self::Unwritten(duration) => Some(duration),
        }
    }

    /// Whether it is set explicitly.
    pub fn is_written(self) -> bool {
        !matches!(self, Self::Unwritten(_))
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("forever"),
            Self::For(duration) | Self::Unwritten(duration) => f.write_str(&duration_text(*duration)),
        }
    }
}

/// How far back the speed rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeedWindow {
    /// The same as the window of the window rule.
    SameAsWindow,
    /// A window of its own.
    Of(Duration),
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// A size in KiB.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// A size in MiB.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// The size in bytes, capped at what this machine can address.
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const SIZE_UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SIZE_UNITS.iter().filter(|(name, _)| name.ends_with("iB"));
        let fitting = binary.into_iter().find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        let (name, unit) = fitting.unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// Reads a size such as `512MiB`.
///
/// # Errors
/// What is wrong with it, and how a size is written.
pub fn parse_size(text: &str) -> Result<ByteSize, String> {
    let wrong = || format!("{} is not a size; write {}", quoted(text), ByteSize::expected());
    let (number, unit) = split_unit(text.trim());
    let (_, bytes) = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?;
    let count: u64 = number.parse().map_err(|_| wrong())?;
    count.checked_mul(*bytes).map(ByteSize).ok_or_else(wrong)
}

const DURATION_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration such as `200ms`, `5m` or `1h30m`.
///
/// # Errors
/// What is wrong with it, and how a duration is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{} is not a duration; write {}", quoted(text), Duration::expected());
    let mut rest = text.trim();
    let mut total = 0u64;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (number, unit_and_rest) = split_unit(rest);
        let end = unit_and_rest.find(|c: char| c.is_ascii_digit()).unwrap_or(unit_and_rest.len());
        let (unit, after) = unit_and_rest.split_at(end);
        let (_, millis) = DURATION_UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
        let count: u64 = number.parse().map_err(|_| wrong())?;
        total = count.checked_mul(*millis).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// Reads a retention: a duration, or `forever`.
///
/// # Errors
/// What is wrong with it, and how a retention is written.
pub fn parse_retention(text: &str) -> Result<Retention, String> {
    if text.trim() == "forever" {
        return Ok(Retention::Forever);
    }
    parse_duration(text)
        .map(Retention::For)
        .map_err(|_| format!("{} is not a retention; write {}", quoted(text), Retention::expected()))
}

/// A duration in its largest whole unit, as [`parse_duration`] reads it.
pub fn duration_text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fitting = DURATION_UNITS.iter().find(|(_, unit)| millis >= *unit && millis.is_multiple_of(*unit));
    match fitting {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None => "0s".to_owned(),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

impl Setting for Duration {
    fn expected() -> String {
        r#"a duration: whole numbers with ms, s, m, h or d, such as "200ms", "5m" or "1h30m""#.to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        parse_duration(text_of(value, &Self::expected())?)
    }
    fn to_toml(&self) -> String {
        quoted(&duration_text(*self))
    }
}

impl Setting for Retention {
    fn expected() -> String {
        r#"a duration such as "12h" or "3d", or "forever""#.to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        parse_retention(text_of(value, &Self::expected())?)
    }
    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
    fn is_unwritten(&self) -> bool {
        !self.is_written()
    }
}

impl Setting for SpeedWindow {
    fn expected() -> String {
        r#"a duration such as "10m", or "window" for the value of detect.window"#.to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        match text_of(value, &Self::expected())? {
            "window" => Ok(Self::SameAsWindow),
            text => parse_duration(text)
                .map(Self::Of)
                .map_err(|_| format!("{} is not a duration; write {}", quoted(text), Self::expected())),
        }
    }
    fn to_toml(&self) -> String {
        match self {
            Self::SameAsWindow => quoted("window"),
            Self::Of(duration) => duration.to_toml(),
        }
    }
}

impl Setting for ByteSize {
    fn expected() -> String {
        r#"a size: a whole number with B, KiB, MiB, GiB or TiB, such as "512MiB""#.to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        parse_size(text_of(value, &Self::expected())?)
    }
    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in
            [("200ms", 200), ("5m", 300_000), ("3d", 259_200_000), ("1h30m", 5_400_000), ("0s", 0), (" 10 s ", 10_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "m", "5 minutes", "-5m", "1.5h", "5M", "5m!", "99999999999999999999d", "300000000000000d"]
        {
            let message = parse_duration(text).unwrap_err();
            assert!(message.contains("is not a duration; write") && message.contains("\"5m\""), "{text}: {message}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for (millis, text) in
            [(0, "0s"), (1, "1ms"), (1500, "1500ms"), (90_000, "90s"), (300_000, "5m"), (86_400_000, "1d")]
        {
            assert_eq!(duration_text(Duration::from_millis(millis)), text);
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)));
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("512MiB", 512 << 20), ("1gib", 1 << 30), ("64 KiB", 65_536), ("10B", 10), ("2MB", 2_000_000)]
        {
            assert_eq!(parse_size(text), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "512", "MiB", "1.5GiB", "5 apples", "99999999999TiB"] {
            let message = parse_size(text).unwrap_err();
            assert!(message.contains("is not a size; write"), "{text}: {message}");
        }
        assert_eq!(ByteSize(512 << 20).to_string(), "512MiB");
        assert_eq!(ByteSize(1000).to_string(), "1000B");
        assert_eq!(ByteSize(0).to_string(), "0B");
    }

    #[test]
    fn retentions() {
        assert_eq!(parse_retention("forever"), Ok(Retention::Forever));
        assert_eq!(parse_retention("3d"), Ok(Retention::For(Duration::from_secs(259_200))));
        assert!(parse_retention("always").unwrap_err().contains("\"forever\""));
    }
}
