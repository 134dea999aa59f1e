//! An open connection, and what is known of the servers behind it: which statements it may send. It does not know how
//! it was opened.

use std::time::Duration;

use mysql_async::Conn;
use tokio::time::timeout;

use super::error::MysqlError;

/// The mode of an instance that takes a backslash for a character of the text.
pub(super) const NO_ESCAPES: &str = "NO_BACKSLASH_ESCAPES";
/// How long an orderly close may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What listens at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// MySQL or MariaDB itself.
    Instance,
    /// MyCat, with instances behind it.
    Mycat,
}

/// A connection that is fit for statements.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Conn,
    /// What it is connected to, whatever listens at the address later.
    pub(super) kind: Kind,
    /// The dataNode whose instance takes a backslash for a character of the text, if one does.
    pub(super) unescaped: Option<String>,
}

impl Session {
    /// Whether every server behind it reads `statement` as it is meant. A statement that changes something is checked
    /// whatever its texts hold; a query only if it has a backslash.
    ///
    /// # Errors
    /// [`MysqlError::Unfit`].
    pub(super) fn admits(&self, statement: &str, changes: bool) -> Result<(), MysqlError> {
        match &self.unescaped {
            Some(node) if changes || statement.contains('\\') => Err(MysqlError::Unfit(format!(
                "the instance behind dataNode {node} has {NO_ESCAPES} in its sql_mode, so that it would read texts with \
                 backslashes otherwise than they are meant: take it out of sql_mode in its configuration (sql/instance.cnf \
                 has the right one), restart it, then MyCat"
            ))),
            _ => Ok(()),
        }
    }
}

/// Closes a connection without waiting for the other side.
pub(super) fn discard(connection: Conn) {
    tokio::spawn(async move {
        let _ = timeout(CLOSE_TIMEOUT, connection.disconnect()).await;
    });
}
