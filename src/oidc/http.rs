//! The HTTP client as the crate `openidconnect` wants it: no redirects; without TLS only on this machine.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::http_client::{HttpClient, HttpError, Plain};
use crate::trust::TrustError;

/// The client that asks the provider.
#[derive(Clone)]
pub(super) struct ProviderClient(HttpClient);

impl ProviderClient {
    /// A client that trusts the authorities in this file, or those of this machine.
    pub(super) fn new(ca_certificate: Option<&Path>, timeout: Duration) -> Result<Self, TrustError> {
        HttpClient::new("oidc.ca_certificate", ca_certificate, timeout, Plain::Here).map(Self)
    }
}

impl<'c> AsyncHttpClient<'c> for ProviderClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.send(request))
    }
}
