//! The simulator as a whole: what its bytes look like, and what the detector finds in them.

use std::collections::{HashMap, HashSet};

use traffic::{
    Catalogue, CivilTime, Detector, DetectorSettings, Dimension, Interner, Knowledge, Layout, LineParser, NameTable,
    ParserSettings, PassageBatch, PlateClass, PlateType, Severity, TimeZoneName, great_circle_km,
};

use super::event::Event;
use super::ideal::Ideal;
use super::lateness::MAX_LATENESS_SECONDS;
use super::truth::ClonePair;
use super::{Simulator, SimulatorSettings};

fn simulator(settings: SimulatorSettings) -> Simulator {
    Simulator::new(settings).unwrap()
}

/// `lines` lines, as one text.
fn text(simulator: &mut Simulator, lines: usize) -> String {
    let mut bytes = Vec::new();
    for _ in 0..lines {
        simulator.next_passage(&mut bytes);
    }
    String::from_utf8(bytes).unwrap()
}

/// `lines` events and lines, without line ends.
fn events(simulator: &mut Simulator, lines: usize) -> Vec<(Event, String)> {
    let one = |simulator: &mut Simulator| {
        let due = simulator.next_due();
        let mut bytes = Vec::new();
        let event = simulator.next_passage(&mut bytes);
        assert_eq!(event.arrived_at_ms, due);
        (event, String::from_utf8(bytes).unwrap().trim_end().to_owned())
    };
    (0..lines).map(|_| one(simulator)).collect()
}

fn fields(line: &str) -> [&str; 8] {
    line.split('\t').collect::<Vec<_>>().try_into().unwrap()
}

fn parse(text: &str) -> PassageBatch {
    let mut batch = PassageBatch::default();
    let settings = ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    };
    let mut parser = LineParser::new(settings, &NameTable::default());
    assert_eq!(parser.parse_lines(text.as_bytes(), u64::MAX, &mut batch), text.len());
    batch
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn equal_settings_give_equal_bytes() {
    let settings = SimulatorSettings { seed: 7, truth: true, ..Default::default() };
    let (mut one, mut other) = (simulator(settings.clone()), simulator(settings.clone()));
    assert_eq!(text(&mut one, 20_000), text(&mut other, 20_000));
    assert_eq!(one.take_truth(), other.take_truth());
    let mut third = simulator(SimulatorSettings { seed: 8, ..settings });
    assert_ne!(text(&mut third, 100), text(&mut other, 100));
}

#[test]
fn bytes_do_not_change_between_versions_and_machines() {
    let first = text(&mut simulator(SimulatorSettings::default()), 10_000);
    assert_eq!(fnv1a(first.as_bytes()), GOLDEN, "the traffic of a seed has changed: if meant, say so in the changelog");
    let invented = SimulatorSettings { sites: 500, ..Default::default() };
    assert_eq!(fnv1a(text(&mut simulator(invented), 10_000).as_bytes()), GOLDEN_INVENTED);
}

const GOLDEN: u64 = 0xc68b_ebff_fe8b_f4d1;
const GOLDEN_INVENTED: u64 = 0xa484_9eaa_643d_bc0c;

#[test]
fn arrival_is_in_order_and_at_most_a_minute_late() {
    let mut simulator = simulator(SimulatorSettings::default());
    let events = events(&mut simulator, 100_000);
    assert!(events.is_sorted_by_key(|(event, _)| event.arrived_at_ms));
    let mut newest = 0;
    for (event, line) in &events {
        assert_eq!(fields(line)[4], event.passed_at.to_string());
        newest = newest.max(event.passed_at.0);
        let lateness = event.arrived_at_ms - event.passed_at.0 * 1000;
        assert!((0..=MAX_LATENESS_SECONDS * 1000).contains(&lateness), "{lateness} ms");
        assert!(newest - event.passed_at.0 <= MAX_LATENESS_SECONDS);
    }
    let out_of_order = events.windows(2).filter(|pair| pair[1].0.passed_at < pair[0].0.passed_at).count();
    assert!(out_of_order > 5_000, "{out_of_order}");
}

#[test]
fn ids_are_unique_but_for_exact_repetitions() {
    let mut simulator = simulator(SimulatorSettings::default());
    let mut seen = HashMap::new();
    let mut repeated = 0;
    for (event, line) in events(&mut simulator, 200_000) {
        let id = fields(&line)[0].to_owned();
        let digits = id.strip_prefix('G').unwrap_or(&id);
        assert!(
            digits.len() == 18 && digits.starts_with("320300") && digits.bytes().all(|b| b.is_ascii_digit()),
            "{id}"
        );
        let before = seen.insert(id, line.clone());
        assert_eq!(before.is_some(), event.is_retransmission);
        if let Some(before) = before {
            assert_eq!(before, line);
            repeated += 1;
        }
    }
    assert!((300..500).contains(&repeated), "0.2 % of lines: {repeated}");
    let prefixed = seen.keys().filter(|id| id.starts_with('G')).count();
    assert!((60_000..140_000).contains(&prefixed), "both shapes occur: {prefixed}");
}

#[test]
fn shares_are_those_of_the_road() {
    let text = text(&mut simulator(SimulatorSettings::default()), 200_000);
    let lines: Vec<_> = text.lines().map(fields).collect();
    let check = |what: &str, least: f64, most: f64, holds: &dyn Fn(&[&str; 8]) -> bool| {
        let share = lines.iter().filter(|line| holds(line)).count() as f64 / lines.len() as f64;
        assert!((least..=most).contains(&share), "{what}: {share}");
    };
    check("unreadable or masked", 0.018, 0.022, &|line| line[6] == "-" || line[6].contains('*'));
    check("local", 0.5, 0.7, &|line| line[6].starts_with("苏C"));
    check("from 鲁", 0.08, 0.2, &|line| line[6].starts_with('鲁'));
    check("small cars", 0.6, 0.8, &|line| line[5] == "02");
    check("large vehicles", 0.12, 0.25, &|line| line[5] == "01");
    check("new energy", 0.08, 0.12, &|line| line[5] == "51" || line[5] == "52");
    check("unpadded", 0.001, 0.006, &|line| line[5] == "2");
    check("no model", 0.05, 0.07, &|line| line[7] == "-");
    check("a model and a year", 0.6, 0.85, &|line| line[7].split('-').count() == 3);
    check("direction 1", 0.35, 0.65, &|line| line[3] == "1");
    let models: HashSet<_> = lines.iter().map(|line| line[7]).collect();
    assert!(models.len() > 300, "{}", models.len());
    let sites: HashSet<_> = lines.iter().map(|line| line[2]).collect();
    assert_eq!(sites.len(), 19);
    let catalogue = Catalogue::xuzhou();
    assert!(
        lines.iter().all(|line| catalogue.find(line[2]).is_some_and(|it| it.district == line[1] && it.code == line[2]))
    );
}

#[test]
fn double_reads_follow_within_seconds() {
    let settings =
        SimulatorSettings { retransmission_rate: 0.0, clone_rate: 0.0, garbage_rate: 0.0, ..Default::default() };
    let mut last: HashMap<(String, String), i64> = HashMap::new();
    let mut doubles = 0;
    for (event, line) in events(&mut simulator(settings), 100_000) {
        let key = (fields(&line)[2].to_owned(), fields(&line)[6].to_owned());
        if let Some(before) = last.insert(key, event.passed_at.0) {
            doubles += usize::from((event.passed_at.0 - before).abs() <= 3);
        }
    }
    assert!((400..600).contains(&doubles), "0.5 % of passages: {doubles}");
}

#[test]
fn traffic_keeps_its_rate_from_the_start_and_follows_the_day() {
    // From 2024-01-01 00:00, a Monday. The weights are those of the rhythm over its weekly mean.
    let mut simulator = simulator(SimulatorSettings { rate: 10.0, ..Default::default() });
    let mut hours = [0u32; 24];
    let mut line = Vec::new();
    loop {
        line.clear();
        let event = simulator.next_passage(&mut line);
        let hour = (event.passed_at.0 - SimulatorSettings::DEFAULT_START.0) / 3600;
        match hours.get_mut(hour as usize) {
            Some(count) => *count += 1,
            None => break,
        }
    }
    let total: u32 = hours.iter().sum();
    assert!((820_000..960_000).contains(&total), "a weekday has a little more than the mean of 864,000: {total}");
    let rhythm = super::rhythm::Rhythm::new();
    for (hour, count) in hours.into_iter().enumerate() {
        // Passages follow the starts of their trips by some half an hour.
        let at = |seconds: i64| rhythm.at(SimulatorSettings::DEFAULT_START.0 + hour as i64 * 3600 + seconds) as f64;
        let (low, high) = (at(-3600).min(at(0)).min(at(3600)), at(-3600).max(at(0)).max(at(3600)));
        let count = f64::from(count) / 36_000.0 * super::rhythm::Rhythm::MEAN as f64;
        assert!(low * 0.9 < count && count < high * 1.1, "hour {hour}: {count} is not within {low} to {high}");
    }
    assert!(hours[3] * 4 < hours[8] && hours[3] * 4 < hours[17], "{hours:?}");
    assert!(hours[12] < hours[8] && hours[12] < hours[17], "{hours:?}");
}

#[test]
fn clean_lines_are_all_accepted_and_in_order() {
    let settings = SimulatorSettings::default().clean();
    let batch = parse(&text(&mut simulator(settings), 50_000));
    assert_eq!(batch.len(), 50_000);
    assert!(batch.times.is_sorted());
    assert!(batch.classes.iter().all(|class| !matches!(class, PlateClass::Masked | PlateClass::Irregular)));
    assert_eq!(batch.ids.iter().collect::<HashSet<_>>().len(), 50_000);
}

#[test]
fn dirty_lines_parse_and_hold_every_class_of_plate() {
    let settings = SimulatorSettings { full_names: true, ..Default::default() };
    let batch = parse(&text(&mut simulator(settings), 50_000));
    assert_eq!((batch.len(), batch.rejects.len()), (50_000, 0));
    let classes: HashSet<_> = batch.classes.iter().map(|class| format!("{class:?}")).collect();
    assert_eq!(classes.len(), 5, "{classes:?}");
    let catalogue = Catalogue::xuzhou();
    let names = batch.new_names.iter().filter(|(dimension, _)| *dimension == Dimension::Checkpoint);
    assert!(names.clone().count() == 19);
    assert!(names.into_iter().all(|(_, name)| catalogue.find(name).is_some_and(|it| *it.name == **name)));
}

/// The fastest that any plate goes between two of its sightings, in km/h.
fn fastest(settings: SimulatorSettings, lines: usize) -> f64 {
    let mut simulator = simulator(settings);
    let catalogue = Catalogue::new(simulator.checkpoints().to_vec()).unwrap();
    let mut last: HashMap<String, (i64, String)> = HashMap::new();
    let mut fastest: f64 = 0.0;
    for (event, line) in events(&mut simulator, lines) {
        let [_, _, kkmc, _, _, _, hphm, _] = fields(&line);
        if let Some((then, there)) = last.insert(hphm.to_owned(), (event.passed_at.0, kkmc.to_owned()))
            && there != kkmc
        {
            let km = great_circle_km(catalogue.position(kkmc).unwrap(), catalogue.position(&there).unwrap());
            fastest = fastest.max(km * 3600.0 / (event.passed_at.0 - then) as f64);
        }
    }
    fastest
}

#[test]
fn no_true_vehicle_is_in_two_places() {
    // Long enough for vehicles to return, at the hours when they return soonest.
    let monday_morning = CivilTime(SimulatorSettings::DEFAULT_START.0 + 6 * 3600);
    let settings =
        SimulatorSettings { rate: 6.0, start: monday_morning, clone_rate: 0.0, ..Default::default() }.clean();
    let speed = fastest(settings.clone(), 500_000);
    assert!((60.0..110.0).contains(&speed), "{speed}");
    let speed = fastest(SimulatorSettings { sites: 400, rate: 40.0, ..settings.clone() }, 400_000);
    assert!((60.0..110.0).contains(&speed), "{speed}");
    let speed = fastest(SimulatorSettings { clone_rate: 0.001, ..settings }, 50_000);
    assert!(speed > 500.0, "with clones: {speed}");
}

#[test]
fn truth_names_lines_that_were_written() {
    let mut simulator = simulator(SimulatorSettings { truth: true, clone_rate: 0.002, ..Default::default() });
    let lines: HashMap<String, String> =
        text(&mut simulator, 200_000).lines().map(|line| (fields(line)[0].to_owned(), line.to_owned())).collect();
    let pairs = simulator.take_truth();
    assert!((300..900).contains(&pairs.len()), "{}", pairs.len());
    assert!(simulator.take_truth().is_empty());
    let mut distinct = HashSet::new();
    for pair in &pairs {
        let [prev, curr] = [&pair.prev_gcxh, &pair.curr_gcxh].map(|id| fields(&lines[id]));
        assert_eq!((prev[6], curr[6]), (pair.hphm.as_str(), pair.hphm.as_str()));
        assert_eq!((prev[2], curr[2]), (pair.prev_kkmc.as_str(), pair.curr_kkmc.as_str()));
        assert_eq!((prev[4], curr[4]), (pair.prev_time.as_str(), pair.curr_time.as_str()));
        assert!(prev[2] != curr[2] && (0..=3600).contains(&pair.gap_seconds) && pair.distance_km > 0.0, "{pair:?}");
        assert!(distinct.insert((&pair.prev_gcxh, &pair.curr_gcxh)), "listed twice: {pair:?}");
    }
    let share =
        |holds: &dyn Fn(&ClonePair) -> bool| pairs.iter().filter(|it| holds(it)).count() as f64 / pairs.len() as f64;
    let impossible = share(&|pair| pair.speed_kmh.is_none_or(|speed| speed > 160.0));
    assert!((0.8..1.0).contains(&impossible), "{impossible}");
    let within_window = share(&|pair| pair.gap_seconds < 300);
    assert!((0.3..0.8).contains(&within_window), "{within_window}");
    let json = serde_json::to_string(&pairs[0]).unwrap();
    assert!(json.starts_with("{\"hphm\":\"") && json.contains("\",\"prev_gcxh\":\""), "{json}");
}

#[test]
fn memory_is_that_of_the_trips_under_way() {
    let mut simulator = Ideal::new(SimulatorSettings { rate: 5.0, truth: true, ..Default::default() });
    let (mut line, mut most) = (Vec::new(), [0usize; 4]);
    loop {
        line.clear();
        let day = (simulator.next_passage(&mut line).passed_at.0 - SimulatorSettings::DEFAULT_START.0) / 86_400;
        let Some(most) = most.get_mut(day as usize) else { break };
        *most = (*most).max(simulator.waiting());
    }
    assert!(most[3] < most[0] * 6 / 5, "{most:?}");
    // Nine lines a second at the peak, each waiting for less than an hour.
    assert!(most[0] < 9 * 3600, "{most:?}");
    assert!(simulator.slots.len() < most.iter().max().unwrap() + 10);
    assert!(simulator.truth.open_cases() < 100, "{}", simulator.truth.open_cases());
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |settings: SimulatorSettings, expected: &str| {
        let error = Simulator::new(settings).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let fine = SimulatorSettings::default;
    refused(SimulatorSettings { sites: 1, ..fine() }, "a network cannot have 1 checkpoints");
    refused(SimulatorSettings { sites: 10_001, ..fine() }, "a network cannot have 10001 checkpoints");
    refused(SimulatorSettings { rate: -1.0, ..fine() }, "the rate cannot be -1");
    refused(SimulatorSettings { rate: f64::NAN, ..fine() }, "the rate cannot be NaN");
    refused(SimulatorSettings { clone_rate: 0.5, ..fine() }, "the clone rate cannot be 0.5");
    refused(SimulatorSettings { garbage_rate: 1.5, ..fine() }, "garbage_rate cannot be 1.5");
    let small = SimulatorSettings { sites: 2, rate: 0.01, ..fine() };
    assert_eq!(text(&mut simulator(small), 200).lines().count(), 200);
}

/// Precision and recall of alerts against pairs of the truth.
fn judge(
    name: &str,
    alerts: &HashSet<[String; 2]>,
    truth: &HashSet<[String; 2]>,
    all_truth: &HashSet<[String; 2]>,
) -> (f64, f64) {
    let precision = alerts.intersection(all_truth).count() as f64 / alerts.len() as f64;
    let recall = alerts.intersection(truth).count() as f64 / truth.len() as f64;
    println!("{name}: {} alerts, precision {precision:.3}, recall {recall:.3} of {} pairs", alerts.len(), truth.len());
    (precision, recall)
}

/// The pairs that the detector reports, and those of them that it considers certain.
fn detect(
    batch: &PassageBatch,
    catalogue: &Catalogue,
    settings: DetectorSettings,
) -> (HashSet<[String; 2]>, HashSet<[String; 2]>) {
    let names = batch.new_names.iter().filter(|(dimension, _)| *dimension == Dimension::Checkpoint);
    let places: Vec<_> = names.map(|(_, name)| catalogue.position(name)).collect();
    let (mut fates, mut hits) = (Vec::new(), Vec::new());
    let names = batch.new_names.iter().filter(|(dimension, _)| *dimension == Dimension::PlateType);
    let plate_types: Vec<_> = names.map(|(_, name)| PlateType::of(name)).collect();
    let known = Knowledge { places: &places, plate_types: &plate_types, brands: &[] };
    Detector::new(settings).observe(batch, known, &mut fates, &mut hits);
    let pair = |hit: &traffic::Hit| {
        let ids = [hit.other.id().unpack(), batch.id_text(hit.row as usize)];
        if hit.other_is_earlier {
            ids
        } else {
            let [a, b] = ids;
            [b, a]
        }
    };
    let sure = hits.iter().filter(|hit| hit.severity == Severity::High);
    (hits.iter().map(pair).collect(), sure.map(pair).collect())
}

#[test]
fn speed_tells_clones_from_neighbours() {
    let mut simulator = simulator(SimulatorSettings { truth: true, ..Default::default() });
    let batch = parse(&text(&mut simulator, 1_000_000));
    let catalogue = Catalogue::new(simulator.checkpoints().to_vec()).unwrap();
    let pairs = simulator.take_truth();
    let ids = |pair: &ClonePair| [pair.prev_gcxh.clone(), pair.curr_gcxh.clone()];
    let all: HashSet<_> = pairs.iter().map(ids).collect();
    let in_window: HashSet<_> = pairs.iter().filter(|pair| pair.gap_seconds < 300).map(ids).collect();

    let (flat, sure) = detect(&batch, &catalogue, DetectorSettings::default());
    let (flat_precision, flat_recall) = judge("flat rule, pairs within 5 minutes", &flat, &in_window, &all);
    let (sure_precision, sure_recall) = judge("flat rule with speed evidence, the same", &sure, &in_window, &all);
    let (_, short_recall) = judge("flat rule with speed evidence, pairs within an hour", &sure, &all, &all);
    let long = DetectorSettings { state_ttl: 4200, speed_window: 3600, ..Default::default() };
    let (_, long_sure) = detect(&batch, &catalogue, long);
    let (long_precision, long_recall) = judge("speed rule over an hour, pairs within an hour", &long_sure, &all, &all);

    assert!(flat_recall > 0.99 && flat_precision < 0.3);
    assert!(sure_recall > 0.95 && sure_precision > 0.98);
    assert!(long_recall > 0.85 && long_recall > short_recall + 0.2 && long_precision > 0.98);
}
