//! The real binary from outside: whole processes over captures as dirty as real exports, killed and stopped at any
//! moment, on full disks and damaged directories, with clients of its HTTP interface.
//!
//! What it must answer comes from a naive model that was written from the contract alone.

pub(crate) mod access;
mod agreement;
mod audit;
mod backup;
pub(crate) mod bad;
mod cases;
mod closed_log;
mod crash;
mod damage;
pub(crate) mod demo;
mod determinism;
pub(crate) mod dirty;
mod docs;
mod events;
mod evidence;
mod forget;
mod formats;
mod front_ends;
pub(crate) mod full_disk;
mod growing;
mod help;
mod hostile;
mod https;
mod identity;
mod ingest;
mod limits;
mod live_input;
mod model;
mod mqtt;
mod old_directory;
mod precision;
mod predict;
mod predict_quality;
mod private;
mod prove;
mod pseudonyms;
pub(crate) mod reading;
mod retention;
mod scope;
mod shards;
mod viid;
mod viid_settings;
mod work;
mod wrong_clocks;
