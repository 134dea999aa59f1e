//! Stored alerts as text of an event stream, made once for all streams: 250 clients that request everything from the first
//! alert, or that wait for the next one, read the same pieces.
//!
//! Pieces have fixed bounds, so that all streams share them. A piece that is not in memory is made on a blocking thread, by
//! one stream at a time, and old pieces are sent at a bounded rate over all streams together, so that replays take a bounded
//! share of the machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use traffic::Alert;

use super::error::ApiError;
use crate::alert_json;
use crate::reader::{ReadError, Reader};

/// Alerts of a piece.
const PIECE: u64 = 128;
/// Pieces kept in memory.
const KEPT: usize = 64;
/// Old pieces being sent at the same time.
const TURNS: usize = 2;
/// Minimum time of an old piece: about 250,000 old alerts a second over all streams.
const SHORTEST_TURN: Duration = Duration::from_millis(1);

/// Consecutive alerts, as text.
#[derive(Debug, Clone)]
struct Piece {
    text: Bytes,
    /// `seq` of each alert, and the end of its text.
    ends: Vec<(u64, usize)>,
    /// The `seq` up to which alerts were read.
    read_to: u64,
}

/// What a stream sends next.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) text: Bytes,
    /// The `seq` up to which the stream is complete after it.
    pub(super) last: u64,
}

/// The pieces in memory, and the limit on old ones.
#[derive(Debug)]
pub(super) struct Replay {
    pieces: Mutex<BTreeMap<u64, (u64, Piece)>>,
    uses: AtomicU64,
    making: Semaphore,
    turns: Semaphore,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            pieces: Mutex::default(),
            uses: AtomicU64::default(),
            making: Semaphore::new(1),
            turns: Semaphore::new(TURNS),
        }
    }
}

impl Replay {
    /// The piece with this number, if it is in memory and was read up to `needed`.
    fn known(&self, number: u64, needed: u64) -> Option<Piece> {
        let use_now = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut pieces = self.pieces.lock();
        let (used, piece) = pieces.get_mut(&number)?;
        *used = use_now;
        (piece.read_to >= needed).then(|| piece.clone())
    }

    fn keep(&self, number: u64, piece: Piece) {
        let use_now = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut pieces = self.pieces.lock();
        pieces.insert(number, (use_now, piece));
        if pieces.len() > KEPT
            && let Some(oldest) = pieces.iter().min_by_key(|(_, (used, _))| *used).map(|(number, _)| *number)
        {
            pieces.remove(&oldest);
        }
    }

    /// The next alerts above `last`, up to `newest`; none where those are no longer retained.
    ///
    /// # Errors
    /// The alerts could not be read.
    pub(super) async fn events_after(
        &self,
        reader: &Arc<dyn Reader>,
        last: u64,
        newest: u64,
    ) -> Result<Events, ApiError> {
        let number = last / PIECE;
        let end = (number + 1) * PIECE;
        if newest < end {
            // All streams want the newest alerts at once.
            return self.piece(reader, number, newest.min(end)).await.map(|piece| piece.after(last));
        }
        let turn = self.turns.acquire().await;
        let began = Instant::now();
        let piece = self.piece(reader, number, end).await?;
        tokio::time::sleep_until(began + SHORTEST_TURN).await;
        drop(turn);
        Ok(piece.after(last))
    }

    /// The same for a reader that shows other alerts than the one of all streams: its pieces are shared with nobody.
    ///
    /// # Errors
    /// The alerts could not be read.
    pub(super) async fn own_events_after(
        &self,
        reader: &Arc<dyn Reader>,
        last: u64,
        newest: u64,
    ) -> Result<Events, ApiError> {
        let turn = self.turns.acquire().await;
        let reader = reader.clone();
        let made = tokio::task::spawn_blocking(move || {
            let alerts = reader.snapshot().alerts_after(last, PIECE as usize)?;
            // A piece that is not full has all there are.
            let read_to = if alerts.len() < PIECE as usize { newest } else { last };
            Ok::<_, ReadError>(Piece::new(alerts.iter(), read_to))
        });
        let piece = made.await.map_err(|error| {
            tracing::error!(%error, "reading alerts panicked");
            ApiError::internal()
        })??;
        drop(turn);
        Ok(piece.after(last))
    }

    async fn piece(&self, reader: &Arc<dyn Reader>, number: u64, needed: u64) -> Result<Piece, ApiError> {
        if let Some(piece) = self.known(number, needed) {
            return Ok(piece);
        }
        // One at a time: the others then find it in memory.
        let _making = self.making.acquire().await;
        if let Some(piece) = self.known(number, needed) {
            return Ok(piece);
        }
        let reader = reader.clone();
        let made = tokio::task::spawn_blocking(move || {
            // In this order, so that every reported commit is in the snapshot.
            let newest = *reader.commits().borrow();
            let snapshot = reader.snapshot();
            let end = (number + 1) * PIECE;
            let alerts = snapshot.alerts_after(number * PIECE, PIECE as usize)?;
            // Missing alerts are no longer retained: skip to the first that is.
            let read_to = match alerts.first() {
                Some(first) if first.seq > end => first.seq - 1,
                _ => newest.min(end),
            };
            Ok::<_, ReadError>(Piece::new(alerts.iter().filter(|alert| alert.seq <= end), read_to))
        });
        let piece = made.await.map_err(|error| {
            tracing::error!(%error, "reading alerts panicked");
            ApiError::internal()
        })??;
        self.keep(number, piece.clone());
        Ok(piece)
    }
}

impl Piece {
    fn new<'a>(alerts: impl Iterator<Item = &'a Alert>, read_to: u64) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for alert in alerts {
            match alert_json::to_text(alert) {
                Ok(json) => text.push_str(&format!("event: warning\nid: {}\ndata: {json}\n\n", alert.seq)),
                Err(error) => text.push_str(&format!(": alert {} could not be written: {error}\n\n", alert.seq)),
            }
            ends.push((alert.seq, text.len()));
        }
        let read_to = ends.last().map_or(read_to, |(seq, _)| read_to.max(*seq));
        Self { text: text.into(), ends, read_to }
    }

    /// The part above `last`.
    fn after(&self, last: u64) -> Events {
        let passed = self.ends.partition_point(|(seq, _)| *seq <= last);
        let start = passed.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        Events { text: self.text.slice(start..), last: self.read_to.max(last) }
    }
}
