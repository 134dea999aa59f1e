//! Opening a connection, and what must be known of the servers behind it before anything is sent over it.
//!
//! **An instance** gets a session of its own mode: strict, and with backslashes that escape, whatever its default is.
//! **MyCat** passes no session's mode to its backends, so each instance behind it is asked for its mode, once per
//! connection, by the hint that MyCat passes on. A server that does not know the hint is an instance. What listens at
//! an address may change: it is determined again after a connection broke.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, PoolOpts, Row, SslOpts};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::MysqlError;
use super::session::{Kind, NO_ESCAPES, Session, discard};
use crate::config::{MycatConfig, MysqlTls, ServerUrl};

/// An instance refuses what it would otherwise change (values cut to fit), and reads backslashes as
/// [`super::push_text`] writes them.
const STRICT: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";
const SYNTAX_ERROR: u16 = 1064;
/// How long it may take to see whether an address accepts connections at all.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// What the driver may receive and send in one packet.
const MAX_PACKET: usize = 16 << 20;
/// Given to the driver so that it does not ask the server, which through MyCat would be one of several.
const WAIT_TIMEOUT: usize = 28_800;
/// Probes show the kernel that the other side is gone, even while no answer is awaited.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// One address, and what is known of the servers behind it.
#[derive(Debug)]
pub(super) struct Endpoint {
    opts: Opts,
    address: String,
    connect_timeout: Duration,
    statement_timeout: Duration,
    /// An instance, not MyCat.
    is_direct: bool,
    /// What listens there; none until it was found out.
    kind: Mutex<Option<Kind>>,
    /// The dataNodes of MyCat whose instances must answer.
    nodes: Vec<String>,
}

impl Endpoint {
    /// The address `url`: MySQL itself if it is `direct`, else MyCat with these dataNodes, or whatever is found there.
    /// Opens nothing.
    pub(super) fn new(url: &ServerUrl, direct: bool, config: &MycatConfig, nodes: &[String]) -> Self {
        Self {
            opts: options(url, config),
            address: url.to_string(),
            connect_timeout: config.connect_timeout,
            statement_timeout: config.statement_timeout,
            is_direct: direct,
            kind: Mutex::new(direct.then_some(Kind::Instance)),
            nodes: nodes.to_vec(),
        }
    }

    /// The address, without credentials.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The name of the database there.
    pub(super) fn database(&self) -> Option<&str> {
        self.opts.db_name()
    }

    /// How long a statement may take.
    pub(super) fn statement_timeout(&self) -> Duration {
        self.statement_timeout
    }

    /// The dataNodes of MyCat whose instances must answer, whatever listens there.
    pub(super) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// What listens there, as far as it is known.
    pub(super) fn kind(&self) -> Option<Kind> {
        *self.kind.lock()
    }

    fn learn(&self, kind: Option<Kind>) {
        *self.kind.lock() = kind;
    }

    /// Opens a connection and finds out what is behind it.
    pub(super) async fn open(&self) -> Result<Session, MysqlError> {
        if self.kind() != Some(Kind::Instance) {
            match self.open_mycat().await {
                Ok(session) => {
                    self.learn(Some(Kind::Mycat));
                    return Ok(session);
                }
                // Another connection may have determined it meanwhile.
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

    /// Asks the instance behind one dataNode; the error names the node if that instance does not answer.
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
        // Each of these is answered at once or never, however long other statements may take.
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

    /// Whether the address takes connections, even if nothing is sent over them.
    async fn accepts(&self) -> bool {
        let to = (self.opts.ip_or_hostname(), self.opts.tcp_port());
        matches!(timeout(PROBE_TIMEOUT.min(self.connect_timeout), TcpStream::connect(to)).await, Ok(Ok(_)))
    }

    /// After a connection broke, something else may listen next time.
    pub(super) fn forget_if_broken(&self, error: &MysqlError) {
        let broken = matches!(error, MysqlError::Connection(_) | MysqlError::NoGreeting(_)) || is_no_hint(error);
        if broken && !self.is_direct {
            self.learn(None);
        }
    }
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

/// An instance reads the hint as a part of the statement, which is then not valid SQL.
fn is_no_hint(error: &MysqlError) -> bool {
    matches!(error, MysqlError::Server { code: SYNTAX_ERROR, message, .. } if !is_about_nodes(message))
}

/// MyCat says that the dataNode does not exist; an instance only repeats what it could not parse.
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
