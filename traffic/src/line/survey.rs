//! What the first lines of a source look like if hardly any of them has the right number of fields: so that a user sees
//! which option is missing, instead of a million rejects.

use std::collections::BTreeMap;

use super::fields::split;
use super::form::Delimiter;

/// How many lines are looked at.
const LINES: u64 = 1_000;

/// Over 90 % of the first lines have another number of fields than there are columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAdvice {
    /// Lines looked at.
    pub lines: u64,
    /// Those with another number of fields.
    pub wrong: u64,
    /// How many fields there should be.
    pub expected: usize,
    /// How many fields most of them have; 1 if they hold no separator.
    pub fields: usize,
    /// What separates those fields.
    pub delimiter: Option<Delimiter>,
    /// The configured separator, if it is not that one.
    pub told: Option<Delimiter>,
}

#[derive(Debug, Default)]
pub(super) struct Survey {
    lines: u64,
    wrong: u64,
    /// How many lines a separator, by its place in [`Delimiter::ALL`], splits into how many fields.
    counts: BTreeMap<(usize, usize), u64>,
    said: bool,
}

impl Survey {
    /// Counts a line.
    pub(super) fn count_line(&mut self) {
        self.lines += 1;
    }

    /// Whether the next line is still looked at.
    pub(super) fn is_open(&self) -> bool {
        self.lines <= LINES
    }

    /// Takes note of a line that was rejected for its number of fields.
    pub(super) fn see_wrong(&mut self, line: &str) {
        self.wrong += 1;
        for (index, delimiter) in Delimiter::ALL.into_iter().enumerate() {
            let fields = split(line, delimiter).len();
            if fields > 1 {
                *self.counts.entry((index, fields)).or_default() += 1;
            }
        }
    }

    /// The advice, once, if the lines need one: as soon as enough of them were seen, or at the end of them.
    pub(super) fn take_advice(
        &mut self,
        ended: bool,
        expected: usize,
        told: Option<Delimiter>,
    ) -> Option<ColumnAdvice> {
        let seen = self.lines.min(LINES);
        if self.said || seen == 0 || !(ended || self.lines >= LINES) {
            return None;
        }
        self.said = true;
        if self.wrong * 10 <= seen * 9 {
            return None;
        }
        // The most frequent form; of equally frequent ones that with more fields.
        let most = self.counts.iter().max_by_key(|((_, fields), count)| (**count, *fields));
        let found = most.filter(|(_, count)| **count * 2 > self.wrong);
        let (fields, delimiter) =
            found.map_or((1, None), |((index, fields), _)| (*fields, Delimiter::ALL.get(*index).copied()));
        Some(ColumnAdvice { lines: seen, wrong: self.wrong, expected, fields, delimiter, told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(lines: &[&str], ended: bool) -> Option<ColumnAdvice> {
        let mut survey = Survey::default();
        for line in lines {
            survey.count_line();
            if survey.is_open() && line.split(',').count() != 3 {
                survey.see_wrong(line);
            }
        }
        survey.take_advice(ended, 3, None)
    }

    #[test]
    fn advice_comes_where_nearly_all_lines_are_wrong() {
        let wrong = ColumnAdvice {
            lines: 1000,
            wrong: 1000,
            expected: 3,
            fields: 4,
            delimiter: Some(Delimiter::Semicolon),
            told: None,
        };
        assert_eq!(advice(&["a;b;c;d,e"; 2000], false), Some(wrong.clone()));
        assert_eq!(advice(&["a;b;c;d,e"; 10], true), Some(ColumnAdvice { lines: 10, wrong: 10, ..wrong.clone() }));
        assert_eq!(advice(&["a;b;c;d,e"; 10], false), None);
        assert_eq!(advice(&[], true), None);
        let mixed: Vec<_> = (0..1000).map(|n| if n % 10 == 0 { "a,b,c" } else { "a" }).collect();
        assert_eq!(advice(&mixed, false), None);
        let plain = advice(&["title"; 5], true).map(|advice| (advice.fields, advice.delimiter));
        assert_eq!(plain, Some((1, None)));
    }
}
