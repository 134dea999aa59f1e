//! `[kafka]`: the topic, the group and the connection.

use std::time::Duration;

use crate::config::checks::{filled, host_ports, topic_name, whole_seconds};
use crate::config::declare::{choices, settings};
use crate::config::properties::Properties;

settings! {
    /// The Kafka topic to consume; for `source.kind = "kafka"`. One data directory follows one topic.
    pub struct KafkaConfig {
        /// Bootstrap brokers, as `host:port` separated by commas. The others are discovered through them.
        brokers: String = "127.0.0.1:9092".to_owned(), |brokers: &String| host_ports(brokers);
        /// The topic. The value of a message is one passage record (or several lines, each one); its key should be HPHM,
        /// so that all passages of a plate are in one partition.
        topic: String = "traffic-raw".to_owned(), |topic: &String| topic_name(topic);
        /// The consumer group. The data directory, not the group, records what was consumed; the committed offsets of the group
        /// only follow it.
        group: String = "platewatch".to_owned(), |group: &String| filled(group);
        /// Where to begin a topic of which neither this data directory nor the group knows a position. A partition that is added to a
        /// known topic later is read from its oldest record, regardless of this setting.
        start: KafkaStart = KafkaStart::Earliest;
        /// How far back a partition that another appliance consumed is read again, so that travel times, clocks and cases are
        /// those of one appliance that consumed all of it; about a second for each million records. Less than plate states
        /// and `detect.reach` need is never read. Longer than the topic keeps records is of no use.
        relearn: Duration = Duration::from_secs(7 * 86_400), whole_seconds;
        /// Any other property of librdkafka, such as `"security.protocol" = "SASL_SSL"`. With `"group.instance.id"` (a
        /// different one for every appliance) a restart takes its partitions back at once, instead of after the session timeout.
        properties: Properties = Properties::default(), |properties: &Properties| properties.check();
    }
}

choices! {
    /// Where to begin a topic of which no position is known.
    pub enum KafkaStart {
        /// At the oldest record that the topic holds.
        Earliest = "earliest",
        /// After the newest record.
        Latest = "latest",
    }
}
