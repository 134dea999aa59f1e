//! Digest access authentication by MD5 (RFC 7616, and RFC 2617 without `qop`): what a challenge and an answer say, and the sums in
//! it. It knows no user and no nonce of ours.
//!
//! MD5 is what the cameras of GA/T 1400 know. The password is not on the wire, but whoever reads along can guess at it, and what is sent
//! after it is not protected: use HTTPS where the network is not your own.

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};

/// Bytes of a header that are read at most.
const LONGEST: usize = 2_048;

/// The sum of texts with colons between them, as hexadecimal digits.
pub fn sum(parts: &[&str]) -> String {
    let digest = Md5::digest(parts.join(":").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands behind `Digest` in a header.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts(BTreeMap<String, String>);

impl Parts {
    /// Reads `name=value` and `name="value"` with commas between them; none if it is another scheme, or a part is there twice.
    fn parse(header: &str) -> Option<Self> {
        let (scheme, mut rest) = header.trim().split_once(' ')?;
        if header.len() > LONGEST || !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut parts = BTreeMap::new();
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return Some(Self(parts));
            }
            let (name, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => unquoted(quoted)?,
                None => {
                    let end = after.find(',').unwrap_or(after.len());
                    (after.get(..end)?.trim().to_owned(), after.get(end..)?)
                }
            };
            if parts.insert(name.trim().to_ascii_lowercase(), value).is_some() {
                return None;
            }
            rest = after;
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Whether the sums are plain MD5.
    fn is_md5(&self) -> bool {
        self.0.get("algorithm").is_none_or(|name| name.eq_ignore_ascii_case("md5"))
    }
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

/// What a client answers to a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The name of the account.
    pub user: String,
    /// Whose account it is.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// What is asked for.
    pub uri: String,
    /// The sum over all of it.
    pub response: String,
    /// With `qop=auth`: the number of the request with this nonce as it is written, and the nonce of the client.
    pub counted: Option<(String, String)>,
}

impl Authorization {
    /// Reads the header; none if it is no digest by MD5.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = Parts::parse(header)?;
        if !parts.is_md5() {
            return None;
        }
        let counted = match parts.take("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some((parts.take("nc")?, parts.take("cnonce")?)),
            Some(_) => return None,
        };
        Some(Self {
            user: parts.take("username")?,
            realm: parts.take("realm")?,
            nonce: parts.take("nonce")?,
            uri: parts.take("uri")?,
            response: parts.take("response")?,
            counted,
        })
    }

    /// The number of the request with this nonce, from 1; 0 where it is not counted, and none where it is no number.
    pub fn count(&self) -> Option<u32> {
        match &self.counted {
            None => Some(0),
            // Eight digits by the standard; some leave out the noughts.
            Some((count, _)) if count.len() <= 8 && count.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                u32::from_str_radix(count, 16).ok().filter(|count| *count > 0)
            }
            Some(_) => None,
        }
    }

    /// The sum that who knows the account's secret ([`secret`]) makes for this request.
    pub fn expected(&self, secret: &str, method: &str) -> String {
        let asked = sum(&[method, &self.uri]);
        match &self.counted {
            Some((count, client)) => sum(&[secret, &self.nonce, count, client, "auth", &asked]),
            None => sum(&[secret, &self.nonce, &asked]),
        }
    }

    /// Whether its sum is the expected one; it takes the same time for all that are wrong.
    pub fn proves(&self, secret: &str, method: &str) -> bool {
        let (given, expected) = (self.response.to_ascii_lowercase(), self.expected(secret, method));
        let differs = given.bytes().zip(expected.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
        given.len() == expected.len() && differs == 0
    }

    /// The header.
    pub fn header(&self) -> String {
        let Self { user, realm, nonce, uri, response, counted } = self;
        let counted = counted
            .as_ref()
            .map_or_else(String::new, |(count, client)| format!(", qop=auth, nc={count}, cnonce=\"{client}\""));
        format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", algorithm=MD5, response=\"{response}\"{counted}",
            quoted(user),
            quoted(realm),
            quoted(nonce),
            quoted(uri),
        )
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// What is known of an account instead of its password.
pub fn secret(user: &str, realm: &str, password: &str) -> String {
    sum(&[user, realm, password])
}

/// What a server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Whose account is asked for.
    pub realm: String,
    /// To be part of the answer.
    pub nonce: String,
    /// Whether answers are counted.
    counts: bool,
    opaque: Option<String>,
}

impl Challenge {
    /// Reads the header; none if it asks for something else, such as the password itself.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = Parts::parse(header)?;
        if !parts.is_md5() {
            return None;
        }
        let qop = parts.take("qop");
        let counts =
            qop.as_deref().is_some_and(|all| all.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !counts {
            return None;
        }
        Some(Self { realm: parts.take("realm")?, nonce: parts.take("nonce")?, counts, opaque: parts.take("opaque") })
    }

    /// The first answer to it, as a header.
    pub fn answered(&self, user: &str, password: &str, method: &str, uri: &str, client_nonce: &str) -> String {
        let mut answer = Authorization {
            user: user.to_owned(),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: uri.to_owned(),
            response: String::new(),
            counted: self.counts.then(|| ("00000001".to_owned(), client_nonce.to_owned())),
        };
        answer.response = answer.expected(&secret(user, &self.realm, password), method);
        let opaque = self.opaque.as_ref().map_or_else(String::new, |text| format!(", opaque=\"{}\"", quoted(text)));
        answer.header() + &opaque
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2617, section 3.5, and RFC 7616, section 3.9.1.
    #[test]
    fn the_examples_of_the_standards_hold() {
        let old = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                   uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", \
                   response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let answer = Authorization::parse(old).unwrap();
        let known = secret("Mufasa", "testrealm@host.com", "Circle Of Life");
        assert!(answer.proves(&known, "GET") && answer.count() == Some(1));
        assert!(!answer.proves(&known, "POST") && !answer.proves(&secret("Mufasa", "x", "Circle Of Life"), "GET"));
        let new = "Digest username=\"Mufasa\",realm=\"http-auth@example.org\",uri=\"/dir/index.html\",algorithm=MD5,\
                   nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\",nc=00000001,\
                   cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\",qop=auth,\
                   response=\"8ca523f5e9506fed4657c9700eebdbec\",opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let answer = Authorization::parse(new).unwrap();
        assert!(answer.proves(&secret("Mufasa", "http-auth@example.org", "Circle of Life"), "GET"));
        assert_eq!(Authorization::parse(&answer.header()), Some(answer));
    }

    #[test]
    fn a_challenge_is_answered_as_it_asks() {
        for challenge in [
            "Digest realm=\"vi\\\"id\", nonce=\"n\", qop=\"auth,auth-int\", algorithm=MD5, opaque=\"o\"",
            "digest nonce=n , realm=r",
        ] {
            let challenge = Challenge::parse(challenge).unwrap();
            let answer = challenge.answered("wang", "hush", "POST", "/VIID/System/Register", "c");
            let answer = Authorization::parse(&answer).unwrap();
            assert!(answer.proves(&secret("wang", &challenge.realm, "hush"), "POST"), "{challenge:?}");
            assert_eq!(answer.count(), Some(u32::from(challenge.counts)));
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for wrong in [
            "",
            "Basic d2FuZzpodXNo",
            "Digest",
            "Digest realm",
            "Digest realm=\"r",
            "Digest realm=\"r\", realm=\"s\", nonce=\"n\"",
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256",
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"r\"",
            &format!("Digest realm=\"r\", nonce=\"{}\"", "n".repeat(LONGEST)),
        ] {
            assert_eq!(Challenge::parse(wrong), None, "{wrong}");
        }
        let answer =
            |more: &str| Authorization::parse(&format!("Digest username=a,realm=r,nonce=n,uri=/,response=x{more}"));
        assert_eq!(answer("").unwrap().count(), Some(0));
        assert_eq!((answer(",qop=auth"), answer(",qop=auth-int,nc=00000001,cnonce=c")), (None, None));
        assert_eq!(answer(",qop=auth,nc=1f,cnonce=c").unwrap().count(), Some(31));
        for count in ["\"\"", "0", "+1", "00000000", "0000000g", "000000001"] {
            assert_eq!(answer(&format!(",qop=auth,nc={count},cnonce=c")).unwrap().count(), None, "{count}");
        }
    }
}
