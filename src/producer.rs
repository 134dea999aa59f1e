//! Lines into a Kafka topic, keyed by their plate: what `ship` and `simulate --brokers` share.
//!
//! A topic keyed by HPHM has all passages of one plate in one partition, so that a partition's detector and duplicate
//! guard need no other partition. So every line that has as many fields as there are columns is keyed by its normalised
//! HPHM, and the partitioner is the one of Kafka's own clients. Others have no key.
//!
//! The producer is idempotent and a message never times out: while a broker is away it waits, without loss, duplicates
//! or reordering. [`Ticket`] says when a run of lines is delivered; this module knows no file and no position.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use traffic::{Column, Delimiter, Layout, LineParser, clean_field, field_of, normalise_plate};

/// Where lines go.
#[derive(Debug, Clone)]
pub struct ProducerSettings {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// Properties of librdkafka, over our own defaults; the last one of a name counts.
    pub properties: Vec<(String, String)>,
}

/// Our defaults. Each may be overridden; comments say what depends on it.
const DEFAULTS: [(&str, &str); 10] = [
    ("client.id", "platewatch"),
    // Retried messages are neither doubled nor reordered.
    ("enable.idempotence", "true"),
    // As Kafka's Java clients: a plate has one partition, whoever produces it.
    ("partitioner", "murmur2_random"),
    // No message ever times out.
    ("message.timeout.ms", "0"),
    ("compression.type", "lz4"),
    // Longer costs latency, shorter costs a third of the rate.
    ("linger.ms", "50"),
    // The back-pressure: what is not delivered is held here, and no more is read.
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("reconnect.backoff.max.ms", "2000"),
    // A topic that was just created is unknown for a while.
    ("topic.metadata.refresh.interval.ms", "30000"),
];

/// A property that librdkafka does not take, or a topic that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProducerError(String);

/// A run of lines on its way: done when each of them is in the topic.
#[derive(Debug)]
pub struct Ticket(AtomicU32);

impl Ticket {
    /// Whether all lines are delivered, and [`Ticket::close`] was called.
    pub fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// For [`KeyedProducer::send`], until [`Ticket::close`]: more lines may come.
    pub fn open() -> Arc<Self> {
        Arc::new(Self(AtomicU32::new(1)))
    }

    /// No more lines come.
    pub fn close(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Sends lines to one topic.
pub struct KeyedProducer {
    inner: BaseProducer<Reports>,
    topic: String,
}

impl fmt::Debug for KeyedProducer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyedProducer").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// What librdkafka reports while it is polled.
#[derive(Debug, Default)]
struct Reports {
    delivered: AtomicU64,
    failure: Mutex<Option<Failure>>,
    trouble: Mutex<Option<String>>,
}

#[derive(Debug)]
enum Failure {
    Delivery(KafkaError),
    Refused(String),
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters is also reported as an error; the log contains each failed connection.
        tracing::debug!(?level, facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka");
        // "All brokers are down" follows and says less.
        let vague = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown);
        let mut trouble = lock(&self.trouble);
        if !vague || trouble.is_none() {
            *trouble = Some(reason.to_owned());
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Arc<Ticket>) {
        match result {
            Ok(_) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
                ticket.0.fetch_sub(1, Ordering::AcqRel);
            }
            // The ticket stays open: nothing after it counts as delivered.
            Err((error, _)) => {
                lock(&self.failure).get_or_insert_with(|| Failure::Delivery(error.clone()));
            }
        }
    }
}

/// Why a line was not taken.
#[derive(Debug)]
pub enum NotSent {
    /// Too much is on the way: poll, and send it again.
    Full,
    /// It will never be taken like this.
    Refused(String),
}

impl KeyedProducer {
    /// A producer. It connects by itself, whenever there is a broker.
    ///
    /// # Errors
    /// A property that librdkafka does not know, or a value that it does not take.
    pub fn new(settings: &ProducerSettings) -> Result<Self, ProducerError> {
        if settings.topic.is_empty() || settings.topic.contains('\0') {
            return Err(ProducerError("a topic needs a name".to_owned()));
        }
        let mut config = ClientConfig::new();
        for (name, value) in DEFAULTS {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &settings.brokers);
        for (name, value) in &settings.properties {
            config.set(name, value);
        }
        let inner = config.create_with_context(Reports::default()).map_err(|error| match error {
            // Without the value: it may be a password.
            KafkaError::ClientConfig(_, problem, name, value) if !name.is_empty() => {
                ProducerError(format!("property {name}: {}", problem.replace(&format!("\"{value}\""), "this value")))
            }
            other => ProducerError(format!("Kafka's client does not start: {other}")),
        })?;
        Ok(Self { inner, topic: settings.topic.clone() })
    }

    /// Sends one line, without its line ending. It is copied.
    ///
    /// # Errors
    /// [`NotSent`].
    pub fn send(&self, line: &[u8], key: Option<&[u8]>, ticket: &Arc<Ticket>) -> Result<(), NotSent> {
        ticket.0.fetch_add(1, Ordering::AcqRel);
        let mut record = BaseRecord::<[u8], [u8], _>::with_opaque_to(&self.topic, ticket.clone()).payload(line);
        record.key = key;
        self.inner.send(record).map_err(|(error, _)| {
            ticket.0.fetch_sub(1, Ordering::AcqRel);
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => NotSent::Full,
                _ => NotSent::Refused(advice(&error, &self.topic)),
            }
        })
    }

    /// Takes delivery reports for `time`, or only those that are there if it is zero.
    pub fn poll(&self, time: Duration) {
        self.inner.poll(time);
    }

    /// Lines that were delivered.
    pub fn delivered(&self) -> u64 {
        self.inner.context().delivered.load(Ordering::Relaxed)
    }

    /// Lines that are on the way.
    pub fn on_the_way(&self) -> u64 {
        u64::try_from(self.inner.in_flight_count()).unwrap_or(0)
    }

    /// The first line that Kafka did not take, in words. After that this producer cannot be used any more.
    pub fn failure(&self) -> Option<String> {
        if let Some((code, reason)) = self.inner.client().fatal_error() {
            return Some(format!("{reason} ({code:?})"));
        }
        lock(&self.inner.context().failure).as_ref().map(|failure| match failure {
            Failure::Delivery(error) => advice(error, &self.topic),
            Failure::Refused(reason) => reason.clone(),
        })
    }

    /// Counts a refused line as a failure.
    pub fn fail(&self, reason: String) {
        lock(&self.inner.context().failure).get_or_insert(Failure::Refused(reason));
    }

    /// Takes the latest connection error, with librdkafka's message.
    pub fn take_trouble(&self) -> Option<String> {
        lock(&self.inner.context().trouble).take()
    }
}

/// Lines for a topic as something that is written to: whole lines in each write. It waits while too much is on the way,
/// and reports on standard error what it waits for.
#[derive(Debug)]
pub struct LineWriter {
    producer: KeyedProducer,
    key: PlateKey,
    ticket: Arc<Ticket>,
    brokers: String,
}

/// How long nothing may be delivered before that is reported, and between reports.
const PATIENCE: Duration = Duration::from_secs(5);

impl LineWriter {
    /// A writer of lines in the default layout.
    ///
    /// # Errors
    /// See [`KeyedProducer::new`].
    pub fn new(settings: &ProducerSettings) -> Result<Self, ProducerError> {
        Ok(Self {
            producer: KeyedProducer::new(settings)?,
            key: PlateKey::new(&Layout::default(), Some(Delimiter::Tab)),
            ticket: Ticket::open(),
            brokers: settings.brokers.clone(),
        })
    }

    /// Returns when everything that was written is in the topic.
    ///
    /// # Errors
    /// Kafka did not take a line.
    pub fn wait(&self) -> io::Result<()> {
        self.wait_while(|| self.producer.on_the_way() > 0)
    }

    fn wait_while(&self, condition: impl Fn() -> bool) -> io::Result<()> {
        let (mut delivered, mut since) = (self.producer.delivered(), Instant::now());
        while condition() {
            self.producer.poll(Duration::from_millis(5));
            if let Some(failure) = self.producer.failure() {
                return Err(io::Error::other(failure));
            }
            if delivered != self.producer.delivered() {
                (delivered, since) = (self.producer.delivered(), Instant::now());
            } else if since.elapsed() >= PATIENCE {
                let trouble = self.producer.take_trouble().unwrap_or_else(|| "no answer".to_owned());
                let trouble = crate::plain::line(&trouble);
                eprintln!("platewatch: Kafka at {} takes no lines ({trouble}): waiting for it", self.brokers);
                since = Instant::now();
            }
        }
        Ok(())
    }
}

impl io::Write for LineWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let key = self.key.of(line);
            loop {
                match self.producer.send(line, key.as_deref().map(str::as_bytes), &self.ticket) {
                    Ok(()) => break,
                    Err(NotSent::Full) => {
                        let before = self.producer.on_the_way();
                        self.wait_while(|| self.producer.on_the_way() >= before)?;
                    }
                    Err(NotSent::Refused(reason)) => return Err(io::Error::other(reason)),
                }
            }
        }
        Ok(lines.len())
    }

    /// Takes reports of delivery; it does not wait for more.
    fn flush(&mut self) -> io::Result<()> {
        self.producer.poll(Duration::ZERO);
        self.producer.failure().map_or(Ok(()), |failure| Err(io::Error::other(failure)))
    }
}

/// What a failed delivery means for the user.
fn advice(error: &KafkaError, topic: &str) -> String {
    let code = error.rdkafka_error_code();
    match code {
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition) => {
            format!("there is no topic {topic}: create it, or give another with --topic")
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed) => {
            format!("this user may not write to {topic}: grant Write and Describe on it, and IdempotentWrite")
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => format!(
            "the messages are too large for {topic}: raise its max.message.bytes, or give --property batch.size=65536"
        ),
        _ => {
            format!("Kafka does not take messages for {topic}: {}", code.map_or(error.to_string(), |it| it.to_string()))
        }
    }
}

/// Finds the key of a line: its normalised HPHM.
#[derive(Debug, Clone)]
pub struct PlateKey {
    position: usize,
    columns: usize,
    delimiter: Option<Delimiter>,
}

impl PlateKey {
    /// For lines of a layout. Without a delimiter each line decides, as for the parser.
    pub fn new(layout: &Layout, delimiter: Option<Delimiter>) -> Self {
        Self { position: layout.position(Column::Hphm), columns: layout.names().len(), delimiter }
    }

    /// The key of a line, if it has as many fields as there are columns and is not a header.
    pub fn of<'a>(&self, line: &'a [u8]) -> Option<Cow<'a, str>> {
        let line = std::str::from_utf8(line).ok().filter(|line| line.len() <= LineParser::MAX_LINE_BYTES)?;
        let line = line.trim_matches(['\r', '\n', '\0']);
        match field_of(line, self.delimiter, self.columns, self.position)? {
            Cow::Borrowed(field) => plate(field),
            Cow::Owned(field) => plate(&field).map(|plate| Cow::Owned(plate.into_owned())),
        }
    }
}

fn plate(field: &str) -> Option<Cow<'_, str>> {
    let plate = normalise_plate(clean_field(field));
    (plate != Column::Hphm.as_str()).then_some(plate)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&str>) {
        let key = PlateKey::new(&Layout::default(), None);
        assert_eq!(key.of(line.as_bytes()).as_deref(), expected, "{line:?}");
    }

    #[test]
    fn the_key_is_the_normalised_plate() {
        check("G1\t沛县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌", Some("苏C12345"));
        check("G1\t沛县\tK1\t1\t2024-01-01 00:00:24\t02\t 苏c·12 345 \t-\r", Some("苏C12345"));
        check("G1,沛县,K1,1,2024-01-01 00:00:24,02,苏C12345,大众牌", Some("苏C12345"));
        check("G1,沛县,\"K,1\",1,2024-01-01 00:00:24,02,\"苏c12345\",大众牌", Some("苏C12345"));
        check("G1\t沛县\tK1\t1\tnever\t02\t\t-", Some("-"));
        check("G1;沛县;K1;1;2024-01-01 00:00:24;02;蓝苏C-12345;大众牌", Some("蓝苏C-12345"));
        check("G1|沛县|K1|1|2024-01-01 00:00:24|02|=\"苏С12345\"|大众牌", Some("苏C12345"));
    }

    #[test]
    fn what_is_no_passage_has_no_key() {
        check("", None);
        check("one\ttwo", None);
        check("G1\t沛县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌\tmore", None);
        check("GCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM\tCLPPXH", None);
        assert_eq!(PlateKey::new(&Layout::default(), None).of(b"\xff\t\t\t\t\t\t\t"), None);
    }

    #[test]
    fn columns_and_delimiter_may_be_others() {
        let layout = Layout::parse("HPHM,GCXH,KKMC,FXLX,GCSJ,HPZL,XZQHMC,CLPPXH,SFZRKMC").unwrap();
        let key = PlateKey::new(&layout, Some(Delimiter::Comma));
        assert_eq!(key.of("苏C1\t,b,c,d,e,f,g,h,i".as_bytes()).as_deref(), Some("苏C1"));
        assert_eq!(key.of("苏C1\tb\tc\td\te\tf\tg\th\ti".as_bytes()), None);
    }

    fn refused(name: &str, value: &str) -> String {
        let properties = vec![(name.to_owned(), value.to_owned())];
        let settings = ProducerSettings { brokers: "127.0.0.1:1".to_owned(), topic: "t".to_owned(), properties };
        KeyedProducer::new(&settings).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_property_is_named_and_a_value_is_not() {
        assert!(refused("no.such.thing", "1").starts_with("property no.such.thing: "));
        let text = refused("security.protocol", "hunter2");
        assert!(text.starts_with("property security.protocol: ") && !text.contains("hunter2"), "{text}");
    }
}
