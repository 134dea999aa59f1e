//! Sending again what differs, and naming what only MySQL has.
//!
//! First everything is sent, then MySQL is asked for rows that are not in local storage: a row that was in another hour
//! there is corrected by being sent, and is not a stranger. What MyCat shows may be a moment old, so a GCXH that is in
//! local storage, on the same server and under the same checkpoint, is not a stranger either. Rows that repeat an
//! earlier GCXH are not sent. It does not know how a difference is found.

use std::collections::{BTreeMap, HashMap, HashSet};

use traffic::CivilTime;

use super::compare::Difference;
use super::error::AuditError;
use super::group::Group;
use super::handle::{Audit, again};
use super::repeats::Repeats;
use super::target;
use crate::mirror::overwrite_statements;
use crate::reader::PassageRow;
use crate::store::Frozen;

/// What a repair did.
#[derive(Debug, Clone, Default)]
pub struct Repaired {
    /// Rows that were sent again.
    pub rows: u64,
    /// Rows that are in MySQL and not in local storage; they are left alone.
    pub strangers: Vec<Stranger>,
}

/// A row that only MySQL has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stranger {
    /// Its group in MySQL.
    pub group: Group,
    /// GCXH.
    pub id: String,
}

impl Audit {
    /// Sends all local rows of these groups again, and finds those that only MySQL has.
    ///
    /// # Errors
    /// [`AuditError`]; it may be repeated from the beginning.
    pub async fn repair(&self, differences: &[Difference]) -> Result<Repaired, AuditError> {
        for pool in &self.pools {
            pool.check_fitness().await.map_err(|error| AuditError::of(pool.address(), error))?;
        }
        // A repeated row would overwrite the one that came first.
        let repeats = again(|| Repeats::find(&Frozen::open(&self.data_dir)?))?;
        let mut repaired = Repaired::default();
        let wanted: HashSet<&Group> = differences.iter().map(|difference| &difference.group).collect();
        let mut hours: Vec<i64> = wanted.iter().map(|group| group.hour).collect();
        hours.sort_unstable();
        hours.dedup();
        // Hour by hour, so that no more than an hour's rows are held.
        for hour in hours {
            for (group, rows) in self.rows_of(hour, &repeats, |group| wanted.contains(group))? {
                self.send(group.server, &rows).await?;
                repaired.rows += rows.len() as u64;
            }
        }
        let mut candidates = HashMap::new();
        for difference in differences {
            let group = &difference.group;
            let Some(pool) = self.pools.get(group.server) else { continue };
            let here = self.rows_of(group.hour, &repeats, |other| other == group)?;
            let here: HashSet<&str> = here.values().flatten().map(|row| row.gcxh.as_str()).collect();
            for id in target::ids(pool, group).await? {
                if !here.contains(id.as_str()) {
                    candidates.insert((group.server, id), group.clone());
                }
            }
        }
        self.drop_those_that_are_here(&mut candidates)?;
        repaired.strangers = candidates.into_iter().map(|((_, id), group)| Stranger { group, id }).collect();
        repaired.strangers.sort();
        Ok(repaired)
    }

    /// Of rows by server and GCXH, keeps those that local storage does not have under the same checkpoint, in any hour.
    fn drop_those_that_are_here(&self, candidates: &mut HashMap<(usize, String), Group>) -> Result<(), AuditError> {
        if candidates.is_empty() {
            return Ok(());
        }
        let found = again(|| {
            let frozen = Frozen::open(&self.data_dir)?;
            let mut found = HashSet::new();
            for shard in frozen.shards() {
                let server = self.server_of(shard);
                frozen.each_row(shard, (CivilTime(i64::MIN), CivilTime(i64::MAX)), |_, row| {
                    let key = (server, row.gcxh);
                    if candidates.get(&key).is_some_and(|group| group.kkmc == row.kkmc) {
                        found.insert(key);
                    }
                })?;
            }
            Ok(found)
        })?;
        candidates.retain(|key, _| !found.contains(key));
        Ok(())
    }

    async fn send(&self, server: usize, rows: &[PassageRow]) -> Result<(), AuditError> {
        let Some(pool) = self.pools.get(server) else { return Ok(()) };
        for statement in rows.chunks(self.batch_rows.max(1)).flat_map(overwrite_statements) {
            pool.execute(&statement).await.map_err(|error| AuditError::of(pool.address(), error))?;
        }
        Ok(())
    }

    /// The rows of one hour by group, for the wanted groups.
    fn rows_of(
        &self,
        hour: i64,
        repeats: &Repeats,
        wanted: impl Fn(&Group) -> bool,
    ) -> Result<BTreeMap<Group, Vec<PassageRow>>, AuditError> {
        let span = (CivilTime(hour * 3600), CivilTime(hour * 3600 + 3599));
        again(|| {
            let frozen = Frozen::open(&self.data_dir)?;
            let mut rows: BTreeMap<Group, Vec<PassageRow>> = BTreeMap::new();
            for shard in frozen.shards() {
                frozen.each_row(shard, span, |number, row| {
                    let group = Group { server: self.server_of(shard), hour, kkmc: row.kkmc.clone() };
                    if wanted(&group) && !repeats.contains(shard, number) {
                        rows.entry(group).or_default().push(row);
                    }
                })?;
            }
            Ok(rows)
        })
    }
}
