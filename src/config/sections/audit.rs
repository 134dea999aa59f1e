//! `[audit]`: the audit log.

use std::time::Duration;

use crate::config::checks::at_least_an_hour;
use crate::config::declare::{choices, settings};
use crate::config::units::Retention;

settings! {
    /// The audit log: who saw which plates, when, and what for. See docs/access.md.
    pub struct AuditConfig {
        /// Whether one says what a search is for (the header `X-Purpose`; the page asks once).
        purpose: PurposeUse = PurposeUse::Optional;
        /// How long entries are kept, by the clock. Whole days are removed, and an entry says so.
        keep: Retention = Retention::For(Duration::from_secs(730 * 86_400)), at_least_an_hour;
    }
}

choices! {
    /// Whether one says what a search is for.
    pub enum PurposeUse {
        /// The page does not ask. What a program sends is recorded.
        Off = "off",
        /// The page asks, and one may leave it out.
        Optional = "optional",
        /// Without it no plate is shown, and nothing is changed.
        Required = "required",
    }
}
