//! The state of detection: counts, the clocks of the checkpoints, and what was already logged about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::camera_clocks::DetectionStatus;
use crate::store::disk::records::DetectionTotals;

/// The same, and what was already logged about it.
#[derive(Debug, Default)]
pub(in crate::store) struct Detection {
    pub(in crate::store) totals: DetectionTotals,
    written: DetectionTotals,
    logged_conflict: bool,
    logged_forgotten: bool,
    /// KKMCs about which something was logged.
    logged: BTreeSet<Arc<str>>,
    status: DetectionStatus,
}

impl Detection {
    pub(in crate::store) fn new(totals: DetectionTotals) -> Self {
        Self { written: totals.clone(), totals, ..Self::default() }
    }

    /// Records a GCXH that came again with another GCSJ.
    pub(in crate::store) fn conflict(&mut self, gcxh: String) {
        if !std::mem::replace(&mut self.logged_conflict, true) {
            tracing::warn!(
                gcxh,
                "a passage id came again with another time and was rejected as gcxh_conflict: ids that a spreadsheet has \
                 ruined look like this, export them as text"
            );
        }
        self.totals.conflict_sample.get_or_insert(gcxh);
    }

    pub(in crate::store) fn status(&self) -> DetectionStatus {
        self.status.clone()
    }

    /// The totals, if they have changed since the last call.
    pub(in crate::store) fn take_changed(&mut self) -> Option<&DetectionTotals> {
        if self.totals == self.written {
            return None;
        }
        self.written = self.totals.clone();
        Some(&self.written)
    }

    /// Takes the current status, and logs what is new in it if the log is read.
    pub(in crate::store) fn set_status(&mut self, status: DetectionStatus, is_logged: bool) {
        self.status = status;
        if is_logged {
            self.log_new();
        }
    }

    /// Logs what is new about clocks, once for each checkpoint.
    fn log_new(&mut self) {
        for clock in &self.status.checkpoints {
            if let Some(advice) = clock.advice
                && !self.logged.contains(&clock.kkmc)
            {
                self.logged.insert(clock.kkmc.clone());
                tracing::warn!(
                    kkmc = &*clock.kkmc,
                    code = advice.code(),
                    offset_seconds = clock.offset_seconds,
                    ahead = clock.ahead,
                    late = clock.late,
                    accepted = clock.accepted,
                    "a checkpoint's times do not agree with the others: {}",
                    advice.text()
                );
            }
        }
        if self.totals.forgotten > 0 && !std::mem::replace(&mut self.logged_forgotten, true) {
            tracing::warn!(
                forgotten = self.totals.forgotten,
                "a plate has more sightings within detect.state_ttl than are kept: some of them are not compared any more"
            );
        }
    }
}
