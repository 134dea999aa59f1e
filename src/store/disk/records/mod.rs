//! All values that a data directory holds apart from the segments, to bytes and back. [`keys`](super::keys) lists their
//! keys.

mod alert;
mod case;
mod census;
mod detection;
mod lifetimes;
mod mirror;
mod plate;
mod reject;
mod rollup;
mod totals;
mod work;

pub(in crate::store) use alert::{decode as decode_alert, encode as encode_alert};
pub(in crate::store) use case::{
    SIGHTINGS_OF_A_PART, SavedHead, SavedSegments, StoredCase, decode_case, decode_sightings, encode_case,
    encode_sightings,
};
pub(in crate::store) use census::{
    Census, decode_work as decode_work_changes, encode_work as encode_work_changes, work_changes,
};
pub(in crate::store) use detection::DetectionTotals;
pub(in crate::store) use lifetimes::retention_text;
pub use lifetimes::{Announcement, Dropped, Keep, Kept, Lifetime, Lifetimes};
pub use mirror::{MirrorCursor, RefusedRow};
pub(in crate::store) use plate::{decode_plate, encode_plate};
pub use reject::StoredReject;
pub(in crate::store) use rollup::{Counts, Rollup};
pub(in crate::store) use totals::PartitionState;
pub use totals::Totals;
pub(in crate::store) use totals::shards_of;
pub(in crate::store) use work::{decode as decode_work_of_alert, encode as encode_work, load as load_work};
