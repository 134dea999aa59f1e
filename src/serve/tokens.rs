//! `/api/tokens`: tokens of programs, for admins. A secret is shown once and stored nowhere.

use std::sync::Arc;

use access::trail::Details;
use access::{Area, Permission, Token};
use axum::extract::{Extension, Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{Record, managed_by};
use super::codes::PermissionName;
use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::fields::{BodyFields, shortened};
use super::listen::Client;
use super::state::Api;
use super::users::{missing, names_of, places, refused, user_name};
use crate::clock::unix_now;
use crate::gate::{Identity, MAX_TOKEN_DAYS, MAX_TOKEN_NOTE_CHARS, NewToken};

/// For how many days a token is valid if nothing else is said.
const DEFAULT_DAYS: u64 = 90;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenJson {
    /// Its public name.
    #[schema(example = "ba7816bf8f01")]
    id: String,
    /// The user in whose name it acts.
    #[schema(example = "wang")]
    owner: String,
    /// What it may do, as far as its owner may.
    #[schema(value_type = Vec<PermissionName>, example = json!(["dashboard", "plates"]))]
    scopes: Vec<Permission>,
    /// The districts to which it is limited beside what its owner is limited to; with neither districts nor checkpoints it sees
    /// what its owner sees.
    #[schema(example = json!(["邳州市"]))]
    districts: Vec<String>,
    /// The checkpoints to which it is limited, beside those of the districts.
    #[schema(example = json!([]))]
    checkpoints: Vec<String>,
    /// What it is for.
    #[schema(example = "nightly report")]
    note: String,
    /// When it was made, civil time of the road.
    #[schema(example = "2024-01-01 08:00:00")]
    created_at: String,
    /// From when on it is not valid, civil time of the road; null if it always is.
    #[schema(example = "2024-03-31 08:00:00")]
    expires_at: Option<String>,
    /// Whether it is not valid any more.
    #[schema(example = false)]
    expired: bool,
    /// When it was used last, civil time of the road; null if it never was.
    #[schema(example = "2024-01-08 08:00:00")]
    used_at: Option<String>,
}

impl TokenJson {
    fn new(api: &Api, token: Token, now: i64, used_at: Option<i64>) -> Self {
        let (districts, checkpoints) = names_of(token.area.clone());
        Self {
            used_at: used_at.map(|unix| api.civil(unix)),
            districts,
            checkpoints,
            expired: token.has_expired(now),
            id: token.id.as_str().to_owned(),
            owner: token.owner.to_string(),
            scopes: token.scopes,
            note: token.note,
            created_at: api.civil(token.made_at),
            expires_at: token.expires_at.map(|unix| api.civil(unix)),
        }
    }
}

/// All tokens.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(super) struct TokensJson {
    /// The oldest comes first.
    tokens: Vec<TokenJson>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeToken)]
pub(super) struct MadeTokenJson {
    /// The token.
    token: TokenJson,
    /// What the program sends as `Authorization: Bearer …`, shown this once.
    #[schema(example = "pw_wRhX0cJ0mC3vZ0Qm3m2E0o8bq9V5m9k1mJ8m0n7p4aU")]
    secret: String,
}

/// All tokens, without their secrets.
#[utoipa::path(
    get,
    path = "/tokens",
    tag = "access",
    responses(
        (status = 200, description = "The tokens", body = Envelope<TokensJson>),
        (status = 409, description = "Nobody needs to log in here", body = ErrorEnvelope),
    )
)]
pub(super) async fn list_tokens(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
) -> Answer<TokensJson> {
    managed_by(&identity)?;
    let (all, now) = (api.at_the_gate(crate::gate::Gate::tokens).await?, unix_now());
    let uses = api.gate.last_uses();
    let shown = |token: Token| {
        let used_at = uses.get(&token.id).copied();
        TokenJson::new(&api, token, now, used_at)
    };
    Ok(Success(TokensJson { tokens: all.into_iter().map(shown).collect() }))
}

/// A token to be.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; the handler reads the fields one by one")]
#[schema(as = NewToken)]
pub(super) struct NewTokenBody {
    /// The user in whose name it acts.
    #[schema(example = "wang")]
    owner: String,
    /// What it may do; its owner must be allowed all of it.
    #[schema(value_type = Vec<PermissionName>, example = json!(["dashboard", "plates"]))]
    scopes: Vec<Permission>,
    /// The districts to which it is limited; its owner's limits hold as well.
    #[schema(example = json!(["邳州市"]))]
    districts: Option<Vec<String>>,
    /// The checkpoints to which it is limited, beside those of the districts.
    #[schema(example = json!(["G3_Sulu"]))]
    checkpoints: Option<Vec<String>>,
    /// For how many days it is valid.
    #[schema(example = 90)]
    days: Option<u16>,
    /// What it is for.
    #[schema(example = "nightly report")]
    note: Option<String>,
}

/// Makes a token. Its secret is shown once.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "access",
    request_body = NewTokenBody,
    responses(
        (status = 200, description = "Made", body = Envelope<MadeTokenJson>),
        (status = 404, description = "There is no such user", body = ErrorEnvelope),
        (status = 409, description = "The owner may not do all of it, there are too many, or nobody needs to log in here", body = ErrorEnvelope),
    )
)]
pub(super) async fn add_token(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    BodyFields(fields): BodyFields,
) -> Answer<MadeTokenJson> {
    let by = managed_by(&identity)?;
    fields.only(&["owner", "scopes", "districts", "checkpoints", "days", "note"])?;
    let owner = user_name(&fields, "owner")?;
    let scopes = fields.names::<Permission>("scopes")?.ok_or_else(|| missing("scopes"))?;
    let days = fields.whole("days", 1..=MAX_TOKEN_DAYS.into(), DEFAULT_DAYS)?;
    let days = u16::try_from(days).unwrap_or(MAX_TOKEN_DAYS);
    let note = fields.visible("note", MAX_TOKEN_NOTE_CHARS)?.unwrap_or_default();
    let names: Vec<String> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let details = Details::default().with("owner", owner.as_str()).with("scopes", names);
    record.details(details.with("days", u64::from(days)).with("note", note.as_str()));
    let (districts, checkpoints) = (places(&fields, "districts")?, places(&fields, "checkpoints")?);
    districts.iter().for_each(|names| record.detail("districts", names.clone()));
    checkpoints.iter().for_each(|names| record.detail("checkpoints", names.clone()));
    client.takes_secrets()?;
    let area = Area::changed(None, districts, checkpoints);
    let (now, new) = (unix_now(), NewToken { owner: owner.clone(), scopes, area, note, days });
    let made = api.at_the_gate(move |gate| gate.add_token(new, now)).await?;
    let (token, secret) = made.map_err(|error| refused(error, &owner))?;
    record.detail("id", token.id.as_str());
    tracing::info!(token = token.id.as_str(), owner = %owner, by = %by, "made a token");
    Ok(Success(MadeTokenJson { token: TokenJson::new(&api, token, now, None), secret: secret.reveal().to_owned() }))
}

/// Takes a token back: from then on it is not valid.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "access",
    params(("id" = String, Path, description = "`id` of the token", example = "ba7816bf8f01")),
    responses(
        (status = 200, description = "Taken back; those that are left", body = Envelope<TokensJson>),
        (status = 404, description = "There is no such token, or no longer", body = ErrorEnvelope),
        (status = 409, description = "Nobody needs to log in here", body = ErrorEnvelope),
    )
)]
pub(super) async fn revoke_token(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    Path(id): Path<String>,
) -> Answer<TokensJson> {
    let by = managed_by(&identity)?;
    record.details(Details::default().with("id", shortened(&id)));
    let revoked = api.at_the_gate(move |gate| gate.revoke_token(&id)).await?;
    let token = revoked.map_err(|error| refused(error, &by))?;
    record.detail("owner", token.owner.as_str());
    tracing::info!(token = token.id.as_str(), owner = %token.owner, by = %by, "took a token back");
    list_tokens(State(api), Extension(identity)).await
}
