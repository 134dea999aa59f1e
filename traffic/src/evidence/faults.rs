//! What can be wrong with a camera, and what is known of one. How that is found, `cameras` knows.

use serde::{Deserialize, Serialize};

/// What is wrong with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraFault {
    /// Single records have times far from all others.
    Leaps,
    /// The clock runs fast or slow.
    Drifts,
    /// The clock was set, by minutes or more, within the last hours.
    Steps,
    /// Records arrive in batches.
    Batches,
    /// The clock is off by over a minute.
    Offset,
    /// Times are written to the minute.
    Minutes,
    /// Nothing came for so long that this is no chance, while the others report.
    Silent,
    /// Many more plates are masked or read in part than elsewhere, or than they used to be.
    Unread,
    /// Many more brands are missing than elsewhere.
    Unbranded,
    /// Many more vehicles are recorded twice than elsewhere.
    Doubles,
    /// Its plates contradict other sightings more often than they used to: many are misread.
    Misreads,
}

impl CameraFault {
    /// All faults.
    pub const ALL: [Self; 11] = [
        Self::Leaps,
        Self::Drifts,
        Self::Steps,
        Self::Batches,
        Self::Offset,
        Self::Minutes,
        Self::Silent,
        Self::Unread,
        Self::Unbranded,
        Self::Doubles,
        Self::Misreads,
    ];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leaps => "leaps",
            Self::Drifts => "drifts",
            Self::Steps => "steps",
            Self::Batches => "batches",
            Self::Offset => "offset",
            Self::Minutes => "minutes",
            Self::Silent => "silent",
            Self::Unread => "unread",
            Self::Unbranded => "unbranded",
            Self::Doubles => "doubles",
            Self::Misreads => "misreads",
        }
    }
}

/// What is known of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraState {
    /// Seconds that its clock is fast; negative if it is slow.
    pub offset: f64,
    /// By how much that may be wrong; 600 or more if nothing is known.
    pub error: f64,
    /// Seconds a day that its clock gains, if it drifts.
    pub drift: f64,
    /// Records of the last six hours, and those among them far ahead of the stream.
    pub records: u32,
    /// See `records`.
    pub ahead: u32,
    /// Comparisons of the last six hours, and contradictions among them.
    pub compared: u32,
    /// See `compared`.
    pub contradicted: u32,
    /// Plates of the last six hours that were masked or irregular, beside `records`.
    pub unread: u32,
    /// Records of the last six hours without a brand.
    pub unbranded: u32,
    /// Records of the last six hours of a plate that the camera had recorded within the minute before.
    pub doubles: u32,
    /// Its usual share of all records, 0 to 1.
    pub usual_share: f64,
    /// What is wrong with it.
    pub faults: Vec<CameraFault>,
}
