//! Evidence and cases in the commit: what a batch teaches, the cases that it changes, and when the evidence is saved.
//!
//! Cases are written with the batch that changes them. The evidence is large and is saved seldom, with the number of the
//! first passage that it lacks; the log holds the passages since then, and [`Store::open`] gives them to it again,
//! without output, like plate states.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use storage::{Commit, Durability, Family, codec};
use traffic::evidence::{Case, Findings, PartitionAssessor};
use traffic::{CivilTime, Dimension, Fate, Hit, NameId, PassageBatch};

use super::store::Store;
use crate::cameras::{Camera, CameraReport, Silence};
use crate::clock::{moment, since, unix_micros};
use crate::roads::{Roads, RoadsState, merged};
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::{
    SIGHTINGS_OF_A_PART, SavedHead, SavedSegments, StoredCase, decode_case, decode_sightings, encode_case,
    encode_sightings,
};
use crate::store::state::{Log, PartitionEvidence, assessors, load_numbers};

/// A batch of fewer passages is weighed on the writer's thread: it takes about as long as starting another.
const ROWS_FOR_A_THREAD: usize = 1024;
/// The evidence is saved after this many passages …
const SAVED_ROWS: u64 = 1 << 21;
/// … or after this much time. A start replays the passages since then.
const SAVED_INTERVAL: Duration = Duration::from_secs(3600);
/// Roads are looked at again after so many seconds of event time.
const ROADS_EVERY: u64 = 5;
/// A case that is quiet for this many seconds is closed: what comes later is a new one.
const QUIET: i64 = 30 * 86_400;

impl Store {
    /// Gives a batch to the evidence of its partition, and does `work` meanwhile, which may not look at what is learnt.
    pub(super) fn assess_beside<T>(
        &mut self,
        partition: u32,
        batch: &PassageBatch,
        fates: &[Fate],
        hits: &[Hit],
        work: impl FnOnce(&mut Self) -> T,
    ) -> (Findings, T) {
        let known = self.facts.shared();
        let Some(assessor) = self.assessor(partition) else { return (Findings::default(), work(self)) };
        if batch.len() < ROWS_FOR_A_THREAD {
            let findings = assessor.observe_batch(batch, fates, hits, known.knowledge());
            return (findings, work(self));
        }
        let mut lent = std::mem::take(assessor);
        let (findings, done) = thread::scope(|scope| {
            let assessing = scope.spawn(|| lent.observe_batch(batch, fates, hits, known.knowledge()));
            let done = work(self);
            (assessing.join().unwrap_or_else(|panic| resume_unwind(panic)), done)
        });
        if let Some(assessor) = self.assessor(partition) {
            *assessor = lent;
        }
        (findings, done)
    }

    fn assessor(&mut self, partition: u32) -> Option<&mut PartitionAssessor> {
        Some(&mut self.partitions.get_mut(&partition)?.evidence.as_mut()?.assessor)
    }

    /// Writes the cases that a batch of a partition changed, each with the number of its change.
    pub(super) fn write_cases(
        &mut self,
        partition: u32,
        cases: Vec<Case>,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        if cases.is_empty() {
            return Ok(());
        }
        let first = self.shared.case_changes.begin(unix_micros(), cases.len() as u64);
        self.unsettled = Some(first);
        for (change, case) in (first..).zip(cases) {
            let stored = self.stored_case(case)?;
            commit.put(Family::Cases, &stored.seq.to_be_bytes(), &encode_case(&stored)?);
            commit.put(Family::Meta, &keys::case_change(stored.seq), &change.to_be_bytes());
            self.state.cases.put(&stored, Some(partition), change);
        }
        Ok(())
    }

    /// As a commit does that changes these cases and nothing else.
    #[cfg(test)]
    pub(in crate::store) fn commit_cases(&mut self, cases: Vec<Case>) -> Result<(), StoreError> {
        self.begin()?;
        let database = self.shared.reading.database.clone();
        let mut commit = database.begin();
        self.write_cases(0, cases, &mut commit)?;
        self.write_detection(0, &mut commit)?;
        database.commit(commit, Durability::AsConfigured)?;
        self.broken = false;
        self.after_commit(moment());
        Ok(())
    }

    /// The case as it is stored: that of its plate goes on unless it was quiet for long.
    fn stored_case(&mut self, case: Case) -> Result<StoredCase, StoreError> {
        let known = self.state.cases.of_plate(case.plate).map(|row| (row.seq, row.newest));
        let known = known.filter(|(_, newest)| case.newest.saturating_sub(*newest) < QUIET);
        let Some((seq, _)) = known else {
            self.detection.totals.cases += 1;
            let seq = self.detection.totals.cases;
            let (opened_at, first) = (case.opened_at, case.first);
            return Ok(StoredCase { seq, opened_at, first, forgotten: 0, case });
        };
        let before = self.read_case(seq)?;
        // Evidence that began again counts from the beginning.
        let forgotten =
            if before.case.opened_at == case.opened_at { before.forgotten } else { before.contradictions() };
        Ok(StoredCase { seq, opened_at: before.opened_at, first: before.first.min(case.first), forgotten, case })
    }

    fn read_case(&self, seq: u64) -> Result<StoredCase, StoreError> {
        let database = &self.shared.reading.database;
        let Some(bytes) = database.get(Family::Cases, &seq.to_be_bytes())? else {
            return Err(database.damaged("the cases", &format!("number {seq} is missing")).into());
        };
        decode_case(&bytes).map_err(|error| database.damaged("a case", &error).into())
    }

    /// Saves the evidence where it is due.
    pub(super) fn save_evidence(&mut self, at_once: bool, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let arrival = self.state.totals.accepted;
        for (&id, partition) in &mut self.partitions {
            let Some(evidence) = &mut partition.evidence else { continue };
            let rows = arrival - evidence.saved_arrival;
            let is_old = evidence.saved_at.is_none_or(|saved_at| since(saved_at) >= SAVED_INTERVAL);
            if rows > 0 && (at_once || is_old || rows >= SAVED_ROWS) {
                write_evidence(id, evidence, arrival, commit)?;
            }
        }
        Ok(())
    }

    /// Whether segments that are older than `oldest` wait only for the evidence to be saved.
    pub(super) fn evidence_pins(&self, oldest: CivilTime) -> bool {
        let unsaved = |evidence: &PartitionEvidence| self.state.totals.accepted > evidence.saved_arrival;
        let saved_arrivals = self.partitions.values().filter_map(|partition| partition.evidence.as_ref());
        let Some(first) =
            saved_arrivals.filter(|evidence| unsaved(evidence)).map(|evidence| evidence.saved_arrival).min()
        else {
            return false;
        };
        let old = |log: &Log| log.iter().any(|entry| entry.zone.max_time < oldest && entry.zone.max_arrival >= first);
        self.state.logs.values().any(old)
    }

    /// Reads the evidence of each partition, or begins it. Where it is off, what was saved is dropped: it would lack the
    /// passages in between.
    pub(super) fn load_evidence(&mut self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let Some(settings) = self.settings.evidence.clone() else {
            for item in database.scan(Family::Evidence, &[]) {
                commit.delete(Family::Evidence, &item?.0);
            }
            return Ok(());
        };
        let arrival = self.state.totals.accepted;
        for (&id, partition) in &mut self.partitions {
            let damaged = |detail: &dyn std::fmt::Display| database.damaged("the evidence", detail);
            let Some(bytes) = database.get(Family::Evidence, &keys::evidence(id, 0))? else {
                partition.evidence = Some(PartitionEvidence::new(settings.clone(), arrival));
                continue;
            };
            if codec::version(keys::EVIDENCE, &bytes).map_err(|error| damaged(&error))? < keys::EVIDENCE.version {
                // An earlier layout knew less: it is learnt again.
                for item in database.scan(Family::Evidence, &id.to_be_bytes()) {
                    commit.delete(Family::Evidence, &item?.0);
                }
                partition.evidence = Some(PartitionEvidence::new(settings.clone(), arrival));
                continue;
            }
            let head: SavedHead = codec::decode(keys::EVIDENCE, &bytes).map_err(|error| damaged(&error))?;
            // A brand has the number of its first model, plus one.
            let [checkpoints, models] =
                [Dimension::Checkpoint, Dimension::Model].map(|dimension| self.state.names.all(dimension).len());
            if !head.evidence.names_are_below(checkpoints, models + 1) {
                return Err(damaged(&"it names a checkpoint or a brand that is not known").into());
            }
            let mut sightings = Vec::new();
            for part in 1..=head.parts {
                let Some(bytes) = database.get(Family::Evidence, &keys::evidence(id, part))? else {
                    return Err(damaged(&format!("part {part} is missing")).into());
                };
                sightings.extend(decode_sightings(&bytes).map_err(|error| damaged(&error))?);
            }
            let mut assessor = PartitionAssessor::restore(settings.clone(), head.evidence, sightings);
            if let Some(bytes) = database.get(Family::Evidence, &keys::evidence(id, keys::SEGMENTS_PART))? {
                let saved: SavedSegments = codec::decode(keys::SEGMENTS, &bytes).map_err(|error| damaged(&error))?;
                if saved.saved_arrival == head.saved_arrival {
                    assessor.restore_segments(&saved.segments);
                }
            }
            let saved_at = Some(moment());
            let saved_parts = head.parts;
            partition.evidence =
                Some(PartitionEvidence { assessor, saved_arrival: head.saved_arrival, saved_parts, saved_at });
        }
        Ok(())
    }

    /// Copies for readers what was learnt of travel times since the last call.
    pub(super) fn refresh_learnt(&mut self) {
        self.state.learnt.refresh(assessors(&self.partitions));
    }

    /// What the traffic says about each camera, from the partition with most of its records.
    pub(super) fn cameras(&self) -> CameraReport {
        let mut all: BTreeMap<NameId, Camera> = BTreeMap::new();
        for (_, assessor) in assessors(&self.partitions) {
            for (number, state) in assessor.cameras() {
                let known = all.get(&number).map(|camera| camera.known.records);
                if known.is_some_and(|records| records >= state.records) {
                    continue;
                }
                let kkmc = self.state.names.shared(Dimension::Checkpoint, number);
                let silence = assessor.silence(number).map(|(since, by_chance)| Silence { since, by_chance });
                all.insert(number, Camera { kkmc, known: state, silence });
            }
        }
        let model = assessors(&self.partitions).filter_map(|(_, assessor)| assessor.learnt_hour()).max();
        CameraReport { is_on: self.settings.evidence.is_some(), model, cameras: all.into_values().collect() }
    }

    /// How the roads flow. It is looked at again when event time has moved by [`ROADS_EVERY`], so that small commits cost
    /// nothing; until then it is what it was.
    pub(super) fn roads(&self, before: &Arc<Roads>) -> Arc<Roads> {
        if self.settings.evidence.is_none() {
            return Arc::default();
        }
        let assessors = || assessors(&self.partitions).map(|(_, assessor)| assessor);
        let now = assessors().filter_map(PartitionAssessor::now).max();
        let moved = |(before, now): (i64, i64)| before.abs_diff(now) >= ROADS_EVERY;
        if before.state != RoadsState::Off && !before.now.zip(now).is_none_or(moved) {
            return before.clone();
        }
        let name = |id| self.state.names.shared(Dimension::Checkpoint, id);
        Arc::new(merged(assessors().flat_map(PartitionAssessor::segments), now, name))
    }

    /// Reads the cases into the index. Those of an earlier version get numbers of changes.
    pub(super) fn load_cases(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let known = load_numbers(&database, keys::CASE_CHANGE_PREFIX)?;
        let newest = known.values().copied().max().unwrap_or(0);
        self.shared.case_changes.pass(newest.max(self.shared.reading.work.of_cases().newest_change()));
        let (mut commit, mut has_new) = (database.begin(), false);
        for item in database.scan(Family::Cases, &[]) {
            let (_, value) = item?;
            let case = decode_case(&value).map_err(|error| database.damaged("a case", &error))?;
            let change = known.get(&case.seq).copied().unwrap_or_else(|| {
                let change = self.shared.case_changes.begin(unix_micros(), 1);
                commit.put(Family::Meta, &keys::case_change(case.seq), &change.to_be_bytes());
                self.shared.case_changes.settle(change);
                has_new = true;
                change
            });
            self.state.cases.put(&case, None, change);
        }
        if has_new {
            database.commit(commit, Durability::AsConfigured)?;
        }
        Ok(())
    }

    /// Finds the partition of each case by its suspects: what is stored of a case does not name it.
    pub(super) fn place_cases(&mut self) {
        let partition_of = |plate| assessors(&self.partitions).find(|(_, assessor)| assessor.is_suspect(plate));
        self.state.cases.place(|plate| partition_of(plate).map(|(id, _)| id));
    }

    /// Drops cases, oldest first, whose newest contradiction is older than `oldest`, at most `at_once`.
    pub(super) fn expire_cases(&mut self, oldest: i64, at_once: usize, commit: &mut Commit<'_>) {
        let old = self.state.cases.rows().filter(|row| row.newest < oldest).map(|row| row.seq);
        let old: Vec<u64> = old.take(at_once).collect();
        for seq in old {
            commit.delete(Family::Cases, &seq.to_be_bytes());
            commit.delete(Family::Meta, &keys::case_change(seq));
            self.shared.reading.work.drop_case(seq, commit);
            self.state.cases.remove(seq);
        }
    }
}

/// Saves the evidence of a partition, which knows all passages before the number `arrival`.
pub(super) fn write_evidence(
    id: u32,
    evidence: &mut PartitionEvidence,
    arrival: u64,
    commit: &mut Commit<'_>,
) -> Result<(), StoreError> {
    let (saved, sightings) = evidence.assessor.save();
    let parts = sightings.chunks(SIGHTINGS_OF_A_PART);
    let head = SavedHead { saved_arrival: arrival, parts: parts.len() as u32, evidence: saved };
    commit.put(Family::Evidence, &keys::evidence(id, 0), &codec::encode(keys::EVIDENCE, &head)?);
    for (part, sightings) in (1..).zip(parts) {
        commit.put(Family::Evidence, &keys::evidence(id, part), &encode_sightings(sightings)?);
    }
    let segments = SavedSegments { saved_arrival: arrival, segments: evidence.assessor.save_segments() };
    let segments = codec::encode(keys::SEGMENTS, &segments)?;
    commit.put(Family::Evidence, &keys::evidence(id, keys::SEGMENTS_PART), &segments);
    for part in head.parts + 1..=evidence.saved_parts {
        commit.delete(Family::Evidence, &keys::evidence(id, part));
    }
    fail::fail_point!("evidence::saved");
    evidence.saved_arrival = arrival;
    evidence.saved_parts = head.parts;
    evidence.saved_at = Some(moment());
    Ok(())
}
