//! The comparison: which groups differ between local storage and the servers, and which are still being written. It reads
//! local rows before the servers are asked and again after, and changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use traffic::CivilTime;

use super::error::AuditError;
use super::group::{Group, Sums};
use super::handle::{Audit, again};
use super::local::Local;
use super::range::Range;
use super::repeats::Repeats;
use super::target;
use crate::store::Frozen;

/// Pause before groups that are still being written are compared again.
const PAUSE: Duration = Duration::from_secs(1);

/// A group that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub group: Group,
    /// Local storage.
    pub local: Sums,
    /// MySQL.
    pub mysql: Sums,
    /// How many of the local rows wait for their mirror.
    pub waiting: u64,
}

/// What a comparison found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was compared.
    pub range: Option<(CivilTime, CivilTime)>,
    /// Passages in groups that are the same on both sides.
    pub same_passages: u64,
    /// Groups that are the same on both sides.
    pub same_groups: u64,
    /// Groups that kept receiving passages, so that they could not be compared, and their passages.
    pub moving: (u64, u64),
    /// What differs, by server, hour and checkpoint.
    pub differences: Vec<Difference>,
}

impl Audit {
    /// Compares the passages within `range`; groups that are being written are waited for as long as `patience`.
    ///
    /// # Errors
    /// [`AuditError`].
    pub async fn compare(&self, range: &Range, patience: Duration) -> Result<Report, AuditError> {
        let deadline = Instant::now() + patience;
        let Some(span) = range.resolve(again(|| Frozen::open(&self.data_dir))?.newest()) else {
            return Ok(Report::default());
        };
        let mut report = Report { range: Some(span), ..Report::default() };
        // What must be acknowledged at the end: everything that was there at the beginning.
        let mut wanted = None;
        let mut span = span;
        let mut suspects: Option<HashMap<Group, ()>> = None;
        loop {
            let before = self.local(span)?;
            let wanted = wanted.get_or_insert_with(|| before.end_rows.clone());
            let mysql = target::groups(&self.pools, span).await?;
            let after = self.local(span)?;
            let mut open = BTreeMap::new();
            let repeated = self.repeated(&before, &mysql, span)?;
            let all = before.groups.keys().chain(mysql.keys()).chain(after.groups.keys());
            let mut seen = HashMap::new();
            for group in all {
                let asked = suspects.as_ref().is_none_or(|suspects| suspects.contains_key(group));
                if !asked || seen.insert(group.clone(), ()).is_some() {
                    continue;
                }
                let repeats = repeated.get(group).copied().unwrap_or_default();
                let [first, last] = [before.sums(group), after.sums(group)].map(|sums| sums.without(repeats));
                let there = mysql.get(group).copied().unwrap_or_default();
                if there == first || there == last {
                    report.same_groups += 1;
                    report.same_passages += there.passages;
                } else {
                    let waiting = before.waiting(group);
                    let difference = Difference { group: group.clone(), local: last, mysql: there, waiting };
                    if first == last && waiting == 0 {
                        report.differences.push(difference);
                    } else {
                        open.insert(group.clone(), difference);
                    }
                }
            }
            if open.is_empty() {
                break;
            }
            if Instant::now() >= deadline {
                let behind = after
                    .acknowledged
                    .values()
                    .zip(wanted.values())
                    .any(|(acknowledged, wanted)| acknowledged < wanted);
                for difference in open.into_values() {
                    if behind && difference.waiting > 0 {
                        report.differences.push(difference);
                    } else {
                        report.moving.0 += 1;
                        report.moving.1 += difference.local.passages;
                    }
                }
                break;
            }
            let hours = open.keys().map(|group| group.hour);
            if let (Some(first), Some(last)) = (hours.clone().min(), hours.max()) {
                let within = |hour: i64| CivilTime(hour * 3600);
                span = (span.0.max(within(first)), span.1.min(CivilTime(within(last + 1).0 - 1)));
            }
            suspects = Some(open.into_keys().map(|group| (group, ())).collect());
            tokio::time::sleep(PAUSE).await;
        }
        report.differences.sort_by(|a, b| a.group.cmp(&b.group));
        Ok(report)
    }

    /// The sums of rows whose GCXH occurs earlier in the same shard, by group. Computed only where MySQL has fewer
    /// rows.
    fn repeated(
        &self,
        local: &Local,
        mysql: &HashMap<Group, Sums>,
        span: (CivilTime, CivilTime),
    ) -> Result<HashMap<Group, Sums>, AuditError> {
        let has_less = |(group, sums): (&Group, &Sums)| {
            mysql.get(group).map_or(0, |there| there.passages) < sums.passages && local.waiting(group) == 0
        };
        if !local.groups.iter().any(has_less) {
            return Ok(HashMap::new());
        }
        again(|| {
            let frozen = Frozen::open(&self.data_dir)?;
            let repeats = Repeats::find(&frozen)?;
            Local::sums_of(&frozen, span, |shard| self.server_of(shard), |shard, row| repeats.contains(shard, row))
        })
    }

    fn local(&self, span: (CivilTime, CivilTime)) -> Result<Local, AuditError> {
        again(|| Local::read(&Frozen::open(&self.data_dir)?, span, |shard| self.server_of(shard)))
    }
}
