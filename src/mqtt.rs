//! Messages of a broker of MQTT (3.1.1), handed over like what is sent to `/api/ingest`. It knows no field of a message.
//!
//! | | |
//! |---|---|
//! | nothing is lost | a message is acknowledged (QoS 1) once it is durable; the broker keeps the session while we are away |
//! | once | what was not acknowledged comes again, and GCXH tells what was stored already |
//! | order | messages are handed over and acknowledged in their order |
//! | bounds | where too much waits, no more is read; the broker sends no more than it may without acknowledgements |
//! | a retained message | is old, comes again at each subscription, and is not taken |

mod message;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesOrdered};
use parking_lot::Mutex;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, Publish, QoS,
    SubscribeReasonCode, TlsConfiguration, Transport,
};
use tokio_util::sync::CancellationToken;

use crate::clock::unix_now;
use crate::config::{MqttConfig, ServerUrl};
use crate::deliveries::{Deliveries, Receipt, Refused};
use crate::events::EventTables;
use crate::status::FeedStatus;
use crate::trust::{self, TrustError};
pub use message::{Form, FormError};

/// Messages that have no receipt yet, at most; a broker usually sends fewer.
const MOST_WAITING: usize = 1_000;
/// Bytes of a message at most. A broker that has a larger one must be told to refuse it: MQTT has no way to say so here.
const LARGEST: usize = 32 << 20;
/// How long to wait where there is no room.
const PAUSE: Duration = Duration::from_millis(50);

const REFUSED: &str = "the broker refuses a subscription: allow the user to read these topics";

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    /// The broker cannot be reached by TLS.
    #[error(transparent)]
    Tls(#[from] TrustError),
    /// Messages cannot be read.
    #[error("mqtt.format: {0}")]
    Form(#[from] FormError),
}

/// A client that is not connected yet.
#[derive(Debug)]
pub struct MqttIntake {
    options: MqttOptions,
    address: String,
    topics: Vec<String>,
    form: Form,
    connect_timeout: Duration,
    retry_max: Duration,
    deliveries: Arc<Deliveries>,
    state: Arc<Mutex<FeedStatus>>,
}

/// Why a connection ended.
enum Ended {
    /// It is to be made again.
    Broken(String),
    /// Nothing is taken any more.
    ForGood,
}

impl MqttIntake {
    /// A client of the configured broker, if there is one.
    ///
    /// # Errors
    /// [`MqttError`].
    pub fn of(
        config: &MqttConfig,
        tables: &EventTables,
        gb18030: bool,
        deliveries: &Arc<Deliveries>,
    ) -> Result<Option<Self>, MqttError> {
        let Some(url) = &config.url else { return Ok(None) };
        let mut options = options(config, url, &config.client_id)?;
        options.set_clean_session(false).set_manual_acks(true);
        Ok(Some(Self {
            options,
            address: url.to_string(),
            topics: config.topics.clone(),
            form: Form::of(&config.format, tables, gb18030)?,
            connect_timeout: config.connect_timeout,
            retry_max: config.retry_max,
            deliveries: deliveries.clone(),
            state: Arc::new(Mutex::new(FeedStatus {
                name: "MQTT".to_owned(),
                address: url.to_string(),
                away_since_unix: Some(unix_now()),
                ..FeedStatus::default()
            })),
        }))
    }

    /// Reports how the connection is, also while it runs.
    pub fn state(&self) -> impl Fn() -> FeedStatus + Send + Sync + use<> {
        let state = self.state.clone();
        move || state.lock().clone()
    }

    /// It works from now on.
    fn is_connected(&self) {
        let mut state = self.state.lock();
        *state = FeedStatus { connected: true, away_since_unix: None, last_error: None, ..state.clone() };
    }

    /// It does not, and why.
    fn is_away(&self, reason: &str) {
        let mut state = self.state.lock();
        state.connected = false;
        state.away_since_unix.get_or_insert_with(unix_now);
        state.last_error = Some(reason.to_owned());
    }

    /// Takes messages until `stop`, or until nothing is taken any more. A broker that is away is waited for.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = Duration::from_secs(1).min(self.retry_max);
        let mut said = String::new();
        loop {
            // A new client for each connection: an acknowledgement of the last one could name another message in this.
            let (client, mut events) = AsyncClient::new(self.options.clone(), self.topics.len() + MOST_WAITING + 1);
            events.network_options.set_connection_timeout(self.connect_timeout.as_secs());
            let mut was_connected = false;
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.connected(&client, events, &mut was_connected) => ended,
            };
            if was_connected {
                (pause, said) = (Duration::from_secs(1).min(self.retry_max), String::new());
            }
            let Ended::Broken(reason) = ended else { return };
            self.is_away(&reason);
            if reason != said {
                tracing::warn!(broker = self.address, %reason, "no connection to the broker of MQTT, it is tried again");
                said = reason;
            }
            if tokio::time::timeout(pause, stop.cancelled()).await.is_ok() {
                return;
            }
            pause = (pause * 2).min(self.retry_max);
        }
    }

    async fn connected(&self, client: &AsyncClient, events: EventLoop, was_connected: &mut bool) -> Ended {
        // A stream, since what `poll` has begun must not be dropped when a receipt comes: an acknowledgement could go with it.
        let mut events = pin!(stream::unfold(events, |mut events| async { Some((events.poll().await, events)) }));
        let mut waiting = FuturesOrdered::new();
        let mut refused = false;
        loop {
            tokio::select! {
                Some(event) = events.next(), if waiting.len() < MOST_WAITING => match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        *was_connected = true;
                        tracing::info!(broker = self.address, topics = ?self.topics, "connected to the broker of MQTT");
                        for topic in &self.topics {
                            if client.try_subscribe(topic, QoS::AtLeastOnce).is_err() {
                                return Ended::Broken("the client is full: please report it".to_owned());
                            }
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(answers))) => {
                        if answers.return_codes.contains(&SubscribeReasonCode::Failure) {
                            refused = true;
                            self.is_away(REFUSED);
                            tracing::error!(broker = self.address, topics = ?self.topics, "{REFUSED}");
                        } else if !refused {
                            self.is_connected();
                        }
                    }
                    Ok(Event::Incoming(Packet::Publish(message))) if message.retain => {
                        tracing::warn!(topic = message.topic, "a retained message is not taken: it comes again at each start");
                        if client.try_ack(&message).is_err() {
                            return Ended::Broken("the client is full: please report it".to_owned());
                        }
                    }
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let Some(receipt) = self.deliver(&message).await else { return Ended::ForGood };
                        let handled = Publish { payload: Bytes::new(), ..message };
                        waiting.push_back(async move { (handled, receipt.await) });
                    }
                    Ok(_) => {}
                    Err(error) => return Ended::Broken(sentence(&error)),
                },
                Some((message, receipt)) = waiting.next(), if !waiting.is_empty() => {
                    let Ok(receipt) = receipt else { return Ended::ForGood };
                    note(&message.topic, &receipt);
                    if client.try_ack(&message).is_err() {
                        return Ended::Broken("the client is full: please report it".to_owned());
                    }
                }
            }
        }
    }

    /// Hands a message over, as soon as there is room; none if nothing is taken any more.
    async fn deliver(&self, message: &Publish) -> Option<tokio::sync::oneshot::Receiver<Receipt>> {
        let (body, form) = self.form.read(&message.payload);
        let origin: Arc<str> = format!("mqtt {}", message.topic).into();
        loop {
            let mut room = self.deliveries.room();
            let taken =
                room.grow(body.len()).and_then(|()| self.deliveries.deliver(body.clone(), form, origin.clone(), room));
            match taken {
                Ok(receipt) => return Some(receipt),
                Err(Refused::Ended) => return None,
                Err(Refused::Full) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Connects once and asks for the topics, under a name of its own: the session of a running appliance, and what it is owed, stay
/// as they are.
///
/// # Errors
/// What is wrong and what to do, in words.
pub async fn try_once(config: &MqttConfig, url: &ServerUrl) -> Result<(), String> {
    let name = format!("{}-check-{}", config.client_id, std::process::id());
    let mut options = options(config, url, &name).map_err(|error| error.to_string())?;
    options.set_clean_session(true);
    let (client, mut events) = AsyncClient::new(options, config.topics.len() + 1);
    events.network_options.set_connection_timeout(config.connect_timeout.as_secs());
    let mut answers = 0;
    let asked = async {
        while answers < config.topics.len() {
            match events.poll().await.map_err(|error| sentence(&error))? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    for topic in &config.topics {
                        let asked = client.try_subscribe(topic, QoS::AtMostOnce);
                        asked.map_err(|error| error.to_string())?;
                    }
                }
                Event::Incoming(Packet::SubAck(answer))
                    if answer.return_codes.contains(&SubscribeReasonCode::Failure) =>
                {
                    return Err(REFUSED.to_owned());
                }
                Event::Incoming(Packet::SubAck(_)) => answers += 1,
                _ => {}
            }
        }
        Ok(())
    };
    let slow = |_| "it does not answer: check mqtt.url and the network".to_owned();
    tokio::time::timeout(config.connect_timeout * 2, asked).await.map_err(slow)?
}

/// How to connect under this name.
fn options(config: &MqttConfig, url: &ServerUrl, name: &str) -> Result<MqttOptions, TrustError> {
    let mut options = MqttOptions::new(name, url.host(), url.port());
    options.set_keep_alive(config.keep_alive).set_max_packet_size(LARGEST, LARGEST);
    if let Some((user, password)) = login(url, config) {
        options.set_credentials(user, password);
    }
    if url.scheme() == "mqtts" {
        let tls = TlsConfiguration::Rustls(Arc::new(trust::client("mqtt.tls_ca", config.tls_ca.as_deref())?));
        options.set_transport(Transport::tls_with_config(tls));
    }
    Ok(options)
}

/// Says what was not accepted: no sender reads a receipt here.
fn note(topic: &str, receipt: &Receipt) {
    if let Some((_, reason)) = receipt.rejects.first() {
        tracing::debug!(
            topic,
            rejected = receipt.rejected,
            reason = reason.as_str(),
            "a message with rejected records"
        );
    }
}

/// User and password: those of the URL before those of the settings.
fn login(url: &ServerUrl, config: &MqttConfig) -> Option<(String, String)> {
    let user = url.user().map_or_else(|| config.user.clone(), str::to_owned);
    let password = url.password().map_or_else(|| config.password.expose(), |password| password.expose());
    (!user.is_empty() || !password.is_empty()).then(|| (user, password.to_owned()))
}

/// What is wrong, and what to do.
fn sentence(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "it refuses the login: check mqtt.user and mqtt.password".to_owned(),
        ConnectionError::ConnectionRefused(ConnectReturnCode::BadClientId) => {
            "it refuses the name of this client: change mqtt.client_id".to_owned()
        }
        ConnectionError::NetworkTimeout => "it does not answer: check mqtt.url and the network".to_owned(),
        ConnectionError::Io(error) => {
            format!("it cannot be reached ({error}): check mqtt.url, and that the broker listens there")
        }
        ConnectionError::Tls(error) => {
            format!("no encrypted connection to it ({error}): check mqtt.url and mqtt.tls_ca")
        }
        error => error.to_string(),
    }
}
