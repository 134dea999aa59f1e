//! Batches of passages in columns: the parser fills them and the rest of the pipeline reads them.
//!
//! A batch comes from one partition. It knows no file, offset or broker: the source keeps the position separately.

mod raw;

use std::sync::Arc;

use crate::{CivilTime, Dimension, NameId, PassageId, PerDimension, PlateClass, PlateCode, Resolution};

pub use raw::RawLines;
pub(crate) use raw::{PlainField, PlainLine};

/// Why a line was not accepted. The numbers of the variants are stored: new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Over 64 KiB without its line ending.
    LineTooLong,
    /// Not valid UTF-8, or not valid in the configured encoding.
    InvalidEncoding,
    /// Not as many fields as configured columns.
    WrongColumnCount,
    /// GCXH is empty.
    EmptyGcxh,
    /// KKMC is empty.
    EmptyKkmc,
    /// KKMC holds a quote, a backtick or a control character, which MyCat versions route differently.
    KkmcUnroutable,
    /// GCSJ is not a real date and time.
    InvalidGcsj,
    /// GCSJ is before 2000-01-01.
    GcsjTooOld,
    /// GCSJ is more than a day ahead of the clock.
    GcsjInFuture,
    /// A column holds more distinct values than `store.max_names` allows.
    TooManyNames,
    /// GCXH was accepted within the state TTL with another GCSJ.
    GcxhConflict,
    /// A field is over 1 KiB.
    FieldTooLong,
    /// A record sent as JSON is no object with a column's name as a key, or a field of it is no text and no whole number.
    InvalidJson,
}

impl RejectReason {
    /// All reasons, in the order of their declaration.
    pub const ALL: [Self; 13] = [
        Self::LineTooLong,
        Self::InvalidEncoding,
        Self::WrongColumnCount,
        Self::EmptyGcxh,
        Self::EmptyKkmc,
        Self::KkmcUnroutable,
        Self::InvalidGcsj,
        Self::GcsjTooOld,
        Self::GcsjInFuture,
        Self::TooManyNames,
        Self::GcxhConflict,
        Self::FieldTooLong,
        Self::InvalidJson,
    ];

    /// The name in `rejects.jsonl`, `summary.json`, metrics and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LineTooLong => "line_too_long",
            Self::InvalidEncoding => "invalid_encoding",
            Self::WrongColumnCount => "wrong_column_count",
            Self::EmptyGcxh => "empty_gcxh",
            Self::EmptyKkmc => "empty_kkmc",
            Self::KkmcUnroutable => "kkmc_unroutable",
            Self::InvalidGcsj => "invalid_gcsj",
            Self::GcsjTooOld => "gcsj_too_old",
            Self::GcsjInFuture => "gcsj_in_future",
            Self::TooManyNames => "too_many_names",
            Self::GcxhConflict => "gcxh_conflict",
            Self::FieldTooLong => "field_too_long",
            Self::InvalidJson => "invalid_json",
        }
    }
}

/// A line that was not accepted, kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Number of the line in its source, from 1.
    pub line: u64,
    /// The next row of its batch: the reject's place among the passages.
    pub row: u32,
    /// Why.
    pub reason: RejectReason,
    /// The line's bytes without its line ending, at most [`Reject::MAX_RAW_BYTES`] of them.
    pub raw: Vec<u8>,
    /// Bytes of the whole line.
    pub bytes: u64,
}

impl Reject {
    /// How much of a rejected line is kept: many times the size of a passage, and small enough that very many long
    /// lines fit in memory and on the disk.
    pub const MAX_RAW_BYTES: usize = 4 << 10;

    /// A reject of a line that has `bytes` bytes and begins with `raw`, before row `row`.
    pub fn new(line: u64, row: usize, reason: RejectReason, raw: &[u8], bytes: u64) -> Self {
        let kept = raw.get(..Self::kept_bytes(raw)).unwrap_or(raw);
        Self { line, row: row as u32, reason, raw: kept.to_vec(), bytes: bytes.max(raw.len() as u64) }
    }

    /// How many bytes of `raw` are kept: a character of UTF-8 is kept whole or not at all.
    fn kept_bytes(raw: &[u8]) -> usize {
        let mut end = raw.len().min(Self::MAX_RAW_BYTES);
        let is_inside = |at: usize| raw.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        while end + 3 > Self::MAX_RAW_BYTES && end > 0 && is_inside(end) {
            end -= 1;
        }
        end
    }
}

/// Passages in columns, and everything else that the parser found. All row columns have the same length.
#[derive(Debug, Clone, Default)]
pub struct PassageBatch {
    /// GCSJ.
    pub times: Vec<CivilTime>,
    /// How finely each GCSJ was written.
    pub resolutions: Vec<Resolution>,
    /// GCXH, packed.
    pub ids: Vec<PassageId>,
    /// HPHM, normalised and packed.
    pub plates: Vec<PlateCode>,
    /// Class of the plate.
    pub classes: Vec<PlateClass>,
    /// The number of each row's name in every dimension. The column of [`Dimension::Route`] is empty unless the shard key
    /// is an extra column.
    pub columns: PerDimension<Vec<NameId>>,
    /// Row and text of every odd GCXH, by row.
    pub odd_ids: Vec<(u32, Box<str>)>,
    /// Row and text of every odd HPHM, by row.
    pub odd_plates: Vec<(u32, Box<str>)>,
    /// The lines that the passages were read from.
    pub raw: RawLines,
    /// Names that are new in this batch, in the order of their numbers.
    pub new_names: Vec<(Dimension, Arc<str>)>,
    /// Lines that were not accepted.
    pub rejects: Vec<Reject>,
    /// All lines read into this batch.
    pub lines: u64,
    /// Header lines among them.
    pub headers: u64,
    /// Blank lines among them.
    pub blank: u64,
}

impl PassageBatch {
    /// How many passages the batch holds.
    #[inline]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether the batch holds no passage (it may still hold rejects and counts).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Forgets the passages; counts, names and rejects stay.
    pub fn clear_rows(&mut self) {
        self.times.clear();
        self.resolutions.clear();
        self.ids.clear();
        self.plates.clear();
        self.classes.clear();
        self.columns.iter_mut().for_each(Vec::clear);
        self.odd_ids.clear();
        self.odd_plates.clear();
        self.raw.clear();
    }

    /// Removes the rows with these numbers, which increase; counts and names stay, and rejects keep their places.
    pub fn remove_rows(&mut self, rows: &[usize]) {
        fn keep<T>(column: &mut Vec<T>, rows: &[usize]) {
            let mut at = 0;
            column.retain(|_| {
                at += 1;
                rows.binary_search(&(at - 1)).is_err()
            });
        }
        let keep_texts = |texts: &mut Vec<(u32, Box<str>)>| {
            texts.retain_mut(|(row, _)| match rows.binary_search(&(*row as usize)) {
                Ok(_) => false,
                Err(before) => {
                    *row -= before as u32;
                    true
                }
            });
        };
        keep_texts(&mut self.odd_ids);
        keep_texts(&mut self.odd_plates);
        keep(&mut self.times, rows);
        keep(&mut self.resolutions, rows);
        keep(&mut self.ids, rows);
        keep(&mut self.plates, rows);
        keep(&mut self.classes, rows);
        self.columns.iter_mut().for_each(|column| keep(column, rows));
        self.raw.remove(rows);
        for reject in &mut self.rejects {
            reject.row -= rows.partition_point(|row| *row < reject.row as usize) as u32;
        }
    }

    /// The text of row `row`'s GCXH.
    pub fn id_text(&self, row: usize) -> String {
        match self.ids.get(row) {
            Some(id) if !id.is_odd() => id.unpack(),
            _ => odd_text(&self.odd_ids, row).to_owned(),
        }
    }

    /// The text of row `row`'s HPHM.
    pub fn plate_text(&self, row: usize) -> String {
        match self.plates.get(row) {
            Some(plate) if !plate.is_odd() => plate.unpack(),
            _ => odd_text(&self.odd_plates, row).to_owned(),
        }
    }

    /// The numbers of a dimension's column.
    pub fn names(&self, dimension: Dimension) -> &[NameId] {
        &self.columns[dimension]
    }

    /// Whether every column that is stored has a value for each row.
    pub fn is_rectangular(&self) -> bool {
        let lengths = [self.resolutions.len(), self.ids.len(), self.plates.len(), self.classes.len()];
        let names = Dimension::STORED.map(|dimension| self.columns[dimension].len());
        lengths.iter().chain(&names).all(|length| *length == self.len())
    }
}

/// The text of `row` in a list sorted by row; empty if there is none.
pub fn odd_text(texts: &[(u32, Box<str>)], row: usize) -> &str {
    texts
        .binary_search_by_key(&row, |(at, _)| *at as usize)
        .ok()
        .and_then(|found| texts.get(found))
        .map_or("", |(_, text)| text)
}
