//! Events of plate readers that have come, to records: out of their envelope, read as a table says, within the same limits as records. It
//! knows no reader.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use super::body::{Format, Packing, refused, too_large};
use super::unpack::{MOST_RECORDS, too_many, unpacked};
use crate::deliveries::{Form, Room};
use crate::events::{Bounds, EventLines, EventTable, TooMuch, read_event};
use crate::serve::error::{ApiError, ErrorReason};

/// The field of a form that holds the event; others hold pictures.
const FIELD: &str = "json";

/// How events are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Envelope {
    /// As records are.
    Plain(Format),
    /// In a field of a form (RFC 7578), with this boundary.
    Multipart(String),
}

impl Envelope {
    /// By the content type; JSON without one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
        if let Ok(boundary) = multer::parse_boundary(given) {
            return Ok(Self::Multipart(boundary));
        }
        match Format::of(headers)? {
            Format::Lines { .. } if given.is_empty() => Ok(Self::Plain(Format::Json)),
            Format::Lines { .. } => Err(ApiError::new(ErrorReason::EventType).with("given", given)),
            format => Ok(Self::Plain(format)),
        }
    }

    /// The body without the envelope, and how it is written.
    pub(super) async fn opened(self, body: Vec<u8>, room: &mut Room) -> Result<(Vec<u8>, Format), ApiError> {
        let boundary = match self {
            Self::Plain(format) => return Ok((body, format)),
            Self::Multipart(boundary) => boundary,
        };
        let unread = |error: String| ApiError::new(ErrorReason::BodyUnread).with("error", error);
        let whole = Bytes::from(body);
        let pieces = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(whole)]);
        let mut fields = multer::Multipart::new(pieces, boundary);
        loop {
            let field = fields.next_field().await.map_err(|error| unread(error.to_string()))?;
            let field = field.ok_or_else(|| unread(format!("the form has no field `{FIELD}`")))?;
            if field.name() == Some(FIELD) {
                let event = field.bytes().await.map_err(|error| unread(error.to_string()))?;
                let event = Vec::from(event);
                room.shrink_to(event.len());
                return Ok((event, Format::Json));
            }
        }
    }
}

/// The records that `table` makes of the events in a body. `room` is that of `body` before and of the records after it.
pub(super) fn recorded(
    (body, format): (Vec<u8>, Format),
    packing: Packing,
    limit: usize,
    table: &EventTable,
    room: &mut Room,
) -> Result<(Bytes, Form), ApiError> {
    let (events, form) = unpacked(body, packing, format, limit, room)?;
    room.grow(events.len()).map_err(refused)?;
    // What is refused has a byte more.
    let bytes = limit.max(events.len()).saturating_add(MOST_RECORDS);
    let mut lines = EventLines::within(Bounds { bytes, records: MOST_RECORDS });
    let refusal = |too_much| match too_much {
        TooMuch::Bytes => too_large(limit),
        TooMuch::Records => too_many(),
    };
    for event in events.split(|byte| *byte == b'\n').filter(|event| !event.trim_ascii().is_empty()) {
        match read_event(event) {
            Some(event) => table.take(&event, &mut lines),
            None => lines.push_refused(event),
        }
        .map_err(refusal)?;
    }
    let lines = lines.into_bytes();
    room.grow(lines.len().saturating_sub(2 * events.len())).map_err(refused)?;
    drop(events);
    room.shrink_to(lines.len());
    Ok((lines.into(), form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliveries::Deliveries;
    use crate::events::EventTables;
    use serde_json::json;

    fn envelope(given: &str) -> Option<Envelope> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, given.parse().unwrap());
        Envelope::of(&headers).ok()
    }

    #[test]
    fn envelopes_are_known_or_refused() {
        let json = Some(Envelope::Plain(Format::Json));
        assert_eq!((envelope("application/json"), envelope("")), (json.clone(), json));
        assert_eq!(envelope("application/x-ndjson"), Some(Envelope::Plain(Format::JsonLines)));
        assert_eq!(envelope("multipart/form-data; boundary=\"a b\""), Some(Envelope::Multipart("a b".to_owned())));
        assert_eq!(
            (envelope("text/plain"), envelope("multipart/form-data"), envelope("image/jpeg")),
            (None, None, None)
        );
    }

    #[tokio::test]
    async fn a_form_holds_the_event_beside_a_picture() {
        let open = async |body: &str| {
            let mut room = Deliveries::default().room();
            room.grow(body.len()).unwrap();
            let opened = Envelope::Multipart("x".to_owned()).opened(body.as_bytes().to_vec(), &mut room).await;
            opened.map(|(body, format)| (String::from_utf8(body).unwrap(), format)).ok()
        };
        let part = |name: &str, text: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n{text}\r\n")
        };
        let whole = format!("{}{}--x--\r\n", part("upload", "\u{fffd}JPEG"), part("json", "{\"a\":1}"));
        assert_eq!(open(&whole).await, Some(("{\"a\":1}".to_owned(), Format::Json)));
        let cut = whole.get(..whole.len() - 20).unwrap();
        assert_eq!((open(cut).await, open(&format!("{}--x--\r\n", part("upload", "y"))).await), (None, None));
        assert_eq!((open("").await, open("{\"a\":1}").await), (None, None));
    }

    #[test]
    fn events_become_records_within_the_limits() {
        let names: Vec<String> = traffic::Layout::default().names().map(str::to_owned).collect();
        let tables = EventTables::load(None, &names).unwrap();
        let table = tables.get("plate-recognizer").unwrap();
        let records = |body: &str, format: Format, limit: usize| {
            let mut room = Deliveries::default().room();
            room.grow(body.len()).unwrap();
            let read = recorded((body.as_bytes().to_vec(), format), Packing::None, limit, &table, &mut room);
            read.map(|(lines, _)| String::from_utf8(lines.to_vec()).unwrap()).map_err(|error| error.reason())
        };
        let event = |camera: &str, plates: usize| {
            let results = vec![json!({"plate": "苏C12345"}); plates];
            json!({"hook": {"event": "recognition"}, "data": {"camera_id": camera, "timestamp": 1_704_038_424, "results": results}})
                .to_string()
        };
        let read = records(&format!("{}\nnonsense\n\n{{}}", event("a", 2)), Format::JsonLines, 10_000).unwrap();
        let lines: Vec<_> = read.lines().collect();
        assert_eq!((lines.len(), lines[2], lines[3]), (4, "\u{15}nonsense", ""));
        assert!(lines[0].contains("\"KKMC\":\"a\"") && lines[0].contains("2023-12-31T16:00:24Z"), "{}", lines[0]);
        assert_eq!(
            records(&event(&"x".repeat(1_000), 100), Format::Json, 10_000).unwrap_err(),
            ErrorReason::IngestTooLarge
        );
        let many = format!("{}\n", event("a", MOST_RECORDS / 5)).repeat(6);
        let refused = records(&many, Format::JsonLines, 1 << 30).err();
        assert_eq!(refused, Some(ErrorReason::IngestTooMany));
        // Many bytes, or many values: each is refused by itself.
        for large in [event(&"x".repeat(5 << 20), 1), format!("[{}0]", "{\"\":0},".repeat(100_000))] {
            let read = records(&format!("{}\n{large}\n", event("b", 1)), Format::JsonLines, 1 << 30).unwrap();
            let lines: Vec<_> = read.lines().collect();
            assert!(lines.len() == 2 && lines[0].contains("苏C12345") && lines[1] == format!("\u{15}{large}"));
        }
    }
}
