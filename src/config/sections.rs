//! The declarations of all settings: those outside sections here, and one file for each section. They know neither what the
//! settings do nor how they are read.

mod api;
mod audit;
mod cases;
mod detect;
mod kafka;
mod lake;
mod mqtt;
mod mycat;
mod oidc;
mod predict;
mod privacy;
mod redis;
mod source;
mod store;
mod viid;

use std::path::PathBuf;

use super::declare::{choices, settings};
use store::StoreConfig;

pub use api::{ApiConfig, TimeFormat};
pub use audit::PurposeUse;
pub use detect::{ComparedPlates, DetectConfig, EvidenceUse};
pub use kafka::{KafkaConfig, KafkaStart};
pub use lake::LakeConfig;
pub use mqtt::MqttConfig;
pub use mycat::{MycatConfig, MysqlTls};
pub use oidc::OidcConfig;
pub use predict::{PredictConfig, ServedModel, TrainFrom};
pub use redis::RedisConfig;
pub use source::{Order, SimulatedRoads, SourceConfig, SourceKind, TextEncoding};
pub use store::Sync;
pub use viid::{ViidConfig, ViidProof};

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
        mqtt: MqttConfig;
        viid: ViidConfig;
        detect: DetectConfig;
        cases: cases::CasesConfig;
        store: StoreConfig;
        mycat: MycatConfig;
        redis: RedisConfig;
        lake: LakeConfig;
        api: ApiConfig;
        audit: audit::AuditConfig;
        privacy: privacy::PrivacyConfig;
        oidc: OidcConfig;
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
