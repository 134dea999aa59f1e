//! How many alerts a day has: counted once over all that are stored, then kept up with the new ones, so that the
//! headline numbers, which every page asks for all the time, do not read the alerts again and again.

use std::sync::{Mutex, PoisonError};

use traffic::{Alert, CivilTime};

use super::fields::SECONDS_PER_DAY;
use crate::reader::{AlertFilter, ReadError, Snapshot, TimeRange};

/// New alerts read at once.
const BATCH: usize = 1000;

/// The count of one day, up to some alert.
#[derive(Default)]
pub(super) struct AlertsToday {
    counted: Mutex<Option<Counted>>,
}

struct Counted {
    midnight: CivilTime,
    /// `seq` of the last alert that was looked at.
    seq: u64,
    alerts: u64,
}

impl AlertsToday {
    /// How many alerts have their later sighting on the day of `now`.
    ///
    /// # Errors
    /// [`ReadError`] if the alerts could not be read.
    pub(super) fn count(&self, snapshot: &dyn Snapshot, now: CivilTime) -> Result<u64, ReadError> {
        let midnight = now.midnight();
        // Held while reading, so that of many who ask at once only one counts. A panic meanwhile leaves a true count.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = match counted.take() {
            Some(state) if state.midnight == midnight => state,
            _ => {
                let filter = AlertFilter { time: day(midnight), ..AlertFilter::default() };
                let seq = snapshot.totals().alerts;
                Counted { midnight, seq, alerts: snapshot.alerts(&filter, 1, 1)?.total }
            }
        };
        let today = midnight.to_string();
        let date = today.split(' ').next().unwrap_or_default();
        while state.seq < snapshot.totals().alerts {
            let new = snapshot.alerts_after(state.seq, BATCH)?;
            let Some(last) = new.last() else { break };
            state.seq = last.seq;
            state.alerts += new.iter().filter(|alert| is_on(alert, date)).count() as u64;
        }
        Ok(counted.insert(state).alerts)
    }
}

/// The seconds of the day that begins at `midnight`.
pub(super) fn day(midnight: CivilTime) -> TimeRange {
    TimeRange { start: Some(midnight), end: Some(CivilTime(midnight.0 + SECONDS_PER_DAY - 1)) }
}

fn is_on(alert: &Alert, date: &str) -> bool {
    alert.curr_time.split(' ').next() == Some(date)
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
        let check = |now: &str, expected: u64| {
            let snapshot = reader.snapshot();
            assert_eq!(kept.count(&*snapshot, time(now)).unwrap(), expected, "{now}");
            assert_eq!(AlertsToday::default().count(&*snapshot, time(now)).unwrap(), expected, "{now}");
        };
        let raise = |seq, curr_time| {
            let raised = alert(seq, "苏C12345", "a", "b", curr_time, Severity::High, Rule::Window);
            reader.commit(Vec::new(), vec![raised]);
        };
        check("2024-01-02 12:00:00", 2);
        raise(4, "2024-01-02 12:00:01");
        raise(5, "2024-01-01 23:59:59");
        check("2024-01-02 12:00:02", 3);
        check("2024-01-02 12:00:02", 3);
        raise(6, "2024-01-03 00:00:00");
        check("2024-01-02 23:59:59", 3);
        check("2024-01-03 00:00:00", 1);
        let many =
            (7..=3000).map(|seq| alert(seq, "苏C12345", "a", "b", "2024-01-03 00:00:01", Severity::High, Rule::Window));
        reader.commit(Vec::new(), many.collect());
        check("2024-01-03 00:00:02", 2995);
    }
}
