//! Whole days: a date, and a range of event time that is given as a day, `today` or a date, in the place of its ends. It has no
//! clock: the caller says which day is today.

use std::ops::Range;

use traffic::{CivilTime, TimeRange, TimeZoneName};

use super::values::{Fields, SECONDS_PER_DAY, shortened};
use crate::serve::error::{ApiError, ErrorReason};

/// The day of the clock.
const TODAY: &str = "today";
/// Valid years of a date alone.
pub(in crate::serve) const YEARS: Range<i64> = 2000..2100;

impl Fields {
    /// The range of event time of `day`, or else of `start` and `end`. `now` is asked for the civil time, if `day` is `today`.
    ///
    /// # Errors
    /// 400 if one of them is no day or time, 409 if a day is given beside an end of a range, and as [`Fields::range`].
    pub(in crate::serve) fn day_or_range(
        &self,
        now: impl FnOnce() -> CivilTime,
        zone: &TimeZoneName,
    ) -> Result<TimeRange, ApiError> {
        let range = self.range("start", "end", zone)?;
        let Some(text) = self.exact("day")?.map(str::trim_end).filter(|text| !text.is_empty()) else {
            return Ok(range);
        };
        let wrong = || ApiError::new(ErrorReason::NotDay).with("given", shortened(text));
        let day = if text == TODAY { now() } else { date_of(text, zone).ok_or_else(wrong)? };
        if range != TimeRange::default() {
            return Err(ApiError::new(ErrorReason::DayAndRange));
        }
        let start = day.midnight();
        Ok(TimeRange { start: Some(start), end: Some(CivilTime(start.0.saturating_add(SECONDS_PER_DAY - 1))) })
    }
}

/// The first second of a date of [`YEARS`]; none if the text is something else, or has a time of day.
pub(in crate::serve) fn date_of(text: &str, zone: &TimeZoneName) -> Option<CivilTime> {
    let is_date = !text.contains([':', 'T', ' ']);
    let date = CivilTime::parse(text.as_bytes(), zone).filter(|_| is_date)?;
    YEARS.contains(&date.date().0).then_some(date)
}
