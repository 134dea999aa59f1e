//! A user. It does not know sessions or tokens.

use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::password::PasswordHash;
use crate::permission::Permissions;
use crate::role::Roles;

/// Characters that a name has at most.
pub const MAX_NAME_CHARS: usize = 32;

/// The name that a user logs in with: lower-case letters, digits and `.`, `-`, `_`, so that it is the same however it is typed
/// and safe in a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

impl UserName {
    /// The name, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let is_fine = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
        (!text.is_empty() && text.len() <= MAX_NAME_CHARS && text.chars().all(is_fine)).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no name of a user"))
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

impl std::fmt::Display for UserName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name to log in with.
    pub name: UserName,
    /// The name that others see, such as 王警官.
    pub shown: String,
    /// What the user may do.
    pub roles: Roles,
    /// Where the user may look; none is everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// None until one is set: then nobody can log in with it.
    pub password: Option<PasswordHash>,
    /// Somebody else chose the password, so the user must choose another first.
    pub must_change: bool,
    /// The user may not log in.
    pub disabled: bool,
    /// When the user was made, in seconds since 1970.
    pub made_at: i64,
    /// When the password was set, in seconds since 1970. Sessions from before it are over.
    pub password_at: i64,
}

impl User {
    /// What the user may do now.
    pub fn permissions(&self) -> Permissions {
        if self.disabled { Permissions::default() } else { self.roles.permissions() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_typed() {
        assert_eq!(UserName::parse(" Wang.Wei ").unwrap().as_str(), "wang.wei");
        for wrong in ["", " ", "王", "a b", "a/b", "a\nb", &"a".repeat(33)] {
            assert_eq!(UserName::parse(wrong), None, "{wrong:?}");
        }
        assert!(serde_json::from_str::<UserName>("\"a b\"").is_err());
    }
}
