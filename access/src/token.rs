//! Tokens of programs: `pw_…`, with a part of their owner's permissions. It does not know how they are sent.

use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::permission::{Permission, Permissions};
use crate::secret::Digest;
use crate::user::UserName;

/// Characters of an id.
const ID_CHARS: usize = 12;

/// The public name of a token: the beginning of its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(String);

impl TokenId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its public name.
    pub id: TokenId,
    /// What is kept of the secret.
    pub digest: Digest,
    /// Whose permissions it has a part of.
    pub owner: UserName,
    /// What it is for, in its owner's words.
    pub note: String,
    /// What it may do, as far as its owner may.
    pub scopes: Vec<Permission>,
    /// Where it may look, as far as its owner may; none is wherever its owner may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// When it was made, in seconds since 1970.
    pub made_at: i64,
    /// From when on it is not valid.
    pub expires_at: Option<i64>,
}

impl Token {
    /// What starts each secret.
    pub const PREFIX: &str = "pw_";

    /// A token with this digest.
    pub fn new(
        digest: Digest,
        owner: UserName,
        note: String,
        scopes: Vec<Permission>,
        now: i64,
        expires_at: Option<i64>,
    ) -> Self {
        Self { id: TokenId(digest.short(ID_CHARS)), digest, owner, note, scopes, area: None, made_at: now, expires_at }
    }

    /// The same, limited to an area.
    #[must_use]
    pub fn within(self, area: Option<Area>) -> Self {
        Self { area, ..self }
    }

    /// Whether it has expired.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| now >= expires_at)
    }

    /// What it may do if its owner may do `of_owner`.
    pub fn permissions(&self, of_owner: Permissions) -> Permissions {
        self.scopes.iter().copied().collect::<Permissions>().and(of_owner)
    }
}
