//! `GET /api/warnings/stream`: alerts as they are raised, and cases as they change, as server-sent events.
//!
//! The stream is a cursor over the stored alerts: after every commit it sends the alerts above the last `seq` it sent. So a
//! client that lags or reconnects loses nothing, nothing is queued for it, and it slows no one (see [`super::replay`]). It
//! ends at shutdown, and when another client needs its slot; a client that reconnects continues where it was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::error::{ApiError, ErrorEnvelope, ErrorReason};
use super::fields::{Fields, MAX_WHOLE, QueryFields, shortened};
use super::listen::{Client, Lasting};
use super::shares::Share;
use super::sight::Sight;
use super::state::Api;

/// How long a client should wait before it reconnects.
const RECONNECT: Duration = Duration::from_secs(2);
/// A comment is sent after this long without an event, so that neither side considers the other dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Pause after a read that failed.
const RETRY_READ: Duration = Duration::from_secs(1);

/// Alerts as server-sent events: event `warning`, `id` = `seq`, `data` = the alert's JSON. And cases: event `case`, without an id,
/// whenever a case is opened or changes, `data` = `seq, id, hphm, probability, cause, contradictions, last_time`; after a
/// reconnection read `GET /api/cases`.
///
/// Without a last event id the stream begins with the next alert. With one it begins with the alert after it, so a
/// client that reconnects misses nothing. If many streams are open, one may be ended for another client: reconnect. An id above the newest alert counts as none.
#[utoipa::path(
    get,
    path = "/warnings/stream",
    tag = "warnings",
    params(
        ("Last-Event-ID" = Option<u64>, Header, description = "`seq` of the last alert that was received; 0 sends all that is retained", example = 12),
        ("lastEventId" = Option<u64>, Query, description = "The same, for clients that cannot set the header (which wins)", example = 12),
    ),
    responses(
        (status = 200, description = "An endless stream; a comment every 15 s keeps it alive", content_type = "text/event-stream", body = String,
         example = "event: warning\nid: 13\ndata: {\"seq\":13,…}\n\n"),
        (status = 400, description = "The last event id is no number", body = ErrorEnvelope),
        (status = 503, description = "This server gives no streams", body = ErrorEnvelope),
    )
)]
pub(super) async fn stream(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(client): Extension<Client>,
    QueryFields(fields): QueryFields,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last_event_id = last_event_id(&headers, &fields)?;
    let share = api
        .streams
        .take(client.address, CancellationToken::new(), |_| true)
        .ok_or_else(|| ApiError::new(ErrorReason::NoStreams).retry_after(RECONNECT.as_secs() as u16))?;
    let commits = sight.commits();
    let newest = *commits.borrow();
    let last = last_event_id.filter(|last| *last <= newest).unwrap_or(newest);
    let (shutdown, ended) = (api.shutdown.clone(), share.ended().clone());
    let (change, _) = sight.snapshot().cases_changed(u64::MAX);
    let cursor = Cursor { api, sight, commits, last, change, _share: share };

    let hello = format!(": connected\nretry: {}\n\n", RECONNECT.as_millis());
    let hello = stream::once(async { Ok::<_, Infallible>(Bytes::from(hello)) });
    let alerts = stream::unfold(cursor, |mut cursor| async move {
        let text = cursor.next().await;
        Some((Ok(text), cursor))
    });
    let events = hello.chain(alerts).take_until(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = ended.cancelled() => {}
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // Without this, nginx buffers events.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let mut response = (headers, Body::from_stream(events)).into_response();
    response.extensions_mut().insert(Lasting);
    Ok(response)
}

pub(super) fn last_event_id(headers: &HeaderMap, fields: &Fields) -> Result<Option<u64>, ApiError> {
    let refused = |text: &str| ApiError::new(ErrorReason::NotEventId).with("given", shortened(text));
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        let given = fields.exact("lastEventId")?.unwrap_or_default();
        return fields.whole_if_given("lastEventId", 0..=MAX_WHOLE).map_err(|_| refused(given));
    };
    let text = value.to_str().unwrap_or("?").trim();
    match text.parse().ok().filter(|seq| *seq <= MAX_WHOLE && text.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(seq) => Ok(Some(seq)),
        None => Err(refused(text)),
    }
}

/// The position of one client in the stored alerts.
struct Cursor {
    api: Arc<Api>,
    sight: Sight,
    commits: watch::Receiver<u64>,
    last: u64,
    /// The newest change of a case that was sent.
    change: u64,
    _share: Share,
}

impl Cursor {
    /// The cases that changed since the last call, if any did.
    async fn cases(&mut self) -> Option<Bytes> {
        let snapshot = self.sight.snapshot();
        let (change, cases) = if self.sight.is_limited() {
            let after = self.change;
            // Where a case is must be read; what cannot be now is asked for again after the next commit.
            self.api.counters(&self.sight, move |_| Ok(snapshot.cases_changed(after))).await.ok()?
        } else {
            snapshot.cases_changed(self.change)
        };
        self.change = change;
        let event = |case| Some(format!("event: case\ndata: {}\n\n", serde_json::to_string(&case).ok()?));
        let text: String = cases.into_iter().filter_map(event).collect();
        (!text.is_empty()).then(|| Bytes::from(text))
    }

    /// The next alerts above `last`, or a comment after a long pause.
    async fn next(&mut self) -> Bytes {
        loop {
            let newest = *self.commits.borrow_and_update();
            if newest > self.last {
                let replay = &self.api.replay;
                let events = if self.sight.is_limited() {
                    replay.own_events_after(self.sight.reader(), self.last, newest).await
                } else {
                    replay.events_after(self.sight.reader(), self.last, newest).await
                };
                match events {
                    // The reader has not reached the reported commit yet.
                    Ok(events) if events.last <= self.last => tokio::time::sleep(RETRY_READ).await,
                    Ok(events) => {
                        self.last = events.last;
                        if !events.text.is_empty() {
                            // Lets other streams run: a replay consists of many of these.
                            tokio::task::yield_now().await;
                            return events.text;
                        }
                    }
                    Err(_) => tokio::time::sleep(RETRY_READ).await,
                }
                continue;
            }
            if let Some(events) = self.cases().await {
                return events;
            }
            match tokio::time::timeout(KEEP_ALIVE, self.commits.changed()).await {
                Ok(Ok(())) => {}
                Err(_) => return Bytes::from_static(b": keep-alive\n\n"),
                // The writer has stopped: nothing more will come, and the shutdown ends the stream.
                Ok(Err(_)) => std::future::pending::<()>().await,
            }
        }
    }
}
