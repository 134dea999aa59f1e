//! The end of a log as it is found: the newest entry, and what is torn or unreadable behind it. It changes nothing.

use access::trail::{Entry, Head};

use super::backwards::Backwards;
use super::error::{At as _, TrailError};
use super::folder::Folder;

/// The end of a log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The newest day that has a file, and the length of its complete lines.
    pub(super) day: Option<(String, u64)>,
    /// Bytes behind its last line feed: a write that was cut off.
    pub(super) torn: u64,
    /// The newest entry that can be read.
    pub(super) newest: Option<Entry>,
    /// Complete lines behind it that are no entries.
    pub(super) unreadable: u64,
}

impl Tail {
    /// The last entry of a day; none if it has none that can be read.
    pub(super) fn of_day(files: &Folder, day: &str) -> Result<Option<Entry>, TrailError> {
        let path = files.path(day);
        let file = files.read(day)?;
        let mut lines = Backwards::new(&file, file.metadata().at(&path)?.len());
        while let Some(line) = lines.next_line().at(&path)? {
            if let Ok(entry) = serde_json::from_slice(&line) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    pub(super) fn head(&self) -> Head {
        self.newest.as_ref().map_or(Head::NONE, Entry::head)
    }

    /// Looks for the end of the log.
    pub(super) fn find(files: &Folder) -> Result<Self, TrailError> {
        let days = files.days()?;
        let mut tail = Self::default();
        for day in days.iter().rev() {
            let path = files.path(day);
            let file = files.read(day)?;
            let length = file.metadata().at(&path)?.len();
            let mut lines = Backwards::new(&file, length);
            let mut whole = 0;
            while let Some(line) = lines.next_line().at(&path)? {
                if whole == 0 {
                    whole = lines.end_of_lines();
                }
                match serde_json::from_slice(&line) {
                    Ok(entry) => {
                        tail.newest = Some(entry);
                        break;
                    }
                    Err(_) => tail.unreadable += 1,
                }
            }
            if tail.day.is_none() {
                tail.torn = length - whole;
                tail.day = Some((day.clone(), whole));
            }
            if tail.newest.is_some() {
                break;
            }
        }
        Ok(tail)
    }
}
