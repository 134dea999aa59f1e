//! Questions and their answers: a [`View`] is one immutable, consistent state, from which every question of a request
//! is answered. Nothing here uses the writer.

mod alerts;
mod cache;
mod case_times;
mod cases;
mod counts;
mod cursor;
mod page;
mod passages;
mod rejects;
mod rows;
mod select;
mod snapshot;
mod view;

pub(super) use cache::ColumnCache;
pub use cases::ChangedCase;
pub(super) use counts::named;
pub(super) use view::Reading;
pub use view::View;
