//! Advice for a user whose lines have more or fewer fields than there are columns: which option helps.

use traffic::{ColumnAdvice, Delimiter};

/// The advice in words. `file` is the name of what the lines came from.
pub(super) fn sentence(file: &str, advice: &ColumnAdvice) -> String {
    let ColumnAdvice { lines, wrong, expected, fields, .. } = advice;
    let which = format!("{wrong} of the first {lines} lines of {file} do not have {expected} columns");
    let Some(delimiter) = advice.delimiter else {
        return format!(
            "{which}: most of them hold no TAB, comma, semicolon or |; see that it is a table, and give its character set \
             with --encoding (source.encoding)"
        );
    };
    let separator = match delimiter {
        Delimiter::Tab => "TAB",
        Delimiter::Comma => "comma",
        Delimiter::Semicolon => "semicolon",
        Delimiter::Pipe => "|",
    };
    if advice.told.is_some_and(|told| told != delimiter) {
        return format!(
            "{which}: most of them have {fields} fields separated by {separator}; give --delimiter {} (source.delimiter), or \
             leave it out",
            delimiter.as_str()
        );
    }
    format!(
        "{which}: most of them have {fields} fields separated by {separator}; name all of these columns in their order with \
         --columns (source.columns), those that are not needed by any name"
    )
}
