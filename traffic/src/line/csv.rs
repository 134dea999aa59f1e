//! One line of text to fields, with quotes around some of them.
//!
//! Quotes count only where a field begins. Within quotes a doubled quote is a quote; text after the closing quote
//! belongs to the field as it stands; a quote that is never closed runs to the end of the line. Python's `csv.reader`
//! and most spreadsheet programs read the same way. A field never crosses a line here.

use std::borrow::Cow;

/// Splits a line (without its line ending) at commas. There is always at least one field.
pub(crate) fn split_csv(line: &str) -> Vec<Cow<'_, str>> {
    split_quoted_at(line, ',')
}

/// Splits a line (without its line ending) at an ASCII separator. There is always at least one field.
pub(super) fn split_quoted_at(line: &str, separator: char) -> Vec<Cow<'_, str>> {
    let mut fields = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let (field, after) = match text.strip_prefix('"') {
            Some(quoted) => split_quoted(quoted, separator),
            None => {
                let (field, after) = split_plain(text, separator);
                (Cow::Borrowed(field), after)
            }
        };
        fields.push(field);
        rest = after;
    }
    fields
}

fn split_plain(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((field, after)) => (field, Some(after)),
        None => (text, None),
    }
}

/// Splits off a field whose opening quote is already removed.
fn split_quoted(mut text: &str, separator: char) -> (Cow<'_, str>, Option<&str>) {
    let mut field = String::new();
    loop {
        let Some((inside, after)) = text.split_once('"') else {
            field.push_str(text);
            return (Cow::Owned(field), None);
        };
        field.push_str(inside);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                text = after;
            }
            None => {
                let (tail, after) = split_plain(after, separator);
                field.push_str(tail);
                return (Cow::Owned(field), after);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        // Expected values are what Python 3.11's csv.reader returns.
        for (line, expected) in [
            ("", &[""][..]),
            ("a", &["a"]),
            ("a,", &["a", ""]),
            (",", &["", ""]),
            ("a,b c,d", &["a", "b c", "d"]),
            (r#""a,b",c"#, &["a,b", "c"]),
            (r#""a""b",c"#, &["a\"b", "c"]),
            (r#""a"b,c"#, &["ab", "c"]),
            (r#""a"b"c,d"#, &["ab\"c", "d"]),
            (r#"a"b,c"#, &["a\"b", "c"]),
            (r#" "a,b""#, &[" \"a", "b\""]),
            (r#""a,b"#, &["a,b"]),
            (r#"a,""#, &["a", ""]),
            (r#""""#, &[""]),
            (r#""""a,b"#, &["\"a,b"]),
            (r#""""""",b"#, &["\"\"", "b"]),
            (
                r#"'G'||GCXH,FXLX,"TO_CHAR(GCSJ,'YYYY-MM-DDHH24:M",HPZL"#,
                &["'G'||GCXH", "FXLX", "TO_CHAR(GCSJ,'YYYY-MM-DDHH24:M", "HPZL"],
            ),
        ] {
            assert_eq!(split_csv(line), expected, "{line}");
            let other: Vec<_> = expected.iter().map(|field| field.replace(',', ";")).collect();
            assert_eq!(split_quoted_at(&line.replace(',', ";"), ';'), other, "{line}");
        }
    }
}
