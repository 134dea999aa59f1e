//! How single sign-on is set. It does not know the configuration file.

use std::path::PathBuf;
use std::time::Duration;

use access::Role;

/// The path where a provider leads browsers back to.
pub const CALLBACK: &str = "/api/session/oidc/callback";

/// How single sign-on is set.
#[derive(Clone)]
pub struct OidcSettings {
    /// The provider.
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// The secret that the provider gave us; none for a public client, which PKCE alone protects.
    pub client_secret: Option<String>,
    /// Where the provider sends browsers back to.
    pub redirect_url: String,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that says what somebody may do.
    pub role_claim: String,
    /// Which role each value of the claim means.
    pub roles: Vec<(String, Role)>,
    /// Certificates of authorities (PEM), instead of those of this machine.
    pub ca_certificate: Option<PathBuf>,
    /// How long the provider may take for one answer.
    pub timeout: Duration,
}
