//! `[oidc]`: single sign-on.

use std::path::PathBuf;
use std::time::Duration;

use access::Role;
use openidconnect::url::Url;

use crate::config::checks::{filled, within};
use crate::config::declare::settings;
use crate::config::server::Secret;
use crate::http_client::is_loopback_host;
use crate::oidc::CALLBACK;

settings! {
    /// Login by single sign-on (OpenID Connect), beside passwords. See docs/access.md.
    pub struct OidcConfig {
        /// The provider, exactly as it calls itself, such as `"https://login.example.org/realms/desk"`; `""` means no single sign-on.
        issuer: String = String::new(), |text: &String| issuer(text);
        /// What the provider calls Platewatch.
        client_id: String = String::new();
        /// The secret that the provider gave for it; `""` is a public client, which PKCE alone protects. Better set in the
        /// environment than in the file.
        client_secret: Secret = Secret::default();
        /// Where the provider sends browsers back to, as it is entered there: `"https://HOST/api/session/oidc/callback"`.
        redirect_url: String = String::new(), |text: &String| redirect_url(text);
        /// What is asked for besides `openid`. Some providers put the role's claim into the ID token only if asked for it.
        scopes: Vec<String> = vec!["profile".to_owned()], |list: &Vec<String>| scopes(list);
        /// The claim of the ID token that says what somebody may do: a text, or a list of texts. With dots it is looked for inside
        /// others, as in `"realm_access.roles"`.
        role_claim: String = "groups".to_owned(), |text: &String| filled(text);
        /// Which role each value of that claim means, such as `["traffic-desk=operator", "it=admin"]`. Who has none of the values is
        /// refused.
        roles: Vec<String> = Vec::new(), |list: &Vec<String>| claim_roles(list);
        /// A file of CA certificates (PEM) for the provider's certificate; `""` uses those of this machine.
        ca_certificate: Option<PathBuf> = None;
        /// Maximum time for one answer of the provider.
        timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(60));
    }
}

impl OidcConfig {
    /// Whether there is single sign-on.
    pub fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// Which role each value of the claim means.
    pub fn claim_roles(&self) -> Vec<(String, Role)> {
        self.roles.iter().filter_map(|text| claim_role(text)).map(|(value, role)| (value.to_owned(), role)).collect()
    }
}

fn claim_role(text: &str) -> Option<(&str, Role)> {
    let (value, role) = text.rsplit_once('=')?;
    Some((value, Role::parse(role.trim())?)).filter(|(value, _)| !value.is_empty())
}

fn claim_roles(list: &[String]) -> Result<(), String> {
    match list.iter().find(|text| claim_role(text).is_none()) {
        Some(wrong) => Err(format!(
            "\"{wrong}\" maps no value of the claim to a role; write \"VALUE=ROLE\" with one of the roles {}",
            Role::ALL.map(Role::as_str).join(", ")
        )),
        None => Ok(()),
    }
}

fn scopes(list: &[String]) -> Result<(), String> {
    match list
        .iter()
        .find(|text| text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\'))
    {
        Some(wrong) => Err(format!("\"{wrong}\" is no scope; write a word, such as \"profile\"")),
        None => Ok(()),
    }
}

/// An address that nobody can read or change on the way.
fn safe_url(text: &str, example: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("\"{text}\" is no address ({error}); write {example}"))?;
    let is_here = url.host_str().is_some_and(is_loopback_host);
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(format!("\"{text}\" is not encrypted; write {example} (http is for this machine alone)"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("\"{text}\" has more than host and path; write {example}"));
    }
    Ok(url)
}

fn issuer(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    safe_url(text, "the issuer as the provider calls itself, such as \"https://login.example.org\"").map(|_| ())
}

fn redirect_url(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let example = format!("\"https://HOST{CALLBACK}\"");
    let url = safe_url(text, &example)?;
    if url.path() != CALLBACK {
        return Err(format!("\"{text}\" does not end with {CALLBACK}; write {example}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_taken() {
        for fine in [
            "",
            "https://login.example.org",
            "https://login.example.org/realms/desk/",
            "http://127.0.0.1:8080/x",
            "http://localhost",
        ] {
            assert_eq!(issuer(fine), Ok(()), "{fine}");
        }
        for wrong in [
            "login.example.org",
            "http://login.example.org",
            "https://a:b@c",
            "https://a?b",
            "https://a#b",
            "ftp://127.0.0.1",
            "http://127.0.0.1.example",
        ] {
            assert!(issuer(wrong).unwrap_err().contains("write the issuer"), "{wrong}");
        }
        assert_eq!(redirect_url("https://watch.example.org/api/session/oidc/callback"), Ok(()));
        for wrong in ["https://watch.example.org", "http://watch.example.org/api/session/oidc/callback"] {
            assert!(redirect_url(wrong).unwrap_err().contains("/api/session/oidc/callback"), "{wrong}");
        }
    }

    #[test]
    fn values_are_mapped_to_roles() {
        let config = OidcConfig {
            roles: vec!["cn=desk,dc=x=operator".to_owned(), "it= admin".to_owned()],
            ..OidcConfig::default()
        };
        assert_eq!(claim_roles(&config.roles), Ok(()));
        let mapped = vec![("cn=desk,dc=x".to_owned(), Role::Operator), ("it".to_owned(), Role::Admin)];
        assert_eq!(config.claim_roles(), mapped);
        for wrong in ["desk", "desk=king", "=admin", ""] {
            assert!(claim_roles(&[wrong.to_owned()]).unwrap_err().contains("viewer, operator"), "{wrong}");
        }
        assert!(scopes(&["a b".to_owned()]).is_err() && scopes(&["https://a/b".to_owned()]).is_ok());
    }
}
