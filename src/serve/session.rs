//! `/api/session`: who is logged in, login, logout, and a new password.

use std::sync::Arc;

use access::{Area, Permission, Role, Secret, Session as LoggedIn};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{By, COOKIE, Record, session_of};
use super::codes::{PermissionName, PurposeUseName, UserRoleName};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{BodyFields, Fields};
use super::listen::Client;
use super::state::Api;
use super::users::names_of;
use crate::clock::unix_now;
use crate::config::PurposeUse;
use crate::gate::{Credential, Identity, LoginError, PasswordError, Via, Who};

/// Whether one must log in.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Access {
    /// Nobody needs to.
    Open,
    /// Everybody must.
    Login,
}

/// A user who is logged in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionUser)]
pub(super) struct UserJson {
    /// The name to log in with.
    #[schema(example = "wang")]
    name: String,
    /// The name that others see.
    #[schema(example = "王警官")]
    shown: String,
    /// The roles.
    #[schema(value_type = Vec<UserRoleName>, example = json!(["operator"]))]
    roles: Vec<Role>,
    /// A new password must be chosen before anything else.
    #[schema(example = false)]
    must_change: bool,
    /// The user logs in by single sign-on, and has no password here.
    #[schema(example = false)]
    external: bool,
}

/// Districts and checkpoints to which a client is limited: a place in any of them counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionArea)]
pub(super) struct AreaJson {
    /// Districts.
    #[schema(example = json!(["邳州市"]))]
    districts: Vec<String>,
    /// Checkpoints beside those of the districts.
    #[schema(example = json!(["G3_Sulu"]))]
    checkpoints: Vec<String>,
}

/// Who is logged in, and what this client may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionJson {
    /// `login`, or `open` where nobody needs to log in.
    access: Access,
    /// Nobody needs to log in, although others than this machine can reach it.
    #[schema(example = false)]
    exposed: bool,
    /// What this client may do.
    #[schema(value_type = Vec<PermissionName>, example = json!(["dashboard", "plates", "work", "export"]))]
    permissions: Vec<Permission>,
    /// Where it may look: within all of these; everywhere if there are none. A token has its own area beside that of its user.
    areas: Vec<AreaJson>,
    /// Whether one may log in by single sign-on: at `/api/session/oidc`.
    #[schema(example = false)]
    single_sign_on: bool,
    /// Null if nobody is logged in.
    user: Option<UserJson>,
    /// What a browser must send in the header `X-CSRF-Token` with everything that changes something; null without a session.
    #[schema(example = "wRhX0cJ0mC3vZ0Qm3m2E0o8bq9V5m9k1mJ8m0n7p4aU")]
    csrf: Option<String>,
    /// Whether one says what a search is for, in the header `X-Purpose`: `off` (the page does not ask), `optional` or `required`.
    #[schema(value_type = PurposeUseName, example = "optional")]
    purpose: &'static str,
    /// When the session ends at the latest, civil time of the road; null without a session.
    #[schema(example = "2024-01-08 08:00:00")]
    expires_at: Option<String>,
}

impl From<Area> for AreaJson {
    fn from(area: Area) -> Self {
        let (districts, checkpoints) = names_of(Some(area));
        Self { districts, checkpoints }
    }
}

impl SessionJson {
    fn new(api: &Api, identity: &Identity) -> Self {
        let expires_at = match &identity.via {
            Via::Session(digest) => api.gate.ends_at(digest, unix_now()),
            Via::Open | Via::Nothing | Via::Token(_) => None,
        };
        Self {
            access: if api.gate.is_closed() { Access::Login } else { Access::Open },
            exposed: api.gate.is_exposed(),
            permissions: identity.permissions.iter().collect(),
            areas: identity.scope.areas().cloned().map(AreaJson::from).collect(),
            single_sign_on: api.settings.sign_on.is_some() && api.gate.is_closed(),
            user: identity.who.as_ref().map(|who| UserJson {
                name: who.name.to_string(),
                shown: who.shown.clone(),
                roles: who.roles.iter().collect(),
                must_change: who.must_change,
                external: api.gate.is_external(&who.name),
            }),
            csrf: identity.csrf(),
            purpose: PurposeUse::as_str(api.settings.purpose),
            expires_at: expires_at.map(|unix| api.civil(unix)),
        }
    }
}

/// Who is logged in, and what this client may do. It may always be asked.
#[utoipa::path(
    get,
    path = "/session",
    tag = "access",
    responses((status = 200, description = "The session, or that there is none", body = Envelope<SessionJson>))
)]
pub(super) async fn session(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
) -> Answer<SessionJson> {
    Ok(Success(SessionJson::new(&api, &identity)))
}

/// A login.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; the handler reads the fields one by one")]
#[schema(as = Login)]
pub(super) struct LoginBody {
    /// The name.
    #[schema(example = "wang")]
    user: String,
    /// The password.
    #[schema(example = "three lorries in fog")]
    password: String,
}

/// Logs a user in: the answer sets a cookie. After a few wrong passwords the account and the address must wait, longer each
/// time.
#[utoipa::path(
    post,
    path = "/session",
    tag = "access",
    request_body = LoginBody,
    responses(
        (status = 200, description = "Logged in", body = Envelope<SessionJson>),
        (status = 401, description = "The name or the password is wrong", body = ErrorEnvelope),
        (status = 403, description = "Passwords are taken over HTTPS only", body = ErrorEnvelope),
        (status = 409, description = "Nobody needs to log in here", body = ErrorEnvelope),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", body = ErrorEnvelope),
    )
)]
pub(super) async fn log_in(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(record): Extension<Record>,
    headers: HeaderMap,
    BodyFields(fields): BodyFields,
) -> Result<Response, ApiError> {
    fields.only(&["user", "password"])?;
    let [name, password] = ["user", "password"].map(|name| text(&fields, name));
    let (name, password) = (name?, password?);
    client.takes_secrets()?;
    let agent = user_agent(&headers);
    let address = client.address.to_string();
    let now = unix_now();
    // What somebody typed may be anything, even a password; the name of a user is not.
    let known = api.gate.shown(&name).map(|_| name.trim().to_ascii_lowercase());
    let entered = api.at_the_gate(move |gate| gate.log_in(&name, &password, &address, &agent, now)).await?;
    let (cookie, session) = entered.map_err(|error| failed(error, known, &record))?;
    let identity = api.gate.identify(Credential { cookie: Some(cookie.reveal()), token: None }, now);
    let identity = identity.map_err(|_| ApiError::new(ErrorReason::LoginRequired))?;
    record.by(By::from(&identity));
    tracing::info!(user = %session.user, address = session.address, "logged in");
    let set = set_session(&api, &cookie, &session, now);
    with_cookie(Success(SessionJson::new(&api, &identity)).into_response(), &set)
}

/// Ends the session.
#[utoipa::path(
    delete,
    path = "/session",
    tag = "access",
    responses(
        (status = 200, description = "Logged out", body = Envelope<SessionJson>),
        (status = 409, description = "There is no session: nobody needs to log in, or a token was sent", body = ErrorEnvelope),
    )
)]
pub(super) async fn log_out(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, ApiError> {
    let (digest, _) = session_of(&identity)?;
    let digest = *digest;
    api.at_the_gate(move |gate| gate.log_out(&digest)).await?;
    let set = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    with_cookie(Success(SessionJson::new(&api, &Identity::nobody())).into_response(), &set)
}

/// A new password.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; the handler reads the fields one by one")]
#[schema(as = NewPassword)]
pub(super) struct PasswordBody {
    /// The password so far.
    #[schema(example = "three lorries in fog")]
    old: String,
    /// The new one: 10 characters or more.
    #[schema(example = "four barges in the rain")]
    new: String,
}

/// Changes the password. The user's other sessions end.
#[utoipa::path(
    post,
    path = "/session/password",
    tag = "access",
    request_body = PasswordBody,
    responses(
        (status = 200, description = "Changed", body = Envelope<SessionJson>),
        (status = 401, description = "The old password is wrong", body = ErrorEnvelope),
        (status = 403, description = "Passwords are taken over HTTPS only", body = ErrorEnvelope),
        (status = 409, description = "There is no session: nobody needs to log in, or a token was sent", body = ErrorEnvelope),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait", body = ErrorEnvelope),
    )
)]
pub(super) async fn change_password(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    BodyFields(fields): BodyFields,
) -> Answer<SessionJson> {
    fields.only(&["old", "new"])?;
    let [old, new] = ["old", "new"].map(|name| text(&fields, name));
    let (old, new) = (old?, new?);
    let (digest, who) = session_of(&identity)?;
    client.takes_secrets()?;
    let who = Who { must_change: false, ..who.clone() };
    let (digest, user, address, now) = (*digest, who.clone(), client.address.to_string(), unix_now());
    let changed = api.at_the_gate(move |gate| gate.change_password(&digest, &user, &old, &new, &address, now)).await?;
    changed.map_err(|error| match error {
        PasswordError::Login(error) => failed(error, Some(who.name.to_string()), &record),
        PasswordError::Weak(weak) => weak_password(weak.as_str(), &error),
        PasswordError::Same => weak_password("same", &error),
        PasswordError::Files(error) => {
            tracing::error!(%error, "a password could not be stored");
            ApiError::internal()
        }
    })?;
    tracing::info!(user = %who.name, "changed the password");
    let permissions = who.roles.permissions();
    let identity = Identity { permissions, via: Via::Session(digest), who: Some(who), ..identity };
    Ok(Success(SessionJson::new(&api, &identity)))
}

fn weak_password(code: &str, error: &PasswordError) -> ApiError {
    ApiError::new(ErrorReason::WeakPassword).with("code", code).with("error", error.to_string())
}

/// A field that must be there, as it is: white space belongs to a password.
fn text(fields: &Fields, name: &'static str) -> Result<String, ApiError> {
    let text = fields.exact(name)?.unwrap_or_default();
    if text.is_empty() {
        return Err(ApiError::new(ErrorReason::MissingField).with("name", name));
    }
    Ok(text.to_owned())
}

/// The answer to a wrong password, which the audit log notes.
fn failed(error: LoginError, user: Option<String>, record: &Record) -> ApiError {
    match &error {
        LoginError::Wrong => record.failed_login(user, None),
        LoginError::Wait(seconds) => record.failed_login(user, Some(*seconds)),
        LoginError::Open | LoginError::Random(_) => {}
    }
    refused(error)
}

fn refused(error: LoginError) -> ApiError {
    match error {
        LoginError::Wrong => ApiError::new(ErrorReason::WrongLogin),
        LoginError::Wait(seconds) => {
            ApiError::new(ErrorReason::LoginBackoff).retry_after(u16::try_from(seconds).unwrap_or(u16::MAX))
        }
        LoginError::Open => ApiError::new(ErrorReason::NoLogin),
        LoginError::Random(error) => {
            tracing::error!(%error, "nobody can log in");
            ApiError::internal()
        }
    }
}

/// What the browser calls itself.
pub(super) fn user_agent(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned()
}

/// The cookie of a session, for as long as that may last.
pub(super) fn set_session(api: &Api, cookie: &Secret, session: &LoggedIn, now: i64) -> String {
    let seconds = api.gate.ends_at(&session.digest, now).map_or(0, |ends_at| ends_at - now);
    format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}", cookie.reveal())
}

fn with_cookie(mut response: Response, set: &str) -> Result<Response, ApiError> {
    let value = HeaderValue::try_from(set).map_err(|_| ApiError::internal())?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(response)
}
