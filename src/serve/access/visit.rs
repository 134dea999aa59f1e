//! One request in the audit log: whether it leaves an entry, and which. An entry is written before its answer leaves; where it
//! cannot be, nothing is shown.

use std::net::IpAddr;
use std::sync::Arc;

use access::trail::{Action, Details, Draft, Purpose, Via};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::record::{Record, Sent};
use super::table::{Records, Row};
use super::who::By;
use crate::clock::{unix_millis, unix_now};
use crate::gate::{Identity, Trail};
use crate::serve::error::{ApiError, ErrorReason};
use crate::serve::listen::Client;
use crate::serve::state::Api;

/// How long the entry about a list counts for the next request, in seconds.
const LIST_SECONDS: i64 = 3600;
/// The same of a login that had to wait.
const WAIT_SECONDS: i64 = 60;

/// Details that name people, programs and places, and must be readable whatever becomes of the plate key: a user may be called jz12345.
const NAMES: [&str; 14] = [
    "device",
    "name",
    "owner",
    "id",
    "issuer",
    "subject",
    "roles",
    "districts",
    "checkpoints",
    "scope",
    "scopes",
    "session",
    "user",
    "permission",
];

/// A request whose sender is known.
pub(super) struct Visit {
    api: Arc<Api>,
    records: Records,
    method: Method,
    path: String,
    address: Option<IpAddr>,
    by: By,
    purpose: Option<Purpose>,
    /// Where who asks may look, if not everywhere.
    scope: Option<String>,
    /// It asks by a plate.
    by_plate: bool,
    /// Its answer shows plates as they are.
    sees_plates: bool,
}

impl Visit {
    pub(super) fn new(
        api: &Arc<Api>,
        request: &Request,
        row: Option<Row>,
        identity: &Identity,
        purpose: Option<Purpose>,
        by_plate: bool,
    ) -> Self {
        Self {
            api: api.clone(),
            records: row.map_or(Records::No, |row| row.records),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            address: request.extensions().get::<Client>().map(|client| client.address),
            by: By::from(identity),
            purpose,
            scope: identity.scope.words(),
            by_plate,
            sees_plates: identity.may(access::Permission::Plates),
        }
    }

    /// Records that it was refused, and answers that.
    pub(super) async fn refused(self, refused: ApiError) -> Response {
        let response = refused.into_response();
        if self.by.via == Via::Nothing {
            return response;
        }
        let record = Record::default();
        if self.records == Records::No {
            record.action(Action::Refused);
            record.details(Details::default().with("method", self.method.as_str()).with("path", self.path.as_str()));
        }
        let status = response.status();
        match self.write(&record, status, true).await {
            Ok(_) => response,
            Err(error) => error.into_response(),
        }
    }

    /// Refuses a change where no entry could be written after it.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn may_change(&self) -> Result<(), ApiError> {
        let Some(trail) = self.api.trail.clone().filter(|_| self.records != Records::No) else { return Ok(()) };
        self.api.lanes.record(move || trail.probe()).await?.map_err(unavailable)
    }

    /// Records the answer of its handler, and lets it go.
    ///
    /// # Errors
    /// 503: then the answer must not go.
    pub(super) async fn answered(self, record: &Record, mut response: Response) -> Result<Response, ApiError> {
        let status = response.status();
        if let Some(ending) = self.write(record, status, false).await? {
            response.extensions_mut().insert(ending);
        }
        Ok(response)
    }

    /// What is said of the request, and where who asks may look: what was not found may lie elsewhere.
    fn details(&self, said: Option<Details>) -> Option<Details> {
        match &self.scope {
            Some(scope) => Some(said.unwrap_or_default().with("scope", scope.as_str())),
            None => said,
        }
    }

    /// The entry as it is kept: with a plate key it names no plate.
    fn kept(&self, draft: Draft) -> Draft {
        let Some(cipher) = &self.api.settings.plates else { return draft };
        let hidden = |name: &str, text: &str| match name {
            Details::PLATE => cipher.hide_asked(text),
            name if NAMES.contains(&name) => text.to_owned(),
            _ => cipher.hide_in(text),
        };
        Draft {
            details: draft.details.map(|details| details.map_texts(hidden)),
            purpose: draft.purpose.map(|Purpose { code, text }| Purpose { code, text: cipher.seal_text(&text) }),
            ..draft
        }
    }

    /// Writes the entry, if there is one to be written. What it returns writes another at the end of the answer.
    async fn write(
        &self,
        record: &Record,
        status: StatusCode,
        is_refused: bool,
    ) -> Result<Option<Arc<Ending>>, ApiError> {
        let Some(trail) = &self.api.trail else { return Ok(None) };
        let said = record.said();
        let (now, by) = (unix_now(), said.by.clone().unwrap_or_else(|| self.by.clone()));
        let action = match (said.action, self.records) {
            (Some(action), _) | (None, Records::Always(action) | Records::Lists(action) | Records::Hourly(action)) => {
                action
            }
            (None, Records::No) => return Ok(None),
        };
        let may_have_taken = matches!(self.records, Records::Hourly(_)) && status.is_server_error();
        let shows = status.is_success() || SHOWING.contains(&status) || is_refused || may_have_taken;
        if said.failure.is_none() && (!shows || by.via == Via::Nothing) {
            return Ok(None);
        }
        let again = match (&said.failure, self.records) {
            (Some(name), _) if !name.is_empty() => Some((format!("wait {name}"), WAIT_SECONDS)),
            (None, _) if said.hourly.is_some() => {
                said.hourly.as_ref().map(|what| (format!("{what} {status}"), LIST_SECONDS))
            }
            (None, Records::Lists(_)) if !self.by_plate && !is_refused => {
                if !self.sees_plates {
                    return Ok(None);
                }
                Some((format!("{action:?} {by:?} {:?}", self.address), LIST_SECONDS))
            }
            (None, Records::Hourly(_)) if !is_refused => {
                Some((format!("{action:?} {by:?} {:?}", self.address), LIST_SECONDS))
            }
            _ => None,
        };
        if again.as_ref().is_some_and(|(what, _)| self.api.lately.has(what, now)) {
            return Ok(None);
        }
        let draft = Draft {
            user: by.user,
            via: by.via,
            credential: by.credential,
            address: self.address.map(|address| address.to_string()),
            action,
            status: Some(status.as_u16()),
            rows: said.rows.filter(|_| status.is_success()),
            purpose: self.purpose.clone(),
            details: self.details(said.details),
        };
        let draft = self.kept(draft);
        let head = append(&self.api, trail, draft.clone()).await?;
        if let Some((what, seconds)) = again {
            self.api.lately.keep(what, now + seconds, now);
        }
        let ending =
            |sent| Arc::new(Ending { trail: trail.clone(), start: Draft { status: None, ..draft }, n: head, sent });
        Ok(said.sent.filter(|_| status.is_success()).map(ending))
    }
}

/// Statuses beside success that say something about what is stored, or whose handler may have changed it. A login by single sign-on
/// leads on.
const SHOWING: [StatusCode; 6] = [
    StatusCode::SEE_OTHER,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::CONFLICT,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::GATEWAY_TIMEOUT,
];

async fn append(api: &Api, trail: &Arc<Trail>, draft: Draft) -> Result<u64, ApiError> {
    let trail = trail.clone();
    let written = api.lanes.record(move || trail.append(draft, unix_millis())).await?;
    written.map(|head| head.n).map_err(unavailable)
}

fn unavailable(error: crate::gate::TrailError) -> ApiError {
    tracing::error!(%error, "the audit log cannot be written, so nothing is shown");
    ApiError::new(ErrorReason::AuditUnavailable)
}

/// Writes at the end of an answer how much of it was sent.
#[derive(Debug)]
pub(super) struct Ending {
    trail: Arc<Trail>,
    /// What was written at the start.
    start: Draft,
    /// And its number.
    n: u64,
    sent: Sent,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (rows, whole) = (self.sent.rows(), self.start.rows);
        let details = Details::default().with("export", self.n).with("complete", whole == Some(rows));
        let draft = Draft { action: Action::ExportEnd, rows: Some(rows), details: Some(details), ..self.start.clone() };
        if let Err(error) = self.trail.append(draft, unix_millis()) {
            tracing::error!(%error, rows, export = self.n, "the end of an export is not in the audit log");
        }
    }
}
