//! The travel times of the roads that a case is about, beside what was measured of its plate.

use traffic::CivilTime;
use traffic::evidence::DriveTimes;

use super::alerts::checkpoint_named;
use super::view::View;
use crate::case_json::{CaseJson, CaseTimesJson, PairJson};

impl View {
    /// See [`Snapshot::case_times`](crate::reader::Snapshot::case_times).
    pub(super) fn times_of_case(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        let partition = self.cases.rows().rev().find(|row| row.seq == case.seq)?.partition;
        let known = case.pairs.iter().filter_map(|pair| Some((pair, self.times_of_pair(pair, partition)?)));
        // Of equal ones the newest.
        let (pair, (hour, times)) = known.max_by(|(one, _), (other, _)| one.cmp_strength(other))?;
        Some(CaseTimesJson {
            from_kkmc: pair.earlier.kkmc.clone(),
            to_kkmc: pair.later.kkmc.clone(),
            gap_seconds: pair.gap_seconds,
            fastest_seconds: pair.fastest_seconds,
            drives: times.drives,
            bucket_seconds: times.width,
            shares: times.shares,
            longer_share: times.longer,
            quicker_share: times.quicker,
            model: CivilTime(hour * 3600).to_string(),
        })
    }

    /// The travel times of a pair, and the hour that was learnt last.
    fn times_of_pair(&self, pair: &PairJson, partition: Option<u32>) -> Option<(i64, DriveTimes)> {
        let number = |kkmc: &str| checkpoint_named(kkmc, &self.names);
        let (from, to) = (number(&pair.earlier.kkmc)?, number(&pair.later.kkmc)?);
        let learnt = self.learnt.of(partition, from, to)?;
        let times = learnt.times.between(from, to, pair.gap_seconds as f64, pair.fastest_seconds)?;
        Some((learnt.hour, times))
    }
}
