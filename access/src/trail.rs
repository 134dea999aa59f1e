//! The audit log, as rules: who saw which plates, when and why, in a chain of hashes in which nothing can be changed, left out or
//! inserted unnoticed. It knows no files and no clock; the caller gives times and random bytes.
//!
//! An entry is one line of JSON ([`Entry`] has the fields in their order). With `f(text)` = the length of the text in bytes as eight
//! bytes, the most significant first, and then the text; `f(null)` = eight bytes 0xFF; numbers as decimal digits; hashes as 64
//! hexadecimal digits:
//!
//! ```text
//! details_hash = SHA-256( f("platewatch-audit-details-1") f(salt) f(details as JSON, null as null) f(purpose.text, "" without one) )
//! hash         = SHA-256( f("platewatch-audit-entry-1") f(prev) f(n) f(t) f(user) f(via) f(credential) f(address) f(action)
//!                         f(status) f(rows) f(purpose.code) f(details_hash) )
//! ```
//!
//! `prev` is the hash of the entry before, 64 zeros for the first. Neither `details` nor the text of the purpose is in `hash`
//! itself, so they can be erased, and the chain still holds: they become null and empty, and so does the salt, without which
//! nobody can try plates until `details_hash` fits.
//!
//! A chain that its owner computes anew from some entry on is sound in itself. Only heads that are kept elsewhere, such as those
//! in the log of the process, show that ([`Checker::expect`]).

mod action;
mod chain;
mod checker;
mod details;
mod entry;
mod purpose;

pub use action::{Action, Via};
pub use chain::{Hash, Head};
pub use checker::{Checked, Checker, Flaw};
pub use details::{Detail, Details};
pub use entry::{Draft, Entry, EntrySalt};
pub use purpose::{Purpose, PurposeCode, WrongPurpose};
