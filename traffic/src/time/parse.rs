//! Text to civil time: by machine words for the form of nearly every record, byte by byte for the others.

use super::civil::{CivilTime, HOUR, MINUTE};
use super::resolution::Resolution;
use super::zone::TimeZoneName;

impl CivilTime {
    /// Reads a GCSJ: `2024-01-01 00:00:24`, `2023/12/9 0:00:09`, `2023/12/15`, and ISO 8601 with `T`, fraction
    /// (dropped) and offset (converted to `zone`). None if it is not a real date and time. The caller removes spaces
    /// around it.
    #[inline]
    pub fn parse(text: &[u8], zone: &TimeZoneName) -> Option<Self> {
        parse(text, zone).map(|(time, _, _)| time)
    }

    /// As [`CivilTime::parse`], with how exactly the text states the time.
    #[inline]
    pub fn parse_with_resolution(text: &[u8], zone: &TimeZoneName) -> Option<(Self, Resolution)> {
        parse(text, zone).map(|(time, resolution, _)| (time, resolution))
    }

    /// As [`CivilTime::parse_with_resolution`], with whether the text is the one that the time is shown as.
    #[inline]
    pub(crate) fn parse_and_compare(text: &[u8], zone: &TimeZoneName) -> Option<(Self, Resolution, bool)> {
        parse(text, zone)
    }
}

#[inline]
fn parse(text: &[u8], zone: &TimeZoneName) -> Option<(CivilTime, Resolution, bool)> {
    // The 19 bytes may also be another form (`2024-1-1T00:00:00.0`), so a miss does not decide.
    match text.as_array::<19>().and_then(parse_full) {
        Some((time, is_as_shown)) => Some((time, Resolution::Second, is_as_shown)),
        None => parse_any(text, zone).map(|(time, resolution)| (time, resolution, false)),
    }
}

/// `YYYY-MM-DD HH:MM:SS`, with `/` for `-` and `T` for the space, read as three overlapping little-endian words; and
/// whether neither `/` nor `T` is there.
#[inline]
fn parse_full(text: &[u8; 19]) -> Option<(CivilTime, bool)> {
    let year_month = word(text, 0)?; // YYYY-MM-
    let day_minute = word(text, 8)?; // DD HH:MM
    let clock = word(text, 11)?; // HH:MM:SS

    let is_as_shown = year_month & lanes([0, 0, 0, 0, 2, 0, 0, 2]) == 0 && (day_minute >> 16) as u8 == b' ';
    let dashes = (year_month | lanes([0, 0, 0, 0, 2, 0, 0, 2])) & lanes([0, 0, 0, 0, 255, 0, 0, 255]);
    let colons = clock & lanes([0, 0, 255, 0, 0, 255, 0, 0]);
    let between = (day_minute >> 16) as u8;
    // '-' and '/' differ in bit 1 only.
    if dashes != lanes([0, 0, 0, 0, b'/', 0, 0, b'/'])
        || colons != lanes([0, 0, b':', 0, 0, b':', 0, 0])
        || (between != b' ' && between != b'T')
    {
        return None;
    }
    let year_month = pairs(year_month, lanes([255, 255, 255, 255, 0, 255, 255, 0]))?;
    let day_minute = pairs(day_minute, lanes([255, 255, 0, 255, 255, 0, 255, 255]))?;
    let clock = pairs(clock, lanes([255, 255, 0, 255, 255, 0, 255, 255]))?;
    let year = lane(year_month, 0) * 100 + lane(year_month, 2);
    CivilTime::from_civil(
        i64::from(year),
        lane(year_month, 5),
        lane(day_minute, 0),
        lane(day_minute, 3),
        lane(day_minute, 6),
        lane(clock, 6),
    )
    .map(|time| (time, is_as_shown))
}

/// The value of each two-digit number, in the lane of its first digit. None if a byte under `digits` is no digit.
#[inline]
fn pairs(word: u64, digits: u64) -> Option<u64> {
    let values = (word ^ 0x3030_3030_3030_3030) & digits;
    // A lane over 9 carries into its top bit, or had it set. At most 99 in a lane below: no lane spills.
    if (values | values.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    Some(values.wrapping_mul(10).wrapping_add(values >> 8))
}

#[inline]
fn word(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

#[inline]
const fn lanes(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

#[inline]
fn lane(word: u64, index: u32) -> u32 {
    ((word >> (8 * index)) & 0xff) as u32
}

/// All forms: `Y-M-D`, `Y-M-D h:m`, `Y-M-D h:m:s`, `Y-M-D h:m:s.f`, the last three also with `Z` or an offset, where
/// each of `- ` and ` ` may be `/` and `T`, the year has four digits and the others one or two.
fn parse_any(text: &[u8], zone: &TimeZoneName) -> Option<(CivilTime, Resolution)> {
    let mut rest = Cursor(text);
    let year = rest.number(4, 4)?;
    rest.one_of(b"-/")?;
    let month = rest.number(1, 2)?;
    rest.one_of(b"-/")?;
    let day = rest.number(1, 2)?;
    if rest.0.is_empty() {
        let midnight = CivilTime::from_civil(i64::from(year), month, day, 0, 0, 0)?;
        return Some((midnight, Resolution::Day));
    }
    rest.one_of(b" T")?;
    let hour = rest.number(1, 2)?;
    rest.one_of(b":")?;
    let minute = rest.number(1, 2)?;
    let (mut second, mut resolution) = (0, Resolution::Minute);
    if rest.one_of(b":").is_some() {
        second = rest.number(1, 2)?;
        resolution = Resolution::Second;
        if rest.one_of(b".").is_some() {
            rest.number(1, usize::MAX)?;
        }
    }
    let civil = CivilTime::from_civil(i64::from(year), month, day, hour, minute, second)?;
    if rest.0.is_empty() {
        return Some((civil, resolution));
    }
    let offset = match rest.one_of(b"Z+-")? {
        b'Z' => 0,
        sign => {
            let hours = rest.number(2, 2)?;
            // The colon is optional.
            let _ = rest.one_of(b":");
            let seconds = i64::from(hours) * HOUR + i64::from(rest.number(2, 2)?) * MINUTE;
            if sign == b'-' { -seconds } else { seconds }
        }
    };
    if rest.0.is_empty() { Some((zone.civil(civil.0 - offset)?, resolution)) } else { None }
}

/// What is left to read. Each step takes its bytes or nothing.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// A number of `least` to `most` digits, as many as there are (its value wraps: only a fraction is that long, and
    /// its value is dropped).
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count).filter(|_| count >= least)?;
        self.0 = rest;
        Some(digits.iter().fold(0u32, |value, digit| value.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))))
    }

    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        if !allowed.contains(&byte) {
            return None;
        }
        self.0 = rest;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let time = CivilTime::parse(text.as_bytes(), &TimeZoneName::default());
        assert_eq!(time.map(|time| time.to_string()).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn every_accepted_form() {
        for (text, expected) in [
            ("2024-01-01 00:00:24", "2024-01-01 00:00:24"),
            ("2024/01/01 23:59:59", "2024-01-01 23:59:59"),
            ("2024-01/01T10:20:30", "2024-01-01 10:20:30"),
            ("2023/12/9 0:00:09", "2023-12-09 00:00:09"),
            ("2023/12/15", "2023-12-15 00:00:00"),
            ("2023-1-2", "2023-01-02 00:00:00"),
            ("2024-02-29 7:5", "2024-02-29 07:05:00"),
            ("2024-02-29 7:5:3", "2024-02-29 07:05:03"),
            ("2024-01-01T00:00:24.987", "2024-01-01 00:00:24"),
            ("2024-1-1T00:00:00.0", "2024-01-01 00:00:00"),
            ("2024-01-01 00:00:24.1234567890123", "2024-01-01 00:00:24"),
            ("2024-01-01T00:00:24Z", "2024-01-01 08:00:24"),
            ("2024-1-01T00:00:00Z", "2024-01-01 08:00:00"),
            ("2024-01-01T00:00Z", "2024-01-01 08:00:00"),
            ("2024-01-01T00:00:24+08:00", "2024-01-01 00:00:24"),
            ("2024-01-01T00:00:24+0800", "2024-01-01 00:00:24"),
            ("2024-01-01T00:00:24.5-0530", "2024-01-01 13:30:24"),
            ("2024-01-01 23:30-01:00", "2024-01-02 08:30:00"),
            ("2024-01-01 00:00:00+99:99", "2023-12-28 03:21:00"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
            ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),
        ] {
            check(text, Some(expected));
        }
    }

    #[test]
    fn a_time_keeps_its_resolution() {
        for (text, seconds) in [
            ("2024-01-01 00:00:24", 1),
            ("2024-1-1T00:00:00.0", 1),
            ("2024-01-01T00:00:24Z", 1),
            ("2024-02-29 7:5:3", 1),
            ("2024-02-29 7:5", 60),
            ("2023/12/9 8:10", 60),
            ("2024-01-01T00:00Z", 60),
            ("2024-01-01T00:00+0800", 60),
            ("2023/12/15", 86_400),
            ("2023-1-2", 86_400),
        ] {
            let (_, resolution, _) = parse(text.as_bytes(), &TimeZoneName::default()).unwrap();
            assert_eq!(resolution.seconds(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "-",
            "2024",
            "2024-01",
            "2024-01-",
            "24-01-01",
            "02024-01-01",
            "2024-001-01",
            "2024-01-001",
            "2024-13-01 00:00:00",
            "2024-00-01 00:00:00",
            "2023-02-29 00:00:00",
            "0000-01-01 00:00:00",
            "2024-01-01 24:00:00",
            "2024-01-01 00:60:00",
            "2024-01-01 00:00:60",
            "2024-01-01  00:00:0",
            "2024-01-01t00:00:00",
            "2024-01-01 00",
            "2024-01-01 00:",
            "2024-01-01 00:00:",
            "2024-01-01 00:00.5",
            "2024-01-01 00:00:00.",
            "2024-01-01 00:00:00 ",
            " 2024-01-01 00:00:00",
            "2024-01-01 00:00:00z",
            "2024-01-01 00:00:00 Z",
            "2024-01-01 00:00:00ZZ",
            "2024-01-01 00:00:00+8",
            "2024-01-01 00:00:00+08",
            "2024-01-01 00:00:00+08:0",
            "2024-01-01 00:00:00+08::00",
            "2024-01-01 00:00:00+08:000",
            "2024-01-01Z",
            "2024-01-01+08:00",
            "2024.01.01 00:00:00",
            "2024-01-01 00.00.00",
            "2024-01-01 0x:00:00",
            "２０２４-01-01 00:00:00",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn any_wrong_byte_in_the_usual_form_is_seen() {
        let good = b"2024-01-01 00:00:24";
        for position in 0..good.len() {
            for byte in 0..=255u8 {
                let mut text = *good;
                text[position] = byte;
                let by_words = parse_full(&text);
                // `parse_any` accepts a superset, so both must agree on what `parse_full` accepts.
                if let Some((time, is_as_shown)) = by_words {
                    let by_hand = parse_any(&text, &TimeZoneName::default());
                    assert_eq!(by_hand, Some((time, Resolution::Second)), "{position} {byte}");
                    assert_eq!(is_as_shown, time.to_string().as_bytes() == text, "{position} {byte}");
                } else if parse_any(&text, &TimeZoneName::default()).is_some() {
                    // `…00:00:2Z`, the one other form that is a byte away.
                    assert_eq!((position, byte), (18, b'Z'));
                }
            }
        }
    }
}
