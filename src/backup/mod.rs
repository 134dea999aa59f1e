//! Backups of a data directory, and how one is restored. docs/backup.md says what users see of it.
//!
//! **One moment.** Database and reference data are copied first ([`request`]): by the process that has the directory open,
//! or, if none has, by the command under the directory's lock. All other files are replaced whole or only appended to, so
//! they are taken at their length of one moment, the audit log under its lock ([`contents`]). They are taken after the
//! database: the log may hold entries about changes that the database does not have, and never lacks one about a change that it
//! has.
//!
//! **Complete or none.** The manifest ([`manifest`]) is written last, when everything that it names is on the disk. A backup without
//! it is one that was not finished, and is refused.
//!
//! It does not know what rows and alerts are; the store says whether a copy is whole.

mod contents;
mod error;
mod files;
mod manifest;
mod request;
mod restore;
mod take;

pub use error::BackupError;
pub use manifest::Manifest;
pub use request::answer_beside;
pub use restore::{check, restore};
pub use take::{Order, take};
