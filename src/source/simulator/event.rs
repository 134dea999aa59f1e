//! A line as it arrives.

use traffic::CivilTime;

/// A line that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When it arrived, in civil milliseconds since 1970-01-01 00:00:00. Never earlier than that of the previous event.
    pub arrived_at_ms: i64,
    /// The line's GCSJ: when the vehicle passed, by the camera's clock.
    pub passed_at: CivilTime,
    /// Whether the line is an exact repetition of an earlier one.
    pub is_retransmission: bool,
}
