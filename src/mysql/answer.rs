//! What MySQL and MyCat answer, read from text: every value of the text protocol is a text, whatever its column.
//!
//! MyCat gives a sum, and sometimes a count, as a floating-point number; both are read from either form. It does not know
//! tables.

use mysql_async::{Row, Value};
use traffic::{CivilTime, TimeZoneName};

/// The columns of a row as texts; none is NULL.
pub(crate) fn texts(row: Row) -> Vec<Option<String>> {
    row.unwrap().into_iter().map(text_of).collect()
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Double(number) => Some(number.to_string()),
        other @ (Value::Date(..) | Value::Time(..)) => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

/// A whole number, as MySQL (`12`) or MyCat (`12.0`, `1.2E7`) writes it.
pub(crate) fn whole(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number >= 0.0 && number.fract() == 0.0 && number < 9.0e15).then_some(number as u64)
    })
}

/// A DATETIME.
pub(crate) fn civil_time(text: &str) -> Option<CivilTime> {
    // Whole seconds; a column that was declared with a fraction writes one.
    let seconds = text.split('.').next().unwrap_or(text);
    CivilTime::parse(seconds.as_bytes(), &TimeZoneName::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_either_form() {
        for (text, number) in [
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("1.2E7", Some(12_000_000)),
            ("4294967296000", Some(4_294_967_296_000)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("NaN", None),
        ] {
            assert_eq!(whole(text), number, "{text}");
        }
        assert_eq!(civil_time("2024-01-01 00:00:24"), civil_time("2024-01-01 00:00:24.000"));
        assert_eq!(civil_time("2024-01-01 00:00:24").unwrap().to_string(), "2024-01-01 00:00:24");
    }
}
