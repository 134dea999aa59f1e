//! Platewatch: real-time expressway monitoring and cloned-plate (套牌车) early warning in one process.
//!
//! Data flows one way:
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
//! publishes after each commit, so that no query can slow the pipeline.
//!
//! Each [`mirror`] follows the log from its own cursor. [`predict`] learns the hourly pattern of each checkpoint from the
//! counters and forecasts the next hours. In the role `api`, [`remote`] answers instead of the store.
//!
//! `source`, `mirror`, `predict` and `serve` never import one another: only [`pipeline`] and [`commands`] join them.

#![expect(
    unreachable_pub,
    reason = "`pub` in a module means: for the rest of the program; what leaves it is `commands`, `plain` and `internals`"
)]

pub(crate) mod alert_json;
pub(crate) mod appliance;
pub(crate) mod audit;
mod backup;
pub(crate) mod batch;
mod calibration;
pub(crate) mod camera_clocks;
mod cameras;
mod case_json;
pub(crate) mod clock;
pub mod commands;
pub(crate) mod config;
pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod forecast;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub(crate) mod gate;
mod http_client;
mod kept_proof;
mod lake;
mod mentions;
pub(crate) mod mirror;
pub(crate) mod mqtt;
pub(crate) mod mysql;
mod named;
pub(crate) mod oidc;
pub(crate) mod pipeline;
pub mod plain;
pub(crate) mod predict;
pub(crate) mod producer;
pub(crate) mod prove;
mod pseudonyms;
pub(crate) mod reader;
pub(crate) mod redis_client;
pub(crate) mod remote;
mod roads;
mod scope;
pub(crate) mod serve;
#[cfg(test)]
mod simulation;
pub(crate) mod source;
pub(crate) mod status;
pub(crate) mod store;
mod suggest;
mod trust;
pub(crate) mod viid;
pub(crate) mod work;
mod work_json;

/// What the benches and the tests of the whole program reach into. Nothing else may.
#[doc(hidden)]
pub mod internals {
    pub use crate::alert_json::to_text as alert_text;
    pub use crate::appliance::Appliance;
    pub use crate::batch::Batch;
    pub use crate::config::Config;
    pub use crate::gate::Trail;
    pub use crate::mysql::{MysqlError, MysqlPool, push_text};
    pub use crate::pipeline::{Router, run as run_pipeline};
    pub use crate::predict::{
        Calendar, FlowModel, Grid, GridBuilder, LoadedModel, Pace, TrainSettings, date_text, import as import_pipeline,
        is_weekend, read_table, train,
    };
    pub use crate::reader::{AlertFilter, Snapshot, TimeRange};
    pub use crate::serve::{
        ConnectionSettings, ServeSettings, bind as bind_server, routers as serve_routers, serve as serve_until,
    };
    pub use crate::source::capture::{Capture, CaptureSettings};
    pub use crate::source::simulator::{Simulator, SimulatorSettings};
    pub use crate::store::{RefusedRow, Store, StoreSettings, View};
    pub use crate::work::{WorkChange, WorkStatus};
}
