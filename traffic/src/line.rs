//! Lines to passages: the one reader of everything that a capture file or a Kafka message may hold.
//!
//! A line whose fields are written as real cameras write them takes the fast path through [`LineParser::take_clean`]:
//! each field is recognised where it stands, nothing is copied or allocated. At the first doubt the line takes the slow
//! path ([`doubtful`]), which follows the contract check by check. Both give the same passage; the slow path alone decides
//! what is a header, blank or rejected. The parser knows no file and no clock: the caller says how far ahead GCSJ may
//! be, and keeps the position.

mod cache;
mod csv;
mod doubtful;
mod ends;
mod fields;
mod form;
mod layout;
mod spans;
mod survey;
mod text;

use std::sync::Arc;

use crate::batch::{PlainField, PlainLine};
use crate::{
    CivilTime, Dimension, Interner, NameId, NameTable, NamesFull, PassageBatch, PassageId, PerDimension, PlateClass,
    PlateCode, Reject, RejectReason, Resolution, TimeZoneName, normalise_plate, plate::NEW_ENERGY_TYPES,
};
use cache::{FieldCache, FieldKey};
use ends::{has_lone_return, without_ending};
use spans::Spans;
use survey::Survey;

pub(crate) use csv::split_csv;
pub use ends::line_end;
pub use fields::field_of;
pub use form::{ColumnOrder, Delimiter, LineForm};
pub use layout::{Column, Layout, LayoutError, ShardKey};
pub use survey::ColumnAdvice;
pub use text::clean_field;

/// How lines are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ParserSettings {
    /// The columns and the shard key.
    pub layout: Layout,
    /// The separator; none lets each source decide: it is the first of [`Delimiter::ALL`] that splits a line into as many
    /// fields as there are columns.
    pub delimiter: Option<Delimiter>,
    /// The latest GCSJ that is accepted: the caller's clock and a day.
    pub not_after: CivilTime,
    /// The zone to which a GCSJ with an offset is converted.
    pub zone: TimeZoneName,
    /// How many distinct values a column may have ([`Interner::DEFAULT_MAX_NAMES`]).
    pub max_names: usize,
}

/// Reads lines into batches.
#[derive(Debug)]
pub struct LineParser {
    settings: ParserSettings,
    interner: Interner,
    caches: PerDimension<FieldCache>,
    places: Places,
    form: LineForm,
    /// The form of the last line, and how plain lines of it are written; none if not all columns are read.
    plain: (LineForm, Option<Arc<PlainLine>>),
    /// Numbers of the names in [`NEW_ENERGY_TYPES`].
    new_energy_types: [NameId; NEW_ENERGY_TYPES.len()],
    line_number: u64,
    spans: Spans,
    survey: Survey,
    conflict: Option<HeaderConflict>,
    /// Whether a line may be a header.
    has_headers: bool,
}

/// A header names the columns in another order than the user configured: the rest of its source is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the header in line {line} names the columns in the order {header}, but {stated} is configured: correct the columns, or \
     leave them out to follow the header"
)]
pub struct HeaderConflict {
    /// Number of the line.
    pub line: u64,
    /// The order of the header.
    pub header: String,
    /// The order that is configured.
    pub stated: String,
}

/// The places of the columns, resolved once.
#[derive(Debug)]
struct Places {
    gcxh: usize,
    gcsj: usize,
    hphm: usize,
    /// Place of the column that a dimension numbers; `None` for a route that is not configured.
    names: PerDimension<Option<usize>>,
    /// Extra columns that are not read.
    ignored: Vec<usize>,
    count: usize,
    shard_key: Dimension,
}

/// What a row is made of, once all its fields are accepted.
struct Row {
    time: CivilTime,
    resolution: Resolution,
    id: PassageId,
    plate: PlateCode,
    class: PlateClass,
    names: PerDimension<NameId>,
}

/// How many lines are validated at once: enough to make it cheap, few enough to stay in the L1 cache.
const BLOCK_LINES: usize = 128;
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The first byte of a byte order mark.
const BYTE_ORDER_MARK_LEAD: u8 = 0xef;
/// The number of a name not yet seen.
const NO_NAME: NameId = NameId::MAX;

impl LineParser {
    /// A line longer than this, without its line ending, is rejected unread. A source that has found no line ending
    /// within this many bytes need not keep more.
    pub const MAX_LINE_BYTES: usize = 64 << 10;
    /// A line with a field longer than this is rejected, which bounds all that a batch keeps of a line.
    pub const MAX_FIELD_BYTES: usize = 1 << 10;

    /// A parser that knows the names of `table`.
    pub fn new(settings: ParserSettings, table: &NameTable) -> Self {
        let interner = Interner::new(table, settings.max_names);
        let number = |name: &str| interner.number(Dimension::PlateType, name).unwrap_or(NO_NAME);
        Self {
            new_energy_types: NEW_ENERGY_TYPES.map(number),
            interner,
            caches: PerDimension::of(|dimension| FieldCache::new(dimension.cache_bits())),
            places: Places::new(&settings.layout),
            form: LineForm::default(),
            plain: (LineForm::default(), None),
            line_number: 0,
            spans: Spans::default(),
            survey: Survey::default(),
            conflict: None,
            has_headers: true,
            settings,
        }
    }

    /// Begins another source: its first line has number 1, and it may have another separator and another order.
    pub fn begin_source(&mut self) {
        self.begin_message();
        self.survey = Survey::default();
    }

    /// Begins a message of a source that consists of messages: as [`LineParser::begin_source`], but
    /// [`LineParser::take_column_advice`] looks at the first lines of all messages together.
    pub fn begin_message(&mut self) {
        self.line_number = 0;
        self.conflict = None;
        self.has_headers = true;
        self.set_form(LineForm::default());
    }

    /// No line of this source is a header, whatever its fields are: their order is known.
    pub fn without_headers(&mut self) {
        self.has_headers = false;
    }

    /// Number of the line read last, from 1; 0 before the first.
    pub fn line_number(&self) -> u64 {
        self.line_number
    }

    /// Continues after the line of this number.
    pub fn set_line_number(&mut self, line_number: u64) {
        self.line_number = line_number;
    }

    /// The separator, once it is decided.
    pub fn delimiter(&self) -> Option<Delimiter> {
        self.form.delimiter
    }

    /// Continues with the separator that was decided earlier.
    pub fn set_delimiter(&mut self, delimiter: Option<Delimiter>) {
        self.form.delimiter = delimiter;
    }

    /// The layout that the lines of this source have shown so far.
    pub fn form(&self) -> LineForm {
        self.form
    }

    /// Continues with the layout that earlier lines have shown.
    pub fn set_form(&mut self, form: LineForm) {
        if form.order != self.form.order {
            self.places = match form.order {
                Some(order) => Places::of_order(order, &self.settings.layout),
                None => Places::new(&self.settings.layout),
            };
        }
        self.form = form;
    }

    /// The header that contradicts the configured columns, if there was one: the lines after it are rejected.
    pub fn conflict(&self) -> Option<&HeaderConflict> {
        self.conflict.as_ref()
    }

    /// Advice for the user if hardly any of the first lines has the right number of fields: once for a source, as soon
    /// as enough of them were read, or when `ended` says that no more come.
    pub fn take_column_advice(&mut self, ended: bool) -> Option<ColumnAdvice> {
        self.survey.take_advice(ended, self.places.count, self.settings.delimiter)
    }

    /// The latest GCSJ that is accepted.
    pub fn not_after(&self) -> CivilTime {
        self.settings.not_after
    }

    /// Moves the latest GCSJ that is accepted, as the caller's clock advances.
    pub fn set_not_after(&mut self, not_after: CivilTime) {
        self.settings.not_after = not_after;
    }

    /// Reads the complete lines at the beginning of `chunk`, at most `max_lines` of them, and returns how many bytes
    /// they took, line endings included. What is left is the beginning of a line, or lines beyond the limit.
    pub fn parse_lines(&mut self, chunk: &[u8], max_lines: u64, out: &mut PassageBatch) -> usize {
        let mut consumed = 0;
        let mut left = max_lines;
        loop {
            let rest = chunk.get(consumed..).unwrap_or_default();
            let mut ends = [0; BLOCK_LINES];
            let mut count = 0;
            let limit = usize::try_from(left).unwrap_or(usize::MAX);
            for (slot, end) in ends.iter_mut().take(limit).zip(memchr::memchr_iter(b'\n', rest)) {
                *slot = end;
                count += 1;
            }
            let ends = ends.get(..count).unwrap_or_default();
            let Some(&last) = ends.last() else { return consumed + self.parse_by_returns(rest, &mut left, out) };
            let block = rest.get(..=last).unwrap_or_default();
            if has_lone_return(block) {
                consumed += self.parse_by_returns(block, &mut left, out);
            } else {
                self.parse_block(block, ends, out);
                consumed += block.len();
                left -= count as u64;
            }
        }
    }

    /// Reads complete lines some of which may end in a CR alone, at most `left` of them; returns their bytes.
    fn parse_by_returns(&mut self, block: &[u8], left: &mut u64, out: &mut PassageBatch) -> usize {
        let mut consumed = 0;
        while *left > 0 {
            let rest = block.get(consumed..).unwrap_or_default();
            let Some((length, ending)) = line_end(rest) else { break };
            self.parse_line(rest.get(..length).unwrap_or_default(), out);
            consumed += length + ending;
            *left -= 1;
        }
        consumed
    }

    /// Reads complete lines that end at `ends`. Valid UTF-8 stays valid when it is cut at line ends, so one validation
    /// serves them all; where it fails, each line is validated.
    fn parse_block(&mut self, block: &[u8], ends: &[usize], out: &mut PassageBatch) {
        let text = simdutf8::basic::from_utf8(block).ok();
        let mut begin = 0;
        for &end in ends {
            match text.and_then(|text| text.get(begin..end)) {
                Some(line) => self.parse_text(line, out),
                None => self.parse_line(block.get(begin..end).unwrap_or_default(), out),
            }
            begin = end + 1;
        }
    }

    /// Reads one line, without its `\n`.
    pub fn parse_line(&mut self, line: &[u8], out: &mut PassageBatch) {
        let raw = without_ending(line);
        match simdutf8::basic::from_utf8(raw) {
            Ok(text) => self.parse_text(text, out),
            Err(_) if raw.len() > Self::MAX_LINE_BYTES => self.reject_line(raw, RejectReason::LineTooLong, out),
            Err(_) => self.reject_line(raw, RejectReason::InvalidEncoding, out),
        }
    }

    /// Counts and rejects a line that the source itself could not read, such as one of another encoding.
    pub fn reject_line(&mut self, raw: &[u8], reason: RejectReason, out: &mut PassageBatch) {
        self.count_line(out);
        self.reject(raw, reason, out);
    }

    /// Counts and rejects a line of `bytes` bytes of which the source holds only the beginning.
    pub fn reject_long_line(&mut self, beginning: &[u8], bytes: u64, out: &mut PassageBatch) {
        self.count_line(out);
        let row = out.len();
        out.rejects.push(Reject::new(self.line_number, row, RejectReason::LineTooLong, beginning, bytes));
    }

    fn parse_text(&mut self, line: &str, out: &mut PassageBatch) {
        self.count_line(out);
        // In most files no line ends in CR, in the others every one does.
        let line = if line.ends_with(['\r', '\n']) { line.trim_end_matches(['\r', '\n']) } else { line };
        let rows = out.len();
        // In a line within the limit of a field, every field is.
        let clean = if line.len() > Self::MAX_FIELD_BYTES { None } else { self.take_clean(line, out) };
        if clean.is_none() {
            self.take_doubtful(line, out);
        }
        if out.len() == rows {
            return;
        }
        let number = self.line_number;
        match self.plain_line().filter(|_| clean == Some(true)) {
            Some(plain) => out.raw.push_plain(plain, number),
            None => out.raw.push(line.trim_matches('\0').as_bytes(), number),
        }
    }

    /// How plain lines are written now; none if not all columns are read.
    #[inline]
    fn plain_line(&mut self) -> Option<&Arc<PlainLine>> {
        if self.plain.0 != self.form {
            self.plain = (self.form, self.places.plain_line(self.form).map(Arc::new));
        }
        self.plain.1.as_ref()
    }

    fn count_line(&mut self, out: &mut PassageBatch) {
        self.line_number += 1;
        self.survey.count_line();
        out.lines += 1;
    }

    fn reject(&self, raw: &[u8], reason: RejectReason, out: &mut PassageBatch) {
        let raw = without_ending(raw);
        let row = out.len();
        out.rejects.push(Reject::new(self.line_number, row, reason, raw, raw.len() as u64));
    }

    /// Takes a line of which every field is certain, and says whether it is plain. None leaves `out` unchanged except
    /// for new names.
    ///
    /// Such a line cannot be a header: a time and a packed GCXH cannot hold a column name, and cached names and every
    /// other field were checked to hold none; only the plate may hold one, and a header needs four fields that do.
    #[inline]
    fn take_clean(&mut self, line: &str, out: &mut PassageBatch) -> Option<bool> {
        let bytes = line.as_bytes();
        if matches!(bytes.first(), Some(&(BYTE_ORDER_MARK_LEAD | 0))) || !self.find_fields(bytes) {
            return None;
        }
        let gcsj = bytes.get(self.spans.range(self.places.gcsj))?;
        let (time, resolution, mut is_plain) = CivilTime::parse_and_compare(gcsj, &self.settings.zone)?;
        if time < CivilTime::MIN || time > self.settings.not_after {
            return None;
        }
        let id_text = line.get(self.spans.range(self.places.gcxh))?;
        let id = PassageId::pack(id_text);
        if id.is_odd() && (id_text.is_empty() || !is_clean(id_text)) {
            return None;
        }
        let plate_range = self.spans.range(self.places.hphm);
        let (plate, class, odd_plate) = match PlateCode::pack_raw(bytes.get(plate_range.clone())?) {
            Some((plate, class)) => (plate, class, None),
            None => {
                let raw = line.get(plate_range).filter(|raw| is_clean(raw))?;
                let packed = pack_plate(raw);
                // Normalising may turn one character into many.
                if packed.2.as_ref().is_some_and(|text| text.len() > Self::MAX_FIELD_BYTES) {
                    return None;
                }
                is_plain = false;
                packed
            }
        };
        for &place in &self.places.ignored {
            if text::may_hold_column_name(line.get(self.spans.range(place))?) {
                return None;
            }
        }
        let mut names = PerDimension::default();
        for dimension in Dimension::ALL {
            if let Some(place) = self.places.names[dimension] {
                let (id, is_name) = self.name(dimension, line, self.spans.range(place), out)?;
                names[dimension] = id;
                is_plain &= is_name;
            }
        }
        is_plain &= !id.is_odd() & !self.spans.are_quoted;
        self.push(Row { time, resolution, id, plate, class, names }, id_text, odd_plate, out);
        Some(is_plain)
    }

    /// Finds the fields of a line if they can be taken as they stand. The first line with the right number of them
    /// decides the separator.
    #[inline]
    fn find_fields(&mut self, line: &[u8]) -> bool {
        match self.form.delimiter {
            Some(delimiter) => self.spans.find(line, delimiter, self.places.count),
            None => self.find_delimiter(line),
        }
    }

    fn find_delimiter(&mut self, line: &[u8]) -> bool {
        if self.conflict.is_some() {
            return false;
        }
        for delimiter in self.candidates() {
            if self.spans.find(line, delimiter, self.places.count) {
                self.form.delimiter = Some(delimiter);
                return true;
            }
            // With quotes the number of fields may still be right: the slow path decides.
            if delimiter != Delimiter::Tab && memchr::memchr(b'"', line).is_some() {
                return false;
            }
        }
        false
    }

    /// The possible separators.
    fn candidates(&self) -> impl Iterator<Item = Delimiter> + use<> {
        let told = self.settings.delimiter;
        Delimiter::ALL.into_iter().filter(move |delimiter| told.is_none_or(|told| told == *delimiter))
    }

    /// The number of a field's text, if the text is certain, and whether it is the name itself.
    #[inline]
    fn name(
        &mut self,
        dimension: Dimension,
        line: &str,
        range: std::ops::Range<usize>,
        out: &mut PassageBatch,
    ) -> Option<(NameId, bool)> {
        let key = FieldKey::new(line.as_bytes().get(range.clone())?);
        match self.caches[dimension].get(&key) {
            Some(found) => Some(found),
            None => self.learn(dimension, line.get(range)?, &key, out),
        }
    }

    /// Numbers a text that the cache does not hold, and caches it. Only a text that can neither cause a rejection nor
    /// belong to a header is ever cached.
    #[inline(never)]
    fn learn(
        &mut self,
        dimension: Dimension,
        raw: &str,
        key: &FieldKey<'_>,
        out: &mut PassageBatch,
    ) -> Option<(NameId, bool)> {
        let name = clean_field(raw);
        let doubtful = text::may_hold_column_name(name)
            || (dimension == Dimension::Checkpoint && (name.is_empty() || text::is_unroutable(name)))
            || (dimension == self.places.shard_key && text::is_unroutable(name));
        if doubtful {
            return None;
        }
        let id = self.intern(dimension, name, out).ok()?;
        let found = (id, name.len() == raw.len() && padded(dimension, name).is_none());
        self.caches[dimension].insert(key, found);
        Some(found)
    }

    /// The number of a cleaned text. A new name is handed out even if its line is rejected later: numbers stay dense.
    fn intern(&mut self, dimension: Dimension, name: &str, out: &mut PassageBatch) -> Result<NameId, NamesFull> {
        let (id, new) = match padded(dimension, name) {
            Some(padded) => self.interner.intern(dimension, str::from_utf8(&padded).unwrap_or(name))?,
            None => self.interner.intern(dimension, name)?,
        };
        if let Some(text) = new {
            if dimension == Dimension::PlateType {
                let numbers = self.new_energy_types.iter_mut().zip(NEW_ENERGY_TYPES);
                numbers.filter(|(_, name)| **name == *text).for_each(|(number, _)| *number = id);
            }
            out.new_names.push((dimension, text));
        }
        Ok(id)
    }

    #[inline]
    fn push(&self, row: Row, id_text: &str, odd_plate: Option<Box<str>>, out: &mut PassageBatch) {
        let number = out.len() as u32;
        let class = match self.new_energy_types.contains(&row.names[Dimension::PlateType]) {
            true => row.class.of_new_energy_type(row.plate, odd_plate.as_deref().unwrap_or_default()),
            false => row.class,
        };
        if row.id.is_odd() {
            out.odd_ids.push((number, id_text.into()));
        }
        if let Some(text) = odd_plate {
            out.odd_plates.push((number, text));
        }
        out.times.push(row.time);
        out.resolutions.push(row.resolution);
        out.ids.push(row.id);
        out.plates.push(row.plate);
        out.classes.push(class);
        for dimension in Dimension::STORED {
            out.columns[dimension].push(row.names[dimension]);
        }
        if self.places.shard_key == Dimension::Route {
            out.columns[Dimension::Route].push(row.names[Dimension::Route]);
        }
    }
}

impl Places {
    fn new(layout: &Layout) -> Self {
        Self {
            gcxh: layout.position(Column::Gcxh),
            gcsj: layout.position(Column::Gcsj),
            hphm: layout.position(Column::Hphm),
            names: PerDimension::of(|dimension| {
                let column = Column::ALL.into_iter().find(|column| column.dimension() == Some(dimension));
                column.map_or_else(|| layout.route_position(), |column| Some(layout.position(column)))
            }),
            ignored: layout.ignored_positions(),
            count: layout.names().len(),
            shard_key: layout.shard_key().dimension(),
        }
    }

    /// How plain lines of this form are written; none if they have columns that are not read.
    fn plain_line(&self, form: LineForm) -> Option<PlainLine> {
        let delimiter = form.delimiter?;
        let names = Dimension::ALL.into_iter().map(|dimension| (dimension, self.names[dimension]));
        let mut fields: Vec<_> = names.filter_map(|(it, place)| Some((place?, PlainField::Name(it)))).collect();
        fields.extend([(self.gcxh, PlainField::Id), (self.gcsj, PlainField::Time), (self.hphm, PlainField::Plate)]);
        fields.sort_unstable_by_key(|(place, _)| *place);
        let is_whole = fields.len() == self.count && fields.iter().enumerate().all(|(at, (place, _))| at == *place);
        is_whole.then(|| PlainLine { delimiter, fields: fields.into_iter().map(|(_, field)| field).collect() })
    }

    /// The places of a header's order. Only a layout of the eight columns follows one, so no extra column routes.
    fn of_order(order: ColumnOrder, layout: &Layout) -> Self {
        Self {
            gcxh: order.place(Column::Gcxh),
            gcsj: order.place(Column::Gcsj),
            hphm: order.place(Column::Hphm),
            names: PerDimension::of(|dimension| {
                let column = Column::ALL.into_iter().find(|column| column.dimension() == Some(dimension));
                column.map(|column| order.place(column))
            }),
            ignored: (0..order.width())
                .filter(|place| Column::ALL.iter().all(|it| order.place(*it) != *place))
                .collect(),
            count: order.width(),
            shard_key: layout.shard_key().dimension(),
        }
    }
}

/// The plate type that a single digit means.
fn padded(dimension: Dimension, name: &str) -> Option<[u8; 2]> {
    match name.as_bytes() {
        &[digit @ b'0'..=b'9'] if dimension == Dimension::PlateType => Some([b'0', digit]),
        _ => None,
    }
}

/// Whether the text needs no cleaning and holds no column name.
fn is_clean(text: &str) -> bool {
    clean_field(text).len() == text.len() && !text::may_hold_column_name(text)
}

/// Normalises, packs and classes a cleaned HPHM; returns its text too if it is odd.
fn pack_plate(cleaned: &str) -> (PlateCode, PlateClass, Option<Box<str>>) {
    let text = normalise_plate(cleaned);
    let plate = PlateCode::pack(&text);
    (plate, plate.class(&text), plate.is_odd().then(|| text.into()))
}
