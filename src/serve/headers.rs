//! Names of the headers of our own that answers carry, and the headers that every answer carries so that a browser does
//! nothing with it that is not meant. It does not know which answers carry the others.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// How long the server took.
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// How many rows the file has, the header line not counted.
pub(super) const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// How many a file may have at most, where a result is refused for having more.
pub(super) const MAX_ROWS: HeaderName = HeaderName::from_static("x-max-rows");

/// What the page may do: load and ask nothing of another server, run no script that is not a file of its own, be shown in no
/// other page. Styles are files as well; the text of a chart's tooltip alone has them as attributes.
pub(super) const PAGE_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What any other answer may do, should a browser show it: nothing.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// What no page here uses. Only of a page a browser asks this.
const NOT_USED: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()";

/// The headers of every answer, except where it has its own.
const EVERYWHERE: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, DATA_POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    // Pages of other origins that may read answers do so by CORS, to which this does not apply.
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the headers of every answer.
pub(super) fn protect(headers: &mut HeaderMap) {
    for (name, value) in EVERYWHERE {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        headers.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(NOT_USED));
    }
}

/// The value of `Strict-Transport-Security`: for how long a browser calls this server by HTTPS only. None for no time at all.
pub(super) fn https_only_for(time: Duration) -> Option<HeaderValue> {
    (!time.is_zero()).then(|| HeaderValue::try_from(format!("max-age={}", time.as_secs())).ok()).flatten()
}
