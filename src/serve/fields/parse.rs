//! Fields as a caller writes them: a query string, or a JSON object. Both are bounded in number and read in linear time.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::values::{Fields, MAX_FIELDS, shortened};
use crate::serve::error::{ApiError, ErrorReason};

impl Fields {
    /// Fields of a query string, percent-encoded or as raw UTF-8.
    ///
    /// # Errors
    /// 400 if a parameter is not UTF-8 or is given twice, or if there are too many.
    pub(in crate::serve) fn from_query(query: &str) -> Result<Self, ApiError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            if fields.len() == MAX_FIELDS {
                return Err(ApiError::new(ErrorReason::TooManyParameters).with("limit", MAX_FIELDS));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| ApiError::new(ErrorReason::NotUtf8))?;
            let value =
                decode(value).ok_or_else(|| ApiError::new(ErrorReason::ValueNotUtf8).with("name", name.as_str()))?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(given_twice(&name));
            }
            fields.push((name, value));
        }
        Ok(Self::Query(fields))
    }

    /// Fields of a JSON object; `null` has none.
    ///
    /// # Errors
    /// 400 if it is not JSON or not an object.
    pub(in crate::serve) fn from_json(body: &[u8]) -> Result<Self, ApiError> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let members: Members = serde_path_to_error::deserialize(&mut json).map_err(|error| unread_json(&error))?;
        json.end().map_err(|error| ApiError::new(ErrorReason::NotJson).with("error", error.to_string()))?;
        if members.0.len() > MAX_FIELDS {
            return Err(ApiError::new(ErrorReason::TooManyFields).with("limit", MAX_FIELDS));
        }
        let mut fields = Map::new();
        for (name, value) in members.0 {
            if fields.contains_key(&name) {
                return Err(given_twice(&name));
            }
            fields.insert(name, value);
        }
        Ok(Self::Body(fields))
    }
}

/// The members of a JSON object in their order, twice named ones too; `null` has none.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_unit<E>(self) -> Result<Members, E> {
                Ok(Members(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_any(Object)
    }
}

fn given_twice(name: &str) -> ApiError {
    ApiError::new(ErrorReason::GivenTwice).with("name", shortened(name).trim_matches('"'))
}

/// 400 for a body that is no JSON, or no object; names the field in which it is wrong.
fn unread_json(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    if error.inner().is_data() {
        return ApiError::new(ErrorReason::NotAnObject);
    }
    let words = error.inner().to_string();
    match error.path().iter().next() {
        Some(_) => ApiError::new(ErrorReason::NotJsonAt)
            .with("name", shortened(&error.path().to_string()).trim_matches('"'))
            .with("error", words),
        None => ApiError::new(ErrorReason::NotJson).with("error", words),
    }
}

/// Decoding of `application/x-www-form-urlencoded`; a `%` without two hexadecimal digits stays as it is.
fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}
