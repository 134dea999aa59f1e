//! `/VIID/System`: devices and platforms register, keep themselves alive and leave.

use access::trail::Action;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer::{self, Code, Refusal, compact};
use super::call::{Call, Extensions, call};
use super::sender::{Asked, OTHERS, Sender};
use crate::clock::unix_now;
use crate::viid::{DeviceId, NotRegistered};

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
        (status = 413, description = "The body is too large", content_type = "application/VIID+JSON", body = Object),
        (status = 415, description = "The body is compressed", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(in crate::serve) async fn viid_register(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let done = async {
        let id = call.device(body, "RegisterObject").await?;
        let Sender { user, .. } = call.sender(Asked::Register)?;
        enter(&call, id.clone(), &user)?;
        Ok(call.fine(id.as_str()))
    };
    let done = done.await;
    call.answer(done)
}

/// Registers a device. Some do so every minute: the audit log has an entry an hour for what is the same.
fn enter(call: &Call, id: DeviceId, user: &str) -> Result<(), Refusal> {
    let address = call.client.address;
    call.record.device(user, Some(&id));
    call.record.hourly(format!("register {user} {id} {address}"));
    if !call.viid.allows(&id) {
        let words = "this id may not register here: name it in viid.devices";
        return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Operation, words));
    }
    if call.viid.devices.register(id.clone(), user, address, unix_now()).map_err(refused)? {
        call.record.action(Action::Login);
        tracing::info!(device = %id, account = user, %address, "a device of GA/T 1400 has registered");
    }
    Ok(())
}

fn refused(error: NotRegistered) -> Refusal {
    match error {
        NotRegistered::Full => Refusal::busy("too many devices are online"),
        NotRegistered::Others => Refusal::new(StatusCode::FORBIDDEN, Code::Operation, OTHERS),
    }
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
        (status = 403, description = "Another account has registered the id", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
        (status = 408, description = "The body came too slowly", content_type = "application/VIID+JSON", body = Object),
        (status = 413, description = "The body is too large", content_type = "application/VIID+JSON", body = Object),
        (status = 415, description = "The body is compressed", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(in crate::serve) async fn viid_unregister(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let done = async {
        let id = call.device(body, "UnRegisterObject").await?;
        let Sender { user, .. } = call.sender(Asked::Data)?;
        call.record.device(&user, Some(&id));
        // By digest an account may take leave from anywhere, of what it has registered.
        if call.viid.devices.leave(&id, &user).map_err(refused)? {
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
        (status = 413, description = "The body is too large", content_type = "application/VIID+JSON", body = Object),
        (status = 415, description = "The body is compressed", content_type = "application/VIID+JSON", body = Object),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(in crate::serve) async fn viid_keepalive(extensions: Extensions, body: Body) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return *refused,
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
        (status = 403, description = "A page asks (`Origin`)", content_type = "application/VIID+JSON", body = Object),
        (status = 404, description = "GA/T 1400 is not spoken here", content_type = "application/VIID+JSON", body = Object),
    )
)]
pub(in crate::serve) async fn viid_time(extensions: Extensions) -> Response {
    let call = match call(extensions) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let now = compact(&call.api);
    let time = json!({"SystemTimeObject": {
        "VIIDServerID": call.viid.id.as_str(), "TimeMode": "1", "LocalTime": now, "TimeZone": call.api.settings.zone.to_string(),
    }});
    answer::json(StatusCode::OK, &time)
}
