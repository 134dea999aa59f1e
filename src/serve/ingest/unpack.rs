//! A body that has come: decompressed, within its limit and number of records, and with one record on each line. It knows no field.

use std::io::Read as _;

use axum::body::Bytes;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::body::{Format, Packing, refused, too_large};
use crate::deliveries::{BYTE_ORDER_MARK, Form, Room, spaced};
use crate::serve::error::{ApiError, ErrorReason};

/// Records of one request at most, so that no commit is long.
pub(super) const MOST_RECORDS: usize = 100_000;
/// What is decompressed at once.
const PIECE: usize = 64 << 10;

/// The records of a body, and how they are written. `room` is that of `body` before and of the records after it.
pub(super) fn unpacked(
    body: Vec<u8>,
    packing: Packing,
    format: Format,
    limit: usize,
    room: &mut Room,
) -> Result<(Bytes, Form), ApiError> {
    let body = match packing {
        Packing::None => body,
        Packing::Gzip => decompressed(&body, limit, room)?,
    };
    room.shrink_to(body.len());
    let records = match format {
        Format::Lines { .. } | Format::JsonLines => lines_in(&body),
        Format::Json => 0,
    };
    if records > MOST_RECORDS {
        return Err(too_many());
    }
    match format {
        Format::Lines { gb18030 } => Ok((body.into(), Form::Lines { gb18030 })),
        Format::JsonLines => Ok((without_mark(body), Form::Objects)),
        Format::Json => {
            // As many bytes at most: what stood between two elements becomes a line ending.
            room.grow(body.len() + 1).map_err(refused)?;
            let lines = one_a_line(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body))?;
            drop(body);
            room.shrink_to(lines.len());
            Ok((lines.into(), Form::Objects))
        }
    }
}

fn decompressed(body: &[u8], limit: usize, room: &mut Room) -> Result<Vec<u8>, ApiError> {
    let mut plain = Vec::new();
    let mut from = flate2::read::MultiGzDecoder::new(body);
    loop {
        let before = plain.len();
        let read = from.by_ref().take(PIECE as u64).read_to_end(&mut plain);
        let bytes = read.map_err(|error| {
            ApiError::new(ErrorReason::BodyUnread).with("error", format!("it is not valid gzip: {error}"))
        })?;
        if bytes == 0 {
            return Ok(plain);
        }
        if plain.len() > limit {
            return Err(too_large(limit));
        }
        room.grow(plain.len() - before).map_err(refused)?;
    }
}

fn without_mark(body: Vec<u8>) -> Bytes {
    let from = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    Bytes::from(body).slice(from..)
}

/// How many lines end in a body, by LF, CR LF or CR, and what follows the last of them.
fn lines_in(body: &[u8]) -> usize {
    let ends = memchr::memchr2_iter(b'\n', b'\r', body);
    ends.filter(|at| body.get(*at) == Some(&b'\n') || body.get(at + 1) != Some(&b'\n')).count() + 1
}

pub(super) fn too_many() -> ApiError {
    ApiError::new(ErrorReason::IngestTooMany).with("limit", MOST_RECORDS)
}

/// The elements of a JSON array, or the one value that is no array, each on a line of its own.
fn one_a_line(json: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut elements = Elements { lines: Vec::with_capacity(json.len() + 1), count: 0 };
    let mut from = serde_json::Deserializer::from_slice(json);
    let first = json.iter().find(|byte| !byte.is_ascii_whitespace());
    let read = match first {
        Some(b'[') => from.deserialize_seq(&mut elements),
        _ => serde::Deserialize::deserialize(&mut from).map(|value: &RawValue| elements.push(value)),
    };
    match read.and_then(|()| from.end()) {
        Ok(()) => Ok(elements.lines),
        Err(_) if elements.count > MOST_RECORDS => Err(too_many()),
        Err(error) => Err(ApiError::new(ErrorReason::NotJson).with("error", error.to_string())),
    }
}

/// The same of a body that has just come.
#[cfg(any(test, fuzzing))]
pub(in crate::serve) fn one_a_line_of(body: &[u8]) -> Result<Vec<u8>, ApiError> {
    one_a_line(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body))
}

struct Elements {
    lines: Vec<u8>,
    count: usize,
}

impl Elements {
    fn push(&mut self, value: &RawValue) {
        self.lines.extend(value.get().bytes().map(spaced));
        self.lines.push(b'\n');
        self.count += 1;
    }
}

impl<'de> Visitor<'de> for &mut Elements {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while let Some(value) = all.next_element::<&RawValue>()? {
            self.push(value);
            if self.count > MOST_RECORDS {
                return Err(A::Error::custom("too many"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::deliveries::{Deliveries, MOST_BYTES};

    const LINES: Format = Format::Lines { gb18030: None };

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap()
    }

    /// What a body becomes, or the code of the refusal.
    fn read(body: &[u8], packing: Packing, format: Format, limit: usize) -> Result<(String, Form), String> {
        let mut room = Deliveries::default().room();
        room.grow(body.len()).unwrap();
        let read = unpacked(body.to_vec(), packing, format, limit, &mut room);
        read.map(|(body, form)| (String::from_utf8(body.to_vec()).unwrap(), form))
            .map_err(|error| format!("{:?}", error.reason()))
    }

    fn json(body: &str) -> Result<String, String> {
        read(body.as_bytes(), Packing::None, Format::Json, 1 << 30).map(|(text, form)| {
            assert_eq!(form, Form::Objects);
            text
        })
    }

    #[test]
    fn elements_stand_on_lines_of_their_own_as_they_came() {
        assert_eq!(json("[]").unwrap(), "");
        assert_eq!(json("{\"a\":\r\n 1}\n").unwrap(), "{\"a\":   1}\n");
        assert_eq!(
            json("\u{feff} [ {\"a\": 1e999, \"b\":\"\\n\"},\n7 ,[{}] ]").unwrap(),
            "{\"a\": 1e999, \"b\":\"\\n\"}\n7\n[{}]\n"
        );
        for wrong in ["", "[{]", "[{}", "{} {}", "[1,]", "[1]x", "{\"a\":\"\n\"}"] {
            assert_eq!(json(wrong).unwrap_err(), "NotJson", "{wrong}");
        }
        let invalid = read(b"[{\"a\":\"\xff\"}]", Packing::None, Format::Json, 100);
        assert_eq!(invalid.unwrap_err(), "NotJson");
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(json(&deep).unwrap().len(), 1_999_999);
    }

    #[test]
    fn a_body_is_bounded_in_bytes_when_it_is_decompressed() {
        let packed = gzip(b"a\nb\n");
        assert_eq!(read(&packed, Packing::Gzip, LINES, 4).unwrap().0, "a\nb\n");
        let members = [&packed[..], &packed].concat();
        assert_eq!(read(&members, Packing::Gzip, LINES, 8).unwrap().0, "a\nb\na\nb\n");
        assert_eq!(read(&packed, Packing::Gzip, LINES, 3).unwrap_err(), "IngestTooLarge");
        let bomb = gzip(&vec![b'x'; 100 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(read(&bomb, Packing::Gzip, LINES, 1 << 20).unwrap_err(), "IngestTooLarge");
        // And by what is there for all.
        assert_eq!(read(&gzip(&vec![b'x'; MOST_BYTES]), Packing::Gzip, LINES, usize::MAX).unwrap_err(), "IntakeFull");
        for broken in [&packed[..10], b"a\nb\n", b"", &[&packed[..], b"rest"].concat()] {
            assert_eq!(read(broken, Packing::Gzip, LINES, 100).unwrap_err(), "BodyUnread");
        }
    }

    #[test]
    fn a_body_is_bounded_in_records() {
        for (record, format) in [("x\n", LINES), ("\r", LINES), ("\r\n", LINES), ("{}\n", Format::JsonLines)] {
            let most = record.repeat(MOST_RECORDS - 1);
            assert!(read(most.as_bytes(), Packing::None, format, usize::MAX).is_ok(), "{record:?}");
            let more = record.repeat(MOST_RECORDS + 1);
            let refused = read(more.as_bytes(), Packing::None, format, usize::MAX);
            assert_eq!(refused.unwrap_err(), "IngestTooMany", "{record:?}");
        }
        assert_eq!(json(&format!("[{}1]", "1,".repeat(MOST_RECORDS - 1))).unwrap().len(), 2 * MOST_RECORDS);
        assert_eq!(json(&format!("[{}1]", "1,".repeat(MOST_RECORDS))).unwrap_err(), "IngestTooMany");
    }

    #[test]
    fn a_mark_is_no_part_of_the_first_object() {
        let read = read("\u{feff}{}\n{}".as_bytes(), Packing::None, Format::JsonLines, 100).unwrap();
        assert_eq!(read, ("{}\n{}".to_owned(), Form::Objects));
    }
}
