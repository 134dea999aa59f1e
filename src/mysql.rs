//! Connections to MySQL as MyCat 1.6 bears them: text protocol, one statement per query, a deadline around every call.
//!
//! MyCat breaks prepared statements, answers wrongly on a connection that has seen an error, and knows no TLS; the
//! driver would ask it for a socket and reconnect past it. So here every statement is text, a connection that saw any
//! error is thrown away, and the driver asks nothing on connecting. [`MysqlPool`] bounds how many connections are open to
//! one address; [`session`] finds out what is behind it, [`nodes`] whether an answer can be trusted, [`fitness`] whether
//! what is written arrives. It does not know tables; errors never hold a password.

mod fitness;
mod literal;
mod nodes;
mod session;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, PoolOpts, Row, SslOpts};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::{MycatConfig, MysqlTls, ServerUrl};

pub use fitness::Fit;
pub use literal::push_text;
use session::{Kind, Session};

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
    /// The address accepts connections, and says nothing.
    #[error(
        "it accepts connections and does not greet within {0:?}: if it is MyCat, an instance behind it is away or refuses \
         MyCat's own account (look into MyCat's logs, and at user and password of each writeHost in schema.xml); else \
         something on the way swallows what is said, such as a firewall"
    )]
    NoGreeting(Duration),
    /// One of the instances behind MyCat does not answer.
    #[error("the instance behind dataNode {node} is away ({cause})")]
    NodeAway {
        /// Which, by MyCat's name for it.
        node: String,
        /// MyCat's words.
        cause: String,
    },
    /// The server answers, and somebody must change something there or in the settings first; the text says what.
    #[error("{0}")]
    Unfit(String),
}

impl MysqlError {
    /// What somebody must do first, where the server answers and refuses for a reason that does not pass by itself.
    pub fn remedy(&self) -> Option<&'static str> {
        let Self::Server { code, .. } = self else { return None };
        match code {
            1044 | 1045 | 1142 | 1143 | 1698 => {
                Some("it refuses the account: check mycat.user, mycat.password and its rights (sql/users.sql)")
            }
            1049 | 1146 => Some("the database or its table is missing: load sql/schema.sql on the instance"),
            1054 => Some("its table has other columns: compare it with sql/schema.sql"),
            _ => None,
        }
    }
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
    idle: Mutex<Vec<(Session, Instant)>>,
    /// One of two instances, not MyCat.
    is_direct: bool,
    /// What listens there; none until it was found out.
    kind: Mutex<Option<Kind>>,
    /// The dataNodes of MyCat whose instances must answer.
    nodes: Vec<String>,
    /// When the newest round of probes began, and whether all of them answered.
    probed: tokio::sync::Mutex<Option<(Instant, Result<(), MysqlError>)>>,
}

impl MysqlPool {
    /// One pool for every address of `config`, in their order; none where no mirror is configured. Opens nothing.
    pub fn of(config: &MycatConfig) -> Vec<Arc<Self>> {
        let direct = config.urls.len() > 1;
        let nodes = &config.data_nodes;
        config.urls.iter().map(|url| Arc::new(Self::new(url, direct, config, nodes, config.pool_size))).collect()
    }

    /// A pool for the rows of shard `shard` of `shards`: to its own instance, or to MyCat, whose other instances may be
    /// away meanwhile. None where no mirror is configured.
    pub fn of_shard(config: &MycatConfig, shard: usize, shards: usize) -> Option<Arc<Self>> {
        let direct = config.urls.len() > 1;
        let url = if direct { config.urls.get(shard) } else { config.urls.first() };
        let nodes: Vec<String> = config.data_nodes.get(shard).cloned().into_iter().collect();
        let connections = if direct { config.pool_size } else { (config.pool_size / shards.max(1)).max(1) };
        Some(Arc::new(Self::new(url?, direct, config, &nodes, connections)))
    }

    fn new(url: &ServerUrl, direct: bool, config: &MycatConfig, nodes: &[String], connections: usize) -> Self {
        Self {
            opts: options(url, config),
            address: url.to_string(),
            connect_timeout: config.connect_timeout,
            statement_timeout: config.statement_timeout,
            limit: Semaphore::new(connections),
            idle: Mutex::default(),
            is_direct: direct,
            kind: Mutex::new(direct.then_some(Kind::Instance)),
            nodes: nodes.to_vec(),
            probed: tokio::sync::Mutex::default(),
        }
    }

    /// The address, without credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The dataNodes of MyCat whose instances must answer, if MyCat is what listens there.
    pub fn data_nodes(&self) -> &[String] {
        if self.kind() == Some(Kind::Mycat) { &self.nodes } else { &[] }
    }

    /// Runs a statement that is no question.
    ///
    /// # Errors
    /// [`MysqlError`]; whether the statement had an effect is then unknown.
    pub async fn execute(&self, statement: &str) -> Result<Done, MysqlError> {
        let _place = self.limit.acquire().await.map_err(closed)?;
        let mut session = self.session().await?.0;
        if let Err(unfit) = session.admits(statement, true) {
            discard(session.connection);
            return Err(unfit);
        }
        let ran = timeout(self.statement_timeout, session.connection.query_drop(statement)).await;
        match self.outcome(ran, self.statement_timeout) {
            Ok(()) => {
                let connection = &session.connection;
                let done = Done { affected: connection.affected_rows(), warnings: connection.get_warnings() };
                self.give_back(session);
                Ok(done)
            }
            Err(error) => {
                discard(session.connection);
                self.forget_if_broken(&error);
                // Where one broke, those beside it are no better.
                if !matches!(error, MysqlError::Server { .. }) {
                    let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
                    idle.into_iter().for_each(|(session, _)| discard(session.connection));
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
        Ok(self.rows_up_to(question, usize::MAX).await?.unwrap_or_default())
    }

    /// As [`Self::rows`]; none if the answer has more than `most` rows, which are then not read to their end.
    ///
    /// # Errors
    /// [`MysqlError`].
    pub async fn rows_up_to(&self, question: &str, most: usize) -> Result<Option<Vec<Row>>, MysqlError> {
        let take = |rows: &mut Vec<Row>, row: Row| {
            let room = rows.len() < most;
            if room {
                rows.push(row);
            }
            room
        };
        self.fold(question, self.statement_timeout, take).await
    }

    /// Runs a question and gives each row of its answer to `take`, beginning anew where the connection has to be
    /// replaced. None if `take` wanted no more; the rest is then not read.
    ///
    /// # Errors
    /// [`MysqlError`].
    pub async fn fold<T: Default>(
        &self,
        question: &str,
        limit: Duration,
        take: impl Fn(&mut T, Row) -> bool,
    ) -> Result<Option<T>, MysqlError> {
        let _place = self.limit.acquire().await.map_err(closed)?;
        loop {
            let (mut session, used) = self.session().await?;
            if let Err(unfit) = session.admits(question, false) {
                discard(session.connection);
                return Err(unfit);
            }
            let read = async {
                let mut taken = T::default();
                let mut answer = session.connection.query_iter(question).await?;
                while let Some(row) = answer.next().await? {
                    if !take(&mut taken, row) {
                        return Ok(None);
                    }
                }
                Ok(Some(taken))
            };
            let asked = timeout(limit, read).await;
            match self.outcome(asked, limit) {
                Ok(Some(taken)) => {
                    self.give_back(session);
                    return Ok(Some(taken));
                }
                // What was not read would stand in the way of the next answer.
                Ok(None) => {
                    discard(session.connection);
                    return Ok(None);
                }
                Err(error) => {
                    discard(session.connection);
                    self.forget_if_broken(&error);
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
        limit: Duration,
    ) -> Result<T, MysqlError> {
        result.map_err(|_| MysqlError::Timeout(limit, "statement"))?.map_err(MysqlError::from)
    }

    /// A connection, and whether it was used before.
    async fn session(&self) -> Result<(Session, bool), MysqlError> {
        while let Some((session, since)) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            if since.elapsed() < MAX_IDLE {
                return Ok((session, true));
            }
            discard(session.connection);
        }
        Ok((self.open().await?, false))
    }

    fn give_back(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((session, Instant::now()));
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

fn options(url: &ServerUrl, config: &MycatConfig) -> Opts {
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
    if config.tls == MysqlTls::Verify {
        let mut tls = SslOpts::default();
        if let Some(file) = &config.tls_ca {
            tls = tls.with_root_certs(vec![file.clone().into()]).with_disable_built_in_roots(true);
        }
        options = options.ssl_opts(tls);
    }
    options.into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
