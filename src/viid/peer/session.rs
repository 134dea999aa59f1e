//! What is said to a platform: register, keep alive, subscribe, and farewell. Each request is answered by digest if the platform asks
//! for it. It keeps no state between requests.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use traffic::TimeZoneName;

use crate::clock::unix_now;
use crate::http_client::{HttpClient, HttpError};
use crate::viid::digest::Challenge;

const JSON: &str = "application/VIID+JSON; charset=utf-8";
/// How long a subscription lasts, in seconds: ten years. It is made again at each start.
const LASTS: i64 = 3_650 * 86_400;
/// Characters of a code that are shown.
const LONGEST_CODE: usize = 20;

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no answer.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// Its name cannot be resolved.
    #[error("{host} cannot be resolved: {error}")]
    Name {
        /// Who.
        host: String,
        /// Why.
        error: std::io::Error,
    },
    /// It does not know us, or the account is wrong.
    #[error("{0} is refused: check viid.peer_user and viid.peer_password, and that the platform knows viid.device_id")]
    Login(&'static str),
    /// It answers with another status.
    #[error("{what} is answered with status {status}{said}")]
    Status {
        /// What was asked.
        what: &'static str,
        /// The status.
        status: u16,
        /// What it says, behind a colon.
        said: String,
    },
    /// It answers something else.
    #[error("{0} is answered by what is no answer of GA/T 1400: check viid.peer")]
    Nonsense(&'static str),
    /// A request cannot be made of the settings.
    #[error("a request to the platform cannot be made: {0}")]
    Request(#[from] axum::http::Error),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl Failure {
    /// Whether the platform does not know any more that we have registered. One that is busy, or fails for a moment, still does: to
    /// begin again would end our subscription.
    pub(super) fn is_forgotten(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Status { status: 400 | 404 | 410, .. })
    }
}

/// What is said, and to which platform.
pub(super) struct SessionSettings {
    /// `http://host:port`.
    pub(super) address: String,
    pub(super) place: (String, u16),
    /// How long the platform, and who knows its address, may take to answer.
    pub(super) patience: Duration,
    pub(super) user: String,
    pub(super) password: String,
    /// Our id.
    pub(super) device: String,
    pub(super) subscription: String,
    pub(super) receive_url: String,
    pub(super) detail: String,
    pub(super) resource: String,
    pub(super) zone: TimeZoneName,
}

/// The platform.
pub(super) struct Session {
    http: HttpClient,
    settings: SessionSettings,
}

impl Session {
    pub(super) fn new(http: HttpClient, settings: SessionSettings) -> Self {
        Self { http, settings }
    }

    pub(super) fn address(&self) -> &str {
        &self.settings.address
    }

    /// The addresses of its name.
    pub(super) async fn resolve(&self) -> Result<Vec<IpAddr>, Failure> {
        let (host, port) = &self.settings.place;
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::time::timeout(self.settings.patience, tokio::net::lookup_host((name, *port))).await;
        let found = found.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let found = found.map_err(|error| Failure::Name { host: host.clone(), error })?;
        Ok(found.map(|address| address.ip()).collect())
    }

    pub(super) async fn register(&self) -> Result<(), Failure> {
        let body = json!({"RegisterObject": {"DeviceID": self.settings.device}});
        self.confirmed("register", Method::POST, "/VIID/System/Register", Some(&body)).await
    }

    pub(super) async fn keep_alive(&self) -> Result<(), Failure> {
        let body = json!({"KeepaliveObject": {"DeviceID": self.settings.device}});
        self.confirmed("keep-alive", Method::POST, "/VIID/System/Keepalive", Some(&body)).await
    }

    /// Subscribes. Where the platform refuses that, what an earlier process could not end may be there still: then that is ended first.
    pub(super) async fn subscribe(&self) -> Result<(), Failure> {
        match self.try_subscribe().await {
            Err(Failure::Status { .. }) => {
                let _ = self.unsubscribe().await;
                self.try_subscribe().await
            }
            done => done,
        }
    }

    async fn try_subscribe(&self) -> Result<(), Failure> {
        let SessionSettings { subscription, receive_url, detail, resource, device, zone, .. } = &self.settings;
        let now = unix_now();
        let body = json!({"SubscribeListObject": {"SubscribeObject": [{
            "SubscribeID": subscription,
            "Title": "Platewatch",
            "SubscribeDetail": detail,
            "ResourceURI": resource,
            "ApplicantName": "Platewatch",
            "ApplicantOrg": device,
            "BeginTime": compact(zone, now),
            "EndTime": compact(zone, now + LASTS),
            "ReceiveAddr": receive_url,
            "ReportInterval": 0,
            "OperateType": 0,
            "SubscribeStatus": 0,
        }]}});
        self.confirmed("subscription", Method::POST, "/VIID/Subscribes", Some(&body)).await
    }

    async fn unsubscribe(&self) -> Result<(), Failure> {
        let path = format!("/VIID/Subscribes?IDList={}", self.settings.subscription);
        self.confirmed("end of the subscription", Method::DELETE, &path, None).await
    }

    /// Ends the subscription and leaves; the platform may be away.
    pub(super) async fn leave(&self) {
        if let Err(failure) = self.unsubscribe().await {
            tracing::warn!(platform = self.address(), reason = %failure, "the subscription could not be ended");
        }
        let body = json!({"UnRegisterObject": {"DeviceID": self.settings.device}});
        let left = self.confirmed("unregister", Method::POST, "/VIID/System/UnRegister", Some(&body)).await;
        if let Err(failure) = left {
            tracing::debug!(platform = self.address(), reason = %failure, "the platform was not left in order");
        }
    }

    /// Asks for something, and reads that it was done.
    async fn confirmed(
        &self,
        what: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Failure> {
        let mut response = self.http.send(self.request(&method, path, body, None)?).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let asked = response.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
            let Some(challenge) = asked.filter_map(Challenge::parse).next() else { return Err(Failure::Login(what)) };
            let mut random = [0; 8];
            getrandom::fill(&mut random)?;
            let unique = format!("{:016x}", u64::from_le_bytes(random));
            let SessionSettings { user, password, .. } = &self.settings;
            let proof = challenge.answered(user, password, method.as_str(), path, &unique);
            response = self.http.send(self.request(&method, path, body, Some(&proof))?).await?;
        }
        done(what, &response)
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        proof: Option<&str>,
    ) -> Result<Request<Vec<u8>>, axum::http::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.settings.address))
            .header("User-Identify", &self.settings.device)
            .header(CONTENT_TYPE, JSON);
        if let Some(proof) = proof {
            request = request.header(AUTHORIZATION, proof);
        }
        request.body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
    }
}

/// Whether an answer says that it was done.
fn done(what: &'static str, response: &Response<Vec<u8>>) -> Result<(), Failure> {
    let said: Option<Value> = serde_json::from_slice(response.body()).ok();
    let confirmation = said.as_ref().and_then(confirmation);
    let words = || {
        let words = confirmation.and_then(|status| status.get("StatusString")?.as_str()).unwrap_or_default();
        let words: String = crate::plain::line(words).chars().take(200).collect();
        if words.is_empty() { String::new() } else { format!(": {words}") }
    };
    let status = response.status();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Failure::Login(what)),
        status if !status.is_success() => return Err(Failure::Status { what, status: status.as_u16(), said: words() }),
        // Some say nothing where nothing is to be said.
        _ if response.body().is_empty() => return Ok(()),
        _ => {}
    }
    let Some(code) = confirmation.and_then(|status| status.get("StatusCode")) else {
        return Err(Failure::Nonsense(what));
    };
    let is_fine = code.as_str().map_or_else(|| code.as_i64() == Some(0), |code| code == "0");
    if is_fine {
        Ok(())
    } else {
        let code: String = match code.as_str() {
            Some(code) => crate::plain::line(code).chars().take(LONGEST_CODE).collect(),
            None => code.as_i64().map_or_else(|| "?".to_owned(), |code| code.to_string()),
        };
        Err(Failure::Status { what, status: status.as_u16(), said: format!(", code {code}{}", words()) })
    }
}

/// The ResponseStatus in an answer: by itself, or the first of a list.
fn confirmation(said: &Value) -> Option<&Value> {
    let by_itself = said.get("ResponseStatusObject").or_else(|| said.get("ResponseStatus"));
    let list = || {
        let list = said.get("ResponseStatusListObject").or_else(|| said.get("ResponseStatusList"))?;
        let all = list.get("ResponseStatusObject").unwrap_or(list);
        if all.is_array() { all.get(0) } else { Some(all) }
    };
    by_itself.or_else(list)
}

/// The time of the zone as GA/T 1400 writes it.
fn compact(zone: &TimeZoneName, unix: i64) -> String {
    zone.civil(unix).map(|time| crate::viid::compact(&time)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Result<(), String> {
        let response = Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
        done("register", &response).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_platform_that_is_busy_has_not_forgotten_us() {
        let failed = |status: u16, body: &str| {
            done("keep-alive", &Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()).unwrap_err()
        };
        for forgotten in [400, 401, 403, 404, 410] {
            assert!(failed(forgotten, "").is_forgotten(), "{forgotten}");
        }
        for busy in [429, 500, 502, 503, 504] {
            assert!(!failed(busy, "").is_forgotten(), "{busy}");
        }
        assert!(!failed(200, "{\"ResponseStatusObject\":{\"StatusCode\":\"2\"}}").is_forgotten());
    }

    #[test]
    fn answers_are_understood_however_they_are_spelt() {
        for fine in [
            "",
            "{\"ResponseStatusObject\":{\"StatusCode\":\"0\"}}",
            "{\"ResponseStatusObject\":{\"StatusCode\":0,\"StatusString\":\"OK\"}}",
            "{\"ResponseStatusListObject\":{\"ResponseStatusObject\":[{\"StatusCode\":0}]}}",
            "{\"ResponseStatusListObject\":{\"ResponseStatusObject\":{\"StatusCode\":\"0\"}}}",
            "{\"ResponseStatusList\":[{\"StatusCode\":0}]}",
        ] {
            assert_eq!(said(200, fine), Ok(()), "{fine}");
        }
        for (status, body, words) in [
            (401, "", "viid.peer_password"),
            (403, "x", "viid.peer_password"),
            (500, "x", "status 500"),
            (
                404,
                "{\"ResponseStatusObject\":{\"StatusCode\":4,\"StatusString\":\"no\\u001b\"}}",
                "status 404: no\\u{1b}",
            ),
            (200, "{\"ResponseStatusObject\":{\"StatusCode\":\"2\",\"StatusString\":\"busy\"}}", "code 2: busy"),
            (200, "<html>", "viid.peer"),
            (200, "{\"ResponseStatusListObject\":{\"ResponseStatusObject\":[]}}", "viid.peer"),
            (200, "[1]", "viid.peer"),
        ] {
            let error = said(status, body).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let endless = json!({"ResponseStatusObject": {"StatusCode": "9\n".repeat(1_000)}}).to_string();
        let odd = json!({"ResponseStatusObject": {"StatusCode": {"a": "9".repeat(1_000)}}}).to_string();
        assert!(said(200, &endless).unwrap_err().len() < 100 && said(200, &odd).unwrap_err().ends_with(", code ?"));
        assert_eq!(compact(&TimeZoneName::default(), 1_704_038_424), "20240101000024");
    }
}
