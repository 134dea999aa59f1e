//! What the source asks of Kafka: the group, a partition's ends, and what comes next. librdkafka answers
//! ([`RdKafka`](super::rdkafka_client::RdKafka)); in tests a simulated broker does. Nothing here decides anything.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use super::ledger::{Ledger, Record};
use super::position::{Committed, PartitionPosition};

/// The group, as one member sees it; also while its partitions change.
pub trait Group {
    /// The committed offsets of these partitions, where there are any.
    fn committed(&self, partitions: &[i32]) -> KafkaResult<BTreeMap<i32, Committed>>;

    /// Commits positions to the group; `wait` until it has them, else it may refuse them later.
    fn commit(&self, positions: &[(i32, PartitionPosition)], wait: bool) -> KafkaResult<()>;

    /// Whether the partitions that are revoked just now are another member's already.
    fn assignment_lost(&self) -> bool;

    /// Waits until all that was given of the partition is stored; false if that took too long.
    fn wait_until_stored(&self, ledger: &Ledger, partition: i32) -> bool {
        ledger.wait_until_stored(partition)
    }
}

/// A client that consumes a topic as a member of a group. Changes of its partitions happen within [`Client::poll`].
pub trait Client: Group {
    /// Gives the next event to `take`, or waits for it at most `wait`; none if there was none.
    fn poll<T>(&self, wait: Duration, take: impl FnOnce(Event<'_>) -> T) -> Option<T>;

    /// The partitions of the topic.
    fn partitions(&self) -> KafkaResult<Vec<i32>>;

    /// The offset of the partition's oldest record, and the one after its newest that may be read.
    fn watermarks(&self, partition: i32) -> KafkaResult<(i64, i64)>;

    /// The offset after its newest record, whether its transaction is decided or not.
    fn end(&self, partition: i32) -> KafkaResult<i64>;

    /// From where to read back before `next`, which another program committed.
    fn offset_by_time(&self, partition: i32, next: i64) -> KafkaResult<i64>;

    /// Continues a partition at `offset`. `reads` are all that are assigned, and where each reads on.
    fn move_to(&self, partition: i32, offset: i64, reads: &[(i32, Option<i64>)]) -> KafkaResult<()>;

    /// Why the client as a whole cannot go on, if it cannot.
    fn fatal(&self) -> Option<String>;
}

/// What a poll may find.
pub enum Event<'a> {
    /// A message.
    Record(Record<'a>),
    /// Everything before the end of a partition has come; the end, where it is known.
    End(i32, Option<i64>),
    /// Some partition asked for what the broker does not have.
    OutOfRange,
    /// Some partition cannot be read, for now.
    Failed(RDKafkaErrorCode),
    /// The client cannot go on.
    Fatal(RDKafkaErrorCode),
    /// An error of the client as a whole.
    Other(KafkaError),
}
