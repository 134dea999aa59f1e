//! A message, to records as the source reads them. It knows no broker.

use std::sync::Arc;

use axum::body::Bytes;

use crate::deliveries;
use crate::events::{Bounds, EventLines, EventTable, EventTables, read_event};

/// What may be made of one message: no more than of one request over HTTP.
const BOUNDS: Bounds = Bounds { bytes: 16 << 20, records: 100_000 };

/// No messages are called so.
#[derive(Debug, thiserror::Error)]
#[error(
    "{given:?} is none: write \"json\", \"lines\", or the name of events: {known}; others are described in a file, see source.events"
)]
pub struct FormError {
    given: String,
    known: String,
}

/// What a message is.
#[derive(Debug)]
pub enum Form {
    /// Lines as in a capture.
    Lines {
        /// Whether they are GB18030.
        gb18030: bool,
    },
    /// A JSON object with the names of columns.
    Object,
    /// An event of a plate reader.
    Event(Arc<EventTable>),
}

impl Form {
    /// By its name.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn of(name: &str, tables: &EventTables, gb18030: bool) -> Result<Self, FormError> {
        match name {
            "lines" => Ok(Self::Lines { gb18030 }),
            "json" => Ok(Self::Object),
            _ => tables.get(name).map(Self::Event).ok_or_else(|| FormError {
                given: name.to_owned(),
                known: tables.names().collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// The records of a message. What is none is passed on as it came, to be rejected and kept.
    pub(super) fn read(&self, payload: &Bytes) -> (Bytes, deliveries::Form) {
        match self {
            Self::Lines { gb18030 } => {
                let ends = payload.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
                // So many are one line that is too long: as rejects of their own they would take a hundred times as much.
                let lines = if ends > BOUNDS.records { on_one_line(payload) } else { payload.clone() };
                (lines, deliveries::Form::Lines { gb18030: Some(*gb18030) })
            }
            Self::Object => (on_one_line(payload), deliveries::Form::Objects),
            Self::Event(table) => (events(table, payload), deliveries::Form::Objects),
        }
    }
}

/// The records of an event; itself, to be refused, if it is none or makes too many.
fn events(table: &EventTable, payload: &Bytes) -> Bytes {
    let mut lines = EventLines::within(BOUNDS);
    let taken = read_event(payload).is_some_and(|event| table.take(&event, &mut lines).is_ok());
    if taken { lines.into_bytes().into() } else { EventLines::refused(&on_one_line(payload)).into() }
}

fn on_one_line(payload: &Bytes) -> Bytes {
    let is_several = payload.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    if is_several { payload.iter().copied().map(deliveries::spaced).collect() } else { payload.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, payload: &str) -> (String, deliveries::Form) {
        let names: Vec<String> = traffic::Layout::default().names().map(str::to_owned).collect();
        let form = Form::of(name, &EventTables::load(None, &names).unwrap(), false).unwrap();
        let (body, form) = form.read(&Bytes::from(payload.to_owned()));
        (String::from_utf8(body.to_vec()).unwrap(), form)
    }

    #[test]
    fn a_message_becomes_records() {
        let lines = deliveries::Form::Lines { gb18030: Some(false) };
        assert_eq!(read("lines", "a\tb\nc\n"), ("a\tb\nc\n".to_owned(), lines));
        assert_eq!(
            read("json", "{\n \"GCXH\": 1\r\n}\n"),
            ("{  \"GCXH\": 1  } ".to_owned(), deliveries::Form::Objects)
        );
        let event = "{\"type\":\"end\",\"after\":{\"id\":\"a\",\"camera\":\"b\",\"label\":\"car\",\"start_time\":1704038424.5,\n\"recognized_license_plate\":\"苏C12345\"}}";
        let (body, form) = read("frigate", event);
        let record: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (form, &record["HPHM"], &record["KKMC"]),
            (deliveries::Form::Objects, &"苏C12345".into(), &"b".into())
        );
        assert_eq!(read("frigate", "{\"type\":\"new\"}").0, "\n");
        // What is no event is a reject, as it came.
        assert_eq!(read("frigate", "online").0, "\u{15}online\n");
        let large = format!("{{\"type\":\"{}\"}}", "x".repeat(5 << 20));
        assert_eq!(read("frigate", &large).0, format!("\u{15}{large}\n"));
        let many = "x\n".repeat(BOUNDS.records + 1);
        assert_eq!(read("lines", &many).0.lines().count(), 1);
    }

    #[test]
    fn a_name_that_is_none_is_refused_in_words() {
        let names: Vec<String> = traffic::Layout::default().names().map(str::to_owned).collect();
        let error = Form::of("frigat", &EventTables::load(None, &names).unwrap(), false).unwrap_err().to_string();
        assert!(error.contains("\"frigat\"") && error.contains("frigate, plate-recognizer, rekor"), "{error}");
    }
}
