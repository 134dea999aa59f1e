//! `/api/sessions`: the sessions of who asks, and ending one of them.

use std::sync::Arc;

use access::trail::Details;
use axum::extract::{Extension, Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{Record, session_of};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::shortened;
use super::state::Api;
use crate::gate::Identity;

/// A browser that is logged in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenSession)]
pub(super) struct OpenJson {
    /// Its public name.
    #[schema(example = "ba7816bf8f01")]
    id: String,
    /// When the user logged in, civil time of the road.
    #[schema(example = "2024-01-01 08:00:00")]
    opened_at: String,
    /// When the last request came, civil time of the road.
    #[schema(example = "2024-01-01 09:12:33")]
    seen_at: String,
    /// From where; for IPv6 the /64 network.
    #[schema(example = "10.0.0.7")]
    address: String,
    /// What the browser calls itself.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0")]
    agent: String,
    /// Whether it is the one that asks.
    #[schema(example = true)]
    current: bool,
}

/// The sessions of one user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sessions)]
pub(super) struct SessionsJson {
    /// The one that was seen last comes first.
    sessions: Vec<OpenJson>,
}

/// The sessions of who asks.
#[utoipa::path(
    get,
    path = "/sessions",
    tag = "access",
    responses(
        (status = 200, description = "The sessions", body = Envelope<SessionsJson>),
        (status = 409, description = "There is no session: nobody needs to log in, or a token was sent", body = ErrorEnvelope),
    )
)]
pub(super) async fn own_sessions(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
) -> Answer<SessionsJson> {
    let (digest, who) = session_of(&identity)?;
    let all = api.gate.sessions_of(&who.name).into_iter().map(|session| OpenJson {
        id: session.id(),
        opened_at: api.civil(session.opened_at),
        seen_at: api.civil(session.seen_at),
        current: session.digest == *digest,
        address: session.address,
        agent: session.agent,
    });
    Ok(Success(SessionsJson { sessions: all.collect() }))
}

/// Ends one of one's sessions.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    tag = "access",
    params(("id" = String, Path, description = "`id` of the session", example = "ba7816bf8f01")),
    responses(
        (status = 200, description = "Ended; those that are left", body = Envelope<SessionsJson>),
        (status = 404, description = "There is no such session, or no longer", body = ErrorEnvelope),
        (status = 409, description = "There is no session: nobody needs to log in, or a token was sent", body = ErrorEnvelope),
    )
)]
pub(super) async fn end_session(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    Path(id): Path<String>,
) -> Answer<SessionsJson> {
    let (_, who) = session_of(&identity)?;
    let name = who.name.clone();
    record.details(Details::default().with("session", shortened(&id)));
    if !api.at_the_gate(move |gate| gate.end_session(&name, &id)).await? {
        return Err(ApiError::new(ErrorReason::NoSuchSession));
    }
    own_sessions(State(api), Extension(identity)).await
}
