//! The results of a replay: `alerts.jsonl`, `cases.jsonl`, `rejects.jsonl`, `summary.json`, and the summary as text.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use shard::PerShard;
use std::collections::BTreeMap;
use traffic::CivilTime;

use crate::alert_json::AlertJson;
use crate::camera_clocks::DetectionStatus;
use crate::reader::Snapshot;
use crate::store::{StoredReject, Totals, View};

/// Alerts and rejects read from the store at a time.
const CHUNK: usize = 4096;
/// Cases are larger.
const CASES_AT_ONCE: usize = 64;
/// If a larger share of the accepted records is late, sorting by time is advised.
const LATE_SHARE: f64 = 0.01;
const MOST: f64 = 0.5;
/// Maximum number of wrong clocks that are named.
const MAX_CLOCKS: usize = 8;

/// `summary.json`.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    lines: u64,
    headers: u64,
    blank: u64,
    rejected: Rejected,
    duplicates: u64,
    accepted: u64,
    late: u64,
    ahead: u64,
    alerts: u64,
    cases: u64,
    by_shard: PerShard<u64>,
    #[serde(serialize_with = "as_map")]
    by_kkmc: Vec<(Arc<str>, u64)>,
    first_time: Option<String>,
    last_time: Option<String>,
    elapsed_seconds: f64,
    records_per_second: f64,
    /// Only used in the summary as text.
    #[serde(skip)]
    detection: DetectionStatus,
    /// Notes on the files for the user, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Rejected {
    total: u64,
    by_reason: BTreeMap<&'static str, u64>,
}

/// A JSON object in the order of the list: busiest first.
fn as_map<S: Serializer>(counts: &[(Arc<str>, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(counts.len()))?;
    for (name, count) in counts {
        map.serialize_entry(&**name, count)?;
    }
    map.end()
}

/// A line of `rejects.jsonl`.
#[derive(Serialize)]
struct RejectLine<'a> {
    seq: u64,
    file: &'a str,
    line: u64,
    reason: &'static str,
    /// The line; bytes that are not UTF-8 are shown as U+FFFD.
    raw: &'a str,
    /// The line's exact bytes, where they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
    /// Bytes of the whole line, where `raw` is only its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

impl Outcome {
    /// `lines_now` is the number of lines that this run read, from which the rate is computed.
    pub(super) fn new(
        totals: &Totals,
        cases: u64,
        detection: DetectionStatus,
        by_kkmc: Vec<(Arc<str>, u64)>,
        elapsed: Duration,
        lines_now: u64,
    ) -> Self {
        let text = |time: Option<i64>| time.map(|time| CivilTime(time).to_string());
        let seconds = elapsed.as_secs_f64();
        Self {
            lines: totals.lines,
            headers: totals.headers,
            blank: totals.blank,
            rejected: Rejected { total: totals.rejected_total(), by_reason: totals.rejected_by_reason() },
            duplicates: totals.duplicates,
            accepted: totals.accepted,
            late: totals.late,
            ahead: detection.ahead,
            alerts: totals.alerts,
            cases,
            by_shard: totals.by_shard.clone(),
            by_kkmc,
            first_time: text(totals.first_time),
            last_time: text(totals.last_time),
            elapsed_seconds: (seconds * 1000.0).round() / 1000.0,
            records_per_second: (lines_now as f64 / seconds.max(1e-9)).round(),
            detection,
            notes: Vec::new(),
        }
    }

    /// Adds the notes of the source on its files.
    pub(super) fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// The summary as text.
    pub(super) fn text(&self, out: &Path) -> String {
        let reasons: Vec<_> =
            self.rejected.by_reason.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let span = match (&self.first_time, &self.last_time) {
            (Some(first), Some(last)) => format!(", {first} to {last}"),
            _ => String::new(),
        };
        format!(
            "{} lines in {:.1} s, {:.0} a second\n  accepted {} (late {}, ahead {}){span}\n  duplicates {}, headers {}, blank {}, \
             rejected {}{reasons}\n  alerts {}, cases {}\nwritten to {}: alerts.jsonl, cases.jsonl, rejects.jsonl, summary.json\n",
            self.lines,
            self.elapsed_seconds,
            self.records_per_second,
            self.accepted,
            self.late,
            self.ahead,
            self.duplicates,
            self.headers,
            self.blank,
            self.rejected.total,
            self.alerts,
            self.cases,
            out.display(),
        )
    }

    /// Notes that are shown even with `--quiet`.
    pub(super) fn warnings(&self, by_time: bool, files: &[PathBuf]) -> Vec<String> {
        let mut warnings = Vec::new();
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        if self.lines == 0 {
            warnings.push(format!("{} holds no line: nothing to replay", files.join(", ")));
        } else if self.accepted == 0 && !self.notes.is_empty() {
            warnings.push(format!(
                "none of the {} lines of {} is a passage: see rejects.jsonl for the reasons; {}",
                self.lines,
                files.join(", "),
                self.notes.join("; "),
            ));
        } else if self.accepted == 0 {
            warnings.push(format!(
                "none of the {} lines of {} is a passage: see rejects.jsonl for the reasons, and --columns, --delimiter and \
                 --encoding",
                self.lines,
                files.join(", ")
            ));
        }
        if self.accepted > 0 {
            warnings.extend(self.notes.iter().cloned());
        }
        let share = self.late as f64 / self.accepted.max(1) as f64;
        if !by_time && share > LATE_SHARE {
            warnings.push(format!(
                "{:.1} % of the records came too late to be compared: the capture is not in the order of time, --order time \
                 sorts it first",
                share * 100.0
            ));
        }
        if self.detection.conflicts > 0 {
            warnings.push(format!(
                "{} records have a GCXH that was accepted with another time, such as {:?}, and are rejected: ids that a \
                 spreadsheet has ruined look like this, export them as text",
                self.detection.conflicts,
                self.detection.conflict_sample.as_deref().unwrap_or_default()
            ));
        }
        // If most records are late, the cause is the order of the capture, not the clocks.
        if share < MOST {
            warnings.extend(self.clock_warning());
        }
        warnings
    }

    /// Which clocks are wrong.
    fn clock_warning(&self) -> Option<String> {
        let wrong: Vec<_> = self
            .detection
            .checkpoints
            .iter()
            .filter_map(|clock| clock.advice.map(|advice| format!("{} ({})", clock.kkmc, advice.text())))
            .collect();
        let more = wrong.len().saturating_sub(MAX_CLOCKS);
        let named = wrong.get(..wrong.len().min(MAX_CLOCKS)).unwrap_or_default().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!wrong.is_empty()).then(|| format!("clocks that do not agree with the others: {named}{more}"))
    }
}

/// Writes the four files; each appears whole or not at all.
pub(super) fn write_outcome(out: &Path, view: &View, outcome: &Outcome) -> anyhow::Result<()> {
    write_file(out, "alerts.jsonl", |writer| {
        let mut seq = 0;
        loop {
            let alerts = view.alerts_after(seq, CHUNK)?;
            let Some(last) = alerts.last() else { return Ok(()) };
            seq = last.seq;
            for alert in &alerts {
                serde_json::to_writer(&mut *writer, &AlertJson::from(alert))?;
                writer.write_all(b"\n")?;
            }
        }
    })?;
    write_file(out, "cases.jsonl", |writer| {
        let mut seq = 0;
        loop {
            let cases = view.cases_after(seq, CASES_AT_ONCE)?;
            let Some(last) = cases.last() else { return Ok(()) };
            seq = last.seq;
            for case in &cases {
                serde_json::to_writer(&mut *writer, case)?;
                writer.write_all(b"\n")?;
            }
        }
    })?;
    write_file(out, "rejects.jsonl", |writer| {
        let mut seq = 0;
        loop {
            let rejects = view.rejects_after(seq, CHUNK)?;
            let Some((last, _)) = rejects.last() else { return Ok(()) };
            seq = *last;
            for (seq, reject) in &rejects {
                write_reject(writer, *seq, reject)?;
            }
        }
    })?;
    write_file(out, "summary.json", |writer| {
        serde_json::to_writer_pretty(&mut *writer, outcome)?;
        Ok(writer.write_all(b"\n")?)
    })
}

fn write_reject(writer: &mut impl Write, seq: u64, reject: &StoredReject) -> anyhow::Result<()> {
    let raw = String::from_utf8_lossy(&reject.raw);
    let valid = matches!(raw, std::borrow::Cow::Borrowed(_));
    let line = RejectLine {
        seq,
        file: &reject.origin,
        line: reject.line,
        reason: reject.reason.as_str(),
        raw: &raw,
        raw_base64: (!valid).then(|| base64::engine::general_purpose::STANDARD.encode(&reject.raw)),
        bytes: (reject.bytes > reject.raw.len() as u64).then_some(reject.bytes),
    };
    serde_json::to_writer(&mut *writer, &line)?;
    Ok(writer.write_all(b"\n")?)
}

fn write_file(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = folder.join(name);
    // A fixed name: the file of a killed process is replaced, and none accumulate.
    let part = format!(".{name}.part");
    let write = || -> anyhow::Result<()> {
        let _ = std::fs::remove_file(folder.join(&part));
        let mut builder = tempfile::Builder::new();
        let mut file = builder.prefix(&part).rand_bytes(0).permissions(readable()).tempfile_in(folder)?;
        let mut writer = BufWriter::with_capacity(1 << 18, file.as_file_mut());
        fill(&mut writer)?;
        writer.flush()?;
        drop(writer);
        file.persist(&path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// What a new file usually allows; the user's mask is applied to it.
fn readable() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o666)
}
