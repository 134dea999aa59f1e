//! A line's fields as they stand, for uses where speed does not matter: advice and displayed texts.

use std::borrow::Cow;

use super::csv;
use super::form::Delimiter;

/// One field of a line with `columns` fields, as it stands; none if no separator, or not the one that is `told`, splits
/// the line so.
pub fn field_of(line: &str, told: Option<Delimiter>, columns: usize, place: usize) -> Option<Cow<'_, str>> {
    let candidates = Delimiter::ALL.into_iter().filter(|delimiter| told.is_none_or(|told| told == *delimiter));
    let fields = candidates.map(|delimiter| split(line, delimiter)).find(|fields| fields.len() == columns);
    fields?.into_iter().nth(place)
}

/// The fields of a line, as they stand.
pub(super) fn split(line: &str, delimiter: Delimiter) -> Vec<Cow<'_, str>> {
    match delimiter {
        Delimiter::Tab => line.split('\t').map(Cow::Borrowed).collect(),
        other => csv::split_quoted_at(line, char::from(other.as_byte())),
    }
}
