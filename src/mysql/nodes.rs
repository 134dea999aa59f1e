//! Answers that are only trusted if every instance was there before and after.
//!
//! With one instance dead, MyCat 1.6-Release answers queries over both with the other half, as a success. A query to
//! one dataNode fails while its instance is away. So around each answer every dataNode is asked for `SELECT 1`;
//! concurrent queries share one round of these probes, as long as it begins late enough for all of them. Instances that
//! are asked directly need no probes: they answer for themselves or not at all.

use std::time::Instant;

use futures_util::future::try_join_all;

use super::error::MysqlError;
use super::pool::MysqlPool;
use super::session::{Kind, discard};

impl MysqlPool {
    /// The answer, if all instances were there before it was asked for and after it came. If an instance was away, the
    /// error names it, even if there was an answer.
    ///
    /// # Errors
    /// [`MysqlError`].
    pub async fn trusted<T>(&self, answer: impl Future<Output = Result<T, MysqlError>>) -> Result<T, MysqlError> {
        self.all_answer(Instant::now()).await?;
        let answer = answer.await;
        if !matches!(answer, Err(MysqlError::NodeAway { .. } | MysqlError::Unfit(_))) {
            self.all_answer(Instant::now()).await?;
        }
        answer
    }

    /// Succeeds if every instance behind MyCat has answered a probe that was sent at `since` or later.
    ///
    /// # Errors
    /// [`MysqlError::NodeAway`] names the one that has not.
    pub async fn all_answer(&self, since: Instant) -> Result<(), MysqlError> {
        if self.endpoint.kind() == Some(Kind::Instance) {
            return Ok(());
        }
        let mut probed = self.probed.lock().await;
        if let Some((_, outcome)) = probed.as_ref().filter(|(began, _)| *began >= since) {
            return outcome.clone();
        }
        let began = Instant::now();
        let outcome = try_join_all(self.endpoint.nodes().iter().map(|node| self.probe(node))).await.map(|_| ());
        *probed = Some((began, outcome.clone()));
        outcome
    }

    /// The query with the hint for the one instance that this pool needs; unchanged where there is no MyCat.
    pub fn on_node(&self, question: &str) -> String {
        match self.data_nodes() {
            [node] => format!("/*!mycat:dataNode={node}*/ {question}"),
            _ => question.to_owned(),
        }
    }

    /// The statement with the hint for the first instance, where alerts and cases are; unchanged where there is no MyCat, or
    /// none was found yet. With the hint MyCat needs no knowledge of the table.
    pub fn on_first_node(&self, statement: &str) -> String {
        match self.data_nodes().first() {
            Some(node) => format!("/*!mycat:dataNode={node}*/ {statement}"),
            None => statement.to_owned(),
        }
    }

    /// Does not count as a statement of the pool: it is short, and must not wait for long ones.
    async fn probe(&self, node: &str) -> Result<(), MysqlError> {
        loop {
            let (mut session, used) = self.session().await?;
            if session.kind == Kind::Instance {
                self.give_back(session);
                return Ok(());
            }
            match self.endpoint.ask_node(&mut session.connection, node, "SELECT 1").await {
                Ok(_) => {
                    self.give_back(session);
                    return Ok(());
                }
                Err(error) => {
                    discard(session.connection);
                    if !(used && matches!(error, MysqlError::Connection(_))) {
                        self.endpoint.forget_if_broken(&error);
                        return Err(error);
                    }
                }
            }
        }
    }
}
