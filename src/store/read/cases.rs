//! Cases of a view: found in the index, read from the disk, and put into words.

use std::ops::RangeBounds;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use storage::Family;
use traffic::evidence::{Case, CaseCar, Contradiction, Explanations, Mark};
use traffic::{CivilTime, Dimension, NameId, PassageId, PlateCode, PlateType, brand_of};

use super::alerts::checkpoints_named;
use super::passages;
use super::view::{View, read_error};
use crate::calibration::Decision;
use crate::case_json::{
    CarJson, CaseBriefJson, CaseHeadJson, CaseJson, CountJson, ExplanationsJson, NextJson, PairJson, SightingJson,
    WorkedCase, rounded,
};
use crate::reader::{CaseFilter, CaseOrder, Page, ReadError, TimeRange};
use crate::store::disk::keys;
use crate::store::disk::records::{StoredCase, decode_case, decode_work_of_alert};
use crate::store::state::{CaseRow, CaseWork, WorkStates};
use crate::work::{AlertWork, WorkStatus};
use shard::PlatePattern;

impl View {
    /// How many cases there are.
    pub fn case_count(&self) -> u64 {
        self.cases.len() as u64
    }

    /// See [`Snapshot::cases`](crate::reader::Snapshot::cases).
    pub(super) fn search_cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        let work = self.reading.work.of_cases();
        let test = CaseTest::new(filter, self, &work.states);
        let mut found: Vec<&CaseRow> = self.cases.rows().filter(|row| test.accepts(row)).collect();
        found.sort_by(|a, b| {
            let first = match order {
                CaseOrder::Probability => b.probability.total_cmp(&a.probability).then(b.newest.cmp(&a.newest)),
                CaseOrder::Newest => b.opened_at.cmp(&a.opened_at),
            };
            first.then(b.seq.cmp(&a.seq))
        });
        let skip = page.saturating_sub(1).saturating_mul(limit as u64);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let page = found.iter().skip(skip).take(limit);
        let briefs = page.filter_map(|row| self.case_json(row, &work.states).transpose());
        let records = briefs.map(|case| Ok(CaseBriefJson::of(&case?))).collect::<Result<_, ReadError>>()?;
        Ok(Page { total: found.len() as u64, records })
    }

    /// See [`Snapshot::case`](crate::reader::Snapshot::case).
    pub(in crate::store) fn case_by_id(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        let Some(row) = self.cases.rows().rev().find(|row| row.id == id) else { return Ok(None) };
        self.worked_case(row)
    }

    fn worked_case(&self, row: &CaseRow) -> Result<Option<WorkedCase>, ReadError> {
        let states = &self.reading.work.of_cases().states;
        let Some(case) = self.case_json(row, states)? else { return Ok(None) };
        Ok(Some(WorkedCase { case, work: self.case_work(row.seq)? }))
    }

    /// See [`Snapshot::decisions`](crate::reader::Snapshot::decisions).
    pub(super) fn case_decisions(&self) -> Vec<Decision> {
        let states = self.reading.work.of_cases();
        let decided = self.cases.rows().filter_map(|row| {
            let is_confirmed = match states.states.of(row.seq)? {
                WorkStatus::Confirmed => true,
                WorkStatus::Dismissed => false,
                WorkStatus::New | WorkStatus::Investigating => return None,
            };
            Some(Decision { probability: row.probability, is_confirmed })
        });
        decided.collect()
    }

    /// Cases whose newest change, of the case or of the work on it, has one of these numbers, in the order of those.
    pub(in crate::store) fn case_rows_changed(&self, numbers: impl RangeBounds<u64>) -> Vec<(u64, &CaseRow)> {
        let work = self.reading.work.of_cases();
        let numbered = self.cases.rows().map(|row| (newest_change(row, &work), row));
        let mut rows: Vec<_> = numbered.filter(|(change, _)| numbers.contains(change)).collect();
        rows.sort_unstable_by_key(|(change, _)| *change);
        rows
    }

    /// The first `limit` of the cases whose newest change has one of these numbers, in the order of those.
    ///
    /// # Errors
    /// [`ReadError`] if they could not be read.
    pub(in crate::store) fn cases_changed_in(
        &self,
        numbers: impl RangeBounds<u64>,
        limit: usize,
    ) -> Result<Vec<ChangedCase>, ReadError> {
        let mut changed = Vec::new();
        for (change, row) in self.case_rows_changed(numbers).into_iter().take(limit) {
            // Dropped since the view was made.
            let Some(worked) = self.worked_case(row)? else { continue };
            changed.push(ChangedCase { change, newest: row.newest, worked });
        }
        Ok(changed)
    }

    fn case_work(&self, seq: u64) -> Result<AlertWork, ReadError> {
        match self.reading.database.get(Family::Meta, &keys::case_work(seq)).map_err(read_error)? {
            Some(bytes) => decode_work_of_alert(&bytes).map_err(read_error),
            None => Ok(AlertWork::default()),
        }
    }

    /// Cases with a number above `seq`, in the order in which they were opened.
    ///
    /// # Errors
    /// [`ReadError`] if they could not be read.
    pub fn cases_after(&self, seq: u64, limit: usize) -> Result<Vec<CaseJson>, ReadError> {
        let work = self.reading.work.of_cases();
        let rows = self.cases.rows().filter(|row| row.seq > seq).take(limit);
        rows.filter_map(|row| self.case_json(row, &work.states).transpose()).collect()
    }

    /// See [`Snapshot::cases_changed`](crate::reader::Snapshot::cases_changed).
    pub(super) fn case_heads_after(&self, change: u64) -> (u64, Vec<CaseHeadJson>) {
        if self.cases.changes() <= change {
            return (self.cases.changes(), Vec::new());
        }
        let mut rows: Vec<&CaseRow> = self.cases.rows().filter(|row| row.change > change).collect();
        rows.sort_unstable_by_key(|row| row.change);
        let head = |row: &CaseRow| CaseHeadJson {
            seq: row.seq,
            id: format!("{:016x}", row.id),
            hphm: row.plate.unpack(),
            probability: row.probability,
            cause: row.cause,
            contradictions: row.contradictions,
            last_time: text(row.newest),
        };
        (self.cases.changes(), rows.into_iter().map(head).collect())
    }

    /// The case of a row; none if it was dropped since the view was made.
    fn case_json(&self, row: &CaseRow, states: &WorkStates) -> Result<Option<CaseJson>, ReadError> {
        let bytes = self.reading.database.get(Family::Cases, &row.seq.to_be_bytes()).map_err(read_error)?;
        let Some(bytes) = bytes else { return Ok(None) };
        let stored = decode_case(&bytes).map_err(read_error)?;
        let status = states.of(row.seq).unwrap_or_default();
        let words = Words { view: self, odd_ids: self.odd_ids(&stored.case)? };
        Ok(Some(words.of_case(&stored, status)))
    }

    /// The texts of GCXH that the evidence holds as a hash only, from the passages of the plate that are kept.
    fn odd_ids(&self, case: &Case) -> Result<FxHashMap<PassageId, String>, ReadError> {
        let cars = case.cars.iter().flat_map(|car| &car.sightings);
        let pairs = case.contradictions.iter().flat_map(|pair| [&pair.from, &pair.to]);
        let marks = cars.chain(pairs).chain(&case.strangers).filter(|mark| mark.spot.id.is_odd());
        let times: Vec<i64> = marks.map(|mark| mark.spot.time).collect();
        let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
            return Ok(FxHashMap::default());
        };
        let range = TimeRange { start: Some(CivilTime(*first)), end: Some(CivilTime(*last)) };
        let rows = passages::track(self, &case.plate.unpack(), range, None, MAX_SIGHTINGS)?.records.into_iter();
        Ok(rows.map(|row| (PassageId::pack(&row.gcxh), row.gcxh)).collect())
    }
}

/// A case as it is after its newest change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedCase {
    /// The number of that change; a later one has a larger number.
    pub change: u64,
    /// Corrected time of its newest contradiction, in civil seconds.
    pub newest: i64,
    /// The case and the work on it.
    pub worked: WorkedCase,
}

fn newest_change(row: &CaseRow, work: &CaseWork) -> u64 {
    row.change.max(work.change(row.seq))
}

/// A case in words: names in the place of numbers.
struct Words<'a> {
    view: &'a View,
    /// Texts of the GCXH that are not held in the packed form.
    odd_ids: FxHashMap<PassageId, String>,
}

impl Words<'_> {
    fn of_case(&self, stored: &StoredCase, status: WorkStatus) -> CaseJson {
        let case = &stored.case;
        CaseJson {
            seq: stored.seq,
            id: format!("{:016x}", stored.id()),
            hphm: case.plate.unpack(),
            probability: rounded(case.explanations.clone),
            cause: case.explanations.likeliest(),
            explanations: explanations(&case.explanations),
            contradictions: stored.contradictions(),
            first_time: text(stored.first),
            last_time: text(case.newest),
            opened_at: text(stored.opened_at),
            status,
            cars: case.cars.iter().map(|car| self.car(car)).collect(),
            strangers: case.strangers.iter().map(|mark| self.sighting(mark)).collect(),
            brands: case
                .brands
                .iter()
                .filter_map(|(brand, count)| Some(CountJson { name: self.brand(*brand)?, value: *count }))
                .collect(),
            plate_types: case
                .plate_types
                .iter()
                .map(|(hpzl, count)| CountJson { name: hpzl_text(*hpzl), value: *count })
                .collect(),
            pairs: case.contradictions.iter().map(|pair| self.pair(pair)).collect(),
            model: case.model.map(|hour| text(hour * 3600)),
        }
    }

    fn car(&self, car: &CaseCar) -> CarJson {
        let next = car.next.iter().map(|next| NextJson {
            kkmc: self.checkpoint(next.checkpoint).to_string(),
            time: text(next.at),
            share: rounded(next.share),
        });
        CarJson { sightings: car.sightings.iter().map(|mark| self.sighting(mark)).collect(), next: next.collect() }
    }

    fn pair(&self, pair: &Contradiction) -> PairJson {
        PairJson {
            earlier: self.sighting(&pair.from),
            later: self.sighting(&pair.to),
            gap_seconds: pair.to.at - pair.from.at,
            fastest_seconds: pair.fastest.round(),
            neighbour_due: pair.from.due.or(pair.to.due).map(PlateCode::unpack),
        }
    }

    fn sighting(&self, mark: &Mark) -> SightingJson {
        let spot = &mark.spot;
        SightingJson {
            kkmc: self.checkpoint(spot.checkpoint).to_string(),
            time: text(spot.time),
            corrected_time: text(mark.at),
            gcxh: if spot.id.is_odd() { self.odd_ids.get(&spot.id).cloned() } else { Some(spot.id.unpack()) },
            brand: self.brand(spot.brand),
            hpzl: hpzl_text(spot.plate_type),
        }
    }

    fn checkpoint(&self, number: NameId) -> Arc<str> {
        self.view.names.shared(Dimension::Checkpoint, number)
    }

    /// The number of a brand is that of its first model, plus one.
    fn brand(&self, number: u32) -> Option<String> {
        let model = self.view.names.text(Dimension::Model, number.checked_sub(1)?);
        Some(brand_of(model).to_owned())
    }
}

/// Sightings of a case are at most a day's, contradictions the newest hundred.
const MAX_SIGHTINGS: usize = 10_000;

fn text(time: i64) -> String {
    CivilTime(time).to_string()
}

fn hpzl_text(plate_type: PlateType) -> String {
    match plate_type.number().checked_sub(1) {
        Some(code) => format!("{code:02}"),
        None => "-".to_owned(),
    }
}

fn explanations(of: &Explanations) -> ExplanationsJson {
    let Explanations { clone, misread, clock, plate_types, fast } = *of;
    ExplanationsJson {
        clone: rounded(clone),
        misread: rounded(misread),
        clock: rounded(clock),
        plate_types: rounded(plate_types),
        fast: rounded(fast),
    }
}

/// A compiled [`CaseFilter`].
struct CaseTest<'a> {
    filter: &'a CaseFilter,
    plate: Option<PlatePattern>,
    /// Numbers of the requested checkpoints.
    checkpoints: Option<Vec<NameId>>,
    work: &'a WorkStates,
}

impl<'a> CaseTest<'a> {
    fn new(filter: &'a CaseFilter, view: &View, work: &'a WorkStates) -> Self {
        Self {
            filter,
            plate: filter.hphm.as_deref().map(PlatePattern::compile).filter(|pattern| !pattern.is_any()),
            checkpoints: filter.kkmc.as_ref().map(|texts| checkpoints_named(texts, &view.names)),
            work,
        }
    }

    fn accepts(&self, row: &CaseRow) -> bool {
        let filter = self.filter;
        let newest = CivilTime(row.newest);
        filter.time.touches(newest, newest)
            && filter.min_probability.is_none_or(|least| row.probability >= least)
            && filter.cause.is_none_or(|cause| cause == row.cause)
            && self.checkpoints.as_ref().is_none_or(|wanted| row.checkpoints.iter().any(|id| wanted.contains(id)))
            && self.plate.as_ref().is_none_or(|plate| plate.matches(row.plate, ""))
            && filter.status.is_none_or(|status| self.work.of(row.seq).unwrap_or(WorkStatus::New) == status)
    }
}
