//! The source itself: it polls librdkafka, puts messages into the ledger, and gives batches when they are due.
//! Between the polls it commits offsets to the group and moves partitions that cannot go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, LineParser, NameTable};

use super::asked::{Client, Event};
use super::client::{client_config, refused};
use super::context::Context;
use super::group::{commit_hints, is_member};
use super::ledger::{Ledger, QUIET};
use super::position::PartitionPosition;
use super::rdkafka_client::RdKafka;
use super::reset::set_right;
use super::settings::KafkaSettings;
use crate::batch::Batch;
use crate::clock::{civil_now, moment, since};
use crate::config::KafkaConfig;
use crate::source::message::Reading;
use crate::source::{CommitListener, CommitPermit, Source, SourceError, advice};

/// The name of the source; positions are stored by topic and partition.
pub const NAME: &str = "kafka";
const DAY: i64 = 86_400;
/// How often positions are committed to the group.
const HINT_INTERVAL: Duration = Duration::from_millis(250);
/// How often brokers are asked about partitions that cannot go on.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// The longest wait for records; after it a stop is noticed and a small batch leaves.
const POLL: Duration = Duration::from_millis(50);
/// Records between two readings of the clock.
const LOOK: u32 = 64;
/// `session.timeout.ms` of librdkafka.
const DEFAULT_SESSION: Duration = Duration::from_secs(45);
/// How long leaving the group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The source.
pub struct Kafka<C = RdKafka> {
    client: Option<Arc<C>>,
    ledger: Arc<Ledger>,
    /// A batch that waited longer may belong to another member of the group by now.
    lease: Duration,
    settings: KafkaSettings,
    reading: Reading,
    parser: LineParser,
    hinted: Instant,
    /// When a partition last asked for an offset that the broker does not have. librdkafka does not say which.
    trouble: Option<Instant>,
    /// When brokers were last asked about that.
    asked: Option<Instant>,
}

/// What a poll means for the next.
enum Then {
    Poll,
    Pause,
    /// Some partition may be where the broker has nothing; `now`: it is asked at once.
    Doubt {
        now: bool,
    },
    Fail(RDKafkaErrorCode),
}

impl Kafka {
    /// Joins the group in the background and resumes after `positions`, those stored under [`super::position_prefix`].
    ///
    /// # Errors
    /// [`SourceError::Refused`] if librdkafka refuses a property, [`SourceError::DamagedPosition`] if a stored position
    /// cannot be read.
    pub fn open(
        settings: KafkaSettings,
        names: &NameTable,
        positions: Vec<(String, Vec<u8>)>,
    ) -> Result<Self, SourceError> {
        let ledger = Arc::new(ledger_of(&settings, positions)?);
        let config = client_config(&settings.kafka);
        let session = config.get("session.timeout.ms").and_then(|text| text.parse().ok()).map(Duration::from_millis);
        let consumer: BaseConsumer<Context> =
            config.create_with_context(Context::new(ledger.clone())).map_err(refused)?;
        consumer.subscribe(&[&settings.kafka.topic]).map_err(refused)?;
        let client = Arc::new(RdKafka::new(consumer, settings.clone()));
        Ok(Self::with(client, ledger, session.unwrap_or(DEFAULT_SESSION), settings, names))
    }
}

/// The accounts of the partitions whose positions are stored.
pub(super) fn ledger_of(settings: &KafkaSettings, positions: Vec<(String, Vec<u8>)>) -> Result<Ledger, SourceError> {
    let KafkaConfig { brokers, topic, group, .. } = &settings.kafka;
    let mut stored = BTreeMap::new();
    for (name, bytes) in positions {
        let id = name.rsplit('/').next().and_then(|number| number.parse().ok());
        let id = id.ok_or_else(|| SourceError::damaged(&name, "its name ends with no partition"))?;
        let position = PartitionPosition::decode(&bytes);
        stored.insert(id, position.map_err(|error| SourceError::damaged(format!("{topic}[{id}]"), error))?);
    }
    Ok(Ledger::new(topic, group, brokers, settings.read_back, settings.lacking, stored))
}

impl<C: Client> Kafka<C> {
    /// Consumes through `client`, which reports changes of its partitions to `ledger`; the group drops a member that it has
    /// not heard for `session`.
    pub(super) fn with(
        client: Arc<C>,
        ledger: Arc<Ledger>,
        session: Duration,
        settings: KafkaSettings,
        names: &NameTable,
    ) -> Self {
        Self {
            client: Some(client),
            ledger,
            lease: session / 2,
            reading: Reading { delimiter: settings.parser.delimiter, gb18030: settings.gb18030 },
            parser: LineParser::new(settings.parser.clone(), names),
            settings,
            hinted: moment(),
            trouble: None,
            asked: None,
        }
    }

    /// The account of the partitions, which reports the state of consumption.
    pub fn ledger(&self) -> Arc<Ledger> {
        self.ledger.clone()
    }

    /// Polls until a batch is due or `stop` is cancelled.
    fn consume(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, SourceError> {
        loop {
            if stop.is_cancelled() {
                self.ledger.turn_begins(moment(), self.lease);
                return self.last_batch();
            }
            if let Some(batch) = self.turn()? {
                return Ok(Some(batch));
            }
        }
    }

    /// What is pending leaves at once.
    pub(super) fn last_batch(&self) -> Result<Option<Batch>, SourceError> {
        self.ledger.next_batch(u64::MAX, Duration::ZERO).transpose()
    }

    /// Gives a batch if one is due; else tells the group what is stored, and polls.
    pub(super) fn turn(&mut self) -> Result<Option<Batch>, SourceError> {
        self.ledger.turn_begins(moment(), self.lease);
        if let Some(batch) = self.ledger.next_batch(self.settings.batch_records, self.settings.batch_interval) {
            return batch.map(Some);
        }
        self.tell_group();
        self.look_for_gaps();
        let now = civil_now(&self.settings.parser.zone);
        self.parser.set_not_after(CivilTime(now.0 + DAY));
        self.poll_some()?;
        if let Some(advice) = self.parser.take_column_advice(false) {
            tracing::warn!("{}", advice::sentence(&format!("topic {}", self.ledger.topic()), &advice));
        }
        Ok(None)
    }

    /// Takes the messages that are there, up to [`LOOK`] of them, or waits for the first.
    fn poll_some(&mut self) -> Result<(), SourceError> {
        let Self { client: Some(client), ledger, parser, reading, .. } = self else { return Ok(()) };
        let now = moment();
        let mut wait = POLL.min(self.settings.batch_interval);
        for _ in 0..LOOK {
            let then = client.poll(wait, |event| match event {
                Event::Record(record) => match ledger.push(&record, *reading, parser, now) {
                    true => Then::Poll,
                    false => Then::Doubt { now: true },
                },
                Event::OutOfRange => Then::Doubt { now: false },
                Event::End(partition, end) => {
                    if let Some(end) = end {
                        ledger.reached_end(partition, end, moment());
                    }
                    Then::Poll
                }
                Event::Fatal(code) => Then::Fail(code),
                Event::Failed(code) => {
                    // The context has already logged its message.
                    ledger.fetch_failed(code, moment());
                    Then::Pause
                }
                Event::Other(error) => {
                    // An error of the client as a whole was already reported with its reason.
                    if ledger.set_vague_error(error.to_string()) {
                        tracing::warn!(%error, topic = ledger.topic(), "consuming from Kafka");
                    }
                    Then::Pause
                }
            });
            match then {
                Some(Then::Poll) => {}
                None | Some(Then::Pause) => return Ok(()),
                Some(Then::Doubt { now }) => {
                    self.trouble = Some(moment());
                    if now {
                        self.asked = None;
                    }
                    return Ok(());
                }
                Some(Then::Fail(code)) => return Err(self.fatal(code)),
            }
            wait = Duration::ZERO;
        }
        Ok(())
    }

    fn fatal(&self, code: RDKafkaErrorCode) -> SourceError {
        let reason = self.client.as_ref().and_then(|client| client.fatal());
        let reason = reason.unwrap_or_else(|| code.to_string());
        SourceError::Failed(match code {
            RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::Fenced => format!(
                "another process has joined the group with this group.instance.id ({reason}): give each appliance its own, \
                 then restart this one"
            ),
            _ => format!("Kafka's client cannot go on ({reason}): see to the cause, then restart"),
        })
    }

    /// Commits stored positions to the group.
    fn tell_group(&mut self) {
        if since(self.hinted) < HINT_INTERVAL {
            return;
        }
        self.hinted = moment();
        if let Some(client) = &self.client
            && let Err(error) = commit_hints(&**client, &self.ledger)
        {
            tracing::debug!(%error, "the offset was not committed to the group");
        }
    }

    /// Finds the partitions that ask for what the broker does not have, and moves them to what it has.
    fn look_for_gaps(&mut self) {
        let undecided = self.ledger.is_undecided().then(moment);
        let (Some(from), Some(client)) = (self.trouble.or(undecided), &self.client) else { return };
        if self.asked.is_some_and(|asked| since(asked) < ASK_INTERVAL) {
            return;
        }
        self.asked = Some(moment());
        let (quiet, mut settled) = (since(from) >= QUIET, true);
        for (partition, next) in self.ledger.suspected_gaps(from) {
            match set_right(&**client, &self.ledger, &self.settings, partition, next) {
                Ok(()) => {}
                Err(error) => {
                    settled = false;
                    if self.ledger.set_error(error.to_string()) {
                        tracing::warn!(%error, partition, "cannot tell which records the broker has, asking again");
                    }
                }
            }
            // Each may have waited for a broker that does not answer, which is no sleep.
            self.ledger.turn_begins(moment(), self.lease);
        }
        // Only when partitions that were busy have become quiet is it known which of them it was.
        if settled && quiet {
            self.trouble = None;
        }
    }

    /// Says whether a batch may still be committed.
    pub(super) fn permit(&self) -> impl Fn(&Batch) -> bool + use<C> {
        let (ledger, lease) = (self.ledger.clone(), self.lease);
        let client = self.client.as_ref().map(Arc::downgrade).unwrap_or_default();
        move |batch| ledger.permit(batch, lease, |partition, stored| is_member(&client, partition, stored))
    }
}

impl Source for Kafka {
    fn name(&self) -> &str {
        NAME
    }

    fn describe(&self) -> String {
        let KafkaConfig { brokers, topic, group, .. } = &self.settings.kafka;
        format!("topic {topic} of Kafka at {brokers}, group {group}")
    }

    fn next(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, SourceError> {
        self.consume(stop)
    }

    fn commit_listener(&self) -> CommitListener {
        let ledger = self.ledger.clone();
        Box::new(move |batch, _| ledger.committed(batch))
    }

    fn commit_permit(&self) -> CommitPermit {
        Box::new(self.permit())
    }

    fn close(&mut self) {
        let Some(client) = self.client.take() else { return };
        let (done, wait) = std::sync::mpsc::channel();
        let ledger = self.ledger.clone();
        // Without a broker, leaving the group takes as long as the client likes: it is not waited for.
        let leaving = std::thread::Builder::new().name("goodbye".to_owned()).spawn(move || {
            if let Err(error) = commit_hints(&*client, &ledger) {
                tracing::debug!(%error, "the offset was not committed to the group");
            }
            drop(client);
            let _ = done.send(());
        });
        if leaving.is_ok() && wait.recv_timeout(CLOSE_TIMEOUT).is_err() {
            tracing::info!("Kafka did not say goodbye in time; the next start goes on all the same");
        }
    }
}
