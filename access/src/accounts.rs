//! All users and tokens, as one value that is stored as a whole. It does not know where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
        "{0} logs in by single sign-on: password, roles and shown name come from there, and only disabling is done here"
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
    /// [`AccountError::Exists`], [`AccountError::NoRole`], [`AccountError::TooMany`].
    pub fn add(&mut self, user: User) -> Result<(), AccountError> {
        if user.roles.is_empty() {
            return Err(AccountError::NoRole);
        }
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
    /// [`AccountError::Disabled`], [`AccountError::NoRole`], [`AccountError::TooMany`], and [`AccountError::Exists`] if a user of our
    /// own has the name that is made for it.
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
    /// [`AccountError::NoUser`], [`AccountError::NoRole`], [`AccountError::LastAdmin`], [`AccountError::External`].
    pub fn set_roles(&mut self, name: &UserName, roles: Roles) -> Result<(), AccountError> {
        if roles.is_empty() {
            return Err(AccountError::NoRole);
        }
        self.keep_external(name)?;
        self.user_mut(name)?;
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
        if let Some(roles) = change.roles {
            self.set_roles(name, roles)?;
        }
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
    /// [`AccountError::NoUser`] for its owner, [`AccountError::NoScope`], [`AccountError::TooMany`].
    pub fn add_token(&mut self, token: Token) -> Result<(), AccountError> {
        if self.user(&token.owner).is_none() {
            return Err(AccountError::NoUser(token.owner));
        }
        if token.scopes.is_empty() {
            return Err(AccountError::NoScope);
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

    /// What a token may do now; nothing if it has expired, or its owner may not log in.
    pub fn permissions_of(&self, token: &Token, now: i64) -> Permissions {
        let owner = self.user(&token.owner).filter(|_| !token.has_expired(now));
        owner.map_or(Permissions::default(), |owner| token.permissions(owner.permissions()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::Permission;
    use crate::secret::Secret;

    fn user(name: &str, roles: &[Role]) -> User {
        User {
            name: UserName::parse(name).unwrap(),
            shown: name.to_owned(),
            roles: roles.to_vec().into(),
            password: None,
            must_change: false,
            disabled: false,
            made_at: 0,
            password_at: 0,
        }
    }

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    #[test]
    fn users_are_found_changed_and_kept_apart() {
        let mut accounts = Accounts::default();
        assert!(accounts.are_empty());
        for (who, role) in [("wang", Role::Operator), ("adm", Role::Admin), ("li", Role::Viewer)] {
            accounts.add(user(who, &[role])).unwrap();
        }
        assert_eq!(accounts.add(user("li", &[Role::Admin])), Err(AccountError::Exists(name("li"))));
        assert_eq!(accounts.add(user("zhao", &[])), Err(AccountError::NoRole));
        let names: Vec<&str> = accounts.users().iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["adm", "li", "wang"]);
        accounts.set_roles(&name("li"), vec![Role::Viewer, Role::Operator].into()).unwrap();
        assert!(accounts.user(&name("li")).unwrap().permissions().allow(Permission::Plates));
        accounts.set_disabled(&name("li"), true).unwrap();
        assert_eq!(accounts.user(&name("li")).unwrap().permissions(), Permissions::default());
        assert_eq!(accounts.set_disabled(&name("sun"), true), Err(AccountError::NoUser(name("sun"))));
        let hash = PasswordHash::new("three lorries in fog", "wang", [1; 16]).unwrap();
        accounts.set_password(&name("wang"), hash, true, 7).unwrap();
        let wang = accounts.user(&name("wang")).unwrap();
        assert!(
            wang.must_change && wang.password_at == 7 && wang.password.as_ref().unwrap().is("three lorries in fog")
        );
        let text = serde_json::to_string(&accounts).unwrap();
        assert_eq!(serde_json::from_str::<Accounts>(&text).unwrap(), accounts);
    }

    #[test]
    fn somebody_can_always_manage_users() {
        let mut accounts = Accounts::default();
        accounts.add(user("one", &[Role::Admin])).unwrap();
        let last = Err(AccountError::LastAdmin(name("one")));
        assert_eq!(accounts.set_disabled(&name("one"), true), last);
        assert_eq!(accounts.set_roles(&name("one"), vec![Role::Viewer].into()), last);
        accounts.add(user("two", &[Role::Admin, Role::Operator])).unwrap();
        accounts.set_disabled(&name("one"), true).unwrap();
        assert_eq!(accounts.set_disabled(&name("two"), true), Err(AccountError::LastAdmin(name("two"))));
    }

    #[test]
    fn a_change_is_made_as_a_whole_and_nobody_disables_themselves() {
        let [boss, deputy, wang] = ["boss", "deputy", "wang"].map(name);
        let mut accounts = Accounts::default();
        for (who, role) in [("boss", Role::Admin), ("wang", Role::Operator)] {
            accounts.add(user(who, &[role])).unwrap();
        }
        let disable = || UserChange { disabled: Some(true), ..UserChange::default() };
        let roles = |roles: &[Role]| UserChange { roles: Some(roles.to_vec().into()), ..UserChange::default() };
        assert_eq!(accounts.change_user(&boss, disable(), &boss, 1), Err(AccountError::OwnAccount(boss.clone())));
        assert_eq!(accounts.change_user(&boss, disable(), &wang, 1), Err(AccountError::LastAdmin(boss.clone())));
        let demoted = accounts.change_user(&boss, roles(&[Role::Viewer]), &boss, 1);
        assert_eq!(demoted, Err(AccountError::LastAdmin(boss.clone())));
        assert_eq!(accounts.change_user(&wang, roles(&[]), &boss, 1), Err(AccountError::NoRole));
        assert_eq!(accounts.change_user(&deputy, disable(), &boss, 1), Err(AccountError::NoUser(deputy.clone())));
        let hash = PasswordHash::new("three lorries in fog", "wang", [1; 16]).unwrap();
        let whole = UserChange {
            roles: Some(vec![Role::Supervisor].into()),
            shown: Some("王警官".to_owned()),
            disabled: Some(true),
            password: Some(hash),
        };
        accounts.change_user(&wang, whole, &boss, 7).unwrap();
        let changed = accounts.user(&wang).unwrap();
        assert!(changed.disabled && changed.must_change && changed.password_at == 7 && changed.shown == "王警官");
        assert!(changed.roles.have(Role::Supervisor) && !changed.roles.have(Role::Operator));
        accounts.change_user(&wang, UserChange::default(), &boss, 8).unwrap();
        assert!(accounts.user(&wang).unwrap().disabled, "an empty change leaves all as it is");
        accounts.add(user("deputy", &[Role::Admin])).unwrap();
        accounts.change_user(&boss, roles(&[Role::Viewer]), &boss, 9).unwrap();
        assert!(accounts.change_user(&deputy, disable(), &boss, 9).is_err(), "now that one is the last");
    }

    #[test]
    fn whom_a_provider_vouches_for_has_an_account_apart() {
        let mut accounts = Accounts::default();
        accounts.add(user("boss", &[Role::Admin])).unwrap();
        let id = |subject: &str| ExternalId { issuer: "https://login".to_owned(), subject: subject.to_owned() };
        let says = |subject: &str, shown: &str, roles: &[Role]| {
            let (id, shown) = (id(subject), shown.to_owned());
            ExternalUser { id, shown, roles: roles.to_vec().into() }
        };
        let one = accounts.enter(says("1", "boss", &[Role::Operator]), 5).unwrap();
        assert!(one != name("boss") && accounts.external(&id("1")).unwrap().password.is_none());
        assert_eq!(accounts.external_id(&one), Some(&id("1")));
        // Another takes over the name there, and nothing here.
        assert_eq!(accounts.enter(says("1", "王", &[Role::Admin]), 6).as_ref(), Ok(&one));
        let two = accounts.enter(says("2", "boss", &[Role::Viewer]), 7).unwrap();
        assert_ne!(one, two);
        assert_eq!((accounts.users().len(), accounts.user(&one).unwrap().made_at), (3, 5));
        assert_eq!(accounts.user(&one).unwrap().roles, vec![Role::Admin].into());
        // It does not count as an admin of our own, and is none any more when the provider says so.
        assert_eq!(accounts.set_disabled(&name("boss"), true), Err(AccountError::LastAdmin(name("boss"))));
        accounts.enter(says("1", "王", &[Role::Viewer]), 8).unwrap();
        // Only disabling is done here.
        let hash = PasswordHash::new("three lorries in fog", "x", [1; 16]).unwrap();
        let refused = Err(AccountError::External(one.clone()));
        assert_eq!(accounts.set_password(&one, hash, true, 9), refused);
        assert_eq!(accounts.set_roles(&one, vec![Role::Admin].into()), refused);
        let shown = UserChange { shown: Some("x".to_owned()), ..UserChange::default() };
        assert_eq!(accounts.change_user(&one, shown, &name("boss"), 9), refused);
        accounts.set_disabled(&one, true).unwrap();
        assert_eq!(accounts.enter(says("1", "王", &[Role::Viewer]), 10), Err(AccountError::Disabled(one)));
        assert_eq!(accounts.enter(says("2", "boss", &[]), 10), Err(AccountError::NoRole));
        // A user of our own who has the name that would be made keeps it.
        let taken = id("3").user_name().unwrap();
        accounts.add(user(taken.as_str(), &[Role::Viewer])).unwrap();
        assert_eq!(accounts.enter(says("3", "x", &[Role::Viewer]), 11), Err(AccountError::Exists(taken)));
        let text = serde_json::to_string(&accounts).unwrap();
        assert_eq!(serde_json::from_str::<Accounts>(&text).unwrap(), accounts);
    }

    #[test]
    fn a_token_is_granted_what_its_owner_may() {
        let mut accounts = Accounts::default();
        accounts.add(user("wang", &[Role::Operator])).unwrap();
        let token = |owner: &str, scopes: &[Permission]| {
            Token::new(Digest::of(owner), name(owner), String::new(), scopes.to_vec(), 0, None)
        };
        let greedy = accounts.grant_token(token("wang", &[Permission::Plates, Permission::Users, Permission::Audit]));
        let beyond = vec![Permission::Users, Permission::Audit];
        assert_eq!(greedy, Err(AccountError::BeyondOwner { owner: name("wang"), beyond }));
        assert!(greedy.unwrap_err().to_string().contains("do not include users, audit"));
        assert_eq!(accounts.grant_token(token("sun", &[Permission::Plates])), Err(AccountError::NoUser(name("sun"))));
        assert_eq!(accounts.grant_token(token("wang", &[])), Err(AccountError::NoScope));
        accounts.grant_token(token("wang", &[Permission::Plates])).unwrap();
        accounts.set_disabled(&name("wang"), true).unwrap();
        assert!(accounts.grant_token(token("wang", &[Permission::Plates])).is_err(), "a disabled owner may nothing");
        assert_eq!(accounts.tokens().len(), 1);
    }

    #[test]
    fn a_token_may_never_more_than_its_owner() {
        let mut accounts = Accounts::default();
        accounts.add(user("wang", &[Role::Operator])).unwrap();
        let secret = Secret::new(Token::PREFIX, [3; 32]);
        let scopes = vec![Permission::Plates, Permission::Users];
        let token = Token::new(secret.digest(), name("wang"), "script".to_owned(), scopes, 10, Some(100));
        accounts.add_token(token.clone()).unwrap();
        let found = accounts.by_digest().remove(&Digest::of(secret.reveal())).unwrap();
        assert_eq!(found, token);
        let only = |permissions: Permissions| permissions.iter().collect::<Vec<_>>();
        assert_eq!(only(accounts.permissions_of(&found, 99)), [Permission::Plates]);
        assert_eq!(only(accounts.permissions_of(&found, 100)), [], "expired");
        accounts.set_roles(&name("wang"), vec![Role::Viewer].into()).unwrap();
        assert_eq!(only(accounts.permissions_of(&found, 50)), []);
        let orphan = Token { owner: name("sun"), ..token.clone() };
        assert_eq!(accounts.add_token(orphan), Err(AccountError::NoUser(name("sun"))));
        assert_eq!(accounts.add_token(Token { scopes: vec![], ..token.clone() }), Err(AccountError::NoScope));
        assert_eq!(accounts.revoke(token.id.as_str()).unwrap(), token);
        assert!(accounts.revoke(token.id.as_str()).is_err() && accounts.tokens().is_empty());
    }
}
