//! Who sends a request of GA/T 1400: an account that a digest proves, or a device that has registered from the same address.
//!
//! The header `User-Identify` can be written by anybody, and proves nothing by itself.

use axum::http::{HeaderMap, Method, StatusCode, header};

use super::answer::{Code, Refusal};
use crate::clock::unix_now;
use crate::serve::access::Record;
use crate::serve::listen::Client;
use crate::viid::{DeviceId, Stranger, Viid};

/// What is said where an id is another account's.
pub(super) const OTHERS: &str = "this id is online, and registered with another account";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To register: only a digest proves who that is.
    Register,
    /// To take something.
    Data,
    /// To take a notification, which may come from the platform at which we have subscribed.
    Notification {
        /// It comes from its addresses.
        from_platform: bool,
    },
}

/// Who sends.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    /// The account.
    pub(super) user: String,
    /// The id that it says.
    pub(super) device: Option<DeviceId>,
    pub(super) by_digest: bool,
    /// It is the platform at which we have subscribed.
    pub(super) is_platform: bool,
}

impl Sender {
    /// The platform at which we have subscribed.
    pub(super) fn platform(id: &DeviceId) -> Self {
        Self { user: "viid.peer".to_owned(), device: Some(id.clone()), by_digest: false, is_platform: true }
    }

    /// How rejects name it.
    pub(super) fn name(&self) -> String {
        format!("viid {}", self.device.as_ref().map_or(&*self.user, DeviceId::as_str))
    }
}

/// Whether a request may be the platform's, which proves nothing: one that tries to is judged by that, and who says an id that is none is
/// not the platform.
pub(super) fn proves_nothing(headers: &HeaderMap) -> bool {
    let names_no_id = headers.contains_key("user-identify") && user_identify(headers).is_none();
    !headers.contains_key(header::AUTHORIZATION) && !names_no_id
}

/// What a request proves itself with. A name may be in any script.
fn proof(headers: &HeaderMap) -> Option<&str> {
    std::str::from_utf8(headers.get(header::AUTHORIZATION)?.as_bytes()).ok()
}

/// The id that a request names.
pub(super) fn user_identify(headers: &HeaderMap) -> Option<DeviceId> {
    DeviceId::parse(headers.get("user-identify")?.to_str().ok()?)
}

/// Who sends a request, as far as it is proven.
///
/// # Errors
/// 401 with a challenge, or 429 for who guesses.
pub(super) fn identified(
    viid: &Viid,
    record: &Record,
    client: &Client,
    headers: &HeaderMap,
    method: &Method,
    place: &str,
    asked: Asked,
) -> Result<Sender, Refusal> {
    let (device, now, address) = (user_identify(headers), unix_now(), client.address.to_string());
    let stale = match viid.accounts.identify(proof(headers), method.as_str(), place, &address, now) {
        Ok(user) => {
            if let Some(device) = &device {
                if viid.devices.is_of_another(device, user, now) {
                    record.device(user, Some(device));
                    return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Operation, OTHERS));
                }
                viid.devices.heard(device, client.address, Some(user), now);
            }
            return Ok(Sender { user: user.to_owned(), device, by_digest: true, is_platform: false });
        }
        Err(Stranger::Unproven { stale }) => stale,
        Err(Stranger::Wrong(user)) => {
            viid.refused();
            record.failed_device(user, None, &address);
            tracing::warn!(
                address,
                "a digest of GA/T 1400 is wrong: check name and password of the device, and viid.users_file"
            );
            let refusal =
                Refusal::new(StatusCode::UNAUTHORIZED, Code::Operation, "the account or the password is wrong");
            return Err(refusal.challenged(viid.accounts.challenge(false, now)));
        }
        Err(Stranger::Wait(seconds)) => {
            viid.refused();
            record.failed_device(None, Some(seconds), &address);
            let words = format!("too many wrong passwords: wait {seconds} s");
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, Code::Operation, words);
            return Err(refusal.after(seconds.unsigned_abs()));
        }
    };
    let known = device.filter(|_| asked != Asked::Register && !viid.needs_digest);
    let known = known.and_then(|device| Some((viid.devices.heard(&device, client.address, None, now)?, device)));
    if let Some((user, device)) = known {
        return Ok(Sender { user, device: Some(device), by_digest: false, is_platform: false });
    }
    // Where each request needs a digest, each begins so.
    if !viid.needs_digest && !matches!(asked, Asked::Register | Asked::Notification { from_platform: true }) {
        viid.refused();
    }
    let words = match asked {
        Asked::Register => "digest authentication is needed",
        _ => "register first, from the same address, or prove each request by digest",
    };
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, Code::Operation, words);
    Err(refusal.challenged(viid.accounts.challenge(stale, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_name_may_be_in_any_script() {
        let value =
            |bytes: &[u8]| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_bytes(bytes).unwrap())]);
        let text = "Digest username=\"卡口\"";
        assert_eq!((proof(&value(text.as_bytes())), proof(&value(b"\xff"))), (Some(text), None));
    }

    #[test]
    fn who_tries_to_prove_something_or_names_nonsense_is_not_the_platform() {
        let headers = |all: &[(&'static str, &'static str)]| -> HeaderMap {
            all.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
        };
        let id = ("user-identify", "32000000005030000001");
        assert!(proves_nothing(&headers(&[])) && proves_nothing(&headers(&[id])));
        for other in [&[id, ("authorization", "Digest x")][..], &[("user-identify", "7")], &[("authorization", "")]] {
            assert!(!proves_nothing(&headers(other)), "{other:?}");
        }
    }
}
