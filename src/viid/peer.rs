//! A platform at which we register and subscribe to vehicles: what is known of it, and the loop that keeps it so. What is said to it is
//! [`session`]'s.
//!
//! A platform that is away, refuses or has forgotten us is tried again, with a pause that grows. What it sent may come to us before a
//! subscription is confirmed, and after it was ended; that is taken as long as it comes from its addresses with the id of our subscription.

mod session;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use traffic::TimeZoneName;

use super::ViidError;
use super::id::DeviceId;
use crate::clock::unix_now;
use crate::config::ViidConfig;
use crate::http_client::{HttpClient, Plain};
use crate::named::named;
use crate::status::FeedStatus;
use session::{Failure, Session, SessionSettings};

/// Keep-alives that may fail before we register again (GA/T 1400.4).
const MISSED: u32 = 3;
/// What ending the subscription may take when we stop.
const FAREWELL: Duration = Duration::from_secs(3);

named! {
    /// How far we are with the platform.
    #[derive(Default)]
    pub enum Stage {
        /// It has not answered yet.
        #[default]
        Starting = "starting",
        /// We are registered.
        Registered = "registered",
        /// And have subscribed.
        Subscribed = "subscribed",
        /// It does not answer, or refuses: `last_error` says what.
        Away = "away",
    }
}

/// The platform as the status says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its address, without the account.
    pub address: String,
    /// How far we are.
    pub stage: Stage,
    /// When that began, in seconds since 1970; none while it starts.
    pub since: Option<i64>,
    /// The id of our subscription.
    pub subscription: String,
    /// Notifications since the process began.
    pub notifications: u64,
    /// When the newest came, in seconds since 1970.
    pub last_notification: Option<i64>,
    /// What failed last; none after it went well again.
    pub last_error: Option<String>,
}

/// What is known of the platform.
#[derive(Debug)]
pub struct PeerState {
    id: DeviceId,
    subscription: String,
    /// From which its notifications may come, beside those of its name.
    senders: Vec<IpAddr>,
    resolved: Mutex<Vec<IpAddr>>,
    status: Mutex<PeerStatus>,
}

impl PeerState {
    /// As it is configured; none where it is not.
    ///
    /// # Errors
    /// [`ViidError::Id`].
    pub(super) fn of(config: &ViidConfig) -> Result<Option<Self>, ViidError> {
        let Some(url) = &config.peer else { return Ok(None) };
        let id = |text: &String| DeviceId::parse(text).ok_or(ViidError::Id);
        let subscription = subscription_id(&id(&config.device_id)?, config);
        Ok(Some(Self {
            id: id(&config.peer_id)?,
            senders: config.peer_senders.clone(),
            // What is no name needs nobody to resolve it: notifications may come as soon as we listen.
            resolved: Mutex::new(literal(url.host()).into_iter().collect()),
            status: Mutex::new(PeerStatus {
                address: url.to_string(),
                subscription: subscription.clone(),
                ..PeerStatus::default()
            }),
            subscription,
        }))
    }

    /// Whether a notification of this subscription that names this sender and comes from this address is the platform's. `same` says
    /// whether two addresses are one to us.
    pub fn sent(&self, sender: Option<&DeviceId>, address: IpAddr, same: impl Fn(IpAddr, IpAddr) -> bool) -> bool {
        let is_its = |known: &IpAddr| same(*known, address);
        let is_from_there = self.senders.iter().any(is_its) || self.resolved.lock().iter().any(is_its);
        is_from_there && sender.is_none_or(|sender| *sender == self.id)
    }

    /// The id of our subscription.
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The platform's id.
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// Notifications were taken.
    pub fn notified(&self, count: usize) {
        if count == 0 {
            return;
        }
        let mut status = self.status.lock();
        status.notifications += count as u64;
        status.last_notification = Some(unix_now());
    }

    /// How it is.
    pub fn status(&self) -> PeerStatus {
        self.status.lock().clone()
    }

    /// The same as of any server that records come from.
    pub fn feed(&self) -> FeedStatus {
        let PeerStatus { address, stage, since, last_error, .. } = self.status();
        let connected = stage == Stage::Subscribed;
        let away_since_unix = since.filter(|_| !connected);
        FeedStatus { name: "GA/T 1400".to_owned(), address, connected, away_since_unix, last_error }
    }

    fn reached(&self, stage: Stage) {
        let mut status = self.status.lock();
        if status.stage != stage {
            (status.stage, status.since) = (stage, Some(unix_now()));
        }
        status.last_error = None;
    }

    /// Notes a failure; true if it is another than the last one.
    fn failed(&self, stage: Stage, failure: &Failure) -> bool {
        let mut status = self.status.lock();
        if status.stage != stage {
            (status.stage, status.since) = (stage, Some(unix_now()));
        }
        let text = failure.to_string();
        let is_new = status.last_error.as_ref() != Some(&text);
        status.last_error = Some(text);
        is_new
    }
}

/// The address that a host is by itself.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The id of our subscription: 33 digits (GA/T 1400.1): twelve of our id, `03`, what stands for the time, and a number. It is the same after
/// a restart, so that a subscription that we could not end is not there twice.
fn subscription_id(id: &DeviceId, config: &ViidConfig) -> String {
    let what = format!("{} {} {} {}", id, config.peer_id, config.subscribe_detail, config.subscribe_to);
    let number = xxhash_rust::xxh3::xxh3_64(what.as_bytes()) % 100_000;
    let begin: String = id.as_str().chars().take(12).collect();
    format!("{begin}0320000101000000{number:05}")
}

/// The task that registers and subscribes.
pub struct Peer {
    state: Arc<PeerState>,
    session: Session,
    keepalive: Duration,
    retry_max: Duration,
}

impl Peer {
    /// The task of a platform, if one is configured.
    ///
    /// # Errors
    /// [`ViidError`].
    pub fn of(
        config: &ViidConfig,
        state: Option<&Arc<PeerState>>,
        zone: &TimeZoneName,
    ) -> Result<Option<Self>, ViidError> {
        let (Some(url), Some(state)) = (&config.peer, state) else { return Ok(None) };
        let http = HttpClient::new("viid.peer_ca", config.peer_ca.as_deref(), config.timeout, Plain::Anywhere)?;
        let user = url.user().map_or_else(|| config.peer_user.clone(), str::to_owned);
        let password = url.password().map_or_else(|| config.peer_password.expose(), |password| password.expose());
        let settings = SessionSettings {
            address: url.to_string(),
            place: (url.host().to_owned(), url.port()),
            patience: config.timeout,
            user,
            password: password.to_owned(),
            device: config.device_id.clone(),
            subscription: state.subscription.clone(),
            receive_url: config.receive_url.clone(),
            detail: config.subscribe_detail.clone(),
            resource: if config.subscribe_to.is_empty() { state.id.to_string() } else { config.subscribe_to.clone() },
            zone: zone.clone(),
        };
        Ok(Some(Self {
            state: state.clone(),
            session: Session::new(http, settings),
            keepalive: config.keepalive,
            retry_max: config.retry_max,
        }))
    }

    /// Registers, subscribes and keeps alive until `stop`; then it ends the subscription.
    pub async fn run(self, stop: CancellationToken) {
        let first = Duration::from_secs(1).min(self.retry_max);
        let mut pause = first;
        loop {
            let mut was_subscribed = false;
            let failure = tokio::select! {
                () = stop.cancelled() => break,
                failure = self.joined(&mut was_subscribed) => failure,
            };
            if was_subscribed {
                pause = first;
            }
            if self.state.failed(Stage::Away, &failure) {
                let address = self.session.address();
                tracing::warn!(platform = address, reason = %failure, "not subscribed at the platform of GA/T 1400, it is tried again");
            }
            if tokio::time::timeout(pause, stop.cancelled()).await.is_ok() {
                break;
            }
            pause = (pause * 2).min(self.retry_max);
        }
        // What it still sends is refused soon: nobody listens any more.
        if tokio::time::timeout(FAREWELL, self.session.leave()).await.is_err() {
            tracing::warn!(
                platform = self.session.address(),
                "the subscription could not be ended: the platform does not answer"
            );
        }
    }

    /// Registered and subscribed, until that ends.
    async fn joined(&self, was_subscribed: &mut bool) -> Failure {
        let joined = async {
            *self.state.resolved.lock() = self.session.resolve().await?;
            self.session.register().await?;
            self.state.reached(Stage::Registered);
            self.session.subscribe().await
        };
        if let Err(failure) = joined.await {
            return failure;
        }
        *was_subscribed = true;
        self.state.reached(Stage::Subscribed);
        tracing::info!(
            platform = self.session.address(),
            subscription = self.state.subscription,
            "subscribed at the platform of GA/T 1400"
        );
        let mut missed = 0;
        loop {
            tokio::time::sleep(self.keepalive).await;
            match self.session.keep_alive().await {
                Ok(()) => {
                    missed = 0;
                    self.state.reached(Stage::Subscribed);
                }
                Err(failure) => {
                    missed += 1;
                    self.state.failed(Stage::Subscribed, &failure);
                    if missed >= MISSED || failure.is_forgotten() {
                        return failure;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ViidConfig {
        ViidConfig {
            device_id: "32031200005030000001".to_owned(),
            peer_id: "32000000005030000001".to_owned(),
            peer_senders: vec!["10.0.0.9".parse().unwrap()],
            ..ViidConfig::default()
        }
    }

    #[test]
    fn a_subscription_keeps_its_id() {
        let id = DeviceId::parse(&config().device_id).unwrap();
        let one = subscription_id(&id, &config());
        assert_eq!((one.len(), &one[..28]), (33, "3203120000500320000101000000"));
        assert_eq!(subscription_id(&id, &config()), one);
        let other = ViidConfig { subscribe_to: "3203".to_owned(), ..config() };
        assert_ne!(subscription_id(&id, &other), one);
    }

    #[test]
    fn an_address_needs_no_resolving() {
        let its = |host: &str| literal(host).map(|address| address.to_string());
        assert_eq!(its("10.0.0.9").as_deref(), Some("10.0.0.9"));
        assert_eq!(its("[fd00::9]").as_deref(), Some("fd00::9"));
        assert_eq!(its("viid.example"), None);
    }
}
