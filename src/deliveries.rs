//! Records that came over the HTTP interface, on their way to the source that takes them. It knows neither HTTP nor how records are read.
//!
//! What is on its way is bounded in bytes, from the first byte of a body to the answer, and in number. What has no room is refused, and
//! the sender tries again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use axum::body::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use traffic::RejectReason;

/// Deliveries that wait for the source at most.
pub const MOST: usize = 1_024;
/// Bytes of bodies that have no answer yet, at most: that of one request three times over, as it comes, decompressed and as lines.
pub const MOST_BYTES: usize = 128 << 20;
/// Rejected lines that a receipt says: all, where each is answered by itself.
pub const MOST_REJECTS: usize = 10_000;
/// What some write before a text in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What a line of [`Form::Objects`] begins with that is to be refused whatever it looks like. No JSON begins with it (negative
/// acknowledge, U+0015).
pub const REFUSED: u8 = 0x15;

/// A byte of JSON that is to stand on one line: a line ending in it is white space, since a text cannot hold one.
pub fn spaced(byte: u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }
}

/// What became of a delivery, once it is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Lines or records, of whatever kind.
    pub lines: u64,
    /// Header and blank lines.
    pub skipped: u64,
    /// Passages that are stored now.
    pub accepted: u64,
    /// Passages that were stored before.
    pub duplicates: u64,
    /// Lines that were not accepted. They are kept with their reason.
    pub rejected: u64,
    /// The first of these: number of the line in the delivery, from 1, and why.
    pub rejects: Vec<(u64, RejectReason)>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lines as in a capture.
    Lines {
        /// Whether they are GB18030 instead of UTF-8; none where the configuration says it.
        gb18030: Option<bool>,
    },
    /// A JSON object on each line, UTF-8.
    Objects,
}

/// Records of one sender.
#[derive(Debug)]
pub struct Delivery {
    /// The records.
    pub body: Bytes,
    /// How they are written.
    pub form: Form,
    /// Who sent them, for the rejects.
    pub origin: Arc<str>,
    /// Where the receipt goes. Nobody may wait for it any more.
    pub receipt: oneshot::Sender<Receipt>,
    /// To be kept until the receipt is sent.
    pub room: Room,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Too much waits already.
    Full,
    /// Nothing is taken any more: the source has ended.
    Ended,
}

/// The way from the interface to the source.
#[derive(Debug)]
pub struct Deliveries {
    sender: SyncSender<Delivery>,
    receiver: Mutex<Option<Receiver<Delivery>>>,
    bytes: Arc<AtomicUsize>,
}

/// The bytes that a body takes until it has an answer.
#[derive(Debug)]
pub struct Room {
    all: Arc<AtomicUsize>,
    taken: usize,
}

impl Room {
    /// Takes more bytes.
    ///
    /// # Errors
    /// [`Refused::Full`]: then it is as it was.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        if self.all.fetch_add(bytes, Ordering::AcqRel).saturating_add(bytes) > MOST_BYTES {
            self.all.fetch_sub(bytes, Ordering::AcqRel);
            return Err(Refused::Full);
        }
        self.taken += bytes;
        Ok(())
    }

    /// Whether over half of all is taken: then who only holds it should make room.
    pub fn is_scarce(&self) -> bool {
        self.all.load(Ordering::Acquire) > MOST_BYTES / 2
    }

    /// Gives so many back.
    pub fn shrink_by(&mut self, bytes: usize) {
        self.shrink_to(self.taken.saturating_sub(bytes));
    }

    /// Keeps only so many.
    pub fn shrink_to(&mut self, bytes: usize) {
        let freed = self.taken.saturating_sub(bytes);
        self.all.fetch_sub(freed, Ordering::AcqRel);
        self.taken -= freed;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl Default for Deliveries {
    fn default() -> Self {
        let (sender, receiver) = sync_channel(MOST);
        Self { sender, receiver: Mutex::new(Some(receiver)), bytes: Arc::default() }
    }
}

impl Deliveries {
    /// Room for a body, which takes nothing yet.
    pub fn room(&self) -> Room {
        Room { all: self.bytes.clone(), taken: 0 }
    }

    /// Hands a body over, for which there is `room`; what it returns is given a receipt when the records are durable, and dropped if they
    /// never will be.
    ///
    /// # Errors
    /// [`Refused`]: then nothing was taken.
    pub fn deliver(
        &self,
        body: Bytes,
        form: Form,
        origin: Arc<str>,
        room: Room,
    ) -> Result<oneshot::Receiver<Receipt>, Refused> {
        let (receipt, waiting) = oneshot::channel();
        match self.sender.try_send(Delivery { body, form, origin, receipt, room }) {
            Ok(()) => Ok(waiting),
            Err(TrySendError::Full(_)) => Err(Refused::Full),
            Err(TrySendError::Disconnected(_)) => Err(Refused::Ended),
        }
    }

    /// The end at which the source takes deliveries; there is one.
    pub fn taking(&self) -> Option<Taking> {
        self.receiver.lock().take().map(Taking)
    }
}

/// Where deliveries are taken. When it is dropped, nothing is taken any more.
#[derive(Debug)]
pub struct Taking(Receiver<Delivery>);

impl Taking {
    /// The next delivery; none if none comes for so long.
    pub fn next(&self, wait: Duration) -> Option<Delivery> {
        self.0.recv_timeout(wait).ok()
    }

    /// The next delivery, if one waits.
    pub fn waiting(&self) -> Option<Delivery> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: Form = Form::Lines { gb18030: None };

    fn deliver(deliveries: &Deliveries, bytes: usize) -> Result<oneshot::Receiver<Receipt>, Refused> {
        let mut room = deliveries.room();
        room.grow(bytes)?;
        deliveries.deliver(vec![0; bytes].into(), LINES, "a".into(), room)
    }

    #[test]
    fn what_is_on_its_way_is_bounded_in_bytes_and_in_number() {
        let deliveries = Deliveries::default();
        let taking = deliveries.taking().unwrap();
        assert!(deliveries.taking().is_none());
        deliver(&deliveries, MOST_BYTES).unwrap();
        assert_eq!(deliver(&deliveries, 1).unwrap_err(), Refused::Full);
        let taken = taking.waiting().unwrap();
        assert_eq!(deliver(&deliveries, 1).unwrap_err(), Refused::Full, "it has no receipt yet");
        drop(taken);
        for _ in 0..MOST {
            deliver(&deliveries, 1).unwrap();
        }
        assert_eq!(deliver(&deliveries, 1).unwrap_err(), Refused::Full);
        assert_eq!(std::iter::from_fn(|| taking.waiting()).count(), MOST);
        assert_eq!(deliveries.bytes.load(Ordering::Acquire), 0, "what was refused takes no room");
        let mut room = deliveries.room();
        room.grow(10).unwrap();
        assert_eq!(room.grow(MOST_BYTES).unwrap_err(), Refused::Full);
        room.shrink_to(4);
        assert_eq!(deliveries.bytes.load(Ordering::Acquire), 4);
        drop(room);
        drop(taking);
        assert_eq!(deliver(&deliveries, 1).unwrap_err(), Refused::Ended);
        assert_eq!(deliveries.bytes.load(Ordering::Acquire), 0);
    }

    #[test]
    fn who_waits_learns_that_nothing_will_come() {
        let deliveries = Deliveries::default();
        let waiting = deliver(&deliveries, 1).unwrap();
        drop(deliveries.taking());
        assert!(waiting.blocking_recv().is_err());
    }
}
