//! Fuzzing of records that are sent as JSON: every line is counted, and an object is the line that a plain reading of it gives.

use serde_json::Value;
use traffic::{CivilTime, Delimiter, Layout, LineParser, NameTable, ParserSettings, PassageBatch, TimeZoneName};

use super::objects::Objects;
use crate::fuzz::outcome::{outcome, size};

fn parser() -> LineParser {
    let settings = ParserSettings {
        layout: Layout::default(),
        delimiter: Some(Delimiter::Comma),
        not_after: CivilTime(4_000_000_000),
        zone: TimeZoneName::default(),
        max_names: 100_000,
    };
    LineParser::new(settings, &NameTable::default())
}

/// Input: a body of objects, one on each line.
pub(crate) fn objects(data: &[u8]) -> u64 {
    let layout = Layout::default();
    let (mut parser, mut out) = (parser(), PassageBatch::default());
    Objects::new(&layout).take(data, &mut parser, &mut out);
    let parts = out.headers + out.blank + (out.rejects.len() + out.len()) as u64;
    assert_eq!(out.lines, parts, "a record is neither a passage nor anything else");
    let body = data.strip_suffix(b"\n").unwrap_or(data);
    assert_eq!(out.lines, body.split(|byte| *byte == b'\n').count() as u64);
    for (number, object) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        if let Some(line) = plain(object, &layout) {
            let (mut alone, mut expected) = (self::parser(), PassageBatch::default());
            alone.set_delimiter(Some(Delimiter::Tab));
            alone.parse_line(line.as_bytes(), &mut expected);
            let row = (0..out.len()).find(|row| out.raw.number(*row) == number);
            let reject = out.rejects.iter().find(|reject| reject.line == number).map(|reject| reject.reason);
            assert_eq!(reject, expected.rejects.first().map(|reject| reject.reason), "{line:?}");
            assert_eq!(
                row.map(|row| out.id_text(row)),
                (!expected.is_empty()).then(|| expected.id_text(0)),
                "{line:?}"
            );
            assert_eq!(row.map(|row| out.plate_text(row)), (!expected.is_empty()).then(|| expected.plate_text(0)));
        }
    }
    let reasons: std::collections::BTreeSet<_> = out.rejects.iter().map(|reject| reject.reason as u8).collect();
    outcome((reasons, size(out.len()), size(out.odd_ids.len()), out.headers.min(2), out.blank.min(2)))
}

/// The line of an object, read plainly; none where a plain reading does not say the same: it has no such object, or two keys of one
/// column.
fn plain(object: &[u8], layout: &Layout) -> Option<String> {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(object) else { return None };
    let mut values = Vec::new();
    for name in layout.names() {
        let mut named = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = match named.next() {
            None | Some((_, Value::Null)) => String::new(),
            Some((_, Value::String(text))) if !text.contains(['\t', '\r', '\n']) => text.clone(),
            Some((_, Value::Number(number))) if !number.is_f64() => number.to_string(),
            Some(_) => return None,
        };
        if named.next().is_some() {
            return None;
        }
        values.push(value);
    }
    (object.len() <= LineParser::MAX_LINE_BYTES && values.iter().any(|value| !value.is_empty()))
        .then(|| values.join("\t"))
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let sound = r#"{"GCXH":"G320300109027253771","XZQHMC":"铜山县","kkmc":"S250_Pizhou_Sulu","FXLX":1,"GCSJ":"2024-01-01 00:00:24","HPZL":2,"HPHM":"苏C12345","CLPPXH":null}"#;
    let other = r#"{"GCXH":1,"KKMC":"K\u0041","GCSJ":"2024/1/1 0:05","HPHM":"-","more":[1,{"GCXH":2e999}]}"#;
    [
        sound.to_owned(),
        format!("{sound}\r\n\n{other}\n"),
        format!("{other}\n[]\n{{\n{sound}"),
        "{\"GCXH\":1.5}\n{}".to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}
