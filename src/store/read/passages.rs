//! `POST /api/query` and the track of a plate: prune by zone map, scan what is left, and read whole rows only for the
//! page that is shown.
//!
//! A page of a long list is found by counting: matches are counted by hour and, in the hours that the page lies in, by
//! second; only rows of the page's own seconds are sorted, and of those no more than a block at a time, since a million
//! may be of one second.

use shard::{Column, ColumnKind, ColumnLoader, Matches, PlatePattern, Predicate, SegmentError, TextTest, scan_segment};
use std::collections::BTreeMap;
use std::sync::Arc;
use traffic::CivilTime;

use super::rows::passage_row;
use super::select::select;
use super::view::{Columns, SECONDS_PER_HOUR, View, read_error};
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
    let total: u64 = found.hours.values().sum();
    let mut page = Page { total, records: Vec::new() };
    let hours = order.page_hours(&found.hours, skip, limit as u64).filter(|_| limit > 0);
    let Some(hours) = hours else { return Ok(page) };
    let seconds = count_seconds(view, predicate, &found, hours.span())?;
    let skip = skip - hours.before;
    let Some(at) = order.page_hours(&seconds, skip, limit as u64) else { return Ok(page) };
    let (oldest, newest) = at.span();
    let count = seconds.range(oldest..=newest).map(|(_, count)| count).sum();
    let time = TimeRange { start: Some(CivilTime(oldest)), end: Some(CivilTime(newest)) };
    let predicate = Predicate { time, ..predicate.clone() };
    page.records = rows(view, &predicate, order, count, skip - at.before, limit)?;
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
                rows.push(passage_row(&view.columns(entry), located.row)?);
            }
        }
        if found.len() < wanted {
            break;
        }
        after = found.into_iter().next_back();
    }
    Ok(rows)
}

/// Matches of all segments: how many by hour, and which rows if they are few enough to keep.
struct Found<'a> {
    hours: BTreeMap<i64, u64>,
    matches: Vec<(&'a Arc<Entry>, Option<Matches>)>,
}

fn find<'a>(view: &'a View, predicate: &Predicate) -> Result<Found<'a>, SegmentError> {
    let by_time_only = Predicate { time: predicate.time, ..Predicate::default() } == *predicate;
    let mut found = Found { hours: BTreeMap::new(), matches: Vec::new() };
    let mut kept = 0;
    if by_time_only && predicate.time == TimeRange::default() {
        found.hours = view.rollups.hours.iter().map(|(hour, rollup)| (*hour, rollup.total)).collect();
        found.matches = view.entries().map(|entry| (entry, None)).collect();
        return Ok(found);
    }
    for entry in view.entries().filter(|entry| predicate.may_match(&entry.zone)) {
        let columns = view.columns(entry);
        let matches = scan_segment(predicate, &entry.zone, &columns)?;
        if matches.is_empty() {
            continue;
        }
        let (first, last) = (entry.zone.min_time.hour(), entry.zone.max_time.hour());
        if first == last {
            *found.hours.entry(first).or_default() += matches.len() as u64;
        } else {
            with_times(&columns, |times| count_hours(times, &matches, &mut found.hours))?;
        }
        let weight = if let Matches::Rows(rows) = &matches { rows.len() } else { 0 };
        kept += weight;
        found.matches.push((entry, (kept <= MAX_KEPT_MATCHES).then_some(matches)));
    }
    Ok(found)
}

/// Adds how many matches each hour has. Rows of one hour are mostly adjacent, and are counted before they are added.
fn count_hours(times: &[CivilTime], matches: &Matches, hours: &mut BTreeMap<i64, u64>) {
    let (mut start, mut count) = (i64::MAX, 0);
    let mut add = |start: i64, count: u64| {
        if count > 0 {
            *hours.entry(CivilTime(start).hour()).or_default() += count;
        }
    };
    let mut see = |time: CivilTime| {
        // One comparison checks both that the hour has begun and that it has not ended.
        if (time.0.wrapping_sub(start) as u64) < SECONDS_PER_HOUR as u64 {
            count += 1;
        } else {
            add(start, count);
            start = time.hour() * SECONDS_PER_HOUR;
            count = 1;
        }
    };
    match matches {
        Matches::All(_) => times.iter().for_each(|time| see(*time)),
        Matches::Rows(rows) => rows.iter().filter_map(|row| times.get(*row as usize)).for_each(|time| see(*time)),
    }
    add(start, count);
}

/// How many matches each second has in the hours from the `oldest` to the `newest`.
fn count_seconds(
    view: &View,
    predicate: &Predicate,
    found: &Found<'_>,
    (oldest, newest): (i64, i64),
) -> Result<BTreeMap<i64, u64>, SegmentError> {
    let hours = oldest..=newest;
    let mut seconds = BTreeMap::new();
    for (entry, matches) in &found.matches {
        if entry.zone.max_time.hour() < oldest || entry.zone.min_time.hour() > newest {
            continue;
        }
        let columns = view.columns(entry);
        let scanned;
        let matches = match matches {
            Some(matches) => matches,
            None => {
                scanned = scan_segment(predicate, &entry.zone, &columns)?;
                &scanned
            }
        };
        with_times(&columns, |times| {
            let in_hours = matches.iter().filter_map(|row| times.get(row as usize));
            let mut run = (i64::MIN, 0);
            // Rows of one second are mostly adjacent.
            for time in in_hours.filter(|time| hours.contains(&time.hour())) {
                if time.0 != run.0 && run.1 > 0 {
                    *seconds.entry(run.0).or_default() += run.1;
                    run.1 = 0;
                }
                run = (time.0, run.1 + 1);
            }
            if run.1 > 0 {
                *seconds.entry(run.0).or_default() += run.1;
            }
        })?;
    }
    Ok(seconds)
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

fn with_times(columns: &Columns<'_>, take: impl FnOnce(&[CivilTime])) -> Result<(), SegmentError> {
    match &*columns.load(ColumnKind::Times)? {
        Column::Times(times) => take(times),
        _ => return Err(SegmentError::WrongColumn("times")),
    }
    Ok(())
}
