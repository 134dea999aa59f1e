//! A login at the provider, from the browser's way there to who came back.
//!
//! What the provider publishes (its addresses and keys) is kept for an hour, and read again when a token is signed with a key that is
//! not among them. Nothing of it is taken on trust: the issuer must be the one that is set, and so must the issuer, the
//! audience, the nonce, the times and the signature of a token.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::{Digest, ExternalId, ExternalUser};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
    TokenResponse as _,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::claims::{roles, shown};
use super::http::ProviderClient;
use super::pending::{self, MAX_SECONDS, Pending, Unknown};
use super::settings::OidcSettings;
use crate::http_client::is_loopback_host;
use crate::trust::TrustError;

/// How long what the provider publishes is kept.
const KEPT: Duration = Duration::from_secs(3_600);
/// Logins that ask the provider at the same time; more wait.
const AT_ONCE: usize = 16;
/// Signatures that only the provider can make. With HS256 it would be whoever knows the client's secret, with `none` anybody.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Why nobody was let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignOnError {
    /// No login has begun with this state in this browser.
    #[error("this browser has begun no login with this state, or it has come back already")]
    State,
    /// It took too long.
    #[error("the login took longer than {MAX_SECONDS} s")]
    Expired,
    /// The provider refused.
    #[error("the provider refused: {0}")]
    Denied(String),
    /// The provider is away, or does not answer as one does.
    #[error("the provider cannot be used: {0}")]
    Provider(String),
    /// What it signed does not hold.
    #[error("the provider's ID token is not valid: {0}")]
    Token(String),
    /// No value of the claim has a role here.
    #[error("{} of {} has no value in the claim {claim} that has a role here", .id.subject, .id.issuer)]
    Role {
        /// Who.
        id: ExternalId,
        /// Which claim.
        claim: String,
    },
}

/// Where a browser goes to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The address at the provider.
    pub url: String,
    /// For how many seconds the browser must keep its secret.
    pub seconds: i64,
}

/// What a browser brings back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Returned<'a> {
    /// Which login it is.
    pub state: Option<&'a str>,
    /// What the provider gives the token for.
    pub code: Option<&'a str>,
    /// Why the provider gives none.
    pub error: Option<&'a str>,
    /// Who says so.
    pub issuer: Option<&'a str>,
}

/// All claims that are not standard ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Others(Map<String, Value>);

impl AdditionalClaims for Others {}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// A client of the provider. Where it sends browsers is known; where tokens are, perhaps.
type Known = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What the provider publishes, or why it is not known, and since when.
type Published = (Instant, Result<Arc<CoreProviderMetadata>, SignOnError>);

/// Single sign-on at one provider.
pub struct SignOn {
    settings: OidcSettings,
    http: ProviderClient,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    published: tokio::sync::Mutex<Option<Published>>,
    pending: Mutex<Pending>,
    places: Semaphore,
}

/// It cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// Nobody can be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// An address is none.
    #[error("oidc.issuer or oidc.redirect_url: {0}")]
    Address(#[from] openidconnect::url::ParseError),
}

impl SignOn {
    /// Single sign-on as it is set. The provider is asked at the first login.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn new(settings: OidcSettings) -> Result<Self, SetUpError> {
        Ok(Self {
            http: ProviderClient::new(settings.ca_certificate.as_deref(), settings.timeout)?,
            issuer: IssuerUrl::new(settings.issuer.clone())?,
            redirect: RedirectUrl::new(settings.redirect_url.clone())?,
            published: tokio::sync::Mutex::default(),
            pending: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
            settings,
        })
    }

    /// Begins a login of the browser that keeps the secret with this digest. `random` are three secrets that nobody can guess.
    ///
    /// # Errors
    /// [`SignOnError::Provider`].
    pub async fn begin(
        &self,
        browser: Digest,
        random: [String; 3],
        address: IpAddr,
        now: i64,
    ) -> Result<Begun, SignOnError> {
        let [state, nonce, verifier] = random;
        let metadata = self.published(None).await?;
        let url = metadata.authorization_endpoint().url();
        if url.scheme() != "https" && !(url.scheme() == "http" && url.host_str().is_some_and(is_loopback_host)) {
            return Err(SignOnError::Provider(format!("it sends browsers to {url}, which is not https")));
        }
        let client = self.client(&metadata);
        let secret = PkceCodeVerifier::new(verifier.clone());
        let (with_state, with_nonce) = (CsrfToken::new(state.clone()), Nonce::new(nonce.clone()));
        let asked = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, || with_state, || with_nonce);
        let asked = asked.add_scopes(self.settings.scopes.iter().cloned().map(Scope::new));
        let (url, ..) = asked.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&secret)).url();
        self.pending.lock().add(&state, pending::Begun { browser, nonce, verifier, address, at: now });
        Ok(Begun { url: url.into(), seconds: 2 * MAX_SECONDS })
    }

    /// Who came back in the browser that keeps the secret with this digest.
    ///
    /// # Errors
    /// [`SignOnError`].
    pub async fn finish(
        &self,
        returned: Returned<'_>,
        browser: Option<Digest>,
        now: i64,
    ) -> Result<ExternalUser, SignOnError> {
        let begun = self.pending.lock().take(returned.state.unwrap_or_default(), browser, now);
        let begun = begun.map_err(|unknown| match unknown {
            Unknown::State => SignOnError::State,
            Unknown::Expired => SignOnError::Expired,
        })?;
        if returned.issuer.is_some_and(|issuer| issuer != self.settings.issuer) {
            return Err(SignOnError::Token("another issuer answers".to_owned()));
        }
        if let Some(error) = returned.error {
            return Err(SignOnError::Denied(error.chars().take(100).collect()));
        }
        let code = returned.code.ok_or_else(|| SignOnError::Denied("there is no code".to_owned()))?;
        let _place = self.places.acquire().await.map_err(|error| SignOnError::Provider(error.to_string()))?;
        let claims = self.claims(code, begun).await?;
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        // OpenID Connect Core, section 2: at most 255 characters. An empty one is nobody.
        if subject.is_empty() || subject.len() > 255 {
            return Err(SignOnError::Token("its sub is none".to_owned()));
        }
        let shown = shown(&claims, &subject);
        let id = ExternalId { issuer: self.settings.issuer.clone(), subject };
        let roles = roles(&claims, &self.settings.role_claim, &self.settings.roles);
        if roles.is_empty() {
            return Err(SignOnError::Role { id, claim: self.settings.role_claim.clone() });
        }
        Ok(ExternalUser { id, shown, roles })
    }

    /// The verified claims that the provider gives for a code.
    async fn claims(&self, code: &str, begun: pending::Begun) -> Result<Value, SignOnError> {
        let metadata = self.published(None).await?;
        let client = self.client(&metadata);
        let asked = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let asked = asked.map_err(|error| SignOnError::Provider(error.to_string()))?;
        let answer = asked.set_pkce_verifier(PkceCodeVerifier::new(begun.verifier)).request_async(&self.http).await;
        let answer = answer.map_err(|error| match &error {
            openidconnect::RequestTokenError::ServerResponse(refused) => {
                SignOnError::Denied(refused.error().to_string().chars().take(100).collect())
            }
            _ => SignOnError::Provider(sentence(&error)),
        })?;
        let token = answer.id_token().ok_or_else(|| SignOnError::Token("there is none".to_owned()))?;
        let nonce = Nonce::new(begun.nonce);
        let asked_at = Instant::now();
        let verify = |metadata: &CoreProviderMetadata| {
            let client = self.client(metadata);
            let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES);
            token.claims(&verifier, &nonce).map(serde_json::to_value)
        };
        let mut verified = verify(&metadata);
        if verified.as_ref().is_err_and(is_of_another_key) {
            // It may have new keys.
            verified = verify(&*self.published(Some(asked_at)).await?);
        }
        let claims = verified.map_err(|error| SignOnError::Token(sentence(&error)))?;
        claims.map_err(|error| SignOnError::Token(error.to_string()))
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Known {
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let id = ClientId::new(self.settings.client_id.clone());
        let client: Known =
            Client::from_provider_metadata(metadata.clone(), id, secret).set_redirect_uri(self.redirect.clone());
        let takes = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| takes.is_none_or(|all| all.contains(&method));
        // The first is what a provider takes that does not say.
        match takes(CoreClientAuthMethod::ClientSecretBasic) || !takes(CoreClientAuthMethod::ClientSecretPost) {
            true => client.set_auth_type(AuthType::BasicAuth),
            false => client.set_auth_type(AuthType::RequestBody),
        }
    }

    /// What the provider publishes, read again if that was not done after `after`.
    async fn published(&self, after: Option<Instant>) -> Result<Arc<CoreProviderMetadata>, SignOnError> {
        let asked_at = Instant::now();
        let mut published = self.published.lock().await;
        if let Some((at, known)) = published.as_ref() {
            // Who waited while another failed has failed as well: a queue would wait for each in turn.
            let is_new = if known.is_ok() {
                at.elapsed() < KEPT && after.is_none_or(|after| *at > after)
            } else {
                *at > asked_at
            };
            if is_new {
                return known.clone();
            }
        }
        let read = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let read = read.map(Arc::new).map_err(|error| SignOnError::Provider(sentence(&error)));
        *published = Some((Instant::now(), read.clone()));
        read
    }
}

/// Whether a token was signed with a key that is not known.
fn is_of_another_key(error: &openidconnect::ClaimsVerificationError) -> bool {
    use openidconnect::ClaimsVerificationError::SignatureVerification;
    matches!(
        error,
        SignatureVerification(
            SignatureVerificationError::NoMatchingKey | SignatureVerificationError::AmbiguousKeyId(_)
        )
    )
}

/// An error with its causes, in one line of moderate length.
fn sentence(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let all: Vec<String> = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
    all.join(": ").chars().take(300).collect()
}
