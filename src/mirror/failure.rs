//! Why a mirror stops, and whether someone must act before it can go on. It does not know how that is handled.

use crate::lake::LakeError;
use crate::mysql::MysqlError;
use crate::store::StoreError;

/// Why a mirror had to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The target's message.
    pub(super) error: String,
    /// What kind of failure it is.
    pub(super) kind: Kind,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The target cannot be reached or cannot execute requests, for now.
    Away,
    /// Something must be changed at the target first.
    Blocked,
    /// The target was reached, and refuses with an error that blames neither itself nor a row.
    Unclear,
}

impl Failure {
    /// Something must be changed at the target first.
    pub(super) fn blocked(error: impl std::fmt::Display) -> Self {
        Self { error: error.to_string(), kind: Kind::Blocked }
    }

    /// The target cannot be reached or cannot execute requests, for now.
    pub(super) fn away(error: impl std::fmt::Display) -> Self {
        Self { error: error.to_string(), kind: Kind::Away }
    }
}

/// After this many unclear failures in a row, single rows are suspected.
const PATIENT_FAILURES: u32 = 5;

/// Unclear failures in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UnclearFailures(u32);

impl UnclearFailures {
    /// Counts a failure if it is unclear.
    pub(super) fn count(&mut self, failure: &Failure) {
        if failure.kind == Kind::Unclear {
            self.0 = self.0.saturating_add(1);
        }
    }

    /// Whether single rows may be to blame.
    pub(super) fn are_many(self) -> bool {
        self.0 >= PATIENT_FAILURES
    }
}

impl From<MysqlError> for Failure {
    fn from(error: MysqlError) -> Self {
        let text = match error.remedy() {
            Some(remedy) => format!("{error}; {remedy}"),
            None => error.to_string(),
        };
        let blocked = error.remedy().is_some() || matches!(error, MysqlError::Unfit(_));
        Self { error: text, kind: if blocked { Kind::Blocked } else { Kind::Away } }
    }
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        let kind = if error.is_blocking() { Kind::Blocked } else { Kind::Away };
        Self { error: error.to_string(), kind }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::away(error)
    }
}
