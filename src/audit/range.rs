//! Which passages both sides must have.
//!
//! Local storage keeps what is younger than its retention before the newest passage; MySQL's daily event removes what is
//! older than three days by the clock. Only what both keep can be compared. Passages that are all older than that, such
//! as a replayed capture, are compared as far as local storage keeps them.

use traffic::CivilTime;

const SECONDS_PER_HOUR: i64 = 3600;
/// What `auto_clean_traffic` of sql/events.sql leaves.
const MYSQL_KEEPS: i64 = 3 * 86_400;

/// The range to compare.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// From here on, instead of what both sides keep.
    pub since: Option<CivilTime>,
    /// Up to here.
    pub until: Option<CivilTime>,
    /// Seconds of event time that local storage keeps; none = forever.
    pub retention: Option<i64>,
    /// The clock.
    pub now: CivilTime,
}

impl Range {
    /// The first and the last second to compare, where the newest local passage is `newest`; none if there is none.
    pub(super) fn resolve(&self, newest: Option<CivilTime>) -> Option<(CivilTime, CivilTime)> {
        let newest = newest?;
        // One day more: what MySQL has and local storage does not is a difference too.
        let until = self.until.unwrap_or(CivilTime(newest.0.max(self.now.0) + 86_400));
        let since = self.since.unwrap_or_else(|| {
            let kept = self.retention.map_or(CivilTime::MIN.0, |retention| newest.0.min(self.now.0) - retention);
            let cleaned = self.now.0 - MYSQL_KEEPS;
            let first = if newest.0 > cleaned { kept.max(cleaned) } else { kept };
            CivilTime(
                (first.max(CivilTime::MIN.0) + SECONDS_PER_HOUR - 1).div_euclid(SECONDS_PER_HOUR) * SECONDS_PER_HOUR,
            )
        });
        Some((since, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(retention: Option<i64>, now: &str, newest: &str, since: &str) {
        let time = |text: &str| CivilTime::parse(text.as_bytes(), &traffic::TimeZoneName::default()).unwrap();
        let range = Range { since: None, until: None, retention, now: time(now) };
        let (from, to) = range.resolve(Some(time(newest))).unwrap();
        assert_eq!(from.to_string(), since);
        assert!(to > time(newest) && to > time(now));
    }

    #[test]
    fn what_both_sides_keep() {
        let day = 86_400;
        check(Some(3 * day), "2024-01-10 12:30:00", "2024-01-10 12:29:59", "2024-01-07 13:00:00");
        check(Some(day), "2024-01-10 12:30:00", "2024-01-10 12:29:59", "2024-01-09 13:00:00");
        check(None, "2024-01-10 12:30:00", "2024-01-10 12:29:59", "2024-01-07 13:00:00");
        // A capture of last year; a camera with a wrong date.
        check(None, "2025-01-10 12:30:00", "2024-01-10 12:29:59", "2000-01-01 00:00:00");
        check(Some(day), "2025-01-10 12:30:00", "2024-01-10 12:29:59", "2024-01-09 13:00:00");
        check(Some(day), "2024-01-10 12:30:00", "2024-01-11 12:00:00", "2024-01-09 13:00:00");
        let empty = Range { since: None, until: None, retention: None, now: CivilTime::MIN };
        assert_eq!(empty.resolve(None), None);
    }
}
