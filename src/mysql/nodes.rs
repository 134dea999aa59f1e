//! Answers that are only trusted if every instance was there before and after.
//!
//! With one instance dead MyCat 1.6-Release answers questions over both with the living half, as a success. A question
//! to one dataNode fails while its instance is away. So around each answer every dataNode is asked for `SELECT 1`; who
//! asks at the same time shares one round of these, as long as it begins late enough for all of them. Instances that
//! are asked directly need none of it: they answer for themselves or not at all.

use std::time::Instant;

use futures_util::future::try_join_all;

use super::error::MysqlError;
use super::pool::MysqlPool;
use super::session::{Kind, discard};

impl MysqlPool {
    /// The answer, if all instances were there before it was asked for and after it came. Where one was not, the error
    /// names it, whatever the answer was.
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

    /// Every instance behind MyCat has answered to a question that was asked at `since` or later.
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

    /// The question as MyCat asks it of the one instance that this pool needs; as it is where there is no MyCat.
    pub fn on_node(&self, question: &str) -> String {
        match self.data_nodes() {
            [node] => format!("/*!mycat:dataNode={node}*/ {question}"),
            _ => question.to_owned(),
        }
    }

    /// Takes no place among the statements: it is short, and must not wait behind long ones.
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
