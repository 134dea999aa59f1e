//! The interface described by itself: OpenAPI 3.1, generated from the handlers. `docs/openapi.json` is the same text; a test
//! compares them. It does not know which endpoints there are; [`super::endpoints`] lists them.

mod document;
pub(super) mod endpoint;
mod exact;

pub(super) use document::Document;
