//! Single sign-on by OpenID Connect: the authorization code flow with PKCE, state and nonce, from sending a browser to the provider
//! to who came back. The crate `openidconnect` verifies what the provider signed; here are the logins that
//! are under way, and which roles the provider's claims mean.
//!
//! It does not know our own HTTP interface, sessions or accounts.

mod claims;
mod http;
mod pending;
mod settings;
mod sign_on;

pub use settings::{CALLBACK, OidcSettings};
pub use sign_on::{Returned, SignOn, SignOnError};
