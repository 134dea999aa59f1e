//! Status, health, readiness, metrics.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::{Server, time};
use crate::camera_clocks::{CheckpointClock, ClockAdvice, DetectionStatus};
use crate::status::{
    AnnouncedDrop, CheckpointsStatus, FeedStatus, KafkaGap, KafkaPartition, KafkaStatus, KafkaStopped, MirrorState,
    MirrorStatus, MissingCause, PartitionStatus, PipelineStatus, Retained, RetentionDrop, SourceState, SourceStatus,
    Status, StopReason, StorageStatus,
};

fn busy_status() -> Status {
    Status {
        version: "0.1.0",
        role: "all".to_owned(),
        uptime_seconds: 12.5,
        source: SourceStatus {
            kind: "simulator".to_owned(),
            state: SourceState::Running,
            description: "a \"quoted\"\\ source".to_owned(),
            position: "record 20".to_owned(),
            partitions: vec![PartitionStatus { partition: 3, watermark: Some(time("2024-01-02 11:59:20")), plates: 6 }],
            kafka: None,
            feeds: vec![FeedStatus {
                name: "MQTT".to_owned(),
                address: "mqtt://gate:1883".to_owned(),
                connected: false,
                away_since_unix: Some(1_704_168_000),
                last_error: Some("refused".to_owned()),
            }],
        },
        pipeline: PipelineStatus {
            lines: 20,
            headers: 1,
            blank: 2,
            rejected: BTreeMap::from([("invalid_gcsj", 4), ("empty_gcxh", 3)]),
            duplicates: 2,
            accepted: 8,
            late: 1,
            alerts: 3,
            by_shard: vec![5, 3],
            commits: 9,
            records_per_second: 1.5,
            last_commit_seconds: 0.25,
            queue: (1, 4),
            seconds_since_commit: 0.5,
        },
        detection: Some(DetectionStatus {
            watermark: Some(time("2024-01-02 11:59:18")),
            late: 1,
            ahead: 2,
            forgotten: 3,
            conflicts: 4,
            conflict_sample: Some("3.2E+17".to_owned()),
            checkpoints: vec![
                CheckpointClock {
                    kkmc: "S250_Pizhou_Sulu".into(),
                    accepted: 5,
                    late: 0,
                    ahead: 2,
                    offset_seconds: Some(303),
                    advice: Some(ClockAdvice::Ahead(303)),
                },
                CheckpointClock {
                    kkmc: "K \"9\"".into(),
                    accepted: 3,
                    late: 1,
                    ahead: 0,
                    offset_seconds: None,
                    advice: None,
                },
            ],
        }),
        storage: StorageStatus {
            path: "data".to_owned(),
            disk_bytes: 1000,
            memory_bytes: 2000,
            column_cache_bytes: 300,
            alert_index_bytes: 40,
            passages: 8,
            segments: vec![2, 1],
            retention_seconds: Some(259_200),
            retention_announced: vec![AnnouncedDrop {
                what: Retained::Alerts,
                retention_seconds: 86_400,
                count: 5,
                from: time("2023-12-01 00:00:00"),
                to: time("2023-12-31 00:00:00"),
                not_before: time("2024-01-03 12:00:00"),
            }],
            dropped_passages: 9,
            last_drop: Some(RetentionDrop {
                at: time("2024-01-02 11:00:00"),
                passages: 4,
                from: time("2023-12-29 00:00:00"),
                to: time("2023-12-30 00:00:00"),
                older_than: time("2023-12-30 11:00:00"),
                retention_seconds: 259_200,
            }),
            checkpoints: CheckpointsStatus {
                count: 3,
                source: Some("sites.csv".to_owned()),
                imported_at: Some(time("2024-01-01 08:00:00")),
                restored: true,
                lost: false,
            },
            accepted_loss: None,
            oldest: Some(time("2024-01-01 00:00:24")),
            rejects: 7,
        },
        backends: Vec::new(),
        mirrors: Vec::new(),
        failure: None,
    }
}

/// The same without what [`notices_carry_codes`] looks at.
fn without_notices(mut data: Value) -> Value {
    match &mut data {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_notice") && !name.ends_with("_notices"));
            fields.values_mut().for_each(|value| *value = without_notices(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_notices(item.take())),
        _ => {}
    }
    data
}

#[tokio::test]
async fn notices_carry_codes() {
    let server = Server::start().await;
    server.reader.set_status(|status| {
        *status = busy_status();
        status.source.kafka = Some(kafka_status());
        status.failure = Some("MyCat at b:1 has not answered yet; Redis at d:2 has not answered yet".to_owned());
        status.mirrors = vec![MirrorStatus {
            last_error: Some(("Connection refused (os error 111)".to_owned(), 1_704_168_000)),
            recently_refused: vec![(
                "G1".to_owned(),
                "Data too long for column 'clppxh' at row 1 (MySQL error 1406, SQLSTATE 22001)".to_owned(),
            )],
            ..MirrorStatus::default()
        }];
    });
    let data = server.get("/api/status").await.data();
    for (path, expected) in [
        (
            "/failure_notices/1",
            json!({"code": "server_silent", "values": {"name": "Redis", "address": "d:2"}, "cause": null, "inner": null,
            "text": "Redis at d:2 has not answered yet"}),
        ),
        ("/mirrors/0/last_error_notice/code", json!("other")),
        ("/mirrors/0/last_error_notice/cause", json!("refused")),
        ("/mirrors/0/recently_refused/0/error_notice/values/number", json!("1406")),
        ("/source/kafka/last_error_notice/text", json!("refused")),
        ("/source/kafka/advice_notice", Value::Null),
        ("/source/description_notice/code", json!("other")),
    ] {
        assert_eq!(data.pointer(path), Some(&expected), "{path}: {data}");
    }
}

#[tokio::test]
async fn status() {
    let server = Server::start().await;
    server.reader.set_status(|status| *status = busy_status());
    assert_eq!(
        without_notices(server.get("/api/status").await.data()),
        json!({"version": "0.1.0", "role": "all", "uptime_seconds": 12.5, "ready": true, "failure": null,
            "now": "2024-01-02 12:00:00", "newest_gcsj": "2024-01-02 11:59:20", "lag_seconds": 40, "open_streams": 0,
            "source": {"kind": "simulator", "state": "running", "description": "a \"quoted\"\\ source", "position": "record 20",
                "partitions": [{"partition": 3, "watermark": "2024-01-02 11:59:20", "watermark_delay_seconds": 40, "plates": 6}],
                "kafka": null,
                "feeds": [{"name": "MQTT", "address": "mqtt://gate:1883", "connected": false, "away_since": "2024-01-02 12:00:00",
                    "last_error": "refused"}]},
            "pipeline": {"lines": 20, "headers": 1, "blank": 2,
                "rejected": {"total": 7, "by_reason": {"empty_gcxh": 3, "invalid_gcsj": 4}}, "duplicates": 2, "accepted": 8,
                "late": 1, "alerts": 3, "by_shard": [5, 3], "commits": 9, "records_per_second": 1.5,
                "last_commit_seconds": 0.25, "seconds_since_commit": 0.5, "queued_batches": 1, "queue_limit": 4},
            "detection": {"watermark": "2024-01-02 11:59:18", "late": 1, "ahead": 2, "forgotten": 3,
                "conflicts": {"count": 4, "sample": "3.2E+17"},
                "checkpoints": [
                    {"kkmc": "S250_Pizhou_Sulu", "label": "S250-邳州-苏鲁界", "accepted": 5, "late": 0, "ahead": 2,
                        "offset_seconds": 303,
                        "advice": {"code": "clock_ahead", "seconds": 303, "text": "clock about 5 min ahead"}},
                    {"kkmc": "K \"9\"", "label": "K \"9\"", "accepted": 3, "late": 1, "ahead": 0, "offset_seconds": null,
                        "advice": null}]},
            "storage": {"path": "data", "disk_bytes": 1000, "memory_bytes": 2000, "column_cache_bytes": 300,
                "alert_index_bytes": 40, "passages": 8,
                "segments": [2, 1], "retention_seconds": 259200,
                "retention_announced": [{"what": "alerts", "retention_seconds": 86400, "count": 5,
                    "from": "2023-12-01 00:00:00", "to": "2023-12-31 00:00:00", "not_before": "2024-01-03 12:00:00"}],
                "dropped_passages": 9,
                "last_drop": {"at": "2024-01-02 11:00:00", "passages": 4, "from": "2023-12-29 00:00:00",
                    "to": "2023-12-30 00:00:00", "older_than": "2023-12-30 11:00:00", "retention_seconds": 259200},
                "checkpoints": {"count": 3, "source": "sites.csv", "imported_at": "2024-01-01 08:00:00", "restored": true,
                    "lost": false},
                "accepted_loss": null, "oldest_gcsj": "2024-01-01 00:00:24", "rejects": 7},
            "cameras": {"ok": 1, "doubtful": 0, "bad": 1}, "backends": [], "mirrors": [],
            "viid": null, "model": {"kind": null, "version": null, "trained_at": null, "problem": null, "training": false,
                "training_failure": null, "history_hours": 0}})
    );
}

fn kafka_status() -> KafkaStatus {
    let gap = KafkaGap { first: 10, last: 19, found_unix: 1_704_168_000, cause: MissingCause::Deleted };
    let partition = KafkaPartition {
        partition: 3,
        assigned: true,
        position: Some(120),
        end: Some(150),
        lag: Some(30),
        in_transaction: 4,
        gaps: 1,
        missing: 10,
        nulls: 2,
        to_read_back: 7,
        recent_gaps: vec![gap],
    };
    KafkaStatus {
        topic: "traffic-raw".to_owned(),
        group: "platewatch".to_owned(),
        brokers: "b:9092".to_owned(),
        connected: false,
        away_since_unix: Some(1_704_168_000),
        last_error: Some("refused".to_owned()),
        stopped: Some(KafkaStopped {
            reason: StopReason::Codec,
            partitions: vec![3],
            text: "cannot be read".to_owned(),
        }),
        rebalances: 1,
        advice: None,
        partitions: vec![KafkaPartition { partition: 2, ..KafkaPartition::default() }, partition],
    }
}

#[tokio::test]
async fn consumption_of_a_topic_is_told() {
    let server = Server::start().await;
    server.reader.set_status(|status| {
        *status = busy_status();
        status.source.kafka = Some(kafka_status());
    });
    assert_eq!(
        without_notices(server.get("/api/status").await.data())["source"]["kafka"],
        json!({"topic": "traffic-raw", "group": "platewatch", "brokers": "b:9092", "connected": false,
            "away_since": "2024-01-02 12:00:00", "last_error": "refused",
            "stopped": {"code": "codec", "partitions": [3], "text": "cannot be read"}, "rebalances": 1, "advice": null, "lag": 30,
            "gaps": 1, "missing_records": 10, "null_values": 2, "recent_gaps": [
                {"partition": 3, "first": 10, "last": 19, "found": "2024-01-02 12:00:00", "cause": "deleted"}],
            "partitions": [
                {"partition": 2, "assigned": false, "position": null, "end": null, "lag": null, "in_transaction": 0, "to_read_back": 0},
                {"partition": 3, "assigned": true, "position": 120, "end": 150, "lag": 30, "in_transaction": 4, "to_read_back": 7}]})
    );
    let reply = server.get("/metrics").await;
    let text = reply.text();
    for line in [
        "platewatch_kafka_connected 0",
        "platewatch_feed_connected{feed=\"MQTT\",address=\"mqtt://gate:1883\"} 0",
        "platewatch_kafka_rebalances_total 1",
        "platewatch_kafka_position{topic=\"traffic-raw\",partition=\"3\"} 120",
        "platewatch_kafka_lag{topic=\"traffic-raw\",partition=\"3\"} 30",
        "platewatch_kafka_missing_records_total{topic=\"traffic-raw\",partition=\"3\"} 10",
        "platewatch_watermark_delay_seconds{partition=\"3\"} 40",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("platewatch_kafka_lag{topic=\"traffic-raw\",partition=\"2\"}"), "unknown is not 0");
}

fn mirrors() -> Vec<MirrorStatus> {
    let away = MirrorStatus {
        name: "mysql/1".to_owned(),
        target: "mysql://db-app:3307/traffic_db".to_owned(),
        state: MirrorState::Away,
        cursor: 70,
        end: 100,
        lag_seconds: 12,
        sent: 20,
        failures: 3,
        refused: 1,
        recently_refused: vec![("G7".to_owned(), "Data too long".to_owned())],
        lost: 2,
        refilled: 4,
        warnings: 5,
        last_error: Some(("Connection refused".to_owned(), 1_704_168_001)),
        away_since_unix: Some(1_704_168_000),
    };
    let level = MirrorStatus {
        name: "redis".to_owned(),
        state: MirrorState::Level,
        cursor: 3,
        end: 3,
        ..MirrorStatus::default()
    };
    vec![away, level]
}

#[tokio::test]
async fn mirrors_are_told() {
    let server = Server::start().await;
    server.reader.set_status(|status| *status = Status { mirrors: mirrors(), ..busy_status() });
    let data = without_notices(server.get("/api/status").await.data());
    assert_eq!(
        data["mirrors"][0],
        json!({"name": "mysql/1", "target": "mysql://db-app:3307/traffic_db", "state": "away", "cursor": 70, "lag_rows": 30,
            "lag_seconds": 12, "last_error": "Connection refused", "last_error_at": "2024-01-02 12:00:01",
            "away_since": "2024-01-02 12:00:00", "sent": 20, "failures": 3, "refused": 1,
            "recently_refused": [{"gcxh": "G7", "error": "Data too long"}], "lost": 2, "refilled": 4, "warnings": 5})
    );
    assert_eq!(data["mirrors"][1]["state"], "level");
    assert_eq!(data["mirrors"][1]["away_since"], json!(null));
    let reply = server.get("/metrics").await;
    let text = reply.text();
    for line in [
        "platewatch_mirror_state{mirror=\"mysql/1\",state=\"away\"} 1",
        "platewatch_mirror_state{mirror=\"redis\",state=\"away\"} 0",
        "platewatch_mirror_up{mirror=\"mysql/1\"} 0",
        "platewatch_mirror_up{mirror=\"redis\"} 1",
        "platewatch_mirror_cursor{mirror=\"mysql/1\"} 70",
        "platewatch_mirror_lag_rows{mirror=\"mysql/1\"} 30",
        "platewatch_mirror_lag_seconds{mirror=\"mysql/1\"} 12",
        "platewatch_mirror_away_since_seconds{mirror=\"mysql/1\"} 1704168000",
        "platewatch_mirror_last_error_seconds{mirror=\"mysql/1\"} 1704168001",
        "platewatch_mirror_sent_total{mirror=\"mysql/1\"} 20",
        "platewatch_mirror_failures_total{mirror=\"mysql/1\"} 3",
        "platewatch_mirror_refused_total{mirror=\"mysql/1\"} 1",
        "platewatch_mirror_lost_total{mirror=\"mysql/1\"} 2",
        "platewatch_mirror_refilled_total{mirror=\"mysql/1\"} 4",
        "platewatch_mirror_warnings_total{mirror=\"mysql/1\"} 5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn health_and_readiness() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").await.data(), json!({"status": "alive"}));
    assert_eq!(server.get("/readyz").await.data(), json!({"status": "ready"}));
    server
        .reader
        .set_status(|status| status.failure = Some("the disk is full: free some space and restart".to_owned()));
    assert_eq!(server.get("/readyz").await.error(503), "not ready: the disk is full: free some space and restart");
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/api/status").await.data()["ready"], false);
}

#[tokio::test]
async fn metrics_are_well_formed() {
    let server = Server::start().await;
    server.reader.set_status(|status| {
        *status = busy_status();
        status.source.state = SourceState::Finished;
        status.source.kind = "odd \"kind\"\n\\".to_owned();
        status.source.kafka = Some(kafka_status());
        status.mirrors = mirrors();
    });
    server.get("/api/overview").await;
    server.get("/api/overview?x=1").await;
    server.get("/api/made/up/by/the/client").await;
    let reply = server.get("/metrics").await;
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = reply.text();
    for line in [
        "platewatch_accepted_total 8",
        "platewatch_rejected_total{reason=\"invalid_gcsj\"} 4",
        "platewatch_shard_passages_total{shard=\"1\"} 3",
        "platewatch_passages 8",
        "platewatch_alerts_total 3",
        "platewatch_event_lag_seconds 40",
        "platewatch_state_plates{partition=\"3\"} 6",
        "platewatch_source_running{kind=\"odd \\\"kind\\\"\\n\\\\\",state=\"finished\"} 0",
        "platewatch_ready 1",
        "platewatch_cameras{state=\"bad\"} 1",
        "platewatch_camera_findings{code=\"offset\"} 1",
        "platewatch_camera_findings{code=\"silent\"} 0",
        "platewatch_camera_state{kkmc=\"G3_Sulu\"} 2",
        "platewatch_camera_clock_offset_seconds{kkmc=\"G104_Tongshan_Sulu\"} 0.4",
        "platewatch_http_requests_total{method=\"GET\",route=\"/api/overview\",status=\"200\"} 1",
        "platewatch_http_requests_total{method=\"GET\",route=\"/api/overview\",status=\"400\"} 1",
        "platewatch_http_request_duration_seconds_count{route=\"/api/overview\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("made/up"), "a path of the client must not become a label:\n{text}");

    let mut declared = HashSet::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert!(declared.insert(kind.split(' ').next().unwrap()), "declared twice: {line}");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = (line.split(['{', ' ']).next().unwrap(), line.rsplit(' ').next().unwrap());
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
            assert!(name.starts_with("platewatch_") && (declared.contains(name) || declared.contains(base)), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
