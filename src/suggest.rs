//! "Did you mean": the known name that is nearest to a mistyped one. It does not know what the names are for.

/// No name is nearly so long; what is longer is near to none, and costs nothing to compare.
const LONGEST_GIVEN: usize = 64;

/// The one of `names` that `given` was probably meant to be: at most a third of its letters are wrong.
pub(crate) fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.chars().nth(LONGEST_GIVEN).is_some() {
        return None;
    }
    let given = given.to_lowercase().replace('-', "_");
    let allowed = (given.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(&given, &name.replace('-', "_")), name))
        .filter(|(wrong, _)| *wrong <= allowed)
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, name)| name)
}

/// Levenshtein's distance, a swap of neighbours counting as one (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in left.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, &other) in right.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, column) + usize::from(letter != other))
                .min(at(&above, column + 1) + 1)
                .min(at(&line, column) + 1);
            let earlier = column.checked_sub(1).and_then(|column| right.get(column));
            if let Some(earlier) = earlier
                && previous_letter == Some(other)
                && *earlier == letter
            {
                best = best.min(at(&before, column - 1) + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
        previous_letter = Some(letter);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kind", "kind", 0),
            ("knid", "kind", 1),
            ("windw", "window", 1),
            ("listen", "silent", 4),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn near_misses_are_found_and_strangers_are_not() {
        let names = ["retention", "memory", "sync", "max_names"];
        assert_eq!(nearest("retension", names), Some("retention"));
        assert_eq!(nearest("max-names", names), Some("max_names"));
        assert_eq!(nearest("Memory", names), Some("memory"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn a_very_long_name_is_near_to_none_and_costs_nothing() {
        let names = ["retention"; 32];
        let long = "retention".repeat(1 << 20);
        let started = std::time::Instant::now();
        for _ in 0..1000 {
            assert_eq!(nearest(&long, names), None);
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(1));
    }
}
