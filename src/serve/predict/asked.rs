//! What a request asks for: a checkpoint or the whole city, and an hour or a day. It makes no predictions.

use traffic::Catalogue;

use crate::forecast::Forecast;
use crate::reader::{Group, TimeRange};
use crate::serve::error::{ApiError, ErrorReason};
use crate::serve::fields::{Fields, YEARS, date_of};
use crate::serve::records::{kkmc_texts, label};
use crate::serve::sight::Sight;
use crate::serve::state::Api;

/// All checkpoints together.
const CITY: &str = "全市";
/// Hours of a day.
pub(super) const HOURS: i64 = 24;
/// Maximum number of checkpoints in an error.
const LISTED: usize = 20;

/// A checkpoint or the whole city.
pub(super) struct Place {
    /// Names by which the checkpoint may have been recorded; none for the whole city.
    pub(super) names: Option<Vec<String>>,
    pub(super) code: String,
    pub(super) label: String,
}

impl Api {
    /// The requested hour, counted from 1970.
    pub(super) fn asked_hour(&self, fields: &Fields) -> Result<i64, ApiError> {
        let hour = fields.whole_if_given("hour", 0..=23)?.map(|hour| hour as i64);
        let next = self.now().hour() + 1;
        Ok(match (self.asked_day(fields)?, hour) {
            (None, None) => next,
            (Some(day), None) => day * HOURS + next.rem_euclid(HOURS),
            (Some(day), Some(hour)) => day * HOURS + hour,
            (None, Some(hour)) => {
                let now = self.now().hour();
                now + (hour - now.rem_euclid(HOURS)).rem_euclid(HOURS)
            }
        })
    }

    /// The requested day, counted from 1970.
    pub(super) fn asked_day(&self, fields: &Fields) -> Result<Option<i64>, ApiError> {
        let Some(text) = fields.exact("date")?.map(str::trim_end) else { return Ok(None) };
        let wrong = || {
            ApiError::new(ErrorReason::NotDate)
                .with("name", "date")
                .with("first", YEARS.start)
                .with("last", YEARS.end - 1)
                .with("given", format!("{:?}", text.chars().take(60).collect::<String>()))
        };
        Ok(Some(date_of(text, &self.settings.zone).ok_or_else(wrong)?.day()))
    }

    /// The requested checkpoint, or the whole city.
    pub(super) async fn asked_place(&self, sight: &Sight, fields: &Fields) -> Result<Place, ApiError> {
        let city = Place { names: None, code: CITY.to_owned(), label: CITY.to_owned() };
        let Some(text) = fields.text("kkmc")?.filter(|text| *text != CITY) else {
            return sight.whole().map(|()| city);
        };
        let catalogue = sight.catalogue();
        let names = kkmc_texts(&catalogue, &text);
        let code = names.first().cloned().unwrap_or_default();
        // It knows checkpoints everywhere.
        let model = self.settings.forecaster.current().filter(|_| !sight.is_limited());
        let is_listed = catalogue.find(&code).is_some();
        let is_learnt = || model.as_ref().is_some_and(|model| model.checkpoint(&names, 0).is_some());
        if is_listed || is_learnt() || self.was_recorded(sight, code.clone()).await? {
            return Ok(Place { label: label(&catalogue, &code), code, names: Some(names) });
        }
        Err(unknown(&text, &catalogue, model.as_deref()))
    }

    /// Whether there is a retained passage of this checkpoint.
    async fn was_recorded(&self, sight: &Sight, kkmc: String) -> Result<bool, ApiError> {
        let counts = self.counters(sight, |snapshot| snapshot.counts(Group::Checkpoint, TimeRange::default())).await?;
        Ok(counts.iter().any(|(name, _)| **name == *kkmc))
    }
}

/// 404 with the first of the known checkpoints.
fn unknown(text: &str, catalogue: &Catalogue, model: Option<&dyn Forecast>) -> ApiError {
    let mut known: Vec<String> = catalogue.iter().take(LISTED).map(|checkpoint| checkpoint.code.clone()).collect();
    let mut all = catalogue.len();
    if let Some(model) = model {
        let (names, count) = model.names(LISTED);
        if known.is_empty() {
            known = names;
        }
        all = all.max(count);
    }
    let more = if all > known.len() { format!(" and {} more", all - known.len()) } else { String::new() };
    ApiError::new(ErrorReason::UnknownCheckpoint)
        .with("given", format!("{:?}", text.chars().take(60).collect::<String>()))
        .with("known", known.join(", ") + &more)
}
