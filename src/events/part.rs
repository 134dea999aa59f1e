//! Where something stands in an event, and what it is as a text.

use serde_json::Value;

/// No field of a record is longer, in bytes (docs/API.md, section 1).
const LONGEST: usize = 1024;
/// Beyond this a floating-point number is not every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// From here on a number of a time is milliseconds: as seconds it would be the year 5138.
const MILLISECONDS: f64 = 1e11;

/// Places of which the first with a value counts, or a fixed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part(Vec<Place>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A JSON Pointer (RFC 6901) into the event.
    Event(String),
    /// One into the element of the list of records.
    Record(String),
    Fixed(String),
}

/// It is neither a text nor a number, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoText;

impl Part {
    /// Reads `/a/0/b`, `./a`, `=text`, or several with `|` between them; none if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(fixed) = text.strip_prefix('=') {
            return Some(Self(vec![Place::Fixed(fixed.to_owned())]));
        }
        let place = |text: &str| {
            let text = text.trim();
            if text.starts_with('/') {
                Some(Place::Event(text.to_owned()))
            } else {
                text.strip_prefix('.').filter(|rest| rest.starts_with('/')).map(|rest| Place::Record(rest.to_owned()))
            }
        };
        text.split('|').map(place).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether it stands in an element of the list of records.
    pub(super) fn is_of_a_record(&self) -> bool {
        self.0.iter().any(|place| matches!(place, Place::Record(_)))
    }

    /// The value at the first place that has one; null is none.
    pub(super) fn value<'a>(&self, event: &'a Value, record: &'a Value) -> Option<&'a Value> {
        let at = |place: &Place| match place {
            Place::Event(path) => event.pointer(path),
            Place::Record(path) => record.pointer(path),
            Place::Fixed(_) => None,
        };
        self.0.iter().filter_map(at).find(|value| !value.is_null())
    }

    /// The text or number there; none if there is nothing, or an empty text.
    ///
    /// # Errors
    /// [`NoText`].
    pub(super) fn text(&self, event: &Value, record: &Value) -> Result<Option<String>, NoText> {
        if let [Place::Fixed(text)] = &*self.0 {
            return Ok(Some(text.clone()));
        }
        let text = match self.value(event, record) {
            None => return Ok(None),
            Some(Value::String(text)) if text.len() <= LONGEST => text.trim().to_owned(),
            // A longer whole number was read as this one: two vehicles would have one id.
            Some(Value::Number(number))
                if number.is_f64() && number.as_f64().is_some_and(|number| number.abs() >= EXACT) =>
            {
                return Err(NoText);
            }
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(NoText),
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// A time in seconds or milliseconds since 1970, as ISO 8601; any other text as it is.
pub(super) fn time(text: String) -> String {
    let Ok(number) = text.parse::<f64>() else { return text };
    let seconds = if number.abs() < MILLISECONDS { number } else { number / 1_000.0 };
    if !seconds.is_finite() {
        return text;
    }
    jiff::Timestamp::from_second(seconds.floor() as i64).map_or(text, |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_are_read_or_refused() {
        for sound in ["/a", "/a/0/b", "./a", "/a | ./b|/c", "=", "=1 | 2"] {
            assert!(Part::parse(sound).is_some(), "{sound}");
        }
        for wrong in ["", "a", "a/b", ".a", "./a | b", "/a |", "| /a", "/a | =1"] {
            assert_eq!(Part::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_first_place_with_a_value_counts() {
        let event = json!({"a": null, "b": [{"c": 7}], "d": " x ", "e": "", "f": {}, "g": "y".repeat(1025), "h/i": 1.5, "j": 123_456_789_012_345_678_901_234.0});
        let record = json!({"a": "of the record"});
        let text = |part: &str| Part::parse(part).unwrap().text(&event, &record);
        assert_eq!(text("/a | /b/0/c"), Ok(Some("7".to_owned())));
        assert_eq!(text("/a | ./a"), Ok(Some("of the record".to_owned())));
        assert_eq!(text("/d"), Ok(Some("x".to_owned())));
        assert_eq!(text("/h~1i"), Ok(Some("1.5".to_owned())));
        assert_eq!(text("=a | b"), Ok(Some("a | b".to_owned())));
        assert_eq!((text("/e"), text("/a"), text("/b/1/c"), text("/d/e")), (Ok(None), Ok(None), Ok(None), Ok(None)));
        assert_eq!(
            (text("/f"), text("/b"), text("/g"), text("/j")),
            (Err(NoText), Err(NoText), Err(NoText), Err(NoText))
        );
    }

    #[test]
    fn numbers_are_times_since_1970() {
        for (given, expected) in [
            ("1704038424", "2023-12-31T16:00:24Z"),
            ("1704038424.999", "2023-12-31T16:00:24Z"),
            ("1704038424999", "2023-12-31T16:00:24Z"),
            ("2024-01-01 00:00:24", "2024-01-01 00:00:24"),
            ("1e300", "1e300"),
            ("NaN", "NaN"),
            ("inf", "inf"),
            ("", ""),
        ] {
            assert_eq!(time(given.to_owned()), expected);
        }
    }
}
