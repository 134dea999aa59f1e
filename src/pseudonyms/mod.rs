//! Keyed pseudonyms of plates: with a key in a file, every plate is replaced by an encrypted one before anything is kept of it,
//! and whoever may see plates is shown the plate again.
//!
//! ```text
//! source ──▶ intake ──▶ route, detect, commit, mirrors: pseudonyms ──▶ reader ──▶ serve: plates
//! ```
//!
//! [`PlateCipher`] is the key at work. `intake` replaces the plates of a batch, `reader` asks by pseudonyms and answers with
//! plates, `texts` does both in a text. [`traffic::Pseudonym`] says what a pseudonym looks like. Nothing here knows who may see
//! a plate.

mod cipher;
mod intake;
mod key;
mod numerals;
mod reader;
mod snapshot;
mod texts;

pub use cipher::{Fingerprint, PlateCipher};
pub use intake::Intake;
pub use key::{KeyError, PlateKey};
pub use reader::RevealingReader;
