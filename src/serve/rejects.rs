//! `GET /api/rejects`: rejected lines: counts by reason, and the newest lines.

use std::sync::Arc;

use axum::extract::{Extension, State};
use base64::Engine as _;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Record;
use super::codes::RejectReasonName;
use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::fields::{MAX_WHOLE, QueryFields};
use super::sight::Sight;
use super::state::Api;
use crate::reader::RejectRow;

const MAX_LIMIT: u64 = 200;
const DEFAULT_LIMIT: u64 = 20;
/// Bytes of a line that are shown; more are kept.
const SHOWN_BYTES: usize = 1024;

/// A reason and how many lines were rejected for it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonCount {
    /// The reason.
    #[schema(value_type = RejectReasonName, example = "invalid_gcsj")]
    reason: &'static str,
    /// Lines since the data directory was made.
    #[schema(example = 2)]
    count: u64,
}

/// A rejected line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reject)]
pub(super) struct RejectJson {
    /// Number of the reject, from 1 without gaps.
    #[schema(example = 7)]
    seq: u64,
    /// File or topic it came from.
    #[schema(example = "traffic.log")]
    origin: String,
    /// Number of the line in the file, from 1, or offset in the topic.
    #[schema(example = 1234)]
    line: u64,
    /// Why.
    #[schema(value_type = RejectReasonName, example = "invalid_gcsj")]
    reason: &'static str,
    /// Its first 1024 bytes as text that is safe to show: control characters, those that change the direction of text,
    /// and bytes that are not UTF-8 are written as `\u{…}` and `\x..`, a backslash as `\\`.
    #[schema(example = "G1\\u{9}邳州市")]
    text: String,
    /// The same bytes in base64, exactly as they came.
    #[schema(example = "RzEJ6YKz5bee5biC")]
    raw_base64: String,
    /// Bytes of the whole line.
    #[schema(example = 12)]
    bytes: u64,
    /// Newest GCSJ when it arrived; null if there was none.
    #[schema(example = "2024-01-01 12:34:56")]
    near: Option<String>,
}

/// Rejected lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RejectList)]
pub(super) struct RejectListJson {
    /// Lines rejected since the data directory was made.
    #[schema(example = 3)]
    total: u64,
    /// Lines that are kept (`store.rejects_retention`, `store.rejects_size`).
    #[schema(example = 3)]
    kept: u64,
    /// By reason, most frequent first.
    reasons: Vec<ReasonCount>,
    /// Newest first. There may be fewer than `limit`, even none, although `next` says that there are more.
    records: Vec<RejectJson>,
    /// Value of `before` for the next page; null at the end.
    #[schema(example = json!(null))]
    next: Option<u64>,
}

/// Rejected lines: counts by reason, and the newest.
#[utoipa::path(
    get,
    path = "/rejects",
    tag = "operation",
    params(
        ("reason" = Option<String>, Query, description = "Only lines rejected for this reason", example = "invalid_gcsj"),
        ("before" = Option<u64>, Query, description = "Only rejects with a number below this: `next` of the list before", example = 120),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Lines; default 20", example = 20),
    ),
    responses(
        (status = 200, description = "Counts and lines", body = Envelope<RejectListJson>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn rejects(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    QueryFields(fields): QueryFields,
) -> Answer<RejectListJson> {
    let reason = fields.named("reason")?;
    let before = fields.whole_if_given("before", 0..=MAX_WHOLE)?;
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    record.details(fields.given(&["reason", "before"]).with("limit", limit as u64));
    let piece = api.scan(&sight, move |snapshot| snapshot.rejects(reason, before, limit)).await?;
    record.rows(piece.records.len());
    let counts = api.status(&sight).await?.pipeline.rejected;
    let mut reasons: Vec<_> = counts.iter().map(|(reason, count)| ReasonCount { reason, count: *count }).collect();
    reasons.sort_by_key(|entry| std::cmp::Reverse(entry.count));
    Ok(Success(RejectListJson {
        total: counts.values().sum(),
        kept: piece.kept,
        reasons,
        records: piece.records.into_iter().map(RejectJson::from).collect(),
        next: piece.next,
    }))
}

impl From<RejectRow> for RejectJson {
    fn from(row: RejectRow) -> Self {
        let shown = row.raw.get(..SHOWN_BYTES).unwrap_or(&row.raw);
        Self {
            seq: row.seq,
            origin: row.origin,
            line: row.line,
            reason: row.reason.as_str(),
            text: safe_text(shown),
            raw_base64: base64::engine::general_purpose::STANDARD.encode(shown),
            bytes: row.bytes,
            near: row.near.map(|near| near.to_string()),
        }
    }
}

/// Bytes as text without invisible or control characters.
fn safe_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                hidden if hidden.is_control() || is_invisible(hidden) => text.extend(hidden.escape_unicode()),
                shown => text.push(shown),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Zero-width characters, byte order mark, bidirectional and line marks (the misleading characters of the Unicode general
/// categories Cf, Zl and Zp).
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_hides_nothing() {
        for (bytes, expected) in [
            ("G1\t邳州市".as_bytes(), "G1\\u{9}邳州市"),
            (b"a\\x41", "a\\\\x41"),
            (b"\xff\xfex\x00", "\\xff\\xfex\\u{0}"),
            ("苏C\u{202e}54321".as_bytes(), "苏C\\u{202e}54321"),
            ("<script>alert(1)</script>".as_bytes(), "<script>alert(1)</script>"),
            // A truncated character.
            (&"苏".as_bytes()[..2], "\\xe8\\x8b"),
        ] {
            assert_eq!(safe_text(bytes), expected);
        }
    }
}
