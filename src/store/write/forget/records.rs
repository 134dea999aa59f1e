//! What is known of a plate beside the log: alerts, cases, work, rejects, plate states and evidence, in one commit.

use std::collections::BTreeSet;

use storage::{Commit, Database, Family, codec};
use traffic::evidence::Reason;
use traffic::{Alert, AlertId, Dimension};

use super::found::Forgotten;
use crate::mentions::Mentions;
use crate::pseudonyms::PlateCipher;
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::{
    DetectionTotals, RefusedRow, SavedHead, StoredReject, decode_alert, decode_case, decode_sightings,
    decode_work_of_alert, encode_alert, encode_case, encode_sightings, encode_work,
};
use crate::store::write::store::Store;

/// What stands for the plate and the GCXH of an alert of which they were forgotten.
const NOTHING: &str = "-";

impl Store {
    /// Puts into a commit what removes everything of a plate but its passages; `held` has their GCXH. Returns what it found.
    pub(in crate::store) fn forget_records(
        &mut self,
        plate: &Mentions,
        held: Option<&Forgotten>,
        commit: &mut Commit<'_>,
    ) -> Result<Forgotten, StoreError> {
        let database = self.shared.reading.database.clone();
        let (found, worked) = (Forgotten::default(), BTreeSet::new());
        let mut pass =
            Pass { database: &database, plate, cipher: self.settings.plates.as_deref(), found, worked, commit };
        pass.states()?;
        pass.evidence()?;
        pass.alerts()?;
        pass.cases()?;
        pass.notes(keys::WORK_PREFIX)?;
        pass.notes(keys::CASE_WORK_PREFIX)?;
        let freed = pass.rejects()?;
        let mut found = pass.found;
        if freed > 0 {
            let left = codec::encode(keys::REJECTS_BYTES, &self.rejects_bytes.saturating_sub(freed))?;
            commit.put(Family::Meta, keys::REJECTS_BYTES_KEY, &left);
        }
        let sample = self.detection.totals.conflict_sample.as_ref();
        if sample.is_some_and(|gcxh| held.is_some_and(|held| held.ids.contains(gcxh))) {
            let totals = DetectionTotals { conflict_sample: None, ..self.detection.totals.clone() };
            commit.put(Family::Meta, keys::DETECTION_KEY, &codec::encode(keys::DETECTION, &totals)?);
        }
        let names = Dimension::STORED.into_iter().flat_map(|dimension| self.state.names.all(dimension));
        found.names = names.filter(|name| plate.are_in(name)).count() as u64;
        Ok(found)
    }
}

/// One pass over the families.
struct Pass<'a, 'b> {
    database: &'a Database,
    plate: &'a Mentions,
    cipher: Option<&'a PlateCipher>,
    found: Forgotten,
    /// Keys of the work that goes with its alert or case.
    worked: BTreeSet<Vec<u8>>,
    commit: &'a mut Commit<'b>,
}

impl Pass<'_, '_> {
    fn damaged(&self, what: &str, error: &codec::CodecError) -> StoreError {
        self.database.damaged(what, error).into()
    }

    fn states(&mut self) -> Result<(), StoreError> {
        for item in self.database.scan(Family::Plates, &[]) {
            let (key, _) = item?;
            if keys::split_plate(&key).is_some_and(|(_, code)| code == self.plate.code()) {
                self.found.plate_states += 1;
                self.commit.delete(Family::Plates, &key);
            }
        }
        Ok(())
    }

    fn evidence(&mut self) -> Result<(), StoreError> {
        let code = self.plate.code();
        for item in self.database.scan(Family::Evidence, &[]) {
            let (key, value) = item?;
            match keys::last_u32(&key) {
                Some(0) => {
                    let head = codec::decode(keys::EVIDENCE, &value);
                    let mut head: SavedHead = head.map_err(|error| self.damaged("the evidence", &error))?;
                    let forgotten = head.evidence.forget(code) as u64;
                    if forgotten > 0 {
                        self.found.evidence += forgotten;
                        self.commit.put(Family::Evidence, &key, &codec::encode(keys::EVIDENCE, &head)?);
                    }
                }
                Some(keys::SEGMENTS_PART) | None => {}
                Some(_) => {
                    let sightings = decode_sightings(&value);
                    let mut sightings = sightings.map_err(|error| self.damaged("the evidence", &error))?;
                    let before = sightings.len();
                    sightings.retain(|(other, _)| *other != code);
                    if sightings.len() < before {
                        self.found.evidence += (before - sightings.len()) as u64;
                        self.commit.put(Family::Evidence, &key, &encode_sightings(&sightings)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn alerts(&mut self) -> Result<(), StoreError> {
        for item in self.database.scan(Family::Alerts, &[]) {
            let (key, value) = item?;
            let mut alert = decode_alert(&value).map_err(|error| self.damaged("an alert", &error))?;
            if alert.plate == self.plate.text() {
                self.found.alerts += 1;
                let passages = [alert.earlier.passage.clone(), alert.later.passage.clone()];
                self.found.ids.extend(passages.into_iter().chain([alert.id.to_string()]));
                self.work(keys::work(alert.seq))?;
                self.commit.put(Family::Alerts, &key, &encode_alert(&without_plate(alert))?);
            } else if let Some(evidence) = &mut alert.evidence {
                let before = evidence.reasons.len();
                evidence.reasons.retain(|reason| *reason != Reason::NeighbourDue(self.plate.code()));
                if evidence.reasons.len() < before {
                    self.found.mentions += 1;
                    self.commit.put(Family::Alerts, &key, &encode_alert(&alert)?);
                }
            }
        }
        Ok(())
    }

    fn cases(&mut self) -> Result<(), StoreError> {
        for item in self.database.scan(Family::Cases, &[]) {
            let (key, value) = item?;
            let mut stored = decode_case(&value).map_err(|error| self.damaged("a case", &error))?;
            if stored.case.plate == self.plate.code() {
                self.found.cases += 1;
                self.found.ids.insert(AlertId(stored.id()).to_string());
                self.work(keys::case_work(stored.seq))?;
                self.commit.delete(Family::Cases, &key);
                self.commit.delete(Family::Meta, &keys::case_change(stored.seq));
                self.commit.delete(Family::Meta, &keys::case_work_change(stored.seq));
            } else if stored.case.forget(self.plate.code()) {
                self.found.mentions += 1;
                self.commit.put(Family::Cases, &key, &encode_case(&stored)?);
            }
        }
        Ok(())
    }

    /// The work on an alert or a case that goes.
    fn work(&mut self, key: Vec<u8>) -> Result<(), StoreError> {
        if let Some(value) = self.database.get(Family::Meta, &key)? {
            let work = decode_work_of_alert(&value).map_err(|error| self.damaged("the work on an alert", &error))?;
            self.found.work += work.history.len() as u64;
            self.commit.delete(Family::Meta, &key);
            self.worked.insert(key);
        }
        Ok(())
    }

    /// Empties notes on other plates that name this one.
    fn notes(&mut self, prefix: &'static [u8]) -> Result<(), StoreError> {
        for item in self.database.scan(Family::Meta, prefix) {
            let (key, value) = item?;
            if !key.starts_with(prefix) {
                break;
            }
            if self.worked.contains(&*key) {
                continue;
            }
            let mut work =
                decode_work_of_alert(&value).map_err(|error| self.damaged("the work on an alert", &error))?;
            let mut emptied = 0;
            let names = |note: &str| {
                self.plate.are_in(note) || self.cipher.is_some_and(|cipher| self.plate.are_in(&cipher.reveal_in(note)))
            };
            for entry in work.history.iter_mut().filter(|entry| names(&entry.note)) {
                entry.note.clear();
                emptied += 1;
            }
            if emptied > 0 {
                self.found.mentions += emptied;
                self.commit.put(Family::Meta, &key, &encode_work(&work)?);
            }
        }
        Ok(())
    }

    /// Returns the bytes by which rejects became shorter.
    fn rejects(&mut self) -> Result<u64, StoreError> {
        let mut freed = 0;
        for item in self.database.scan(Family::Rejects, &[]) {
            let (key, value) = item?;
            if keys::is_refused(&key) {
                let row = codec::decode(keys::REFUSED, &value);
                let row: RefusedRow = row.map_err(|error| self.damaged("a refused row", &error))?;
                if self.plate.are_in_line(row.line.as_bytes()) || self.plate.are_in(&row.error) {
                    self.found.rejects += 1;
                    self.commit.delete(Family::Rejects, &key);
                }
                continue;
            }
            let reject = StoredReject::decode(&value).map_err(|error| self.damaged("a reject", &error))?;
            let opened = self.cipher.and_then(|cipher| cipher.open(&reject.raw));
            if self.plate.are_in_line(opened.as_ref().unwrap_or(&reject.raw)) {
                self.found.rejects += 1;
                let emptied = codec::encode(keys::REJECT, &StoredReject { raw: Vec::new(), bytes: 0, ..reject })?;
                freed += value.len().saturating_sub(emptied.len()) as u64;
                self.commit.put(Family::Rejects, &key, &emptied);
            }
        }
        Ok(freed)
    }
}

/// The place of an alert in the order of their numbers. Its id is no hash of the plate any more.
fn without_plate(mut alert: Alert) -> Alert {
    alert.id = AlertId(alert.seq);
    alert.plate = NOTHING.to_owned();
    alert.evidence = None;
    for sighting in [&mut alert.earlier, &mut alert.later] {
        sighting.passage = NOTHING.to_owned();
    }
    alert
}
