//! Hourly counts beyond the retention of passages: a weekly rhythm cannot be learnt from three days.
//!
//! The service takes the appliance's whole hours here as they close; a data directory keeps them in `flow-history/`, one
//! file a month, each one value of `storage::codec`, kind `I`: names, then hours with the counts of the checkpoints that
//! had any. A month's file is replaced whole when one of its hours changed. An hour that is taken again keeps the
//! larger count, since retention only makes counts smaller. A damaged file is set aside, and the rest stays usable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use storage::codec::{self, Kind as CodecKind};
use traffic::{Catalogue, CivilTime};

use super::calendar::Calendar;
use super::folder::{FolderError, replace};
use super::grid::Grid;
use crate::reader::{HourCounts, ReadError, Snapshot};

/// How a month's file is framed.
const HISTORY: CodecKind = CodecKind { magic: b'I', version: 1 };
/// The folder in a data directory.
const FOLDER: &str = "flow-history";
/// Hours read from the counters at a time.
const CHUNK: usize = 24;
/// Hours before the last one taken that are read again, for late passages.
const AGAIN: i64 = 72;

/// A month's file: names, and each hour with the counts by number of name.
type Month = (Vec<String>, Vec<(i64, Vec<(u32, u64)>)>);

/// Why counts could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The counters could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A month could not be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A month could not be encoded.
    #[error("a month of hourly counts: {0}")]
    Codec(#[from] codec::CodecError),
}

/// Hourly counts by checkpoint.
#[derive(Debug, Default)]
pub struct History {
    folder: Option<PathBuf>,
    /// Hours that are kept; older ones are dropped.
    keep: i64,
    names: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, u32>,
    /// Sorted by number.
    hours: BTreeMap<i64, Vec<(u32, u64)>>,
    changed: BTreeSet<(i64, u8)>,
}

impl History {
    /// A history that keeps `keep` hours, in memory only.
    pub fn in_memory(keep: i64) -> Self {
        Self { keep, ..Self::default() }
    }

    /// The history of a data directory; also the files that were damaged and set aside.
    pub fn open(data_dir: &Path, keep: i64) -> (Self, Vec<String>) {
        let folder = data_dir.join(FOLDER);
        let mut history = Self { folder: Some(folder.clone()), ..Self::in_memory(keep) };
        let mut damaged = Vec::new();
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "bin")) {
            let month = std::fs::read(&path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| codec::decode::<Month>(HISTORY, &bytes).map_err(|error| error.to_string()));
            match month {
                Ok(month) => history.restore(month),
                Err(why) => {
                    let _ = std::fs::rename(&path, path.with_extension("damaged"));
                    damaged.push(format!("{}: {why}", path.display()));
                }
            }
        }
        history.changed.clear();
        (history, damaged)
    }

    fn restore(&mut self, (names, hours): Month) {
        for (hour, counts) in hours {
            let named = counts.iter().filter_map(|(number, count)| Some((&**names.get(*number as usize)?, *count)));
            let named: Vec<(&str, u64)> = named.collect();
            self.take(hour, named.into_iter());
        }
    }

    /// Takes the whole hours of the counters that ended before `now`, in hours since 1970. True if one is new.
    ///
    /// # Errors
    /// [`HistoryError::Read`] if the counters cannot be read.
    pub fn take_whole_hours(&mut self, snapshot: &dyn Snapshot, now: i64) -> Result<bool, HistoryError> {
        let before = self.hours.len();
        let mut from = self.hours.last_key_value().map_or(i64::MIN, |(last, _)| last - AGAIN);
        loop {
            let hours = snapshot.hours(from, i64::MAX, CHUNK)?;
            let Some(last) = hours.last() else { break };
            from = last.hour + 1;
            for HourCounts { hour, is_whole, checkpoints } in &hours {
                if *is_whole && *hour < now {
                    self.take(*hour, checkpoints.iter().map(|(name, count)| (&**name, *count)));
                }
            }
        }
        if let Some((newest, _)) = self.hours.last_key_value() {
            self.hours = self.hours.split_off(&(newest - self.keep + 1));
        }
        Ok(self.hours.len() != before)
    }

    fn take<'a>(&mut self, hour: i64, counts: impl Iterator<Item = (&'a str, u64)>) {
        for (name, count) in counts {
            let number = match self.numbers.get(name) {
                Some(number) => *number,
                None => {
                    let name: Arc<str> = name.into();
                    let number = self.names.len() as u32;
                    self.names.push(name.clone());
                    self.numbers.insert(name, number);
                    number
                }
            };
            let known = self.hours.entry(hour).or_default();
            match known.binary_search_by_key(&number, |(number, _)| *number) {
                Ok(place) => match known.get_mut(place) {
                    Some((_, known)) if *known < count => *known = count,
                    _ => continue,
                },
                Err(place) => known.insert(place, (number, count)),
            }
            self.changed.insert(month_of(hour));
        }
    }

    /// Writes the months that changed and removes those that are wholly too old.
    ///
    /// # Errors
    /// [`HistoryError`] if a file cannot be written; it is tried again the next time.
    pub fn save(&mut self) -> Result<(), HistoryError> {
        let Some(folder) = self.folder.clone() else {
            self.changed.clear();
            return Ok(());
        };
        if self.changed.is_empty() {
            return Ok(());
        }
        std::fs::create_dir_all(&folder).map_err(|error| FolderError::Io {
            action: "make",
            path: folder.clone(),
            error,
        })?;
        for &(year, month) in &self.changed.clone() {
            let path = folder.join(format!("{year:04}-{month:02}.bin"));
            let hours: Vec<_> = self
                .hours
                .iter()
                .filter(|(hour, _)| month_of(**hour) == (year, month))
                .map(|(hour, counts)| (*hour, counts.clone()))
                .collect();
            if hours.is_empty() {
                let _ = std::fs::remove_file(&path);
            } else {
                let names: Vec<String> = self.names.iter().map(|name| name.to_string()).collect();
                let month: Month = (names, hours);
                replace(&path, &codec::encode(HISTORY, &month)?)?;
            }
            self.changed.remove(&(year, month));
        }
        if let Some((oldest, _)) = self.hours.first_key_value() {
            remove_before(&folder, month_of(*oldest));
        }
        Ok(())
    }

    /// How many hours there are.
    pub fn len(&self) -> usize {
        self.hours.len()
    }

    /// How many whole or begun days it spans.
    pub fn days(&self) -> i64 {
        match (self.hours.first_key_value(), self.hours.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last.div_euclid(24) - first.div_euclid(24) + 1,
            _ => 0,
        }
    }

    /// As a table to learn from. A checkpoint that was recorded under its code and its full name is one, under its code.
    pub fn grid(&self, catalogue: &Catalogue, calendar: &Calendar) -> Grid {
        let codes: Vec<&str> = self
            .names
            .iter()
            .map(|name| catalogue.find(name).map_or(&**name, |checkpoint| checkpoint.code.as_str()))
            .collect();
        let hours = self.hours.iter().map(|(hour, counts)| {
            let named = counts.iter().filter_map(|(number, count)| Some((*codes.get(*number as usize)?, *count)));
            (*hour, named.collect::<Vec<_>>())
        });
        Grid::of_hours(hours, calendar)
    }
}

/// Year and month of an hour since 1970.
fn month_of(hour: i64) -> (i64, u8) {
    let (year, month, _) = CivilTime(hour.saturating_mul(3600)).date();
    (year, month)
}

fn remove_before(folder: &Path, (year, month): (i64, u8)) {
    let oldest = format!("{year:04}-{month:02}.bin");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.len() == oldest.len() && name.ends_with(".bin") && *name < *oldest {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(folder: &Path) -> History {
        let (mut history, damaged) = History::open(folder, 24 * 60);
        assert!(damaged.is_empty());
        for hour in 0..24 * 40 {
            history.take(473_352 + hour, [("G3_Sulu", 5), ("x", hour as u64 % 7)].into_iter());
        }
        history.save().unwrap();
        history
    }

    #[test]
    fn months_are_kept_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let history = filled(folder.path());
        let (again, damaged) = History::open(folder.path(), 24 * 60);
        assert!(damaged.is_empty());
        assert_eq!((again.len(), again.days(), &again.hours), (960, 40, &history.hours));
        assert_eq!(std::fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 2);
    }

    #[test]
    fn a_damaged_month_is_set_aside_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let path = folder.path().join(FOLDER).join("2024-01.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (history, damaged) = History::open(folder.path(), 24 * 60);
        assert!(damaged.len() == 1 && damaged[0].contains("checksum"), "{damaged:?}");
        assert_eq!(history.len(), 9 * 24, "February");
        assert!(!path.exists() && path.with_extension("damaged").exists());
    }

    #[test]
    fn what_retention_eats_stays_and_what_comes_late_is_added() {
        let mut history = History::in_memory(100);
        history.take(10, [("a", 5)].into_iter());
        history.take(10, [("a", 3), ("b", 1)].into_iter());
        history.take(10, [("a", 6)].into_iter());
        assert_eq!(history.hours[&10], [(0, 6), (1, 1)]);
    }

    #[test]
    fn code_and_full_name_are_one_checkpoint() {
        let mut history = History::in_memory(100);
        let catalogue = Catalogue::xuzhou();
        let (code, name) = catalogue.iter().map(|one| (one.code.clone(), one.name.clone())).next().unwrap();
        history.take(473_352, [(&*code, 5), (&*name, 7), ("elsewhere", 1)].into_iter());
        let grid = history.grid(&catalogue, &Calendar::default());
        assert_eq!(grid.sites().iter().map(|name| &**name).collect::<Vec<_>>(), [&*code, "elsewhere"]);
        assert_eq!(grid.count(0, 0), Some(12.0));
    }
}
