//! All users and tokens, as one value that is stored as a whole. It does not know where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::password::PasswordHash;
use crate::permission::Permissions;
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
    /// There are too many.
    #[error("there are {MOST} already: remove some first")]
    TooMany,
}

/// All users and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    users: Vec<User>,
    tokens: Vec<Token>,
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

    /// Sets a password. `by_other`: somebody else chose it, so the user must choose another at the next login.
    ///
    /// # Errors
    /// [`AccountError::NoUser`].
    pub fn set_password(
        &mut self,
        name: &UserName,
        hash: PasswordHash,
        by_other: bool,
        now: i64,
    ) -> Result<(), AccountError> {
        let user = self.user_mut(name)?;
        (user.password, user.must_change, user.password_at) = (Some(hash), by_other, now);
        Ok(())
    }

    /// Sets what a user may do.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::NoRole`], [`AccountError::LastAdmin`].
    pub fn set_roles(&mut self, name: &UserName, roles: Roles) -> Result<(), AccountError> {
        if roles.is_empty() {
            return Err(AccountError::NoRole);
        }
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

    /// Refuses to lose the last admin.
    fn keep_an_admin(&self, but: &UserName) -> Result<(), AccountError> {
        let is_admin = |user: &&User| user.roles.have(Role::Admin) && !user.disabled;
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
