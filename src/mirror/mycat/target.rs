//! What takes the rows of a shard, as the sink asks it: MySQL or MyCat through a pool of connections; in tests a simulated
//! server. It decides nothing.

use std::sync::Arc;

use shard::ShardId;

use super::batch::{Batch, Sent, send};
use crate::mirror::failure::Failure;
use crate::mirror::rows::presence_question;
use crate::mysql::MysqlPool;
use crate::store::Sample;

/// Where rows are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mirror) enum Look {
    /// Under their own checkpoint.
    ByCheckpoint,
    /// On the whole instance: a GCXH that came again after its TTL, from another checkpoint, is under the first.
    Everywhere,
}

/// What takes the rows of a shard. Clones are the same target.
pub(in crate::mirror) trait Target: Clone + Send + Sync + 'static {
    /// Its address, without credentials.
    fn address(&self) -> &str;

    /// Fails where rows would arrive changed.
    fn check_fitness(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Sends rows; each that it did not refuse it has, then or before.
    fn send(
        &self,
        shard: ShardId,
        batch: Batch,
        suspicious: bool,
    ) -> impl Future<Output = Result<Sent, Failure>> + Send;

    /// GCXH of those of the samples that it has. Only said while the instance is there: MyCat may answer without it.
    fn present(&self, samples: &[Sample], look: Look) -> impl Future<Output = Result<Vec<String>, Failure>> + Send;
}

impl Target for Arc<MysqlPool> {
    fn address(&self) -> &str {
        MysqlPool::address(self)
    }

    async fn check_fitness(&self) -> Result<(), Failure> {
        MysqlPool::check_fitness(self).await?;
        Ok(())
    }

    async fn send(&self, shard: ShardId, batch: Batch, suspicious: bool) -> Result<Sent, Failure> {
        send(self.clone(), shard, batch, suspicious).await
    }

    async fn present(&self, samples: &[Sample], look: Look) -> Result<Vec<String>, Failure> {
        let ids = samples.iter().map(|sample| sample.gcxh.as_str()).chain([""]);
        let question = match look {
            Look::ByCheckpoint if !samples.is_empty() => {
                presence_question(ids, samples.iter().map(|sample| sample.kkmc.as_str()))
            }
            Look::ByCheckpoint | Look::Everywhere => self.on_node(&presence_question(ids, [])),
        };
        let answer = self.trusted(self.rows(&question)).await?;
        Ok(answer.into_iter().filter_map(|row| mysql_async::from_row_opt(row).ok()).collect())
    }
}
