//! What a handler says about its request for the audit log: the request as it understood it, and how much it showed. It says so
//! while it works, so that a request that fails or takes too long is known as well. It does not know who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::ExternalId;
use access::trail::{Action, Detail, Details, Via};
use parking_lot::Mutex;

use super::who::By;
use crate::viid::DeviceId;

/// What is said about one request; an extension of every request to an endpoint.
#[derive(Debug, Clone, Default)]
pub(in crate::serve) struct Record(Arc<Mutex<Said>>);

/// What was said.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Instead of the action of the table.
    pub(super) action: Option<Action>,
    /// Instead of who sent the request.
    pub(super) by: Option<By>,
    pub(super) details: Option<Details>,
    pub(super) rows: Option<u64>,
    /// Whatever the status; not again within a minute if it is the same text.
    pub(super) failure: Option<String>,
    /// Not again within an hour if it is the same text and status.
    pub(super) hourly: Option<String>,
    /// How much is sent after the head of the answer.
    pub(super) sent: Option<Sent>,
}

/// Rows of an answer that are counted while they are sent.
#[derive(Debug, Clone, Default)]
pub(in crate::serve) struct Sent(Arc<AtomicU64>);

impl Sent {
    pub(in crate::serve) fn add(&self, rows: u64) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn rows(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Record {
    /// The request as it was understood. IMPORTANT: no passwords, and nothing of which only a digest is kept.
    pub(in crate::serve) fn details(&self, details: Details) {
        self.0.lock().details = Some(details);
    }

    /// One more detail, which was found on the way.
    pub(in crate::serve) fn detail(&self, name: &str, detail: impl Into<Detail>) {
        let mut said = self.0.lock();
        said.details = Some(said.details.take().unwrap_or_default().with(name, detail));
    }

    /// How many records are shown.
    pub(in crate::serve) fn rows(&self, rows: usize) {
        self.0.lock().rows = Some(rows as u64);
    }

    /// How many records are sent after the head of the answer; an entry says at the end how many really were.
    pub(in crate::serve) fn sending(&self, rows: u64) -> Sent {
        let mut said = self.0.lock();
        said.rows = Some(rows);
        said.sent.get_or_insert_default().clone()
    }

    /// What was done, where an endpoint does several things.
    pub(in crate::serve) fn action(&self, action: Action) {
        self.0.lock().action = Some(action);
    }

    /// It is done again and again: an entry an hour is enough where this and the status are the same.
    pub(in crate::serve) fn hourly(&self, what: String) {
        self.0.lock().hourly = Some(what);
    }

    /// Who did it, where that is only known now.
    pub(in crate::serve) fn by(&self, by: By) {
        self.0.lock().by = Some(by);
    }

    /// A login failed: with which name, if somebody has it. With a `wait` an entry a minute is enough.
    pub(in crate::serve) fn failed_login(&self, name: Option<String>, wait: Option<i64>) {
        let mut said = self.0.lock();
        said.action = Some(Action::LoginFailed);
        said.details = Some(Details::default().with("reason", if wait.is_some() { "wait" } else { "wrong" }));
        said.failure = Some(if wait.is_some() { name.clone().unwrap_or_default() } else { String::new() });
        said.by = Some(By { user: name, via: Via::Nothing, credential: None });
    }

    /// Nobody was let in by single sign-on, and why. As long as it is not known who it was, an entry a minute is enough.
    pub(in crate::serve) fn refused_sign_on(&self, reason: &str, address: &str, who: Option<&ExternalId>) {
        let mut said = self.0.lock();
        said.action = Some(Action::LoginFailed);
        let details = Details::default().with("reason", format!("sign_on_{reason}"));
        let details = details.with_any("issuer", who.map(|who| who.issuer.as_str()));
        said.details = Some(details.with_any("subject", who.map(|who| who.subject.as_str())));
        said.failure = Some(if who.is_some() { String::new() } else { format!("sign_on {reason} {address}") });
        said.by = Some(By { user: None, via: Via::Nothing, credential: None });
    }

    /// A device or platform of GA/T 1400 did it, with an account that was proven.
    pub(in crate::serve) fn device(&self, user: &str, device: Option<&DeviceId>) {
        self.0.lock().by = Some(By { user: Some(user.to_owned()), via: Via::Device, credential: None });
        if let Some(device) = device {
            self.detail("device", device.as_str());
        }
    }

    /// A device gave a wrong password: of an account, if it is one. With a `wait` an entry a minute is enough.
    pub(in crate::serve) fn failed_device(&self, user: Option<String>, wait: Option<i64>, address: &str) {
        let mut said = self.0.lock();
        said.action = Some(Action::LoginFailed);
        said.details = Some(Details::default().with("reason", if wait.is_some() { "wait" } else { "wrong" }));
        said.failure = Some(if wait.is_some() { format!("viid {address}") } else { String::new() });
        said.by = Some(By { user, via: Via::Device, credential: None });
    }

    pub(super) fn said(&self) -> Said {
        self.0.lock().clone()
    }
}
