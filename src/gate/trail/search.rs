//! Reading the audit log, newest entries first. A search reads a bounded number of bytes, and says where the next one goes on.
//! It needs no lock: a line is there wholly or not at all.

use access::trail::{Detail, Details, Entry};
use traffic::CivilTime;

use super::backwards::{Backwards, start_of};
use super::error::{At as _, TrailError};
use super::writer::{Trail, day_of};

/// Bytes that one search reads at most, but for the line in which it ends.
const MAX_BYTES: usize = 8 << 20;
const MILLIS: i64 = 1000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct TrailFilter {
    /// Not before this time.
    pub from: Option<CivilTime>,
    /// Not after this time.
    pub to: Option<CivilTime>,
    /// Of this user.
    pub user: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// With a plate in the details that contains this.
    pub plate: Option<String>,
    /// From this address.
    pub address: Option<String>,
    /// Older than the entry with this number.
    pub before: Option<u64>,
}

/// Some entries.
#[derive(Debug, Default)]
pub struct TrailPage {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next search goes on (`before`); none if there is nothing more.
    pub next: Option<u64>,
    /// The newest entry of the log.
    pub newest: Option<Entry>,
    /// The oldest one.
    pub oldest: Option<Entry>,
}

impl Trail {
    /// The newest `length` entries that match, or fewer if too much had to be read. `shown` is the text of a detail as it is shown,
    /// which plates are looked for in.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn search(
        &self,
        filter: &TrailFilter,
        length: usize,
        shown: impl Fn(&str) -> String,
    ) -> Result<TrailPage, TrailError> {
        let days = self.files.days()?;
        let mut page = TrailPage { oldest: self.oldest(&days)?, newest: self.newest(&days)?, ..TrailPage::default() };
        let mut read = 0;
        for day in days.iter().rev() {
            if filter.from.is_some_and(|from| *day < day_of(CivilTime(from.0 - SECONDS_PER_DAY))) {
                // An entry is never in the file of an earlier day than its own.
                break;
            }
            if filter.to.is_some_and(|to| self.begins_later(day, to)) {
                continue;
            }
            let path = self.files.path(day);
            let file = self.files.read(day)?;
            let all = file.metadata().at(&path)?.len();
            let end = filter.before.map_or(Ok(all), |before| start_of(&file, all, before)).at(&path)?;
            let mut lines = Backwards::new(&file, end);
            while let Some(line) = lines.next_line().at(&path)? {
                read += line.len();
                // What is no entry is for the verification to find.
                let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { continue };
                let n = entry.n;
                if self.matches(filter, &entry, &shown) {
                    page.entries.push(entry);
                }
                if page.entries.len() >= length || read > MAX_BYTES {
                    page.next = Some(n).filter(|n| page.oldest.as_ref().is_some_and(|oldest| oldest.n < *n));
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    /// Whether a day's file holds only entries after `time`. A file that a wrong clock began is read in any case.
    fn begins_later(&self, day: &str, time: CivilTime) -> bool {
        let tomorrow = day_of(CivilTime(time.0 + SECONDS_PER_DAY));
        let of_its_day = |entry: Option<Entry>| entry.is_some_and(|entry| self.day(entry.t) == *day);
        *day > *tomorrow && self.files.read(day).is_ok_and(|file| of_its_day(first(&file)) && of_its_day(last(&file)))
    }

    fn oldest(&self, days: &[String]) -> Result<Option<Entry>, TrailError> {
        for day in days {
            if let Some(entry) = first(&self.files.read(day)?) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn newest(&self, days: &[String]) -> Result<Option<Entry>, TrailError> {
        for day in days.iter().rev() {
            if let Some(entry) = last(&self.files.read(day)?) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn matches(&self, filter: &TrailFilter, entry: &Entry, shown: impl Fn(&str) -> String) -> bool {
        let at = self.zone.civil(entry.t.div_euclid(MILLIS)).unwrap_or(CivilTime(0));
        let plate = || entry.details.as_ref().and_then(|details| details.get(Details::PLATE)).and_then(Detail::text);
        filter.from.is_none_or(|from| at >= from)
            && filter.to.is_none_or(|to| at <= to)
            && filter.user.as_ref().is_none_or(|user| entry.user.as_ref() == Some(user))
            && filter.action.as_ref().is_none_or(|action| entry.action == *action)
            && filter.address.as_ref().is_none_or(|address| entry.address.as_ref() == Some(address))
            && filter
                .plate
                .as_ref()
                .is_none_or(|part| plate().is_some_and(|plate| shown(plate).contains(part.as_str())))
    }
}

/// The first entry of a file; none if its first line is none.
fn first(file: &std::fs::File) -> Option<Entry> {
    use std::io::{BufRead as _, BufReader};
    let mut line = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(line.strip_suffix(b"\n")?).ok()
}

/// The last entry of a file.
fn last(file: &std::fs::File) -> Option<Entry> {
    let mut lines = Backwards::new(file, file.metadata().ok()?.len());
    std::iter::from_fn(|| lines.next_line().ok().flatten()).find_map(|line| serde_json::from_slice(&line).ok())
}
