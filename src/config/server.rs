//! Addresses of servers, with credentials.
//!
//! Neither a message, nor `Debug`, nor `Display` shows a secret or the name of a user. It knows no setting by name.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use toml::de::DeValue;

use super::declare::Setting;
use super::text::quoted;

/// What may have a meaning in an URL: all but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A secret text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, to send to a server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Setting for Secret {
    fn expected() -> String {
        "a text in quotes".to_owned()
    }

    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        // The value is not shown: it is a secret.
        let text = value.as_str().ok_or_else(|| format!("this is not a text; write {}", Self::expected()))?;
        Ok(Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }

    fn to_shown(&self) -> String {
        quoted(if self.is_empty() { "" } else { "…" })
    }
}

/// An address such as `mysql://user:password@host:3306/database`. As text it shows neither user nor password.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: String,
    user: Option<String>,
    password: Option<Secret>,
    host: String,
    port: u16,
    path: String,
}

impl ServerUrl {
    /// The scheme.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user, if one is named.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password, if there is one.
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// The host name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, or the default of the scheme.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path after the first `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads a URL. The error does not repeat it, because it may hold a secret.
    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| format!("this is no URL, there is no \"://\" in it; write {}", Self::expected()))?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "mysql" => 3306,
            "redis" | "rediss" => 6379,
            "mqtt" => 1883,
            "mqtts" => 8883,
            "http" => 80,
            "https" => 443,
            _ => 0,
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains(['?', '#', '/']) || authority.contains(['?', '#']) {
            return Err("an URL here ends with the database; options have settings of their own".to_owned());
        }
        let (login, place) =
            authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, port)) => (address, port.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let valid_host = !host.is_empty() && !host.contains([' ', '[', ']', '@']);
        if !valid_host {
            return Err(format!("the URL names no machine; write {}", Self::expected()));
        }
        let port =
            match port {
                None => default_port,
                Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                    format!("the URL's port is not a number from 1 to 65535; write {}", Self::expected())
                })?,
            };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            None => (None, None),
            Some((user, password)) => (decoded(user)?, decoded(password)?.map(Secret)),
        };
        let path = decoded(path)?.unwrap_or_default();
        Ok(Self { scheme, user, password, host: host.to_owned(), port, path })
    }
}

/// The percent-decoded text; none if it is empty.
fn decoded(text: &str) -> Result<Option<String>, String> {
    let is_code = |part: &str| part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_code) {
        return Err("a % in an URL is followed by two hexadecimal digits; write %25 for the sign itself".to_owned());
    }
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| "the URL is not UTF-8 once its %-codes are read")?.into_owned();
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The text with the special characters of a URL percent-encoded.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, path, .. } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        write!(f, "{scheme}://{host}:{port}")?;
        if path.is_empty() { Ok(()) } else { write!(f, "/{path}") }
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Setting for ServerUrl {
    fn expected() -> String {
        r#"an URL in quotes, such as "mysql://host:3306/database" or "redis://host:6379""#.to_owned()
    }

    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| format!("this is not a text; write {}", Self::expected()))?;
        Self::parse(text)
    }

    fn to_toml(&self) -> String {
        let Self { scheme, user, password, path, port, host } = self;
        let mut login = user.as_deref().map(encoded).unwrap_or_default();
        if let Some(password) = password {
            login.push_str(&format!(":{}", encoded(password.expose())));
        }
        if !login.is_empty() {
            login.push('@');
        }
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let path = if path.is_empty() { String::new() } else { format!("/{}", encoded(path)) };
        quoted(&format!("{scheme}://{login}{host}:{port}{path}"))
    }

    fn to_shown(&self) -> String {
        quoted(&self.to_string())
    }
}
