//! `POST /api/query/export`: the whole result of a query as one CSV file.
//!
//! The rows are counted first: a result that is too long is refused with the count, so that a file is never truncated
//! silently. Then the file is produced in pieces, each when the connection has room for it. An export holds one of the
//! export slots and a blocking thread only while a piece is produced; a slow client holds neither, only the memory of one
//! piece and a snapshot, for at most `api.export_timeout`. The number of open exports is bounded too; the slowest is ended
//! first. A client that disconnects frees everything; a failure aborts the transfer, which every client notices.

pub(super) mod csv;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::time::Instant;
use traffic::Catalogue;
use utoipa::ToSchema;

use super::access::{Record, Sent};
use super::codes::HeaderRow;
use super::error::{ApiError, ErrorEnvelope, ErrorReason};
use super::fields::{BodyFields, Fields, shortened};
use super::headers::{MAX_ROWS, TOTAL_COUNT};
use super::listen::{Client, Lasting};
use super::query::{self, QueryBody, filter, order};
use super::records::PassageJson;
use super::shares::{Progress, Share};
use super::sight::Sight;
use super::state::Api;
use crate::config::TimeFormat;
use crate::reader::{PassageCursor, ReadError, cursor_of};
use csv::Form;

/// Open exports for each slot in which a piece can be produced.
pub(super) const OPEN_PER_PLACE: usize = 8;
/// A client that reads less than this over [`SLOW_AFTER`] may be ended for another one.
const SLOW_BYTES_PER_SECOND: u64 = 256 << 10;
const SLOW_AFTER: Duration = Duration::from_secs(5);
/// The fields of the body beside those of a query.
const FIELDS: [&str; 3] = ["columns", "header", "excel"];
/// Rows of a piece.
const PIECE_ROWS: usize = 8192;
/// Bytes handed to the connection at a time.
const FRAME_BYTES: usize = 64 << 10;
/// Seconds after which a refused client should retry.
const RETRY_AFTER_SECONDS: u16 = 5;

/// Filters of the export, and the form of the file.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; `form` reads the fields one by one")]
#[schema(as = Export, example = json!({"hphm": "苏C*88", "startTime": "2024-01-01", "columns": ["GCSJ", "HPHM", "KKMC_LABEL"], "excel": true}))]
pub(super) struct ExportBody {
    /// The filters and the order of `POST /api/query`; `page` and `limit` have no effect.
    #[serde(flatten)]
    filters: QueryBody,
    /// The columns in their order, as an array or as one text with commas; without it all twelve.
    #[schema(example = json!(["GCSJ", "HPHM", "KKMC_LABEL"]))]
    columns: Option<Vec<String>>,
    /// First line: `names` (GCXH, …: a file that `platewatch replay` reads too) or `titles` (过车序号, …).
    #[schema(default = "names", example = "titles")]
    header: Option<String>,
    /// Numbers that Excel would change (long ones, leading zeros) end with a TAB, which keeps them text.
    #[schema(default = false, example = true)]
    excel: Option<bool>,
}

/// The whole result of a query as CSV: UTF-8 with a byte order mark, lines in the order of `POST /api/query`.
///
/// A cell that a spreadsheet could take for a formula begins with `'`; a lone `-` stays as it is. A transfer that is
/// aborted has failed: the file is complete only if the response ended normally and has `x-total-count` rows.
#[utoipa::path(
    post,
    path = "/query/export",
    tag = "passages",
    request_body(content = Option<ExportBody>, description = "Filters and form; an empty body means everything"),
    responses(
        (status = 200, description = "The file; the header `x-total-count` says how many rows it has", content_type = "text/csv", body = String,
         example = "GCXH,GCSJ,HPHM\r\nG320300109027253771,\"2024-01-01 00:00:24\",苏C12345\r\n"),
        (status = 400, description = "A field has the wrong form, or does not exist; `msg` names it", body = ErrorEnvelope),
        (status = 409, description = "The first time is after the last, or more rows match than `api.export_max_rows`: `msg`, `x-total-count` and `x-max-rows` say how many", body = ErrorEnvelope),
        (status = 413, description = "The body is too large", body = ErrorEnvelope),
        (status = 415, description = "The body is not JSON", body = ErrorEnvelope),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "Too many exports run, or too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "Counting took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn export(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(client): Extension<Client>,
    Extension(record): Extension<Record>,
    BodyFields(fields): BodyFields,
) -> Result<Response, ApiError> {
    fields.only(&[&query::FIELDS[..], &FIELDS[..]].concat())?;
    // They have no effect, but a wrong value is still an error.
    fields.page()?;
    fields.limit(1..=query::MAX_LIMIT, query::DEFAULT_LIMIT)?;
    let _: Option<TimeFormat> = fields.named("timeFormat")?;
    let catalogue = sight.catalogue();
    let filter = filter(&fields, &catalogue, &api.settings)?;
    let order = order(&fields)?;
    let form = form(&fields)?;
    let columns = form.columns.iter().map(|(name, _, _)| (*name).to_owned()).collect::<Vec<_>>();
    record.details(query::details(&fields, &filter, order).with("columns", columns));
    let share = api
        .exports
        .take(client.address, client.connection.clone(), is_slow)
        .ok_or_else(|| ApiError::new(ErrorReason::ExportsBusy).retry_after(RETRY_AFTER_SECONDS))?;
    // One snapshot for the count and for the rows, so that they agree.
    let snapshot = sight.snapshot();
    let counting = snapshot.clone();
    let first = api.scan(&sight, move |_| {
        let total = counting.query(&filter, order, 1, 0)?.total;
        // A reader that cannot do this fails here, before the response begins.
        cursor_of(counting.clone(), &filter, order).next(1)?;
        Ok((total, cursor_of(counting, &filter, order)))
    });
    let (total, cursor) = first.await?;
    let max_rows = api.settings.export_max_rows;
    if total > max_rows {
        let refusal = ApiError::new(ErrorReason::ExportTooLong).with("total", total).with("limit", max_rows);
        return Err(refusal.with_header(TOTAL_COUNT, total).with_header(MAX_ROWS, max_rows));
    }
    let sent = record.sending(total);
    let export = Export { cursor, catalogue, form, left: total, begun: false, sent, share };
    let name = format!("passages-{}.csv", api.now().to_string().replace([' ', ':'], "-"));
    let mut response = Body::from_stream(stream(api, export)).into_response();
    response.extensions_mut().insert(Lasting);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(TOTAL_COUNT, total.into());
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

fn form(fields: &Fields) -> Result<Form, ApiError> {
    let form = Form::new(&fields.list("columns")?).map_err(|name| {
        let names: Vec<&str> = Form::names().collect();
        ApiError::new(ErrorReason::UnknownColumn).with("known", names.join(", ")).with("given", shortened(&name))
    })?;
    Ok(Form {
        titles: fields.named("header")? == Some(HeaderRow::Titles),
        excel: fields.flag("excel")?.unwrap_or(false),
        ..form
    })
}

/// Whether an export may be ended for another one.
fn is_slow(progress: &Progress) -> bool {
    progress.is_slower_than(SLOW_BYTES_PER_SECOND, SLOW_AFTER)
}

/// An export in progress.
struct Export {
    /// Holds the snapshot.
    cursor: Box<dyn PassageCursor>,
    catalogue: Arc<Catalogue>,
    form: Form,
    /// Rows still to be written.
    left: u64,
    begun: bool,
    /// Rows of which the piece was handed to the connection.
    sent: Sent,
    share: Share,
}

impl Export {
    /// The next piece of the file; empty after its end.
    fn piece(&mut self) -> Result<(Vec<u8>, u64), ReadError> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            self.form.write_header(&mut out);
        }
        if self.left == 0 {
            return Ok((out, 0));
        }
        let rows = self.cursor.next(PIECE_ROWS)?;
        if rows.is_empty() {
            return Err(ReadError::Storage(format!("{} rows of an export are missing", self.left)));
        }
        let count = rows.len() as u64;
        self.left = self.left.saturating_sub(count);
        for row in rows {
            self.form.write_row(&PassageJson::new(row, &self.catalogue), &mut out);
        }
        Ok((out, count))
    }
}

/// Holds an export between two pieces; empty while a piece is produced, and after the deadline.
type Rest = Arc<Mutex<Option<Export>>>;

fn put(rest: &Rest, export: Option<Export>) -> Option<Export> {
    std::mem::replace(&mut *rest.lock(), export)
}

/// The body: its state, and the timer that ends the export of a client that is too slow.
struct Download {
    api: Arc<Api>,
    rest: Rest,
    deadline: Instant,
    timer: tokio::task::JoinHandle<()>,
    ready: Bytes,
    /// Rows in it.
    rows: u64,
    sent: Sent,
}

impl Drop for Download {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

fn stream(api: Arc<Api>, export: Export) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    let timeout = api.settings.export_timeout;
    let deadline = Instant::now() + timeout;
    let connection = export.share.ended().clone();
    let sent = export.sent.clone();
    let rest: Rest = Arc::new(Mutex::new(Some(export)));
    let watched = Arc::downgrade(&rest);
    let timer = tokio::spawn(async move {
        let left = tokio::time::timeout_at(deadline, connection.cancelled()).await;
        if let Some(rest) = watched.upgrade() {
            put(&rest, None);
        }
        match left {
            Ok(()) => tracing::warn!("export ended for another client: this one read too slowly"),
            Err(_) => {
                let limit_seconds = timeout.as_secs_f64();
                tracing::warn!(limit_seconds, "export took longer than api.export_timeout");
                // A client that reads nothing would not notice otherwise.
                connection.cancel();
            }
        }
    });
    let download = Download { api, rest, deadline, timer, ready: Bytes::new(), rows: 0, sent };
    stream::try_unfold(download, |mut download| async move {
        let frame = download.frame().await?;
        Ok(frame.map(|frame| (frame, download)))
    })
}

impl Download {
    /// The next bytes; none after the end.
    async fn frame(&mut self) -> io::Result<Option<Bytes>> {
        if self.ready.is_empty() {
            (self.ready, self.rows) = self.next_piece().await?;
        }
        let length = self.ready.len().min(FRAME_BYTES);
        if length == self.ready.len() {
            self.sent.add(std::mem::take(&mut self.rows));
        }
        Ok((length > 0).then(|| self.ready.split_to(length)))
    }

    /// The next piece, and how many rows it has.
    async fn next_piece(&mut self) -> io::Result<(Bytes, u64)> {
        if self.api.shutdown.is_cancelled() {
            return Err(io::Error::other("the server shuts down"));
        }
        // Waits for a slot; its client has read all that was produced so far.
        let place = self.api.export_places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let Some(mut export) = put(&self.rest, None) else {
            return Err(too_slow());
        };
        let made = tokio::task::spawn_blocking(move || {
            let _held_while_it_is_made = place;
            export.piece().map(|piece| (piece, export))
        });
        let ((piece, rows), export) = made.await.map_err(io::Error::other)?.map_err(|error| {
            tracing::error!(%error, "export failed");
            io::Error::other(error.to_string())
        })?;
        export.share.progress().took(piece.len());
        if Instant::now() < self.deadline {
            put(&self.rest, Some(export));
        }
        Ok((piece.into(), rows))
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the export took longer than api.export_timeout")
}
