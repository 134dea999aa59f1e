//! A bounded pool of connections to one address: statements and queries, each with a deadline. It does not know what
//! listens at the address.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::Row;
use mysql_async::prelude::Queryable as _;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::error::MysqlError;
use super::session::{Kind, Session, discard};
use crate::config::{MycatConfig, ServerUrl};

/// A statement is cut before it grows over this: MyCat takes up to 1 MB, and drops the connection at 4 MB.
pub const MAX_STATEMENT_BYTES: usize = 900_000;

/// A connection that was idle for longer is not used again: firewalls and MyCat close them silently.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// The effect of a statement that is not a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows that it changed; an INSERT … ON DUPLICATE KEY UPDATE that changes nothing counts none.
    pub affected: u64,
    /// Warnings; harmless in strict mode.
    pub warnings: u16,
}

/// A bounded pool of connections to one address.
#[derive(Debug)]
pub struct MysqlPool {
    pub(super) endpoint: Endpoint,
    limit: Semaphore,
    idle: Mutex<Vec<(Session, Instant)>>,
    /// When the newest round of probes began, and whether all of them answered.
    pub(super) probed: tokio::sync::Mutex<Option<(Instant, Result<(), MysqlError>)>>,
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
            endpoint: Endpoint::new(url, direct, config, nodes),
            limit: Semaphore::new(connections),
            idle: Mutex::default(),
            probed: tokio::sync::Mutex::default(),
        }
    }

    /// The address, without credentials.
    pub fn address(&self) -> &str {
        self.endpoint.address()
    }

    /// The dataNodes of MyCat whose instances must answer, if MyCat is what listens there.
    pub fn data_nodes(&self) -> &[String] {
        if self.endpoint.kind() == Some(Kind::Mycat) { self.endpoint.nodes() } else { &[] }
    }

    /// Runs a statement that is not a query.
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
        let ran = timeout(self.endpoint.statement_timeout(), session.connection.query_drop(statement)).await;
        match self.outcome(ran, self.endpoint.statement_timeout()) {
            Ok(()) => {
                let connection = &session.connection;
                let done = Done { affected: connection.affected_rows(), warnings: connection.get_warnings() };
                self.give_back(session);
                Ok(done)
            }
            Err(error) => {
                discard(session.connection);
                self.endpoint.forget_if_broken(&error);
                // Where one connection broke, the others are no better.
                if !matches!(error, MysqlError::Server { .. }) {
                    let idle = std::mem::take(&mut *self.idle.lock());
                    idle.into_iter().for_each(|(session, _)| discard(session.connection));
                }
                Err(error)
            }
        }
    }

    /// Runs a query and reads all rows of its answer. A connection that was open before and turns out to be closed is
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
        self.fold(question, self.endpoint.statement_timeout(), take).await
    }

    /// Runs a query and gives each row of its answer to `take`, starting again if the connection has to be replaced.
    /// None if `take` ended it; the rest is then not read.
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
                // What was not read would precede the next answer.
                Ok(None) => {
                    discard(session.connection);
                    return Ok(None);
                }
                Err(error) => {
                    discard(session.connection);
                    self.endpoint.forget_if_broken(&error);
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
    pub(super) async fn session(&self) -> Result<(Session, bool), MysqlError> {
        while let Some((session, since)) = self.idle.lock().pop() {
            if since.elapsed() < MAX_IDLE {
                return Ok((session, true));
            }
            discard(session.connection);
        }
        Ok((self.endpoint.open().await?, false))
    }

    pub(super) fn give_back(&self, session: Session) {
        self.idle.lock().push((session, Instant::now()));
    }
}

fn closed(_: tokio::sync::AcquireError) -> MysqlError {
    MysqlError::Connection("the pool is closed".to_owned())
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
