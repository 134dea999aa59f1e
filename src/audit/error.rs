//! Why a comparison or a repair stops: the data directory or a server fails. It does not know what is compared.

use crate::mysql::MysqlError;
use crate::store::StoreError;

/// Why the two could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The data directory cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An instance does not answer, so its passages cannot be compared.
    #[error("instance away: {address}: {error}. Nothing is said of its passages: start it, then compare again")]
    Away {
        /// The server that was asked.
        address: String,
        /// What went wrong.
        error: MysqlError,
    },
    /// A server answered with an error.
    #[error("{address}: {error}")]
    Mysql {
        /// Which.
        address: String,
        /// What went wrong.
        error: MysqlError,
    },
    /// A server's answer does not have the expected form.
    #[error(
        "{address} answers {answer:?} where a group of passages was asked for: check its schema with sql/schema.sql"
    )]
    Answer {
        /// Which.
        address: String,
        /// What it answered.
        answer: String,
    },
}

impl AuditError {
    pub(super) fn of(address: &str, error: MysqlError) -> Self {
        let address = address.to_owned();
        match error {
            MysqlError::Connection(_)
            | MysqlError::Timeout(..)
            | MysqlError::NoGreeting(_)
            | MysqlError::NodeAway { .. } => Self::Away { address, error },
            MysqlError::Server { .. } | MysqlError::Unfit(_) => Self::Mysql { address, error },
        }
    }
}
