//! One request of GA/T 1400, as every handler is given it: who may send it, and how it is answered. It knows no endpoint.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde::Deserialize;

use super::answer::{Code, Refusal, of_one};
use super::sender::{Asked, Sender, identified, user_identify};
use crate::serve::access::Record;
use crate::serve::ingest::{is_plain, read_keeping};
use crate::serve::listen::Client;
use crate::serve::state::Api;
use crate::viid::{DeviceId, Viid};

/// Bytes of what is no vehicle, such as a registration.
const SMALL: usize = 4 << 10;

/// What every handler is given.
pub(super) struct Call {
    pub(super) api: Arc<Api>,
    pub(super) viid: Arc<Viid>,
    pub(super) client: Client,
    pub(super) record: Record,
    pub(super) headers: HeaderMap,
    method: Method,
    /// Path and query string.
    place: String,
}

impl Call {
    /// Refuses where GA/T 1400 is not spoken.
    fn new(
        api: Arc<Api>,
        client: Client,
        record: Record,
        headers: HeaderMap,
        method: Method,
        uri: &Uri,
    ) -> Result<Self, Box<Response>> {
        let place = uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
        let refused = |status, words: &str| {
            Err(Box::new(Refusal::new(status, Code::Operation, words).answered(&api, &place, "")))
        };
        match api.settings.viid.clone() {
            // No camera says so: a browser does for a page, which could send from the address of one that has registered.
            Some(_) if headers.contains_key(header::ORIGIN) => {
                refused(StatusCode::FORBIDDEN, "a page may not ask this: the request has an Origin")
            }
            Some(viid) => Ok(Self { api, viid, client, record, headers, method, place }),
            None => refused(StatusCode::NOT_FOUND, "GA/T 1400 is not spoken here: set viid.device_id"),
        }
    }

    pub(super) fn path(&self) -> &str {
        self.place.split('?').next().unwrap_or_default()
    }

    /// The id in the header, if it is one.
    pub(super) fn named(&self) -> Option<DeviceId> {
        user_identify(&self.headers)
    }

    pub(super) fn sender(&self, asked: Asked) -> Result<Sender, Refusal> {
        identified(&self.viid, &self.record, &self.client, &self.headers, &self.method, &self.place, asked)
    }

    /// The answer of what went well, or was refused.
    pub(super) fn answer(&self, done: Result<Response, Refusal>) -> Response {
        let id = self.named().map(|id| id.to_string()).unwrap_or_default();
        done.unwrap_or_else(|refusal| refusal.answered(&self.api, self.path(), &id))
    }

    pub(super) fn fine(&self, id: &str) -> Response {
        of_one(&self.api, self.path(), id, Code::Ok, "OK")
    }

    /// Refuses a body that is compressed: nobody of the standard does that.
    pub(super) fn is_readable(&self) -> Result<(), Refusal> {
        let words = "a body must come as it is, without Content-Encoding";
        let refusal = || Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Format, words);
        is_plain(&self.headers).then_some(()).ok_or_else(refusal)
    }

    /// The id in a small body, below one of these names: what a device says of itself there and in the header must be one.
    pub(super) async fn device(&self, body: Body, name: &'static str) -> Result<DeviceId, Refusal> {
        self.is_readable()?;
        let mut room = self.api.settings.deliveries.clone().unwrap_or_default().room();
        let length = self.headers.get(header::CONTENT_LENGTH);
        let keep = |piece: &[u8], kept: &mut Vec<u8>| kept.extend_from_slice(piece);
        let body = read_keeping(body, length, SMALL, SMALL, &mut room, keep).await?;
        let said = told(&body, name);
        let id = match (&said, self.named()) {
            (Some(said), named) => DeviceId::parse(said).filter(|id| named.is_none_or(|named| named == *id)),
            (None, named) => named,
        };
        id.ok_or_else(|| {
            let words = format!("{name}.DeviceID must be 20 digits, and the same as in User-Identify");
            Refusal::new(StatusCode::BAD_REQUEST, Code::Content, words)
        })
    }
}

/// The id that a body says, as `{"RegisterObject":{"DeviceID":"…"}}`.
fn told(body: &[u8], name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(rename = "DeviceID")]
        id: String,
    }
    let mut said: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let Said { id } = serde_json::from_value(said.remove(name)?).ok()?;
    Some(id)
}

/// What a handler extracts for it.
pub(super) type Extensions = (State<Arc<Api>>, Extension<Client>, Extension<Record>, Method, Uri, HeaderMap);

/// The call; or the answer, where GA/T 1400 is not spoken.
pub(super) fn call(
    (State(api), Extension(client), Extension(record), method, uri, headers): Extensions,
) -> Result<Call, Box<Response>> {
    Call::new(api, client, record, headers, method, &uri)
}
