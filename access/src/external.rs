//! Users who log in elsewhere: at a provider of single sign-on. It knows neither how that works nor what they may do here.
//!
//! Who somebody is, is the issuer and its `sub`, which a provider never gives to two people. Names are not: they change hands.

use serde::{Deserialize, Serialize};

use crate::role::Roles;
use crate::secret::Digest;
use crate::user::UserName;

/// What the names of such users begin with here.
const PREFIX: &str = "sso-";
/// Characters of the digest in such a name.
const DIGEST_CHARS: usize = 16;

/// Somebody at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    /// The provider.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
}

impl ExternalId {
    /// The name here: always the same, and nobody can choose it at the provider.
    pub fn user_name(&self) -> Option<UserName> {
        let text = format!("{}\n{}", self.issuer, self.subject);
        UserName::parse(&format!("{PREFIX}{}", Digest::of(&text).short(DIGEST_CHARS)))
    }
}

/// What a provider said about somebody at a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUser {
    /// Who it is.
    pub id: ExternalId,
    /// The name that others see.
    pub shown: String,
    /// What that one may do here.
    pub roles: Roles,
}

/// Whose account a user is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    user: UserName,
    id: ExternalId,
}

/// Which users log in elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Externals(Vec<Link>);

impl Externals {
    /// The user that somebody is.
    pub(crate) fn user(&self, id: &ExternalId) -> Option<&UserName> {
        self.0.iter().find(|link| link.id == *id).map(|link| &link.user)
    }

    /// Who a user is elsewhere.
    pub(crate) fn id(&self, user: &UserName) -> Option<&ExternalId> {
        self.0.iter().find(|link| link.user == *user).map(|link| &link.id)
    }

    /// Whether there is none.
    pub(crate) fn are_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one.
    pub(crate) fn add(&mut self, user: UserName, id: ExternalId) {
        self.0.push(Link { user, id });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(issuer: &str, subject: &str) -> ExternalId {
        ExternalId { issuer: issuer.to_owned(), subject: subject.to_owned() }
    }

    #[test]
    fn a_name_is_of_issuer_and_subject_alone() {
        let [one, other, elsewhere] = [id("https://a", "1"), id("https://a", "2"), id("https://b", "1")];
        let name = one.user_name().unwrap();
        assert!(name.as_str().starts_with("sso-") && name.as_str().len() == 20);
        assert_eq!(one.user_name(), id("https://a", "1").user_name());
        assert!(one.user_name() != other.user_name() && one.user_name() != elsewhere.user_name());
    }

    #[test]
    fn links_are_read_back() {
        let mut all = Externals::default();
        let one = id("https://a", "王");
        all.add(one.user_name().unwrap(), one.clone());
        let text = serde_json::to_string(&all).unwrap();
        let read: Externals = serde_json::from_str(&text).unwrap();
        assert_eq!(read, all);
        assert_eq!(read.user(&one), one.user_name().as_ref());
        assert_eq!(read.id(&one.user_name().unwrap()), Some(&one));
        assert_eq!(read.user(&id("https://b", "王")), None);
    }
}
