//! From the configuration to the settings of the parser and the store, for the commands that use them. It reads no file.

use std::sync::Arc;

use shard::ShardCount;
use traffic::evidence::EvidenceSettings;
use traffic::{CivilTime, Layout, ParserSettings};

use super::data_dir::StoreArgs;
use crate::clock::civil_now;
use crate::config::{Config, ConfigError, EvidenceUse, Sync};
use crate::store::{Keep, StoreSettings};

const DAY: i64 = 86_400;

/// The defaults, with what the environment sets.
pub(super) fn default_config() -> Result<Config, ConfigError> {
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    Config::from_toml("", environment)
}

/// The rule as text, which is stored in the position of a capture.
pub(super) fn rule_options(config: &Config) -> String {
    format!("{:?}", config.detect.detector_settings())
}

/// How lines are parsed, as configured.
pub(super) fn parser_settings(config: &Config, layout: Layout) -> ParserSettings {
    let zone = config.source.timezone.clone();
    ParserSettings {
        layout,
        delimiter: config.source.delimiter.fixed(),
        not_after: CivilTime(civil_now(&zone).0 + DAY),
        zone,
        max_names: config.store.max_names,
    }
}

/// How the store works, as configured.
pub(super) fn store_settings(config: &Config, args: StoreArgs) -> StoreSettings {
    StoreSettings {
        shards: ShardCount::new(config.store.shards),
        memory: config.store.memory.bytes(),
        sync: config.store.sync == Sync::Commit,
        compaction: true,
        accept_loss: args.accept_loss,
        expires: true,
        retention: keep(config.store.retention),
        alerts_retention: keep(config.store.alerts_retention),
        rejects_retention: keep(config.store.rejects_retention),
        retention_grace: i64::try_from(config.store.retention_grace.as_secs()).unwrap_or(i64::MAX),
        rejects_size: Some(config.store.rejects_size.0),
        mirror_hold: config.store.mirror_hold.0,
        publish: true,
        alert_index: config.store.alert_index.bytes(),
        detector: config.detect.detector_settings(),
        evidence: evidence_settings(config),
        plates: None,
        clock: {
            let zone = config.source.timezone.clone();
            Arc::new(move || civil_now(&zone))
        },
    }
}

/// The evidence as configured; none where it is off.
pub(super) fn evidence_settings(config: &Config) -> Option<EvidenceSettings> {
    (config.detect.evidence == EvidenceUse::On).then(|| EvidenceSettings {
        reach: i64::try_from(config.detect.reach.as_secs()).unwrap_or(i64::MAX),
        max_speed_kmh: config.detect.max_speed_kmh,
        open_from: config.cases.open,
        neighbours: None,
    })
}

fn keep(retention: crate::config::Retention) -> Keep {
    Keep { seconds: retention_seconds(retention), written: retention.is_written() }
}

/// As [`store_settings`], for a command that only reads or writes something else: nothing is dropped, what the directory
/// remembers of its retention stays, and it has the shards that it has.
pub(super) fn keeping_settings(config: &Config, args: StoreArgs) -> StoreSettings {
    StoreSettings { expires: false, shards: None, ..store_settings(config, args) }
}

/// Seconds of a retention; none = forever.
pub(super) fn retention_seconds(retention: crate::config::Retention) -> Option<i64> {
    retention.duration().map(|duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
