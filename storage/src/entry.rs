//! What a database consists of. It knows no family.

/// A key and its value.
pub type Entry = (Box<[u8]>, Box<[u8]>);
