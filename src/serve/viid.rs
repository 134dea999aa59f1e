//! The interface of GA/T 1400 (视图库), below `/VIID`: cameras and platforms register, keep themselves alive, and send vehicles. Its answers
//! are the standard's own ([`answer`]), and so is how one logs in ([`sender`]). What an object means is [`crate::viid`]'s.

mod answer;
mod sender;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::access::Record;
use super::ingest::{read_keeping, stored};
use super::listen::{Client, address_of};
use super::state::Api;
use crate::clock::unix_now;
use crate::deliveries::{Form, Receipt};
use crate::viid::{DeviceId, Elision, NotRegistered, Upload, Viid, notifications, vehicles};

use answer::{Code, Refusal, compact, of_list, of_one};
use sender::{Asked, Sender, identified, user_identify};

/// Bytes of what is no vehicle, such as a registration.
const SMALL: usize = 64 << 10;

/// What every handler is given.
struct Call {
    api: Arc<Api>,
    viid: Arc<Viid>,
    client: Client,
    record: Record,
    headers: HeaderMap,
    method: Method,
    /// Path and query string.
    place: String,
}

impl Call {
    /// Refuses where GA/T 1400 is not spoken.
    fn new(
        api: Arc<Api>,
        client: Client,
        record: Record,
        headers: HeaderMap,
        method: Method,
        uri: &Uri,
    ) -> Result<Self, Response> {
        let place = uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
        match api.settings.viid.clone() {
            Some(viid) => Ok(Self { api, viid, client, record, headers, method, place }),
            None => {
                let words = "GA/T 1400 is not spoken here: set viid.device_id";
                Err(Refusal::new(StatusCode::NOT_FOUND, Code::Operation, words).answered(&api, &place, ""))
            }
        }
    }

    fn path(&self) -> &str {
        self.place.split('?').next().unwrap_or_default()
    }

    /// The id in the header, if it is one.
    fn named(&self) -> Option<DeviceId> {
        user_identify(&self.headers)
    }

    fn sender(&self, asked: Asked) -> Result<Sender, Refusal> {
        identified(&self.viid, &self.record, &self.client, &self.headers, &self.method, &self.place, asked)
    }

    /// The answer of what went well, or was refused.
    fn answer(&self, done: Result<Response, Refusal>) -> Response {
        let id = self.named().map(|id| id.to_string()).unwrap_or_default();
        done.unwrap_or_else(|refusal| refusal.answered(&self.api, self.path(), &id))
    }

    fn fine(&self, id: &str) -> Response {
        of_one(&self.api, self.path(), id, Code::Ok, "OK")
    }

    /// The id in a small body, below one of these names: what a device says of itself there and in the header must be one.
    async fn device(&self, body: Body, name: &'static str) -> Result<DeviceId, Refusal> {
        let mut room = self.api.settings.deliveries.clone().unwrap_or_default().room();
        let length = self.headers.get(header::CONTENT_LENGTH);
        let keep = |piece: &[u8], kept: &mut Vec<u8>| kept.extend_from_slice(piece);
        let body = read_keeping(body, length, SMALL, SMALL, &mut room, keep).await?;
        let said = told(&body, name);
        let id = match (&said, self.named()) {
            (Some(said), named) => DeviceId::parse(said).filter(|id| named.is_none_or(|named| named == *id)),
            (None, named) => named,
        };
        id.ok_or_else(|| {
            let words = format!("{name}.DeviceID must be 20 digits, and the same as in User-Identify");
            Refusal::new(StatusCode::BAD_REQUEST, Code::Content, words)
        })
    }
}

/// The id that a body says, as `{"RegisterObject":{"DeviceID":"…"}}`.
fn told(body: &[u8], name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(rename = "DeviceID")]
        id: String,
    }
    let mut said: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let Said { id } = serde_json::from_value(said.remove(name)?).ok()?;
    Some(id)
}

type Extensions = (State<Arc<Api>>, Extension<Client>, Extension<Record>, Method, Uri, HeaderMap);

fn call(
    (State(api), Extension(client), Extension(record), method, uri, headers): Extensions,
) -> Result<Call, Response> {
    Call::new(api, client, record, headers, method, &uri)
}

/// A device or platform registers, by digest authentication (RFC 7616, MD5): the first answer is 401 with what to answer to.
#[utoipa::path(
    post,
    path = "/VIID/System/Register",
    tag = "viid",
    request_body(content((serde_json::Value = "application/VIID+JSON"), (serde_json::Value = "application/json")), description = "`{\"RegisterObject\":{\"DeviceID\":\"…\"}}`"),
    responses(
        (status = 200, description = "Registered", content_type = "application/VIID+JSON", body = Object),
        (status = 400, description = "The id is none", content_type = "application/VIID+JSON", body = Object),
        (status = 401, description = "Digest authentication is asked for", content_type = "application/VIID+JSON", body = Object, headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The id may not register", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_register(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let done = async {
        let id = call.device(body, "RegisterObject").await?;
        let Sender { user, .. } = call.sender(Asked::Register)?;
        enter(&call, id.clone(), &user)?;
        tracing::info!(device = %id, account = user, address = %call.client.address, "a device of GA/T 1400 has registered");
        Ok(call.fine(id.as_str()))
    };
    let done = done.await;
    call.answer(done)
}

/// Registers a device.
fn enter(call: &Call, id: DeviceId, user: &str) -> Result<(), Refusal> {
    call.record.device(user, Some(&id));
    if !call.viid.allows(&id) {
        let words = "this id may not register here: name it in viid.devices";
        return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Operation, words));
    }
    call.viid.devices.register(id, user, call.client.address, unix_now()).map_err(|error| match error {
        NotRegistered::Full => Refusal::busy("too many devices are online"),
        NotRegistered::Others => {
            let words = "this id is online, and registered with another account";
            Refusal::new(StatusCode::FORBIDDEN, Code::Operation, words)
        }
    })
}

/// A device or platform leaves.
#[utoipa::path(
    post,
    path = "/VIID/System/UnRegister",
    tag = "viid",
    request_body(content((serde_json::Value = "application/VIID+JSON"), (serde_json::Value = "application/json")), description = "`{\"UnRegisterObject\":{\"DeviceID\":\"…\"}}`"),
    responses(
        (status = 200, description = "It is not registered any more", content_type = "application/VIID+JSON", body = Object),
        (status = 400, description = "The id is none", content_type = "application/VIID+JSON", body = Object),
        (status = 401, description = "It was not registered, or not from there", content_type = "application/VIID+JSON", body = Object, headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The id may not register", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_unregister(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let done = async {
        let id = call.device(body, "UnRegisterObject").await?;
        let Sender { user, .. } = call.sender(Asked::Data)?;
        call.record.device(&user, Some(&id));
        // By digest one may only take leave of what the same account has registered.
        if call.viid.devices.heard(&id, call.client.address, unix_now()).is_some_and(|owner| owner == user) {
            call.viid.devices.leave(&id);
            tracing::info!(device = %id, "a device of GA/T 1400 has left");
        }
        Ok(call.fine(id.as_str()))
    };
    let done = done.await;
    call.answer(done)
}

/// A sign of life of a device or platform that has registered.
#[utoipa::path(
    post,
    path = "/VIID/System/Keepalive",
    tag = "viid",
    request_body(content((serde_json::Value = "application/VIID+JSON"), (serde_json::Value = "application/json")), description = "`{\"KeepaliveObject\":{\"DeviceID\":\"…\"}}`"),
    responses(
        (status = 200, description = "It is known", content_type = "application/VIID+JSON", body = Object),
        (status = 400, description = "The id is none", content_type = "application/VIID+JSON", body = Object),
        (status = 401, description = "It must register again", content_type = "application/VIID+JSON", body = Object, headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The id may not register", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_keepalive(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let done = async {
        let id = call.device(body, "KeepaliveObject").await?;
        let Sender { user, by_digest, .. } = call.sender(Asked::Data)?;
        // Who proves the account with each request is as good as registered.
        if by_digest {
            enter(&call, id.clone(), &user)?;
        }
        Ok(call.fine(id.as_str()))
    };
    let done = done.await;
    call.answer(done)
}

/// The clock of this server, for devices that set theirs by it.
#[utoipa::path(
    get,
    path = "/VIID/System/Time",
    tag = "viid",
    responses(
        (status = 200, description = "The time", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_time(extensions: Extensions) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let now = compact(&call.api);
    let time = json!({"SystemTimeObject": {
        "VIIDServerID": call.viid.id.as_str(), "TimeMode": "1", "LocalTime": now, "TimeZone": call.api.settings.zone.to_string(),
    }});
    answer::json(StatusCode::OK, &time)
}

/// A device or platform sends vehicles. The answer comes when all of them are durable, with a status for each.
#[utoipa::path(
    post,
    path = "/VIID/MotorVehicles",
    tag = "viid",
    request_body(content((serde_json::Value = "application/VIID+JSON"), (serde_json::Value = "application/json")), description = "`{\"MotorVehicleListObject\":{\"MotorVehicleObject\":[…]}}`"),
    responses(
        (status = 200, description = "All is durable; `StatusCode` of each says whether it was accepted", content_type = "application/VIID+JSON", body = Object),
        (status = 400, description = "The body is not JSON, or has no list; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 401, description = "The sender has not registered, or not from there", content_type = "application/VIID+JSON", body = Object, headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The id may not send", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 413, description = "The body is larger than `viid.max_body`, or without pictures than `api.ingest_max_body`, or has more than 10,000 vehicles; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too much waits already, or there were too many wrong passwords; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 503, description = "Nothing more is taken; whether this was is not known", content_type = "application/VIID+JSON", body = Object),
        (status = 504, description = "It is not durable yet; whether it will be is not known", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_vehicles(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let done = async {
        let sender = match allowed(&call, call.sender(Asked::Data)) {
            Ok(sender) => sender,
            Err(refusal) => {
                discarded(&call, body).await;
                return Err(refusal);
            }
        };
        let (upload, receipt) = taken(&call, body, vehicles, |_| Ok(sender.name())).await?;
        Ok(of_list(&call.api, call.path(), &answer::of_objects(&upload.ids, &receipt)))
    };
    let done = done.await;
    call.answer(done)
}

/// A platform sends notifications of a subscription: of ours there, or of one that an operator made there. The answer comes when all of it
/// is durable, with a status for each notification.
#[utoipa::path(
    post,
    path = "/VIID/SubscribeNotifications",
    tag = "viid",
    request_body(content((serde_json::Value = "application/VIID+JSON"), (serde_json::Value = "application/json")), description = "`{\"SubscribeNotificationListObject\":{\"SubscribeNotificationObject\":[…]}}`"),
    responses(
        (status = 200, description = "All is durable", content_type = "application/VIID+JSON", body = Object),
        (status = 400, description = "The body is not JSON, or has no list; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 401, description = "The sender has not registered, or not from there", content_type = "application/VIID+JSON", body = Object, headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The id may not send, or it is not our subscription", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 413, description = "As of vehicles; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too much waits already, or there were too many wrong passwords; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 503, description = "Nothing more is taken; whether this was is not known", content_type = "application/VIID+JSON", body = Object),
        (status = 504, description = "It is not durable yet; whether it will be is not known", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_notifications(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let done = async {
        let platform =
            call.viid.peer.clone().filter(|peer| peer.sent(call.named().as_ref(), call.client.address, is_same));
        let sender =
            match (allowed(&call, call.sender(Asked::Notification { from_platform: platform.is_some() })), &platform) {
                (Ok(sender), _) => sender,
                (Err(_), Some(peer)) => Sender::platform(peer.id()),
                (Err(refusal), None) => {
                    discarded(&call, body).await;
                    return Err(refusal);
                }
            };
        call.record.device(&sender.user, sender.device.as_ref());
        let is_ours = |upload: &Upload| {
            let peer = platform.as_ref().filter(|_| sender.is_platform);
            let of_another = |peer: &Arc<crate::viid::PeerState>| {
                upload.notifications.iter().any(|notification| notification.subscription != peer.subscription())
            };
            if peer.is_some_and(of_another) {
                let words = "this is no subscription of ours: end it at the platform";
                return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Operation, words));
            }
            Ok(sender.name())
        };
        let (upload, receipt) = taken(&call, body, notifications, is_ours).await?;
        if let Some(peer) = platform.filter(|_| sender.is_platform) {
            peer.notified(upload.notifications.len());
        }
        Ok(of_list(&call.api, call.path(), &answer::of_notifications(&upload.notifications, &receipt)))
    };
    let done = done.await;
    call.answer(done)
}

/// Addresses as connections have them.
fn is_same(known: IpAddr, client: IpAddr) -> bool {
    address_of(known) == client
}

/// A sender whose id may send.
fn allowed(call: &Call, sender: Result<Sender, Refusal>) -> Result<Sender, Refusal> {
    let sender = sender?;
    call.record.device(&sender.user, sender.device.as_ref());
    let has_none = call.viid.allows_all();
    if !has_none && !sender.device.as_ref().is_some_and(|id| call.viid.allows(id)) {
        let words = "the id in User-Identify may not send here: name it in viid.devices";
        return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Operation, words));
    }
    Ok(sender)
}

/// Lets a body come that nobody reads: who still sends may not see the answer.
async fn discarded(call: &Call, body: Body) {
    let mut room = call.api.settings.deliveries.clone().unwrap_or_default().room();
    let limit = call.viid.most_bytes;
    let _ = read_keeping(body, None, limit, limit, &mut room, |_, _| ()).await;
}

/// Reads a body without its pictures, and stores its vehicles; `by` says who sent them, once it is known what is in it.
async fn taken<R, B>(call: &Call, body: Body, read: R, by: B) -> Result<(Upload, Receipt), Refusal>
where
    R: Fn(&[u8], &crate::viid::Checkpoints, usize) -> Result<Upload, crate::viid::UploadError> + Send + 'static,
    B: FnOnce(&Upload) -> Result<String, Refusal>,
{
    let Call { api, viid, headers, .. } = call;
    let deliveries = api.settings.deliveries.clone().ok_or_else(|| Refusal::busy("nothing is taken here"))?;
    let mut room = deliveries.room();
    let (most, most_kept) = (viid.most_bytes, api.settings.ingest_limit);
    let mut elision = Elision::default();
    let keep = |piece: &[u8], kept: &mut Vec<u8>| elision.take(piece, kept);
    let body = read_keeping(body, headers.get(header::CONTENT_LENGTH), most, most_kept, &mut room, keep).await?;
    room.grow(body.len()).map_err(|_| Refusal::busy("too much waits to be stored"))?;
    let known = viid.clone();
    let reading = api.lanes.unpack(move || {
        let upload = read(&body, &known.checkpoints, most_kept);
        upload.map(|upload| {
            room.shrink_to(upload.lines.len());
            (upload, room)
        })
    });
    let (mut upload, room) = reading.await??;
    let by = by(&upload)?;
    let lines = std::mem::take(&mut upload.lines);
    let receipt = stored(&deliveries, lines.into(), Form::Objects, by, room).await?;
    viid.stored(&receipt);
    Ok((upload, receipt))
}
