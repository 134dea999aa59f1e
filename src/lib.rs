//! Platewatch: real-time expressway monitoring and cloned-plate (套牌车) early warning in one process.
//!
//! Data walks a straight road and never turns back:
//!
//! ```text
//! source ──▶ parse ──▶ route ──▶ detect ──▶ commit ──▶ serve (API, SSE, web page)
//! (file,               (shard)   (pure)     (one atomic └▶ mirror (MyCat/MySQL,
//!  simulator)                               write)                 Redis)
//! ```
//!
//! A [`source`] reads lines on a thread of its own and parses them into columns ([`traffic::PassageBatch`]). The writer
//! ([`pipeline`]) routes each passage to the shard that MyCat would choose ([`shard::Ring`]), lets the partition's
//! [`traffic::Detector`] compare it with the plate's other sightings, and commits rows, plate states, alerts, rejects,
//! counters and the source's position as one write ([`store`]). Readers ([`serve`]) ask immutable views that the writer
//! publishes after each commit, so that no question can slow the road.
//!
//! Each [`mirror`] follows the log from a cursor of its own. Beside the road, [`predict`] learns the rhythm of each
//! checkpoint from the counters and says what the next hours bring. In the role `api`, [`remote`] answers in the place of
//! the store.
//!
//! `source`, `mirror`, `predict` and `serve` never import one another: only [`pipeline`] and [`commands`] join them.

pub mod alert_json;
pub mod appliance;
pub mod audit;
pub mod batch;
pub mod camera_clocks;
pub mod clock;
pub mod commands;
pub mod config;
pub mod forecast;
pub mod mirror;
pub mod mysql;
pub mod pipeline;
pub mod plain;
pub mod predict;
pub mod producer;
pub mod reader;
pub mod redis_client;
pub mod remote;
pub mod serve;
pub mod source;
pub mod status;
pub mod store;
mod suggest;
pub mod work;
