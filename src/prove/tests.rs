//! Both passes over a small scene whose truth is known: six checkpoints in a row, 120 honest cars that drive to and fro
//! by day, some of another brand or plate type and some by night, two cars in convoy, and a real clone.

use std::collections::BTreeSet;

use traffic::evidence::EvidenceSettings;
use traffic::{
    Catalogue, CivilTime, DetectorSettings, Layout, LineParser, NameTable, ParserSettings, PassageBatch, PlateClass,
    PlateCode, TimeZoneName, great_circle_km,
};

use super::detection::Settings;
use super::pairs::{Choice, Pair, choose};
use super::report::Report;
use super::tracks::Tracks;
use super::trial::Trial;

const SITES: usize = 6;
/// Seconds between neighbours for the usual car: 4.6 km of a slow road.
const LEG: i64 = 600;
const SETTINGS: Settings = Settings {
    detector: DetectorSettings {
        window: 300,
        state_ttl: 600,
        speed_window: 300,
        max_speed_kmh: 160.0,
        plates: traffic::PlateScope::Valid,
    },
    evidence: EvidenceSettings { reach: 7200, max_speed_kmh: 160.0, open_from: 0.5, neighbours: None },
};
const CHOICE: Choice = Choice { seed: 1, pairs: 50, any_brand: false };
const CLONED: &str = "苏C90001";
const CONVOY: [&str; 2] = ["苏C90002", "苏C95558"];
const DAY_CARS: u64 = 90;

/// A passage: civil seconds of the day, checkpoint, plate type and plate.
type Passage = (i64, usize, &'static str, String);

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Drives a car to and fro in some hours, with stops.
fn drive(numbers: &mut Numbers, plate: &str, hpzl: &'static str, hours: std::ops::Range<i64>) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut now = hours.start * 3600 + numbers.below(900) as i64;
    let (mut site, mut up) = (numbers.below(SITES as u64) as usize, numbers.below(2) == 0);
    while now < hours.end * 3600 {
        passages.push((now, site, hpzl, plate.to_owned()));
        if (site == 0 && !up) || (site == SITES - 1 && up) {
            up = !up;
            now += 400 + numbers.below(2400) as i64;
            continue;
        }
        site = if up { site + 1 } else { site - 1 };
        now += LEG * (90 + numbers.below(40) as i64) / 100;
    }
    passages
}

/// The scene in the order of time.
fn scene() -> Vec<Passage> {
    let mut numbers = Numbers(5);
    let mut all = Vec::new();
    for car in 0..DAY_CARS {
        all.extend(drive(&mut numbers, &format!("苏C{:05}", 10_000 + car * 137), "02", 6..16));
    }
    for car in 0..20 {
        all.extend(drive(&mut numbers, &format!("苏C{:05}", 30_000 + car * 137), "02", 17..23));
    }
    for car in 0..10 {
        all.extend(drive(&mut numbers, &format!("苏C{:05}", 50_000 + car * 137), "01", 6..16));
    }
    // Too seldom, and never elsewhere.
    all.extend((0..3).map(|site| (36_000 + 900 * site as i64, site, "02", "苏C70001".to_owned())));
    all.extend((0..9).map(|hour| (36_000 + 900 * hour, 1, "02", "苏C70002".to_owned())));
    for _ in 0..2 {
        all.extend(drive(&mut numbers, CLONED, "02", 6..16));
    }
    let first = drive(&mut numbers, CONVOY[0], "02", 6..16);
    all.extend(first.iter().map(|(time, site, hpzl, _)| (time + 5, *site, *hpzl, CONVOY[1].to_owned())));
    all.extend(first);
    all.sort_by(|a, b| (a.0, a.1, &a.3).cmp(&(b.0, b.1, &b.3)));
    all
}

fn catalogue() -> Catalogue {
    let lines = (0..SITES).map(|site| format!("K{site},卡口{site},{site},沛县,G1,{:.2},34.5\n", place(site).0));
    let csv = format!("code,kkmc,label,xzqhmc,road,lon,lat\n{}", lines.collect::<String>());
    Catalogue::parse_csv(&csv).unwrap()
}

/// Of plates that begin with 苏C2 it is another.
fn brand(plate: &str) -> &'static str {
    if plate.starts_with("苏C2") { "丰田牌-卡罗拉-2016" } else { "大众牌-朗逸-2015" }
}

fn place(site: usize) -> (f64, f64) {
    (117.0 + 0.05 * site as f64, 34.5)
}

fn batches(passages: &[Passage], size: usize) -> Vec<PassageBatch> {
    let settings = ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: 1000,
    };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let batch = |(at, passages): (usize, &[Passage])| {
        let mut batch = PassageBatch::default();
        for (number, (time, site, hpzl, plate)) in passages.iter().enumerate() {
            let clock = format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
            let number = at * size + number;
            let line = format!("G{number:08}\t沛县\tK{site}\t1\t2024-01-01 {clock}\t{hpzl}\t{plate}\t{}", brand(plate));
            parser.parse_line(line.as_bytes(), &mut batch);
        }
        assert_eq!(batch.len(), passages.len());
        batch
    };
    passages.chunks(size).enumerate().map(batch).collect()
}

fn tracks(passages: &[Passage], size: usize) -> Tracks {
    let mut tracks = Tracks::new(SETTINGS, catalogue());
    batches(passages, size).iter().for_each(|batch| tracks.take(batch));
    tracks
}

fn trial(passages: &[Passage], size: usize, pairs: &[Pair]) -> Trial {
    let mut trial = Trial::new(SETTINGS, catalogue(), pairs);
    batches(passages, size).iter_mut().for_each(|batch| trial.take(batch));
    trial
}

fn pair(plate: &str, other: &str) -> Pair {
    Pair { plate: PlateCode::pack(plate), class: PlateClass::Ordinary, other: PlateCode::pack(other) }
}

#[test]
fn tracks_are_single_cars_that_move() {
    let tracks = tracks(&scene(), 1000);
    // All but the clone, the one that is seen too seldom and the one that does not move.
    assert_eq!((tracks.plates(), tracks.fit()), (DAY_CARS + 20 + 10 + 5, DAY_CARS + 20 + 10 + 2));
    for plate in [CLONED, "苏C70001", "苏C70002"] {
        assert!(tracks.get(PlateCode::pack(plate)).is_some_and(|track| !track.is_fit()), "{plate}");
    }
}

#[test]
fn pairs_are_of_one_type_and_of_the_same_hours_and_the_seed_decides() {
    let passages = scene();
    let known = tracks(&passages, 1000);
    let pairs = choose(&known, CHOICE).unwrap();
    let plates: BTreeSet<_> = pairs.iter().flat_map(|pair| [pair.plate, pair.other]).collect();
    assert_eq!(plates.len(), 100, "no plate twice");
    // By the first digit: 1 and 9 by day, 2 of another brand, 3 by night, 5 of another plate type.
    let group = |plate: PlateCode| plate.unpack().chars().nth(2).map(|digit| if digit == '9' { '1' } else { digit });
    assert!(pairs.iter().all(|pair| group(pair.plate) == group(pair.other)), "{pairs:?}");
    let groups: BTreeSet<_> = plates.iter().filter_map(|plate| group(*plate)).collect();
    assert_eq!(groups, ['1', '2', '3', '5'].into(), "all kinds are there");
    assert_eq!(choose(&tracks(&passages, 7), CHOICE).unwrap(), pairs);
    assert_ne!(choose(&known, Choice { seed: 2, ..CHOICE }).unwrap(), pairs);
    assert_eq!(choose(&known, Choice { pairs: 20, ..CHOICE }).unwrap(), pairs[..20]);
    let any = choose(&known, Choice { any_brand: true, ..CHOICE }).unwrap();
    let brands: BTreeSet<_> = any.iter().map(|pair| [pair.plate, pair.other].map(group)).collect();
    assert!(brands.contains(&[Some('1'), Some('2')]) || brands.contains(&[Some('2'), Some('1')]), "{brands:?}");
    let error = choose(&known, Choice { pairs: 100, ..CHOICE }).unwrap_err();
    assert_eq!((error.wanted, error.plates, error.tracks), (100, 125, 122));
    assert!((59..=61).contains(&error.found), "{error}");
    assert!(error.to_string().contains("100 pairs need 200 tracks"), "{error}");
}

/// Alerts of each rule between the two cars of a pair, counted naively: lines are in the order of time, so that each
/// passage is compared with the one before.
fn naive_alerts(passages: &[Passage], pair: &Pair) -> [u64; 2] {
    let plates = [pair.plate.unpack(), pair.other.unpack()];
    let own: Vec<_> = passages.iter().filter(|(_, _, _, plate)| plates.contains(plate)).collect();
    let mut alerts = [0; 2];
    for two in own.windows(2) {
        let [(from, here, _, one), (to, there, _, other)] = two else { continue };
        if here == there || to - from >= 300 || one == other {
            continue;
        }
        let lower = (great_circle_km(place(*here), place(*there)) - 0.3) / (to - from + 2) as f64 * 3600.0;
        alerts[0] += 1;
        alerts[1] += u64::from(lower > 160.0);
    }
    alerts
}

#[test]
fn merged_cars_are_found_and_so_is_the_real_clone_and_nothing_else() {
    let passages = scene();
    let known = tracks(&passages, 1000);
    let pairs = choose(&known, Choice { pairs: 6, ..CHOICE }).unwrap();
    let trial = trial(&passages, 1000, &pairs);
    let report = Report::of(CHOICE, &known, &trial);
    assert_eq!((report.merged.plates, report.merged.contradicted), (6, 6));
    assert_eq!((report.plates, report.others.plates, report.others.contradicted), (125, 113, 1));
    assert_eq!(report.passages, passages.len() as u64);
    assert!(report.first_time.as_ref().is_some_and(|time| time.starts_with("2024-01-01 06:0")), "{report:?}");
    for case in &report.cases {
        assert!(case.found >= 5 && case.found <= 6, "{case:?}");
        assert_eq!((case.others.plates, case.others.per_thousand), (1, 8.8496), "{case:?}");
        let first = case.minutes_from_contradiction.median.unwrap();
        assert!(first >= 0.0 && first <= case.minutes_from_second_car.median.unwrap(), "{case:?}");
        assert!(case.contradictions.median.unwrap() >= 1.0);
    }
    assert!(report.cases[0].contradictions.p90 <= report.cases[1].contradictions.p90);
    // The rules, counted by hand.
    let naive: Vec<[u64; 2]> = pairs.iter().map(|pair| naive_alerts(&passages, pair)).collect();
    let results = report.pairs.iter().map(|pair| [pair.window_alerts, pair.great_circle_alerts]);
    assert_eq!(results.collect::<Vec<_>>(), naive);
    for (at, rule) in report.rules.iter().enumerate() {
        let found = naive.iter().filter(|alerts| alerts[at] > 0).count() as u64;
        let alerts: u64 = naive.iter().map(|alerts| alerts[at]).sum();
        assert!(alerts > 20, "{rule:?}");
        assert_eq!((rule.found, rule.alerts, rule.others.plates), (found, alerts, 1), "{rule:?}");
    }
    let sum = |of: fn(&super::report::Band) -> u64| report.reliability.iter().map(of).sum::<u64>();
    assert_eq!((sum(|band| band.merged), sum(|band| band.others)), (6, 1));
    assert_eq!(report.reliability.len(), 10);
    let table = report.to_string();
    assert!(table.contains("6 pairs of real tracks of one brand merged, seed 1"), "{table}");
}

#[test]
fn nothing_depends_on_where_a_batch_ends() {
    let passages = scene();
    let known = tracks(&passages, 1000);
    let pairs = choose(&known, Choice { seed: 3, pairs: 10, ..CHOICE }).unwrap();
    let report = Report::of(CHOICE, &known, &trial(&passages, 1000, &pairs));
    assert_eq!(Report::of(CHOICE, &tracks(&passages, 13), &trial(&passages, 13, &pairs)), report);
}

/// What is found comes from the merges: cars that are never apart are not found, and neither is a plate whose second car
/// is missing.
#[test]
fn cars_that_are_never_apart_are_not_found() {
    let passages = scene();
    let convoy = [pair(CONVOY[0], CONVOY[1])];
    let report = Report::of(CHOICE, &tracks(&passages, 1000), &trial(&passages, 1000, &convoy));
    assert_eq!((report.merged.contradicted, report.cases[0].found, report.rules[0].found), (0, 0, 0));
    assert_eq!(report.pairs[0].probability, None);
    let apart = [pair("苏C10000", "苏C10137")];
    let report = Report::of(CHOICE, &tracks(&passages, 1000), &trial(&passages, 1000, &apart));
    assert_eq!((report.merged.contradicted, report.cases[1].found), (1, 1), "{report:?}");
    let alone: Vec<Passage> = passages.iter().filter(|passage| passage.3 != "苏C10137").cloned().collect();
    let report = Report::of(CHOICE, &tracks(&alone, 1000), &trial(&alone, 1000, &apart));
    assert_eq!((report.merged.contradicted, report.cases[0].found, report.rules[0].found), (0, 0, 0));
}
