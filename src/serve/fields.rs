//! Reading what the caller wrote, from a query string or a JSON body alike: text, whole numbers, times, choices.
//!
//! Absent, null and empty mean "not given". A value of the wrong kind is a 400 that names the field and what it takes.
//! It does not know which endpoint asks.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};
use traffic::{CivilTime, TimeZoneName};

use super::error::ApiError;
use crate::reader::TimeRange;

/// Named values of a request.
#[derive(Debug)]
pub(super) enum Fields {
    /// From the query string.
    Query(Vec<(String, String)>),
    /// From a JSON object.
    Body(Map<String, Value>),
}

/// [`Fields`] of the query string.
pub(super) struct QueryFields(pub(super) Fields);

/// [`Fields`] of a JSON body.
pub(super) struct BodyFields(pub(super) Fields);

impl<S: Sync> FromRequestParts<S> for QueryFields {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Fields::from_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for BodyFields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?").to_owned());
        let body = Bytes::from_request(request, state).await.map_err(unread_body)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Fields::Body(Map::new())));
        }
        match content_type {
            Some(other) if !is_json(&other) => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("the body is {other}: send JSON with the header Content-Type: application/json"),
            )),
            _ => Fields::from_json(&body).map(Self),
        }
    }
}

fn unread_body(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large: send only the filter, which fits into a few hundred bytes",
        ),
        status => {
            ApiError::new(status, format!("the body could not be read, send it again: {}", rejection.body_text()))
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl Fields {
    /// Fields of a query string, percent-encoded or as raw UTF-8.
    ///
    /// # Errors
    /// 400 if a parameter is not UTF-8 or is given twice.
    pub(super) fn from_query(query: &str) -> Result<Self, ApiError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)
                .ok_or_else(|| ApiError::bad_request("the query string is not UTF-8: percent-encode it as UTF-8"))?;
            let value = decode(value)
                .ok_or_else(|| ApiError::bad_request(format!("`{name}` is not UTF-8: percent-encode it as UTF-8")))?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(ApiError::bad_request(format!("`{name}` is given twice: give it once")));
            }
            fields.push((name, value));
        }
        Ok(Self::Query(fields))
    }

    /// Fields of a JSON object; `null` has none.
    ///
    /// # Errors
    /// 400 if it is not JSON or not an object.
    pub(super) fn from_json(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self::Body(fields)),
            Ok(Value::Null) => Ok(Self::Body(Map::new())),
            Ok(_) => {
                Err(ApiError::bad_request("the body must be a JSON object such as {\"hphm\":\"苏C1\",\"page\":1}"))
            }
            Err(error) => Err(ApiError::bad_request(format!("the body is not valid JSON: {error}"))),
        }
    }

    /// The trimmed text of a field, if it was given; a number counts as its text.
    ///
    /// # Errors
    /// 400 if it is neither text nor number.
    pub(super) fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, ApiError> {
        let text = match self {
            Self::Query(fields) => fields.iter().find(|(known, _)| known == name).map(|(_, v)| Cow::Borrowed(v.trim())),
            Self::Body(fields) => match fields.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(Cow::Borrowed(text.trim())),
                Some(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
                Some(other) => {
                    return Err(ApiError::bad_request(format!(
                        "`{name}` must be a text, not {}",
                        shortened(&other.to_string())
                    )));
                }
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// Texts of a field: an array of texts, or one text with commas between them; none if it was not given.
    ///
    /// # Errors
    /// 400 if it is something else.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, ApiError> {
        if let Self::Body(fields) = self
            && let Some(Value::Array(items)) = fields.get(name)
        {
            let text = |item: &Value| match item {
                Value::String(text) => Ok(text.trim().to_owned()),
                other => Err(ApiError::bad_request(format!(
                    "`{name}` must hold texts only, not {}",
                    shortened(&other.to_string())
                ))),
            };
            return items.iter().map(text).collect();
        }
        let text = self.text(name)?.unwrap_or_default();
        Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// Yes or no, if it was given.
    ///
    /// # Errors
    /// 400 if it is neither.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        if let Self::Body(fields) = self
            && let Some(Value::Bool(flag)) = fields.get(name)
        {
            return Ok(Some(*flag));
        }
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// The whole number of a field, or `default`.
    ///
    /// # Errors
    /// 400 if it is no whole number within `range`.
    pub(super) fn whole(&self, name: &str, range: RangeInclusive<u64>, default: u64) -> Result<u64, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(default) };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            ApiError::bad_request(format!(
                "`{name}` must be a whole number from {} to {}, not {}",
                range.start(),
                range.end(),
                shortened(&text)
            ))
        })
    }

    /// [`Fields::whole`] where the number is a count of entries to return.
    ///
    /// # Errors
    /// As [`Fields::whole`].
    pub(super) fn limit(&self, range: RangeInclusive<u64>, default: u64) -> Result<usize, ApiError> {
        Ok(self.whole("limit", range, default)? as usize)
    }

    /// The number of a page, from 1.
    ///
    /// # Errors
    /// As [`Fields::whole`].
    pub(super) fn page(&self) -> Result<u64, ApiError> {
        self.whole("page", 1..=u64::from(u32::MAX), 1)
    }

    /// A range of event time from two fields. A date alone means its first second as start and its last as end.
    ///
    /// # Errors
    /// 400 if either is no time, or the start is after the end.
    pub(super) fn range(&self, start: &str, end: &str, zone: &TimeZoneName) -> Result<TimeRange, ApiError> {
        let range = TimeRange { start: self.time(start, false, zone)?, end: self.time(end, true, zone)? };
        match (range.start, range.end) {
            (Some(first), Some(last)) if first > last => {
                Err(ApiError::bad_request(format!("`{start}` ({first}) is after `{end}` ({last}): swap them")))
            }
            _ => Ok(range),
        }
    }

    fn time(&self, name: &str, is_end: bool, zone: &TimeZoneName) -> Result<Option<CivilTime>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let date_only = !text.contains([':', 'T']);
        let parsed = CivilTime::parse(text.as_bytes(), zone)
            // NOTE: an offset's `+` that was not percent-encoded arrives as a space.
            .or_else(|| {
                text.contains('T').then(|| CivilTime::parse(text.replace(' ', "+").as_bytes(), zone)).flatten()
            });
        match parsed {
            Some(time) if date_only && is_end => Ok(Some(CivilTime(time.0.saturating_add(SECONDS_PER_DAY - 1)))),
            Some(time) => Ok(Some(time)),
            None => Err(ApiError::bad_request(format!(
                "`{name}` must be a time such as 2024-01-31 08:30:00, 2024-01-31T08:30:00 or 2024-01-31, not {}",
                shortened(&text)
            ))),
        }
    }

    /// One of several named choices, if it was given.
    ///
    /// # Errors
    /// 400 that lists the choices.
    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match choices.iter().find(|(known, _)| *known == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
                Err(ApiError::bad_request(format!(
                    "`{name}` must be one of {}, not {}",
                    known.join(", "),
                    shortened(&text)
                )))
            }
        }
    }
}

/// Seconds of a civil day.
pub(super) const SECONDS_PER_DAY: i64 = 86_400;

/// What the caller wrote, quoted and short enough for a message.
fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    match text.char_indices().nth(MAX_CHARS) {
        Some((cut, _)) => format!("{:?}…", text.get(..cut).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// Percent-decoding of `application/x-www-form-urlencoded`; a `%` without two hexadecimal digits stays as it is.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex_value(*high) << 4 | hex_value(*low));
                rest = tail;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_value(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or_default() as u8
}
