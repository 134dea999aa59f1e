//! `POST /api/query` and the track of a plate: prune by zone map, scan what is left, and read whole rows only for the page
//! that is shown.
//!
//! A page of a long list is found by counting: matches are counted by hour, which tells the hours that the page lies in,
//! and only their rows are put in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use shard::{Column, ColumnKind, ColumnLoader, Matches, PlatePattern, Predicate, SegmentError, TextTest, scan_segment};
use traffic::{CivilTime, PassageId, PlateCode};

use super::log::Entry;
use super::view::{Columns, SECONDS_PER_HOUR, View, read_error};
use crate::reader::{Order, Page, PassageKey, PassageRow, QueryFilter, ReadError, TimeRange};

/// Matching rows that are kept between counting and collecting; past it a segment is scanned a second time.
const MAX_KEPT_MATCHES: usize = 4 << 20;

fn predicate(filter: &QueryFilter) -> Predicate {
    let equals = |text: &Option<String>| text.clone().map(TextTest::Equals);
    Predicate {
        time: time_range(filter.time),
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

fn time_range(range: TimeRange) -> shard::TimeRange {
    shard::TimeRange { from: range.start, to: range.end }
}

/// A row that may be on the page.
struct Candidate<'a> {
    time: CivilTime,
    entry: &'a Arc<Entry>,
    row: u32,
}

pub(super) fn query(
    view: &View,
    filter: &QueryFilter,
    order: Order,
    page: u64,
    limit: usize,
) -> Result<Page<PassageRow>, ReadError> {
    let predicate = predicate(filter);
    let skip = page.saturating_sub(1).saturating_mul(limit as u64);
    let found = find(view, &predicate).map_err(read_error)?;
    let total: u64 = found.hours.values().sum();
    let hours = order.page_hours(&found.hours, skip, limit as u64).filter(|_| limit > 0);
    let Some(hours) = hours else { return Ok(Page { total, records: Vec::new() }) };
    let candidates = collect(view, &predicate, &found, hours.span()).map_err(read_error)?;
    let from = (skip - hours.before) as usize;
    let records = page_of(view, candidates, order, from, limit).map_err(read_error)?;
    Ok(Page { total, records })
}

/// Matches of all segments: how many by hour, and which rows where they are few enough to keep.
struct Found<'a> {
    hours: BTreeMap<i64, u64>,
    matches: Vec<(&'a Arc<Entry>, Option<Matches>)>,
}

fn find<'a>(view: &'a View, predicate: &Predicate) -> Result<Found<'a>, SegmentError> {
    let by_time_only = Predicate { time: predicate.time, ..Predicate::default() } == *predicate;
    let mut found = Found { hours: BTreeMap::new(), matches: Vec::new() };
    let mut kept = 0;
    if by_time_only && predicate.time == shard::TimeRange::default() {
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

/// Adds how many matches each hour has. Rows of one hour mostly stand side by side, and are counted before they are added.
fn count_hours(times: &[CivilTime], matches: &Matches, hours: &mut BTreeMap<i64, u64>) {
    let (mut start, mut count) = (i64::MAX, 0);
    let mut add = |start: i64, count: u64| {
        if count > 0 {
            *hours.entry(CivilTime(start).hour()).or_default() += count;
        }
    };
    let mut see = |time: CivilTime| {
        // One comparison tells both that the hour has begun and that it has not ended.
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

/// The matching rows of the hours from the `oldest` to the `newest`.
fn collect<'a>(
    view: &'a View,
    predicate: &Predicate,
    found: &Found<'a>,
    (oldest, newest): (i64, i64),
) -> Result<Vec<Candidate<'a>>, SegmentError> {
    let hours = oldest..=newest;
    let mut candidates = Vec::new();
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
            candidates.extend(matches.iter().filter_map(|row| {
                let time = *times.get(row as usize)?;
                hours.contains(&time.hour()).then_some(Candidate { time, entry, row })
            }));
        })?;
    }
    Ok(candidates)
}

/// `limit` rows of the candidates from the `from`-th on, in `order`. They are sorted by time; rows of one second are put
/// in the order of their GCXH, for which only those seconds that the page touches are read.
fn page_of(
    view: &View,
    mut candidates: Vec<Candidate<'_>>,
    order: Order,
    from: usize,
    limit: usize,
) -> Result<Vec<PassageRow>, SegmentError> {
    candidates.sort_by(|a, b| order.compare_times(a.time, b.time));
    let to = from.saturating_add(limit).min(candidates.len());
    let (Some(first), Some(last)) = (candidates.get(from), candidates.get(to.saturating_sub(1))) else {
        return Ok(Vec::new());
    };
    let start = candidates.partition_point(|candidate| order.compare_times(candidate.time, first.time).is_lt());
    let end = candidates.partition_point(|candidate| order.compare_times(candidate.time, last.time).is_le());
    let mut rows = Vec::with_capacity(end - start);
    for candidate in candidates.get(start..end).unwrap_or_default() {
        let id = id_text(&view.columns(candidate.entry), candidate.row)?;
        rows.push((id, candidate));
    }
    rows.sort_by(|(a, at), (b, bt)| order.compare((at.time, a), (bt.time, b)));
    let page = rows.into_iter().skip(from - start).take(to - from);
    page.map(|(id, candidate)| passage_row(&view.columns(candidate.entry), candidate, id)).collect()
}

/// Rows that a first window of time is expected to hold, as a multiple of those that are asked for.
const WINDOW_ROWS: usize = 2;

/// Rows of one second with the same GCXH, from several partitions: they are not torn apart, since the key between them is
/// the same.
const MAX_TWINS: usize = 16;

/// The next rows behind `after`, a few more than `limit` where those have the last one's key. Windows of time are looked
/// through from there on, each twice as long as the one before, until enough is found: so a piece of a long list costs
/// about its own rows, and so does the memory.
pub(super) fn query_after(
    view: &View,
    filter: &QueryFilter,
    order: Order,
    after: Option<&PassageKey>,
    limit: usize,
) -> Result<Vec<PassageRow>, ReadError> {
    let whole = predicate(filter);
    let hours = &view.rollups.hours;
    let (Some((&first_hour, _)), Some((&last_hour, _))) = (hours.first_key_value(), hours.last_key_value()) else {
        return Ok(Vec::new());
    };
    let mut oldest = whole.time.from.map_or(i64::MIN, |from| from.0).max(first_hour * SECONDS_PER_HOUR);
    let mut newest = whole.time.to.map_or(i64::MAX, |to| to.0).min((last_hour + 1) * SECONDS_PER_HOUR - 1);
    match (after, order) {
        (Some(key), Order::Newest) => newest = newest.min(key.gcsj.0),
        (Some(key), Order::Oldest) => oldest = oldest.max(key.gcsj.0),
        (None, _) => {}
    }
    if limit == 0 || newest < oldest {
        return Ok(Vec::new());
    }
    // Only hours that hold anything are worth a window.
    let mut hours = hours.range(oldest.div_euclid(SECONDS_PER_HOUR)..=newest.div_euclid(SECONDS_PER_HOUR));
    let first = if order == Order::Newest { hours.next_back() } else { hours.next() };
    let Some((&hour, rollup)) = first else { return Ok(Vec::new()) };
    match order {
        Order::Newest => newest = newest.min((hour + 1) * SECONDS_PER_HOUR - 1),
        Order::Oldest => oldest = oldest.max(hour * SECONDS_PER_HOUR),
    }
    let expected = limit.saturating_mul(WINDOW_ROWS) as u64;
    let seconds = expected.saturating_mul(SECONDS_PER_HOUR as u64) / rollup.total.max(1);
    let mut seconds = seconds.clamp(1, SECONDS_PER_HOUR as u64) as i64;

    let mut rows: Vec<PassageRow> = Vec::new();
    while newest >= oldest && rows.len() < limit {
        let (from, to) = match order {
            Order::Newest => (newest.saturating_sub(seconds - 1).max(oldest), newest),
            Order::Oldest => (oldest, oldest.saturating_add(seconds - 1).min(newest)),
        };
        let time = shard::TimeRange { from: Some(CivilTime(from)), to: Some(CivilTime(to)) };
        let predicate = Predicate { time, ..whole.clone() };
        let mut candidates = Vec::new();
        for entry in view.entries().filter(|entry| predicate.may_match(&entry.zone)) {
            let columns = view.columns(entry);
            let matches = scan_segment(&predicate, &entry.zone, &columns).map_err(read_error)?;
            with_times(&columns, |times| {
                let row = |row: u32| Some(Candidate { time: *times.get(row as usize)?, entry, row });
                candidates.extend(matches.iter().filter_map(row));
            })
            .map_err(read_error)?;
        }
        let done = match after {
            Some(key) => rows_up_to(view, &candidates, key).map_err(read_error)?,
            None => 0,
        };
        let wanted = limit.saturating_sub(rows.len()).saturating_add(MAX_TWINS);
        rows.extend(page_of(view, candidates, order, done, wanted).map_err(read_error)?);
        match order {
            Order::Newest => newest = from - 1,
            Order::Oldest => oldest = to + 1,
        }
        seconds = seconds.saturating_mul(2);
    }
    let last = limit.checked_sub(1).and_then(|last| rows.get(last)).map(PassageKey::of);
    let twins = rows.iter().skip(limit).take_while(|row| last.as_ref() == Some(&PassageKey::of(row))).count();
    rows.truncate(limit + twins);
    Ok(rows)
}

/// How many of the candidates, none of which is of a second before that of `key`, come before `key` or are it.
fn rows_up_to(view: &View, candidates: &[Candidate<'_>], key: &PassageKey) -> Result<usize, SegmentError> {
    let mut count = 0;
    for candidate in candidates.iter().filter(|candidate| candidate.time == key.gcsj) {
        count += usize::from(id_text(&view.columns(candidate.entry), candidate.row)? <= key.gcxh);
    }
    Ok(count)
}

pub(super) fn track(view: &View, hphm: &str, range: TimeRange, limit: usize) -> Result<Page<PassageRow>, ReadError> {
    let predicate =
        Predicate { time: time_range(range), plate: Some(PlatePattern::exact(hphm)), ..Predicate::default() };
    let found = find(view, &predicate).map_err(read_error)?;
    let total: u64 = found.hours.values().sum();
    let candidates = collect(view, &predicate, &found, (i64::MIN, i64::MAX)).map_err(read_error)?;
    let mut records = page_of(view, candidates, Order::Newest, 0, limit).map_err(read_error)?;
    records.sort_by(|a, b| Order::Oldest.compare((a.gcsj, &a.gcxh), (b.gcsj, &b.gcxh)));
    Ok(Page { total, records })
}

fn with_times(columns: &Columns<'_>, take: impl FnOnce(&[CivilTime])) -> Result<(), SegmentError> {
    match &*columns.load(ColumnKind::Times)? {
        Column::Times(times) => take(times),
        _ => return Err(SegmentError::WrongColumn("times")),
    }
    Ok(())
}

fn odd_text(columns: &Columns<'_>, kind: ColumnKind, row: u32) -> Result<String, SegmentError> {
    match &*columns.load(kind)? {
        Column::OddTexts(texts) => Ok(texts
            .binary_search_by_key(&row, |(at, _)| *at)
            .ok()
            .and_then(|at| texts.get(at))
            .map_or_else(String::new, |(_, text)| text.to_string())),
        _ => Err(SegmentError::WrongColumn("odd texts")),
    }
}

fn id_text(columns: &Columns<'_>, row: u32) -> Result<String, SegmentError> {
    match &*columns.load(ColumnKind::Ids)? {
        Column::Ids(ids) => match ids.get(row as usize) {
            Some(id) if PassageId::is_odd(*id) => odd_text(columns, ColumnKind::OddIds, row),
            Some(id) => Ok(id.unpack()),
            None => Ok(String::new()),
        },
        _ => Err(SegmentError::WrongColumn("ids")),
    }
}

fn plate_text(columns: &Columns<'_>, row: u32) -> Result<String, SegmentError> {
    match &*columns.load(ColumnKind::Plates)? {
        Column::Plates(codes) => match codes.get(row as usize).map(|code| PlateCode::from_u64(*code)) {
            Some(plate) if plate.is_odd() || plate.as_u64() == 0 => odd_text(columns, ColumnKind::OddPlates, row),
            Some(plate) => Ok(plate.unpack()),
            None => Ok(String::new()),
        },
        _ => Err(SegmentError::WrongColumn("plates")),
    }
}

fn name(columns: &Columns<'_>, kind: ColumnKind, row: u32) -> Result<Arc<str>, SegmentError> {
    match &*columns.load(kind)? {
        Column::Names(names) => Ok(Arc::from(names.text(row as usize))),
        _ => Err(SegmentError::WrongColumn("names")),
    }
}

fn passage_row(columns: &Columns<'_>, candidate: &Candidate<'_>, gcxh: String) -> Result<PassageRow, SegmentError> {
    let row = candidate.row;
    Ok(PassageRow {
        gcxh,
        xzqhmc: name(columns, ColumnKind::Districts, row)?,
        kkmc: name(columns, ColumnKind::Checkpoints, row)?,
        fxlx: name(columns, ColumnKind::Directions, row)?,
        gcsj: candidate.time,
        hpzl: name(columns, ColumnKind::PlateTypes, row)?,
        hphm: plate_text(columns, row)?,
        clppxh: name(columns, ColumnKind::Models, row)?,
    })
}
