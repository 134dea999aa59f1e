//! Who sends a request, as the audit log says it.

use access::trail::Via as Known;

use crate::gate::{Identity, Via};

/// Characters of the public name of a session or token.
const ID_CHARS: usize = 12;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) struct By {
    pub(in crate::serve) user: Option<String>,
    pub(in crate::serve) via: Known,
    pub(in crate::serve) credential: Option<String>,
}

impl From<&Identity> for By {
    fn from(identity: &Identity) -> Self {
        let (via, digest) = match &identity.via {
            Via::Open => (Known::Open, None),
            Via::Nothing => (Known::Nothing, None),
            Via::Session(digest) => (Known::Session, Some(digest)),
            Via::Token(digest) => (Known::Token, Some(digest)),
        };
        Self {
            user: identity.who.as_ref().map(|who| who.name.to_string()),
            via,
            credential: digest.map(|digest| digest.short(ID_CHARS)),
        }
    }
}
