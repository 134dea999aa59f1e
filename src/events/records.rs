//! One table, and the lines that it makes of events.

use serde_json::{Map, Value};

use crate::deliveries::REFUSED;

use super::part::{self, Part};

/// An event with more bytes is none.
const LARGEST_EVENT: usize = 4 << 20;
/// And so is one with more values: each takes some hundred bytes once it is read. A picture in it is one.
const MOST_VALUES: usize = 50_000;

/// Reads an event; none if it is not JSON, or too large.
pub fn read_event(event: &[u8]) -> Option<Value> {
    let values = event.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count();
    if event.len() > LARGEST_EVENT || values > MOST_VALUES { None } else { serde_json::from_slice(event).ok() }
}

/// The name of the column of the time.
const TIME: &str = "GCSJ";

/// How events of one kind of reader are read.
#[derive(Debug, Clone)]
pub struct EventTable {
    /// Where the list of records is; none: the event is one.
    pub(super) records: Option<Part>,
    /// Parts that say what the event is about, and what they are in one of a vehicle.
    pub(super) only: Vec<(Part, Vec<String>)>,
    /// Each column with the parts that are joined.
    pub(super) columns: Vec<(String, Vec<Part>)>,
}

/// The records are more than may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMuch {
    /// More bytes than this.
    Bytes,
    /// More records than this.
    Records,
}

/// How much may be made of the events of one request.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of all lines.
    pub bytes: usize,
    /// Lines.
    pub records: usize,
}

/// The lines that are made of events.
#[derive(Debug)]
pub struct EventLines {
    lines: Vec<u8>,
    left: usize,
    bounds: Bounds,
}

impl EventLines {
    /// Takes so much.
    pub fn within(bounds: Bounds) -> Self {
        Self { lines: Vec::new(), left: bounds.records, bounds }
    }

    /// All of them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.lines
    }

    fn end(&mut self) -> Result<(), TooMuch> {
        self.lines.push(b'\n');
        self.left = self.left.checked_sub(1).ok_or(TooMuch::Records)?;
        if self.lines.len() > self.bounds.bytes { Err(TooMuch::Bytes) } else { Ok(()) }
    }

    /// Adds what is no event as it came, to be refused whatever it looks like.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn push_refused(&mut self, line: &[u8]) -> Result<(), TooMuch> {
        self.lines.push(REFUSED);
        self.lines.extend_from_slice(line);
        self.end()
    }

    /// One such line.
    pub fn refused(line: &[u8]) -> Vec<u8> {
        [&[REFUSED], line, b"\n"].concat()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn push(&mut self, value: &impl serde::Serialize) -> Result<(), TooMuch> {
        // A text of JSON has no line ending in it. Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut self.lines, value);
        self.end()
    }
}

impl EventTable {
    /// Adds the records of an event to `lines`.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn take(&self, event: &Value, lines: &mut EventLines) -> Result<(), TooMuch> {
        let is_meant = |(part, texts): &(Part, Vec<String>)| {
            part.text(event, event).ok().flatten().is_some_and(|text| texts.contains(&text))
        };
        if !self.only.iter().all(is_meant) {
            return lines.end();
        }
        let Some(records) = &self.records else { return self.take_one(event, event, lines) };
        match records.value(event, event) {
            Some(Value::Array(all)) if all.is_empty() => lines.end(),
            Some(Value::Array(all)) => all.iter().try_for_each(|record| self.take_one(event, record, lines)),
            _ => lines.push_refused(event.to_string().as_bytes()),
        }
    }

    fn take_one(&self, event: &Value, record: &Value, lines: &mut EventLines) -> Result<(), TooMuch> {
        match self.columns(event, record) {
            Some(columns) => lines.push(&Value::Object(columns)),
            None => lines.push_refused(record.to_string().as_bytes()),
        }
    }

    /// The columns of a record; none if it is not one.
    fn columns(&self, event: &Value, record: &Value) -> Option<Map<String, Value>> {
        let mut columns = Map::new();
        for (name, parts) in &self.columns {
            let texts: Vec<Option<String>> =
                parts.iter().map(|part| part.text(event, record)).collect::<Result<_, _>>().ok()?;
            // With a part missing, two vehicles could have one id.
            if name == "GCXH" && texts.iter().any(Option::is_none) {
                return None;
            }
            let text = texts.into_iter().flatten().collect::<Vec<_>>().join("-");
            let text = if name == TIME { part::time(text) } else { text };
            if !text.is_empty() {
                columns.insert(name.clone(), Value::String(text));
            }
        }
        Some(columns)
    }
}
