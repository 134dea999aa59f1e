//! The commit: a batch and the detector's verdict on it, as one atomic write.

use shard::{PerShard, Rows, ShardId};
use std::collections::BTreeSet;
use std::time::Instant;
use storage::{Commit, Durability, Family, codec};
use traffic::evidence::PairFinding;
use traffic::{Alert, AlertId, AlertSighting, CivilTime, Dimension, Fate, Hit, NameId, NameTable, PassageBatch};

use super::rejects;
use super::retention::EXPIRE_SEGMENTS_AT_ONCE;
use super::store::Store;
use crate::batch::Batch;
use crate::clock::{moment, since};
use crate::store::disk::keys;
use crate::store::disk::records::{Census, encode_alert, encode_plate};
use crate::store::state::Partition;
use crate::store::{Progress, StoreError, View};

/// The detector's verdict on a batch.
#[derive(Debug, Default)]
struct Verdict {
    /// One per row.
    fates: Vec<Fate>,
    /// In the order found.
    hits: Vec<Hit>,
}

impl Store {
    /// Takes the names that are new in a batch.
    pub(super) fn learn(&mut self, batch: &PassageBatch, commit: &mut Vec<(Vec<u8>, std::sync::Arc<str>)>) {
        for (dimension, name) in &batch.new_names {
            let id = self.state.names.push(*dimension, name.clone());
            self.facts.learn(*dimension, name);
            commit.push((keys::name(*dimension, id), name.clone()));
        }
    }

    /// Commits a batch of `source`: rows go to the shards that `route` names, one per row.
    ///
    /// # Errors
    /// [`StoreError`]; the store then accepts no more, and a restart continues after the last commit.
    pub fn commit(
        &mut self,
        source: &str,
        batch: &Batch,
        route: impl FnOnce(&PassageBatch, &NameTable, &mut Vec<ShardId>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.check_position(source, batch)?;
        self.fates.clear();
        self.unstorable.clear();
        if let Some(takeover) = &batch.takeover {
            return self.take_over(source, batch, takeover);
        }
        match rejects::isolate(batch) {
            Some((sound, unstorable)) => {
                self.unstorable = unstorable;
                self.commit_sound(source, &sound, route)
            }
            None => self.commit_sound(source, batch, route),
        }
    }

    /// Refuses a batch that does not begin where the stored position is: batches were lost, repeated or exchanged on
    /// their way.
    fn check_position(&self, source: &str, batch: &Batch) -> Result<(), StoreError> {
        let Some(before) = &batch.before else { return Ok(()) };
        let name = batch.position_name.as_deref().unwrap_or(source);
        if self.position(name)?.as_ref() == Some(before) {
            return Ok(());
        }
        Err(StoreError::Contradiction(format!("a batch does not begin where the one before it ended: {}", batch.place)))
    }

    /// Commits a batch of which every row can be stored.
    fn commit_sound(
        &mut self,
        source: &str,
        batch: &Batch,
        route: impl FnOnce(&PassageBatch, &NameTable, &mut Vec<ShardId>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let started = Instant::now();
        self.begin()?;
        let passages = &batch.passages;
        let mut new_names = Vec::new();
        self.learn(passages, &mut new_names);
        let mut shards = Vec::with_capacity(passages.len());
        route(passages, &self.state.names, &mut shards)?;
        let verdict = self.detect(batch.partition, passages);

        let database = self.shared.reading.database.clone();
        let mut commit = database.begin();
        for (key, name) in &new_names {
            commit.put(Family::Meta, key, name.as_bytes());
        }
        self.count_lines(passages);
        let (findings, stored) =
            self.assess_beside(batch.partition, passages, &verdict.fates, &verdict.hits, |store| {
                let rows = store.gather(batch.partition, passages, &verdict, &shards, &mut commit)?;
                store.expire(EXPIRE_SEGMENTS_AT_ONCE, &mut commit)?;
                store.write_rows(rows, &mut commit)
            });
        stored?;
        let Verdict { fates, hits } = verdict;
        self.write_alerts(passages, &hits, findings.pairs, &mut commit)?;
        self.write_cases(batch.partition, findings.cases, &mut commit)?;
        self.write_rejects(batch, &fates, &mut commit)?;
        self.write_detection(batch.partition, &mut commit)?;
        if self.saving_is_due() {
            self.save_plates(&mut commit)?;
        }
        self.save_evidence(false, &mut commit)?;
        self.write_state(&mut commit)?;
        let source = batch.position_name.as_deref().unwrap_or(source);
        commit.put(Family::Meta, &keys::position(source), &batch.position);
        fail::fail_point!("commit::before-write");
        database.commit(commit, Durability::AsConfigured)?;
        fail::fail_point!("commit::after-write");

        self.fates = fates;
        self.broken = false;
        self.assess_clocks();
        self.after_commit(started);
        Ok(())
    }

    /// From here to the end of a commit, memory is ahead of what is durable: if the commit fails in between, nothing
    /// more may be written.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(StoreError::Broken);
        }
        Ok(())
    }

    fn detect(&mut self, id: u32, passages: &PassageBatch) -> Verdict {
        let mut verdict = Verdict::default();
        let (settings, evidence) = (self.settings.detector, self.settings.evidence.clone());
        // A new partition has nothing to recover from the passages before it.
        let saved_arrival = self.state.totals.accepted;
        let partition = self.partitions.entry(id).or_insert_with(|| Partition::new(settings, evidence, saved_arrival));
        partition.detector.observe(passages, self.facts.knowledge(), &mut verdict.fates, &mut verdict.hits);
        partition.state.watermark = partition.detector.watermark_state();
        self.detection.totals.forgotten += partition.detector.take_forgotten();
        verdict
    }

    fn count_lines(&mut self, passages: &PassageBatch) {
        self.state.totals.lines += passages.lines;
        self.state.totals.headers += passages.headers;
        self.state.totals.blank += passages.blank;
    }

    /// Rows of each shard, and the rollups of the hours that they are in.
    fn gather(
        &mut self,
        partition: u32,
        passages: &PassageBatch,
        verdict: &Verdict,
        shards: &[ShardId],
        commit: &mut Commit<'_>,
    ) -> Result<PerShard<Rows>, StoreError> {
        if verdict.fates.len() != passages.len() || shards.len() != passages.len() {
            return Err(StoreError::Contradiction(format!(
                "of {} passages {} were judged and {} routed",
                passages.len(),
                verdict.fates.len(),
                shards.len()
            )));
        }
        if !passages.is_rectangular() {
            return Err(StoreError::Contradiction("the columns of a batch differ in length".to_owned()));
        }
        let mut rows = self.state.logs.map_ref(|_| Rows::default());
        let even_share = passages.len() / self.state.logs.values().len().max(1);
        for rows in rows.values_mut() {
            rows.reserve(even_share * 9 / 8);
        }
        let mut hours = BTreeSet::new();
        let rollups = &mut self.state.rollups;
        let mut done = |hour, rollup| {
            rollups.add(hour, &rollup);
            hours.insert(hour);
        };
        let [checkpoints, districts, plate_types, models] =
            [Dimension::Checkpoint, Dimension::District, Dimension::PlateType, Dimension::Model]
                .map(|dimension| passages.names(dimension));
        let columns = passages.times.iter().zip(checkpoints).zip(districts);
        let columns = columns.zip(plate_types).zip(models).zip(&verdict.fates).zip(shards);
        for (row, ((((((time, checkpoint), district), plate_type), model), fate), shard)) in columns.enumerate() {
            match fate {
                Fate::Duplicate => {
                    self.state.totals.duplicates += 1;
                    continue;
                }
                // It is rejected, see `write_rejects`.
                Fate::Conflict => continue,
                Fate::Late => self.state.totals.late += 1,
                Fate::Ahead => self.detection.totals.ahead += 1,
                Fate::Accepted => {}
            }
            let Some(rows) = rows.get_mut(*shard) else {
                return Err(StoreError::Contradiction(format!("a passage is for shard {shard}")));
            };
            rows.push_from(passages, row, self.state.totals.accepted, partition);
            self.state.totals.accepted += 1;
            self.state.totals.see(*time);
            if *fate != Fate::Ahead {
                self.state.last_minute.see(*time);
            }
            let vehicle_type = self.facts.vehicle_type(&self.state.names, *plate_type, *model);
            self.counter.add(*time, [*checkpoint, *district, *model], vehicle_type, &mut done);
        }
        self.counter.finish(&mut done);
        self.write_hours(hours, commit)?;
        Ok(rows)
    }

    pub(super) fn write_hours(
        &self,
        hours: impl IntoIterator<Item = i64>,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        for hour in hours {
            match self.state.rollups.hours.get(&hour) {
                Some(rollup) => {
                    commit.put(Family::Counters, &keys::hour(hour), &codec::encode(keys::HOUR, &**rollup)?);
                }
                None => commit.delete(Family::Counters, &keys::hour(hour)),
            }
        }
        Ok(())
    }

    fn write_rows(&mut self, rows: PerShard<Rows>, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        // An hour has closed when most clocks have passed it.
        let newest = self.safe_newest();
        let next_rows = self.state.totals.by_shard.values_mut();
        for ((log, rows), next_row) in self.state.logs.values_mut().zip(rows).zip(next_rows) {
            let first_row = *next_row;
            *next_row += rows.len() as u64;
            log.append(rows, first_row, newest, &self.state.names, commit)?;
        }
        self.note_sealed();
        self.rows_since_save = self.state.totals.accepted - self.saved_arrival();
        Ok(())
    }

    fn note_sealed(&mut self) {
        let rows = self.state.totals.by_shard.values().zip(self.state.totals.sealed.values_mut());
        for (log, (next_row, sealed)) in self.state.logs.values().zip(rows) {
            *sealed = log.sealed_rows(*next_row);
        }
    }

    fn write_alerts(
        &mut self,
        passages: &PassageBatch,
        hits: &[Hit],
        pairs: Vec<PairFinding>,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        let mut pairs = pairs.into_iter();
        for hit in hits {
            self.state.totals.alerts += 1;
            let row = hit.row as usize;
            let (Some(&time), Some(&here)) = (passages.times.get(row), passages.names(Dimension::Checkpoint).get(row))
            else {
                return Err(StoreError::Contradiction(format!("an alert is of row {row} of {}", passages.len())));
            };
            let alert = self.alert(passages, hit, time, here).weighed(pairs.next().unwrap_or_default());
            let (prev, curr) =
                if hit.other_is_earlier { (hit.other.checkpoint, here) } else { (here, hit.other.checkpoint) };
            self.state.alerts.push(&alert, [prev, curr]);
            commit.put(Family::Alerts, &alert.seq.to_be_bytes(), &encode_alert(&alert)?);
        }
        Ok(())
    }

    /// The alert of a hit, whose passage was at `checkpoint` at `time`.
    fn alert(&self, passages: &PassageBatch, hit: &Hit, time: CivilTime, checkpoint: NameId) -> Alert {
        let row = hit.row as usize;
        let sighting = |checkpoint, passed_at, passage| AlertSighting {
            checkpoint: self.state.names.text(Dimension::Checkpoint, checkpoint).to_owned(),
            passed_at,
            passage,
        };
        let other_passage = match &hit.other_odd_id {
            Some(text) => text.to_string(),
            None => hit.other.id().unpack(),
        };
        let other = sighting(hit.other.checkpoint, hit.other.time(), other_passage);
        let this = sighting(checkpoint, time, passages.id_text(row));
        let (earlier, later) = if hit.other_is_earlier { (other, this) } else { (this, other) };
        let plate = passages.plate_text(row);
        let tenths = |number: f64| (number * 10.0).round() / 10.0;
        Alert {
            seq: self.state.totals.alerts,
            id: AlertId::of(&plate, &earlier.passage, &later.passage),
            plate,
            earlier,
            later,
            gap_seconds: hit.gap_seconds,
            distance_km: hit.distance_km.map(tenths),
            speed_kmh: hit.speed_kmh.map(tenths),
            severity: hit.severity,
            rule: hit.rule,
            cause: hit.cause,
            evidence: None,
        }
    }

    fn saved_arrival(&self) -> u64 {
        self.partitions.values().map(|partition| partition.state.saved_arrival).min().unwrap_or(0)
    }

    fn saving_is_due(&self) -> bool {
        let changes: usize = self.partitions.values().map(|partition| partition.detector.changes()).sum();
        changes > 0
            && (changes <= self.saving.at_once_changes
                || self.rows_since_save >= self.saving.rows
                || since(self.saved_at) >= self.saving.interval)
    }

    /// Saves the plates that changed since the last time and are still alive.
    pub(super) fn save_plates(&mut self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let mut value = Vec::new();
        for (&id, partition) in &mut self.partitions {
            let mut failed = None;
            partition.detector.drain_changed(|plate, sightings, odd_ids| {
                if let Err(error) = encode_plate(sightings, odd_ids, &mut value) {
                    failed = Some(error);
                } else {
                    commit.put(Family::Plates, &keys::plate(id, plate), &value);
                }
            });
            if let Some(error) = failed {
                return Err(error.into());
            }
            partition.state.saved_watermark = partition.state.watermark.clone();
            partition.state.saved_arrival = self.state.totals.accepted;
        }
        self.rows_since_save = 0;
        self.saved_at = moment();
        Ok(())
    }

    pub(super) fn write_state(&self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        for (&id, partition) in &self.partitions {
            commit.put(Family::Meta, &keys::partition(id), &codec::encode(keys::PARTITION, &partition.state)?);
        }
        commit.put(Family::Meta, keys::TOTALS_KEY, &codec::encode(keys::TOTALS, &self.state.totals)?);
        commit.tally(Census::of(&self.state.totals).encode()?);
        Ok(())
    }

    pub(super) fn after_commit(&mut self, started: Instant) {
        // IMPORTANT: only now that the watermark is durable may compaction drop what is expired by it.
        for (&id, partition) in &self.partitions {
            let horizon = partition.state.guarded_from(self.settings.detector.state_ttl);
            self.shared.reading.database.horizons().advance(id, horizon);
        }
        self.note_newest();
        self.report_progress(Some(started));
        fail::fail_point!("commit::before-publish");
        if self.settings.publish {
            self.refresh_learnt();
            self.publish();
        }
        if let Some(first) = self.unsettled.take() {
            self.shared.case_changes.settle(first);
        }
    }

    pub(super) fn report_progress(&self, started: Option<Instant>) {
        let mut progress = self.shared.progress.lock();
        *progress = Progress {
            totals: self.state.totals.clone(),
            commits: progress.commits + u64::from(started.is_some()),
            last_commit_seconds: started.map_or(0.0, |started| started.elapsed().as_secs_f64()),
            segments: self.state.logs.values().map(|log| log.len() as u64).collect(),
            lifetimes: self.lifetimes.clone(),
            partitions: self
                .partitions
                .iter()
                .map(|(&id, partition)| (id, (partition.detector.watermark(), partition.detector.plates() as u64)))
                .collect(),
            cameras: if self.settings.publish { self.cameras() } else { progress.cameras.clone() },
            roads: if self.settings.publish { self.roads(&progress.roads) } else { progress.roads.clone() },
            detection: self.detection.status(),
        };
    }

    /// Gives readers the current state.
    pub fn publish(&self) {
        let view = View::of(&self.shared.reading, &self.state);
        self.shared.view.store(std::sync::Arc::new(view));
        self.shared.commits.send_replace(self.state.totals.alerts);
    }

    /// Saves everything that is pending and moves it out of the write-ahead log: the end of a run.
    ///
    /// # Errors
    /// [`StoreError`] if the disk refuses.
    pub fn close(mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        self.begin()?;
        let mut commit = database.begin();
        self.save_plates(&mut commit)?;
        self.save_evidence(true, &mut commit)?;
        // What recovery no longer needs now that all plates are saved.
        self.expire(usize::MAX, &mut commit)?;
        self.note_sealed();
        self.write_state(&mut commit)?;
        database.commit(commit, Durability::AsConfigured)?;
        fail::fail_point!("close::before-flush");
        self.log_dropped();
        database.flush()?;
        Ok(())
    }
}
