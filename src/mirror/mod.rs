//! Write-through: passages, alerts and cases to MyCat/MySQL, alerts and cases to Redis, passages to the lake. Each mirror follows the store from a cursor of its own.
//!
//! **Exactly once.** What a mirror sends is identified by its key at the target (GCXH, or the id of an alert or case, whose older state
//! never takes the place of a newer one),
//! so sending again changes nothing. The cursor moves only when the target has acknowledged. So a kill between sending,
//! executing, answering and noting does no harm: the next attempt begins at the cursor.
//!
//! **Apart from the pipeline.** A mirror reads what is committed and published, on threads of its own; the writer never
//! waits for it. What a mirror holds in memory is one segment and a few statements. What its target lacks waits on the
//! disk: retention leaves it there, up to `store.mirror_hold`.
//!
//! **Without end.** While a target is away a mirror retries, with growing pauses and without a limit. The follower
//! (`follow`) does this for every sink, and owns the cursor, the hold and the state by the sink's name; a sink knows only
//! its target. Sinks know neither each other, nor the source, nor the interface.

mod failure;
mod follow;
mod health;
mod lake;
mod mycat;
mod pauses;
mod record_rows;
mod records;
mod redis;
mod redis_cases;
mod refills;
mod rows;
#[cfg(test)]
pub(crate) mod simulated;
mod start;
mod statement;
mod tasks;

pub use rows::overwrite_statements;
pub use start::{MirrorError, start};
