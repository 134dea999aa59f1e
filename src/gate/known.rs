//! The accounts as this process last read them, and to whom a token or a session belongs. It does not know when they are read again.

use std::collections::BTreeMap;

use access::{Accounts, Digest, Permissions, Scope, Sessions, Token, TokenId, User};

use super::files::{AccountFiles, FilesError, Stamp};
use super::identity::{Identity, Via, Who};

/// The accounts as they were read.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) accounts: Accounts,
    tokens: BTreeMap<Digest, Token>,
    pub(super) stamp: Stamp,
}

fn who(user: &User) -> Who {
    Who { name: user.name.clone(), shown: user.shown.clone(), roles: user.roles.clone(), must_change: user.must_change }
}

impl Known {
    /// Reads them.
    ///
    /// # Errors
    /// [`FilesError`].
    pub(super) fn read(files: &AccountFiles) -> Result<Self, FilesError> {
        // The stamp first: a change in between is then noticed at the next look.
        let stamp = files.stamp();
        let accounts = files.accounts()?;
        let tokens = accounts.by_digest();
        Ok(Self { accounts, tokens, stamp })
    }

    /// Whom a token stands for, and its name; none if it is not valid.
    pub(super) fn by_token(&self, digest: &Digest, now: i64) -> Option<(Identity, &TokenId)> {
        let token = self.tokens.get(digest).filter(|token| !token.has_expired(now))?;
        let owner = self.accounts.user(&token.owner).filter(|owner| !owner.disabled)?;
        let permissions = self.accounts.permissions_of(token, now);
        let scope = self.accounts.scope_of(token);
        Some((Identity { who: Some(who(owner)), permissions, scope, via: Via::Token(*digest) }, &token.id))
    }

    /// Who is logged in by a session, which is seen now; none if it has ended.
    pub(super) fn by_session(&self, sessions: &mut Sessions, digest: &Digest, now: i64) -> Option<Identity> {
        let session = sessions.see(digest, now)?;
        let user = self.accounts.user(&session.user);
        let user = user.filter(|user| !user.disabled && session.opened_at >= user.password_at)?;
        let permissions = if user.must_change { Permissions::default() } else { user.permissions() };
        let scope = Scope::within([user.area.as_ref()]);
        Some(Identity { who: Some(who(user)), permissions, scope, via: Via::Session(*digest) })
    }
}
