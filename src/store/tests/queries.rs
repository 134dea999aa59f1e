//! Queries, tracks and counters against lists of all rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use traffic::{CivilTime, FuelType, VehicleType};

use super::model::{
    CHECKPOINTS, DISTRICTS, MODELS, PLATE_TYPES, PLATES, Random, Row, accepted, busiest, group_of, in_order, in_range,
    lines, passes,
};
use super::scene::{SELDOM, SMALL, Scene, cases, same, settings};
use crate::reader::{Group, Order, QueryFilter, Snapshot as _, TimeRange, cursor_of};
use crate::store::View;

const GROUPS: [Group; 4] = [Group::Checkpoint, Group::District, Group::VehicleType, Group::Brand];

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn answers_are_those_of_a_plain_list(
        seed in any::<u64>(),
        count in 1usize..1200,
        step in prop_oneof![Just(0i64), Just(3), Just(20)],
        largest_cut in prop_oneof![Just(3usize), Just(60), Just(400)],
        restart in any::<bool>(),
    ) {
        let lines = lines(seed, count, step, 2);
        let mut random = Random(!seed);
        let mut scene = Scene::new(settings(), SMALL, SELDOM);
        scene.commit_all(&lines, || 1 + random.below(largest_cut));
        if restart {
            scene.crash();
        }
        let rows = accepted(&lines, 600);
        let view = scene.view();
        for _ in 0..30 {
            let filter = filter(&mut random, &rows);
            let order = if random.rarely(2) { Order::Oldest } else { Order::Newest };
            let expected = in_order(order, rows.iter().filter(|row| passes(&filter, row)));
            check_pages(&view, &filter, order, &expected, 1 + random.below(40))?;
            check_pieces(&view, &filter, order, &expected, 1 + random.below(60))?;
        }
        for _ in 0..10 {
            check_track(&view, random.one(&PLATES), range(&mut random, &rows), &rows, 1 + random.below(50))?;
        }
        check_counts(&view, TimeRange::default(), &rows)?;
        for _ in 0..20 {
            check_counts(&view, range(&mut random, &rows), &rows)?;
        }
    }
}

fn check_pages(
    view: &View,
    filter: &QueryFilter,
    order: Order,
    expected: &[&Row],
    limit: usize,
) -> Result<(), TestCaseError> {
    let pages = expected.len().div_ceil(limit) as u64;
    for number in 1..=pages + 1 {
        let page = view.query(filter, order, number, limit).unwrap();
        prop_assert_eq!(page.total, expected.len() as u64, "{:?}", filter);
        let shown = expected.chunks(limit).nth(number as usize - 1).unwrap_or_default();
        prop_assert_eq!(page.records.len(), shown.len(), "page {} of {:?} {:?}", number, order, filter);
        for (record, row) in page.records.iter().zip(shown) {
            prop_assert!(
                same(record, row),
                "page {} of {:?} {:?}: {:?} is not {:?}",
                number,
                order,
                filter,
                record,
                row
            );
        }
    }
    Ok(())
}

/// The whole list, part by part.
fn check_pieces(
    view: &Arc<View>,
    filter: &QueryFilter,
    order: Order,
    expected: &[&Row],
    limit: usize,
) -> Result<(), TestCaseError> {
    let (mut cursor, mut count) = (cursor_of(view.clone(), filter, order), 0);
    loop {
        let piece = cursor.next(limit).unwrap();
        if piece.is_empty() {
            break;
        }
        prop_assert!(piece.len() == limit || count + piece.len() == expected.len(), "a short piece of {:?}", filter);
        for record in &piece {
            prop_assert!(
                expected.get(count).is_some_and(|row| same(record, row)),
                "row {} of {:?} {:?}",
                count,
                order,
                filter
            );
            count += 1;
        }
    }
    prop_assert_eq!(count, expected.len(), "{:?}", filter);
    Ok(())
}

fn check_track(view: &View, plate: &str, range: TimeRange, rows: &[Row], limit: usize) -> Result<(), TestCaseError> {
    let track = view.track(plate, range, None, limit).unwrap();
    let mut expected =
        in_order(Order::Newest, rows.iter().filter(|row| row.hphm == plate && in_range(range, row.gcsj)));
    prop_assert_eq!(track.total, expected.len() as u64);
    expected.truncate(limit);
    let expected = in_order(Order::Oldest, expected);
    prop_assert_eq!(track.records.len(), expected.len());
    prop_assert!(track.records.iter().zip(expected).all(|(record, row)| same(record, row)));
    Ok(())
}

/// All counters against a recount of the rows.
pub(super) fn check_counts(view: &View, range: TimeRange, rows: &[Row]) -> Result<(), TestCaseError> {
    let rows: Vec<&Row> = rows.iter().filter(|row| in_range(range, row.gcsj)).collect();
    for group in GROUPS {
        let counts = view.counts(group, range).unwrap();
        let counts: Vec<_> = counts.into_iter().map(|(name, count)| (name.to_string(), count)).collect();
        prop_assert_eq!(counts, busiest(rows.iter().map(|row| group_of(group, row))), "{:?} {:?}", group, range);
    }
    let mut units: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in &rows {
        *units.entry((&row.xzqhmc, &row.kkmc)).or_default() += 1;
    }
    let counted = view.counts_by_unit(range).unwrap();
    let counted = counted.iter().map(|unit| ((&*unit.district, &*unit.kkmc), unit.passages)).collect();
    prop_assert_eq!(units, counted, "{:?}", range);
    let mut hours: BTreeMap<u8, u64> = BTreeMap::new();
    for row in &rows {
        *hours.entry(row.gcsj.hour_of_day()).or_default() += 1;
    }
    let expected: Vec<u64> = (0..24).map(|hour| hours.get(&hour).copied().unwrap_or(0)).collect();
    prop_assert_eq!(view.counts_by_hour_of_day(range).unwrap().to_vec(), expected, "{:?}", range);
    prop_assert_eq!(view.count(range).unwrap(), rows.len() as u64);
    Ok(())
}

/// A range of time that may begin and end anywhere, often inside an hour, sometimes outside all rows or the wrong way round.
fn range(random: &mut Random, rows: &[Row]) -> TimeRange {
    let mut end = || {
        if random.rarely(4) || rows.is_empty() {
            return None;
        }
        let time = rows[random.below(rows.len())].gcsj.0;
        Some(CivilTime(match random.below(6) {
            0 => time.div_euclid(3600) * 3600,
            1 => time.div_euclid(3600) * 3600 + 3599,
            2 => time - 100_000,
            3 => time + random.below(4000) as i64,
            _ => time,
        }))
    };
    TimeRange { start: end(), end: end() }
}

fn filter(random: &mut Random, rows: &[Row]) -> QueryFilter {
    let mut filter = QueryFilter::default();
    for _ in 0..random.below(4) {
        match random.below(10) {
            0 => filter.time = range(random, rows),
            1 => filter.kkmc = Some((0..1 + random.below(2)).map(|_| random.one(&CHECKPOINTS).to_owned()).collect()),
            2 | 3 => filter.hphm = Some(pattern(random)),
            4 => filter.xzqhmc = Some(random.one(&DISTRICTS).to_owned()),
            5 => filter.fxlx = Some(random.one(&["1", "2", "3"]).to_owned()),
            6 => filter.hpzl = Some(random.one(&PLATE_TYPES).to_owned()),
            7 => filter.clppxh = Some(random.one(&["牌", "大众", "-", "J6", "无"]).to_owned()),
            8 => filter.province = Some(random.one(&["苏", "鲁", "无", "-", "京"]).to_owned()),
            _ if random.rarely(2) => filter.vehicle_type = Some(VehicleType::ALL[random.below(4)]),
            _ => filter.fuel_type = Some(*random.one(&[&FuelType::NewEnergy, &FuelType::Combustion])),
        }
    }
    if let [only] = MODELS.iter().take(random.below(2)).collect::<Vec<_>>().as_slice() {
        filter.clppxh = Some((**only).to_owned());
    }
    filter
}

/// A part of a plate, with some wildcards.
fn pattern(random: &mut Random) -> String {
    let plate: Vec<char> = random.one(&PLATES).chars().collect();
    let from = random.below(plate.len());
    let to = from + 1 + random.below(plate.len() - from);
    let mut pattern = String::new();
    for character in &plate[from..to] {
        match random.below(8) {
            0 => pattern.push('?'),
            1 => pattern.push('*'),
            _ => pattern.push(*character),
        }
    }
    pattern
}
