//! One partition's account: what is stored, given, read and pending of it, and what is read back. It knows no other partition.

use std::sync::Arc;
use std::time::Instant;

use traffic::{PassageBatch, Watermark, WatermarkState};

use crate::clock::moment;
use crate::source::kafka::position::PartitionPosition;

/// One partition's account.
#[derive(Debug, Default)]
pub(super) struct Partition {
    pub(super) assigned: bool,
    pub(super) stored: Option<PartitionPosition>,
    pub(super) given: Option<PartitionPosition>,
    /// The same as bytes, of this assignment.
    pub(super) given_bytes: Option<Vec<u8>>,
    pub(super) read: Option<PartitionPosition>,
    pub(super) pending: Option<Pending>,
    /// What is read back before that.
    pub(super) reading_back: Option<ReadingBack>,
    /// Whether the state that the writer holds is that of `stored`.
    pub(super) intact: bool,
    /// The group has said in this assignment how far others went, and nobody has stored more than `stored` says.
    pub(super) leads: bool,
    /// How often the partition had been taken away.
    pub(super) epoch: u64,
    /// The process has slept since, and the group has not said yet that the partition is still this process's.
    pub(super) doubt: Option<Instant>,
    /// What the group may be told before anything is stored in this assignment: where the partition began, or what the group has
    /// itself, while that is read back.
    pub(super) begun: Option<PartitionPosition>,
    /// What the record before the first one read must be, if it is still there.
    pub(super) expected: Option<u64>,
    /// It was another record.
    pub(super) remade: bool,
    /// When its last record came.
    pub(super) heard: Option<Instant>,
    /// The offset last committed to the group.
    pub(super) hinted: Option<i64>,
    /// End of the partition as the broker last reported it.
    pub(super) end: Option<i64>,
    /// Offsets before that end which belong to transactions that are not decided yet.
    pub(super) in_transaction: i64,
}

/// Passages that were read and not given yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) passages: PassageBatch,
    pub(super) origins: Vec<(usize, Arc<str>)>,
    pub(super) row_offsets: Vec<(usize, i64)>,
    pub(super) bytes: usize,
    pub(super) since: Instant,
}

/// Records that another process has stored, being read again.
#[derive(Debug)]
pub(super) struct ReadingBack {
    /// The offset that comes next.
    pub(super) next: i64,
    /// The first offset that no process has stored.
    pub(super) until: i64,
    /// The watermark before the first part, while that has not left yet.
    pub(super) begins: Option<WatermarkState>,
    /// The watermark at `until`, where it is known.
    pub(super) watermark: Option<i64>,
    /// Whether this data directory lacks the records.
    pub(super) foreign: bool,
    /// The last part is pending; after it the partition is at this position.
    pub(super) ends: Option<PartitionPosition>,
    pub(super) pending: Option<Pending>,
}

impl Pending {
    pub(super) fn new() -> Self {
        Self {
            passages: PassageBatch::default(),
            origins: Vec::new(),
            row_offsets: Vec::new(),
            bytes: 0,
            since: moment(),
        }
    }
}

impl Partition {
    /// What leaves next.
    pub(super) fn front(&self) -> Option<&Pending> {
        match &self.reading_back {
            Some(back) => back.pending.as_ref(),
            None => self.pending.as_ref(),
        }
    }

    /// What is stored, if it may be committed to the group: until it is decided where to resume, and while another's records
    /// are read back, the group's may be higher.
    pub(super) fn for_group(&self) -> Option<PartitionPosition> {
        self.stored.clone().filter(|_| self.assigned && self.leads)
    }

    /// What the group can be asked to take, to hear whether the partition is still this process's: it changes nothing there that
    /// must stay.
    pub(super) fn to_ask_with(&self) -> Option<PartitionPosition> {
        self.stored.clone().filter(|_| self.leads).or_else(|| self.begun.clone())
    }

    /// The offset that is to be fetched next, if it is known.
    pub(super) fn fetches(&self) -> Option<i64> {
        let back = self.reading_back.as_ref().filter(|back| back.ends.is_none()).map(|back| back.next);
        back.or(self.read.as_ref().map(|read| read.next))
    }

    /// All that was to be read back is pending, or gone.
    pub(super) fn end_reading_back(&mut self) {
        let (Some(back), Some(read)) = (&mut self.reading_back, &mut self.read) else { return };
        if back.watermark > read.watermark.time() {
            read.watermark = Watermark::of(&WatermarkState { time: back.watermark, ..read.watermark.state() });
        }
        if back.foreign {
            // Before there is a watermark, the newest that was read back: a restart must read it back again.
            let above = read.watermark.state().above.iter().map(|reached| reached.newest).max();
            read.taken_over = read.watermark.time().max(above).or(Some(i64::MIN));
        }
        back.ends = Some(read.clone());
        back.pending.get_or_insert_with(Pending::new);
    }
}
