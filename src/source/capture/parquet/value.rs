//! A value of Parquet as the text of a field. It does not know columns.

use std::io::Write as _;

use parquet::record::Field;
use traffic::CivilTime;

/// How the numbers of a column are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Text,
    Number,
    /// Days since 1970.
    Days,
    /// Time since 1970; an instant, or the time on the wall.
    Time {
        per_second: i64,
        is_utc: bool,
    },
    /// An instant of INT96, which the reader gives in its own scale.
    Instant,
}

/// Times that have a text: the years 1 to 9999.
const TIMES: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// Adds the text of a value. What has none is written as the number that it is, which is no time.
pub(super) fn push_value(value: &Field, scale: Scale, text: &mut Vec<u8>) {
    match (value, scale) {
        (Field::Null, _) => {}
        (Field::Str(value), _) => text.extend_from_slice(value.as_bytes()),
        (Field::Bytes(value), _) => text.extend_from_slice(value.data()),
        (Field::TimestampMillis(number), Scale::Instant) => push_time(*number, 1_000, true, text),
        (Field::TimestampMicros(number), Scale::Instant) => push_time(*number, 1_000_000, true, text),
        (
            Field::TimestampMillis(number) | Field::TimestampMicros(number) | Field::Long(number),
            Scale::Time { per_second, is_utc },
        ) => push_time(*number, per_second, is_utc, text),
        (Field::Date(days), Scale::Days) => {
            let mut day = Vec::new();
            push_time(i64::from(*days).saturating_mul(86_400), 1, false, &mut day);
            day.truncate("2024-01-01".len());
            text.extend_from_slice(&day);
        }
        // Writing into memory does not fail.
        (other, _) => drop(write!(text, "{other}")),
    }
}

/// Adds a time, without its fraction of a second as everywhere here.
fn push_time(number: i64, per_second: i64, is_utc: bool, text: &mut Vec<u8>) {
    let seconds = number.div_euclid(per_second.max(1));
    let written = match TIMES.contains(&seconds) {
        true => write!(text, "{}", CivilTime(seconds)),
        false => write!(text, "{number}"),
    };
    drop(written);
    if is_utc {
        text.push(b'Z');
    }
}

#[cfg(test)]
mod tests {
    use parquet::data_type::ByteArray;

    use super::*;

    fn text(value: Field, scale: Scale) -> String {
        let mut text = Vec::new();
        push_value(&value, scale, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn times_of_every_kind() {
        let seconds = CivilTime::from_civil(2024, 1, 1, 0, 0, 24).unwrap().0;
        let wall = |per_second| Scale::Time { per_second, is_utc: false };
        assert_eq!(text(Field::TimestampMillis(seconds * 1_000 + 999), wall(1_000)), "2024-01-01 00:00:24");
        assert_eq!(text(Field::TimestampMicros(seconds * 1_000_000), wall(1_000_000)), "2024-01-01 00:00:24");
        assert_eq!(text(Field::Long(seconds * 1_000_000_000), wall(1_000_000_000)), "2024-01-01 00:00:24");
        let instant = Scale::Time { per_second: 1_000, is_utc: true };
        assert_eq!(text(Field::TimestampMillis(seconds * 1_000), instant), "2024-01-01 00:00:24Z");
        assert_eq!(text(Field::TimestampMillis(seconds * 1_000), Scale::Instant), "2024-01-01 00:00:24Z");
        assert_eq!(text(Field::Date(19_723), Scale::Days), "2024-01-01");
        assert_eq!(text(Field::TimestampMicros(-1), wall(1_000_000)), "1969-12-31 23:59:59");
        for number in [i64::MIN, i64::MAX] {
            assert_eq!(text(Field::TimestampMillis(number), wall(1_000)), number.to_string());
        }
    }

    #[test]
    fn texts_and_numbers() {
        assert_eq!(text(Field::Str("苏C12345".to_owned()), Scale::Text), "苏C12345");
        assert_eq!(text(Field::Bytes(ByteArray::from("02")), Scale::Text), "02");
        assert_eq!(text(Field::Int(2), Scale::Number), "2");
        assert_eq!(text(Field::Long(-2), Scale::Number), "-2");
        assert_eq!(text(Field::Null, Scale::Text), "");
    }
}
