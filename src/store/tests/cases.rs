//! What mirrors get of cases: each in its newest state, in the order of its changes, across restarts; and work that stays
//! without its case is removed.

use storage::{Durability, Family};
use traffic::evidence::{Case, CaseCar, Explanations};
use traffic::{CivilTime, PlateCode};

use crate::reader::Snapshot as _;
use crate::store::disk::keys;
use crate::store::disk::records::encode_work;
use crate::store::{Store, StoreSettings};
use crate::work::{AlertWork, WorkChange, WorkStatus};

fn case(plate: &str, newest: i64) -> Case {
    let car = || CaseCar { sightings: Vec::new(), next: Vec::new() };
    Case {
        plate: PlateCode::pack(plate),
        explanations: Explanations { clone: 0.9, misread: 0.1, ..Explanations::default() },
        found: 1,
        contradictions: Vec::new(),
        first: 1_000,
        newest,
        brands: Vec::new(),
        plate_types: Vec::new(),
        cars: [car(), car()],
        strangers: Vec::new(),
        opened_at: 1_000,
        model: None,
    }
}

fn change(status: WorkStatus) -> WorkChange {
    let (note, by) = ("n".to_owned(), "王".to_owned());
    WorkChange { status: Some(status), note, reason: None, by, at: CivilTime(7), version: None }
}

/// The cases from number `from` on: plate, state of the work, and the number behind the last.
fn follow(store: &Store, from: u64) -> (Vec<(String, WorkStatus)>, u64) {
    let changed = store.shared().changed_cases(from, 100).unwrap();
    assert!(changed.is_sorted_by_key(|case| case.change) && changed.iter().all(|case| case.change >= from));
    let next = changed.last().map_or(from, |case| case.change + 1);
    (changed.into_iter().map(|case| (case.worked.case.hphm, case.worked.work.status)).collect(), next)
}

fn new(plates: &[&str]) -> Vec<(String, WorkStatus)> {
    plates.iter().map(|plate| ((*plate).to_owned(), WorkStatus::New)).collect()
}

#[test]
fn a_mirror_meets_each_case_in_its_newest_state() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), StoreSettings::default()).unwrap();
    let mut store = open();
    let [a, b, c] = ["苏C00001", "苏C00002", "苏C00003"];
    store.commit_cases(vec![case(a, 2_000), case(b, 2_000)]).unwrap();
    let (met, next) = follow(&store, 1);
    assert_eq!(met, new(&[a, b]));
    // A case that changed again comes once, behind the others.
    store.commit_cases(vec![case(c, 2_000), case(a, 3_000)]).unwrap();
    store.commit_cases(vec![case(c, 4_000)]).unwrap();
    assert_eq!(follow(&store, next).0, new(&[a, c]));
    assert_eq!(follow(&store, 1).0, new(&[b, a, c]));

    // So does one whose work changed.
    let shared = store.shared();
    let next = follow(&store, 1).1;
    let id = u64::from_str_radix(&shared.changed_cases(1, 1).unwrap()[0].worked.case.id, 16).unwrap();
    let mut settled = shared.case_changes();
    settled.mark_unchanged();
    shared.change_case(id, &change(WorkStatus::Investigating)).unwrap();
    assert!(settled.has_changed().unwrap(), "a mirror is woken");
    let (met, next) = follow(&store, next);
    assert_eq!(met, [(b.to_owned(), WorkStatus::Investigating)]);
    assert!(shared.change_case(id, &change(WorkStatus::New)).is_err());
    assert_eq!(follow(&store, next).0, []);
    let behind = shared.cases_behind(next);
    assert_eq!((behind.kept, behind.waiting, behind.newest), (3, 0, Some(4_000)));
    assert_eq!((shared.cases_behind(1).waiting, shared.cases_behind(next - 1).waiting), (3, 1));
    let samples = shared.sample_cases(next);
    assert_eq!(
        samples.iter().map(|sample| sample.newest).collect::<Vec<_>>(),
        [2_000, 3_000],
        "the last and the first"
    );

    // The numbers are those of the directory, and later changes have larger ones.
    let before = shared.changed_cases(1, 100).unwrap();
    drop((shared, store));
    let mut store = open();
    assert_eq!(store.shared().changed_cases(1, 100).unwrap(), before);
    store.commit_cases(vec![case(a, 5_000)]).unwrap();
    assert_eq!(follow(&store, next).0, new(&[a]));
    // A mirror that is further, as after a power cut, meets what comes.
    store.shared().pass_case_changes(1 << 60);
    store.commit_cases(vec![case(b, 6_000)]).unwrap();
    assert_eq!(follow(&store, 1 << 60).0, [(b.to_owned(), WorkStatus::Investigating)]);
}

#[test]
fn cases_of_an_earlier_version_get_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), StoreSettings::default()).unwrap();
    let mut store = open();
    store.commit_cases(vec![case("苏C00001", 2_000), case("苏C00002", 2_000)]).unwrap();
    let database = store.shared().reading.database.clone();
    let mut commit = database.begin();
    [1, 2].iter().for_each(|seq| commit.delete(Family::Meta, &keys::case_change(*seq)));
    database.commit(commit, Durability::Forced).unwrap();
    drop((database, store));
    let store = open();
    let found = store.shared().changed_cases(1, 100).unwrap();
    assert_eq!(found.len(), 2);
    drop(store);
    assert_eq!(open().shared().changed_cases(1, 100).unwrap(), found, "and keep them");
}

#[test]
fn work_without_its_case_is_removed_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), StoreSettings::default()).unwrap();
    let mut store = open();
    store.commit_cases(vec![case("苏C00001", 2_000)]).unwrap();
    let id = store.shared().changed_cases(1, 1).unwrap()[0].worked.case.id.clone();
    let id = u64::from_str_radix(&id, 16).unwrap();
    store.shared().change_case(id, &change(WorkStatus::Investigating)).unwrap();
    let database = store.shared().reading.database.clone();
    // Work on a case that was dropped while it changed.
    let mut commit = database.begin();
    commit.put(Family::Meta, &keys::case_work(9), &encode_work(&AlertWork::default()).unwrap());
    commit.put(Family::Meta, &keys::case_work_change(9), &7u64.to_be_bytes());
    database.commit(commit, Durability::Forced).unwrap();
    drop((database, store));
    let store = open();
    let database = store.shared().reading.database.clone();
    let is_there = |key: &[u8]| database.get(Family::Meta, key).unwrap().is_some();
    for (seq, expected) in [(1, true), (9, false)] {
        assert_eq!(is_there(&keys::case_work(seq)), expected, "{seq}");
        assert_eq!(is_there(&keys::case_work_change(seq)), expected, "{seq}");
    }
    assert_eq!(store.shared().view().case(id).unwrap().unwrap().work.status, WorkStatus::Investigating);
}
