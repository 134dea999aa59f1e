//! A server that answers are read from, and whether it is there.
//!
//! While it is away, questions are refused at once and only the watch ([`super::watch`]) knocks: so a dead server costs
//! nobody a connection timeout, and one that is back is used within a second. It does not know what is asked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::reader::ReadError;
use crate::status::BackendStatus;

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
    away: Option<Away>,
    last_error: Option<String>,
}

#[derive(Debug)]
struct Away {
    since_unix: i64,
    cause: String,
}

impl Target {
    /// A server of which nothing is known yet.
    pub(super) fn new(name: &'static str, address: String, serves: &'static str) -> Self {
        Self { name, address, serves, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a question is worth asking.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] while it is away.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        match &self.state().away {
            Some(away) => Err(self.unavailable(&away.cause)),
            None => Ok(()),
        }
    }

    /// The error of a question that was not answered, for whoever asked it.
    pub(super) fn unavailable(&self, cause: &str) -> ReadError {
        ReadError::Unavailable(format!(
            "{} at {} does not answer, so there are no {} for now: {cause}. Start it or the way to it; this ends by itself",
            self.name, self.address, self.serves
        ))
    }

    /// It has answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.known = true;
        if let Some(away) = state.away.take() {
            let seconds = unix_now() - away.since_unix;
            tracing::info!(server = self.name, address = %self.address, away_seconds = seconds, "server answers again");
        }
    }

    /// It cannot be reached.
    pub(super) fn failed(&self, cause: &str) {
        let mut state = self.state();
        state.known = true;
        state.last_error = Some(cause.to_owned());
        match &mut state.away {
            Some(away) => cause.clone_into(&mut away.cause),
            None => {
                tracing::warn!(server = self.name, address = %self.address, cause, "server does not answer");
                state.away = Some(Away { since_unix: unix_now(), cause: cause.to_owned() });
            }
        }
    }

    /// Why it is not ready, if it is not.
    pub(super) fn failure(&self) -> Option<String> {
        let state = self.state();
        match &state.away {
            Some(away) => Some(format!("{} at {} does not answer: {}", self.name, self.address, away.cause)),
            None if !state.known => Some(format!("{} at {} has not answered yet", self.name, self.address)),
            None => None,
        }
    }

    /// For `/api/status`.
    pub(super) fn status(&self) -> BackendStatus {
        let state = self.state();
        BackendStatus {
            name: self.name.to_owned(),
            address: self.address.clone(),
            connected: state.known && state.away.is_none(),
            away_since_unix: state.away.as_ref().map(|away| away.since_unix),
            last_error: state.last_error.clone(),
        }
    }
}

fn unix_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}
