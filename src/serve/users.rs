//! `/api/users`: everybody who may log in, for admins. Passwords are made here and shown once; nobody chooses another's.

use std::sync::Arc;

use access::trail::{Action, Details};
use access::{AccountError, Area, MAX_NAME_CHARS, Permission, Role, Roles, UserChange, UserName};
use axum::extract::{Extension, Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{Record, managed_by};
use super::codes::UserRoleName;
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{BodyFields, Fields, no_hazard, shortened};
use super::listen::Client;
use super::state::Api;
use crate::clock::unix_now;
use crate::gate::{Identity, ManageError, NewUser, UserSummary};
use crate::work::MAX_BY_CHARS;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
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
    /// The districts to which the user is limited. A user with neither districts nor checkpoints sees everything.
    #[schema(example = json!(["邳州市"]))]
    districts: Vec<String>,
    /// The checkpoints to which the user is limited, beside those of the districts.
    #[schema(example = json!(["G3_Sulu"]))]
    checkpoints: Vec<String>,
    /// Whether the user may not log in.
    #[schema(example = false)]
    disabled: bool,
    /// Whether the user must choose a new password at the next login.
    #[schema(example = true)]
    must_change: bool,
    /// Whether the user logs in by single sign-on: then password, roles and shown name are not changed here.
    #[schema(example = false)]
    external: bool,
    /// When the user was made, civil time of the road.
    #[schema(example = "2024-01-01 08:00:00")]
    created_at: String,
    /// Browsers that are logged in.
    #[schema(example = 2)]
    sessions: usize,
    /// Tokens, also those that have expired.
    #[schema(example = 1)]
    tokens: usize,
}

impl UserJson {
    fn new(api: &Api, summary: UserSummary) -> Self {
        let UserSummary { user, sessions, tokens } = summary;
        let (districts, checkpoints) = names_of(user.area);
        Self {
            external: api.gate.is_external(&user.name),
            name: user.name.to_string(),
            shown: user.shown,
            roles: user.roles.iter().collect(),
            districts,
            checkpoints,
            disabled: user.disabled,
            must_change: user.must_change,
            created_at: api.civil(user.made_at),
            sessions,
            tokens,
        }
    }
}

/// All users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users)]
pub(super) struct UsersJson {
    /// By name.
    users: Vec<UserJson>,
}

/// A user as it is after a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedUser)]
pub(super) struct ChangedUserJson {
    /// The user.
    user: UserJson,
    /// The password that was made, shown this once; null if none was. The user must choose another at the next login.
    #[schema(example = "k3-x9QbZ7mW2pLr8TnYc")]
    password: Option<String>,
}

/// All users.
#[utoipa::path(
    get,
    path = "/users",
    tag = "access",
    responses(
        (status = 200, description = "The users", body = Envelope<UsersJson>),
        (status = 409, description = "Nobody needs to log in here", body = ErrorEnvelope),
    )
)]
pub(super) async fn list_users(
    State(api): State<Arc<Api>>,
    Extension(identity): Extension<Identity>,
) -> Answer<UsersJson> {
    managed_by(&identity)?;
    let all = api.at_the_gate(|gate| gate.users(unix_now())).await?;
    Ok(Success(UsersJson { users: all.into_iter().map(|user| UserJson::new(&api, user)).collect() }))
}

/// A user to be.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; the handler reads the fields one by one")]
#[schema(as = NewUser)]
pub(super) struct NewUserBody {
    /// The name to log in with: letters, which become lower case, digits, `.`, `-` and `_`.
    #[schema(example = "wang")]
    name: String,
    /// The name that others see; without it the name to log in with.
    #[schema(example = "王警官")]
    shown: Option<String>,
    /// The roles.
    #[schema(value_type = Vec<UserRoleName>, example = json!(["operator"]))]
    roles: Vec<Role>,
    /// The districts to which the user is limited, by their names in the catalogue; without districts and checkpoints the user
    /// sees everything.
    #[schema(example = json!(["邳州市"]))]
    districts: Option<Vec<String>>,
    /// The checkpoints to which the user is limited, beside those of the districts: codes, full names or labels.
    #[schema(example = json!(["G3_Sulu"]))]
    checkpoints: Option<Vec<String>>,
}

/// Adds a user with a password that is made here, shown once, and must be changed at the first login.
#[utoipa::path(
    post,
    path = "/users",
    tag = "access",
    request_body = NewUserBody,
    responses(
        (status = 200, description = "Added", body = Envelope<ChangedUserJson>),
        (status = 409, description = "There is such a user, there are too many, the role cannot be limited to places, or nobody needs to log in here", body = ErrorEnvelope),
    )
)]
pub(super) async fn add_user(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    BodyFields(fields): BodyFields,
) -> Answer<ChangedUserJson> {
    let by = managed_by(&identity)?;
    fields.only(&["name", "shown", "roles", "districts", "checkpoints"])?;
    let name = user_name(&fields, "name")?;
    let shown = fields.visible("shown", MAX_BY_CHARS)?.unwrap_or_else(|| name.to_string());
    let roles = fields.names::<Role>("roles")?.ok_or_else(|| missing("roles"))?;
    let (districts, checkpoints) = (places(&fields, "districts")?, places(&fields, "checkpoints")?);
    let details = about(&name).with("roles", role_names(&roles)).with("shown", shown.as_str());
    record.details(details.with_any("districts", districts.clone()).with_any("checkpoints", checkpoints.clone()));
    client.takes_secrets()?;
    let area = Area::changed(None, districts, checkpoints);
    let (now, new) = (unix_now(), NewUser { name: name.clone(), shown, roles: Roles::from(roles), area });
    let added = api.at_the_gate(move |gate| gate.add_user(new, now)).await?;
    let password = added.map_err(|error| refused(error, &name))?;
    tracing::info!(user = %name, by = %by, "added a user");
    changed(&api, name, Some(password)).await
}

/// A change of a user.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; the handler reads the fields one by one")]
#[schema(as = UserChange)]
pub(super) struct UserChangeBody {
    /// The roles, instead of those of now.
    #[schema(value_type = Option<Vec<UserRoleName>>, example = json!(["operator"]))]
    roles: Option<Vec<Role>>,
    /// The name that others see.
    #[schema(example = "王警官")]
    shown: Option<String>,
    /// Whether the user may not log in. The sessions of a disabled user end, and the tokens do nothing.
    #[schema(example = false)]
    disabled: Option<bool>,
    /// The districts to which the user is limited, instead of those of now. Where neither districts nor checkpoints are left, the
    /// user sees everything.
    #[schema(example = json!(["邳州市"]))]
    districts: Option<Vec<String>>,
    /// The checkpoints to which the user is limited, instead of those of now.
    #[schema(example = json!(["G3_Sulu"]))]
    checkpoints: Option<Vec<String>>,
    /// `generate` makes another password, which the user must change at the next login; the sessions end.
    #[schema(example = "generate")]
    password: Option<String>,
}

/// Changes a user: all that is given, or nothing.
#[utoipa::path(
    patch,
    path = "/users/{name}",
    tag = "access",
    params(("name" = String, Path, description = "`name` of the user", example = "wang")),
    request_body = UserChangeBody,
    responses(
        (status = 200, description = "Changed", body = Envelope<ChangedUserJson>),
        (status = 404, description = "There is no such user", body = ErrorEnvelope),
        (status = 409, description = "It is the last admin, one's own account or a user of single sign-on, the role cannot be limited to places, or nobody needs to log in here", body = ErrorEnvelope),
    )
)]
pub(super) async fn change_user(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Client>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    Path(name): Path<String>,
    BodyFields(fields): BodyFields,
) -> Answer<ChangedUserJson> {
    const FIELDS: [&str; 6] = ["roles", "shown", "disabled", "districts", "checkpoints", "password"];
    let by = managed_by(&identity)?;
    fields.only(&FIELDS)?;
    if !FIELDS.iter().any(|field| fields.has(field)) {
        return Err(ApiError::new(ErrorReason::NoChange).with("known", FIELDS.join(", ")));
    }
    let roles = fields.names::<Role>("roles")?;
    let change = UserChange {
        roles: roles.clone().map(Roles::from),
        shown: fields.visible("shown", MAX_BY_CHARS)?,
        disabled: fields.flag("disabled")?,
        districts: places(&fields, "districts")?,
        checkpoints: places(&fields, "checkpoints")?,
        password: None,
    };
    let generate = fields.is_word("password", "generate")?;
    let no_such = || ApiError::new(ErrorReason::NoSuchUser).with("user", shortened(&name));
    let name = UserName::parse(&name).ok_or_else(no_such)?;
    record.action(action_of(&change, generate));
    let details = about(&name).with_any("roles", roles.as_deref().map(role_names));
    let details = details.with_any("shown", change.shown.clone()).with_any("disabled", change.disabled);
    let details = details.with_any("districts", change.districts.clone());
    let details = details.with_any("checkpoints", change.checkpoints.clone());
    record.details(details.with_any("password", generate.then_some("generate")));
    if generate {
        client.takes_secrets()?;
    }
    tracing::info!(
        user = %name,
        by = %by,
        roles = change.roles.is_some(),
        disabled = ?change.disabled,
        password = generate,
        "changing a user"
    );
    let (now, user) = (unix_now(), name.clone());
    let done = api.at_the_gate(move |gate| gate.change_user(&user, change, generate, &by, now)).await?;
    let password = done.map_err(|error| refused(error, &name))?;
    changed(&api, name, password).await
}

/// What the audit log calls a change of several things: the one that matters most. The details name all.
fn action_of(change: &UserChange, generate: bool) -> Action {
    let is_moved = change.districts.is_some() || change.checkpoints.is_some();
    match (change.disabled, generate, change.roles.is_some()) {
        (Some(true), ..) => Action::UserDisable,
        (Some(false), ..) => Action::UserEnable,
        (None, true, _) => Action::UserPassword,
        (None, false, true) => Action::UserRoles,
        (None, false, false) if is_moved => Action::UserScope,
        (None, false, false) => Action::UserShown,
    }
}

fn about(name: &UserName) -> Details {
    Details::default().with("name", name.as_str())
}

/// The names of districts or checkpoints in a field, if it was given; there may be none in it.
pub(super) fn places(fields: &Fields, name: &'static str) -> Result<Option<Vec<String>>, ApiError> {
    if !fields.has(name) {
        return Ok(None);
    }
    let all = fields.list(name)?;
    all.iter().try_for_each(|place| no_hazard(name, place))?;
    Ok(Some(all))
}

/// The districts and the checkpoints of an area.
pub(super) fn names_of(area: Option<Area>) -> (Vec<String>, Vec<String>) {
    let Area { districts, checkpoints } = area.unwrap_or_default();
    (districts.into_iter().collect(), checkpoints.into_iter().collect())
}

fn role_names(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

/// The user as it is now.
async fn changed(api: &Api, name: UserName, password: Option<String>) -> Answer<ChangedUserJson> {
    let wanted = name.clone();
    let user = api.at_the_gate(move |gate| gate.user(&wanted, unix_now())).await?;
    // It was there a moment ago; the command line may have replaced the file.
    let user = user.ok_or_else(|| ApiError::new(ErrorReason::NoSuchUser).with("user", name.as_str()))?;
    Ok(Success(ChangedUserJson { user: UserJson::new(api, user), password }))
}

/// The name of a user in a field that must be there.
pub(super) fn user_name(fields: &Fields, field: &'static str) -> Result<UserName, ApiError> {
    let given = fields.exact(field)?.ok_or_else(|| missing(field))?;
    UserName::parse(given).filter(|_| !given.contains(char::is_whitespace)).ok_or_else(|| {
        ApiError::new(ErrorReason::NotName)
            .with("name", field)
            .with("limit", MAX_NAME_CHARS)
            .with("given", shortened(given))
    })
}

/// 400 for a field that must be there.
pub(super) fn missing(field: &'static str) -> ApiError {
    ApiError::new(ErrorReason::MissingField).with("name", field)
}

/// Why users or tokens were not changed; `subject` is the user that it is about.
pub(super) fn refused(error: ManageError, subject: &UserName) -> ApiError {
    let of = |reason, user: &UserName| ApiError::new(reason).with("user", user.as_str());
    let error = match error {
        ManageError::Account(error) => error,
        ManageError::Open => return ApiError::new(ErrorReason::NoLogin),
        ManageError::Files(_) | ManageError::Random(_) | ManageError::Weak(_) => {
            tracing::error!(%error, "users and tokens cannot be changed");
            return ApiError::internal();
        }
    };
    match error {
        AccountError::Exists(name) => of(ErrorReason::UserExists, &name),
        AccountError::NoUser(name) => of(ErrorReason::NoSuchUser, &name),
        AccountError::NoToken(_) => ApiError::new(ErrorReason::NoSuchToken),
        AccountError::LastAdmin(name) => of(ErrorReason::LastAdmin, &name),
        AccountError::OwnAccount(_) => of(ErrorReason::OwnAccount, subject),
        AccountError::BeyondOwner { owner, beyond } => {
            let scopes: Vec<&str> = beyond.into_iter().map(Permission::as_str).collect();
            let refused = ApiError::new(ErrorReason::ScopeNotOwned).with("owner", owner.as_str());
            refused.with("scopes", scopes.join(", "))
        }
        AccountError::UnlimitedRole(name) => of(ErrorReason::UnlimitedRole, &name),
        AccountError::LargeArea => {
            ApiError::new(ErrorReason::LargeArea).with("limit", Area::MOST).with("characters", Area::MAX_NAME_CHARS)
        }
        AccountError::External(name) => of(ErrorReason::ExternalUser, &name),
        AccountError::Disabled(name) => of(ErrorReason::UserDisabled, &name),
        AccountError::NoRole => missing("roles"),
        AccountError::NoScope => missing("scopes"),
        AccountError::TooMany => ApiError::new(ErrorReason::TooManyAccounts),
    }
}
