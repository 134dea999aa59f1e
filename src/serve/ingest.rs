//! `POST /api/ingest`: takes passage records, and answers when they are durable; below it, events of plate readers, of which records are
//! made first. What a body may be is [`body`]'s; how records are read is the source's.

mod body;
mod events;
mod unpack;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes::RejectReasonName;
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::shortened;
use super::state::Api;
use crate::deliveries::{Deliveries, Form, Receipt, Refused, Room};
use crate::gate::Identity;
#[cfg(any(test, fuzzing))]
pub(super) use unpack::one_a_line_of;

pub(super) use body::read_keeping;

use body::{Format, Packing, read, refused};
use events::{Envelope as EventEnvelope, recorded};
use unpack::unpacked;

/// Whether a body comes as it is, and not compressed.
pub(super) fn is_plain(headers: &HeaderMap) -> bool {
    matches!(Packing::of(headers), Ok(Packing::None))
}

/// How long it may take until records are durable.
const RECEIPT_TIME: Duration = Duration::from_secs(60);
/// Rejected records that are named in an answer.
const NAMED_REJECTS: usize = 100;

/// A record that was not accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IngestReject)]
pub(super) struct RejectJson {
    /// Number of the line, or of the JSON object, from 1.
    #[schema(example = 3)]
    line: u64,
    /// Why.
    #[schema(value_type = RejectReasonName, example = "invalid_gcsj")]
    reason: &'static str,
}

/// What became of the records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IngestReceipt)]
pub(super) struct ReceiptJson {
    /// Lines, or JSON objects. It is the sum of the next four.
    #[schema(example = 1000)]
    lines: u64,
    /// Header and blank lines.
    #[schema(example = 1)]
    skipped: u64,
    /// Passages that are stored now.
    #[schema(example = 995)]
    accepted: u64,
    /// Passages that were stored before: their GCXH is known with the same GCSJ.
    #[schema(example = 2)]
    duplicates: u64,
    /// Records that were not accepted; `/api/rejects` has them as they came.
    #[schema(example = 2)]
    rejected: u64,
    /// The first hundred of these.
    rejects: Vec<RejectJson>,
}

impl From<Receipt> for ReceiptJson {
    fn from(receipt: Receipt) -> Self {
        let Receipt { lines, skipped, accepted, duplicates, rejected, rejects } = receipt;
        let rejects = rejects.into_iter().take(NAMED_REJECTS);
        let rejects = rejects.map(|(line, reason)| RejectJson { line, reason: reason.as_str() }).collect();
        Self { lines, skipped, accepted, duplicates, rejected, rejects }
    }
}

/// Takes passage records: lines as in a capture (`text/plain`, `text/csv`, `text/tab-separated-values`), JSON objects one per line
/// (`application/x-ndjson`), or one object or an array of them (`application/json`), each with the names of the columns as keys. The
/// body may be compressed (`Content-Encoding: gzip`).
///
/// The answer comes when all of it is durable. Whoever gets no answer, or 503 or 504, sends the same again: GCXH tells what was stored.
#[utoipa::path(
    post,
    path = "/ingest",
    tag = "passages",
    request_body(content(
        (String = "text/plain", example = "G1\t铜山县\tS250_Pizhou_Sulu\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌-朗逸-2015\n"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
        (String = "application/x-ndjson"),
        (serde_json::Value = "application/json"),
    ), description = "The records"),
    responses(
        (status = 200, description = "All is durable", body = Envelope<ReceiptJson>),
        (status = 400, description = "The body is not what its type says, or there is such a parameter; nothing was taken", body = ErrorEnvelope),
        (status = 408, description = "The body came too slowly; nothing was taken", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than `api.ingest_max_body`, or has more than 100,000 records; nothing was taken", body = ErrorEnvelope),
        (status = 415, description = "The type, the encoding or the compression of the body is not known; nothing was taken", body = ErrorEnvelope),
        (status = 429, description = "Too much waits already, or the client asks too much; nothing was taken. `Retry-After` says when to try again", body = ErrorEnvelope),
        (status = 409, description = "Records come from elsewhere here (`source.kind`)", body = ErrorEnvelope),
        (status = 503, description = "Nothing more is taken; whether this was is not known", body = ErrorEnvelope),
        (status = 504, description = "It is not durable yet; whether it will be is not known", body = ErrorEnvelope),
    )
)]
pub(super) async fn ingest(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    body: Body,
) -> Answer<ReceiptJson> {
    let deliveries = deliveries(&api)?;
    let (format, packing) = (Format::of(&headers)?, Packing::of(&headers)?);
    let limit = api.settings.ingest_limit;
    let mut room = deliveries.room();
    let body = read(body, headers.get(header::CONTENT_LENGTH), limit, &mut room).await?;
    let unpacking = api.lanes.unpack(move || unpacked(body, packing, format, limit, &mut room).map(|it| (it, room)));
    let ((body, form), room) = unpacking.await??;
    delivered(&deliveries, &identity, body, form, room).await
}

/// Takes what a plate reader sends when it has seen vehicles, such as a webhook: `events` is `plate-recognizer`, `rekor`, `frigate`, or the
/// name of a table in the file `source.events`. A body is one event, an array of them, one on each line (`application/x-ndjson`), or a
/// form with one in its field `json` (`multipart/form-data`); JSON may be compressed (`Content-Encoding: gzip`).
///
/// The answer comes when all of it is durable. Events about something else count as skipped.
#[utoipa::path(
    post,
    path = "/ingest/{events}",
    tag = "passages",
    params(("events" = String, Path, description = "The kind of the events", example = "plate-recognizer")),
    request_body(content(
        (serde_json::Value = "application/json"),
        (String = "application/x-ndjson"),
        (String = "multipart/form-data"),
    ), description = "The events"),
    responses(
        (status = 200, description = "All is durable", body = Envelope<ReceiptJson>),
        (status = 400, description = "The body is not what its type says, or there is such a parameter; nothing was taken", body = ErrorEnvelope),
        (status = 404, description = "No events are called so; nothing was taken", body = ErrorEnvelope),
        (status = 408, description = "The body came too slowly; nothing was taken", body = ErrorEnvelope),
        (status = 413, description = "The body, or what is made of it, is larger than `api.ingest_max_body`, or has more than 100,000 records; nothing was taken", body = ErrorEnvelope),
        (status = 415, description = "The type or the compression of the body is not known; nothing was taken", body = ErrorEnvelope),
        (status = 429, description = "Too much waits already, or the client asks too much; nothing was taken. `Retry-After` says when to try again", body = ErrorEnvelope),
        (status = 409, description = "Records come from elsewhere here (`source.kind`)", body = ErrorEnvelope),
        (status = 503, description = "Nothing more is taken; whether this was is not known", body = ErrorEnvelope),
        (status = 504, description = "It is not durable yet; whether it will be is not known", body = ErrorEnvelope),
    )
)]
pub(super) async fn ingest_events(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<ReceiptJson> {
    let deliveries = deliveries(&api)?;
    let tables = &api.settings.events;
    let Some(table) = tables.get(&name) else {
        let known = tables.names().collect::<Vec<_>>().join(", ");
        return Err(ApiError::new(ErrorReason::EventsUnknown).with("given", shortened(&name)).with("known", known));
    };
    let (envelope, packing) = (EventEnvelope::of(&headers)?, Packing::of(&headers)?);
    if packing != Packing::None && matches!(envelope, EventEnvelope::Multipart(_)) {
        return Err(ApiError::new(ErrorReason::IngestPacking).with("given", "gzip, and is a form"));
    }
    let limit = api.settings.ingest_limit;
    let mut room = deliveries.room();
    let body = read(body, headers.get(header::CONTENT_LENGTH), limit, &mut room).await?;
    let opened = envelope.opened(body, &mut room).await?;
    let recording = api.lanes.unpack(move || recorded(opened, packing, limit, &table, &mut room).map(|it| (it, room)));
    let ((body, form), room) = recording.await??;
    delivered(&deliveries, &identity, body, form, room).await
}

fn deliveries(api: &Api) -> Result<Arc<Deliveries>, ApiError> {
    api.settings.deliveries.clone().ok_or_else(|| ApiError::new(ErrorReason::NoIntake))
}

/// Hands records over, and waits until they are durable.
async fn delivered(
    deliveries: &Deliveries,
    identity: &Identity,
    body: Bytes,
    form: Form,
    room: Room,
) -> Answer<ReceiptJson> {
    let who = identity.who.as_ref().map_or_else(|| "http".to_owned(), |who| format!("http {}", who.name));
    stored(deliveries, body, form, who, room).await.map(|receipt| Success(receipt.into()))
}

/// The same for records of a sender with this name.
pub(super) async fn stored(
    deliveries: &Deliveries,
    body: Bytes,
    form: Form,
    who: String,
    room: Room,
) -> Result<Receipt, ApiError> {
    let waiting = deliveries.deliver(body, form, who.into(), room).map_err(refused)?;
    match tokio::time::timeout(RECEIPT_TIME, waiting).await {
        Ok(Ok(receipt)) => Ok(receipt),
        Ok(Err(_)) => Err(refused(Refused::Ended)),
        Err(_) => Err(ApiError::new(ErrorReason::IntakeSlow).with("seconds", RECEIPT_TIME.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::RejectReason::InvalidGcsj;

    #[test]
    fn an_answer_names_the_first_hundred_rejects_whatever_a_receipt_says() {
        let rejects = (1..=150).map(|line| (line, InvalidGcsj)).collect();
        let json = ReceiptJson::from(Receipt { lines: 200, rejected: 150, rejects, ..Receipt::default() });
        assert_eq!((json.rejected, json.rejects.len(), json.rejects[99].line), (150, NAMED_REJECTS, 100));
    }
}
