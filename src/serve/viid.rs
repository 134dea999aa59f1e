//! The interface of GA/T 1400 (视图库), below `/VIID`: cameras and platforms register ([`system`]) and send vehicles. Its answers are the
//! standard's own ([`answer`]), and so is how one logs in ([`sender`]). What an object means is [`crate::viid`]'s.

mod answer;
mod call;
mod sender;
pub(super) mod system;

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::ingest::{read_keeping, stored};
use super::listen::address_of;
use crate::clock::unix_now;
use crate::deliveries::{Form, Receipt};
use crate::viid::{Checkpoints, Elision, Notification, Upload, UploadError, notifications, vehicles};

pub(super) use answer::in_status;
use answer::{Code, FOREIGN, Refusal, of_list};
use call::{Call, Extensions, call};
use sender::{Asked, Sender, proves_nothing};

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
        (status = 415, description = "The body is compressed; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 413, description = "The body is larger than `viid.max_body`, or without pictures than `api.ingest_max_body`, or has more than 10,000 vehicles; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too much waits already, or there were too many wrong passwords; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 503, description = "Nothing more is taken; whether this was is not known", content_type = "application/VIID+JSON", body = Object),
        (status = 504, description = "It is not durable yet; whether it will be is not known", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_vehicles(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return *refused,
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
        (status = 403, description = "The id may not send, or none is of our subscription", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 415, description = "The body is compressed; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 413, description = "As of vehicles; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too much waits already, or there were too many wrong passwords; nothing was taken", content_type = "application/VIID+JSON", body = Object),
        (status = 503, description = "Nothing more is taken; whether this was is not known", content_type = "application/VIID+JSON", body = Object),
        (status = 504, description = "It is not durable yet; whether it will be is not known", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(super) async fn viid_notifications(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let done = async {
        let known = call.viid.peer.clone();
        let platform = known.clone().filter(|peer| {
            proves_nothing(&call.headers) && peer.sent(call.named().as_ref(), call.client.address, is_same)
        });
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
        // It may have registered here as well.
        let sent_by = known.filter(|peer| sender.is_platform || sender.device.as_ref() == Some(peer.id()));
        let peer = platform.filter(|_| sender.is_platform);
        let subscription = peer.as_ref().map(|peer| peer.subscription().to_owned());
        let read = move |body: &[u8], checkpoints: &Checkpoints, most_bytes: usize| {
            notifications(body, checkpoints, most_bytes, subscription.as_deref())
        };
        // One that is not ours is answered so beside ours; where none is, nothing was taken.
        let is_ours = |upload: &Upload| {
            let all = &upload.notifications;
            let is_none = !all.is_empty() && all.iter().all(|notification| notification.is_foreign);
            if is_none { Err(Refusal::new(StatusCode::FORBIDDEN, Code::Operation, FOREIGN)) } else { Ok(sender.name()) }
        };
        let (upload, receipt) = taken(&call, body, read, is_ours).await?;
        if let Some(peer) = sent_by {
            let is_ours = |notification: &&Notification| notification.subscription == peer.subscription();
            peer.notified(upload.notifications.iter().filter(is_ours).count());
        }
        Ok(of_list(&call.api, call.path(), &answer::of_notifications(&upload.notifications, &receipt)))
    };
    let done = done.await;
    call.answer(done)
}

/// Bytes that are let in of a body from where nobody has registered: a vehicle with its pictures, as after a restart, whose sender must
/// learn that it is to register.
const STRANGERS: usize = 4 << 20;

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

/// Lets a body come that nobody reads: who still sends may not see the answer. From where nobody has registered that is not for long.
async fn discarded(call: &Call, body: Body) {
    let mut room = call.api.settings.deliveries.clone().unwrap_or_default().room();
    let is_known = call.viid.devices.has_any_at(call.client.address, unix_now());
    let limit = if is_known { call.viid.most_bytes } else { call.viid.most_bytes.min(STRANGERS) };
    let _ = read_keeping(body, None, limit, limit, &mut room, |_, _| ()).await;
}

/// Reads a body without its pictures, and stores its vehicles; `by` says who sent them, once it is known what is in it.
async fn taken<R, B>(call: &Call, body: Body, read: R, by: B) -> Result<(Upload, Receipt), Refusal>
where
    R: Fn(&[u8], &Checkpoints, usize) -> Result<Upload, UploadError> + Send + 'static,
    B: FnOnce(&Upload) -> Result<String, Refusal>,
{
    let Call { api, viid, headers, .. } = call;
    let deliveries = api.settings.deliveries.clone().ok_or_else(|| Refusal::busy("nothing is taken here"))?;
    if let Err(refusal) = call.is_readable() {
        discarded(call, body).await;
        return Err(refusal);
    }
    let mut room = deliveries.room();
    let (most, most_kept) = (viid.most_bytes, api.settings.ingest_limit);
    let mut elision = Elision::default();
    let keep = |piece: &[u8], kept: &mut Vec<u8>| elision.take(piece, kept);
    let body = read_keeping(body, headers.get(header::CONTENT_LENGTH), most, most_kept, &mut room, keep).await?;
    room.grow(body.len()).map_err(|_| Refusal::busy("too much waits to be stored"))?;
    let known = viid.clone();
    let reading = api.lanes.unpack(move || {
        let upload = read(&body, &known.checkpoints, most_kept)?;
        // Names of checkpoints and makers may be longer than what stands for them.
        let more = upload.lines.len().saturating_sub(2 * body.len());
        room.grow(more).map_err(|_| Refusal::busy("too much waits to be stored"))?;
        drop(body);
        room.shrink_to(upload.lines.len());
        Ok::<_, Refusal>((upload, room))
    });
    let (mut upload, room) = reading.await??;
    let by = by(&upload)?;
    let lines = std::mem::take(&mut upload.lines);
    let receipt = stored(&deliveries, lines.into(), Form::Objects, by, room).await?;
    viid.stored(&receipt);
    Ok((upload, receipt))
}
