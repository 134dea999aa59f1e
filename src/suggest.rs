//! "Did you mean": the known name that is nearest to a mistyped one. It does not know what the names are for.

use strsim::osa_distance;

/// No name is nearly so long; what is longer is near to none, and costs nothing to compare.
const LONGEST_GIVEN: usize = 64;

/// The one of `names` that `given` was probably meant to be: at most a third of its letters are wrong. A swap of
/// neighbours is one mistake (optimal string alignment).
pub(crate) fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.chars().nth(LONGEST_GIVEN).is_some() {
        return None;
    }
    let given = given.to_lowercase().replace('-', "_");
    let allowed = (given.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (osa_distance(&given, &name.replace('-', "_")), name))
        .filter(|(wrong, _)| *wrong <= allowed)
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, name)| name)
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
            assert_eq!(osa_distance(left, right), expected, "{left} {right}");
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
