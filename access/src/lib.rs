//! Who may do what: users and their roles, passwords, sessions of browsers, tokens of programs, how often a wrong password may
//! be tried, and the log of what was done.
//!
//! Pure: no files, no clock, no randomness. Times are seconds since 1970 UTC that the caller gives, and so are random
//! bytes. It does not know HTTP, and not which endpoint needs which [`Permission`].
//!
//! | module | what it is |
//! |---|---|
//! | `permission`, `role` | what one may do, and who may do it |
//! | `area` | where one may look |
//! | `password` | how a password is kept and what is asked of one |
//! | `secret` | the ids of sessions and tokens, of which only a digest is kept |
//! | `external` | who logs in at a provider of single sign-on |
//! | `user`, `token`, `accounts` | everybody and everything that may log in |
//! | `session`, `sessions` | browsers that are logged in |
//! | `attempts` | waiting after wrong passwords |
//! | `trail` | the audit log: entries, their chain of hashes, and its verification |

mod accounts;
mod area;
mod attempts;
mod external;
mod password;
mod permission;
mod role;
mod secret;
mod session;
mod sessions;
mod token;
pub mod trail;
mod user;

pub use accounts::{AccountError, Accounts, UserChange};
pub use area::{Area, Scope};
pub use attempts::Attempts;
pub use external::{ExternalId, ExternalUser};
pub use password::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordHash, Salt, WeakPassword};
pub use permission::{Permission, Permissions};
pub use role::{Role, Roles};
pub use secret::{Digest, RANDOM_BYTES, Secret};
pub use session::{Session, SessionId};
pub use sessions::{SessionLimits, Sessions};
pub use token::{Token, TokenId};
pub use user::{MAX_NAME_CHARS, User, UserName};
