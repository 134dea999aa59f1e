//! What an entry says about a request, in the form in which the request was understood: the plate that was searched for, the
//! range of time. It does not know which request has which details.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;

use serde::{Deserialize, Serialize};

/// One detail. There are no fractions: their texts are not the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Detail {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
}

impl Detail {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Detail {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u64> for Detail {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<String>> for Detail {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

/// The details of an entry, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Details(BTreeMap<String, Detail>);

impl Details {
    /// The detail that holds a plate, or a pattern of plates.
    pub const PLATE: &'static str = "hphm";

    /// Adds a detail, or replaces it.
    #[must_use]
    pub fn with(mut self, name: &str, detail: impl Into<Detail>) -> Self {
        self.0.insert(name.to_owned(), detail.into());
        self
    }

    /// Adds a detail where there is one.
    #[must_use]
    pub fn with_any(self, name: &str, detail: Option<impl Into<Detail>>) -> Self {
        match detail {
            Some(detail) => self.with(name, detail),
            None => self,
        }
    }

    /// The same details with other texts: `map` gets the name of a detail and each text of it.
    #[must_use]
    pub fn map_texts(self, map: impl Fn(&str, &str) -> String) -> Self {
        let other = |name: &str, detail| match detail {
            Detail::Text(text) => Detail::Text(map(name, &text)),
            Detail::Texts(texts) => Detail::Texts(texts.iter().map(|text| map(name, text)).collect()),
            same @ (Detail::Flag(_) | Detail::Number(_)) => same,
        };
        let others = self.0.into_iter().map(|(name, detail)| {
            let detail = other(&name, detail);
            (name, detail)
        });
        Self(others.collect())
    }

    /// A detail.
    pub fn get(&self, name: &str) -> Option<&Detail> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_, String, Detail> {
        self.0.iter()
    }

    pub(super) fn canonical(&self) -> String {
        // Texts and whole numbers in a map of texts can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_replaced_by_its_name() {
        let details = Details::default().with("a", "x").with("b", vec!["y".to_owned(), "z".to_owned()]).with("c", 1);
        let other = details.map_texts(|name, text| format!("{name}{text}"));
        assert_eq!(other.canonical(), r#"{"a":"ax","b":["by","bz"],"c":1}"#);
    }

    #[test]
    fn details_are_written_in_one_way() {
        let details = Details::default()
            .with("page", 2)
            .with("hphm", "苏C*88")
            .with("excel", true)
            .with("columns", vec!["GCSJ".to_owned()])
            .with_any("kkmc", None::<String>);
        assert_eq!(details.canonical(), r#"{"columns":["GCSJ"],"excel":true,"hphm":"苏C*88","page":2}"#);
        assert_eq!(serde_json::from_str::<Details>(&details.canonical()).unwrap(), details);
        assert_eq!(details.get(Details::PLATE).and_then(Detail::text), Some("苏C*88"));
        assert!(serde_json::from_str::<Details>(r#"{"share":0.5}"#).is_err(), "no fractions");
    }
}
