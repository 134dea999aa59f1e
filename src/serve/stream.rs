//! `GET /api/warnings/stream`: alerts as they are raised, as server-sent events.
//!
//! The stream is a cursor over the stored alerts: at every commit it reads those above the last `seq` it sent. So a
//! client that lags or comes back loses nothing, nothing is queued for it, and it slows nobody. It ends when the server
//! shuts down.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use traffic::Alert;

use super::Api;
use super::error::{ApiError, ErrorEnvelope};
use super::fields::{Fields, QueryFields};

/// Alerts read at once.
const BATCH: usize = 500;
/// How long a client should wait before it reconnects.
const RECONNECT: Duration = Duration::from_secs(2);
/// A comment is sent after this long without an event, so that neither end takes the other for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Pause after a read that failed.
const RETRY_READ: Duration = Duration::from_secs(1);

/// Alerts as server-sent events: event `warning`, `id` = `seq`, `data` = the alert's JSON.
///
/// Without a last event id the stream begins with the next alert. With one it begins with the alert after it, so a
/// client that reconnects misses nothing. An id that this data directory has not reached yet counts as none.
#[utoipa::path(
    get,
    path = "/api/warnings/stream",
    tag = "warnings",
    params(
        ("Last-Event-ID" = Option<u64>, Header, description = "`seq` of the last alert that was received; 0 sends all that is retained", example = 12),
        ("lastEventId" = Option<u64>, Query, description = "The same, for clients that cannot set the header (which wins)", example = 12),
    ),
    responses(
        (status = 200, description = "An endless stream; a comment every 15 s keeps it alive", content_type = "text/event-stream", body = String,
         example = "event: warning\nid: 13\ndata: {\"seq\":13,…}\n\n"),
        (status = 400, description = "The last event id is no number", body = ErrorEnvelope),
        (status = 503, description = "Too many streams are open", body = ErrorEnvelope),
    )
)]
pub(super) async fn stream(
    State(api): State<Arc<Api>>,
    QueryFields(fields): QueryFields,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last_event_id = last_event_id(&headers, &fields)?;
    let permit = api.stream_clients.clone().try_acquire_owned().map_err(|_| {
        ApiError::busy(
            "too many event streams are open: close one, or poll /api/warnings/realtime instead",
            RECONNECT.as_secs() as u16,
        )
    })?;
    let commits = api.reader.commits();
    let newest = *commits.borrow();
    let last = last_event_id.filter(|last| *last <= newest).unwrap_or(newest);
    let shutdown = api.shutdown.clone();
    let cursor = Cursor { api, commits, last, pending: VecDeque::new(), _permit: permit };

    let hello = stream::once(async { Ok::<_, Infallible>(Event::default().comment("connected").retry(RECONNECT)) });
    let alerts = stream::unfold(cursor, |mut cursor| async move {
        let alert = cursor.next().await;
        Some((Ok(event(&alert)), cursor))
    });
    let events = hello.chain(alerts).take_until(shutdown.cancelled_owned());
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // Without this, nginx holds events back until its buffer is full.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event_id(headers: &HeaderMap, fields: &Fields) -> Result<Option<u64>, ApiError> {
    let text = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().unwrap_or("?").trim().to_owned()),
        None => fields.text("lastEventId")?.map(|text| text.into_owned()),
    };
    match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            ApiError::bad_request(format!("the last event id must be the `seq` of an alert, not {text:?}: leave it out to begin with the next alert"))
        }),
    }
}

fn event(alert: &Alert) -> Event {
    let event = Event::default().event("warning").id(alert.seq.to_string());
    match serde_json::to_string(alert) {
        Ok(json) => event.data(json),
        Err(error) => Event::default().comment(format!("alert {} could not be written: {error}", alert.seq)),
    }
}

/// Where one client is among the stored alerts.
struct Cursor {
    api: Arc<Api>,
    commits: watch::Receiver<u64>,
    last: u64,
    pending: VecDeque<Alert>,
    _permit: OwnedSemaphorePermit,
}

impl Cursor {
    /// The next alert above `last`; waits until there is one.
    async fn next(&mut self) -> Alert {
        loop {
            if let Some(alert) = self.pending.pop_front() {
                self.last = alert.seq;
                return alert;
            }
            let newest = *self.commits.borrow_and_update();
            if newest > self.last {
                let last = self.last;
                match self.api.counters(move |snapshot| snapshot.alerts_after(last, BATCH)).await {
                    Ok(alerts) if !alerts.is_empty() => {
                        self.pending = alerts.into();
                        continue;
                    }
                    Ok(_) => {}
                    Err(_) => {
                        tokio::time::sleep(RETRY_READ).await;
                        continue;
                    }
                }
            }
            if self.commits.changed().await.is_err() {
                // The writer has gone: nothing will come any more, but what ends the stream is the shutdown.
                std::future::pending::<()>().await;
            }
        }
    }
}
