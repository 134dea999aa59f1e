//! A judgement of the checkpoints' clocks: how many of their records came late or far ahead, how far each clock is off,
//! and what to do. It knows numbers, not where they are kept or shown.
//!
//! **Offset.** A checkpoint's lead is the median of GCSJ − watermark over its newest records ([`traffic::Lead`]). Its
//! offset is its lead less the median lead of all checkpoints, so that it does not matter whose clocks set the
//! watermark. A camera that sends its records late shows the same offset as one whose clock is slow; if its leads
//! scatter, it is reported as sending late.

use std::sync::Arc;

use traffic::{CivilTime, ClockCount};

/// Clocks that differ by less are accurate enough.
const NOTABLE_SECONDS: i64 = 60;
/// An offset needs at least this many checkpoints to compare with.
const MIN_CHECKPOINTS: usize = 4;

/// The state of detection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetectionStatus {
    /// The newest watermark of all partitions.
    pub watermark: Option<CivilTime>,
    /// Accepted passages that were too old to be compared.
    pub late: u64,
    /// Accepted passages that were far ahead of the watermark.
    pub ahead: u64,
    /// Sightings that were dropped because their plate already had the most that it may have.
    pub forgotten: u64,
    /// Records that were rejected because their GCXH had been accepted with another GCSJ.
    pub conflicts: u64,
    /// One of these GCXH.
    pub conflict_sample: Option<String>,
    /// All checkpoints that have been seen, in the order of their numbers.
    pub checkpoints: Vec<CheckpointClock>,
}

/// The state of a checkpoint's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointClock {
    /// KKMC as in the records.
    pub kkmc: Arc<str>,
    /// Accepted passages.
    pub accepted: u64,
    /// Late ones among them.
    pub late: u64,
    /// Those far ahead among them.
    pub ahead: u64,
    /// Seconds that its times are ahead of most checkpoints; negative if they are late, none before it is known.
    pub offset_seconds: Option<i64>,
    /// What is wrong with it, if anything is.
    pub advice: Option<ClockAdvice>,
}

/// What is wrong with the clock of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockAdvice {
    /// About this many seconds fast.
    Ahead(i64),
    /// About this many seconds slow, or its records are sent this late.
    Behind(i64),
    /// Its records come late, but not all equally: by about this many seconds.
    SendsLate(i64),
    /// It is right most of the time; this many records were far ahead.
    Leaps(u64),
}

impl ClockAdvice {
    /// All codes.
    pub const CODES: [&str; 4] = ["clock_ahead", "clock_behind", "sends_late", "clock_leaps"];

    /// The code in the API and in logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ahead(_) => "clock_ahead",
            Self::Behind(_) => "clock_behind",
            Self::SendsLate(_) => "sends_late",
            Self::Leaps(_) => "clock_leaps",
        }
    }

    /// About how many seconds.
    pub fn seconds(self) -> Option<i64> {
        match self {
            Self::Ahead(seconds) | Self::Behind(seconds) | Self::SendsLate(seconds) => Some(seconds),
            Self::Leaps(_) => None,
        }
    }

    /// The same in words, to follow the name of a checkpoint.
    pub fn text(self) -> String {
        match self {
            Self::Ahead(seconds) => format!("clock about {} ahead", about(seconds)),
            Self::Behind(seconds) => format!("clock about {} behind, or records sent that late", about(seconds)),
            Self::SendsLate(seconds) => format!("sends its records about {} late", about(seconds)),
            Self::Leaps(1) => "clock leaps: one of its times is far ahead".to_owned(),
            Self::Leaps(records) => format!("clock leaps: {records} of its times are far ahead"),
        }
    }
}

fn about(seconds: i64) -> String {
    match seconds {
        ..5_400 => format!("{} min", (seconds + 30) / 60),
        5_400..129_600 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// The clocks of checkpoints by their counts. Those without counted records are left out.
pub fn assess(counts: impl Iterator<Item = (Arc<str>, ClockCount)>) -> Vec<CheckpointClock> {
    let counts: Vec<_> = counts.filter(|(_, count)| count.accepted > 0).collect();
    let mut leads: Vec<i64> =
        counts.iter().filter_map(|(_, count)| count.lead).map(|lead| i64::from(lead.median)).collect();
    let usual = (leads.len() >= MIN_CHECKPOINTS).then(|| {
        let middle = leads.len() / 2;
        *leads.select_nth_unstable(middle).1
    });
    let mut clocks: Vec<_> = counts.into_iter().map(|(kkmc, count)| assess_one(kkmc, count, usual)).collect();
    // If most are off, the cause is not the clocks: the records are not in the order of time.
    let off = |clock: &CheckpointClock| clock.advice.is_some_and(|advice| advice.seconds().is_some());
    let known = clocks.iter().filter(|clock| clock.offset_seconds.is_some()).count();
    if clocks.iter().filter(|clock| off(clock)).count() * 2 > known {
        clocks.iter_mut().for_each(|clock| clock.advice = leaps(clock.ahead));
    }
    clocks
}

fn assess_one(kkmc: Arc<str>, count: ClockCount, usual: Option<i64>) -> CheckpointClock {
    let ClockCount { accepted, late, ahead, lead } = count;
    let offset = lead.zip(usual).map(|(lead, usual)| (i64::from(lead.median) - usual, i64::from(lead.spread)));
    let advice = match offset {
        Some((offset, spread)) if offset > NOTABLE_SECONDS && spread < offset => Some(ClockAdvice::Ahead(offset)),
        Some((offset, spread)) if offset < -NOTABLE_SECONDS && spread > -offset / 2 => {
            Some(ClockAdvice::SendsLate(-offset))
        }
        Some((offset, _)) if offset < -NOTABLE_SECONDS => Some(ClockAdvice::Behind(-offset)),
        _ => leaps(ahead),
    };
    CheckpointClock { kkmc, accepted, late, ahead, offset_seconds: offset.map(|(offset, _)| offset), advice }
}

fn leaps(ahead: u64) -> Option<ClockAdvice> {
    (ahead > 0).then_some(ClockAdvice::Leaps(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::Lead;

    fn count(median: i32, spread: i32, ahead: u64) -> ClockCount {
        ClockCount { accepted: 1000, late: 0, ahead, lead: Some(Lead { median, spread }) }
    }

    fn judged(counts: &[ClockCount]) -> Vec<(Option<i64>, Option<ClockAdvice>)> {
        let named = counts.iter().enumerate().map(|(number, count)| (Arc::from(format!("K{number}")), *count));
        assess(named).into_iter().map(|clock| (clock.offset_seconds, clock.advice)).collect()
    }

    #[test]
    fn a_clock_is_off_by_what_the_others_are_not() {
        let others = [count(2, 3, 0), count(4, 5, 0), count(3, 2, 0), count(3, 4, 1)];
        let mut counts = others.to_vec();
        counts.extend([count(303, 4, 0), count(-240, 4, 0), count(-300, 290, 0), count(200, 900, 7)]);
        let judged = judged(&counts);
        assert_eq!(judged[0], (Some(-1), None));
        assert_eq!(judged[3], (Some(0), Some(ClockAdvice::Leaps(1))));
        assert_eq!(judged[4], (Some(300), Some(ClockAdvice::Ahead(300))));
        assert_eq!(judged[5], (Some(-243), Some(ClockAdvice::Behind(243))));
        assert_eq!(judged[6], (Some(-303), Some(ClockAdvice::SendsLate(303))));
        assert_eq!(judged[7], (Some(197), Some(ClockAdvice::Leaps(7))));
    }

    #[test]
    fn a_few_checkpoints_and_an_unordered_capture_say_nothing() {
        let few = [count(2, 3, 0), count(900, 3, 1), count(0, 0, 0)];
        assert_eq!(judged(&few), [(None, None), (None, Some(ClockAdvice::Leaps(1))), (None, None)]);
        let unordered = [count(0, 9000, 0), count(-9000, 8000, 0), count(9000, 100, 2), count(-700, 0, 0)];
        let advice: Vec<_> = judged(&unordered).into_iter().map(|(_, advice)| advice).collect();
        assert_eq!(advice, [None, None, Some(ClockAdvice::Leaps(2)), None]);
        assert_eq!(judged(&[ClockCount::default()]), []);
    }

    #[test]
    fn words() {
        for (advice, text) in [
            (ClockAdvice::Ahead(303), "clock about 5 min ahead"),
            (ClockAdvice::Ahead(72_100), "clock about 20 h ahead"),
            (ClockAdvice::Ahead(400 * 86_400), "clock about 400 d ahead"),
            (ClockAdvice::Behind(5_399), "clock about 90 min behind, or records sent that late"),
            (ClockAdvice::SendsLate(290), "sends its records about 5 min late"),
            (ClockAdvice::Leaps(1), "clock leaps: one of its times is far ahead"),
            (ClockAdvice::Leaps(3), "clock leaps: 3 of its times are far ahead"),
        ] {
            assert_eq!(advice.text(), text);
        }
    }
}
