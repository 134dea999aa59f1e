//! The real binary from outside: whole processes over captures as dirty as real exports, killed and stopped at any
//! moment, on full disks and damaged directories, with clients of its HTTP interface.
//!
//! What it must answer comes from a naive model that was written from the contract alone.

mod access;
mod agreement;
mod audit;
mod bad;
mod cases;
mod closed_log;
mod crash;
mod damage;
mod demo;
mod determinism;
mod dirty;
mod evidence;
mod forget;
mod formats;
mod full_disk;
mod growing;
mod hostile;
mod https;
mod identity;
mod limits;
mod live_input;
mod model;
mod old_directory;
mod precision;
mod predict;
mod predict_quality;
mod private;
mod prove;
mod reading;
mod retention;
mod shards;
mod work;
mod wrong_clocks;
