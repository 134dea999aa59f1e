//! Why a mirror stops, and whether someone must act before it can go on. It does not know how that is handled.

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
    /// The target cannot be reached or cannot execute requests, for now.
    pub(super) fn away(error: impl std::fmt::Display) -> Self {
        Self { error: error.to_string(), kind: Kind::Away }
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::away(error)
    }
}
