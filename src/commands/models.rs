//! The registry of flow models in the data directory, and prediction as configured: where `predict` and the store meet.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::clock::civil_now;
use crate::config::{Config, ServedModel, TrainFrom};
use crate::predict::{Kind, Registry, ServiceSettings, VERSIONS};
use crate::store::StoreHandle;

/// The registry in sled.
#[derive(Debug)]
pub(super) struct StoreRegistry(pub(super) Arc<StoreHandle>);

impl Registry for StoreRegistry {
    fn versions(&self) -> Vec<Value> {
        let values = self.0.models().unwrap_or_else(|error| {
            tracing::warn!(%error, "the registry of flow models cannot be read");
            Vec::new()
        });
        let mut versions: Vec<Value> = values.iter().filter_map(|value| serde_json::from_slice(value).ok()).collect();
        versions.sort_by_cached_key(|metadata| std::cmp::Reverse(key_of(metadata)));
        versions
    }

    fn remember(&self, version: &str, metadata: &Value) {
        let mut versions = self.versions();
        versions.retain(|known| known.get("version").and_then(Value::as_str) != Some(version));
        versions.push(metadata.clone());
        versions.sort_by_cached_key(|metadata| std::cmp::Reverse(key_of(metadata)));
        versions.truncate(VERSIONS);
        let entries: Vec<(Vec<u8>, Vec<u8>)> = versions
            .iter()
            .map(|metadata| (key_of(metadata).1.into_bytes(), serde_json::to_vec(metadata).unwrap_or_default()))
            .collect();
        if let Err(error) = self.0.set_models(&entries) {
            tracing::warn!(%error, version, "the flow model is not in the registry");
        }
    }
}

/// Time of training, and version.
fn key_of(metadata: &Value) -> (i64, String) {
    let version = metadata.get("version").and_then(Value::as_str).unwrap_or_default();
    (metadata.get("trained_at_unix").and_then(Value::as_i64).unwrap_or_default(), version.to_owned())
}

/// Prediction as configured. Without a data directory the history of counts is kept in memory.
pub(super) fn service_settings(
    config: &Config,
    data_dir: Option<PathBuf>,
    registry: Arc<dyn Registry>,
) -> ServiceSettings {
    let predict = &config.predict;
    let zone = config.source.timezone.clone();
    ServiceSettings {
        folder: predict.model_dir.clone(),
        pinned: pinned(predict.kind),
        interval: predict.interval,
        holidays: predict.holidays.clone(),
        retrain_every: (predict.train == TrainFrom::Counters).then_some(predict.retrain_every),
        least_hours: predict.min_hours,
        keep_hours: i64::try_from(predict.history.as_secs() / 3600).unwrap_or(i64::MAX),
        data_dir,
        clock: Arc::new(move || civil_now(&zone)),
        registry,
    }
}

/// The kind that is always served; none means the best one.
pub(super) fn pinned(kind: ServedModel) -> Option<Kind> {
    match kind {
        ServedModel::Auto => None,
        ServedModel::Seasonal => Some(Kind::Seasonal),
        ServedModel::SparkLinear => Some(Kind::SparkLinear),
        ServedModel::RecentWeeks => Some(Kind::RecentWeeks),
        ServedModel::Blend => Some(Kind::Blend),
    }
}
