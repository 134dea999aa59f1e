//! A simulated broker with one topic and one group, and the client that a member has of it, for docs/simulation.md. It
//! stands where librdkafka and Kafka would be; the accounts, the positions and the order of a rebalance are the real ones.
//!
//! Modelled: records and offsets that hold none, in several partitions; delivery late and again, errors, the end of a
//! partition; members that join, leave, die and are dropped after their session; partitions that move only once their
//! owner has let them go (cooperative); commits that are refused, lost, late, or done without the member learning of it,
//! each under the generation in which it was sent. Not modelled: retention of the topic, a topic made again, other
//! programs in the group, static members.
//!
//! It decides nothing by itself: `chance` says what happens next.

mod broker;
mod client;

use std::sync::Arc;

use traffic::NameTable;

use super::consumer::{Kafka, ledger_of};
use super::ledger::Ledger;
use super::position::PartitionPosition;
use super::settings::KafkaSettings;
use crate::batch::Batch;
pub(crate) use broker::{Broker, Handover, SESSION};
pub(crate) use client::Chance;
use client::SimulatedClient;

/// One process as a member of the group: the real source over the simulated client.
pub(crate) struct Member {
    source: Kafka<SimulatedClient>,
    client: Arc<SimulatedClient>,
    ledger: Arc<Ledger>,
}

impl Member {
    /// The source of a process that begins with these stored positions.
    pub(crate) fn open(
        broker: &Broker,
        member: u32,
        settings: KafkaSettings,
        names: &NameTable,
        positions: Vec<(String, Vec<u8>)>,
        chance: &Chance,
        drain: Box<dyn Fn() -> bool>,
    ) -> Self {
        let ledger = Arc::new(ledger_of(&settings, positions).expect("stored positions that can be read"));
        let client = SimulatedClient::new(broker.clone(), member, ledger.clone(), chance.clone(), drain);
        #[expect(clippy::arc_with_non_send_sync, reason = "a simulation is one thread, and the source takes an Arc")]
        let client = Arc::new(client);
        let source = Kafka::with(client.clone(), ledger.clone(), SESSION, settings, names);
        Self { source, client, ledger }
    }

    /// The source takes one turn: a batch, if one is due.
    pub(crate) fn turn(&mut self) -> Option<Batch> {
        self.source.turn().expect("a source that goes on")
    }

    /// What is pending, at the end.
    pub(crate) fn last(&self) -> Option<Batch> {
        self.source.last_batch().expect("a source that ends in order")
    }

    /// The client.
    pub(crate) fn client(&self) -> &SimulatedClient {
        &self.client
    }

    /// Says whether a batch may still be committed.
    pub(crate) fn permit(&self) -> impl Fn(&Batch) -> bool + use<> {
        self.source.permit()
    }

    /// To be called after each commit.
    pub(crate) fn committed(&self) -> impl Fn(&Batch) + use<> {
        let ledger = self.ledger.clone();
        move |batch| ledger.committed(batch)
    }
}

/// The next offset that a stored position names.
pub(crate) fn next_of(position: &[u8]) -> i64 {
    PartitionPosition::decode(position).expect("a position").next
}
