//! Searching a million alerts: milliseconds per request of `GET /api/warnings`, including reading its page of ten from
//! the disk, by filter; with the index (`store.alert_index`) and, for comparison, without it. Also the cost of opening
//! such a store.
//!
//! Run with `cargo bench --bench alerts --profile release`.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use divan::Bencher;
use platewatch::internals::{
    AlertFilter, Batch, Router, Snapshot as _, Store, StoreSettings, TimeRange, View, WorkChange, WorkStatus,
};
use traffic::{CivilTime, Interner, Layout, LineParser, NameTable, ParserSettings, Rule, Severity, TimeZoneName};

const ALERTS: u64 = 1_000_000;
/// Each plate comes again after this many passages, at another checkpoint: an alert each time.
const PLATES: u64 = 20_000;
const PER_SECOND: u64 = 200;
const KKMC: [&str; 5] = ["S250_Pizhou_Sulu", "G3_Sulu", "某路口", "S505_Xinyi_West", "G104_Tongshan_Sulu"];

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path());
    FOLDER.set(folder.path().to_owned()).expect("set once");
    divan::main();
}

static FOLDER: OnceLock<std::path::PathBuf> = OnceLock::new();

fn start() -> i64 {
    CivilTime::from_civil(2024, 1, 1, 0, 0, 0).expect("a real time").0
}

fn settings(alert_index: usize) -> StoreSettings {
    StoreSettings { sync: false, alert_index, ..StoreSettings::default() }
}

fn fill(folder: &Path) {
    let mut store = Store::open(folder, settings(64 << 20)).expect("an empty folder opens");
    let mut parser = LineParser::new(
        ParserSettings {
            layout: Layout::default(),
            delimiter: None,
            not_after: CivilTime(i64::MAX),
            zone: TimeZoneName::default(),
            max_names: Interner::DEFAULT_MAX_NAMES,
        },
        &NameTable::default(),
    );
    let mut router = Router::new(Layout::default().shard_key(), store.shards()).expect("the defaults are right");
    let mut number = 0;
    while store.totals().alerts < ALERTS {
        let mut text = String::new();
        for _ in 0..100_000 {
            let (round, plate) = (number / PLATES, number % PLATES);
            let time = CivilTime(start() + (number / PER_SECOND) as i64);
            let kkmc = KKMC.get(((round + plate) % 5) as usize).expect("below five");
            writeln!(text, "G{number}\t邳州市\t{kkmc}\t1\t{time}\t02\t苏C{:05}\t-", plate).expect("a text takes it");
            number += 1;
        }
        let mut batch = Batch { position: b"1".to_vec(), ..Batch::default() };
        parser.parse_lines(text.as_bytes(), u64::MAX, &mut batch.passages);
        store
            .commit("bench", &batch, |passages, names, shards| router.route(passages, names, shards))
            .expect("it commits");
    }
    store.publish();
    for alert in store.shared().view().alerts_after(ALERTS / 2, 1000).expect("it reads") {
        let change = WorkChange {
            reason: None,
            status: Some(WorkStatus::Investigating),
            note: String::new(),
            by: "bench".to_owned(),
            at: CivilTime(start()),
            version: None,
        };
        store.shared().change_work(alert.id, &change).expect("it changes");
    }
    store.close().expect("it closes");
}

type Open = (Store, Arc<View>);

/// The store, opened with an index of `alert_index` bytes. It stays open to the end.
fn view(alert_index: usize) -> Arc<View> {
    static OPEN: Mutex<(usize, Option<Open>)> = Mutex::new((0, None));
    let mut open = OPEN.lock().expect("no bench has panicked");
    match &*open {
        (index, Some((_, view))) if *index == alert_index => view.clone(),
        _ => {
            // Only one store can have the directory open.
            *open = (0, None);
            let store = Store::open(FOLDER.get().expect("it is filled"), settings(alert_index)).expect("it opens");
            let view = store.shared().view();
            *open = (alert_index, Some((store, view.clone())));
            view
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Ask {
    HighSeverity,
    LastHour,
    Plate,
    PlateAndCheckpoint,
    SpeedRule,
    Investigating,
    NewLowOfADay,
    LastPage,
}

const ALL: [Ask; 8] = [
    Ask::HighSeverity,
    Ask::LastHour,
    Ask::Plate,
    Ask::PlateAndCheckpoint,
    Ask::SpeedRule,
    Ask::Investigating,
    Ask::NewLowOfADay,
    Ask::LastPage,
];

impl Ask {
    fn filter(self, view: &View) -> (AlertFilter, u64) {
        let newest = view.totals().newest.expect("there are passages");
        let all = AlertFilter::default();
        let filter = match self {
            Self::HighSeverity => AlertFilter { severity: Some(Severity::High), ..all },
            Self::LastHour => {
                AlertFilter { time: TimeRange { start: Some(CivilTime(newest.0 - 3600)), end: None }, ..all }
            }
            Self::Plate => AlertFilter { hphm: Some("C1234".to_owned()), ..all },
            Self::PlateAndCheckpoint => {
                AlertFilter { hphm: Some("9?9".to_owned()), kkmc: Some(vec!["某路口".to_owned()]), ..all }
            }
            Self::SpeedRule => AlertFilter { rule: Some(Rule::Speed), ..all },
            Self::Investigating => AlertFilter { status: Some(WorkStatus::Investigating), ..all },
            Self::NewLowOfADay => AlertFilter {
                time: TimeRange { start: Some(CivilTime(newest.0 - 86_400)), end: Some(newest) },
                severity: Some(Severity::Low),
                status: Some(WorkStatus::New),
                ..all
            },
            Self::LastPage => AlertFilter { severity: Some(Severity::High), ..all },
        };
        let pages = if matches!(self, Self::LastPage) {
            view.alerts(&filter, 1, 10).expect("it answers").total.div_ceil(10)
        } else {
            1
        };
        (filter, pages)
    }
}

fn ask(bencher: Bencher<'_, '_>, ask: Ask, index: usize) {
    let view = view(index);
    let (filter, page) = ask.filter(&view);
    bencher.bench_local(|| view.alerts(&filter, page, 10).expect("it answers").total);
}

#[divan::bench(args = ALL, sample_count = 20, sample_size = 1)]
fn with_index(bencher: Bencher<'_, '_>, what: Ask) {
    ask(bencher, what, 64 << 20);
}

#[divan::bench(args = [Ask::HighSeverity, Ask::Plate], sample_count = 3, sample_size = 1)]
fn without_index(bencher: Bencher<'_, '_>, what: Ask) {
    ask(bencher, what, 0);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn one_by_its_id(bencher: Bencher<'_, '_>) {
    let view = view(64 << 20);
    let id = view.alerts_after(100, 1).expect("it reads").remove(0).id;
    bencher.bench_local(|| view.alert(id).expect("it answers").is_some());
}

/// Opening; without an index it is the same work without reading the alerts.
#[divan::bench(args = [0usize, 64 << 20], sample_count = 3, sample_size = 1)]
fn open_with_an_index_of(bencher: Bencher<'_, '_>, bytes: usize) {
    bencher.with_inputs(|| drop(view(1))).bench_local_values(|()| view(bytes).alert_index_bytes());
}
