//! `/metrics`: the state of the appliance and of this interface for Prometheus, in its text format 0.0.4.

mod cameras;
mod http;
mod roads;
mod text;
mod viid;

use std::sync::Arc;

use access::Scope;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::state::Api;
use crate::camera_clocks::{CheckpointClock, DetectionStatus};
use crate::clock::unix_now;
use crate::forecast::Forecaster;
use crate::reader::Totals;
use crate::status::{KafkaPartition, KafkaStatus, MirrorState, MirrorStatus, SourceState, Status};

pub(super) use http::HttpMetrics;
use text::Exposition;

/// Metrics in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "Prometheus text format 0.0.4", content_type = "text/plain", body = String,
        example = "# HELP platewatch_accepted_total Accepted passages.\n# TYPE platewatch_accepted_total counter\nplatewatch_accepted_total 1299976\n"))
)]
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Result<Response, ApiError> {
    // Only those who see everything get here.
    let sight = api.sight(&Scope::everywhere());
    let status = api.status(&sight).await?;
    let mut out = Exposition::default();
    let totals = sight.snapshot().totals();
    appliance(&mut out, &status, &totals, totals.newest.map(|newest| api.now().0 - newest.0));
    let mut delays = out
        .gauge("platewatch_watermark_delay_seconds", "Seconds by which a partition's watermark is behind the clock.");
    for partition in &status.source.partitions {
        if let Some(watermark) = partition.watermark {
            let delay = api.now().0 - watermark.0;
            delays.labelled(&[("partition", &partition.partition.to_string())], delay as f64);
        }
    }
    if let Ok(report) = sight.cameras() {
        cameras::write(&mut out, &report);
    }
    out.gauge("platewatch_event_streams_open", "Event streams that are open.").value(api.open_streams() as f64);
    if let Some(trail) = &api.trail {
        out.gauge(
            "platewatch_audit_log_ready",
            "0 while entries of the audit log cannot be written, so nothing is shown.",
        )
        .value(f64::from(u8::from(trail.failure().is_none())));
    }
    if let Some(ends_at) = api.settings.tls.as_ref().and_then(|tls| tls.ends_at()) {
        out.gauge(
            "platewatch_tls_certificate_ends_seconds",
            "When the certificate of HTTPS ends, in seconds since 1970.",
        )
        .value(ends_at as f64);
    }
    model(&mut out, &*api.settings.forecaster);
    if let Some(viid) = &api.settings.viid {
        viid::write(&mut out, &viid.status(unix_now()));
    }
    if let Ok(roads) = sight.roads() {
        roads::write(&mut out, &roads);
    }
    api.metrics.write(&mut out);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out.finish()).into_response())
}

fn appliance(out: &mut Exposition, status: &Status, totals: &Totals, lag_seconds: Option<i64>) {
    let Status { version, role, uptime_seconds, source, pipeline, detection, storage, backends, mirrors, failure } =
        status;
    out.gauge("platewatch_build_info", "Version and role; always 1.")
        .labelled(&[("version", version), ("role", role)], 1.0);
    out.gauge("platewatch_uptime_seconds", "Seconds since the process started.").value(*uptime_seconds);
    out.gauge("platewatch_ready", "1 if the appliance takes input, 0 if it stopped.")
        .value(f64::from(u8::from(failure.is_none())));

    if !backends.is_empty() {
        let mut connected =
            out.gauge("platewatch_backend_connected", "1 while a server that answers are read from answers.");
        for backend in backends {
            let labels = [("server", backend.name.as_str()), ("address", backend.address.as_str())];
            connected.labelled(&labels, f64::from(u8::from(backend.connected)));
        }
    }

    out.counter("platewatch_lines_total", "Lines read.").value(pipeline.lines as f64);
    out.counter("platewatch_headers_total", "Header lines.").value(pipeline.headers as f64);
    out.counter("platewatch_blank_total", "Blank lines.").value(pipeline.blank as f64);
    let mut rejected = out.counter("platewatch_rejected_total", "Rejected lines by reason.");
    for (reason, count) in &pipeline.rejected {
        rejected.labelled(&[("reason", reason)], *count as f64);
    }
    out.counter("platewatch_duplicates_total", "Duplicate passages.").value(pipeline.duplicates as f64);
    out.counter("platewatch_accepted_total", "Accepted passages.").value(pipeline.accepted as f64);
    out.counter("platewatch_late_total", "Accepted passages that were too late to compare.")
        .value(pipeline.late as f64);
    if let Some(detection) = detection {
        self::detection(out, detection);
    }
    out.counter("platewatch_alerts_total", "Alerts raised.").value(totals.alerts as f64);
    let mut by_shard = out.counter("platewatch_shard_passages_total", "Accepted passages by shard.");
    for (shard, count) in pipeline.by_shard.iter().enumerate() {
        by_shard.labelled(&[("shard", &shard.to_string())], *count as f64);
    }
    out.counter("platewatch_commits_total", "Commits of this process.").value(pipeline.commits as f64);
    out.gauge("platewatch_records_per_second", "Passages accepted per second over the last ten seconds.")
        .value(pipeline.records_per_second);
    out.gauge("platewatch_last_commit_seconds", "Seconds that the last commit took.")
        .value(pipeline.last_commit_seconds);
    out.gauge("platewatch_seconds_since_commit", "Seconds since the last commit.").value(pipeline.seconds_since_commit);
    out.gauge("platewatch_queued_batches", "Batches that wait between parser and writer.")
        .value(pipeline.queue.0 as f64);
    out.gauge("platewatch_queue_limit", "Batches that may wait.").value(pipeline.queue.1 as f64);

    out.gauge("platewatch_source_running", "1 while the source delivers, by kind and state.").labelled(
        &[("kind", &source.kind), ("state", source.state.as_str())],
        f64::from(u8::from(source.state == SourceState::Running)),
    );
    let mut plates = out.gauge("platewatch_state_plates", "Plates that hold state, by partition.");
    for partition in &source.partitions {
        plates.labelled(&[("partition", &partition.partition.to_string())], partition.plates as f64);
    }
    if let Some(kafka) = &source.kafka {
        self::kafka(out, kafka);
    }
    if !source.feeds.is_empty() {
        let mut connected =
            out.gauge("platewatch_feed_connected", "1 while a server that sends records beside HTTP is connected.");
        for feed in &source.feeds {
            let labels = [("feed", feed.name.as_str()), ("address", feed.address.as_str())];
            connected.labelled(&labels, f64::from(u8::from(feed.connected)));
        }
    }

    out.gauge("platewatch_passages", "Passages retained.").value(totals.passages as f64);
    out.gauge("platewatch_last_minute_passages", "Passages in the newest 60 seconds of event time.")
        .value(totals.last_minute as f64);
    if let Some(lag) = lag_seconds {
        out.gauge("platewatch_event_lag_seconds", "Seconds by which the newest GCSJ is behind the clock.")
            .value(lag as f64);
    }
    out.gauge("platewatch_storage_disk_bytes", "Bytes of all files on disk.").value(storage.disk_bytes as f64);
    out.gauge("platewatch_storage_memory_bytes", "Bytes of memtables and block cache.")
        .value(storage.memory_bytes as f64);
    out.gauge("platewatch_storage_column_cache_bytes", "Bytes of decoded columns held for queries.")
        .value(storage.column_cache_bytes as f64);
    out.gauge("platewatch_storage_alert_index_bytes", "Bytes of the alerts in memory.")
        .value(storage.alert_index_bytes as f64);
    let mut segments = out.gauge("platewatch_storage_segments", "Segments by shard.");
    for (shard, count) in storage.segments.iter().enumerate() {
        segments.labelled(&[("shard", &shard.to_string())], *count as f64);
    }
    out.counter("platewatch_retention_dropped_passages_total", "Passages that retention dropped.")
        .value(storage.dropped_passages as f64);
    let mut announced =
        out.gauge("platewatch_retention_announced", "What a shorter retention is going to drop, by what it is.");
    for drop in &storage.retention_announced {
        announced.labelled(&[("what", drop.what.as_str())], drop.count as f64);
    }
    out.gauge("platewatch_storage_rejects", "Rejected lines kept.").value(storage.rejects as f64);
    if !mirrors.is_empty() {
        self::mirrors(out, mirrors);
    }
}

fn detection(out: &mut Exposition, status: &DetectionStatus) {
    out.counter("platewatch_ahead_total", "Accepted passages that were far ahead of the watermark.")
        .value(status.ahead as f64);
    out.counter(
        "platewatch_forgotten_sightings_total",
        "Sightings that a plate with the most it may have had no room for.",
    )
    .value(status.forgotten as f64);
    let mut each = |name, help, value: fn(&CheckpointClock) -> u64| {
        let mut metric = out.counter(name, help);
        for clock in &status.checkpoints {
            metric.labelled(&[("kkmc", &clock.kkmc)], value(clock) as f64);
        }
    };
    each("platewatch_checkpoint_passages_total", "Accepted passages by checkpoint.", |clock| clock.accepted);
    each("platewatch_checkpoint_late_total", "Late passages by checkpoint.", |clock| clock.late);
    each("platewatch_checkpoint_ahead_total", "Passages far ahead of the watermark by checkpoint.", |clock| {
        clock.ahead
    });
    let mut offsets = out
        .gauge("platewatch_checkpoint_offset_seconds", "Seconds that a checkpoint's times are ahead of most others'.");
    for clock in &status.checkpoints {
        if let Some(offset) = clock.offset_seconds {
            offsets.labelled(&[("kkmc", &clock.kkmc)], offset as f64);
        }
    }
}

fn mirrors(out: &mut Exposition, mirrors: &[MirrorStatus]) {
    let mut states = out.gauge("platewatch_mirror_state", "1 for the state that a mirror is in.");
    for mirror in mirrors {
        for state in MirrorState::ALL {
            let labels = [("mirror", mirror.name.as_str()), ("state", state.as_str())];
            states.labelled(&labels, f64::from(u8::from(mirror.state == state)));
        }
    }
    let mut each = |name, help, is_counter: bool, value: fn(&MirrorStatus) -> f64| {
        let mut metric = if is_counter { out.counter(name, help) } else { out.gauge(name, help) };
        for mirror in mirrors {
            metric.labelled(&[("mirror", &mirror.name)], value(mirror));
        }
    };
    each("platewatch_mirror_up", "1 while the target takes rows.", false, |mirror| {
        f64::from(u8::from(matches!(mirror.state, MirrorState::Level | MirrorState::Sending)))
    });
    each("platewatch_mirror_cursor", "Rows (alerts) that the target has acknowledged.", false, |mirror| {
        mirror.cursor as f64
    });
    each("platewatch_mirror_lag_rows", "Rows (alerts) that the target lacks.", false, |mirror| {
        mirror.lag_rows() as f64
    });
    let help = "Seconds of event time between the newest that was committed and the newest that the target has.";
    each("platewatch_mirror_lag_seconds", help, false, |mirror| mirror.lag_seconds as f64);
    let help = "When the target went away, in seconds since 1970; 0 while it takes rows.";
    each("platewatch_mirror_away_since_seconds", help, false, |mirror| mirror.away_since_unix.unwrap_or(0) as f64);
    let help = "When a call failed last, in seconds since 1970; 0 if none did.";
    each("platewatch_mirror_last_error_seconds", help, false, |mirror| {
        mirror.last_error.as_ref().map_or(0.0, |(_, unix)| *unix as f64)
    });
    each("platewatch_mirror_sent_total", "Rows that the target acknowledged.", true, |mirror| mirror.sent as f64);
    each("platewatch_mirror_failures_total", "Calls that failed.", true, |mirror| mirror.failures as f64);
    each("platewatch_mirror_refused_total", "Rows that the target refused.", true, |mirror| mirror.refused as f64);
    let help = "Rows that retention dropped before the target took them.";
    each("platewatch_mirror_lost_total", help, true, |mirror| mirror.lost as f64);
    let help = "How often the target lacked what it had, and was filled again.";
    each("platewatch_mirror_refilled_total", help, true, |mirror| mirror.refilled as f64);
    let help = "Warnings of the target: it changes values.";
    each("platewatch_mirror_warnings_total", help, true, |mirror| mirror.warnings as f64);
}

fn model(out: &mut Exposition, forecaster: &dyn Forecaster) {
    let status = forecaster.status();
    if let Some(model) = forecaster.current() {
        let about = model.about();
        out.gauge(
            "platewatch_model_trained_timestamp_seconds",
            "When the flow model was trained, by kind and version.",
        )
        .labelled(&[("kind", about.kind), ("version", &about.version)], about.trained_at_unix as f64);
    }
    out.gauge("platewatch_model_problem", "1 if the files of the flow model are damaged or its training failed.")
        .value(f64::from(u8::from(status.problem.is_some() || status.training_failure.is_some())));
    out.gauge("platewatch_model_history_seconds", "Seconds of counts that a training can learn from.")
        .value(status.history_hours as f64 * 3600.0);
}

fn kafka(out: &mut Exposition, kafka: &KafkaStatus) {
    out.gauge("platewatch_kafka_connected", "1 while any broker can be reached.")
        .value(f64::from(u8::from(kafka.connected)));
    out.counter("platewatch_kafka_rebalances_total", "How often the group shared its partitions out again.")
        .value(kafka.rebalances as f64);
    let mut each = |name, help, is_counter: bool, value: fn(&KafkaPartition) -> Option<f64>| {
        let mut metric = if is_counter { out.counter(name, help) } else { out.gauge(name, help) };
        for partition in &kafka.partitions {
            if let Some(value) = value(partition) {
                metric.labelled(&[("topic", &kafka.topic), ("partition", &partition.partition.to_string())], value);
            }
        }
    };
    each("platewatch_kafka_assigned", "1 if this process consumes the partition.", false, |partition| {
        Some(f64::from(u8::from(partition.assigned)))
    });
    each("platewatch_kafka_position", "Offset of the first record that is not stored yet.", false, |partition| {
        partition.position.map(|offset| offset as f64)
    });
    each("platewatch_kafka_end", "Offset after the newest record.", false, |partition| {
        partition.end.map(|offset| offset as f64)
    });
    each("platewatch_kafka_lag", "Records that are not stored yet.", false, |partition| {
        partition.lag.map(|lag| lag as f64)
    });
    each("platewatch_kafka_gaps_total", "Gaps: records gone before they were read.", true, |partition| {
        Some(partition.gaps as f64)
    });
    each("platewatch_kafka_missing_records_total", "Records in gaps.", true, |partition| {
        Some(partition.missing as f64)
    });
    each("platewatch_kafka_null_values_total", "Messages without a value.", true, |partition| {
        Some(partition.nulls as f64)
    });
}
