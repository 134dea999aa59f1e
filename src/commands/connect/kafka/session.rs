//! Requests to a cluster through librdkafka, as the appliance will make them, and what the refusals mean in words.
//!
//! None of them changes anything: the group is not joined, and the right to write to it is checked with an offset for a
//! partition that cannot exist, which a broker refuses only after it has checked the rights.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::metadata::{Metadata, MetadataBroker};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::super::reach::Address;
use super::events::{Advertised, Events};
use super::refusals::{Trouble, VERIFY_FAILED, definite, is_final, is_refusal, misnamed, unreadable, untrusted};
use super::security::Security;
use crate::commands::failure::Usage;
use crate::commands::report::{KAFKA, Report};
use crate::config::KafkaConfig;

/// How long a cluster may take to answer a request.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one attempt may take, after which errors are checked.
const ATTEMPT: Duration = Duration::from_secs(1);
/// How long the addresses that a first contact returned are tried.
const MISLED: Duration = Duration::from_secs(5);
/// Used to check rights only; no topic has this many partitions.
const NO_PARTITION: i32 = i32::MAX;
/// Properties that would make this a member of the group, or that must be as they are here.
const LEFT_OUT: [&str; 2] = ["group.instance.id", "enable.partition.eof"];

/// A client of the cluster.
pub(super) struct Session {
    consumer: BaseConsumer<Events>,
    config: ClientConfig,
    security: Security,
    topic: String,
    group: String,
    strategies: String,
    secrets: Vec<String>,
}

fn client_config(kafka: &KafkaConfig, brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", "platewatch");
    for (name, value) in kafka.properties.iter().filter(|(name, _)| !LEFT_OUT.contains(name)) {
        config.set(name, value);
    }
    for (name, value) in [
        ("bootstrap.servers", brokers),
        ("group.id", kafka.group.as_str()),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("enable.partition.eof", "true"),
        ("reconnect.backoff.max.ms", "500"),
        ("statistics.interval.ms", "250"),
    ] {
        config.set(name, value);
    }
    config
}

/// The id of the cluster at an address, if one answers.
pub(super) fn cluster_at(kafka: &KafkaConfig, address: &Address) -> Option<String> {
    let consumer: BaseConsumer<Events> =
        client_config(kafka, &address.to_string()).create_with_context(Events::default()).ok()?;
    consumer.client().fetch_cluster_id(PATIENCE / 2)
}

impl Session {
    /// A client with the settings of the appliance.
    ///
    /// # Errors
    /// [`Usage`]: librdkafka refuses a property, or what it names cannot be read.
    pub(super) fn open(kafka: &KafkaConfig) -> anyhow::Result<Self> {
        let secret = |name: &str| ["password", "secret", "pem", "token"].iter().any(|part| name.contains(part));
        let secrets: Vec<String> = kafka
            .properties
            .iter()
            .filter(|(name, value)| secret(name) && !value.is_empty())
            .map(|(_, value)| value.to_owned())
            .collect();
        let config = client_config(kafka, &kafka.brokers);
        let consumer = config.create_with_context(Events::default());
        let consumer = consumer.map_err(|error| {
            Usage(match error {
                KafkaError::ClientConfig(_, _, property, _) => format!(
                    "[kafka.properties]: librdkafka refuses {property}: there is no such property, or its value cannot be \
                     used; see its CONFIGURATION.md"
                ),
                other => format!("[kafka.properties]: {}", without(&secrets, other.to_string())),
            })
        })?;
        let strategies = kafka.properties.iter().find(|(name, _)| *name == "partition.assignment.strategy");
        Ok(Self {
            consumer,
            config,
            security: Security::of(kafka),
            topic: kafka.topic.clone(),
            group: kafka.group.clone(),
            strategies: strategies.map_or("cooperative-sticky", |(_, value)| value).to_owned(),
            secrets,
        })
    }

    /// The brokers and the topic, or why the cluster does not answer.
    pub(super) fn metadata(&self) -> Result<Metadata, String> {
        let began = Instant::now();
        loop {
            if let Ok(metadata) = self.consumer.fetch_metadata(Some(&self.topic), ATTEMPT) {
                return Ok(metadata);
            }
            self.listen();
            let heard = self.events().lock();
            let definite = heard.complaints.iter().find_map(|(code, reason)| definite(*code, reason));
            // The first contact said where to continue, and that address cannot be reached.
            let misled = !heard.brokers.is_empty() && began.elapsed() >= MISLED;
            drop(heard);
            if let Some(trouble) = definite {
                return Err(self.without_secrets(match trouble {
                    Trouble::Untrusted(reason) if self.is_misnamed() => misnamed(&reason),
                    Trouble::Untrusted(reason) => untrusted(&reason),
                    Trouble::Other(words) => words,
                }));
            }
            if misled || began.elapsed() >= PATIENCE {
                let hint = match self.security {
                    Security { tls: true, login: false, .. } => {
                        "; if its listener wants a login behind TLS, set \"security.protocol\" = \"SASL_SSL\""
                    }
                    _ => "",
                };
                let last = self.events().last_complaint();
                return Err(self.without_secrets(format!(
                    "a broker is there and reports nothing about its cluster: {last}{hint}"
                )));
            }
        }
    }

    /// The brokers that a first contact reported, where there is no metadata.
    pub(super) fn learned(&self) -> Vec<Advertised> {
        self.events().lock().brokers.clone()
    }

    fn events(&self) -> &Events {
        self.consumer.context()
    }

    /// Takes what librdkafka reports.
    fn listen(&self) {
        listen(&self.consumer);
    }

    /// Whether only the name of a refused certificate is wrong. No login is sent for this.
    fn is_misnamed(&self) -> bool {
        let mut config = self.config.clone();
        config.set("security.protocol", "SSL").set("ssl.endpoint.identification.algorithm", "none");
        let Ok(consumer) = config.create_with_context::<_, BaseConsumer<Events>>(Events::default()) else {
            return false;
        };
        let told = consumer.fetch_metadata(Some(&self.topic), ATTEMPT * 3).is_ok();
        listen(&consumer);
        let refused = |reason: &str| reason.contains(VERIFY_FAILED);
        told || !consumer.context().lock().complaints.iter().any(|(_, reason)| refused(reason))
    }

    /// How many partitions the topic has, if it can be used.
    pub(super) fn topic(&self, metadata: &Metadata, report: &mut Report) -> Option<i32> {
        let name = &self.topic;
        let topic = metadata.topics().iter().find(|topic| topic.name() == name)?;
        match topic.error() {
            None => {}
            Some(
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            ) => {
                report.problem(
                    KAFKA,
                    format!(
                        "there is no topic {name}: create it (kafka-topics.sh --create --topic {name} --partitions 6), or write \
                         another in kafka.topic"
                    ),
                );
                return None;
            }
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                report.problem(KAFKA, self.no_right(&format!("topic {name}"), "Describe and Read"));
                return None;
            }
            Some(other) => {
                report.problem(KAFKA, format!("the topic {name} cannot be used: {}", RDKafkaErrorCode::from(other)));
                return None;
            }
        }
        let headless: Vec<String> = topic.partitions().iter().filter(|it| it.leader() < 0).map(number).collect();
        if !headless.is_empty() {
            report.problem(
                KAFKA,
                format!(
                    "partitions {} of the topic {name} have no leader: start the brokers that hold them",
                    headless.join(",")
                ),
            );
            return None;
        }
        i32::try_from(topic.partitions().len()).ok()
    }

    /// Whether every partition can be read: its oldest records, and its newest, which may be compressed differently.
    pub(super) fn reading(&self, partitions: i32, report: &mut Report) {
        let problems = report.problems();
        for from in [Offset::Beginning, Offset::OffsetTail(1)] {
            self.reading_from(from, partitions, report);
            if report.problems() > problems {
                return;
            }
        }
    }

    fn reading_from(&self, from: Offset, partitions: i32, report: &mut Report) {
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            let _ = list.add_partition_offset(&self.topic, partition, from);
        }
        let mut waiting: BTreeSet<i32> = (0..partitions).collect();
        let mut failure = self.consumer.assign(&list).err();
        let deadline = Instant::now() + PATIENCE;
        while failure.is_none() && !waiting.is_empty() && Instant::now() < deadline {
            match self.consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) => {
                    waiting.remove(&message.partition());
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    waiting.remove(&partition);
                }
                Some(Err(error)) => failure = Some(error).filter(is_final),
            }
        }
        // The partition that cannot be read is one of those that gave nothing; the others get a moment.
        let until = Instant::now() + ATTEMPT;
        while failure.as_ref().is_some_and(|it| !is_refusal(it)) && waiting.len() > 1 && Instant::now() < until {
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => waiting.remove(&message.partition()),
                Some(Err(KafkaError::PartitionEOF(partition))) => waiting.remove(&partition),
                _ => false,
            };
        }
        let _ = self.consumer.unassign();
        match failure {
            Some(error) if is_refusal(&error) => {
                report.problem(KAFKA, self.no_right(&format!("topic {}", self.topic), "Read"));
            }
            Some(error) => {
                let numbers: Vec<String> = waiting.iter().map(i32::to_string).collect();
                report.problem(
                    KAFKA,
                    self.without_secrets(format!(
                        "partitions {} of the topic {} hold records that {} ({}): the appliance would stop there",
                        numbers.join(","),
                        self.topic,
                        unreadable(&error),
                        self.events().last_complaint()
                    )),
                );
            }
            None if !waiting.is_empty() => {
                let waiting: Vec<String> = waiting.iter().map(i32::to_string).collect();
                report.problem(
                    KAFKA,
                    self.without_secrets(format!(
                        "partitions {} of the topic {} give nothing within {} s ({}): see to the brokers that lead them",
                        waiting.join(","),
                        self.topic,
                        PATIENCE.as_secs(),
                        self.events().last_complaint()
                    )),
                );
            }
            None => {}
        }
    }

    /// Whether the group can be used, and is not used for anything else.
    pub(super) fn group(&self, partitions: i32, report: &mut Report) {
        let group = &self.group;
        let mut asked = TopicPartitionList::new();
        for partition in 0..partitions {
            asked.add_partition(&self.topic, partition);
        }
        if let Err(error) = self.committed(&asked) {
            report.problem(
                KAFKA,
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::GroupAuthorizationFailed) => self.no_right(&format!("group {group}"), "Read"),
                    code => format!(
                        "the group {group} cannot be used ({}): see to the brokers that lead the topic __consumer_offsets",
                        code.map_or_else(|| error.to_string(), |code| code.to_string())
                    ),
                },
            );
            return;
        }
        let mut offsets = TopicPartitionList::new();
        let _ = offsets.add_partition_offset(&self.topic, NO_PARTITION, Offset::Offset(0));
        let refused = self.consumer.commit(&offsets, CommitMode::Sync).err().and_then(|it| it.rdkafka_error_code());
        if refused == Some(RDKafkaErrorCode::GroupAuthorizationFailed) {
            report.problem(KAFKA, self.no_right(&format!("group {group}"), "Read"));
            return;
        }
        let Ok(list) = self.consumer.fetch_group_list(Some(group), PATIENCE) else { return };
        for found in list.groups().iter().filter(|found| !found.members().is_empty()) {
            let other = match (found.protocol_type(), found.protocol()) {
                ("" | "consumer", "") => continue,
                ("" | "consumer", protocol) if self.strategies.split(',').any(|own| own.trim() == protocol) => continue,
                ("" | "consumer", protocol) => format!("share partitions out by {protocol}"),
                (kind, _) => format!("are no consumers but {kind}"),
            };
            let members = found.members().len();
            report.problem(
                KAFKA,
                format!(
                    "the group {group} has members that {other} ({members} of them), and this appliance would share them out \
                     by {}: write a kafka.group of its own",
                    self.strategies
                ),
            );
        }
    }

    /// The group's stored offsets. Without the right to find its coordinator librdkafka only retries and reports an
    /// event.
    fn committed(&self, asked: &TopicPartitionList) -> KafkaResult<TopicPartitionList> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.consumer.committed_offsets(asked.clone(), ATTEMPT * 3);
            self.listen();
            let barred = RDKafkaErrorCode::GroupAuthorizationFailed;
            match answer {
                Err(_) if self.events().heard(barred) => return Err(KafkaError::OffsetFetch(barred)),
                Err(_) if Instant::now() < deadline => {}
                answer => return answer,
            }
        }
    }

    fn without_secrets(&self, text: String) -> String {
        without(&self.secrets, text)
    }

    fn no_right(&self, what: &str, operations: &str) -> String {
        format!(
            "this user may not use the {what}: grant {operations} on it (kafka-acls.sh --add --allow-principal User:NAME)"
        )
    }
}

/// Gives librdkafka a moment to report. A poll that returns nothing may still have taken a report.
fn listen(consumer: &BaseConsumer<Events>) {
    let until = Instant::now() + Duration::from_millis(100);
    while Instant::now() < until {
        consumer.poll(Duration::from_millis(5));
    }
}

/// The brokers of a cluster.
pub(super) fn advertised(metadata: &Metadata) -> Vec<Advertised> {
    let port = |broker: &MetadataBroker| u16::try_from(broker.port()).ok();
    let brokers = metadata.brokers().iter();
    brokers
        .filter_map(|broker| Some((broker.id(), Address { host: broker.host().to_owned(), port: port(broker)? })))
        .collect()
}

fn number(partition: &rdkafka::metadata::MetadataPartition) -> String {
    partition.id().to_string()
}

/// The text without secrets.
fn without(secrets: &[String], text: String) -> String {
    secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "…"))
}
