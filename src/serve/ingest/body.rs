//! What a body of `/api/ingest` says that it is, and how it is read: within its limit and its time, and only as long as there is room.
//! It does not know what is in it.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::deliveries::{Refused, Room};
use crate::serve::error::{ApiError, ErrorReason};
use crate::serve::fields::shortened;

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// How long it may take.
    whole: Duration,
    /// After so long
    grace: Duration,
    /// it must have come with so many bytes a second where room is scarce: else few senders that hardly send would keep all others out.
    least_rate: f64,
    /// How often one that comes slowly is looked at.
    look: Duration,
}

const PATIENCE: Patience = Patience {
    whole: Duration::from_secs(60),
    grace: Duration::from_secs(5),
    least_rate: 16_384.0,
    look: Duration::from_millis(500),
};

/// After how many seconds a sender should try again: where too much waits, and where nothing is taken any more.
const RETRY_SECONDS: u16 = 1;
const RETRY_ENDED_SECONDS: u64 = 10;

/// How the records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// As in a capture.
    Lines {
        /// Whether they are GB18030 instead of UTF-8; none if that is not said.
        gb18030: Option<bool>,
    },
    /// One JSON object a line.
    JsonLines,
    /// One JSON object, or an array of them.
    Json,
}

impl Format {
    /// By the content type; lines without one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let given = only(headers, header::CONTENT_TYPE)?;
        let unknown = || ApiError::new(ErrorReason::IngestType).with("given", shortened(given));
        let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
        let essence = parts.next().unwrap_or_default();
        let charset =
            parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()));
        let gb18030 = match charset.as_deref() {
            None => None,
            Some("utf-8" | "utf8" | "us-ascii") => Some(false),
            Some("gb18030" | "gbk" | "gb2312") => Some(true),
            Some(_) => return Err(unknown()),
        };
        match essence.as_str() {
            "" | "text/plain" | "text/csv" | "text/tab-separated-values" | "application/octet-stream" => {
                Ok(Self::Lines { gb18030 })
            }
            // JSON is UTF-8.
            _ if gb18030 == Some(true) => Err(unknown()),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::JsonLines),
            "application/json" => Ok(Self::Json),
            _ => Err(unknown()),
        }
    }
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
}

impl Packing {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let given = only(headers, header::CONTENT_ENCODING)?;
        match given.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => Err(ApiError::new(ErrorReason::IngestPacking).with("given", shortened(given))),
        }
    }
}

/// The text of a header, empty where there is none. Of two, or one that is no text, nobody can say what is meant.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<&str, ApiError> {
    let mut all = headers.get_all(&name).iter();
    let text = all.next().map_or(Some(""), |value| value.to_str().ok());
    text.filter(|_| all.next().is_none()).ok_or_else(|| {
        let reason = if name == header::CONTENT_TYPE { ErrorReason::IngestType } else { ErrorReason::IngestPacking };
        ApiError::new(reason).with("given", "?")
    })
}

/// The body's bytes as they come, for which `room` is taken piece by piece, so that a slow sender takes no more than it has sent.
pub(super) async fn read(
    body: Body,
    length: Option<&HeaderValue>,
    limit: usize,
    room: &mut Room,
) -> Result<Vec<u8>, ApiError> {
    read_keeping(body, length, limit, limit, room, |piece, whole| whole.extend_from_slice(piece)).await
}

/// What `keep` leaves of a body: at most `most_kept` bytes of `limit` that come. `room` is taken for what is kept.
pub(in crate::serve) async fn read_keeping(
    body: Body,
    length: Option<&HeaderValue>,
    limit: usize,
    most_kept: usize,
    room: &mut Room,
    keep: impl FnMut(&[u8], &mut Vec<u8>),
) -> Result<Vec<u8>, ApiError> {
    let limits = Limits { came: limit, kept: most_kept };
    read_with(PATIENCE, body, length, limits, room, keep).await
}

/// Bytes at most.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// That come.
    came: usize,
    /// That are kept of them.
    kept: usize,
}

async fn read_with(
    patience: Patience,
    body: Body,
    length: Option<&HeaderValue>,
    limits: Limits,
    room: &mut Room,
    mut keep: impl FnMut(&[u8], &mut Vec<u8>),
) -> Result<Vec<u8>, ApiError> {
    let announced = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let began = Instant::now();
    let deadline = began + patience.whole;
    let mut pieces = body.into_data_stream();
    let (mut kept, mut came) = (Vec::new(), 0_usize);
    loop {
        let next = timeout_at(deadline.min(Instant::now() + patience.look), pieces.next()).await;
        let waited = began.elapsed();
        let is_slow = waited > patience.grace && (came as f64) < patience.least_rate * waited.as_secs_f64();
        if waited >= patience.whole || is_slow && room.is_scarce() {
            return Err(too_slow(waited));
        }
        let Ok(next) = next else { continue };
        let Some(piece) = next else { return Ok(kept) };
        let piece = piece.map_err(|error| ApiError::new(ErrorReason::BodyUnread).with("error", error.to_string()))?;
        came += piece.len();
        let before = kept.len();
        let refusal = if announced.unwrap_or_default().max(came) > limits.came {
            Some(too_large(limits.came))
        } else {
            keep(&piece, &mut kept);
            // A text that turns out to be long takes nothing any more.
            room.shrink_by(before.saturating_sub(kept.len()));
            let grown = room.grow(kept.len().saturating_sub(before));
            if kept.len() > limits.kept { Some(too_large(limits.kept)) } else { grown.err().map(refused) }
        };
        if let Some(refusal) = refusal {
            discard(pieces, limits.came, deadline).await;
            return Err(refusal);
        }
    }
}

/// Lets the rest of a body come, within a limit: a client that still sends may not see an answer.
async fn discard(mut pieces: BodyDataStream, limit: usize, deadline: Instant) {
    let mut left = limit;
    while let Ok(Some(Ok(piece))) = timeout_at(deadline, pieces.next()).await {
        left = left.saturating_sub(piece.len());
        if left == 0 {
            return;
        }
    }
}

fn too_slow(waited: Duration) -> ApiError {
    let seconds = waited.as_secs();
    let error = ApiError::new(ErrorReason::BodyUnread).with_status(StatusCode::REQUEST_TIMEOUT);
    error.with("error", format!("it did not come within {seconds} s"))
}

/// The body has more than `limit` bytes.
pub(super) fn too_large(limit: usize) -> ApiError {
    ApiError::new(ErrorReason::IngestTooLarge).with("limit", limit)
}

/// What is answered where nothing was taken, or nothing will be.
pub(super) fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::Full => ApiError::new(ErrorReason::IntakeFull).retry_after(RETRY_SECONDS),
        Refused::Ended => ApiError::new(ErrorReason::IntakeEnded).with_header(header::RETRY_AFTER, RETRY_ENDED_SECONDS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliveries::{Deliveries, MOST_BYTES};

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
    }

    #[test]
    fn types_are_known_or_refused() {
        let of = |values: &[&str]| Format::of(&headers(header::CONTENT_TYPE, values)).ok();
        let lines = |gb18030| Some(Format::Lines { gb18030 });
        for (given, format) in [
            ("text/plain", lines(None)),
            ("Text/CSV; header=absent", lines(None)),
            ("text/plain; charset=GBK", lines(Some(true))),
            ("text/plain;charset=\"utf-8\"", lines(Some(false))),
            ("text/plain; charset=utf-16", None),
            ("Application/JSON; charset=utf-8", Some(Format::Json)),
            ("application/json; charset=gbk", None),
            ("application/x-ndjson", Some(Format::JsonLines)),
            ("application/x-www-form-urlencoded", None),
            ("image/png", None),
            ("中文", None),
        ] {
            assert_eq!(of(&[given]), format, "{given}");
        }
        assert_eq!(of(&[]), lines(None));
        assert_eq!(of(&["text/plain", "application/json"]), None);
    }

    /// What became of a body of 20 bytes that takes half a second, while others hold so many bytes.
    async fn slow(held: usize) -> Option<usize> {
        let patience = Patience {
            whole: Duration::from_secs(60),
            grace: Duration::from_millis(100),
            least_rate: 1_000.0,
            look: Duration::from_millis(10),
        };
        let deliveries = Deliveries::default();
        let (mut others, mut room) = (deliveries.room(), deliveries.room());
        others.grow(held).unwrap();
        let pieces = futures_util::stream::iter(0..20).then(|_| async {
            tokio::time::sleep(Duration::from_millis(25)).await;
            Ok::<_, std::io::Error>("x")
        });
        let limits = Limits { came: 1_000, kept: 1_000 };
        let keep = |piece: &[u8], whole: &mut Vec<u8>| whole.extend_from_slice(piece);
        let read = read_with(patience, Body::from_stream(pieces), None, limits, &mut room, keep).await;
        read.ok().map(|body| body.len())
    }

    #[tokio::test]
    async fn who_hardly_sends_makes_room_where_it_is_scarce() {
        assert_eq!(slow(MOST_BYTES / 2 - 1_000).await, Some(20));
        assert_eq!(slow(MOST_BYTES / 2 + 1).await, None);
    }

    #[test]
    fn compressions_are_known_or_refused() {
        let of = |values: &[&str]| Packing::of(&headers(header::CONTENT_ENCODING, values)).ok();
        assert_eq!((of(&[]), of(&["identity"])), (Some(Packing::None), Some(Packing::None)));
        assert_eq!((of(&["GZIP"]), of(&["x-gzip"])), (Some(Packing::Gzip), Some(Packing::Gzip)));
        assert_eq!((of(&["br"]), of(&["gzip, gzip"]), of(&["gzip", "gzip"])), (None, None, None));
    }
}
