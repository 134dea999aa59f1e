//! Finding a plate by a part of it, on packed codes wherever that is possible.
//!
//! A pattern is text that a plate must contain, with `*` for any run of characters (also none) and `?` for exactly one.
//! It is not anchored: `C123` finds 苏C12345. A plate that holds a `*` itself, because the source masked it, is found by
//! a `*` like any other. It does not know segments.

use traffic::{LongPseudonym, PSEUDONYM_MARK, PlateCode, normalise_plate};

use crate::PlateFilter;
use crate::filter::is_province;

/// A compiled plate pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatePattern(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// This plate and no other.
    Exact { code: u64, text: String },
    /// These runs, in this order, with anything before, between and after them. No run: every plate.
    Contains(Vec<Run>),
}

/// Adjacent characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    /// None is any one character.
    characters: Vec<Option<char>>,
    /// The run over packed codes; none if no packed plate can hold it.
    coded: Option<CodedRun>,
}

/// `(code >> 8 × place) & mask == value` if a packed plate has the run at `place`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CodedRun {
    mask: u64,
    value: u64,
    /// The least shifted code: not 0 if the run ends with a `?`, which must not lie after the plate's end.
    least: u64,
    length: u32,
}

impl PlatePattern {
    /// Compiles what a user searches for; it is normalised as plates are. An empty text finds every plate.
    pub fn compile(text: &str) -> Self {
        let normal = normalise_plate(text);
        if is_pseudonym(&normal) {
            return Self::exact(&normal);
        }
        // NOTE: an empty plate is stored as `-`, but an empty search is not a search for `-`.
        if normal == "-" && !text.contains(['-', '－', '﹣']) {
            return Self(Kind::Contains(Vec::new()));
        }
        Self(Kind::Contains(normal.split('*').filter(|run| !run.is_empty()).map(Run::new).collect()))
    }

    /// Finds this plate alone: no wildcards, and nothing before or after it.
    pub fn exact(text: &str) -> Self {
        let text = normalise_plate(text).into_owned();
        Self(Kind::Exact { code: PlateCode::pack(&text).as_u64(), text })
    }

    /// Whether the pattern finds a plate; a part of a pseudonym finds nothing. `odd_text` is looked at only if the code is odd.
    pub fn matches(&self, plate: PlateCode, odd_text: &str) -> bool {
        if plate.is_odd() {
            return self.matches_text(odd_text);
        }
        match &self.0 {
            Kind::Exact { code, .. } => *code == plate.as_u64(),
            Kind::Contains(runs) if plate.is_pseudonym() => runs.is_empty(),
            Kind::Contains(runs) => {
                let mut rest = plate.as_u64();
                runs.iter().all(|run| run.coded.is_some_and(|run| run.skip_past(&mut rest)))
            }
        }
    }

    fn matches_text(&self, plate: &str) -> bool {
        match &self.0 {
            Kind::Exact { text, .. } => text == plate,
            Kind::Contains(runs) => {
                let characters: Vec<char> = plate.chars().collect();
                let mut rest = characters.as_slice();
                runs.iter().all(|run| run.skip_past(&mut rest))
            }
        }
    }

    /// Whether the pattern finds every plate.
    pub fn is_any(&self) -> bool {
        matches!(&self.0, Kind::Contains(runs) if runs.is_empty())
    }

    /// How many characters a plate must share with the pattern: the more, the fewer plates it finds.
    pub(crate) fn literals(&self) -> usize {
        match &self.0 {
            Kind::Exact { text, .. } => text.chars().count(),
            Kind::Contains(runs) => runs.iter().flat_map(|run| &run.characters).flatten().count(),
        }
    }

    /// Whether a plate that the pattern finds may be in the filter.
    pub(crate) fn may_be_in(&self, filter: &PlateFilter) -> bool {
        match &self.0 {
            Kind::Exact { code, .. } => filter.may_contain(PlateCode::from_u64(*code)),
            // The filter knows runs of eight symbols, and of seven that start with a province.
            Kind::Contains(runs) => runs.iter().all(|run| match run.coded {
                Some(run) if run.is_filtered() => filter.may_contain(PlateCode::from_u64(run.value)),
                _ => true,
            }),
        }
    }

    /// Keeps the marks (1) of the rows whose packed plate is found, and clears all others, odd plates' too.
    pub(crate) fn mark_packed(&self, codes: &[u64], marks: &mut [u8]) {
        match &self.0 {
            Kind::Exact { code, .. } => keep(codes, marks, |plate| plate == *code),
            Kind::Contains(runs) => match runs.as_slice() {
                [] => keep(codes, marks, |_| true),
                [Run { coded: None, .. }] => marks.fill(0),
                // A pseudonym's code holds no symbols.
                [Run { coded: Some(run), .. }] if run.least == 0 => run.mark(codes, marks),
                _ => keep(codes, marks, |plate| self.matches(PlateCode::from_u64(plate), "")),
            },
        }
    }
}

/// Whether a normal text is the pseudonym of a plate.
fn is_pseudonym(text: &str) -> bool {
    text.contains(PSEUDONYM_MARK) && (PlateCode::pack(text).is_pseudonym() || LongPseudonym::parse(text).is_some())
}

/// Keeps a mark where the plate is packed and `test` holds. Written without a branch, so that it becomes vector code.
#[inline]
fn keep(codes: &[u64], marks: &mut [u8], test: impl Fn(u64) -> bool) {
    for (mark, &code) in marks.iter_mut().zip(codes) {
        *mark &= u8::from(test(code)) & u8::from(code >> 63 == 0);
    }
}

impl Run {
    fn new(text: &str) -> Self {
        let characters: Vec<_> = text.chars().map(|c| (c != '?').then_some(c)).collect();
        let coded = CodedRun::new(&characters);
        Self { characters, coded }
    }

    /// Moves `rest` past the first place of the run; false if there is none.
    fn skip_past(&self, rest: &mut &[char]) -> bool {
        let same = |window: &[char]| {
            window.iter().zip(&self.characters).all(|(here, wanted)| wanted.is_none_or(|wanted| wanted == *here))
        };
        let Some(place) = rest.windows(self.characters.len()).position(same) else { return false };
        *rest = rest.get(place + self.characters.len()..).unwrap_or(&[]);
        true
    }
}

impl CodedRun {
    fn new(characters: &[Option<char>]) -> Option<Self> {
        if characters.is_empty() || characters.len() > 8 {
            return None;
        }
        let (mut mask, mut value) = (0, 0);
        for (place, character) in characters.iter().enumerate() {
            if let Some(character) = character {
                mask |= 0xff << (8 * place);
                value |= u64::from(PlateCode::symbol_of(*character)?) << (8 * place);
            }
        }
        let ends_with_hole = characters.last() == Some(&None);
        let least = if ends_with_hole { 1 << (8 * (characters.len() - 1)) } else { 0 };
        Some(Self { mask, value, least, length: characters.len() as u32 })
    }

    /// Whether the plate filter has this run as a key.
    fn is_filtered(&self) -> bool {
        match self.length {
            8 => self.mask == u64::MAX,
            7 => self.mask == u64::MAX >> 8 && is_province(self.value as u8),
            _ => false,
        }
    }

    /// Moves `rest` past the first place of the run; false if there is none.
    #[inline]
    fn skip_past(&self, rest: &mut u64) -> bool {
        for place in 0..=8 - self.length {
            let here = *rest >> (8 * place);
            if here & self.mask == self.value && here >= self.least {
                *rest = here.checked_shr(8 * self.length).unwrap_or(0);
                return true;
            }
        }
        false
    }

    fn mark(&self, codes: &[u64], marks: &mut [u8]) {
        match self.length {
            1 => self.mark_at::<8>(codes, marks),
            2 => self.mark_at::<7>(codes, marks),
            3 => self.mark_at::<6>(codes, marks),
            4 => self.mark_at::<5>(codes, marks),
            5 => self.mark_at::<4>(codes, marks),
            6 => self.mark_at::<3>(codes, marks),
            7 => self.mark_at::<2>(codes, marks),
            _ => self.mark_at::<1>(codes, marks),
        }
    }

    fn mark_at<const PLACES: usize>(&self, codes: &[u64], marks: &mut [u8]) {
        let (mask, value) = (self.mask, self.value);
        keep(codes, marks, |code| {
            let mut found = false;
            for place in 0..PLACES {
                found |= (code >> (8 * place)) & mask == value;
            }
            found & !PlateCode::from_u64(code).is_pseudonym()
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, plate: &str, expected: bool) {
        let compiled = PlatePattern::compile(pattern);
        let code = PlateCode::pack(plate);
        assert_eq!(compiled.matches(code, plate), expected, "{pattern} in {plate}");
        assert_eq!(compiled.matches_text(plate), expected, "{pattern} in the text {plate}");
        let mut marks = [1];
        compiled.mark_packed(&[code.as_u64()], &mut marks);
        assert_eq!(marks[0] == 1, expected && !code.is_odd(), "{pattern} marked in {plate}");
    }

    #[test]
    fn finds_what_a_user_means() {
        for (pattern, plate, expected) in [
            ("C123", "苏C12345", true),
            ("c１23", "苏C12345", true),
            ("苏C·123 45", "苏C12345", true),
            ("C124", "苏C12345", false),
            ("苏C12345", "苏C12345", true),
            ("苏C12345", "苏C12345D", true),
            ("苏C12345D", "苏C12345", false),
            ("苏CD12345", "苏CD12345", true),
            ("5", "苏C12345", true),
            ("6", "苏C12345", false),
            ("苏?12345", "苏C12345", true),
            ("C?3", "苏C12345", false),
            ("C?2", "苏C12345", true),
            ("?苏", "苏C12345", false),
            ("5?", "苏C12345", false),
            ("4?", "苏C12345", true),
            ("4？", "苏C12345", true),
            ("???????", "苏C12345", true),
            ("????????", "苏C12345", false),
            ("?????????", "苏C12345", false),
            ("苏*45", "苏C12345", true),
            ("苏*45", "苏C12354", false),
            ("45*苏", "苏C12345", false),
            ("12*23", "苏C12345", false),
            ("1*3*5", "苏C12345", true),
            ("1*?*5", "苏C12345", true),
            ("3*?4", "苏C12345", false),
            ("*45*", "苏C12345", true),
            ("***", "苏C12345", true),
            ("", "苏C12345", true),
            ("  ", "-", true),
            ("-", "苏C12345", false),
            ("-", "-***", true),
            ("苏CDM***", "苏CDM***", true),
            ("苏CDM*", "苏CDM***", true),
            ("M?*", "苏CDM***", true),
            ("CZ?*?", "苏宁CZ***", true),
            ("无牌", "无牌", true),
            ("无?", "无牌", true),
            ("牌", "无牌车", true),
            ("牌?", "无牌", false),
            ("C123456789", "苏C123456789", true),
            ("C1*9", "苏C123456789", true),
            ("甲", "苏C12345", false),
        ] {
            check(pattern, plate, expected);
        }
    }

    #[test]
    fn exact_is_exact() {
        for (text, plate, expected) in [
            ("苏c12345", "苏C12345", true),
            ("苏C12345", "苏C12345D", false),
            ("苏C1234*", "苏C12345", false),
            ("苏C12***", "苏C12***", true),
            ("无牌", "无牌", true),
            ("无牌", "无牌车", false),
        ] {
            let found = PlatePattern::exact(text).matches(PlateCode::pack(plate), plate);
            assert_eq!(found, expected, "{text} is {plate}");
        }
    }

    #[test]
    fn a_pseudonym_is_found_as_a_whole_and_by_no_part_of_it() {
        let (one, other) = ("苏#0938NKRKAYD", "苏#0938NKRKAYE");
        let long = "苏#4ABCDEFGHJKMNPQRSTVWXYZ012345670";
        check(one, one, true);
        check(one, other, false);
        check(long, long, true);
        check("", one, true);
        for part in ["938", "苏", "?", "苏C", "苏#0938NKRKAY", "0"] {
            check_packed(part, one, false);
        }
        assert!(PlatePattern::exact(one).matches(PlateCode::pack(one), one));
    }

    fn check_packed(pattern: &str, plate: &str, expected: bool) {
        let (compiled, code) = (PlatePattern::compile(pattern), PlateCode::pack(plate));
        let mut marks = [1];
        compiled.mark_packed(&[code.as_u64()], &mut marks);
        assert_eq!((compiled.matches(code, plate), marks[0] == 1), (expected, expected), "{pattern} in {plate}");
    }

    /// The textbook matcher: `*` takes any run, `?` one character, and both ends are open.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => true,
            Some(('*', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
            Some((wanted, rest)) => {
                text.split_first().is_some_and(|(here, more)| (*wanted == '?' || wanted == here) && naive(rest, more))
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(pattern in "[苏C12*?]{0,9}", plate in "[苏C12*车]{1,10}") {
            let (wanted, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), plate.chars().collect());
            let expected = (0..=text.len()).any(|at| naive(&wanted, &text[at..]));
            check(&pattern, &plate, expected);
        }

        /// Pruning never loses a plate that is found: every part of a plate finds it.
        #[test]
        fn the_filter_agrees(
            plates in proptest::collection::vec("[苏豫C1车]{1,12}|[苏豫C1]{8}", 1..30),
            chosen: prop::sample::Index,
            start: prop::sample::Index,
            length: prop::sample::Index,
        ) {
            let codes: Vec<PlateCode> = plates.iter().map(|plate| PlateCode::pack(plate)).collect();
            let odd: Vec<(u32, Box<str>)> = plates
                .iter()
                .enumerate()
                .filter(|(row, _)| codes[*row].is_odd())
                .map(|(row, plate)| (row as u32, plate.as_str().into()))
                .collect();
            let filter = PlateFilter::of(&codes, &odd).unwrap();
            let characters: Vec<char> = chosen.get(&plates).chars().collect();
            let start = start.index(characters.len());
            let part: String = characters[start..].iter().take(1 + length.index(12)).collect();
            prop_assert!(PlatePattern::compile(&part).may_be_in(&filter), "{} of {}", part, chosen.get(&plates));
            prop_assert!(plates.iter().all(|plate| PlatePattern::exact(plate).may_be_in(&filter)));
        }
    }
}
