//! The number of alerts of a day: counted once over all stored alerts, then updated with new ones, so that the headline
//! numbers, which every page polls, do not read all alerts each time.

use parking_lot::Mutex;
use traffic::{CivilTime, Severity};

use super::fields::SECONDS_PER_DAY;
use crate::reader::{AlertFilter, ReadError, Snapshot, TimeRange};

/// New alerts read at once.
const BATCH: usize = 1000;

/// The count of one day, up to some alert.
#[derive(Default)]
pub(super) struct AlertsToday {
    counted: Mutex<Option<Counted>>,
}

/// Alerts whose later sighting is on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayAlerts {
    pub(super) all: u64,
    /// Of these, severity high.
    pub(super) high: u64,
}

struct Counted {
    midnight: CivilTime,
    /// `seq` of the last alert that was counted.
    seq: u64,
    alerts: DayAlerts,
}

impl AlertsToday {
    /// The number of alerts whose later sighting is on the day of `now`.
    ///
    /// # Errors
    /// [`ReadError`] if the alerts could not be read.
    pub(super) fn count(&self, snapshot: &dyn Snapshot, now: CivilTime) -> Result<DayAlerts, ReadError> {
        let midnight = now.midnight();
        // Held while reading, so that only one of many concurrent requests counts. A panic meanwhile leaves a correct count.
        let mut counted = self.counted.lock();
        let mut state = match counted.take() {
            Some(state) if state.midnight == midnight => state,
            _ => {
                let seq = snapshot.totals().alerts;
                let of_severity = |severity| {
                    let filter = AlertFilter { time: day(midnight), severity, ..AlertFilter::default() };
                    snapshot.alerts(&filter, 1, 1).map(|page| page.total)
                };
                let alerts = DayAlerts { all: of_severity(None)?, high: of_severity(Some(Severity::High))? };
                Counted { midnight, seq, alerts }
            }
        };
        while state.seq < snapshot.totals().alerts {
            let new = snapshot.alerts_after(state.seq, BATCH)?;
            let Some(last) = new.last() else { break };
            state.seq = last.seq;
            for alert in new.iter().filter(|alert| alert.later.passed_at.midnight() == midnight) {
                state.alerts.all += 1;
                state.alerts.high += u64::from(alert.severity == Severity::High);
            }
        }
        Ok(counted.insert(state).alerts)
    }
}

/// The seconds of the day that begins at `midnight`.
pub(super) fn day(midnight: CivilTime) -> TimeRange {
    TimeRange { start: Some(midnight), end: Some(CivilTime(midnight.0 + SECONDS_PER_DAY - 1)) }
}

#[cfg(test)]
mod tests {
    use traffic::{Rule, Severity};

    use super::*;
    use crate::reader::Reader;
    use crate::serve::tests::memory::{MemoryReader, alert};
    use crate::serve::tests::time;

    #[test]
    fn keeps_up_and_agrees_with_counting_afresh() {
        let reader = MemoryReader::sample();
        let kept = AlertsToday::default();
        let check = |now: &str, all: u64, high: u64| {
            let snapshot = reader.snapshot();
            let expected = DayAlerts { all, high };
            assert_eq!(kept.count(&*snapshot, time(now)).unwrap(), expected, "{now}");
            assert_eq!(AlertsToday::default().count(&*snapshot, time(now)).unwrap(), expected, "{now}");
        };
        let raise = |seq, curr_time, severity| {
            let raised = alert(seq, "苏C12345", "a", "b", curr_time, severity, Rule::Window);
            reader.commit(Vec::new(), vec![raised]);
        };
        check("2024-01-02 12:00:00", 2, 1);
        raise(4, "2024-01-02 12:00:01", Severity::High);
        raise(5, "2024-01-01 23:59:59", Severity::High);
        check("2024-01-02 12:00:02", 3, 2);
        check("2024-01-02 12:00:02", 3, 2);
        raise(6, "2024-01-03 00:00:00", Severity::Low);
        check("2024-01-02 23:59:59", 3, 2);
        check("2024-01-03 00:00:00", 1, 0);
        let many =
            (7..=3000).map(|seq| alert(seq, "苏C12345", "a", "b", "2024-01-03 00:00:01", Severity::High, Rule::Window));
        reader.commit(Vec::new(), many.collect());
        check("2024-01-03 00:00:02", 2995, 2994);
    }
}
