//! The files and folders of a data directory. It does not know what they hold.

/// The folder of the database.
pub const DATABASE: &str = "rocksdb";
/// The folder of the reference data.
pub const REFERENCE: &str = "reference";
/// The folder of users and sessions. It can be there before the database is.
pub const ACCESS: &str = "access";
/// A file that says, by its lock, that a temporary data directory is in use.
pub const IN_USE: &str = "in-use";
/// The files of the tally: what was committed, noted beside the database.
pub const TALLY: [&str; 2] = ["tally-0", "tally-1"];
/// The folder in which a backup and the process that has the directory open meet.
pub const BACKUP_WORK: &str = "backup-work";
