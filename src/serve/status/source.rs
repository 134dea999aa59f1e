//! The source of records in `GET /api/status`, including the consumption of a Kafka topic.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::codes::{MissingCauseName, SourceKindName, SourceStateName, StopReasonName};
use crate::serve::notice::Notice;
use crate::serve::state::Api;
use crate::status::{FeedStatus, KafkaPartition, KafkaStatus, SourceStatus};

/// The source of records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourceStatus)]
pub(super) struct SourceJson {
    /// `kafka`, `http`, `capture`, `simulator` or `none`.
    #[schema(value_type = SourceKindName, example = "simulator")]
    kind: String,
    /// `starting`, `running`, `away` (no broker can be reached), `finished` (all files were read), `ended` (a stream that
    /// should have gone on, such as standard input) or `failed`.
    #[schema(value_type = SourceStateName, example = "running")]
    state: &'static str,
    /// Description of what is read.
    #[schema(example = "19 checkpoints, 50 passages per second")]
    description: String,
    /// The same with its code; null before the source has begun.
    description_notice: Option<Notice>,
    /// Position after the last commit.
    #[schema(example = "record 123456")]
    position: String,
    /// The same with its code; null before the first commit.
    position_notice: Option<Notice>,
    /// Partitions.
    partitions: Vec<PartitionJson>,
    /// Consumption of a Kafka topic; null for other sources.
    kafka: Option<KafkaJson>,
    /// Servers that this process connects to for records beside HTTP, such as a broker of MQTT or a platform of GA/T 1400.
    feeds: Vec<FeedJson>,
}

/// A server that this process connects to, and that sends records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedStatus)]
pub(super) struct FeedJson {
    /// `MQTT` or `GA/T 1400`.
    #[schema(example = "MQTT")]
    name: String,
    /// Its address, without credentials.
    #[schema(example = "mqtt://gate:1883")]
    address: String,
    /// Whether it is connected, and lets us have what is asked for.
    #[schema(example = true)]
    connected: bool,
    /// Since when it is not, civil time of the road; null while it is.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// The last error since it was connected, and what to do; null if there was none.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    /// The same with its code.
    last_error_notice: Option<Notice>,
}

/// Consumption of a Kafka topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaStatus)]
pub(super) struct KafkaJson {
    /// Topic.
    #[schema(example = "traffic-raw")]
    topic: String,
    /// Consumer group.
    #[schema(example = "platewatch")]
    group: String,
    /// Bootstrap brokers.
    #[schema(example = "kafka-1:9092,kafka-2:9092")]
    brokers: String,
    /// Whether a broker can be reached.
    #[schema(example = true)]
    connected: bool,
    /// Since when no broker can be reached, civil time of the road; null while one can.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// The last error of the client; null if there is none.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    /// The same with its code.
    last_error_notice: Option<Notice>,
    /// Partitions whose records cannot be read, so that the appliance is not ready; null when all can.
    stopped: Option<KafkaStoppedJson>,
    /// Rebalances of the group since this process started.
    #[schema(example = 1)]
    rebalances: u64,
    /// What to change in the topic, such as its keys; null if nothing is wrong.
    #[schema(example = json!(null))]
    advice: Option<String>,
    /// The same with its code.
    advice_notice: Option<Notice>,
    /// Records of the topic that are not stored yet, over the partitions consumed here; null while unknown.
    #[schema(example = 12)]
    lag: Option<i64>,
    /// Gaps since the data directory was made: how often records were deleted from the broker before they were read.
    #[schema(example = 0)]
    gaps: u64,
    /// Records in these gaps.
    #[schema(example = 0)]
    missing_records: u64,
    /// Messages without a value; they count as blank lines.
    #[schema(example = 0)]
    null_values: u64,
    /// The newest gaps of each partition.
    recent_gaps: Vec<KafkaGapJson>,
    /// Partitions about which anything is known here.
    partitions: Vec<KafkaPartitionJson>,
}

/// Partitions with records that cannot be read; later records wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaStopped)]
pub(super) struct KafkaStoppedJson {
    /// `codec` (compressed with a codec that this program cannot read), `damaged`, `too_large`, `rights` or `fetch`.
    #[schema(value_type = StopReasonName, example = "codec")]
    code: &'static str,
    /// The partitions.
    #[schema(example = json!([0, 3]))]
    partitions: Vec<u32>,
    /// What is in the way, and what to do.
    text: String,
}

/// One partition of a Kafka topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaPartitionStatus)]
pub(super) struct KafkaPartitionJson {
    /// Number.
    #[schema(example = 0)]
    partition: u32,
    /// Whether this process consumes it now.
    #[schema(example = true)]
    assigned: bool,
    /// Offset of the first record that is not stored yet; null while there is none.
    #[schema(example = 123456)]
    position: Option<i64>,
    /// Offset after the newest record, as last reported by the broker; null while unknown.
    #[schema(example = 123468)]
    end: Option<i64>,
    /// Records between position and end; null while unknown.
    #[schema(example = 12)]
    lag: Option<i64>,
    /// Of these, offsets of transactions that are neither committed nor aborted yet; they are read when that is decided.
    #[schema(example = 0)]
    in_transaction: i64,
    /// Records to be read again after a takeover from another process before the partition continues; they are not stored again.
    #[schema(example = 0)]
    to_read_back: i64,
}

/// Records that the broker no longer had when they should have been read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaGap)]
pub(super) struct KafkaGapJson {
    /// Partition.
    #[schema(example = 0)]
    partition: u32,
    /// First offset.
    #[schema(example = 1000)]
    first: i64,
    /// Last offset.
    #[schema(example = 1999)]
    last: i64,
    /// When it was found, civil time of the road.
    #[schema(example = "2024-01-01 12:34:56")]
    found: String,
    /// `deleted`: gone before they were read; `truncated`: the partition ended before the position, they had been read.
    #[schema(value_type = MissingCauseName, example = "deleted")]
    cause: &'static str,
}

/// One partition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartitionStatus)]
pub(super) struct PartitionJson {
    /// Number.
    #[schema(example = 0)]
    partition: u32,
    /// Newest accepted GCSJ.
    #[schema(example = "2024-01-01 12:34:56")]
    watermark: Option<String>,
    /// Seconds by which the watermark is behind the server's clock; null while there is none.
    #[schema(example = 1)]
    watermark_delay_seconds: Option<i64>,
    /// Plates with state in memory.
    #[schema(example = 2100)]
    plates: u64,
}

pub(super) fn source_json(status: SourceStatus, api: &Api) -> SourceJson {
    let now = api.now();
    let partitions = status.partitions.into_iter().map(|partition| PartitionJson {
        partition: partition.partition,
        watermark: partition.watermark.map(|time| time.to_string()),
        watermark_delay_seconds: partition.watermark.map(|time| now.0 - time.0),
        plates: partition.plates,
    });
    SourceJson {
        partitions: partitions.collect(),
        kind: status.kind,
        state: status.state.as_str(),
        description_notice: said(&status.description),
        description: status.description,
        position_notice: said(&status.position),
        position: status.position,
        kafka: status.kafka.map(|kafka| kafka_json(kafka, api)),
        feeds: status.feeds.into_iter().map(|feed| feed_json(feed, api)).collect(),
    }
}

fn feed_json(status: FeedStatus, api: &Api) -> FeedJson {
    FeedJson {
        name: status.name,
        address: status.address,
        connected: status.connected,
        away_since: status.away_since_unix.map(|unix| api.civil(unix)),
        last_error_notice: Notice::of_some(&status.last_error),
        last_error: status.last_error,
    }
}

fn said(text: &str) -> Option<Notice> {
    (!text.is_empty()).then(|| Notice::of(text))
}

fn kafka_json(status: KafkaStatus, api: &Api) -> KafkaJson {
    let sum = |count: fn(&KafkaPartition) -> u64| status.partitions.iter().map(count).sum();
    let gaps_of = |partition: &KafkaPartition| {
        let number = partition.partition;
        let gaps = partition.recent_gaps.iter().map(|gap| KafkaGapJson {
            partition: number,
            first: gap.first,
            last: gap.last,
            found: api.civil(gap.found_unix),
            cause: gap.cause.as_str(),
        });
        gaps.collect::<Vec<_>>()
    };
    let partitions = status.partitions.iter().map(|partition| KafkaPartitionJson {
        partition: partition.partition,
        assigned: partition.assigned,
        position: partition.position,
        end: partition.end,
        lag: partition.lag,
        in_transaction: partition.in_transaction,
        to_read_back: partition.to_read_back,
    });
    KafkaJson {
        lag: status.lag(),
        gaps: sum(|partition| partition.gaps),
        missing_records: sum(|partition| partition.missing),
        null_values: sum(|partition| partition.nulls),
        recent_gaps: status.partitions.iter().flat_map(gaps_of).collect(),
        partitions: partitions.collect(),
        away_since: status.away_since_unix.map(|unix| api.civil(unix)),
        topic: status.topic,
        group: status.group,
        brokers: status.brokers,
        connected: status.connected,
        last_error_notice: Notice::of_some(&status.last_error),
        last_error: status.last_error,
        stopped: status.stopped.map(|stopped| KafkaStoppedJson {
            code: stopped.reason.as_str(),
            partitions: stopped.partitions,
            text: stopped.text,
        }),
        rebalances: status.rebalances,
        advice_notice: Notice::of_some(&status.advice),
        advice: status.advice,
    }
}
