//! A browser that is logged in. It does not know the others.

use serde::{Deserialize, Serialize};

use crate::secret::Digest;
use crate::user::UserName;

/// Characters of an id, and of what is kept of a browser's name.
const ID_CHARS: usize = 12;
const MAX_AGENT_CHARS: usize = 200;

/// The public name of a session: the beginning of its digest.
pub type SessionId = String;

/// A session, without the secret in the browser's cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// What is kept of the cookie.
    pub digest: Digest,
    /// Who is logged in.
    pub user: UserName,
    /// When the user logged in, in seconds since 1970.
    pub opened_at: i64,
    /// When the last request came.
    pub seen_at: i64,
    /// From where the user logged in.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

impl Session {
    /// A session that begins now.
    pub fn new(digest: Digest, user: UserName, now: i64, address: String, agent: &str) -> Self {
        let agent = agent.chars().filter(|character| !character.is_control()).take(MAX_AGENT_CHARS).collect();
        Self { digest, user, opened_at: now, seen_at: now, address, agent }
    }

    /// Its public name.
    pub fn id(&self) -> SessionId {
        self.digest.short(ID_CHARS)
    }
}
