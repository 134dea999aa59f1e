//! All users and tokens, as one value that is stored as a whole. It does not know where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::area::{Area, Scope};
use crate::external::{ExternalId, ExternalUser, Externals};
use crate::password::PasswordHash;
use crate::permission::{Permission, Permissions};
use crate::role::{Role, Roles};
use crate::secret::Digest;
use crate::token::Token;
use crate::user::{User, UserName};

/// The most users, and the most tokens of all.
const MOST: usize = 10_000;

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is a user of this name.
    #[error("there is a user {0} already: change the user, or take another name")]
    Exists(UserName),
    /// There is no user of this name.
    #[error("there is no user {0}; `platewatch user list` shows all")]
    NoUser(UserName),
    /// There is no such token.
    #[error("there is no token {0}; `platewatch token list` shows all")]
    NoToken(String),
    /// A user without a role can do nothing.
    #[error("a user needs at least one role: viewer, operator, supervisor, auditor or admin")]
    NoRole,
    /// A token without a scope can do nothing.
    #[error("a token needs at least one scope")]
    NoScope,
    /// Nobody could manage users any more.
    #[error("{0} is the last admin that may log in: make another one first")]
    LastAdmin(UserName),
    /// Who may manage users cannot lock themselves out.
    #[error("{0} is your own account: another admin can disable it")]
    OwnAccount(UserName),
    /// Who manages users or reads the audit log sees everything there.
    #[error(
        "{0} has the role admin or auditor, which are about all districts: a user with one of them cannot be limited"
    )]
    UnlimitedRole(UserName),
    /// Too many places, or names that are too long.
    #[error(
        "an area has up to {} districts and {} checkpoints, each of up to {} characters",
        Area::MOST,
        Area::MOST,
        Area::MAX_NAME_CHARS
    )]
    LargeArea,
    /// A token cannot do what its owner cannot.
    #[error(
        "the roles of {owner} do not include {}: leave that out, or give {owner} another role first",
        words(beyond)
    )]
    BeyondOwner {
        /// The owner.
        owner: UserName,
        /// What the owner may not do.
        beyond: Vec<Permission>,
    },
    /// There are too many.
    #[error("there are {MOST} already: remove some first")]
    TooMany,
    /// What a provider says at each login cannot be changed here.
    #[error(
        "{0} logs in by single sign-on: password, roles and shown name come from there; here it is only disabled, enabled or limited to districts"
    )]
    External(UserName),
    /// The user may not log in.
    #[error("{0} is disabled")]
    Disabled(UserName),
}

/// Permissions as one text.
fn words(permissions: &[Permission]) -> String {
    permissions.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(", ")
}

/// What is changed of a user; none of a field leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// The roles, instead of those of now.
    pub roles: Option<Roles>,
    /// The name that others see.
    pub shown: Option<String>,
    /// Whether the user may not log in.
    pub disabled: Option<bool>,
    /// The districts to which the user is limited, instead of those of now.
    pub districts: Option<Vec<String>>,
    /// The checkpoints to which the user is limited, instead of those of now.
    pub checkpoints: Option<Vec<String>>,
    /// A password that somebody else chose, so that the user must choose another at the next login.
    pub password: Option<PasswordHash>,
}

/// All users and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    users: Vec<User>,
    tokens: Vec<Token>,
    #[serde(default, skip_serializing_if = "Externals::are_empty")]
    externals: Externals,
}

impl Accounts {
    /// All users by name.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// All tokens, oldest first.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether nobody can log in.
    pub fn are_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The user of this name.
    pub fn user(&self, name: &UserName) -> Option<&User> {
        self.users.binary_search_by(|user| user.name.cmp(name)).ok().and_then(|at| self.users.get(at))
    }

    fn user_mut(&mut self, name: &UserName) -> Result<&mut User, AccountError> {
        let found = self.users.iter_mut().find(|user| user.name == *name);
        found.ok_or_else(|| AccountError::NoUser(name.clone()))
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`AccountError::Exists`], [`AccountError::NoRole`], [`AccountError::TooMany`], and those of [`Accounts::set_area`].
    pub fn add(&mut self, user: User) -> Result<(), AccountError> {
        if user.roles.is_empty() {
            return Err(AccountError::NoRole);
        }
        check_area(&user.name, &user.roles, user.area.as_ref())?;
        match self.users.binary_search_by(|known| known.name.cmp(&user.name)) {
            Ok(_) => Err(AccountError::Exists(user.name)),
            Err(_) if self.users.len() >= MOST => Err(AccountError::TooMany),
            Err(place) => {
                self.users.insert(place, user);
                Ok(())
            }
        }
    }

    /// Who a user is at a provider of single sign-on; none for a user of our own.
    pub fn external_id(&self, name: &UserName) -> Option<&ExternalId> {
        self.externals.id(name)
    }

    /// The account of somebody at a provider.
    pub fn external(&self, id: &ExternalId) -> Option<&User> {
        self.user(self.externals.user(id)?)
    }

    /// Lets somebody in whom a provider vouches for: the account is made at the first login, and has the roles and the shown name of
    /// the last one. It is never an account of our own, whatever the name.
    ///
    /// # Errors
    /// [`AccountError::Disabled`], [`AccountError::NoRole`], [`AccountError::TooMany`], [`AccountError::UnlimitedRole`] if an admin here
    /// limited the user to an area, and [`AccountError::Exists`] if a user of our own has the name that is made for it.
    pub fn enter(&mut self, external: ExternalUser, now: i64) -> Result<UserName, AccountError> {
        let ExternalUser { id, shown, roles } = external;
        if roles.is_empty() {
            return Err(AccountError::NoRole);
        }
        if let Some(name) = self.externals.user(&id).cloned() {
            let user = self.user_mut(&name)?;
            if user.disabled {
                return Err(AccountError::Disabled(name));
            }
            check_area(&name, &roles, user.area.as_ref())?;
            // Not by `set_roles`: who is no admin there any more is none here either, even the last one.
            (user.roles, user.shown) = (roles, shown);
            return Ok(name);
        }
        let name = id.user_name().ok_or(AccountError::NoRole)?;
        let (made_at, password_at) = (now, now);
        let user = User {
            name: name.clone(),
            shown,
            roles,
            area: None,
            password: None,
            must_change: false,
            disabled: false,
            made_at,
            password_at,
        };
        self.add(user)?;
        self.externals.add(name.clone(), id);
        Ok(name)
    }

    /// Refuses to change what a provider says.
    fn keep_external(&self, name: &UserName) -> Result<(), AccountError> {
        if self.externals.id(name).is_some() { Err(AccountError::External(name.clone())) } else { Ok(()) }
    }

    /// Sets a password. `by_other`: somebody else chose it, so the user must choose another at the next login.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::External`].
    pub fn set_password(
        &mut self,
        name: &UserName,
        hash: PasswordHash,
        by_other: bool,
        now: i64,
    ) -> Result<(), AccountError> {
        self.keep_external(name)?;
        let user = self.user_mut(name)?;
        (user.password, user.must_change, user.password_at) = (Some(hash), by_other, now);
        Ok(())
    }

    /// Sets what a user may do.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::NoRole`], [`AccountError::LastAdmin`], [`AccountError::UnlimitedRole`],
    /// [`AccountError::External`].
    pub fn set_roles(&mut self, name: &UserName, roles: Roles) -> Result<(), AccountError> {
        if roles.is_empty() {
            return Err(AccountError::NoRole);
        }
        self.keep_external(name)?;
        let user = self.user_mut(name)?;
        check_area(name, &roles, user.area.as_ref())?;
        if !roles.have(Role::Admin) {
            self.keep_an_admin(name)?;
        }
        self.user_mut(name)?.roles = roles;
        Ok(())
    }

    /// Lets a user log in, or not any more. Sessions and tokens of a disabled user are not valid.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::LastAdmin`].
    pub fn set_disabled(&mut self, name: &UserName, disabled: bool) -> Result<(), AccountError> {
        self.user_mut(name)?;
        if disabled {
            self.keep_an_admin(name)?;
        }
        self.user_mut(name)?.disabled = disabled;
        Ok(())
    }

    /// Limits a user to some districts and checkpoints, instead of those of now; none is everywhere.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::UnlimitedRole`], [`AccountError::LargeArea`].
    pub fn set_area(&mut self, name: &UserName, area: Option<Area>) -> Result<(), AccountError> {
        let user = self.user_mut(name)?;
        check_area(name, &user.roles, area.as_ref())?;
        user.area = area;
        Ok(())
    }

    /// Makes all parts of a change. After an error the accounts are to be thrown away: some parts may have been made.
    ///
    /// `by` is who makes it.
    ///
    /// # Errors
    /// As the single changes, and [`AccountError::OwnAccount`].
    pub fn change_user(
        &mut self,
        name: &UserName,
        change: UserChange,
        by: &UserName,
        now: i64,
    ) -> Result<(), AccountError> {
        self.user_mut(name)?;
        if change.disabled == Some(true) && name == by {
            return Err(AccountError::OwnAccount(name.clone()));
        }
        if let Some(disabled) = change.disabled {
            self.set_disabled(name, disabled)?;
        }
        let old = self.user_mut(name)?.area.clone();
        let area = Area::changed(old.clone(), change.districts, change.checkpoints);
        // Whoever becomes an admin and has no limits any more becomes both at once.
        if let Some(roles) = change.roles {
            self.user_mut(name)?.area = None;
            self.set_roles(name, roles)?;
            self.user_mut(name)?.area = old;
        }
        self.set_area(name, area)?;
        if let Some(hash) = change.password {
            self.set_password(name, hash, true, now)?;
        }
        if let Some(shown) = change.shown {
            self.keep_external(name)?;
            self.user_mut(name)?.shown = shown;
        }
        Ok(())
    }

    /// Refuses to lose the last admin of our own: those of a provider may be gone at the next login.
    fn keep_an_admin(&self, but: &UserName) -> Result<(), AccountError> {
        let is_ours = |user: &User| self.externals.id(&user.name).is_none();
        let is_admin = |user: &&User| user.roles.have(Role::Admin) && !user.disabled && is_ours(user);
        let admins: Vec<&User> = self.users.iter().filter(is_admin).collect();
        match admins.as_slice() {
            [only] if only.name == *but => Err(AccountError::LastAdmin(but.clone())),
            _ => Ok(()),
        }
    }

    /// Adds a token.
    ///
    /// # Errors
    /// [`AccountError::NoUser`] for its owner, [`AccountError::NoScope`], [`AccountError::LargeArea`], [`AccountError::TooMany`].
    pub fn add_token(&mut self, token: Token) -> Result<(), AccountError> {
        if self.user(&token.owner).is_none() {
            return Err(AccountError::NoUser(token.owner));
        }
        if token.scopes.is_empty() {
            return Err(AccountError::NoScope);
        }
        if token.area.as_ref().is_some_and(|area| !area.is_moderate()) {
            return Err(AccountError::LargeArea);
        }
        if self.tokens.len() >= MOST {
            return Err(AccountError::TooMany);
        }
        self.tokens.push(token);
        Ok(())
    }

    /// Adds a token that can do all that its scopes say.
    ///
    /// # Errors
    /// As [`Accounts::add_token`], and [`AccountError::BeyondOwner`].
    pub fn grant_token(&mut self, token: Token) -> Result<(), AccountError> {
        let allowed = self.user(&token.owner).map_or(Permissions::default(), User::permissions);
        let beyond = || token.scopes.iter().copied().filter(|scope| !allowed.allow(*scope));
        if self.user(&token.owner).is_some() && beyond().next().is_some() {
            return Err(AccountError::BeyondOwner { owner: token.owner.clone(), beyond: beyond().collect() });
        }
        self.add_token(token)
    }

    /// Removes a token.
    ///
    /// # Errors
    /// [`AccountError::NoToken`].
    pub fn revoke(&mut self, id: &str) -> Result<Token, AccountError> {
        let place = self.tokens.iter().position(|token| token.id.as_str() == id);
        place.map(|place| self.tokens.remove(place)).ok_or_else(|| AccountError::NoToken(id.to_owned()))
    }

    /// Tokens by digest, to find them quickly.
    pub fn by_digest(&self) -> BTreeMap<Digest, Token> {
        self.tokens.iter().map(|token| (token.digest, token.clone())).collect()
    }

    /// Where a token may look: within its own area and its owner's; nowhere without an owner.
    pub fn scope_of(&self, token: &Token) -> Scope {
        let nowhere = Area::default();
        let of_owner = self.user(&token.owner).map_or(Some(&nowhere), |owner| owner.area.as_ref());
        Scope::within([of_owner, token.area.as_ref()])
    }

    /// What a token may do now; nothing if it has expired, or its owner may not log in.
    pub fn permissions_of(&self, token: &Token, now: i64) -> Permissions {
        let owner = self.user(&token.owner).filter(|_| !token.has_expired(now));
        owner.map_or(Permissions::default(), |owner| token.permissions(owner.permissions()))
    }
}

/// Whether a user with these roles may be limited to this area.
fn check_area(name: &UserName, roles: &Roles, area: Option<&Area>) -> Result<(), AccountError> {
    let Some(area) = area else { return Ok(()) };
    if roles.have(Role::Admin) || roles.have(Role::Auditor) {
        return Err(AccountError::UnlimitedRole(name.clone()));
    }
    if area.is_moderate() { Ok(()) } else { Err(AccountError::LargeArea) }
}

#[cfg(test)]
mod tests;
