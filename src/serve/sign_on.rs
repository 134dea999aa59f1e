//! `/api/session/oidc`: login by single sign-on. A browser is sent to the provider and comes back with a code; what the provider says
//! of it is [`crate::oidc`], and what the account is [`crate::gate`].
//!
//! The browser comes back by a navigation from another site, so it does not bring the session's cookie (`SameSite=Strict`), and
//! need not: a cookie of its own (`SameSite=Lax`, which such a navigation brings) holds a secret that binds the login to
//! this browser. Nobody can log another's browser in, nor use a login that another browser began. Whatever goes wrong leads
//! back to the page, which says why.

use std::sync::Arc;

use access::{AccountError, Digest};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::access::{By, Record, cookie_named};
use super::error::{ApiError, ErrorEnvelope, ErrorReason};
use super::fields::Fields;
use super::listen::Client;
use super::session::{set_session, user_agent};
use super::state::Api;
use crate::clock::unix_now;
use crate::gate::{Credential, EnterError, secret};
use crate::oidc::{Returned, SignOn, SignOnError};

/// The cookie that binds a login to a browser.
pub(super) const COOKIE: &str = "__Host-platewatch-oidc";
/// Characters of its secret.
const SECRET_CHARS: usize = 43;

/// Why somebody was not let in: a word for the page and the audit log, and a sentence for the log.
struct Refusal {
    word: &'static str,
    sentence: String,
    /// Who it is, as far as the provider said.
    who: Option<access::ExternalId>,
}

impl Refusal {
    fn new(word: &'static str, sentence: impl Into<String>) -> Self {
        Self { word, sentence: sentence.into(), who: None }
    }
}

impl From<SignOnError> for Refusal {
    fn from(error: SignOnError) -> Self {
        let word = match &error {
            SignOnError::State => "state",
            SignOnError::Expired => "expired",
            SignOnError::Denied(_) => "denied",
            SignOnError::Provider(_) => "provider",
            SignOnError::Token(_) => "token",
            SignOnError::Role { .. } => "role",
        };
        let sentence = error.to_string();
        let who = if let SignOnError::Role { id, .. } = error { Some(id) } else { None };
        Self { word, sentence, who }
    }
}

impl From<EnterError> for Refusal {
    fn from(error: EnterError) -> Self {
        let word = match &error {
            EnterError::Account(AccountError::Disabled(_)) => "disabled",
            EnterError::Account(AccountError::UnlimitedRole(_)) => "area",
            EnterError::Open | EnterError::Account(_) | EnterError::Files(_) | EnterError::Random(_) => "account",
        };
        Self::new(word, error.to_string())
    }
}

/// Begins a login by single sign-on: leads the browser to the provider.
#[utoipa::path(
    get,
    path = "/session/oidc",
    tag = "access",
    responses(
        (status = 303, description = "To the provider; or to the page, with the reason as `sign_on`", headers(("Location" = String))),
        (status = 404, description = "Single sign-on is not set up", body = ErrorEnvelope),
    )
)]
pub(super) async fn begin_sign_on(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(record): Extension<Record>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sign_on = sign_on(&api)?;
    if !api.gate.is_closed() {
        return lead("/", None);
    }
    if client.takes_secrets().is_err() {
        return refused(Refusal::new("https", "the browser came without HTTPS"), &client, &record);
    }
    let made = || secret("").map(|secret| secret.reveal().to_owned()).map_err(|error| no_randomness(&error));
    // Another tab may have begun one: both may come back.
    let known = cookie_named(&headers, COOKIE).filter(|known| known.len() == SECRET_CHARS).map(str::to_owned);
    let browser = known.map_or_else(made, Ok)?;
    let random = [made()?, made()?, made()?];
    match sign_on.begin(Digest::of(&browser), random, client.address, unix_now()).await {
        Ok(begun) => {
            let set = format!("{COOKIE}={browser}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", begun.seconds);
            lead(&begun.url, Some(set))
        }
        Err(error) => refused(error.into(), &client, &record),
    }
}

/// Ends a login by single sign-on: the provider leads the browser here. Other parameters are ignored: providers add some.
#[utoipa::path(
    get,
    path = "/session/oidc/callback",
    tag = "access",
    params(
        ("state" = Option<String>, Query, description = "Which login it is", example = "a1b2c3"),
        ("code" = Option<String>, Query, description = "What the provider gives a token for", example = "SplxlOBeZQQYbYS6WxSbIA"),
        ("error" = Option<String>, Query, description = "Why the provider gives no code", example = "access_denied"),
        ("iss" = Option<String>, Query, description = "Who answers", example = "https://login.example.org/realms/desk"),
    ),
    responses(
        (status = 303, description = "To the page: logged in, or with the reason as `sign_on`", headers(("Location" = String))),
        (status = 404, description = "Single sign-on is not set up", body = ErrorEnvelope),
    )
)]
pub(super) async fn end_sign_on(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(record): Extension<Record>,
    Extension(fields): Extension<Fields>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sign_on = sign_on(&api)?;
    if !api.gate.is_closed() {
        return lead("/", None);
    }
    if client.takes_secrets().is_err() {
        return refused(Refusal::new("https", "the browser came without HTTPS"), &client, &record);
    }
    let [state, code, error, issuer] = ["state", "code", "error", "iss"].map(|name| fields.exact(name));
    let returned = Returned { state: state?, code: code?, error: error?, issuer: issuer? };
    let browser = cookie_named(&headers, COOKIE).map(Digest::of);
    let external = match sign_on.finish(returned, browser, unix_now()).await {
        Ok(external) => external,
        Err(error) => {
            if let SignOnError::Role { id, .. } = &error {
                // Whoever had a role when they came last has none any more.
                let id = id.clone();
                api.at_the_gate(move |gate| gate.turn_out(&id)).await?;
            }
            return refused(error.into(), &client, &record);
        }
    };
    let (id, agent, address, now) = (external.id.clone(), user_agent(&headers), client.address.to_string(), unix_now());
    record.detail("issuer", id.issuer.as_str());
    record.detail("subject", id.subject.as_str());
    record.detail("shown", external.shown.as_str());
    let roles: Vec<String> = external.roles.iter().map(|role| role.as_str().to_owned()).collect();
    record.detail("roles", roles);
    let entered = api.at_the_gate(move |gate| gate.enter(external, &address, &agent, now)).await?;
    let (cookie, session) = match entered {
        Ok(entered) => entered,
        Err(error) => return refused(Refusal { who: Some(id), ..error.into() }, &client, &record),
    };
    let identity = api.gate.identify(Credential { cookie: Some(cookie.reveal()), token: None }, now);
    let identity = identity.map_err(|_| ApiError::new(ErrorReason::LoginRequired))?;
    record.by(By::from(&identity));
    tracing::info!(user = %session.user, address = session.address, subject = id.subject, "logged in by single sign-on");
    let mut response = lead("/", Some(set_session(&api, &cookie, &session, now)))?;
    let forget = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    response.headers_mut().append(header::SET_COOKIE, header_value(&forget)?);
    Ok(response)
}

fn sign_on(api: &Api) -> Result<Arc<SignOn>, ApiError> {
    api.settings.sign_on.clone().ok_or_else(|| ApiError::new(ErrorReason::NoSingleSignOn))
}

/// Leads back to the page, which says why; so do the log and the audit log.
fn refused(refusal: Refusal, client: &Client, record: &Record) -> Result<Response, ApiError> {
    let Refusal { word, sentence, who } = refusal;
    tracing::warn!(reason = word, address = %client.address, "nobody was let in by single sign-on: {}", crate::plain::line(&sentence));
    record.refused_sign_on(word, &client.address.to_string(), who.as_ref());
    lead(&format!("/?sign_on={word}"), None)
}

/// Leads the browser on.
fn lead(to: &str, cookie: Option<String>) -> Result<Response, ApiError> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, header_value(to)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, header_value(&cookie)?);
    }
    Ok(response)
}

fn header_value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::try_from(text).map_err(|_| ApiError::internal())
}

fn no_randomness(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "nobody can log in");
    ApiError::internal()
}
