//! The store from inside: in whatever parts data is committed, and across whatever restarts, the answers are those of
//! plain lists. Sizes at which segments are merged and sealed are made small, so that few rows take every branch.

mod aged;
mod alerts;
mod cases;
mod crash;
mod forget;
mod golden;
mod limits;
mod mirror_feed;
mod model;
mod queries;
mod retention;
mod scene;
#[cfg(feature = "failpoints")]
pub(crate) mod simulated;
mod traces;
