//! The settings outside sections, and all sections together.

use std::path::PathBuf;

use super::api::ApiConfig;
use super::detect::DetectConfig;
use super::kafka::KafkaConfig;
use super::mycat::MycatConfig;
use super::predict::PredictConfig;
use super::redis::RedisConfig;
use super::source::SourceConfig;
use super::store::StoreConfig;
use crate::config::declare::{choices, settings};

settings! {
    /// Platewatch: real-time expressway monitoring and cloned-plate early warning in one binary.
    pub struct Config {
        /// Which parts of the appliance this process runs: intake, storage, mirrors and API.
        role: Role = Role::All;
        /// The directory that holds the database. It is created if missing; only one process at a time may use it.
        data_dir: PathBuf = "platewatch-data".into();
    }
    sections {
        source: SourceConfig;
        kafka: KafkaConfig;
        detect: DetectConfig;
        store: StoreConfig;
        mycat: MycatConfig;
        redis: RedisConfig;
        api: ApiConfig;
        predict: PredictConfig;
    }
}

choices! {
    /// Which parts of the appliance this process runs.
    pub enum Role {
        /// Everything in one process.
        All = "all",
        /// Intake, storage and mirrors; of the API only the status (`/api/status`, `/healthz`, `/readyz`, `/metrics`).
        Ingest = "ingest",
        /// The API and the web page, answered from `[mycat]` and `[redis]`: no intake, no storage, no data directory.
        Api = "api",
    }
}
