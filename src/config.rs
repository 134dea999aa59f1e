//! The configuration: every setting with its type, default, documentation and check, declared once.
//!
//! What a user writes is TOML; an environment variable `PLATEWATCH__SECTION__KEY` overrides it; everything is checked
//! before anything starts, and what is wrong is named by setting and line ([`ConfigError`]). The declarations are
//! also the reference: [`Config::to_toml_with_docs`] and [`reference_markdown`] print them. This module opens no
//! socket and no data directory, and does not know what the settings do.

mod checks;
mod contradictions;
mod declare;
mod error;
mod load;
mod properties;
mod reference;
mod sections;
mod server;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod values;

pub use error::ConfigError;
pub use reference::reference_markdown;
pub use sections::{
    ApiConfig, ComparedPlates, Config, EvidenceUse, KafkaConfig, KafkaStart, LakeConfig, MqttConfig, MycatConfig,
    MysqlTls, Order, PredictConfig, PurposeUse, RedisConfig, Role, ServedModel, SimulatedRoads, SourceConfig,
    SourceKind, Sync, TextEncoding, TimeFormat, TrainFrom, ViidConfig, ViidProof,
};
pub use server::ServerUrl;
pub use units::{ByteSize, Retention, duration_text, parse_duration, parse_retention, parse_size};
