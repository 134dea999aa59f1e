//! The store from inside: whatever is committed in whatever pieces, across whatever restarts, the answers are those of
//! plain lists. Sizes at which segments are merged and sealed are made small, so that few rows pass every turn.

mod alerts;
mod crash;
mod golden;
mod limits;
mod mirror_feed;
mod model;
mod queries;
mod retention;
mod scene;
