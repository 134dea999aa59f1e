//! A server that is read from, and whether it is available.
//!
//! While it is away, queries are refused at once and only the watch ([`super::watch`]) probes it: so a dead server
//! costs no request a connection timeout, and one that is back is used within a second. A server that answers with an
//! error is not away: one statement says nothing about the next. What only a change there can end (a missing table, a
//! refused account, a key of another type) gets its own message, also in the status. It does not know the queries.

use parking_lot::{Mutex, MutexGuard};

use crate::clock::unix_now;
use crate::mysql::MysqlError;
use crate::reader::ReadError;
use crate::status::{BackendState, BackendStatus};

/// One server.
#[derive(Debug)]
pub(super) struct Target {
    name: &'static str,
    address: String,
    /// What cannot be answered without it.
    serves: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether it has answered or failed at all.
    known: bool,
    trouble: Option<Trouble>,
    last_error: Option<String>,
}

#[derive(Debug, Clone)]
struct Trouble {
    since_unix: i64,
    kind: Kind,
    cause: String,
}

/// What is wrong with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It does not answer.
    Away,
    /// An instance behind it does not answer, so its answers may be incomplete.
    Half,
    /// It answers, and something must be changed there or in the settings first.
    Blocked,
}

impl Target {
    /// A server of which nothing is known yet.
    pub(super) fn new(name: &'static str, address: String, serves: &'static str) -> Self {
        Self { name, address, serves, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Fails at once if a query is not worth sending.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] while it is away, or a part of it.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        match &self.state().trouble {
            Some(Trouble { kind: kind @ (Kind::Away | Kind::Half), cause, .. }) => Err(self.unavailable(*kind, cause)),
            Some(_) | None => Ok(()),
        }
    }

    /// Fails at once if it does not answer at all; an instance behind it may be away.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] while it is away.
    pub(super) fn check_reach(&self) -> Result<(), ReadError> {
        match &self.state().trouble {
            Some(Trouble { kind: Kind::Away, cause, .. }) => Err(self.unavailable(Kind::Away, cause)),
            Some(_) | None => Ok(()),
        }
    }

    /// The error for a query about `what` that was not answered. Changes nothing here: what serves passages may serve well.
    pub(super) fn refusal(&self, what: &str, error: &MysqlError) -> ReadError {
        let Self { name, address, .. } = self;
        ReadError::Unavailable(format!("{name} at {address} gives no {what} for now: {}", words(error)))
    }

    /// The error for a query that was not answered.
    fn unavailable(&self, kind: Kind, cause: &str) -> ReadError {
        let Self { name, address, serves, .. } = self;
        ReadError::Unavailable(match kind {
            Kind::Away => format!(
                "{name} at {address} does not answer, so there are no {serves} for now: {cause}. Start it or the way to \
                 it; this ends by itself"
            ),
            Kind::Half => format!(
                "{name} at {address} lacks a part of the data, so there are no {serves} for now: {cause}. Start that \
                 instance; this ends by itself"
            ),
            Kind::Blocked => format!("{name} at {address} answers, but there are no {serves} for now: {cause}"),
        })
    }

    /// It has answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.known = true;
        if let Some(trouble) = state.trouble.take() {
            let seconds = unix_now() - trouble.since_unix;
            tracing::info!(server = self.name, address = %self.address, away_seconds = seconds, "server answers again");
        }
    }

    /// Notes that a query failed because of the server, and returns the error for it.
    pub(super) fn failed(&self, kind: Kind, cause: &str) -> ReadError {
        let mut state = self.state();
        state.known = true;
        state.last_error = Some(cause.to_owned());
        let since_unix = match &state.trouble {
            Some(trouble) if trouble.kind == kind => trouble.since_unix,
            _ => {
                let what = match kind {
                    Kind::Away => "server does not answer",
                    Kind::Half => "an instance behind the server does not answer",
                    Kind::Blocked => "server answers, and cannot be used",
                };
                tracing::warn!(server = self.name, address = %self.address, cause, "{what}");
                unix_now()
            }
        };
        state.trouble = Some(Trouble { since_unix, kind, cause: cause.to_owned() });
        self.unavailable(kind, cause)
    }

    /// As [`Self::failed`], for an error of MySQL. One that only blames the statement changes nothing here.
    pub(super) fn failed_mysql(&self, error: &MysqlError) -> ReadError {
        let cause = words(error);
        match error {
            MysqlError::Connection(_) | MysqlError::NoGreeting(_) | MysqlError::Timeout(_, "connecting") => {
                self.failed(Kind::Away, &cause)
            }
            MysqlError::NodeAway { .. } => self.failed(Kind::Half, &cause),
            MysqlError::Unfit(_) => self.failed(Kind::Blocked, &cause),
            MysqlError::Server { .. } if error.remedy().is_some() => self.failed(Kind::Blocked, &cause),
            MysqlError::Server { .. } | MysqlError::Timeout(..) => {
                self.state().last_error = Some(cause.clone());
                let Self { name, address, .. } = self;
                ReadError::Unavailable(format!(
                    "{name} at {address} did not answer this question: {cause}. Ask again, or narrow the time range"
                ))
            }
        }
    }

    /// Why it is not ready, if it is not.
    pub(super) fn failure(&self) -> Option<String> {
        let Self { name, address, .. } = self;
        let state = self.state();
        match &state.trouble {
            Some(Trouble { kind: Kind::Away, cause, .. }) => {
                Some(format!("{name} at {address} does not answer: {cause}"))
            }
            Some(Trouble { kind: Kind::Half, cause, .. }) => {
                Some(format!("{name} at {address} lacks a part of the data: {cause}"))
            }
            Some(Trouble { kind: Kind::Blocked, cause, .. }) => {
                Some(format!("{name} at {address} answers, but {cause}"))
            }
            None if !state.known => Some(format!("{name} at {address} has not answered yet")),
            None => None,
        }
    }

    /// For `/api/status`.
    pub(super) fn status(&self) -> BackendStatus {
        let state = self.state();
        let kind = state.trouble.as_ref().map(|trouble| trouble.kind);
        BackendStatus {
            name: self.name.to_owned(),
            address: self.address.clone(),
            state: match kind {
                _ if !state.known => BackendState::Starting,
                None => BackendState::Up,
                Some(Kind::Away | Kind::Half) => BackendState::Away,
                Some(Kind::Blocked) => BackendState::Blocked,
            },
            connected: state.known && matches!(kind, None | Some(Kind::Blocked)),
            away_since_unix: state.trouble.as_ref().map(|trouble| trouble.since_unix),
            last_error: state.last_error.clone(),
        }
    }
}

/// The error in words that name no account.
fn words(error: &MysqlError) -> String {
    match (error, error.remedy()) {
        (MysqlError::Server { code: code @ (1044 | 1045 | 1142 | 1143 | 1698), .. }, Some(remedy)) => {
            format!("{remedy} (MySQL error {code})")
        }
        (error, Some(remedy)) => format!("{error}; {remedy}"),
        (error, None) => error.to_string(),
    }
}
