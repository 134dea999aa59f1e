//! `POST /api/query` and the track of a plate: prune by zone map, scan what is left, and read whole rows only for the
//! page that is shown.
//!
//! Of a long list only rows of the page's own seconds ([`super::page`]) are sorted, and of those no more than a block at a time, since a
//! million may be of one second.

use shard::{Matches, PlatePattern, Predicate, SegmentError, TextTest, scan_segment};
use std::sync::Arc;

use super::cache::Use;
use super::page::{Found, seconds_of_page};
use super::rows::passage_row;
use super::select::select;
use super::view::{View, read_error};
use crate::reader::{Order, Page, PassageRow, QueryFilter, ReadError, TimeRange};
use crate::store::disk::segments::Entry;

/// Matching rows that are kept between counting and collecting; above this a segment is scanned a second time.
const MAX_KEPT_MATCHES: usize = 1 << 20;

/// Rows that are sorted at a time; few in tests, so that they take every branch.
const BLOCK: usize = if cfg!(test) { 32 } else { 65_536 };
/// A page of one second takes at most this many passes over its rows; a block is made large enough for that.
const MOST_LOOKS: u64 = 16;

pub(in crate::store) fn predicate(filter: &QueryFilter) -> Predicate {
    let equals = |text: &Option<String>| text.clone().map(TextTest::Equals);
    Predicate {
        time: filter.time,
        plate: filter.hphm.as_deref().map(PlatePattern::compile).filter(|pattern| !pattern.is_any()),
        checkpoints: filter.kkmc.clone(),
        district: equals(&filter.xzqhmc),
        direction: equals(&filter.fxlx),
        plate_type: equals(&filter.hpzl),
        model: filter.clppxh.clone().map(TextTest::Contains),
        province: filter.province.as_ref().and_then(|text| text.chars().next()),
        vehicle_type: filter.vehicle_type,
        fuel_type: filter.fuel_type,
    }
}

pub(in crate::store) fn query(
    view: &View,
    filter: &QueryFilter,
    order: Order,
    page: u64,
    limit: usize,
) -> Result<Page<PassageRow>, ReadError> {
    let skip = page.saturating_sub(1).saturating_mul(limit as u64);
    page_of(view, &predicate(filter), order, skip, limit).map_err(read_error)
}

/// How many rows match, and `limit` of them after the first `skip`.
fn page_of(
    view: &View,
    predicate: &Predicate,
    order: Order,
    skip: u64,
    limit: usize,
) -> Result<Page<PassageRow>, SegmentError> {
    let found = find(view, predicate)?;
    let mut page = Page { total: found.iter().map(|found| found.count).sum(), records: Vec::new() };
    if let Some(at) = seconds_of_page(view, predicate, &found, order, skip, limit as u64)? {
        let predicate = Predicate { time: at.time, ..predicate.clone() };
        page.records = rows(view, &predicate, order, at.count, at.skip, limit)?;
    }
    Ok(page)
}

/// `limit` rows after the first `skip` of the `count` that match.
fn rows(
    view: &View,
    predicate: &Predicate,
    order: Order,
    count: u64,
    mut skip: u64,
    limit: usize,
) -> Result<Vec<PassageRow>, SegmentError> {
    let block = BLOCK.max((count / MOST_LOOKS) as usize).max(limit);
    let entries: Vec<&Arc<Entry>> = view.entries().collect();
    let mut rows = Vec::new();
    let mut after = None;
    while rows.len() < limit {
        let wanted = skip.saturating_add((limit - rows.len()) as u64).min(block as u64) as usize;
        let found = select(view, &entries, predicate, order, after.as_ref(), wanted)?;
        let passed = skip.min(found.len() as u64);
        skip -= passed;
        for located in found.iter().skip(passed as usize) {
            if let Some(entry) = entries.get(located.entry as usize) {
                rows.push(passage_row(&view.columns(entry, Use::Show), located.row)?);
            }
        }
        if found.len() < wanted {
            break;
        }
        after = found.into_iter().next_back();
    }
    Ok(rows)
}

/// The matches of each segment that has some.
fn find<'a>(view: &'a View, predicate: &Predicate) -> Result<Vec<Found<'a>>, SegmentError> {
    let mut all = Vec::new();
    let mut kept = 0;
    for entry in view.entries().filter(|entry| predicate.may_match(&entry.zone)) {
        let matches = scan_segment(predicate, &entry.zone, &view.columns(entry, Use::Search))?;
        if matches.is_empty() {
            continue;
        }
        kept += if let Matches::Rows(rows) = &matches { rows.len() } else { 0 };
        let count = matches.len() as u64;
        all.push(Found { entry, count, matches: (kept <= MAX_KEPT_MATCHES).then_some(matches) });
    }
    Ok(all)
}

pub(in crate::store) fn track(
    view: &View,
    hphm: &str,
    range: TimeRange,
    kkmc: Option<&[String]>,
    limit: usize,
) -> Result<Page<PassageRow>, ReadError> {
    let (plate, checkpoints) = (Some(PlatePattern::exact(hphm)), kkmc.map(<[String]>::to_vec));
    let predicate = Predicate { time: range, plate, checkpoints, ..Predicate::default() };
    let mut page = page_of(view, &predicate, Order::Newest, 0, limit).map_err(read_error)?;
    page.records.sort_by(|a, b| Order::Oldest.compare((a.gcsj, &a.gcxh), (b.gcsj, &b.gcxh)));
    Ok(page)
}
