//! The layout of a data directory: keys, values, and the segments of the log. It knows the storage and the segment
//! format, but not what the values are used for.

pub(super) mod checkpoints;
pub(super) mod keys;
pub(super) mod plate_key;
pub(super) mod records;
pub(super) mod segments;
