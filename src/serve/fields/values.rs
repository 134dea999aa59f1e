//! The values of named fields: text, whole numbers, times, choices. A value of the wrong kind is a 400 that names the field
//! and what it takes. It does not know how fields are written.

use std::borrow::{Borrow, Cow};
use std::ops::RangeInclusive;

use access::trail::Details;
use serde_json::{Map, Value};
use traffic::{CivilTime, TimeZoneName};

use crate::reader::TimeRange;
use crate::serve::codes::Named;
use crate::serve::error::{ApiError, ErrorReason};
use crate::suggest::nearest;

/// Parameters of a query string, and fields of a body, at most.
pub(in crate::serve) const MAX_FIELDS: usize = 32;
/// Characters of a text that is searched for. What is longer is no plate, no checkpoint and no model.
pub(in crate::serve) const MAX_TEXT_CHARS: usize = 256;
/// The greatest number of a page, and of a version.
pub(in crate::serve) const MAX_NUMBER: u64 = 999_999_999;
/// Numbers in a body or a parameter are not above this: every JSON reader keeps them exactly.
pub(in crate::serve) const MAX_WHOLE: u64 = (1 << 53) - 1;

/// Named values of a request.
#[derive(Debug, Clone)]
pub(in crate::serve) enum Fields {
    /// From the query string.
    Query(Vec<(String, String)>),
    /// From a JSON object.
    Body(Map<String, Value>),
}

impl Fields {
    /// Refuses fields that are not one of `known`.
    ///
    /// # Errors
    /// 400 that names the field, and the nearest of those that there are.
    pub(in crate::serve) fn only<S: Borrow<str>>(&self, known: &[S]) -> Result<(), ApiError> {
        let is_unknown = |name: &String| !known.iter().any(|known| known.borrow() == name);
        let in_query = matches!(self, Self::Query(_));
        let unknown = match self {
            Self::Query(fields) => fields.iter().map(|(name, _)| name).find(|name| is_unknown(name)),
            Self::Body(fields) => fields.keys().find(|name| is_unknown(name)),
        };
        let Some(unknown) = unknown else { return Ok(()) };
        let near = nearest(unknown, known.iter().map(Borrow::borrow));
        let reason = match (in_query, near) {
            (true, Some(_)) => ErrorReason::MisspeltParameter,
            (false, Some(_)) => ErrorReason::MisspeltField,
            (true, None) if known.is_empty() => ErrorReason::NoParameters,
            (true, None) => ErrorReason::UnknownParameter,
            (false, None) => ErrorReason::UnknownField,
        };
        let refused = ApiError::new(reason).with("given", shortened(unknown));
        Err(match near {
            Some(near) => refused.with("near", near),
            None => refused.with("known", known.join(", ")),
        })
    }

    /// The trimmed text of a field, if it was given; a number counts as its text.
    ///
    /// # Errors
    /// 400 if it is neither text nor number, or too long.
    pub(in crate::serve) fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, ApiError> {
        let text = match self {
            Self::Query(fields) => {
                fields.iter().find(|(known, _)| known == name).map(|(_, v)| Cow::Borrowed(v.as_str()))
            }
            Self::Body(fields) => match fields.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(Cow::Borrowed(text.as_str())),
                Some(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
                Some(other) => return Err(no_text(name, other)),
            },
        };
        if text.as_ref().is_some_and(|text| text.chars().nth(MAX_TEXT_CHARS).is_some()) {
            return Err(too_long(name, MAX_TEXT_CHARS));
        }
        Ok(text.map(trimmed).filter(|text| !text.is_empty()))
    }

    /// The text of a field exactly as it was given, if it is not empty. Where the form of a value counts, white space is not
    /// nothing.
    ///
    /// # Errors
    /// 400 if it is no text.
    pub(in crate::serve) fn exact(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let text = match self {
            Self::Query(fields) => fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()),
            Self::Body(fields) => match fields.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.as_str()),
                Some(other) => return Err(no_text(name, other)),
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// Whether a field was given.
    pub(in crate::serve) fn has(&self, name: &str) -> bool {
        match self {
            Self::Query(fields) => fields.iter().any(|(known, value)| known == name && !value.is_empty()),
            Self::Body(fields) => {
                !matches!(fields.get(name), None | Some(Value::Null))
                    && fields.get(name).and_then(Value::as_str) != Some("")
            }
        }
    }

    /// Texts of a field: an array of texts, or one text with commas between them; none if it was not given.
    ///
    /// # Errors
    /// 400 if it is something else, or if there are too many.
    pub(in crate::serve) fn list(&self, name: &str) -> Result<Vec<String>, ApiError> {
        let array = match self {
            Self::Body(fields) => fields.get(name).and_then(Value::as_array),
            Self::Query(_) => None,
        };
        let items: Vec<String> = match array {
            Some(items) => {
                let text = |item: &Value| match item {
                    Value::String(text) => Ok(text.to_owned()),
                    other => Err(ApiError::new(ErrorReason::ItemNotText)
                        .with("name", name)
                        .with("given", shortened(&other.to_string()))),
                };
                items.iter().take(MAX_FIELDS + 1).map(text).collect::<Result<_, _>>()?
            }
            None => match self.exact(name)? {
                Some(text) => text.split(',').take(MAX_FIELDS + 1).map(|item| item.trim().to_owned()).collect(),
                None => Vec::new(),
            },
        };
        if items.len() > MAX_FIELDS {
            return Err(ApiError::new(ErrorReason::TooManyItems).with("name", name).with("limit", MAX_FIELDS));
        }
        Ok(items)
    }

    /// Yes or no, if it was given.
    ///
    /// # Errors
    /// 400 if it is neither.
    pub(in crate::serve) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        if let Self::Body(fields) = self
            && let Some(Value::Bool(flag)) = fields.get(name)
        {
            return Ok(Some(*flag));
        }
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// Those of these fields that were given, for the audit log, each as the text that it stands for.
    pub(in crate::serve) fn given(&self, names: &[&str]) -> Details {
        names.iter().fold(Details::default(), |details, name| {
            // What is wrong is refused elsewhere, and then there is nothing to record.
            let text = self.text(name).ok().flatten().map(Cow::into_owned);
            let flag = || self.flag(name).ok().flatten();
            match text {
                Some(text) => details.with(name, text),
                None => details.with_any(name, flag()),
            }
        })
    }

    /// The whole number of a field, or `default`.
    ///
    /// # Errors
    /// 400 if it is no whole number within `range`.
    pub(in crate::serve) fn whole(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ApiError> {
        Ok(self.whole_if_given(name, range)?.unwrap_or(default))
    }

    /// The whole number of a field, if it was given.
    ///
    /// # Errors
    /// As [`Fields::whole`].
    pub(in crate::serve) fn whole_if_given(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiError> {
        let number = match self {
            Self::Body(fields) => fields.get(name).filter(|value| value.is_number()),
            Self::Query(_) => None,
        };
        let given = match number {
            Some(number) => Some(Cow::Owned(whole_text(number))),
            None => self.exact(name)?.map(Cow::Borrowed),
        };
        let Some(text) = given else { return Ok(None) };
        let number = digits(&text).filter(|number| range.contains(number)).ok_or_else(|| {
            ApiError::new(ErrorReason::NotWhole)
                .with("name", name)
                .with("least", *range.start())
                .with("most", *range.end())
                .with("given", shortened(&text))
        })?;
        Ok(Some(number))
    }

    /// A number from 0 to 1 with up to nine decimals, if it is given.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub(in crate::serve) fn share(&self, name: &str) -> Result<Option<f64>, ApiError> {
        let Some(text) = self.exact(name)? else { return Ok(None) };
        let number = share(text);
        let refused = || ApiError::new(ErrorReason::NotShare).with("name", name).with("given", shortened(text));
        number.ok_or_else(refused).map(Some)
    }

    /// [`Fields::whole`] where the number is a count of entries to return.
    ///
    /// # Errors
    /// As [`Fields::whole`].
    pub(in crate::serve) fn limit(&self, range: RangeInclusive<u64>, default: u64) -> Result<usize, ApiError> {
        Ok(self.whole("limit", range, default)? as usize)
    }

    /// The number of a page, from 1.
    ///
    /// # Errors
    /// As [`Fields::whole`].
    pub(in crate::serve) fn page(&self) -> Result<u64, ApiError> {
        self.whole("page", 1..=MAX_NUMBER, 1)
    }

    /// A range of event time from two fields. A date alone means its first second as start and its last as end.
    ///
    /// # Errors
    /// 400 if either is no time, 409 if the start is after the end: each is sound, but they contradict one another.
    pub(in crate::serve) fn range(&self, start: &str, end: &str, zone: &TimeZoneName) -> Result<TimeRange, ApiError> {
        let range = TimeRange { start: self.time(start, false, zone)?, end: self.time(end, true, zone)? };
        match (range.start, range.end) {
            (Some(first), Some(last)) if first > last => {
                let reversed = ApiError::new(ErrorReason::RangeReversed).with("start", start).with("end", end);
                Err(reversed.with("first", first.to_string()).with("last", last.to_string()))
            }
            _ => Ok(range),
        }
    }

    fn time(&self, name: &str, is_end: bool, zone: &TimeZoneName) -> Result<Option<CivilTime>, ApiError> {
        // Nothing but blanks is no filter, as "" is.
        let Some(text) = self.exact(name)?.map(str::trim_end).filter(|text| !text.is_empty()) else { return Ok(None) };
        let date_only = !text.contains([':', 'T']);
        let parsed = CivilTime::parse(text.as_bytes(), zone)
            // NOTE: an offset's `+` that was not percent-encoded arrives as a space.
            .or_else(|| {
                text.contains('T').then(|| CivilTime::parse(text.replace(' ', "+").as_bytes(), zone)).flatten()
            });
        match parsed {
            Some(time) if date_only && is_end => Ok(Some(CivilTime(time.0.saturating_add(SECONDS_PER_DAY - 1)))),
            Some(time) => Ok(Some(time)),
            None => Err(ApiError::new(ErrorReason::NotTime).with("name", name).with("given", shortened(text))),
        }
    }

    /// One of the values of an enum, by its name, if it was given.
    ///
    /// # Errors
    /// 400 that lists the choices.
    pub(in crate::serve) fn named<T: Named>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let choices: Vec<(&str, T)> = T::ALL.iter().map(|value| (value.name(), *value)).collect();
        self.choice(name, &choices)
    }

    /// Whether a field that takes one word only has it.
    ///
    /// # Errors
    /// 400 if it is something else.
    pub(in crate::serve) fn is_word(&self, name: &str, word: &str) -> Result<bool, ApiError> {
        Ok(self.choice(name, &[(word, ())])?.is_some())
    }

    /// One of several named choices, if it was given.
    ///
    /// # Errors
    /// 400 that lists the choices.
    fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(text) = self.exact(name)? else { return Ok(None) };
        match choices.iter().find(|(known, _)| *known == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
                let refused = ApiError::new(ErrorReason::NotChoice).with("name", name);
                Err(refused.with("known", known.join(", ")).with("given", shortened(text)))
            }
        }
    }
}

/// 400 for a text of more than `limit` characters.
pub(in crate::serve) fn too_long(name: &str, limit: usize) -> ApiError {
    ApiError::new(ErrorReason::TextTooLong).with("name", name).with("limit", limit)
}

/// A number from 0 to 1 as digits, with up to nine decimals.
fn share(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits = (1..=9).contains(&decimals.len()) && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| are_digits && matches!(whole, "0" | "1"))?;
    (number <= 1.0).then_some(number)
}

fn no_text(name: &str, value: &Value) -> ApiError {
    ApiError::new(ErrorReason::NotText).with("name", name).with("given", shortened(&value.to_string()))
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        owned @ Cow::Owned(_) => owned,
    }
}

/// The digits of a JSON number; 10.0 is whole too.
fn whole_text(number: &Value) -> String {
    match number.as_f64() {
        Some(value) if !number.is_u64() && value.fract() == 0.0 && (0.0..=MAX_WHOLE as f64).contains(&value) => {
            format!("{value:.0}")
        }
        _ => number.to_string(),
    }
}

/// The value of a text of decimal digits.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Seconds of a civil day.
pub(in crate::serve) const SECONDS_PER_DAY: i64 = 86_400;

/// What the caller wrote, quoted and short enough for a message.
pub(in crate::serve) fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    match text.char_indices().nth(MAX_CHARS) {
        Some((cut, _)) => format!("{:?}…", text.get(..cut).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
