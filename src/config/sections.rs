//! The declarations of all settings: one file for each section, and one for the root. They know neither what the settings do
//! nor how they are read.

mod api;
mod detect;
mod kafka;
mod mycat;
mod predict;
mod redis;
mod root;
mod source;
mod store;

pub use api::ApiConfig;
pub use detect::{ComparedPlates, DetectConfig};
pub use kafka::{KafkaConfig, KafkaStart};
pub use mycat::{MycatConfig, MysqlTls};
pub use predict::{PredictConfig, ServedModel, TrainFrom};
pub use redis::RedisConfig;
pub use root::{Config, Role};
pub use source::{Order, SourceConfig, SourceKind, TextEncoding};
pub use store::Sync;
