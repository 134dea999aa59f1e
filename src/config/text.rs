//! Values as TOML text, and the messages about invalid values.
//!
//! This module knows no setting and no type of settings.

use toml::de::DeValue;

use crate::suggest::nearest;

/// `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// `"a", "b" or "c"`.
pub(super) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The message for a word that is not one of `words`.
pub(super) fn no_choice(given: &str, words: &[&str]) -> String {
    let hint = nearest(given, words.iter().copied())
        .map(|word| format!("did you mean {}? ", quoted(word)))
        .unwrap_or_default();
    format!("{} is not one of the choices; {hint}write {}", quoted(given), alternatives(words))
}

/// The text of a TOML string, or a message that says what was expected.
pub(super) fn text_of<'a>(value: &'a DeValue<'_>, expected: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| mismatch(value, expected))
}

/// The message for a value of the wrong TOML type.
pub(super) fn mismatch(value: &DeValue<'_>, expected: &str) -> String {
    let found = match value {
        DeValue::String(text) => format!("the text {}", quoted(text)),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    };
    format!("{found} does not fit here; write {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_listed() {
        assert_eq!(alternatives(&["a"]), "\"a\"");
        assert_eq!(alternatives(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
        assert_eq!(
            no_choice("simulater", &["capture", "simulator"]),
            "\"simulater\" is not one of the choices; did you mean \"simulator\"? write \"capture\" or \"simulator\""
        );
    }
}
