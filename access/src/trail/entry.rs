//! An entry, and its line in a file. It does not know the entries beside it but by their hash.

use serde::{Deserialize, Serialize};

use super::action::{Action, Via};
use super::chain::{Frames, Hash, Head};
use super::details::Details;
use super::purpose::Purpose;

/// Random bytes that keep details from being guessed by their hash.
pub type EntrySalt = [u8; 16];

/// What is to be recorded: an entry before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The name of the user; none where nobody needs to log in.
    pub user: Option<String>,
    /// How that is known.
    pub via: Via,
    /// The public name of the session or token.
    pub credential: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// What was done.
    pub action: Action,
    /// The status of the answer; none where there is no answer.
    pub status: Option<u16>,
    /// How many records were shown.
    pub rows: Option<u64>,
    /// What for.
    pub purpose: Option<Purpose>,
    /// The request as it was understood.
    pub details: Option<Details>,
}

impl Draft {
    /// An action of nobody in particular.
    pub fn new(action: Action, via: Via) -> Self {
        Self {
            user: None,
            via,
            credential: None,
            address: None,
            action,
            status: None,
            rows: None,
            purpose: None,
            details: None,
        }
    }
}

/// An entry of the log. The fields stand in a line in this order, and in no other form than [`Entry::line`] gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub n: u64,
    /// When, in milliseconds since 1970 UTC.
    pub t: i64,
    /// See [`Draft::user`].
    pub user: Option<String>,
    /// See [`Draft::via`].
    pub via: Via,
    /// See [`Draft::credential`].
    pub credential: Option<String>,
    /// See [`Draft::address`].
    pub address: Option<String>,
    /// The name of an [`Action`]; a later program may know others.
    pub action: String,
    /// See [`Draft::status`].
    pub status: Option<u16>,
    /// See [`Draft::rows`].
    pub rows: Option<u64>,
    /// See [`Draft::purpose`].
    pub purpose: Option<Purpose>,
    /// See [`Draft::details`]; null if there are none, or if they were erased.
    pub details: Option<Details>,
    /// 32 hexadecimal digits; null if the details were erased.
    pub salt: Option<String>,
    /// Hash of what may be erased.
    pub details_hash: Hash,
    /// Hash of the entry before.
    pub prev: Hash,
    /// Hash of all else.
    pub hash: Hash,
}

impl Entry {
    /// The entry that follows `after`.
    pub fn new(draft: Draft, t: i64, salt: EntrySalt, after: Head) -> Self {
        let Draft { user, via, credential, address, action, status, rows, purpose, details } = draft;
        let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut entry = Self {
            n: after.n.saturating_add(1),
            t,
            user,
            via,
            credential,
            address,
            action: action.as_str().to_owned(),
            status,
            rows,
            purpose,
            details,
            details_hash: Hash::NONE,
            salt: Some(salt),
            prev: after.hash,
            hash: Hash::NONE,
        };
        entry.details_hash = entry.hash_of_details().unwrap_or(Hash::NONE);
        entry.hash = entry.hash_of_all();
        entry
    }

    /// The entry as the end of the chain.
    pub fn head(&self) -> Head {
        Head { n: self.n, hash: self.hash }
    }

    /// The line, without the line feed.
    pub fn line(&self) -> String {
        // Texts and whole numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether the details were erased.
    pub fn is_erased(&self) -> bool {
        self.salt.is_none()
    }

    /// Erases the details and the words of the purpose. The entry keeps its hash, and so its place. Those of entries about the log
    /// itself stay: the chain needs them.
    pub fn erase(&mut self) {
        let about_the_log = [Action::Retention, Action::Erase, Action::Recovered];
        if about_the_log.iter().any(|action| action.as_str() == self.action) {
            return;
        }
        self.details = None;
        self.salt = None;
        if let Some(purpose) = &mut self.purpose {
            purpose.text.clear();
        }
    }

    /// The hash that the details should have; none if they were erased.
    pub(super) fn hash_of_details(&self) -> Option<Hash> {
        let salt = self.salt.as_deref()?;
        let details = self.details.as_ref().map(Details::canonical);
        let words = self.purpose.as_ref().map_or("", |purpose| purpose.text.as_str());
        let frames = Frames::new("platewatch-audit-details-1").text(salt).text_if_any(details.as_deref()).text(words);
        Some(frames.hash())
    }

    /// The hash that the entry should have.
    pub(super) fn hash_of_all(&self) -> Hash {
        Frames::new("platewatch-audit-entry-1")
            .text(&self.prev.to_string())
            .number_if_any(Some(self.n))
            .text(&self.t.to_string())
            .text_if_any(self.user.as_deref())
            .text(self.via.as_str())
            .text_if_any(self.credential.as_deref())
            .text_if_any(self.address.as_deref())
            .text(&self.action)
            .number_if_any(self.status.map(u64::from))
            .number_if_any(self.rows)
            .text_if_any(self.purpose.as_ref().map(|purpose| purpose.code.as_str()))
            .text(&self.details_hash.to_string())
            .hash()
    }
}

#[cfg(test)]
mod tests {
    use super::super::purpose::PurposeCode;
    use super::*;

    /// The hashes are those that a few lines of Python compute from the documentation of this module.
    #[test]
    fn the_line_and_its_hashes_are_as_documented() {
        let first = Entry::new(Draft::new(Action::Login, Via::Open), 0, [0; 16], Head::NONE);
        assert_eq!(first.line(), FIRST);
        let draft = Draft {
            user: Some("wang".to_owned()),
            via: Via::Session,
            credential: Some("ba7816bf8f01".to_owned()),
            address: Some("10.0.0.7".to_owned()),
            status: Some(200),
            rows: Some(12),
            purpose: Some(Purpose { code: PurposeCode::Case, text: "案件 7".to_owned() }),
            details: Some(Details::default().with("hphm", "苏C12345").with("page", 1)),
            ..Draft::new(Action::Query, Via::Session)
        };
        let second = Entry::new(draft, 1_795_000_000_123, [0xab; 16], first.head());
        assert_eq!(second.line(), SECOND);
        for line in [FIRST, SECOND] {
            assert_eq!(serde_json::from_str::<Entry>(line).unwrap().line(), line);
        }
    }

    const FIRST: &str = r#"{"n":1,"t":0,"user":null,"via":"open","credential":null,"address":null,"action":"login","status":null,"rows":null,"purpose":null,"details":null,"salt":"00000000000000000000000000000000","details_hash":"de216d840de268bc0f5323d23834f8bfbf819b769504803e808d61d87d4819a8","prev":"0000000000000000000000000000000000000000000000000000000000000000","hash":"83a12c9a048de0099e586b459247d6c1d45a09f242516b8635b5686b66264737"}"#;
    const SECOND: &str = r#"{"n":2,"t":1795000000123,"user":"wang","via":"session","credential":"ba7816bf8f01","address":"10.0.0.7","action":"query","status":200,"rows":12,"purpose":{"code":"case","text":"案件 7"},"details":{"hphm":"苏C12345","page":1},"salt":"abababababababababababababababab","details_hash":"6ce30d55b54c648ebe910f8ecf1ee15e29c28946f9b2e5699352ad480e9bfdd2","prev":"83a12c9a048de0099e586b459247d6c1d45a09f242516b8635b5686b66264737","hash":"f73f94b99f82739068e4d8e120be44612685b56ed060d3b25dd5445fc3239022"}"#;

    #[test]
    fn what_is_erased_is_gone_and_the_hash_stays() {
        let draft = Draft {
            purpose: Some(Purpose { code: PurposeCode::Other, text: "苏C12345".to_owned() }),
            details: Some(Details::default().with("hphm", "苏C12345")),
            ..Draft::new(Action::Track, Via::Open)
        };
        let whole = Entry::new(draft.clone(), 7, [1; 16], Head::NONE);
        let mut erased = whole.clone();
        erased.erase();
        assert!(erased.is_erased() && !erased.line().contains("12345"));
        assert_eq!((erased.hash, erased.hash_of_all()), (whole.hash, whole.hash));
        let mut kept = Entry::new(Draft { action: Action::Retention, ..draft }, 7, [1; 16], Head::NONE);
        kept.erase();
        assert!(!kept.is_erased());
    }
}
