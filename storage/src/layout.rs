//! The files and folders of a data directory. It does not know what they hold.

/// The folder of the database.
pub const DATABASE: &str = "rocksdb";
/// The folder of the reference data.
pub(crate) const REFERENCE: &str = "reference";
/// The folder of users and sessions. It can be there before the database is.
pub const ACCESS: &str = "access";
/// A file that says, by its lock, that a temporary data directory is in use.
pub const IN_USE: &str = "in-use";
