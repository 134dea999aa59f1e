//! The data as somebody sees it who is limited to some districts and checkpoints: a [`Reader`](crate::reader::Reader) over another
//! one, that answers every question as if there were nothing else.
//!
//! The catalogue says which checkpoint lies in which district; everything is decided by the checkpoint of a record, so counts,
//! lists and pages agree. It does not know HTTP, nor who asks.
//!
//! | module | what it is |
//! |---|---|
//! | `reach` | the checkpoints of a scope |
//! | `hide` | what is shown of alerts and cases that are partly outside |
//! | `snapshot`, `reader` | the questions of [`crate::reader`], each narrowed |
//! | `scoping` | the whole data, and the views of it |

mod hide;
mod reach;
mod reader;
mod scoping;
mod snapshot;

#[cfg(test)]
pub use hide::OUTSIDE;
pub use scoping::Scoping;
