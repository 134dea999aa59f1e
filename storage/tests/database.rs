//! The database from outside: atomic commits, reopening, who is refused and how, and expiry by event time.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use storage::codec::{self, Kind};
use storage::{Database, Durability, Family, Settings, StorageError};

const SETTINGS: Settings =
    Settings { memory: 16 << 20, sync: false, compaction: true, accept_loss: false, shards: None };

fn open(folder: &Path) -> Arc<Database> {
    Database::open(folder, SETTINGS).expect("it opens")
}

fn refused(folder: &Path) -> StorageError {
    Database::open(folder, SETTINGS).expect_err("it must be refused")
}

fn value(database: &Database, family: Family, key: &[u8]) -> Option<Vec<u8>> {
    database.get(family, key).expect("it reads").map(|value| value.to_vec())
}

fn put(database: &Database, family: Family, key: &[u8], value: &[u8]) {
    let mut commit = database.begin();
    commit.put(family, key, value);
    database.commit(commit, Durability::AsConfigured).expect("it commits");
}

#[test]
fn a_commit_holds_over_all_families_and_a_dropped_one_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = vec![7; 100_000];
    {
        let database = open(folder.path());
        let mut commit = database.begin();
        for family in Family::all(2) {
            commit.put(family, b"key", family.name().as_bytes());
            commit.put(family, b"long", &long);
            commit.put(family, b"gone", b"1");
        }
        assert!(commit.bytes() > 8 * long.len());
        database.commit(commit, Durability::AsConfigured).expect("it commits");
        let mut never = database.begin();
        for family in Family::all(2) {
            never.put(family, b"never", b"1");
            never.delete(family, b"key");
        }
        drop(never);
        let mut commit = database.begin();
        for family in Family::all(2) {
            commit.delete(family, b"gone");
        }
        database.commit(commit, Durability::AsConfigured).expect("it commits");
    }
    // Opened again from the write-ahead log alone, then from files.
    for flushed in [false, true] {
        let database = open(folder.path());
        for family in Family::all(2) {
            assert_eq!(value(&database, family, b"key").as_deref(), Some(family.name().as_bytes()), "{flushed}");
            assert_eq!(value(&database, family, b"long"), Some(long.clone()));
            assert_eq!(value(&database, family, b"gone"), None);
            assert_eq!(value(&database, family, b"never"), None);
        }
        database.flush().expect("it flushes");
    }
}

#[test]
fn scans_go_both_ways_from_where_they_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path());
    for number in [1u64, 2, 5, 9] {
        put(&database, Family::Alerts, &number.to_be_bytes(), &[number as u8]);
    }
    let numbers = |up: bool, from: u64| -> Vec<u8> {
        let from = from.to_be_bytes();
        let first = |item: Result<storage::Entry, StorageError>| item.expect("it reads").1[0];
        if up {
            database.scan(Family::Alerts, &from).map(first).collect()
        } else {
            database.scan_back(Family::Alerts, &from).map(first).collect()
        }
    };
    assert_eq!(numbers(true, 2), [2, 5, 9]);
    assert_eq!(numbers(true, 3), [5, 9]);
    assert_eq!(numbers(false, 5), [5, 2, 1]);
    assert_eq!(numbers(false, 8), [5, 2, 1]);
    assert_eq!(numbers(false, 0), []);
}

#[test]
fn a_directory_in_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path());
    let error = refused(folder.path());
    assert!(matches!(error, StorageError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    drop(first);
    open(folder.path());
}

#[test]
fn a_foreign_directory_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("thesis.txt"), b"mine").expect("a file");
    let error = refused(folder.path());
    assert!(matches!(&error, StorageError::Foreign { found, .. } if found.contains("thesis.txt")), "{error}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn another_programs_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    drop(rocksdb::DB::open_cf(&options, folder.path().join("rocksdb"), ["songs"]).expect("it opens"));
    let error = refused(folder.path());
    assert!(matches!(&error, StorageError::Foreign { found, .. } if found.contains("songs")), "{error}");
}

#[test]
fn a_file_where_the_directory_should_be_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("data");
    std::fs::write(&file, b"").expect("a file");
    let error = refused(&file);
    assert!(matches!(error, StorageError::Io { .. }), "{error}");
    assert!(error.to_string().contains("data"), "{error}");
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let kind = |version| Kind { magic: b'F', version };
    for (format, kind) in [(4u32, kind(1)), (7, kind(1)), (3, kind(2))] {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = codec::encode(kind, &format).expect("it encodes");
        put(&open(folder.path()), Family::Meta, b"format", &bytes);
        let error = refused(folder.path());
        let found = if format > 3 { format } else { u32::from(kind.version) };
        assert!(matches!(error, StorageError::NewerFormat { found: it, known: 3, .. } if it == found), "{error}");
        assert!(error.to_string().contains(&format!("format version {found}")), "{error}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    put(&open(folder.path()), Family::Meta, b"format", &codec::encode(kind(1), &1u32).expect("it encodes"));
    let old = open(folder.path());
    assert!(old.is_of_old_format());
    let mut commit = old.begin();
    old.set_format(&mut commit).expect("it encodes");
    old.commit(commit, Durability::AsConfigured).expect("it commits");
    drop(old);
    assert!(!open(folder.path()).is_of_old_format());
    let folder = tempfile::tempdir().expect("a folder");
    put(&open(folder.path()), Family::Meta, b"format", b"F\x01rubbish");
    let error = refused(folder.path());
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path());
    put(&database, Family::Meta, b"before", b"1");
    assert_eq!(database.failure(), None);
    std::fs::remove_dir_all(folder.path().join("rocksdb")).expect("it is removed");
    let cause = database.flush().expect_err("there is nowhere to flush to").to_string();
    assert_eq!(database.failure(), Some(cause.as_str()));
    let mut commit = database.begin();
    commit.put(Family::Meta, b"after", b"1");
    let error = database.commit(commit, Durability::AsConfigured).expect_err("nothing more is taken");
    assert!(matches!(&error, StorageError::Latched { cause: first, .. } if *first == cause), "{error}");
    assert_eq!(value(&database, Family::Meta, b"after"), None);
    assert_eq!(value(&database, Family::Meta, b"before").as_deref(), Some(&b"1"[..]));
}

#[test]
fn compaction_drops_plates_behind_the_horizon_of_their_partition() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path());
    let key = |partition: u32, plate: u64| [&partition.to_be_bytes()[..], &plate.to_be_bytes()].concat();
    let state = |newest: i64| [&newest.to_be_bytes()[..], b"state"].concat();
    for partition in 0..3u32 {
        for plate in 0..10u64 {
            put(&database, Family::Plates, &key(partition, plate), &state(100 + plate as i64));
        }
    }
    put(&database, Family::Plates, b"odd", b"short");
    put(&database, Family::Alerts, &key(0, 0), &state(0));
    // An older and a newer state of one plate: the older must not come back.
    put(&database, Family::Plates, &key(1, 0), &state(200));
    database.flush().expect("it flushes");
    put(&database, Family::Plates, &key(0, 9), &state(109));
    database.horizons().advance(0, 105);
    database.horizons().advance(1, 1000);
    let live = |database: &Database| -> Vec<Vec<u8>> {
        database.scan(Family::Plates, &[]).map(|item| item.expect("it reads").0.to_vec()).collect()
    };
    assert_eq!(live(&database).len(), 31, "only a compaction drops anything");
    database.flush().expect("it flushes");
    for family in Family::all(2) {
        database.compact(family, None, None);
    }
    let mut expected: Vec<Vec<u8>> = (5..10).map(|plate| key(0, plate)).collect();
    expected.extend((0..10).map(|plate| key(2, plate)));
    expected.push(b"odd".to_vec());
    assert_eq!(live(&database), expected);
    assert!(value(&database, Family::Alerts, &key(0, 0)).is_some(), "only plates expire");
    drop(database);
    assert_eq!(live(&open(folder.path())), expected);
}

#[test]
fn deleted_bodies_give_their_space_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path());
    let mut noise = 1u64;
    for number in 0..200u64 {
        let body: Vec<u8> = (0..50_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (noise >> 56) as u8
            })
            .collect();
        put(&database, Family::Rows(0), &number.to_be_bytes(), &body);
    }
    database.flush().expect("it flushes");
    let full = database.usage().disk;
    assert!(full > 10_000_000, "{full}");
    let mut commit = database.begin();
    for number in 0..150u64 {
        commit.delete(Family::Rows(0), &number.to_be_bytes());
    }
    commit.delete_range(Family::Rows(0), &150u64.to_be_bytes(), &180u64.to_be_bytes());
    database.commit(commit, Durability::AsConfigured).expect("it commits");
    database.flush().expect("it flushes");
    database.compact(Family::Rows(0), None, None);
    assert_eq!(database.scan(Family::Rows(0), &[]).count(), 20);
    let after = database.usage().disk;
    assert!(after < full / 4, "{full} bytes before, {after} after");
}
