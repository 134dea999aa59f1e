//! Users and tokens, managed by an admin while the process serves. What the rules of [`access::Accounts`] refuse changes
//! nothing.

use std::collections::{BTreeMap, HashMap};

use access::{
    AccountError, Accounts, Area, PasswordHash, Permission, Roles, Token, TokenId, User, UserChange, UserName,
};

use super::files::FilesError;
use super::gatekeeper::Gate;
use super::random::{NoRandomness, made_password, salt, secret};

/// For how many days a token may be valid.
pub const MAX_TOKEN_DAYS: u16 = 3650;
/// Characters of what a token is for.
pub const MAX_TOKEN_NOTE_CHARS: usize = 100;

const SECONDS_PER_DAY: i64 = 86_400;

/// Why users or tokens were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// Nobody needs to log in, so nobody is known to be an admin.
    #[error("nobody needs to log in")]
    Open,
    /// It is not allowed.
    #[error(transparent)]
    Account(AccountError),
    /// It could not be stored.
    #[error(transparent)]
    Files(FilesError),
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A password that was made here is not taken.
    #[error(transparent)]
    Weak(#[from] access::WeakPassword),
}

impl From<FilesError> for ManageError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Account(refused) => Self::Account(refused),
            other => Self::Files(other),
        }
    }
}

/// A user, and what the user has.
#[derive(Debug, Clone)]
pub struct UserSummary {
    /// The user.
    pub user: User,
    /// Browsers that are logged in.
    pub sessions: usize,
    /// Tokens, also those that have expired.
    pub tokens: usize,
}

/// A user to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name to log in with.
    pub name: UserName,
    /// The name that others see.
    pub shown: String,
    /// What the user may do.
    pub roles: Roles,
    /// Where the user may look; none is everywhere.
    pub area: Option<Area>,
}

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// In whose name it acts.
    pub owner: UserName,
    /// What it may do, as far as its owner may.
    pub scopes: Vec<Permission>,
    /// Where it may look, as far as its owner may; none is wherever its owner may.
    pub area: Option<Area>,
    /// What it is for.
    pub note: String,
    /// For how many days it is valid.
    pub days: u16,
}

impl Gate {
    /// All users by name.
    pub fn users(&self, now: i64) -> Vec<UserSummary> {
        let known = self.known();
        let mut tokens: HashMap<&UserName, usize> = HashMap::new();
        for token in known.accounts.tokens() {
            *tokens.entry(&token.owner).or_default() += 1;
        }
        let open = self.sessions();
        let sessions = open.counts(now);
        let of = |counts: &HashMap<&UserName, usize>, user: &User| counts.get(&user.name).copied().unwrap_or(0);
        let all = known.accounts.users().iter().map(|user| UserSummary {
            user: user.clone(),
            // Sessions of a disabled user are not valid.
            sessions: if user.disabled { 0 } else { of(&sessions, user) },
            tokens: of(&tokens, user),
        });
        all.collect()
    }

    /// One user.
    pub fn user(&self, name: &UserName, now: i64) -> Option<UserSummary> {
        self.users(now).into_iter().find(|found| found.user.name == *name)
    }

    /// All tokens, oldest first.
    pub fn tokens(&self) -> Vec<Token> {
        self.known().accounts.tokens().to_vec()
    }

    /// When each token was last used, as far as that is known.
    pub fn last_uses(&self) -> BTreeMap<TokenId, i64> {
        self.uses().all()
    }

    /// Stores when tokens were last used, if one was since the last time.
    ///
    /// # Errors
    /// [`FilesError`]; then the next call tries again.
    pub fn keep_uses(&self) -> Result<(), FilesError> {
        let Some(files) = self.files() else { return Ok(()) };
        let Some(changed) = self.uses().take_changed(self.known().accounts.tokens()) else { return Ok(()) };
        files.write_last_uses(&changed).inspect_err(|_| self.uses().not_kept())
    }

    /// Adds a user with a password that is made here and must be changed at the first login.
    ///
    /// # Errors
    /// [`ManageError`].
    pub fn add_user(&self, new: NewUser, now: i64) -> Result<String, ManageError> {
        let (password, hash) = made_for(&new.name)?;
        let NewUser { name, shown, roles, area } = new;
        let (made_at, password_at) = (now, now);
        let (password_hash, must_change, disabled) = (Some(hash), true, false);
        let user =
            User { name, shown, roles, area, password: password_hash, must_change, disabled, made_at, password_at };
        self.change_accounts(|accounts| accounts.add(user))?;
        Ok(password)
    }

    /// Changes a user; with `generate` the user gets another password, which is returned. Sessions of a user who is disabled
    /// or has another password end.
    ///
    /// # Errors
    /// [`ManageError`]; then nothing has changed.
    pub fn change_user(
        &self,
        name: &UserName,
        mut change: UserChange,
        generate: bool,
        by: &UserName,
        now: i64,
    ) -> Result<Option<String>, ManageError> {
        let mut password = None;
        if generate {
            let (made, hash) = made_for(name)?;
            (password, change.password) = (Some(made), Some(hash));
        }
        let ends_sessions = generate || change.disabled == Some(true);
        self.change_accounts(|accounts| accounts.change_user(name, change, by, now))?;
        if ends_sessions {
            self.end_sessions(name);
        }
        Ok(password)
    }

    /// Makes a token. Its secret is returned, and known to nobody else.
    ///
    /// # Errors
    /// [`ManageError`].
    pub fn add_token(&self, new: NewToken, now: i64) -> Result<(Token, access::Secret), ManageError> {
        let NewToken { owner, scopes, area, note, days } = new;
        let secret = secret(Token::PREFIX)?;
        let expires_at = now.saturating_add(i64::from(days) * SECONDS_PER_DAY);
        let token = Token::new(secret.digest(), owner, note, scopes, now, Some(expires_at)).within(area);
        self.change_accounts(|accounts| accounts.grant_token(token.clone()))?;
        Ok((token, secret))
    }

    /// Takes a token back, by its public name.
    ///
    /// # Errors
    /// [`ManageError`].
    pub fn revoke_token(&self, id: &str) -> Result<Token, ManageError> {
        self.change_accounts(|accounts| accounts.revoke(id))
    }

    /// Changes the stored accounts, and knows them from now on.
    fn change_accounts<T>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<T, AccountError>,
    ) -> Result<T, ManageError> {
        let files = self.files().filter(|_| self.is_closed()).ok_or(ManageError::Open)?;
        let done = files.change(change)?;
        self.reload();
        Ok(done)
    }
}

/// A new password for `name`, and its hash.
fn made_for(name: &UserName) -> Result<(String, PasswordHash), ManageError> {
    let password = made_password()?;
    let hash = PasswordHash::new(&password, name.as_str(), salt()?)?;
    Ok((password, hash))
}
