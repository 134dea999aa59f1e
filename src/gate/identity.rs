//! Who sends a request, and what that one may do.

use access::{Digest, Permission, Permissions, Roles, Scope, UserName};

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// None where nobody needs to log in.
    pub who: Option<Who>,
    /// What that one may do.
    pub permissions: Permissions,
    /// Where that one may look.
    pub scope: Scope,
    /// How that is known.
    pub via: Via,
}

/// A user, as a session or a token names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The name to log in with.
    pub name: UserName,
    /// The name that others see.
    pub shown: String,
    /// The roles.
    pub roles: Roles,
    /// A new password must be chosen first.
    pub must_change: bool,
}

/// How it is known who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Nobody needs to log in.
    Open,
    /// There is no valid credential.
    Nothing,
    /// By the cookie of a session.
    Session(Digest),
    /// By a token.
    Token(Digest),
}

impl Identity {
    /// Where nobody needs to log in.
    pub fn open() -> Self {
        Self { who: None, permissions: Permissions::all(), scope: Scope::everywhere(), via: Via::Open }
    }

    /// Somebody without a valid credential.
    pub fn nobody() -> Self {
        // It may do nothing, so there is nothing to be limited.
        Self { who: None, permissions: Permissions::default(), scope: Scope::everywhere(), via: Via::Nothing }
    }

    /// Whether it may do this.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.allow(permission)
    }

    /// What a page must send along with a change; none where no page can send one by mistake.
    pub fn csrf(&self) -> Option<String> {
        match &self.via {
            Via::Session(digest) => Some(digest.csrf()),
            Via::Open | Via::Nothing | Via::Token(_) => None,
        }
    }
}
