//! Names of the headers of our own that answers carry. It does not know which answers carry them.

use axum::http::HeaderName;

/// How long the server took.
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// How many rows the file has, the header line not counted.
pub(super) const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// How many a file may have at most, where a result is refused for having more.
pub(super) const MAX_ROWS: HeaderName = HeaderName::from_static("x-max-rows");
