//! When tokens were last used: `access/uses.json`, which this process writes now and then. It does not know what they were used for;
//! that is in the audit log.

use std::collections::BTreeMap;

use access::{Token, TokenId};
use parking_lot::Mutex;

use super::files::AccountFiles;

/// The uses that one process knows.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    at: BTreeMap<TokenId, i64>,
    is_changed: bool,
}

impl Uses {
    /// Those that are stored. Without them only the last uses are not known, so nobody is kept out.
    pub(super) fn read(files: &AccountFiles) -> Self {
        let at = files.last_uses().unwrap_or_else(|error| {
            tracing::warn!(%error, "it is not known any more when tokens were last used");
            BTreeMap::new()
        });
        Self(Mutex::new(Held { at, is_changed: false }))
    }

    /// A token is used now.
    pub(super) fn used(&self, token: &TokenId, now: i64) {
        let mut held = self.0.lock();
        match held.at.get_mut(token) {
            Some(at) if *at >= now => return,
            Some(at) => *at = now,
            None => drop(held.at.insert(token.clone(), now)),
        }
        held.is_changed = true;
    }

    /// All that are known.
    pub(super) fn all(&self) -> BTreeMap<TokenId, i64> {
        self.0.lock().at.clone()
    }

    /// What is to be stored, of the tokens that there are; none if nothing has changed since it was asked.
    pub(super) fn take_changed(&self, tokens: &[Token]) -> Option<BTreeMap<TokenId, i64>> {
        let mut held = self.0.lock();
        if !std::mem::take(&mut held.is_changed) {
            return None;
        }
        held.at.retain(|id, _| tokens.iter().any(|token| token.id == *id));
        Some(held.at.clone())
    }

    /// They could not be stored.
    pub(super) fn not_kept(&self) {
        self.0.lock().is_changed = true;
    }
}
