//! The audit log in files: `access/audit/2026-11-28.jsonl` of a data directory, one line for each entry, the day being that of the
//! clock in the zone of the road. The rules are those of [`access::trail`].
//!
//! Several processes may append: an entry is one `write` under a lock, and whoever finds the end elsewhere than it left it reads
//! it again. An entry is in the file before [`Trail::append`] returns, so a killed process loses none; it is on the disk
//! within a second ([`Trail::sync`]), so a power cut may lose the last second. The file `head` holds the lock, and number and hash
//! of the newest entry: what was lost, or cut off at the end, is found by it, and said by an entry `recovered`.
//!
//! A day's file never follows a later one, whatever the clock does: numbers grow from line to line and from file to file.

mod backwards;
mod erase;
mod error;
mod folder;
mod search;
mod tail;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use error::TrailError;
pub use search::TrailFilter;
pub use verify::Broken;
pub use writer::Trail;
