//! Statements that insert rows: pure, from the rows' values as literals to SQL text under the limit of MyCat. It knows no
//! table.

use crate::mysql::{MAX_STATEMENT_BYTES, push_text};

/// What stands before and behind the rows of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// `INSERT INTO … VALUES `.
    pub(super) head: String,
    /// ` ON DUPLICATE KEY UPDATE …`: what is done to a row that is there already.
    pub(super) tail: String,
}

impl Form {
    /// The statement that writes these rows, each a list of values in parentheses.
    pub(super) fn statement<T: AsRef<str>>(&self, rows: &[T]) -> String {
        let bytes = rows.iter().map(|row| row.as_ref().len() + 1).sum::<usize>();
        let mut statement = String::with_capacity(self.head.len() + bytes + self.tail.len());
        statement.push_str(&self.head);
        for (position, row) in rows.iter().enumerate() {
            if position > 0 {
                statement.push(',');
            }
            statement.push_str(row.as_ref());
        }
        statement.push_str(&self.tail);
        statement
    }

    /// How many of `rows` go into one statement: those that keep it under the limit, and at least one.
    pub(super) fn fitting<T: AsRef<str>>(&self, rows: &[T]) -> usize {
        let mut bytes = self.head.len() + self.tail.len();
        let fits = |row: &&T| {
            bytes += row.as_ref().len() + 1;
            bytes <= MAX_STATEMENT_BYTES
        };
        rows.iter().take_while(fits).count().max(1).min(rows.len())
    }
}

/// A value of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Literal<'a> {
    Text(&'a str),
    Whole(i64),
    /// NULL without one.
    Number(Option<f64>),
    /// NULL without one.
    Name(Option<&'a str>),
}

/// Values as a list in parentheses.
pub(super) fn tuple<const N: usize>(values: [Literal<'_>; N]) -> String {
    let mut text = String::from("(");
    for (position, value) in values.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        match value {
            Literal::Text(value) | Literal::Name(Some(value)) => push_text(&mut text, value),
            Literal::Whole(value) => text.push_str(&value.to_string()),
            // With an exponent it is not a decimal number that the server would have to convert.
            Literal::Number(Some(value)) => text.push_str(&format!("{value:e}")),
            Literal::Number(None) | Literal::Name(None) => text.push_str("NULL"),
        }
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_statement() {
        let form =
            Form { head: "INSERT INTO t (a) VALUES ".to_owned(), tail: " ON DUPLICATE KEY UPDATE a=a".to_owned() };
        let row = tuple([
            Literal::Text("it's"),
            Literal::Whole(-7),
            Literal::Number(Some(0.9712)),
            Literal::Number(None),
            Literal::Name(Some("clone")),
            Literal::Name(None),
        ]);
        assert_eq!(row, "('it''s',-7,9.712e-1,NULL,'clone',NULL)");
        assert_eq!(form.statement(&["(1)", "(2)"]), "INSERT INTO t (a) VALUES (1),(2) ON DUPLICATE KEY UPDATE a=a");
    }

    #[test]
    fn a_statement_stays_under_the_limit() {
        let form = Form { head: "h".to_owned(), tail: "t".to_owned() };
        let rows = vec!["x".repeat(100_000); 20];
        let count = form.fitting(&rows);
        assert_eq!(count, 8);
        assert!(form.statement(&rows[..count]).len() <= MAX_STATEMENT_BYTES);
        assert!(form.statement(&rows[..=count]).len() > MAX_STATEMENT_BYTES);
        assert_eq!((form.fitting(&["x".repeat(2_000_000)]), form.fitting::<&str>(&[])), (1, 0));
    }
}
