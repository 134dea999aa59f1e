//! Opening a connection, and what must be known of the servers behind it before anything is sent over it.
//!
//! **An instance** gets a session of its own mode: strict, and with backslashes that escape, whatever its default is.
//! **MyCat** hands no session's mode to its backends, so each instance behind it is asked for its mode, once per
//! connection, by the hint that MyCat passes on. A server that does not know the hint is an instance. What is behind an
//! address may change: after a connection broke it is found out again.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{MysqlError, MysqlPool, discard};

/// An instance refuses what it would otherwise change (values cut to fit), and reads backslashes as
/// [`super::push_text`] writes them.
const STRICT: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";
const NO_ESCAPES: &str = "NO_BACKSLASH_ESCAPES";
const SYNTAX_ERROR: u16 = 1064;
/// How long it may take to see whether an address accepts connections at all.
const KNOCK: Duration = Duration::from_secs(1);

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
    /// What it leads to, whatever is found out at the address later.
    pub(super) kind: Kind,
    /// The dataNode whose instance takes a backslash for a character of the text, if one does.
    unescaped: Option<String>,
}

impl Session {
    /// Whether every server behind it reads `statement` as it is meant. One that changes something must be right
    /// whatever its texts hold; a question only if it has a backslash.
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

impl MysqlPool {
    /// What listens there, as far as it is known.
    pub(super) fn kind(&self) -> Option<Kind> {
        *self.kind.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn learn(&self, kind: Option<Kind>) {
        *self.kind.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = kind;
    }

    /// Opens a connection and finds out what is behind it.
    pub(super) async fn open(&self) -> Result<Session, MysqlError> {
        if self.kind() != Some(Kind::Instance) {
            match self.open_mycat().await {
                Ok(session) => {
                    self.learn(Some(Kind::Mycat));
                    return Ok(session);
                }
                // Another connection may have found it out meanwhile.
                Err(error) if is_no_hint(&error) && self.kind() != Some(Kind::Mycat) => {
                    self.learn(Some(Kind::Instance));
                }
                Err(error) => {
                    self.forget_if_broken(&error);
                    return Err(error);
                }
            }
        }
        let mut connection = self.connect().await?;
        match self.ask(&mut connection, STRICT).await {
            Ok(_) => Ok(Session { connection, kind: Kind::Instance, unescaped: None }),
            Err(error) => {
                discard(connection);
                Err(error)
            }
        }
    }

    async fn open_mycat(&self) -> Result<Session, MysqlError> {
        let mut connection = self.connect().await?;
        let mut unescaped = None;
        for node in &self.nodes {
            match self.ask_node(&mut connection, node, "SELECT @@sql_mode").await {
                Ok(rows) => {
                    let modes = rows.into_iter().filter_map(|row| mysql_async::from_row_opt::<String>(row).ok());
                    if modes.into_iter().any(|mode| mode.contains(NO_ESCAPES)) {
                        unescaped = Some(node.clone());
                    }
                }
                Err(error) => {
                    discard(connection);
                    return Err(error);
                }
            }
        }
        Ok(Session { connection, kind: Kind::Mycat, unescaped })
    }

    /// Asks the instance behind one dataNode, and says so where that is the one that does not answer.
    pub(super) async fn ask_node(
        &self,
        connection: &mut Conn,
        node: &str,
        question: &str,
    ) -> Result<Vec<Row>, MysqlError> {
        let asked = self.ask(connection, &format!("/*!mycat:dataNode={node}*/ {question}")).await;
        asked.map_err(|error| match error {
            MysqlError::Server { code: SYNTAX_ERROR, message, .. } if is_about_nodes(&message) => {
                MysqlError::Unfit(format!(
                    "MyCat knows no dataNode {node} ({message}): set mycat.data_nodes to the names in its schema.xml, in \
                     the order in which the table traffic_data has them"
                ))
            }
            error if is_no_hint(&error) => error,
            error @ (MysqlError::Server { .. } | MysqlError::Timeout(..)) => {
                MysqlError::NodeAway { node: node.to_owned(), cause: error.to_string() }
            }
            other => other,
        })
    }

    async fn ask(&self, connection: &mut Conn, question: &str) -> Result<Vec<Row>, MysqlError> {
        // Each of these is answered at once or not at all, however long other statements may take.
        let limit = self.statement_timeout.min(self.connect_timeout);
        let asked = timeout(limit, connection.query(question)).await;
        asked.map_err(|_| MysqlError::Timeout(limit, "statement"))?.map_err(MysqlError::from)
    }

    async fn connect(&self) -> Result<Conn, MysqlError> {
        match timeout(self.connect_timeout, Conn::new(self.opts.clone())).await {
            Ok(opened) => Ok(opened?),
            Err(_) if self.accepts().await => Err(MysqlError::NoGreeting(self.connect_timeout)),
            Err(_) => Err(MysqlError::Timeout(self.connect_timeout, "connecting")),
        }
    }

    /// Whether the address takes connections, whatever is or is not said over them.
    async fn accepts(&self) -> bool {
        let to = (self.opts.ip_or_hostname(), self.opts.tcp_port());
        matches!(timeout(KNOCK.min(self.connect_timeout), TcpStream::connect(to)).await, Ok(Ok(_)))
    }

    /// Where a connection broke, something else may listen next time.
    pub(super) fn forget_if_broken(&self, error: &MysqlError) {
        let broken = matches!(error, MysqlError::Connection(_) | MysqlError::NoGreeting(_)) || is_no_hint(error);
        if broken && !self.is_direct {
            self.learn(None);
        }
    }
}

/// An instance reads the hint as a part of the statement, which is then no SQL.
fn is_no_hint(error: &MysqlError) -> bool {
    matches!(error, MysqlError::Server { code: SYNTAX_ERROR, message, .. } if !is_about_nodes(message))
}

/// MyCat says that there is no such dataNode; an instance only repeats what it could not read.
fn is_about_nodes(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("datanode") && !message.contains("mycat:datanode=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_and_a_mycat_without_the_node_are_told_apart() {
        assert!(is_about_nodes("can't find hint datanode:dn3"));
        for message in ["... the right syntax to use near 'mycat:dataNode=dn1*/ SELECT 1' at line 1", "语法错误"] {
            assert!(!is_about_nodes(message), "{message}");
        }
    }
}
