//! Plate patterns: packed and unpacked plates are found as the textbook finds them.

use shard::PlatePattern;
use traffic::{PlateCode, normalise_plate};

use super::outcome::{outcome, size};

/// Input: a pattern, a line feed, a plate.
pub(super) fn run(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let (pattern, plate) = text.split_once('\n').unwrap_or((&text, "苏C12345"));
    // As it is stored: an empty plate is `-`.
    let plate = normalise_plate(plate).into_owned();
    let wanted = normalise_plate(pattern).into_owned();
    assert_eq!(normalise_plate(&plate), plate, "it is another one when it is normalised again");
    let code = PlateCode::pack(&plate);
    assert!(code.is_odd() || code.unpack() == plate, "{plate:?} is another one unpacked");

    let compiled = PlatePattern::compile(pattern);
    let found = compiled.matches(code, &plate);
    let is_empty = wanted == "-" && !pattern.contains(['-', '－', '﹣']);
    let (symbols, characters): (Vec<char>, Vec<char>) = (wanted.chars().collect(), plate.chars().collect());
    let expected = is_empty || contains(&symbols, &characters);
    assert_eq!(found, expected, "{pattern:?} in {plate:?}");
    assert!(!compiled.is_any() || found, "{pattern:?} finds any plate, and not {plate:?}");

    let exact = PlatePattern::exact(pattern).matches(code, &plate);
    assert_eq!(exact, wanted == plate, "{pattern:?} is exactly {plate:?}");
    outcome((
        found,
        exact,
        code.is_odd(),
        wanted.matches('*').count().min(4),
        wanted.matches('?').count().min(4),
        size(wanted.len()),
    ))
}

/// Whether a part of `text` is what `pattern` says: `*` is any run, `?` one character. By a table, which takes no longer for any.
fn contains(pattern: &[char], text: &[char]) -> bool {
    // Which beginnings of the text end with what was read of the pattern; it may start anywhere.
    let mut ends = vec![true; text.len() + 1];
    for symbol in pattern {
        let mut next = Vec::with_capacity(ends.len());
        let mut any = false;
        for at in 0..=text.len() {
            let before = at.checked_sub(1);
            let one = before.is_some_and(|before| {
                ends.get(before) == Some(&true) && (*symbol == '?' || text.get(before) == Some(symbol))
            });
            any |= ends.get(at) == Some(&true);
            next.push(if *symbol == '*' { any } else { one });
        }
        ends = next;
    }
    ends.contains(&true)
}
