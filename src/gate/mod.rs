//! Who comes in, and what was done: users, tokens, sessions and the audit log as files of the data directory, and what a request's
//! credential allows.
//!
//! The rules are those of the crate `access`; here are the files, the clock and the randomness. It does not know HTTP, nor which
//! endpoint needs what.

mod external;
mod files;
mod gatekeeper;
mod identity;
mod manage;
mod random;
mod trail;
mod uses;

pub use external::EnterError;
pub use files::{AccountFiles, FilesError};
pub use gatekeeper::{Credential, Denied, Gate, GateSettings, LoginError, PasswordError};
pub use identity::{Identity, Via, Who};
pub use manage::{MAX_TOKEN_DAYS, MAX_TOKEN_NOTE_CHARS, ManageError, NewToken, NewUser, UserSummary};
pub use random::{made_password, salt, secret};
pub use trail::{Broken, Trail, TrailError, TrailFilter};
