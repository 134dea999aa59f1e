//! How single sign-on is set, and which hosts are this machine. It does not know the configuration file.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use access::Role;

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

/// Whether a host, as an URL has it, is this machine: what goes there cannot be read on the way.
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for (host, is_here) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("LocalHost", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.7", false),
            ("[::2]", false),
        ] {
            assert_eq!(is_loopback_host(host), is_here, "{host}");
        }
    }
}
