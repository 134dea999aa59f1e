//! Erasing what entries say, so that the chain still holds: a day's file is written again beside the old one and takes its place.
//!
//! Killed at any moment, the old file is there or the new one, and erasing goes on where it is called again. It does not know why.

use std::io::{BufRead as _, BufReader};

use access::trail::{Action, Details, Draft, Entry, Via};

use super::error::{At as _, TrailError};
use super::folder::Folder;
use super::writer::Trail;

impl Trail {
    /// How many entries have details, or words of a purpose, that `names` is true of.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn naming(&self, names: impl Fn(&Entry) -> bool) -> Result<u64, TrailError> {
        let _lock = self.files.lock_to_read();
        let mut found = 0;
        for day in self.files.days()? {
            found += of_day(&self.files, &day, &names)?.1;
        }
        Ok(found)
    }

    /// Erases the details, and the words of the purpose, of the entries that `names` is true of; how many. An entry says so before.
    ///
    /// # Errors
    /// [`TrailError`]; then some may be erased, and it can be called again.
    pub fn erase(&self, names: impl Fn(&Entry) -> bool, now: i64) -> Result<u64, TrailError> {
        let found = self.naming(&names)?;
        if found == 0 {
            return Ok(0);
        }
        let said = Details::default().with("entries", found);
        self.append(Draft { details: Some(said), ..Draft::new(Action::Erase, Via::Command) }, now)?;
        self.sync()?;
        self.alone(now, || {
            for day in self.files.days()? {
                let (lines, found) = of_day(&self.files, &day, &names)?;
                if found > 0 {
                    self.files.replace(&day, &lines)?;
                }
            }
            Ok(found)
        })
    }
}

/// The bytes of a day's file with the entries erased that `names` is true of, and how many these are. What is no entry stays as it
/// is.
fn of_day(files: &Folder, day: &str, names: impl Fn(&Entry) -> bool) -> Result<(Vec<u8>, u64), TrailError> {
    let path = files.path(day);
    let mut reader = BufReader::with_capacity(1 << 18, files.read(day)?);
    let (mut all, mut line, mut found) = (Vec::new(), Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).at(&path)? > 0 {
        match erased(&line, &names) {
            Some(mut entry) => {
                found += 1;
                entry.push('\n');
                all.extend_from_slice(entry.as_bytes());
            }
            None => all.extend_from_slice(&line),
        }
        line.clear();
    }
    Ok((all, found))
}

/// The line of an entry without what it says; none if it stays as it is.
fn erased(line: &[u8], names: impl Fn(&Entry) -> bool) -> Option<String> {
    let mut entry: Entry = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    if entry.is_erased() || !names(&entry) {
        return None;
    }
    entry.erase();
    entry.is_erased().then(|| entry.line())
}
