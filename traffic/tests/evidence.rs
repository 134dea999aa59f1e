//! Evidence over a small scene whose truth is known: six checkpoints in a row, cars that drive there and back, a cloned
//! plate, lawful twins, a clock that is fast, one that leaps, and single misreads. What is found is the same across a
//! state that was saved and restored anywhere.

use std::collections::BTreeMap;

use proptest::prelude::*;
use traffic::evidence::{
    Assessor, CameraFault, EvidenceSettings, PartitionAssessor, SavedEvidence, SavedSegment, SavedSightings, Spot,
};
use traffic::{
    Catalogue, Cause, CivilTime, Detector, DetectorSettings, Dimension, KnownNames, Layout, LineParser, NameTable,
    ParserSettings, PassageBatch, PassageId, PlateCode, PlateType, Resolution, TimeZoneName,
};

const SITES: usize = 6;
/// Seconds between neighbouring checkpoints for the usual car.
const LEG: i64 = 600;
const START: i64 = 1_704_067_200;
const FAST_CLOCK: usize = 3;
const LEAPING: usize = 4;
const CLONED: &str = "苏C00001";
const TWINS: &str = "苏C00002";

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A record: when it arrives, its plate and its sighting.
type Record = (i64, PlateCode, Spot);

/// Drives a car to and fro over the row of checkpoints, with stops, for some hours.
fn drive(
    records: &mut Vec<Record>,
    numbers: &mut Numbers,
    plate: &str,
    hpzl: &str,
    brand: u32,
    first: usize,
    hours: i64,
) {
    let (mut now, mut site, mut up) = (START + numbers.below(900) as i64, first, first < SITES / 2);
    while now < START + hours * 3600 {
        let error = match site {
            FAST_CLOCK => 240,
            LEAPING if numbers.below(60) == 0 => 36_000,
            _ => 0,
        };
        // One reading in fifty has a wrong last character.
        let text = if numbers.below(50) == 0 {
            format!("{}{}", &plate[..plate.len() - 1], numbers.below(10))
        } else {
            plate.to_owned()
        };
        let id = PassageId { number: records.len() as u64, tag: 18 };
        let plate_type = PlateType::of(hpzl);
        let spot =
            Spot { time: now + error, checkpoint: site as u32, brand, plate_type, resolution: Resolution::Second, id };
        records.push((now + 2 + numbers.below(4) as i64, PlateCode::pack(&text), spot));
        if (site == 0 && !up) || (site == SITES - 1 && up) {
            up = !up;
            now += 400 + numbers.below(2400) as i64;
            continue;
        }
        site = if up { site + 1 } else { site - 1 };
        now += LEG * (90 + numbers.below(40) as i64) / 100;
    }
}

fn scene(seed: u64, hours: i64) -> Vec<Record> {
    let (mut records, mut numbers) = (Vec::new(), Numbers(seed));
    for car in 0..150 {
        let first = numbers.below(SITES as u64) as usize;
        drive(&mut records, &mut numbers, &format!("苏C{:05}", 100 + car * 37), "02", 5 + car, first, hours);
    }
    for (plate, [one, other]) in [(CLONED, ["02", "02"]), (TWINS, ["02", "01"])] {
        drive(&mut records, &mut numbers, plate, one, 1, 0, hours);
        drive(&mut records, &mut numbers, plate, other, 2, SITES - 1, hours);
    }
    records.sort_by_key(|(arrival, _, spot)| (*arrival, spot.id.number));
    records
}

fn observed(records: &[Record]) -> Assessor {
    let mut assessor = Assessor::new(EvidenceSettings::default());
    records.iter().for_each(|(_, plate, spot)| assessor.observe(*plate, spot, &[]));
    assessor
}

#[test]
fn the_clone_is_a_case_and_nothing_else_is() {
    let mut assessor = observed(&scene(1, 8));
    let cases: Vec<_> = assessor.suspects().into_iter().filter(|suspect| suspect.opened_at.is_some()).collect();
    assert_eq!(cases.iter().map(|case| case.plate.unpack()).collect::<Vec<_>>(), [CLONED]);
    let case = assessor.case(PlateCode::pack(CLONED), &[]).expect("a case");
    assert!(case.explanations.clone > 0.99, "{:?}", case.explanations);
    assert!(case.found >= 10 && case.contradictions.len() == (case.found as usize).min(100));
    assert_eq!(case.brands.iter().map(|(brand, _)| *brand).collect::<std::collections::BTreeSet<_>>(), [1, 2].into());
    // The two cars apart: each has one brand, but for a few sightings where both could be.
    for car in &case.cars {
        let of_one = car.sightings.iter().filter(|mark| mark.spot.brand == 1).count();
        assert!(of_one.min(car.sightings.len() - of_one) <= 2, "{of_one} of {}", car.sightings.len());
    }
    let twins = assessor.suspect_of(PlateCode::pack(TWINS)).expect("a suspect").verdict.explanations;
    assert!(twins.plate_types > 0.9 && twins.clone < 0.1, "{twins:?}");
    assert!(assessor.case(PlateCode::pack(TWINS), &[]).is_none());
}

#[test]
fn cameras_are_known_by_what_is_wrong_with_them() {
    let assessor = observed(&scene(2, 8));
    let cameras: Vec<_> = assessor.cameras().collect();
    for (site, camera) in cameras.iter().enumerate() {
        let offset = if site == FAST_CLOCK { 240.0 } else { 0.0 };
        assert!((camera.offset - offset).abs() <= 20.0, "{site}: {camera:?}");
    }
    let faults: Vec<_> = cameras.iter().map(|camera| camera.faults.to_vec()).collect();
    let mut expected = vec![Vec::new(); SITES];
    expected[FAST_CLOCK] = vec![CameraFault::Offset];
    expected[LEAPING] = vec![CameraFault::Leaps];
    assert_eq!(faults, expected);
}

/// One time that is hours ahead is enough, as no traffic explains it; but where nothing was recorded for a day, the first
/// records after it are ahead of nothing.
#[test]
fn one_leap_names_a_camera_and_a_gap_in_the_records_names_none() {
    const LEAPT: u32 = 1;
    let records: Vec<_> = scene(2, 6).into_iter().filter(|(_, _, spot)| spot.checkpoint != LEAPING as u32).collect();
    let faults = |records: &[Record]| -> Vec<Vec<CameraFault>> {
        observed(records).cameras().map(|camera| camera.faults.to_vec()).collect()
    };
    let mut expected = vec![Vec::new(); SITES];
    expected[FAST_CLOCK] = vec![CameraFault::Offset];
    let with_a_gap: Vec<Record> = records
        .iter()
        .map(|(at, plate, spot)| {
            let lost = if *at > START + 3 * 3600 { 30 * 3600 } else { 0 };
            (*at + lost, *plate, Spot { time: spot.time + lost, ..*spot })
        })
        .collect();
    assert_eq!(faults(&with_a_gap), expected);

    let mut with_a_leap = records;
    let leapt = with_a_leap.iter_mut().find(|(at, _, spot)| *at > START + 4 * 3600 && spot.checkpoint == LEAPT);
    leapt.expect("a record").2.time += 2 * 3600;
    expected[LEAPT as usize] = vec![CameraFault::Leaps];
    assert_eq!(faults(&with_a_leap), expected);
}

/// From the eleventh hour on one camera masks every fifth plate, and another reads every other one as that of another car.
#[test]
fn a_camera_that_reads_worse_than_it_used_to_is_named() {
    const DIRTY: u32 = 1;
    const WRONG: u32 = 2;
    let records = scene(5, 30);
    let mut numbers = Numbers(7);
    let mut assessor = Assessor::new(EvidenceSettings::default());
    for (at, plate, spot) in &records {
        let is_late = *at > START + 11 * 3600;
        if is_late && spot.checkpoint == DIRTY && numbers.below(5) == 0 {
            assessor.observe_unread(DIRTY);
            continue;
        }
        let other = PlateCode::pack(&format!("苏C{:05}", 100 + numbers.below(150) * 37));
        let is_wrong = is_late && spot.checkpoint == WRONG && numbers.below(2) == 0;
        assessor.observe(if is_wrong { other } else { *plate }, spot, &[]);
    }
    let faults: Vec<_> = assessor.cameras().map(|camera| camera.faults.to_vec()).collect();
    let mut expected = vec![Vec::new(); SITES];
    expected[DIRTY as usize] = vec![CameraFault::Unread];
    expected[WRONG as usize] = vec![CameraFault::Misreads];
    expected[FAST_CLOCK] = vec![CameraFault::Offset];
    expected[LEAPING] = vec![CameraFault::Leaps];
    assert_eq!(faults, expected);
}

#[test]
fn a_pair_is_weighed_by_what_cars_take() {
    let records = scene(1, 8);
    let mut assessor = observed(&records);
    let spot = |time: i64, checkpoint: u32| {
        let id = PassageId { number: 9_000_000 + time as u64, tag: 18 };
        Spot { time, checkpoint, brand: 1, plate_type: PlateType::of("02"), resolution: Resolution::Second, id }
    };
    let now = START + 8 * 3600;
    let honest = PlateCode::pack("苏C00100");
    // 240 s less than a car takes, but the clock of the first is 240 s fast.
    let pair =
        assessor.weigh_pair(honest, &spot(now, FAST_CLOCK as u32), &spot(now + LEG - 240, 4), &[]).expect("learnt");
    assert_eq!((pair.cause, pair.probability < 0.05), (Cause::Clock, true), "{pair:?}");
    let pair = assessor.weigh_pair(honest, &spot(now, 0), &spot(now + LEG, 1), &[]).expect("learnt");
    assert_eq!((pair.cause, pair.probability < 0.05), (Cause::Feasible, true), "{pair:?}");
    // What the cloned plate did last, from the two cars.
    let case = assessor.case(PlateCode::pack(CLONED), &[]).expect("a case");
    let last = case.contradictions.last().expect("one");
    let pair = assessor.weigh_pair(PlateCode::pack(CLONED), &last.from.spot, &last.to.spot, &[]).expect("learnt");
    assert_eq!((pair.cause, pair.probability > 0.9), (Cause::Clone, true), "{pair:?}");
    assert_eq!(pair.reasons.first().map(|reason| reason.code()), Some("gap"));
}

#[test]
fn nothing_is_said_of_what_is_not_learnt() {
    let records = scene(3, 8);
    let mut assessor = Assessor::new(EvidenceSettings::default());
    assert_eq!(assessor.weigh_pair(records[0].1, &records[0].2, &records[1].2, &[]), None);
    // One checkpoint, or two without a car that passed both.
    for (_, plate, spot) in records.iter().filter(|(_, _, spot)| spot.checkpoint == 0) {
        assessor.observe(*plate, spot, &[]);
    }
    assert!(assessor.suspects().is_empty());
}

fn saved(records: &[Record], stops: &[usize]) -> (SavedEvidence, SavedSightings, Vec<SavedSegment>) {
    let mut assessor = Assessor::new(EvidenceSettings::default());
    for (number, (_, plate, spot)) in records.iter().enumerate() {
        if stops.contains(&number) {
            let (saved, sightings, segments) = all_of(&assessor);
            assessor = Assessor::restore(EvidenceSettings::default(), saved, sightings);
            assessor.restore_segments(&segments);
        }
        assessor.observe(*plate, spot, &[]);
    }
    all_of(&assessor)
}

fn all_of(assessor: &Assessor) -> (SavedEvidence, SavedSightings, Vec<SavedSegment>) {
    let (saved, sightings) = assessor.save();
    (saved, sightings, assessor.save_segments())
}

#[test]
fn neighbours_are_segments_with_the_time_that_cars_take() {
    let assessor = observed(&scene(4, 8));
    let segments: Vec<_> = assessor.segments().collect();
    // Every site but those at the ends has two neighbours; cars that one site has missed make none.
    assert_eq!(segments.len(), 2 * (SITES - 1), "{segments:?}");
    for segment in &segments {
        assert_eq!(segment.from.abs_diff(segment.to), 1, "{segment:?}");
        let free = segment.free_flow.expect("learnt");
        assert!((0.9..1.05).contains(&(free / LEG as f64)), "{segment:?}");
        // The first hour taught which pairs are segments.
        assert!((5..=7).contains(&segment.hours.len()), "{segment:?}");
        for hour in &*segment.hours {
            let [low, median, high] = [hour.low, hour.median, hour.high].map(|seconds| f64::from(seconds) / LEG as f64);
            assert!(hour.cars >= 5 && low <= median && median <= high, "{hour:?}");
            assert!((0.9..1.25).contains(&median), "{hour:?}");
        }
    }
}

/// The cases that a partition gives in a process that has numbered these checkpoints and brands before,
/// in words.
fn in_a_process(lines: &str, batch: usize, known: &[(Dimension, &str)]) -> Vec<String> {
    let mut table = NameTable::default();
    for (dimension, name) in known {
        table.push(*dimension, (*name).into());
    }
    let settings = ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: 1000,
    };
    let mut names = KnownNames::new(Catalogue::default(), &table);
    let mut parser = LineParser::new(settings, &table);
    let mut detector = Detector::new(DetectorSettings::default());
    let mut assessor = PartitionAssessor::new(EvidenceSettings::default());
    let mut cases = BTreeMap::new();
    for lines in lines.lines().collect::<Vec<_>>().chunks(batch) {
        let mut batch = PassageBatch::default();
        for line in lines {
            parser.parse_line(line.as_bytes(), &mut batch);
        }
        for (dimension, name) in &batch.new_names {
            table.push(*dimension, name.clone());
            names.learn(*dimension, name);
        }
        let (mut fates, mut hits) = (Vec::new(), Vec::new());
        detector.observe(&batch, names.knowledge(), &mut fates, &mut hits);
        for case in assessor.observe_batch(&batch, &fates, &hits, names.knowledge()).cases {
            let marks = case.cars.iter().flat_map(|car| &car.sightings).chain(&case.strangers);
            let places: Vec<_> =
                marks.map(|mark| (table.text(Dimension::Checkpoint, mark.spot.checkpoint), mark.at)).collect();
            let brands: Vec<_> =
                case.brands.iter().map(|(brand, count)| (table.text(Dimension::Model, brand - 1), *count)).collect();
            let next: Vec<_> = case.cars.iter().flat_map(|car| &car.next).collect();
            let next: Vec<_> =
                next.iter().map(|next| (table.text(Dimension::Checkpoint, next.checkpoint), next.at)).collect();
            let said = format!("{:?} {:?} {places:?} {brands:?} {next:?}", case.plate, case.explanations);
            cases.insert(case.plate.unpack(), said);
        }
    }
    cases.into_values().collect()
}

/// A process numbers names in the order in which all its partitions bring them.
#[test]
fn what_else_a_process_reads_changes_no_case() {
    let line = |(_, plate, spot): &Record| {
        let time = CivilTime(spot.time).to_string();
        let (id, plate) = (spot.id.unpack(), plate.unpack());
        format!(
            "{id}\t铜山县\tK{}\t1\t{time}\t{:02}\t{plate}\tmodel{}\n",
            spot.checkpoint,
            spot.plate_type.number(),
            spot.brand
        )
    };
    let lines: String = scene(1, 8).iter().map(line).collect();
    let alone = in_a_process(&lines, 1000, &[]);
    assert_eq!(alone.len(), 1, "the clone");
    let backwards: Vec<String> = (0..SITES).rev().map(|site| format!("K{site}")).collect();
    let mut known =
        vec![(Dimension::Checkpoint, "elsewhere"), (Dimension::Model, "model2"), (Dimension::Model, "model9")];
    known.extend(backwards.iter().map(|site| (Dimension::Checkpoint, site.as_str())));
    let beside = in_a_process(&lines, 77, &known);
    assert_eq!(alone, beside);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Saved and restored anywhere, any number of times, the state is the same to the last bit.
    #[test]
    fn a_restored_state_goes_on_as_if_it_had_not_stopped(
        seed in 0u64..1000,
        stops in prop::collection::vec(0usize..7000, 0..6),
    ) {
        let records = scene(seed, 5);
        prop_assert!(saved(&records, &stops) == saved(&records, &[]));
    }
}
