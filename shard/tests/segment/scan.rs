//! A scan finds what a plain filter over the unpacked rows finds, and reads no more than it must.

use std::cell::RefCell;
use std::sync::Arc;

use proptest::prelude::*;
use shard::{
    Column, ColumnKind, ColumnLoader, Compression, Matches, PlatePattern, Predicate, Segment, SegmentError,
    SegmentReader, TextTest, count_hours, count_names, count_pairs, count_vehicle_types, encode, scan, scan_segment,
};
use traffic::{CivilTime, Dimension, FuelType, NameTable, PlateCode, TimeRange, VehicleType, province_of};

use crate::road::{DIMENSIONS, Row, any_rows, names, repeated, rows};

/// `*` any run, `?` one character, both ends open.
fn finds(pattern: &[char], text: &[char]) -> bool {
    fn here(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => true,
            Some(('*', rest)) => (0..=text.len()).any(|at| here(rest, &text[at..])),
            Some((wanted, rest)) => {
                text.split_first().is_some_and(|(one, more)| (*wanted == '?' || wanted == one) && here(rest, more))
            }
        }
    }
    (0..=text.len()).any(|at| here(pattern, &text[at..]))
}

/// What is asked, in plain words.
#[derive(Debug, Clone)]
struct Question {
    time: TimeRange,
    plate: Option<String>,
    checkpoints: Option<Vec<String>>,
    texts: [Option<TextTest>; 4],
    province: Option<char>,
    vehicle_type: Option<VehicleType>,
    fuel_type: Option<FuelType>,
}

impl Question {
    fn accepts(&self, row: &Row, names: &NameTable) -> bool {
        let text = |at: usize| names.text(DIMENSIONS[at], row.names[at]);
        let class = PlateCode::pack(&row.plate).class(&row.plate);
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        self.time.contains(CivilTime(row.time))
            && self.plate.as_ref().is_none_or(|pattern| finds(&characters(pattern), &characters(&row.plate)))
            && self.checkpoints.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted == text(0)))
            && self.texts.iter().enumerate().all(|(at, test)| match test {
                None => true,
                Some(TextTest::Equals(wanted)) => text(at + 1) == wanted,
                Some(TextTest::Contains(wanted)) => text(at + 1).contains(wanted.as_str()),
            })
            && self.province.is_none_or(|wanted| province_of(&row.plate) == wanted.to_string())
            && self.vehicle_type.is_none_or(|wanted| VehicleType::of(text(3), text(4)) == wanted)
            && self.fuel_type.is_none_or(|wanted| FuelType::of(text(3), class) == wanted)
    }

    fn predicate(&self) -> Predicate {
        let [district, direction, plate_type, model] = self.texts.clone();
        Predicate {
            time: self.time,
            plate: self.plate.as_deref().map(PlatePattern::compile),
            checkpoints: self.checkpoints.clone(),
            district,
            direction,
            plate_type,
            model,
            province: self.province,
            vehicle_type: self.vehicle_type,
            fuel_type: self.fuel_type,
        }
    }
}

fn question() -> impl Strategy<Value = Question> {
    use proptest::option::of;
    let time = |offset: i64| (1_704_067_200 + offset..1_704_067_200 + offset + 200_000).prop_map(CivilTime);
    let checkpoint = (0u32..700).prop_map(|n| names().text(Dimension::Checkpoint, n % 12).to_owned());
    let equals = |of: &'static [&'static str]| {
        proptest::option::weighted(0.3, prop::sample::select(of).prop_map(|text| TextTest::Equals(text.to_owned())))
    };
    let model = "[大众牌福田3]{1,2}".prop_map(TextTest::Contains);
    (
        (of(time(-150_000)), of(time(0))),
        of(prop_oneof!["[苏C0-4?*]{1,5}", "苏C[0-4]{5}", "[苏鲁][A-D][DF][0-3]{5}", "[?*]{1,9}"]),
        proptest::option::weighted(0.3, proptest::collection::vec(checkpoint, 0..6)),
        (
            equals(&["铜山县", "睢宁县", "", "丰县"]),
            equals(&["1", "2"]),
            equals(&["02", "51", "07"]),
            proptest::option::weighted(0.3, model),
        ),
        proptest::option::weighted(0.3, prop::sample::select(vec!['苏', '鲁', '-', '车', 'é'])),
        proptest::option::weighted(0.3, prop::sample::select(VehicleType::ALL.to_vec())),
        proptest::option::weighted(0.3, prop::sample::select(FuelType::ALL.to_vec())),
    )
        .prop_map(|((from, to), plate, checkpoints, texts, province, vehicle_type, fuel_type)| Question {
            time: TimeRange { start: from, end: to },
            plate,
            checkpoints,
            texts: [texts.0, texts.1, texts.2, texts.3],
            province,
            vehicle_type,
            fuel_type,
        })
}

fn segment(texts: &[Row]) -> Segment {
    encode(&rows(texts), &names(), 0, Compression::Fast).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn finds_what_a_plain_filter_finds(few in any_rows(80), count in 1usize..2500, asked in question()) {
        let (texts, names) = (repeated(&few, count), names());
        let segment = segment(&texts);
        let reader = SegmentReader::open(&segment.bytes).unwrap();
        let predicate = asked.predicate();
        let expected: Vec<u32> =
            (0..).zip(&texts).filter(|(_, row)| asked.accepts(row, &names)).map(|(at, _)| at).collect();
        let found = scan(&predicate, texts.len(), &reader).unwrap();
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.iter().next_back(), expected.last().copied());
        let pruned = scan_segment(&predicate, &segment.zone, &reader).unwrap();
        prop_assert_eq!(pruned.iter().collect::<Vec<_>>(), expected.clone());
        prop_assert!(expected.is_empty() || predicate.may_match(&segment.zone));
    }

    #[test]
    fn counts_what_a_plain_count_counts(texts in any_rows(200), from in 0i64..200_000, length in 0i64..400_000, open: bool) {
        let names = names();
        let segment = segment(&texts);
        let reader = SegmentReader::open(&segment.bytes).unwrap();
        let from = CivilTime(1_704_067_200 - 100_000 + from);
        let range = if open {
            TimeRange::default()
        } else {
            TimeRange { start: Some(from), end: Some(CivilTime(from.0 + length)) }
        };
        let inside = || texts.iter().filter(|row| range.contains(CivilTime(row.time)));
        for (at, dimension) in DIMENSIONS.into_iter().enumerate() {
            let counted = count_names(dimension, range, texts.len(), &reader).unwrap();
            prop_assert_eq!(counted.iter().map(|(_, count)| *count as usize).sum::<usize>(), inside().count());
            for (text, count) in counted {
                let plain = inside().filter(|row| names.text(dimension, row.names[at]) == &*text).count();
                prop_assert_eq!(plain as u64, count);
            }
        }
        for (at, first) in DIMENSIONS.into_iter().enumerate() {
            for (other_at, second) in DIMENSIONS.into_iter().enumerate() {
                let counted = count_pairs([first, second], range, texts.len(), &reader).unwrap();
                prop_assert_eq!(counted.iter().map(|(_, count)| *count as usize).sum::<usize>(), inside().count());
                for ([one, other], count) in counted {
                    let has = |row: &Row, dimension, at: usize, name: &str| names.text(dimension, row.names[at]) == name;
                    let is_it = |row: &&Row| has(row, first, at, &one) && has(row, second, other_at, &other);
                    prop_assert_eq!(inside().filter(is_it).count() as u64, count);
                }
            }
        }
        let mut hours = [0; 24];
        let mut vehicles = [0; 4];
        for row in inside() {
            hours[row.time.div_euclid(3600).rem_euclid(24) as usize] += 1;
            let text = |dimension, at: usize| names.text(dimension, row.names[at]);
            vehicles[VehicleType::of(text(Dimension::PlateType, 3), text(Dimension::Model, 4)) as usize] += 1;
        }
        prop_assert_eq!(count_hours(range, texts.len(), &reader).unwrap(), hours);
        prop_assert_eq!(count_vehicle_types(range, texts.len(), &reader).unwrap(), vehicles);
    }
}

/// Remembers which columns were asked for.
struct Watched<'a>(SegmentReader<'a>, RefCell<Vec<ColumnKind>>);

impl ColumnLoader for Watched<'_> {
    fn load(&self, kind: ColumnKind) -> Result<Arc<Column>, SegmentError> {
        self.1.borrow_mut().push(kind);
        self.0.load(kind)
    }
}

#[test]
fn reads_only_what_it_tests() {
    let texts = crate::golden::texts();
    let segment = segment(&texts);
    let check = |predicate: &Predicate, found: usize, columns: &[ColumnKind]| {
        let loader = Watched(SegmentReader::open(&segment.bytes).unwrap(), RefCell::default());
        assert_eq!(scan_segment(predicate, &segment.zone, &loader).unwrap().len(), found);
        assert_eq!(loader.1.into_inner(), columns);
    };
    let plate = |text: &str| Some(PlatePattern::compile(text));
    let whole = TimeRange { start: Some(segment.zone.min_time), end: Some(segment.zone.max_time) };
    check(&Predicate::default(), 1500, &[]);
    check(&Predicate { time: whole, ..Predicate::default() }, 1500, &[]);
    check(&Predicate { plate: plate(""), ..Predicate::default() }, 1500, &[]);
    // Known from the zone map.
    check(&Predicate { plate: plate("苏Z99999"), ..Predicate::default() }, 0, &[]);
    check(&Predicate { checkpoints: Some(vec!["not here".into()]), ..Predicate::default() }, 0, &[]);
    let later = TimeRange { start: Some(CivilTime(segment.zone.max_time.0 + 1)), end: None };
    check(&Predicate { time: later, ..Predicate::default() }, 0, &[]);
    // Nothing is left for the model to tell.
    let nothing =
        Predicate { plate: plate("Z9999"), model: Some(TextTest::Contains("大众".into())), ..Predicate::default() };
    check(&nothing, 0, &[ColumnKind::Plates, ColumnKind::OddPlates]);
    check(
        &Predicate {
            district: Some(TextTest::Equals("丰县".into())),
            fuel_type: Some(FuelType::NewEnergy),
            ..Predicate::default()
        },
        0,
        &[ColumnKind::Names(Dimension::District)],
    );
}

#[test]
fn the_hash_of_an_odd_plate_is_not_its_symbols() {
    let province = PlateCode::symbol_of('苏').unwrap();
    let odd = (0..).map(|n| format!("无牌{n}")).find(|text| PlateCode::pack(text).as_u64() as u8 == province).unwrap();
    let row =
        |plate: &str| Row { arrival: 0, partition: 0, time: 0, id: "1".into(), plate: plate.into(), names: [0; 5] };
    let segment = segment(&[row(&odd), row("苏C12345")]);
    let reader = SegmentReader::open(&segment.bytes).unwrap();
    let found = |predicate: &Predicate| scan(predicate, 2, &reader).unwrap().iter().collect::<Vec<_>>();
    assert_eq!(found(&Predicate { province: Some('苏'), ..Predicate::default() }), [1]);
    assert_eq!(found(&Predicate { province: Some('无'), ..Predicate::default() }), [0]);
    assert_eq!(found(&Predicate { plate: Some(PlatePattern::compile("苏")), ..Predicate::default() }), [1]);
}

#[test]
fn a_wrong_column_is_an_error() {
    struct Wrong;
    impl ColumnLoader for Wrong {
        fn load(&self, _: ColumnKind) -> Result<Arc<Column>, SegmentError> {
            Ok(Arc::new(Column::Times(vec![CivilTime(0)])))
        }
    }
    let asks_plate = Predicate { plate: Some(PlatePattern::compile("C1")), ..Predicate::default() };
    assert!(matches!(scan(&asks_plate, 1, &Wrong), Err(SegmentError::WrongColumn("plates"))));
    let asks_time = Predicate { time: TimeRange { start: Some(CivilTime(0)), end: None }, ..Predicate::default() };
    assert_eq!(scan(&asks_time, 1, &Wrong).unwrap(), Matches::All(1));
    assert!(matches!(scan(&asks_time, 2, &Wrong), Err(SegmentError::WrongColumn(_))));
}
