//! Connections to MySQL as MyCat 1.6 bears them: text protocol, one statement per query, a deadline around every call.
//!
//! MyCat breaks prepared statements, answers wrongly on a connection that has seen an error, and knows no TLS; the
//! driver would ask it for a socket and reconnect past it. So here every statement is text, a connection that saw any
//! error is thrown away, and nothing is asked on connecting. [`MysqlPool`] bounds how many connections are open to one
//! address. It does not know tables; errors never hold a password.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, PoolOpts, Row, SslOpts};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::{MycatConfig, MysqlTls, ServerUrl};

/// A statement is cut before it grows over this: MyCat takes up to 1 MB, and drops the connection at 4 MB.
pub const MAX_STATEMENT_BYTES: usize = 900_000;

/// What the driver may receive and send in one packet.
const MAX_PACKET: usize = 16 << 20;
/// Told to the driver so that it does not ask the server, which through MyCat would be one of the two.
const WAIT_TIMEOUT: usize = 28_800;
/// A connection that was idle for longer is not used again: firewalls and MyCat close them without a word.
const MAX_IDLE: Duration = Duration::from_secs(30);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// Probes tell the kernel that the other side is gone, even where nobody waits for an answer.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Sent on connecting to an instance, so that it refuses what it would otherwise change (values cut to fit) and reads
/// backslashes as [`push_text`] writes them. MyCat gets none of this: its instances are configured by sql/.
const STRICT: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";

/// Why a statement did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MysqlError {
    /// The server answered with an error.
    #[error("{message} (MySQL error {code}, SQLSTATE {state})")]
    Server {
        /// MySQL's number of it.
        code: u16,
        /// SQLSTATE.
        state: String,
        /// MySQL's words.
        message: String,
    },
    /// No answer came in time.
    #[error("no answer within {0:?} ({1})")]
    Timeout(Duration, &'static str),
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Connection(String),
}

impl From<mysql_async::Error> for MysqlError {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Server(error) => {
                Self::Server { code: error.code, state: error.state, message: error.message }
            }
            mysql_async::Error::Io(mysql_async::IoError::Io(error)) => Self::Connection(error.to_string()),
            other => Self::Connection(other.to_string()),
        }
    }
}

/// What a statement that is no question did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows that it changed; an INSERT … ON DUPLICATE KEY UPDATE that changes nothing counts none.
    pub affected: u64,
    /// Warnings. In strict mode nothing that matters.
    pub warnings: u16,
}

/// A bounded pool of connections to one address.
#[derive(Debug)]
pub struct MysqlPool {
    opts: Opts,
    address: String,
    connect_timeout: Duration,
    statement_timeout: Duration,
    limit: Semaphore,
    idle: Mutex<Vec<(Conn, Instant)>>,
}

impl MysqlPool {
    /// One pool for every address of `config`, in their order; none where no mirror is configured. Opens nothing.
    pub fn of(config: &MycatConfig) -> Vec<Arc<Self>> {
        let direct = config.urls.len() > 1;
        config.urls.iter().map(|url| Arc::new(Self::new(url, direct, config))).collect()
    }

    fn new(url: &ServerUrl, direct: bool, config: &MycatConfig) -> Self {
        Self {
            opts: options(url, direct, config),
            address: url.to_string(),
            connect_timeout: config.connect_timeout,
            statement_timeout: config.statement_timeout,
            limit: Semaphore::new(config.pool_size),
            idle: Mutex::default(),
        }
    }

    /// The address, without credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs a statement that is no question.
    ///
    /// # Errors
    /// [`MysqlError`]; whether the statement had an effect is then unknown.
    pub async fn execute(&self, statement: &str) -> Result<Done, MysqlError> {
        let _place = self.limit.acquire().await.map_err(closed)?;
        let mut connection = self.connection().await?.0;
        let ran = timeout(self.statement_timeout, connection.query_drop(statement)).await;
        match self.outcome(ran) {
            Ok(()) => {
                let done = Done { affected: connection.affected_rows(), warnings: connection.get_warnings() };
                self.give_back(connection);
                Ok(done)
            }
            Err(error) => {
                discard(connection);
                // Where one broke, those beside it are no better.
                if !matches!(error, MysqlError::Server { .. }) {
                    self.idle
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .drain(..)
                        .for_each(|(idle, _)| discard(idle));
                }
                Err(error)
            }
        }
    }

    /// Runs a question and reads all rows of its answer. A connection that was open before and turns out to be closed is
    /// replaced once.
    ///
    /// # Errors
    /// [`MysqlError`].
    pub async fn rows(&self, question: &str) -> Result<Vec<Row>, MysqlError> {
        let _place = self.limit.acquire().await.map_err(closed)?;
        loop {
            let (mut connection, used) = self.connection().await?;
            let asked = timeout(self.statement_timeout, connection.query(question)).await;
            match self.outcome(asked) {
                Ok(rows) => {
                    self.give_back(connection);
                    return Ok(rows);
                }
                Err(error) => {
                    discard(connection);
                    if !(used && matches!(error, MysqlError::Connection(_))) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// As [`Self::rows`]; none if the answer has more than `most` rows, which are then not read to their end.
    ///
    /// # Errors
    /// [`MysqlError`].
    pub async fn rows_up_to(&self, question: &str, most: usize) -> Result<Option<Vec<Row>>, MysqlError> {
        let _place = self.limit.acquire().await.map_err(closed)?;
        loop {
            let (mut connection, used) = self.connection().await?;
            let read = async {
                let mut rows = Vec::new();
                let mut answer = connection.query_iter(question).await?;
                while let Some(row) = answer.next().await? {
                    if rows.len() == most {
                        return Ok(None);
                    }
                    rows.push(row);
                }
                Ok(Some(rows))
            };
            let asked = timeout(self.statement_timeout, read).await;
            match self.outcome(asked) {
                Ok(Some(rows)) => {
                    self.give_back(connection);
                    return Ok(Some(rows));
                }
                // What was not read would stand in the way of the next answer.
                Ok(None) => {
                    discard(connection);
                    return Ok(None);
                }
                Err(error) => {
                    discard(connection);
                    if !(used && matches!(error, MysqlError::Connection(_))) {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn outcome<T>(
        &self,
        result: Result<Result<T, mysql_async::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, MysqlError> {
        result.map_err(|_| MysqlError::Timeout(self.statement_timeout, "statement"))?.map_err(MysqlError::from)
    }

    /// A connection, and whether it was used before.
    async fn connection(&self) -> Result<(Conn, bool), MysqlError> {
        while let Some((connection, since)) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            if since.elapsed() < MAX_IDLE {
                return Ok((connection, true));
            }
            discard(connection);
        }
        let opened = timeout(self.connect_timeout, Conn::new(self.opts.clone())).await;
        let opened = opened.map_err(|_| MysqlError::Timeout(self.connect_timeout, "connecting"))?;
        Ok((opened?, false))
    }

    fn give_back(&self, connection: Conn) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
    }
}

fn closed(_: tokio::sync::AcquireError) -> MysqlError {
    MysqlError::Connection("the pool is closed".to_owned())
}

/// Closes a connection, and does not wait for the other side to agree.
fn discard(connection: Conn) {
    tokio::spawn(async move {
        let _ = timeout(GOODBYE, connection.disconnect()).await;
    });
}

fn options(url: &ServerUrl, direct: bool, config: &MycatConfig) -> Opts {
    let password = url.password().unwrap_or(&config.password);
    let user = url.user().unwrap_or(&config.user);
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut options = OptsBuilder::default()
        .ip_or_hostname(url.host())
        .tcp_port(url.port())
        .user(some(user))
        .pass(some(password.expose()))
        .db_name(some(url.path()))
        .prefer_socket(false)
        .max_allowed_packet(Some(MAX_PACKET))
        .wait_timeout(Some(WAIT_TIMEOUT))
        .stmt_cache_size(0)
        .tcp_keepalive(Some(KEEPALIVE))
        .pool_opts(PoolOpts::default().with_reset_connection(false));
    if direct {
        options = options.init(vec![STRICT]);
    }
    if config.tls == MysqlTls::Verify {
        let mut tls = SslOpts::default();
        if let Some(file) = &config.tls_ca {
            tls = tls.with_root_certs(vec![file.clone().into()]).with_disable_built_in_roots(true);
        }
        options = options.ssl_opts(tls);
    }
    options.into()
}

/// Appends `text` as a string literal. What MySQL and MyCat give a meaning is escaped; all else, UTF-8 of four bytes
/// included, stands as it is.
pub fn push_text(statement: &mut String, text: &str) {
    statement.push('\'');
    for symbol in text.chars() {
        match symbol {
            '\'' => statement.push_str("\\'"),
            '"' => statement.push_str("\\\""),
            '\\' => statement.push_str("\\\\"),
            '\0' => statement.push_str("\\0"),
            '\n' => statement.push_str("\\n"),
            '\r' => statement.push_str("\\r"),
            '\u{1a}' => statement.push_str("\\Z"),
            other => statement.push(other),
        }
    }
    statement.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_escaped() {
        for (text, literal) in [
            ("", "''"),
            ("苏C12345", "'苏C12345'"),
            ("O'Neill \"x\"", r#"'O\'Neill \"x\"'"#),
            ("a\\b", r"'a\\b'"),
            ("\0\n\r\u{1a}\t", "'\\0\\n\\r\\Z\t'"),
            ("🚗%_", "'🚗%_'"),
        ] {
            let mut statement = String::new();
            push_text(&mut statement, text);
            assert_eq!(statement, literal);
        }
    }

    #[test]
    fn a_pool_shows_no_secret() {
        let text = "[mycat]\nurls = [\"mysql://wong:s3cret@127.0.0.1:1/MYETCDB\"]\npassword = \"0ther\"\n";
        let config = crate::config::Config::from_toml(text, []).unwrap();
        let pools = MysqlPool::of(&config.mycat);
        assert_eq!(pools[0].address(), "mysql://127.0.0.1:1/MYETCDB");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(pools[0].execute("SELECT 1")).unwrap_err();
        assert!(matches!(error, MysqlError::Connection(_)), "{error:?}");
        let shown = format!("{error} {error:?} {}", pools[0].address());
        for secret in ["s3cret", "0ther", "wong"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
