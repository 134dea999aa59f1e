//! The travel times of the roads that a case is about, beside what was measured of its plate.

use traffic::evidence::DriveTimes;
use traffic::{CivilTime, Dimension, NameId};

use super::view::View;
use crate::case_json::{CaseJson, CaseTimesJson, PairJson};

impl View {
    /// See [`Snapshot::case_times`](crate::reader::Snapshot::case_times).
    pub(super) fn times_of_case(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        let partition = self.cases.rows().rev().find(|row| row.seq == case.seq)?.partition;
        let known = case.pairs.iter().rev().filter_map(|pair| Some((pair, self.times_of_pair(pair, partition)?)));
        // As the page chooses it: the smallest gap for its way; of equal ones the longest way, then the newest.
        let (pair, (hour, times)) = known.min_by(|(one, _), (other, _)| {
            let ratio = |pair: &PairJson| pair.gap_seconds as f64 / pair.fastest_seconds.max(1.0);
            ratio(one).total_cmp(&ratio(other)).then(other.fastest_seconds.total_cmp(&one.fastest_seconds))
        })?;
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
        let checkpoints = self.names.all(Dimension::Checkpoint);
        let number = |kkmc: &str| checkpoints.iter().position(|name| **name == *kkmc).map(|at| at as NameId);
        let (from, to) = (number(&pair.earlier.kkmc)?, number(&pair.later.kkmc)?);
        let learnt = self.learnt.of(partition, from, to)?;
        let times = learnt.times.between(from, to, pair.gap_seconds as f64, pair.fastest_seconds)?;
        Some((learnt.hour, times))
    }
}
