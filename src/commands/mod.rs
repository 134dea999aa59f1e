//! One file per subcommand, and what they share. Only here, and in the pipeline, sources, store and HTTP interface meet.

mod capture_args;
pub mod config;
pub mod connect;
mod data_dir;
pub mod demo;
pub mod export;
pub mod failure;
pub mod import_checkpoints;
pub mod mirror_check;
mod models;
mod outcome;
mod passwords;
mod progress;
pub mod prove;
mod recorded;
pub mod replay;
pub mod serve;
mod serve_api;
mod serving;
mod settings;
pub mod shard;
pub mod ship;
mod signals;
pub mod simulate;
pub mod token;
pub mod train;
pub mod user;
