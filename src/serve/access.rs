//! Who may do what: every request passes here before its handler, with what its endpoint needs ([`table`]) and what its
//! credential allows ([`crate::gate`]). An endpoint without a row in the table is closed to everybody.
//!
//! A browser has a cookie, and everything that changes something must come with a secret that only our own page knows
//! (CSRF). A program has a token. Who may not see plates gets them masked ([`mask`]), in every answer. What shows plates, and what
//! changes something, leaves an entry in the audit log before its answer leaves ([`visit`]).

mod guarded;
mod lately;
mod mask;
mod purpose;
mod record;
mod table;
mod visit;
mod who;

use std::net::IpAddr;
use std::sync::Arc;

use access::{Digest, Permission, UserName};
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, ErrorReason};
use super::fields::shortened;
use super::layers::{self, is_api_path};
use super::listen::Lasting;
use super::state::Api;
use crate::clock::unix_now;
use crate::gate::{Credential, Denied, Identity, Via, Who};

pub(super) use lately::Lately;
pub(super) use mask::Mask;
pub(super) use purpose::purpose_of;
pub(super) use record::{Record, Sent};
pub(super) use table::{Limited, Needs, changes, row_of};
pub(super) use who::By;

use purpose::demanded;
use visit::Visit;

/// The cookie of a session. Browsers take a cookie with this prefix only over HTTPS (or from this machine), for this host and
/// for all paths, so no other page or host can set it.
pub(super) const COOKIE: &str = "__Host-platewatch";
/// The header of a change.
pub(super) const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// Lets a request through to its handler if its credential allows what its endpoint needs. The handler finds the
/// [`Identity`] among the extensions.
pub(super) async fn authorize(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let known = route.as_ref().and_then(|route| api.document.parameters(request.method(), route.as_str()));
    // No endpoint: a file of the page, which has no data, or an answer that says so.
    let (Some(route), Some(parameters)) = (&route, known) else { return next.run(request).await };
    let row = row_of(request.method(), route.as_str());
    let needed = row.map(|row| row.needs);
    // Neither has anything for a page from elsewhere: a device proves who it is by itself.
    let is_open = matches!(needed, Some(Needs::Nothing | Needs::Device));
    if !is_open && !api.gate.is_closed() && !is_our_name(request.headers(), &api.settings.hosts) {
        let host = request
            .headers()
            .get(header::HOST)
            .map_or_else(String::new, |host| shortened(host.to_str().unwrap_or("?")));
        return ApiError::new(ErrorReason::UnknownHost).with("host", host).into_response();
    }
    let by_plate = asks_by_plate(request.uri().query().unwrap_or_default());
    let known = identified(&api, needed, &request).and_then(|identity| Ok((identity, purpose_of(request.headers())?)));
    let (identity, purpose) = match known {
        Ok(known) => known,
        Err(refused) => return refused.into_response(),
    };
    // The audit log is about plates, and is what an auditor is for.
    let sees_plates = identity.may(Permission::Plates) || needed == Some(Needs::Permission(Permission::Audit));
    let changes = changes(request.method(), route.as_str());
    let allowed = admitted(&identity, needed, changes, request.headers())
        .and_then(|()| if by_plate && !sees_plates { Err(not_permitted(Permission::Plates.as_str())) } else { Ok(()) })
        .and_then(|()| within_scope(&identity, row.map(|row| row.limited)))
        .and_then(|()| demanded(api.settings.purpose, row, by_plate, purpose.as_ref()));
    let visit = Visit::new(&api, &request, row, &identity, purpose, by_plate);
    if let Err(refused) = allowed {
        return visit.refused(refused).await;
    }
    // Where no device is served nothing changes, and nobody may make work by asking.
    let may_change = changes && (needed != Some(Needs::Device) || api.settings.viid.is_some());
    if may_change && let Err(refused) = visit.may_change().await {
        return refused.into_response();
    }
    let record = Record::default();
    request.extensions_mut().insert(identity.clone());
    request.extensions_mut().insert(record.clone());
    request.extensions_mut().insert(api.sight(&identity.scope));
    // Health probes may carry whatever a balancer adds to them.
    let fields = if is_api_path(route.as_str()) {
        layers::parameters(&request, route.as_str(), parameters).map(Some)
    } else {
        Ok(None)
    };
    let answer = async move {
        let answered = match fields {
            Ok(fields) => {
                if let Some(fields) = fields {
                    request.extensions_mut().insert(fields);
                }
                next.run(request).await
            }
            Err(refused) => refused.into_response(),
        };
        visit.answered(&record, answered).await
    };
    // A change goes on when its client is gone, and so must what records it.
    let answer = if changes { tokio::spawn(answer).await.unwrap_or(Err(ApiError::internal())) } else { answer.await };
    let response = match answer {
        Ok(response) => response,
        Err(refused) => return refused.into_response(),
    };
    if response.extensions().get::<Lasting>().is_some() {
        return guarded::while_it_holds(api, identity, response);
    }
    // What needs no permission holds no plate, nor do users and tokens; secrets and ids must stay as they are.
    let is_plain = is_open || matches!(needed, Some(Needs::Login | Needs::Permission(Permission::Users)));
    if sees_plates || is_plain { response } else { mask::masked(&api.mask, response).await }
}

/// What the gate said of a request's credential, where that was asked before [`authorize`].
#[derive(Debug, Clone)]
pub(super) struct Known(pub(super) Result<Identity, Denied>);

/// Who sends a request.
///
/// # Errors
/// 401, but for what everybody may ask: the gate stands open for that, and who sends it still matters to some.
fn identified(api: &Api, needs: Option<Needs>, request: &Request) -> Result<Identity, ApiError> {
    if needs == Some(Needs::Device) {
        return Ok(Identity::nobody());
    }
    let known = request.extensions().get::<Known>().cloned();
    let identity = known.map_or_else(|| api.gate.identify(credential(request.headers()), unix_now()), |known| known.0);
    match identity {
        Err(_) if needs == Some(Needs::Nothing) => Ok(Identity::nobody()),
        identified => identified.map_err(|denied| match denied {
            Denied::LoginRequired => ApiError::new(ErrorReason::LoginRequired),
            Denied::WrongToken => ApiError::new(ErrorReason::WrongToken),
        }),
    }
}

/// Whether that one may send it.
fn admitted(identity: &Identity, needs: Option<Needs>, changes: bool, headers: &HeaderMap) -> Result<(), ApiError> {
    match needs {
        // Its row is missing: a test fails, and nobody gets through.
        None => return Err(not_permitted("?")),
        // It needs no proof either: it is how one gets one.
        Some(Needs::Nothing | Needs::Device) => return Ok(()),
        Some(Needs::Login) => {}
        Some(Needs::Permission(permission)) if identity.may(permission) => {}
        Some(Needs::Permission(_)) if identity.who.as_ref().is_some_and(|who| who.must_change) => {
            return Err(ApiError::new(ErrorReason::MustChange));
        }
        Some(Needs::Permission(permission)) => return Err(not_permitted(permission.as_str())),
    }
    if changes { prove(identity, headers) } else { Ok(()) }
}

/// Refuses to those who are limited to some places what cannot be divided by places.
///
/// # Errors
/// [`ErrorReason::OutsideScope`].
fn within_scope(identity: &Identity, limited: Option<Limited>) -> Result<(), ApiError> {
    match (identity.scope.words(), limited) {
        (None, _) | (_, Some(Limited::Scoped | Limited::Placeless)) => Ok(()),
        (Some(scope), Some(Limited::Refused) | None) => {
            Err(ApiError::new(ErrorReason::OutsideScope).with("scope", scope))
        }
    }
}

/// Whether a request calls this server by an address, by `localhost`, or by one of these names. A page whose own name leads here
/// (DNS rebinding) calls it by that name.
pub(super) fn is_our_name(headers: &HeaderMap, names: &[String]) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let name = host.host().trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    is_address || name == "localhost" || names.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(&name))
}

fn not_permitted(permission: &str) -> ApiError {
    ApiError::new(ErrorReason::NotPermitted).with("permission", permission)
}

/// Whether a query string asks by a plate: the answer would say whether that plate was seen, masked or not.
pub(super) fn asks_by_plate(query: &str) -> bool {
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names.map(percent_encoding::percent_decode_str).any(|name| name.eq(table::BY_PLATE.bytes()))
}

/// A change that a session's cookie allows must come from our own page.
///
/// # Errors
/// [`ErrorReason::Csrf`].
fn prove(identity: &Identity, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(expected) = identity.csrf() else { return Ok(()) };
    let given = headers.get(CSRF).map(|value| value.as_bytes()).unwrap_or_default();
    // Of equal length, so that the comparison takes the same time for all that are wrong.
    let differs = given.iter().zip(expected.as_bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    if given.len() == expected.len() && differs == 0 { Ok(()) } else { Err(ApiError::new(ErrorReason::Csrf)) }
}

/// What a request brings.
pub(super) fn credential(headers: &HeaderMap) -> Credential<'_> {
    Credential { cookie: cookie(headers), token: bearer(headers) }
}

/// The session's cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// The cookie of this name. A client that sends two has been tampered with, and has none.
pub(super) fn cookie_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours = all.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == wanted).then_some(value)
    });
    let first = ours.next()?;
    ours.next().is_none().then_some(first)
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The session of an identity.
///
/// # Errors
/// [`ErrorReason::NoLogin`] where nobody needs to log in, [`ErrorReason::NoSession`] for a token.
pub(super) fn session_of(identity: &Identity) -> Result<(&Digest, &Who), ApiError> {
    match (&identity.via, &identity.who) {
        (Via::Session(digest), Some(who)) => Ok((digest, who)),
        (Via::Open, _) => Err(ApiError::new(ErrorReason::NoLogin)),
        _ => Err(ApiError::new(ErrorReason::NoSession)),
    }
}

/// Who manages users and tokens.
///
/// # Errors
/// [`ErrorReason::NoLogin`] where nobody needs to log in: a user whom anybody could add would be let in later, once users are
/// asked for.
pub(super) fn managed_by(identity: &Identity) -> Result<UserName, ApiError> {
    identity.who.as_ref().map(|who| who.name.clone()).ok_or_else(|| ApiError::new(ErrorReason::NoLogin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_our_own_names_are_ours() {
        let names = ["db-app".to_owned()];
        for (host, is_ours) in [
            (Some("127.0.0.1:5000"), true),
            (Some("[::1]:5000"), true),
            (Some("10.0.0.7"), true),
            (Some("localhost:5000"), true),
            (Some("DB-App:5000"), true),
            (Some("db-app."), true),
            (None, true),
            (Some("evil.example:5000"), false),
            (Some("localhost.evil.example"), false),
            (Some("127.0.0.1.evil.example"), false),
            (Some(""), false),
            (Some("a b"), false),
        ] {
            let headers = HeaderMap::from_iter(host.map(|host| (header::HOST, HeaderValue::from_str(host).unwrap())));
            assert_eq!(is_our_name(&headers, &names), is_ours, "{host:?}");
            assert!(
                is_our_name(&headers, &["*".to_owned()]) || host.is_none_or(|host| host.is_empty() || host == "a b")
            );
        }
    }

    #[test]
    fn the_cookie_is_found_among_others_and_never_guessed() {
        let of = |cookies: &[&str]| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
            }
            cookie(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["a=1; __Host-platewatch=xyz; b=2"]).as_deref(), Some("xyz"));
        assert_eq!(of(&["a=1", "__Host-platewatch=xyz"]).as_deref(), Some("xyz"));
        for none in
            [&["platewatch=xyz"][..], &[], &["__Host-platewatch=a; __Host-platewatch=b"], &["__Host-platewatch"]]
        {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
