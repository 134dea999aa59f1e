//! How many passages the last minute of event time had.

use traffic::CivilTime;

/// How many passages each of the last 60 seconds of event time had.
#[derive(Debug, Clone)]
pub(in crate::store) struct LastMinute {
    newest: Option<i64>,
    counts: [u64; 60],
}

impl Default for LastMinute {
    fn default() -> Self {
        Self { newest: None, counts: [0; 60] }
    }
}

impl LastMinute {
    #[inline]
    pub(in crate::store) fn see(&mut self, time: CivilTime) {
        let newest = self.newest.unwrap_or(time.0);
        if time.0 > newest {
            for second in (newest + 1..=time.0).take(60) {
                if let Some(count) = self.counts.get_mut(second.rem_euclid(60) as usize) {
                    *count = 0;
                }
            }
            if time.0 - newest >= 60 {
                self.counts = [0; 60];
            }
        }
        self.newest = Some(newest.max(time.0));
        if newest - time.0 < 60
            && let Some(count) = self.counts.get_mut(time.0.rem_euclid(60) as usize)
        {
            *count += 1;
        }
    }

    /// The newest time that was seen.
    pub(in crate::store) fn newest(&self) -> Option<i64> {
        self.newest
    }

    pub(in crate::store) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What a commit stores of it. Which passages were ahead when they came cannot be derived from the rows.
    pub(in crate::store) fn kept(&self) -> (Option<i64>, Vec<u64>) {
        (self.newest, self.counts.to_vec())
    }

    /// As a commit stored it.
    pub(in crate::store) fn of((newest, kept): (Option<i64>, Vec<u64>)) -> Self {
        let mut counts = [0; 60];
        counts.iter_mut().zip(kept).for_each(|(count, kept)| *count = kept);
        Self { newest, counts }
    }
}
