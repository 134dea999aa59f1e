//! What a topic holds, read and written by a plain Kafka client: the tests' own view, independent of the program.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::Broker;
use crate::harness::wait_until;

/// A message as it is in the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

impl Record {
    /// The value as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.value.as_deref().unwrap_or_default()).unwrap()
    }

    /// The key as text, empty if there is none.
    pub(crate) fn key_text(&self) -> &str {
        std::str::from_utf8(self.key.as_deref().unwrap_or_default()).unwrap()
    }
}

/// Offset after the last message, for each partition.
pub(crate) fn end_offsets(broker: &Broker, topic: &str) -> Vec<i64> {
    ends(&broker.client_config().create().unwrap(), topic)
}

/// The same, as the isolation level of `consumer` sees it.
fn ends(consumer: &BaseConsumer, topic: &str) -> Vec<i64> {
    let patience = Duration::from_secs(30);
    let metadata = consumer.fetch_metadata(Some(topic), patience).unwrap();
    let partitions = metadata.topics()[0].partitions().len() as i32;
    (0..partitions).map(|partition| consumer.fetch_watermarks(topic, partition, patience).unwrap().1).collect()
}

/// Waits until no transaction is open in the topic. The coordinator answers a commit or an abort before the marker is in
/// the partition; until then the partition ends before the transaction, as [`end_offsets`] sees it.
pub(crate) fn wait_until_decided(config: &ClientConfig, topic: &str) {
    let reader = |level| -> BaseConsumer { config.clone().set("isolation.level", level).create().unwrap() };
    let (stable, all) = (reader("read_committed"), reader("read_uncommitted"));
    // In this order: an end that grows in between makes them differ.
    wait_until(Duration::from_secs(60), &format!("the markers of {topic}"), || {
        let stable = ends(&stable, topic);
        stable == ends(&all, topic)
    });
}

/// Offset of the oldest message, for each partition.
pub(crate) fn begin_offsets(broker: &Broker, topic: &str) -> Vec<i64> {
    let consumer: BaseConsumer = broker.client_config().create().unwrap();
    let partitions = end_offsets(broker, topic).len() as i32;
    let patience = Duration::from_secs(30);
    (0..partitions).map(|partition| consumer.fetch_watermarks(topic, partition, patience).unwrap().0).collect()
}

/// How many messages a topic holds, if nothing was deleted.
pub(crate) fn count(broker: &Broker, topic: &str) -> i64 {
    end_offsets(broker, topic).iter().sum()
}

/// How many members a consumer group has, as the brokers see it.
pub(crate) fn members(broker: &Broker, group: &str) -> usize {
    let client: BaseConsumer = broker.client_config().create().unwrap();
    let groups = client.fetch_group_list(Some(group), Duration::from_secs(10));
    groups.map_or(usize::MAX, |list| list.groups().iter().map(|group| group.members().len()).sum())
}

/// All messages of a topic, in the order of each partition.
pub(crate) fn read_all(broker: &Broker, topic: &str) -> Vec<Record> {
    let mut config = broker.client_config();
    config.set("group.id", "reader-of-tests").set("enable.auto.commit", "false").set("enable.partition.eof", "false");
    let ends = end_offsets(broker, topic);
    let consumer: BaseConsumer = config.create().unwrap();
    let mut assignment = TopicPartitionList::new();
    for partition in 0..ends.len() as i32 {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let mut left: i64 = ends.iter().sum();
    let mut records = Vec::with_capacity(left as usize);
    let deadline = Instant::now() + Duration::from_secs(120);
    while left > 0 {
        assert!(Instant::now() < deadline, "{left} messages of {topic} do not come");
        if let Some(message) = consumer.poll(Duration::from_millis(500)) {
            let message = message.unwrap();
            left -= 1;
            records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
            });
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// Produces messages and waits until all are delivered. A `None` value is a null value.
pub(crate) fn produce<'a>(
    broker: &Broker,
    topic: &str,
    messages: impl IntoIterator<Item = (Option<&'a [u8]>, Option<&'a [u8]>)>,
) {
    let mut config = broker.client_config();
    config.set("message.max.bytes", "20000000").set("linger.ms", "5");
    let producer = producer(&mut config);
    for (key, value) in messages {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic);
        record.key = key;
        record.payload = value;
        send(&producer, record);
    }
    producer.flush(Duration::from_secs(60)).unwrap();
}

/// Produces lines to one partition with these properties, and waits until all are delivered.
pub(crate) fn produce_to(broker: &Broker, topic: &str, partition: i32, properties: &[(&str, &str)], lines: &[String]) {
    let mut config = broker.client_config();
    properties.iter().for_each(|(name, value)| {
        config.set(*name, *value);
    });
    let producer = producer(&mut config);
    for line in lines {
        send(&producer, BaseRecord::<[u8], str>::to(topic).partition(partition).payload(line));
    }
    producer.flush(Duration::from_secs(60)).unwrap();
}

/// A producer whose transactions are begun and ended explicitly.
pub(crate) struct Transactions {
    producer: BaseProducer,
    config: ClientConfig,
    /// The topic of the last transaction.
    topic: RefCell<String>,
}

impl Transactions {
    pub(crate) fn new(broker: &Broker, id: &str) -> Self {
        let producer = producer(broker.client_config().set("transactional.id", id));
        producer.init_transactions(Duration::from_secs(60)).unwrap();
        Self { producer, config: broker.client_config(), topic: RefCell::default() }
    }

    /// Begins a transaction and delivers `lines` in it to partition 0 of `topic`.
    pub(crate) fn begin(&self, topic: &str, lines: &[String]) {
        topic.clone_into(&mut self.topic.borrow_mut());
        self.producer.begin_transaction().unwrap();
        for line in lines {
            send(&self.producer, BaseRecord::<[u8], str>::to(topic).partition(0).payload(line));
        }
        self.producer.flush(Duration::from_secs(60)).unwrap();
    }

    /// Commits, and waits until the marker is in the topic, in which no other transaction may be open.
    pub(crate) fn commit(&self) {
        self.producer.commit_transaction(Duration::from_secs(60)).unwrap();
        wait_until_decided(&self.config, &self.topic.borrow());
    }

    /// Aborts, and waits until the marker is in the topic, in which no other transaction may be open.
    pub(crate) fn abort(&self) {
        self.producer.abort_transaction(Duration::from_secs(60)).unwrap();
        wait_until_decided(&self.config, &self.topic.borrow());
    }
}

fn producer(config: &mut ClientConfig) -> BaseProducer {
    config.set("enable.idempotence", "true").create().unwrap()
}

fn send<V: rdkafka::message::ToBytes + ?Sized>(producer: &BaseProducer, mut record: BaseRecord<'_, [u8], V>) {
    while let Err((_, back)) = producer.send(record) {
        producer.poll(Duration::from_millis(20));
        record = back;
    }
    producer.poll(Duration::ZERO);
}
