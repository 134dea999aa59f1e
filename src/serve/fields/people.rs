//! Values that people read, and lists of named choices. It does not know which endpoint asks.

use super::values::{Fields, shortened, too_long};
use crate::plain;
use crate::serve::codes::Named;
use crate::serve::error::{ApiError, ErrorReason};

impl Fields {
    /// The trimmed text of a field that is shown to others, if it was given.
    ///
    /// # Errors
    /// 400 if it is no text, has more than `limit` characters, or holds one that does more than show itself.
    pub(in crate::serve) fn visible(&self, name: &'static str, limit: usize) -> Result<Option<String>, ApiError> {
        let Some(text) = self.exact(name)? else { return Ok(None) };
        if text.chars().nth(limit).is_some() {
            return Err(too_long(name, limit));
        }
        no_hazard(name, text)?;
        Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// Values of an enum by their names, if the field was given.
    ///
    /// # Errors
    /// 400 if there is none in it, or one that does not exist.
    pub(in crate::serve) fn names<T: Named>(&self, name: &'static str) -> Result<Option<Vec<T>>, ApiError> {
        if !self.has(name) {
            return Ok(None);
        }
        let one = |text: String| {
            T::ALL.iter().copied().find(|value| value.name() == text).ok_or_else(|| {
                let known: Vec<&str> = T::ALL.iter().map(|value| value.name()).collect();
                let refused = ApiError::new(ErrorReason::NotChoice).with("name", name);
                refused.with("known", known.join(", ")).with("given", shortened(&text))
            })
        };
        let values = self.list(name)?.into_iter().map(one).collect::<Result<Vec<T>, _>>()?;
        match values.is_empty() {
            true => Err(ApiError::new(ErrorReason::MissingField).with("name", name)),
            false => Ok(Some(values)),
        }
    }
}

/// Names and notes are shown to others, so control characters and bidirectional marks are refused.
///
/// # Errors
/// 400 that names the field and the character.
pub(in crate::serve) fn no_hazard(name: &str, text: &str) -> Result<(), ApiError> {
    match text.chars().find(|character| plain::is_hazard(*character)) {
        Some(character) => Err(ApiError::new(ErrorReason::ControlCharacter)
            .with("name", name)
            .with("given", format!("U+{:04X}", u32::from(character)))),
        None => Ok(()),
    }
}
