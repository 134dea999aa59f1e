//! What a request may see: its handler reads by this, and has no other way to the data. It is found where it is decided who may
//! do what ([`super::access`]); it does not know how.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::{ApiError, ErrorReason};
use crate::reader::Reader;

/// The data, as far as who asks may look.
#[derive(Clone)]
pub(super) struct Sight {
    reader: Arc<dyn Reader>,
    /// In words, where it is not everything.
    scope: Option<String>,
}

impl Sight {
    pub(super) fn new(reader: Arc<dyn Reader>, scope: Option<String>) -> Self {
        Self { reader, scope }
    }

    /// Whether there may be more than is seen.
    pub(super) fn is_limited(&self) -> bool {
        self.scope.is_some()
    }

    /// The holder of what is seen.
    pub(super) fn reader(&self) -> &Arc<dyn Reader> {
        &self.reader
    }

    /// Refuses what is about all places together.
    ///
    /// # Errors
    /// 403 to who does not see everything.
    pub(super) fn whole(&self) -> Result<(), ApiError> {
        match &self.scope {
            Some(scope) => Err(ApiError::new(ErrorReason::OutsideScope).with("scope", scope.as_str())),
            None => Ok(()),
        }
    }
}

impl Deref for Sight {
    type Target = dyn Reader;

    fn deref(&self) -> &Self::Target {
        &*self.reader
    }
}

impl<S: Sync> FromRequestParts<S> for Sight {
    type Rejection = ApiError;

    /// An endpoint that nobody is let through to has none.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::internal)
    }
}
