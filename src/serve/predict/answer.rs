//! The predictor of an answer, a model or the mean of the counts, and the actual counts to compare with.

use std::sync::Arc;

use super::asked::{HOURS, Place};
use super::json::ModelJson;
use crate::forecast::{FlowForecast, Forecast};
use crate::serve::codes::UNTRAINED;
use crate::serve::error::ApiError;
use crate::serve::fields::SECONDS_PER_DAY;
use crate::serve::sight::Sight;
use crate::serve::state::Api;
use crate::serve::untrained::Means;

/// The model that was served when the request arrived, or the means of the counts.
pub(super) enum Predictor {
    Model(Arc<dyn Forecast>),
    Untrained(Means),
}

impl Predictor {
    pub(super) fn forecast(&self, place: &Place, hour: i64) -> FlowForecast {
        match (self, &place.names) {
            (Self::Model(model), None) => model.city(hour),
            (Self::Model(model), Some(names)) => {
                model.checkpoint(names, hour).unwrap_or_else(|| model.unknown_checkpoint(hour))
            }
            (Self::Untrained(means), names) => means.forecast(names.as_deref(), hour),
        }
    }

    pub(super) fn json(&self) -> ModelJson {
        match self {
            Self::Model(model) => model.about().into(),
            Self::Untrained(_) => {
                ModelJson { kind: UNTRAINED, version: None, trained_at: None, interval: 1.0, interval_samples: 0 }
            }
        }
    }
}

impl Api {
    /// The current model, or without one the means of the counts.
    pub(super) async fn predictor(&self, sight: &Sight) -> Result<Predictor, ApiError> {
        match self.settings.forecaster.current() {
            Some(model) => Ok(Predictor::Model(model)),
            None => self.counters(sight, Means::read).await.map(Predictor::Untrained),
        }
    }

    /// Counted passages in each hour of a day, of the checkpoint with these names or of all.
    pub(super) async fn counted_on(
        &self,
        sight: &Sight,
        day: i64,
        names: Option<Vec<String>>,
    ) -> Result<Vec<Option<u64>>, ApiError> {
        let now = self.now();
        let first = day * HOURS;
        // There are no counts of the future.
        if first * 3600 > now.0 + SECONDS_PER_DAY {
            return Ok(vec![None; HOURS as usize]);
        }
        let snapshot = sight.snapshot();
        // A change of threads would take longer than the read.
        let hours = if snapshot.has_hours_at_hand() {
            snapshot.hours(first, first + HOURS - 1, HOURS as usize)?
        } else {
            self.counters(sight, move |snapshot| snapshot.hours(first, first + HOURS - 1, HOURS as usize)).await?
        };
        let mut counted = vec![None; HOURS as usize];
        for hour in hours.iter().filter(|hour| hour.is_whole && hour.hour < now.hour()) {
            let place = usize::try_from(hour.hour - first).ok().and_then(|place| counted.get_mut(place));
            if let Some(place) = place {
                let is_wanted = |name: &str| names.as_ref().is_none_or(|names| names.iter().any(|known| known == name));
                let counts = hour.checkpoints.iter().filter(|(name, _)| is_wanted(name));
                *place = Some(counts.map(|(_, count)| count).sum());
            }
        }
        Ok(counted)
    }
}
