//! Damage to the files of a database: it opens with all that was committed, or is refused, or says so when it is read. It is
//! never silent.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use storage::{Database, Durability, Family, Settings, StorageError};

const SETTINGS: Settings =
    Settings { memory: 16 << 20, sync: true, compaction: true, accept_loss: false, shards: None };
const COMMITS: u64 = 600;

/// SplitMix64: the same seed, the same damage.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// Commits as a store makes them: large values, small ones, and one that each commit replaces.
fn filled(folder: &Path, sync: bool) {
    let database = Database::open(folder, Settings { sync, ..SETTINGS }).expect("it opens");
    database.begin_tally(Vec::new(), Vec::new()).expect("the tally begins");
    let mut random = Random(1);
    for number in 0..COMMITS {
        let mut commit = database.begin();
        let body: Vec<u8> = (0..6000 + random.below(9000)).map(|_| random.below(256) as u8).collect();
        commit.put(Family::Rows(0), &number.to_be_bytes(), &body);
        commit.put(Family::Zones, &number.to_be_bytes(), b"zone");
        commit.put(Family::Meta, b"totals", &number.to_be_bytes());
        commit.tally(number.to_be_bytes().to_vec());
        if number % 50 == 7 {
            database.commit(commit, Durability::Forced).expect("it commits");
        } else {
            database.commit(commit, Durability::AsConfigured).expect("it commits");
        }
    }
}

/// What is there: bodies, zones, and the newest commit; none if reading says that it is damaged.
fn held(database: &Database) -> Option<(usize, usize, u64)> {
    let bodies = database.scan(Family::Rows(0), &[]).collect::<Result<Vec<_>, _>>().ok()?.len();
    let zones = database.scan(Family::Zones, &[]).collect::<Result<Vec<_>, _>>().ok()?.len();
    let newest = database.get(Family::Meta, b"totals").ok()?.map(|value| value.to_vec());
    let newest = newest.and_then(|value| Some(u64::from_be_bytes(*value.first_chunk()?)));
    Some((bodies, zones, newest.map_or(0, |newest| newest + 1)))
}

const ALL: (usize, usize, u64) = (COMMITS as usize, COMMITS as usize, COMMITS);

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder.join("rocksdb")).unwrap().map(|it| it.unwrap().path()).collect();
    names.retain(|path| path.metadata().unwrap().len() > 0 && path.file_name().unwrap() != "LOG");
    names.sort();
    names
}

fn open(folder: &Path) -> Result<Arc<Database>, StorageError> {
    Database::open(folder, SETTINGS)
}

#[test]
fn one_damage_anywhere_is_never_silent() {
    let scratch = tempfile::tempdir().unwrap();
    let (whole, damaged) = (scratch.path().join("whole"), scratch.path().join("damaged"));
    filled(&whole, true);
    copy(&whole, &damaged);
    assert_eq!(held(&open(&damaged).unwrap()), Some(ALL));
    let names = files(&whole);
    let mut random = Random(2);
    let (mut complete, mut refused, mut read) = (0, 0, 0);
    for round in 0..120 {
        std::fs::remove_dir_all(&damaged).unwrap();
        copy(&whole, &damaged);
        let name = &names[random.below(names.len())];
        let victim = damaged.join("rocksdb").join(name.file_name().unwrap());
        let mut bytes = std::fs::read(&victim).unwrap();
        let place = random.below(bytes.len());
        let end = (place + 1 + random.below(5000)).min(bytes.len());
        let kind = random.below(6);
        match kind {
            0 | 1 => bytes[place] ^= 1 << random.below(8),
            2 => bytes[place..end].fill_with(|| random.below(256) as u8),
            3 => bytes[place..end].fill(0),
            4 => bytes.truncate(place),
            _ => {}
        }
        std::fs::write(&victim, &bytes).unwrap();
        if kind == 5 {
            std::fs::remove_file(&victim).unwrap();
        }
        match open(&damaged) {
            Err(StorageError::Lost { .. } | StorageError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("seed 2, round {round}: kind {kind} at {place} of {}: {other}", name.display()),
            Ok(database) => match held(&database) {
                None => read += 1,
                Some(held) => {
                    assert_eq!(held, ALL, "seed 2, round {round}: kind {kind} at {place} of {}", name.display());
                    complete += 1;
                }
            },
        }
    }
    println!("120 damages: {refused} refused, {read} told when read, {complete} opened with everything");
    assert!(refused > 60, "{refused} refused");
}

#[test]
fn what_was_cut_off_is_known_with_and_without_fsync() {
    for sync in [true, false] {
        let scratch = tempfile::tempdir().unwrap();
        let (whole, damaged) = (scratch.path().join("whole"), scratch.path().join("damaged"));
        filled(&whole, sync);
        let log = files(&whole).into_iter().rfind(|path| path.extension().is_some_and(|kind| kind == "log")).unwrap();
        let bytes = std::fs::read(&log).unwrap();
        for cut in [1, 100, bytes.len() / 2, bytes.len()] {
            let _ = std::fs::remove_dir_all(&damaged);
            copy(&whole, &damaged);
            let victim = damaged.join("rocksdb").join(log.file_name().unwrap());
            std::fs::write(&victim, &bytes[..bytes.len() - cut]).unwrap();
            // What is left can be looked at, whatever it is, and nothing is written.
            let left = held(&Database::open_salvaged(&damaged, 16 << 20).unwrap()).unwrap();
            assert!(left.2 < COMMITS, "{left:?}");
            assert!(Database::open_frozen(&damaged, 16 << 20).is_err());
            // Again and again, until somebody accepts it.
            for _ in 0..2 {
                let refused = open(&damaged).map(|_| ()).unwrap_err();
                assert!(matches!(refused, StorageError::Lost { .. }), "{cut} of {}, {sync}: {refused}", bytes.len());
            }
            let database = Database::open(&damaged, Settings { accept_loss: true, ..SETTINGS }).unwrap();
            assert!(database.loss().is_some());
            let (bodies, zones, newest) = held(&database).unwrap();
            assert!(newest < COMMITS && bodies as u64 == newest && zones == bodies, "a consistent earlier state");
            database.begin_tally(Vec::new(), Vec::new()).unwrap();
            drop(database);
            assert_eq!(held(&open(&damaged).unwrap()), Some((bodies, zones, newest)));
        }
    }
}

#[test]
fn a_torn_tail_and_a_damaged_tally_are_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (whole, damaged) = (scratch.path().join("whole"), scratch.path().join("damaged"));
    filled(&whole, true);
    let log = files(&whole).into_iter().rfind(|path| path.extension().is_some_and(|kind| kind == "log")).unwrap();
    let torn: [&[u8]; 3] = [&[0; 9000], &[1, 2, 3, 4, 0xff, 0x0f, 1, 9, 9, 9], &[7; 5]];
    let tallies: [&[&str]; 4] = [&[], &["tally-0"], &["tally-1"], &["tally-0", "tally-1"]];
    for tail in torn {
        for names in tallies {
            let _ = std::fs::remove_dir_all(&damaged);
            copy(&whole, &damaged);
            let victim = damaged.join("rocksdb").join(log.file_name().unwrap());
            let mut bytes = std::fs::read(&victim).unwrap();
            bytes.extend_from_slice(tail);
            std::fs::write(&victim, bytes).unwrap();
            names.iter().for_each(|name| std::fs::write(damaged.join(name), [0; 1024]).unwrap());
            assert_eq!(held(&open(&damaged).unwrap()), Some(ALL), "{} bytes, {names:?}", tail.len());
        }
    }
}
