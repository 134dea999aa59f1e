//! The gate of one process: it knows the accounts as they are stored, the sessions, and who tried a wrong password.
//!
//! Changes that the command line makes are noticed within a second. Every request is checked against the accounts as they are
//! then, so a disabled user, another role or a revoked token has effect at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use access::{
    Accounts, Attempts, Digest, PasswordHash, Permissions, Scope, Secret, Session, SessionLimits, Sessions, Token,
    User, UserName, WeakPassword,
};
use arc_swap::ArcSwap;
use parking_lot::{Mutex, MutexGuard};

use super::files::{AccountFiles, FilesError, Stamp};
use super::identity::{Identity, Via, Who};
use super::random::{NoRandomness, salt, secret};
use super::uses::Uses;

/// How the gate is set.
#[derive(Debug, Clone, Copy)]
pub struct GateSettings {
    /// Nobody needs to log in, whoever reaches the port.
    pub open: bool,
    /// Only this machine reaches the port: without users nobody needs to log in.
    pub is_local: bool,
    /// How long sessions last.
    pub limits: SessionLimits,
}

/// What a request brings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credential<'a> {
    /// The cookie of a session.
    pub cookie: Option<&'a str>,
    /// A token.
    pub token: Option<&'a str>,
}

/// Why it is not known who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// There is no credential, or its session has ended.
    LoginRequired,
    /// There is no such token, or no longer.
    WrongToken,
}

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The name or the password is wrong, or the user may not log in. It is not said which.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many wrong ones.
    #[error("too many wrong passwords: wait {0} s")]
    Wait(i64),
    /// Nobody needs to log in.
    #[error("nobody needs to log in")]
    Open,
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The old one is wrong, or must not be tried yet.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The new one is not taken.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The new one is the old one.
    #[error("the new password must be another one")]
    Same,
    /// It could not be stored.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// The accounts as they were read.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) accounts: Accounts,
    tokens: BTreeMap<Digest, Token>,
    stamp: Stamp,
}

/// The gate.
#[derive(Debug)]
pub struct Gate {
    settings: GateSettings,
    /// None where there is no data directory, and so no users.
    files: Option<AccountFiles>,
    known: ArcSwap<Known>,
    /// When the file was looked at last, in seconds since 1970.
    looked_at: AtomicI64,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    uses: Uses,
}

impl Gate {
    /// The gate with the accounts and sessions of these files.
    ///
    /// # Errors
    /// [`FilesError`] if the accounts cannot be read; sessions that cannot be are begun again, which is logged.
    pub fn new(settings: GateSettings, files: AccountFiles, now: i64) -> Result<Self, FilesError> {
        let sessions = files.sessions().unwrap_or_else(|error| {
            tracing::warn!(%error, "everybody must log in again");
            Vec::new()
        });
        let (known, uses) = (Known::read(&files)?, Uses::read(&files));
        Ok(Self {
            uses,
            settings,
            files: Some(files),
            known: ArcSwap::from_pointee(known),
            looked_at: AtomicI64::new(now),
            sessions: Mutex::new(Sessions::new(settings.limits, sessions)),
            attempts: Mutex::default(),
        })
    }

    /// A gate that stands open: nobody needs to log in.
    pub fn open() -> Self {
        let limits = SessionLimits { idle: std::time::Duration::ZERO, absolute: std::time::Duration::ZERO };
        Self {
            settings: GateSettings { open: true, is_local: true, limits },
            files: None,
            known: ArcSwap::default(),
            looked_at: AtomicI64::new(0),
            sessions: Mutex::new(Sessions::new(limits, [])),
            attempts: Mutex::default(),
            uses: Uses::default(),
        }
    }

    /// Whether one must log in.
    pub fn is_closed(&self) -> bool {
        !(self.settings.open || self.settings.is_local && self.known.load().accounts.are_empty())
    }

    /// Whether others than this machine come in without a login.
    pub fn is_exposed(&self) -> bool {
        !self.is_closed() && !self.settings.is_local
    }

    /// Reads the accounts again if the file has changed, and looks at most once a second.
    fn refresh(&self, now: i64) {
        let Some(files) = &self.files else { return };
        if self.looked_at.swap(now, Ordering::Relaxed) != now && files.stamp() != self.known.load().stamp {
            self.reload();
        }
    }

    /// Reads the accounts again.
    pub(super) fn reload(&self) {
        let Some(files) = &self.files else { return };
        match Known::read(files) {
            Ok(known) => self.known.store(Arc::new(known)),
            // Those that were known stay: nobody gains anything by damaging the file.
            Err(error) => tracing::error!(%error, "the accounts cannot be read again; those read before stay"),
        }
    }

    /// Who sends a request.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn identify(&self, credential: Credential<'_>, now: i64) -> Result<Identity, Denied> {
        self.refresh(now);
        if !self.is_closed() {
            return Ok(Identity::open());
        }
        let known = self.known.load();
        if let Some(token) = credential.token {
            let digest = Digest::of(token);
            let identity = known.by_token(&digest, now).ok_or(Denied::WrongToken)?;
            if let Some(token) = known.tokens.get(&digest) {
                self.uses.used(&token.id, now);
            }
            return Ok(identity);
        }
        let cookie = credential.cookie.ok_or(Denied::LoginRequired)?;
        known.by_session(&mut self.sessions.lock(), &Digest::of(cookie), now).ok_or(Denied::LoginRequired)
    }

    /// Whether an identity would be let in again as it was.
    pub fn holds(&self, identity: &Identity, now: i64) -> bool {
        self.refresh(now);
        let known = self.known.load();
        let again = match &identity.via {
            Via::Open => return !self.is_closed(),
            Via::Nothing => return false,
            Via::Token(digest) => known.by_token(digest, now),
            Via::Session(digest) => known.by_session(&mut self.sessions.lock(), digest, now),
        };
        again.as_ref() == Some(identity)
    }

    /// Logs a user in. It takes some 20 ms of a processor, also with an unknown name.
    ///
    /// # Errors
    /// [`LoginError`].
    pub fn log_in(
        &self,
        name: &str,
        password: &str,
        address: &str,
        agent: &str,
        now: i64,
    ) -> Result<(Secret, Session), LoginError> {
        self.refresh(now);
        if !self.is_closed() {
            return Err(LoginError::Open);
        }
        let user = self.check(name, password, address, now)?;
        Ok(self.open_session(user.name, address, agent, now)?)
    }

    /// Opens a session of a user.
    pub(super) fn open_session(
        &self,
        name: UserName,
        address: &str,
        agent: &str,
        now: i64,
    ) -> Result<(Secret, Session), NoRandomness> {
        let cookie = secret("")?;
        let session = Session::new(cookie.digest(), name, now, address.to_owned(), agent);
        let mut sessions = self.sessions.lock();
        sessions.open(session.clone(), now);
        self.keep(&sessions);
        Ok((cookie, session))
    }

    /// The user with this name and password.
    fn check(&self, name: &str, password: &str, address: &str, now: i64) -> Result<User, LoginError> {
        let name = UserName::parse(name);
        let account = format!("user {}", name.as_ref().map_or("?", UserName::as_str));
        let address = format!("address {address}");
        let keys = [account.as_str(), address.as_str()];
        let wait = keys.map(|key| self.attempts.lock().wait(key, now)).into_iter().max().unwrap_or(0);
        if wait > 0 {
            return Err(LoginError::Wait(wait));
        }
        let known = self.known.load();
        let user = name.and_then(|name| known.accounts.user(&name).cloned()).filter(|user| !user.disabled);
        let is_right = match user.as_ref().and_then(|user| user.password.as_ref()) {
            Some(hash) => hash.is(password),
            None => {
                PasswordHash::is_of_nobody(password);
                false
            }
        };
        let mut attempts = self.attempts.lock();
        match user.filter(|_| is_right) {
            Some(user) => {
                // What the address tried with other names still counts.
                attempts.succeeded(&account);
                Ok(user)
            }
            None => {
                keys.into_iter().for_each(|key| attempts.failed(key, now));
                tracing::warn!(account, address, "a wrong password");
                Err(LoginError::Wrong)
            }
        }
    }

    /// Ends a session.
    pub fn log_out(&self, digest: &Digest) {
        let mut sessions = self.sessions.lock();
        if sessions.close(digest).is_some() {
            self.keep(&sessions);
        }
    }

    /// Changes the password of who is logged in, and ends the user's other sessions.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn change_password(
        &self,
        digest: &Digest,
        who: &Who,
        old: &str,
        new: &str,
        address: &str,
        now: i64,
    ) -> Result<(), PasswordError> {
        self.check(who.name.as_str(), old, address, now)?;
        if old == new {
            return Err(PasswordError::Same);
        }
        let hash = PasswordHash::new(new, who.name.as_str(), salt().map_err(LoginError::Random)?)?;
        // Sessions from before the change are over. This one is, too, but goes on: so it counts as the first after it.
        let mut sessions = self.sessions.lock();
        let session = sessions.close(digest);
        let opened_at = session.as_ref().map_or(now, |session| session.opened_at);
        if let Some(files) = &self.files {
            files.change(|accounts| accounts.set_password(&who.name, hash, false, opened_at.min(now)))?;
        }
        sessions.close_of(&who.name, None);
        if let Some(session) = session {
            sessions.open(session, now);
        }
        self.keep(&sessions);
        drop(sessions);
        self.reload();
        Ok(())
    }

    /// The name by which others see the user with this name; none if there is no such user.
    pub fn shown(&self, name: &str) -> Option<String> {
        let known = self.known.load();
        Some(known.accounts.user(&UserName::parse(name)?)?.shown.clone())
    }

    /// Ends all sessions of a user.
    pub(super) fn end_sessions(&self, name: &UserName) {
        let mut sessions = self.sessions.lock();
        sessions.close_of(name, None);
        self.keep(&sessions);
    }

    /// The accounts as they were read.
    pub(super) fn known(&self) -> arc_swap::Guard<Arc<Known>> {
        self.known.load()
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock()
    }

    pub(super) fn uses(&self) -> &Uses {
        &self.uses
    }

    pub(super) fn files(&self) -> Option<&AccountFiles> {
        self.files.as_ref()
    }

    /// The sessions of a user, newest first.
    pub fn sessions_of(&self, name: &UserName) -> Vec<Session> {
        let mut all: Vec<Session> = self.sessions.lock().of(name).cloned().collect();
        all.sort_by_key(|session| (std::cmp::Reverse(session.seen_at), session.digest));
        all
    }

    /// Ends one session of a user, by its public name; false if there is none.
    pub fn end_session(&self, name: &UserName, id: &str) -> bool {
        let mut sessions = self.sessions.lock();
        let ended = sessions.close_by_id(name, id).is_some();
        if ended {
            self.keep(&sessions);
        }
        ended
    }

    /// When a session ends at the latest, in seconds since 1970; none if it has ended.
    pub fn ends_at(&self, digest: &Digest, now: i64) -> Option<i64> {
        let mut sessions = self.sessions.lock();
        let session = sessions.see(digest, now)?.clone();
        Some(sessions.ends_at(&session))
    }

    /// Stores the sessions, so that a restart logs nobody out. One that cannot be stored ends with the process.
    fn keep(&self, sessions: &Sessions) {
        let Some(files) = &self.files else { return };
        if let Err(error) = files.write_sessions(&sessions.all()) {
            tracing::warn!(%error, "sessions cannot be stored: after a restart everybody must log in again");
        }
    }
}

fn who(user: &User) -> Who {
    Who { name: user.name.clone(), shown: user.shown.clone(), roles: user.roles.clone(), must_change: user.must_change }
}

impl Known {
    fn read(files: &AccountFiles) -> Result<Self, FilesError> {
        // The stamp first: a change in between is then noticed at the next look.
        let stamp = files.stamp();
        let accounts = files.accounts()?;
        let tokens = accounts.by_digest();
        Ok(Self { accounts, tokens, stamp })
    }

    /// Whom a token stands for; none if it is not valid.
    fn by_token(&self, digest: &Digest, now: i64) -> Option<Identity> {
        let token = self.tokens.get(digest).filter(|token| !token.has_expired(now))?;
        let owner = self.accounts.user(&token.owner).filter(|owner| !owner.disabled)?;
        let permissions = self.accounts.permissions_of(token, now);
        let scope = self.accounts.scope_of(token);
        Some(Identity { who: Some(who(owner)), permissions, scope, via: Via::Token(*digest) })
    }

    /// Who is logged in by a session, which is seen now; none if it has ended.
    fn by_session(&self, sessions: &mut Sessions, digest: &Digest, now: i64) -> Option<Identity> {
        let session = sessions.see(digest, now)?;
        let user = self.accounts.user(&session.user);
        let user = user.filter(|user| !user.disabled && session.opened_at >= user.password_at)?;
        let permissions = if user.must_change { Permissions::default() } else { user.permissions() };
        let scope = Scope::within([user.area.as_ref()]);
        Some(Identity { who: Some(who(user)), permissions, scope, via: Via::Session(*digest) })
    }
}
