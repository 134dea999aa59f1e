//! A passage as a JSON object, to a line. It knows neither HTTP nor what a field means.
//!
//! The keys are the names of the columns, in any case; others are passed over, and a key that is missing or null is an empty field.
//! A value is a text or a whole number. What is no such object is a reject, kept as it came: it must never be taken for a line of
//! another form.

use std::fmt::Write as _;

use crate::deliveries::REFUSED;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Unexpected, Visitor};
use traffic::{Delimiter, Layout, LineForm, LineParser, PassageBatch, RejectReason};

/// Reads objects with the columns of one layout.
#[derive(Debug)]
pub(super) struct Objects {
    names: Vec<String>,
    /// The values of the object that is read, by column.
    values: Vec<String>,
    line: String,
}

impl Objects {
    pub(super) fn new(layout: &Layout) -> Self {
        let names: Vec<String> = layout.names().map(str::to_owned).collect();
        Self { values: vec![String::new(); names.len()], names, line: String::new() }
    }

    /// Adds the objects of `body`, one on each line, to `out`.
    pub(super) fn take(&mut self, body: &[u8], parser: &mut LineParser, out: &mut PassageBatch) {
        parser.begin_message();
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        for line in body.split(|byte| *byte == b'\n') {
            let (object, is_refused) = line.strip_prefix(&[REFUSED]).map_or((line, false), |rest| (rest, true));
            // What is made here has no header, and its columns are in their order, whatever an earlier text looked like.
            parser.set_form(LineForm { delimiter: Some(Delimiter::Tab), order: None });
            if !is_refused && object.iter().all(u8::is_ascii_whitespace) {
                parser.parse_line(b"", out);
            } else if object.len() > LineParser::MAX_LINE_BYTES {
                parser.reject_line(object, RejectReason::LineTooLong, out);
            } else if std::str::from_utf8(object).is_err() {
                parser.reject_line(object, RejectReason::InvalidEncoding, out);
            } else if !is_refused && self.read(object) {
                parser.parse_line(self.line.as_bytes(), out);
            } else {
                parser.reject_line(object, RejectReason::InvalidJson, out);
            }
        }
    }

    /// Makes the line of an object; false if it is none.
    fn read(&mut self, object: &[u8]) -> bool {
        self.values.iter_mut().for_each(String::clear);
        let mut json = serde_json::Deserializer::from_slice(object);
        let fields = Fields { names: &self.names, values: &mut self.values };
        let is_read = fields.deserialize(&mut json).is_ok() && json.end().is_ok();
        // Without any value it would be a blank line, and nobody would hear that the keys are wrong.
        if !is_read || self.values.iter().all(String::is_empty) {
            return false;
        }
        self.line.clear();
        for (place, value) in self.values.iter().enumerate() {
            if place > 0 {
                self.line.push('\t');
            }
            self.line.push_str(value);
        }
        true
    }
}

/// The values of an object at the places of their columns.
struct Fields<'a> {
    names: &'a [String],
    values: &'a mut [String],
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Place(self.names))? {
            match place.and_then(|place| self.values.get_mut(place)) {
                Some(value) => {
                    value.clear();
                    map.next_value_seed(Field(value))?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The place of the column that a key names, if it names one.
struct Place<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.eq_ignore_ascii_case(key)))
    }
}

/// A text or a whole number, as a text without what would end the field.
struct Field<'a>(&'a mut String);

impl Field<'_> {
    fn number<E: Error>(self, number: impl std::fmt::Display) -> Result<(), E> {
        write!(self.0, "{number}").map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for Field<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains(['\t', '\r', '\n']) {
            return Err(E::invalid_value(Unexpected::Str("a text of several fields"), &self));
        }
        self.0.push_str(text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::{CivilTime, NameTable, ParserSettings, TimeZoneName};

    const OBJECT: &str = r#"{"GCXH":"G1","XZQHMC":"铜山县","kkmc":"K1","FXLX":1,"GCSJ":"2024-01-01 00:00:24","HPZL":"02","HPHM":"苏C12345","CLPPXH":null,"more":[1,{"GCXH":2e999}]}"#;

    fn read(layout: Layout, delimiter: Option<Delimiter>, body: &str) -> PassageBatch {
        let settings = ParserSettings {
            layout: layout.clone(),
            delimiter,
            not_after: CivilTime(i64::MAX),
            zone: TimeZoneName::default(),
            max_names: 100,
        };
        let mut parser = LineParser::new(settings, &NameTable::default());
        let mut out = PassageBatch::default();
        Objects::new(&layout).take(body.as_bytes(), &mut parser, &mut out);
        out
    }

    #[track_caller]
    fn check(body: &str, passages: usize, rejects: &[(u64, RejectReason)]) {
        let out = read(Layout::default(), None, body);
        let found: Vec<_> = out.rejects.iter().map(|reject| (reject.line, reject.reason)).collect();
        assert_eq!((out.len(), &found[..]), (passages, rejects), "{body}");
        assert_eq!(out.lines, out.len() as u64 + found.len() as u64 + out.blank + out.headers, "{body}");
    }

    #[test]
    fn an_object_is_a_passage_whatever_the_columns_and_the_separator_are() {
        let reversed = Layout::parse("CLPPXH,HPHM,HPZL,GCSJ,FXLX,KKMC,XZQHMC,GCXH,SFZRKMC").unwrap();
        let routed = reversed.clone().with_shard_key("SFZRKMC").unwrap();
        let with_route = OBJECT.replace("\"more\"", "\"sfzrkmc\":\"R1\",\"more\"");
        for (layout, object) in [(Layout::default(), OBJECT), (reversed, OBJECT), (routed, &with_route)] {
            for delimiter in [None, Some(Delimiter::Comma)] {
                let out = read(layout.clone(), delimiter, &format!("{object}\r\n\n{object}"));
                assert_eq!((out.len(), out.blank, out.lines, out.rejects.len()), (2, 1, 3, 0), "{:?}", out.rejects);
                assert_eq!((out.id_text(1), out.plate_text(1)), ("G1".to_owned(), "苏C12345".to_owned()));
            }
        }
    }

    #[test]
    fn what_is_no_object_of_ours_is_a_reject_and_nothing_else() {
        use RejectReason::{EmptyGcxh, InvalidGcsj, InvalidJson, LineTooLong};
        let with = |from: &str, to: &str| OBJECT.replace(from, to);
        check(&with("\"G1\"", "12"), 1, &[]);
        for (object, reason) in [
            ("7", InvalidJson),
            ("\"a\"", InvalidJson),
            ("[]", InvalidJson),
            ("{}", InvalidJson),
            ("{\"plate\":\"苏C12345\"}", InvalidJson),
            ("{\"GCXH\":\"G1\"", InvalidJson),
            ("\u{feff}{", InvalidJson),
            (&format!("\u{15}{OBJECT}"), InvalidJson),
            ("\u{15}", InvalidJson),
            ("G1\t铜山县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌", InvalidJson),
            (&format!("{OBJECT}{OBJECT}"), InvalidJson),
            // It would be another id as a floating-point number.
            (&with("\"G1\"", "320300109027253771000000000000"), InvalidJson),
            (&with("\"G1\"", "1.5"), InvalidJson),
            (&with("\"G1\"", "1e999"), InvalidJson),
            (&with("\"G1\"", "true"), InvalidJson),
            (&with("\"G1\"", "[\"G1\"]"), InvalidJson),
            (&with("\"G1\"", "{\"a\":1}"), InvalidJson),
            (&with("G1", "G\\t1"), InvalidJson),
            (&with("G1", "G\\n1"), InvalidJson),
            (&with("\"GCXH\"", "\"id\""), EmptyGcxh),
            (&with("2024-01-01 00:00:24", "yesterday"), InvalidGcsj),
            (&with("more", &"x".repeat(70_000)), LineTooLong),
        ] {
            // The ones around it are read, and its number is right.
            check(&format!("{OBJECT}\n{object}\n{OBJECT}"), 2, &[(2, reason)]);
        }
        check("", 0, &[]);
        check("\n", 0, &[]);
        // Names of columns as values are a header to the parser, whose order must not hold for what follows.
        let header = r#"{"GCXH":"HPHM","XZQHMC":"KKMC","KKMC":"XZQHMC","FXLX":"GCSJ","GCSJ":"FXLX","HPZL":"CLPPXH","HPHM":"GCXH","CLPPXH":"HPZL"}"#;
        check(&format!("{header}\n{OBJECT}"), 1, &[]);
        // Depth costs nothing where nobody asks for it.
        let nested = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
        check(&with("[1,", &format!("[{nested},")), 1, &[]);
    }

    #[test]
    fn a_byte_that_is_no_utf_8_is_a_reject_of_its_own() {
        let layout = Layout::default();
        let settings = ParserSettings {
            layout: layout.clone(),
            delimiter: None,
            not_after: CivilTime(i64::MAX),
            zone: TimeZoneName::default(),
            max_names: 100,
        };
        let mut parser = LineParser::new(settings, &NameTable::default());
        let mut out = PassageBatch::default();
        let body = [OBJECT.as_bytes(), b"\n{\"more\":\"\xff\"}\n", OBJECT.as_bytes()].concat();
        Objects::new(&layout).take(&body, &mut parser, &mut out);
        assert_eq!((out.len(), out.rejects.len(), out.rejects[0].line), (2, 1, 2));
        assert_eq!(out.rejects[0].reason, RejectReason::InvalidEncoding);
    }
}
