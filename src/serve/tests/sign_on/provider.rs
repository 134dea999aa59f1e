//! A provider of OpenID Connect for tests: real HTTP on loopback, ES256 (or RS256) with a key that is made
//! at its start. It checks what a provider
//! checks (client, PKCE, one use of a code), and lies where it is told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey};
use openidconnect::url::form_urlencoded;
use openidconnect::{JsonWebKeyId, PkceCodeChallenge, PkceCodeVerifier, PrivateSigningKey as _};
use parking_lot::Mutex;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};
use rsa::rand_core::OsRng;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::clock::unix_now;

pub(super) const CLIENT: &str = "platewatch";
pub(super) const SECRET: &str = "s3cret: of the client";

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    Nonce,
    NoNonce,
    Audience,
    TwoAudiences,
    Expired,
    Issuer,
    Signature,
    AlgNone,
    AlgHs256,
    NoToken,
    NoSubject,
    HugeToken,
    SlowToken,
    HugeDiscovery,
    OtherIssuer,
    InsecureAuthorize,
}

/// What the provider knows.
pub(super) struct Known {
    pub(super) lie: Option<Lie>,
    /// Claims of whoever logs in, besides those of the protocol.
    pub(super) claims: Value,
    key: KeyPair,
    /// What it signs with instead, if it uses RSA.
    rsa: Option<CoreRsaPrivateSigningKey>,
    kid: String,
    /// Nonce and challenge of each code that was not used yet.
    codes: HashMap<String, (String, String)>,
    /// What each request for a token was answered with.
    pub(super) answered: Vec<u16>,
    issuer: String,
}

/// A running provider.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) known: Arc<Mutex<Known>>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("http://{address}");
        let known = Arc::new(Mutex::new(Known {
            lie: None,
            claims: json!({"sub": "17", "name": "王警官", "preferred_username": "wang", "groups": ["traffic-desk"]}),
            key: KeyPair::generate().unwrap(),
            rsa: None,
            kid: "first".to_owned(),
            codes: HashMap::new(),
            answered: Vec::new(),
            issuer: issuer.clone(),
        }));
        let serving = serve(listener, known.clone());
        Self { issuer, known, address, serving }
    }

    /// Nobody answers any more.
    pub(super) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// It answers again.
    pub(super) async fn resume(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        self.serving = serve(listener, self.known.clone());
    }

    pub(super) fn lies(&self, lie: impl Into<Option<Lie>>) {
        self.known.lock().lie = lie.into();
    }

    pub(super) fn says(&self, name: &str, value: Value) {
        self.known.lock().claims[name] = value;
    }

    /// It signs with another key from now on.
    pub(super) fn new_key(&self) {
        let mut known = self.known.lock();
        (known.key, known.kid) = (KeyPair::generate().unwrap(), "second".to_owned());
    }

    /// It signs by RSA from now on, as most providers do.
    pub(super) fn use_rsa(&self) {
        let pem = RsaPrivateKey::new(&mut OsRng, 2048).unwrap().to_pkcs1_pem(LineEnding::LF).unwrap();
        let mut known = self.known.lock();
        known.kid = "third".to_owned();
        known.rsa = Some(CoreRsaPrivateSigningKey::from_pem(&pem, Some(JsonWebKeyId::new(known.kid.clone()))).unwrap());
    }

    /// Somebody logs in at the address that a browser was sent to: the query with which the browser is sent back.
    pub(super) fn log_in(&self, url: &str) -> String {
        let url = openidconnect::url::Url::parse(url).unwrap();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.issuer)), "{url}");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let of = |name: &str| asked.get(name).unwrap_or_else(|| panic!("no {name} in {url}")).clone();
        assert_eq!(
            (of("response_type"), of("client_id"), of("scope")),
            ("code".into(), CLIENT.into(), "openid profile".into())
        );
        assert_eq!((of("code_challenge_method"), of("redirect_uri")), ("S256".into(), super::REDIRECT.into()));
        assert!(of("state").len() >= 43 && of("nonce").len() >= 43 && of("state") != of("nonce"));
        let code = format!("code-{}", &of("nonce")[..20]);
        self.known.lock().codes.insert(code.clone(), (of("nonce"), of("code_challenge")));
        format!("state={}&code={code}&session_state=x.y&iss={}", of("state"), self.issuer)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn serve(listener: tokio::net::TcpListener, known: Arc<Mutex<Known>>) -> JoinHandle<()> {
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(async |RawQuery(_): RawQuery| StatusCode::OK))
        .route("/token", post(token))
        .with_state(known);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

async fn discovery(State(known): State<Arc<Mutex<Known>>>) -> Response {
    let known = known.lock();
    let issuer = &known.issuer;
    let mut document = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        // More than is taken.
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
    });
    match known.lie {
        Some(Lie::HugeDiscovery) => document["padding"] = json!("x".repeat(2 << 20)),
        Some(Lie::OtherIssuer) => document["issuer"] = json!("https://evil.example"),
        Some(Lie::InsecureAuthorize) => document["authorization_endpoint"] = json!("http://login.example/authorize"),
        _ => {}
    }
    Json(document).into_response()
}

async fn jwks(State(known): State<Arc<Mutex<Known>>>) -> Json<Value> {
    let known = known.lock();
    // An uncompressed point: 4, x, y.
    let point = known.key.der_bytes();
    let [x, y] = [&point[1..33], &point[33..65]].map(|half| URL_SAFE_NO_PAD.encode(half));
    let kid = if known.rsa.is_some() { "before" } else { known.kid.as_str() };
    let mut keys = vec![json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y})];
    keys.extend(known.rsa.iter().map(|key| json!(key.as_verification_key())));
    Json(json!({"keys": keys}))
}

async fn token(State(known): State<Arc<Mutex<Known>>>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    let slow = known.lock().lie == Some(Lie::SlowToken);
    if slow {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let mut known = known.lock();
    let form: HashMap<String, String> = form_urlencoded::parse(&form).into_owned().collect();
    let answer = given(&mut known, &headers, &form);
    known.answered.push(answer.status().as_u16());
    answer
}

fn given(known: &mut Known, headers: &HeaderMap, form: &HashMap<String, String>) -> Response {
    let refused = |error: &str| {
        (StatusCode::BAD_REQUEST, Json(json!({"error": error, "error_description": "…"}))).into_response()
    };
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
    if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(basic.as_str()) {
        return refused("invalid_client");
    }
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let Some((nonce, challenge)) = known.codes.remove(of("code")) else { return refused("invalid_grant") };
    let verifier = PkceCodeVerifier::new(of("code_verifier").to_owned());
    let is_right = PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str() == challenge;
    if !is_right || of("grant_type") != "authorization_code" || of("redirect_uri") != super::REDIRECT {
        return refused("invalid_grant");
    }
    let mut answer = json!({"access_token": "at", "token_type": "Bearer", "expires_in": 300});
    match known.lie {
        Some(Lie::NoToken) => {}
        Some(Lie::HugeToken) => answer["id_token"] = json!("x".repeat(2 << 20)),
        _ => answer["id_token"] = json!(id_token(known, &nonce)),
    }
    Json(answer).into_response()
}

fn id_token(known: &Known, nonce: &str) -> String {
    let now = unix_now();
    let mut claims = known.claims.clone();
    let of_protocol = [
        ("iss", json!(known.issuer)),
        ("aud", json!(CLIENT)),
        ("nonce", json!(nonce)),
        ("iat", json!(now)),
        ("exp", json!(now + 300)),
    ];
    of_protocol.into_iter().for_each(|(name, value)| claims[name] = value);
    match known.lie {
        Some(Lie::Nonce) => claims["nonce"] = json!("another"),
        Some(Lie::NoNonce) => claims["nonce"] = Value::Null,
        Some(Lie::Audience) => claims["aud"] = json!("another"),
        Some(Lie::TwoAudiences) => claims["aud"] = json!([CLIENT, "another"]),
        Some(Lie::Expired) => claims["exp"] = json!(now - 1),
        Some(Lie::Issuer) => claims["iss"] = json!("https://evil.example"),
        Some(Lie::NoSubject) => claims["sub"] = json!(""),
        _ => {}
    }
    let alg = match known.lie {
        Some(Lie::AlgNone) => "none",
        Some(Lie::AlgHs256) => "HS256",
        _ if known.rsa.is_some() => "RS256",
        _ => "ES256",
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": alg, "kid": known.kid, "typ": "JWT"})), part(&claims));
    let by_rsa = |key: &CoreRsaPrivateSigningKey| {
        key.sign(&CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, signed.as_bytes()).unwrap()
    };
    let signature = match (known.lie, &known.rsa) {
        (Some(Lie::AlgNone), _) => Vec::new(),
        (Some(Lie::Signature), Some(key)) => by_rsa(key).into_iter().rev().collect(),
        (_, Some(key)) => by_rsa(key),
        (Some(Lie::Signature), None) => fixed(&KeyPair::generate().unwrap().sign(signed.as_bytes()).unwrap()),
        (_, None) => fixed(&known.key.sign(signed.as_bytes()).unwrap()),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A signature of two numbers in DER as two of 32 bytes, one after the other.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut all = Vec::new();
    for _ in 0..2 {
        let (length, number) = (usize::from(rest[1]), &rest[2..]);
        let digits = &number[..length];
        let digits = &digits[length.saturating_sub(32)..];
        all.extend(std::iter::repeat_n(0, 32 - digits.len()).chain(digits.iter().copied()));
        rest = &number[length..];
    }
    all
}
