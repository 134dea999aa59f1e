//! Alerts in memory: what filters compare, in columns, so that a search over a million of them reads only those from
//! the disk that are shown.
//!
//! Alerts have numbers without gaps, so a chunk's rows need none of their own. The writer appends; a view holds the
//! list as it was at its commit (chunks are shared, only the last is copied when it grows). Rebuilt when the store is
//! opened. IMPORTANT: the index is bounded in bytes and may lack the oldest alerts; those are read from the disk.

use std::sync::Arc;
use traffic::{Alert, AlertId, NameId, PlateCode, Rule, Severity};

/// Alerts of a chunk; few in tests, so that they take every branch.
const CHUNK: usize = if cfg!(test) { 16 } else { 4096 };
/// Bytes of an alert in the columns: id, time, plate, two checkpoints, kind.
pub(in crate::store) const ROW_BYTES: usize = 8 + 8 + 8 + 4 + 4 + 1;

#[derive(Debug, Clone, Default)]
struct Chunk {
    first_seq: u64,
    ids: Vec<u64>,
    /// Of the later sighting.
    times: Vec<i64>,
    plates: Vec<u64>,
    /// Texts of plates that do not fit into a number, by row.
    odd_plates: Vec<(u32, Box<str>)>,
    checkpoints: Vec<[NameId; 2]>,
    /// The severity's code in the two lower bits, the rule's in the others.
    kinds: Vec<u8>,
    min_time: i64,
    max_time: i64,
}

/// The alerts, oldest first.
#[derive(Debug, Clone)]
pub(in crate::store) struct AlertIndex {
    chunks: Arc<Vec<Arc<Chunk>>>,
    bytes: usize,
    max_bytes: usize,
}

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct FoundAlerts {
    /// All that match.
    pub(in crate::store) total: u64,
    /// Numbers of those on the page, newest first.
    pub(in crate::store) page: Vec<u64>,
}

impl AlertIndex {
    /// An empty index that keeps the newest alerts within about `max_bytes` bytes; 0 keeps none.
    pub(in crate::store) fn new(max_bytes: usize) -> Self {
        Self { chunks: Arc::default(), bytes: 0, max_bytes }
    }

    /// The most alerts that fit in.
    pub(in crate::store) fn capacity(&self) -> u64 {
        (self.max_bytes / ROW_BYTES) as u64
    }

    /// Bytes of the columns.
    pub(in crate::store) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest alert in the index; all newer ones are in it too.
    pub(in crate::store) fn first_seq(&self) -> Option<u64> {
        self.chunks.first().map(|chunk| chunk.first_seq)
    }

    /// Appends the next alert; `checkpoints` are those of the earlier and the later sighting.
    pub(in crate::store) fn push(&mut self, alert: &Alert, checkpoints: [NameId; 2]) {
        if self.max_bytes < ROW_BYTES {
            return;
        }
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.last().is_none_or(|last| last.ids.len() >= CHUNK) {
            chunks.push(Arc::new(Chunk { first_seq: alert.seq, ..Chunk::default() }));
        }
        if let Some(last) = chunks.last_mut() {
            self.bytes += Arc::make_mut(last).push(alert, checkpoints);
        }
        while self.bytes > self.max_bytes && chunks.len() > 1 {
            self.bytes -= chunks.remove(0).bytes();
        }
    }

    /// Drops chunks of which every alert is older than `oldest`.
    pub(in crate::store) fn forget_below(&mut self, oldest: u64) {
        let old = self.chunks.iter().take_while(|chunk| chunk.end_seq() <= oldest).count();
        if old > 0 {
            let gone = Arc::make_mut(&mut self.chunks).drain(..old);
            self.bytes -= gone.map(|chunk| chunk.bytes()).sum::<usize>();
        }
    }

    /// The newest alert with this id, from `oldest` on.
    pub(in crate::store) fn find(&self, id: AlertId, oldest: u64) -> Option<u64> {
        let chunks = self.chunks.iter().rev().take_while(|chunk| chunk.end_seq() > oldest);
        let mut found =
            chunks.filter_map(|chunk| Some(chunk.first_seq + chunk.ids.iter().rposition(|it| *it == id.0)? as u64));
        found.next().filter(|seq| *seq >= oldest)
    }

    /// Looks at all alerts from `oldest` on, newest first: `touches` decides by a chunk's earliest and latest time
    /// whether one of its alerts may match, `accepts` by a number and what the columns hold whether that alert does.
    pub(in crate::store) fn search(
        &self,
        touches: impl Fn(i64, i64) -> bool,
        accepts: impl Fn(u64, &Row<'_>) -> bool,
        oldest: u64,
        (skip, limit): (u64, usize),
    ) -> FoundAlerts {
        let mut found = FoundAlerts::default();
        for chunk in self.chunks.iter().rev().take_while(|chunk| chunk.end_seq() > oldest) {
            if !touches(chunk.min_time, chunk.max_time) {
                continue;
            }
            for row in (0..chunk.ids.len()).rev() {
                let seq = chunk.first_seq + row as u64;
                if seq < oldest {
                    break;
                }
                if chunk.row(row).is_some_and(|row| accepts(seq, &row)) {
                    found.take(seq, skip, limit);
                }
            }
        }
        found
    }
}

impl FoundAlerts {
    /// Counts the next match, and keeps it if it is on the page.
    pub(in crate::store) fn take(&mut self, seq: u64, skip: u64, limit: usize) {
        if self.total >= skip && self.page.len() < limit {
            self.page.push(seq);
        }
        self.total += 1;
    }
}

/// An alert as the columns hold it.
pub(in crate::store) struct Row<'a> {
    pub(in crate::store) time: i64,
    pub(in crate::store) plate: PlateCode,
    pub(in crate::store) odd_plate: &'a str,
    /// Of the earlier and of the later sighting.
    pub(in crate::store) checkpoints: [NameId; 2],
    kind: u8,
}

impl Row<'_> {
    pub(in crate::store) fn is_of(&self, severity: Severity) -> bool {
        self.kind & 3 == severity.code()
    }

    pub(in crate::store) fn is_by(&self, rule: Rule) -> bool {
        self.kind >> 2 == rule.code()
    }
}

impl Chunk {
    /// Appends a row and returns how many bytes it takes.
    fn push(&mut self, alert: &Alert, checkpoints: [NameId; 2]) -> usize {
        let time = alert.later.passed_at.0;
        if self.ids.is_empty() {
            (self.min_time, self.max_time) = (time, time);
        }
        self.min_time = self.min_time.min(time);
        self.max_time = self.max_time.max(time);
        let plate = PlateCode::pack(&alert.plate);
        let mut bytes = ROW_BYTES;
        if plate.is_odd() {
            self.odd_plates.push((self.ids.len() as u32, alert.plate.as_str().into()));
            bytes += odd_bytes(&alert.plate);
        }
        self.ids.push(alert.id.0);
        self.times.push(time);
        self.plates.push(plate.as_u64());
        self.checkpoints.push(checkpoints);
        self.kinds.push(kind(alert.severity, alert.rule));
        bytes
    }

    fn bytes(&self) -> usize {
        self.ids.len() * ROW_BYTES + self.odd_plates.iter().map(|(_, text)| odd_bytes(text)).sum::<usize>()
    }

    fn end_seq(&self) -> u64 {
        self.first_seq + self.ids.len() as u64
    }

    #[inline]
    fn row(&self, row: usize) -> Option<Row<'_>> {
        let plate = PlateCode::from_u64(*self.plates.get(row)?);
        let odd_plate = if plate.is_odd() { traffic::odd_text(&self.odd_plates, row) } else { "" };
        Some(Row {
            time: *self.times.get(row)?,
            plate,
            odd_plate,
            checkpoints: *self.checkpoints.get(row)?,
            kind: *self.kinds.get(row)?,
        })
    }
}

fn odd_bytes(text: &str) -> usize {
    size_of::<(u32, Box<str>)>() + text.len()
}

fn kind(severity: Severity, rule: Rule) -> u8 {
    severity.code() | rule.code() << 2
}
