//! New inputs from old ones: bits and numbers are changed, parts are left out, repeated, moved or taken from another input,
//! and words of the target put in. All of it follows from a seed. It knows no target.

/// Numbers from a seed (SplitMix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `limit`; 0 if that is 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.number() % limit as u64) as usize }
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len());
        from.get(at)
    }

    /// A part of `length` bytes, short more often than long.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length);
        let most = if self.one_in(4) { length } else { 16 };
        let to = (from + 1 + self.below(most)).min(length);
        from..to
    }
}

/// Lengths and limits that are often mishandled.
const NUMBERS: [u64; 18] =
    [0, 1, 2, 7, 8, 9, 31, 32, 33, 127, 128, 255, 256, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];

/// Makes an input from `input`, at most `limit` bytes long, with parts of `other` and of `words`.
pub(super) fn mutate(input: &mut Vec<u8>, other: &[u8], words: &[&[u8]], limit: usize, chance: &mut Chance) {
    let changes = 1 + chance.below(4) + if chance.one_in(8) { chance.below(24) } else { 0 };
    for _ in 0..changes {
        change(input, other, words, chance);
        input.truncate(limit);
    }
}

fn change(input: &mut Vec<u8>, other: &[u8], words: &[&[u8]], chance: &mut Chance) {
    let length = input.len();
    let at = if chance.one_in(3) { begin_of_token(input, chance) } else { chance.below(length + 1) };
    match chance.below(16) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = chance.number() as u8;
            }
        }
        2 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = byte.wrapping_add([1, 255, 16, 240][chance.below(4)]);
            }
        }
        3 => overwrite_number(input, at, chance),
        4 => {
            let part = chance.part(length);
            input.drain(part);
        }
        5 => input.truncate(at),
        6 | 7 => {
            let word = chance.pick(words).copied().unwrap_or_default();
            input.splice(at..at, word.iter().copied());
        }
        8 => {
            let word = chance.pick(words).copied().unwrap_or_default();
            let end = (at + word.len()).min(length);
            input.splice(at..end, word.iter().copied());
        }
        // A part once more, elsewhere.
        9 => {
            let copy = input[chance.part(length)].to_vec();
            input.splice(at..at, copy);
        }
        // A part many times.
        10 => {
            let copy = input[chance.part(length)].repeat(1 + chance.below(40));
            input.splice(at..at, copy);
        }
        // The end of another input.
        11 => {
            input.truncate(at);
            let from = if chance.one_in(2) { at.min(other.len()) } else { chance.below(other.len() + 1) };
            input.extend_from_slice(&other[from..]);
        }
        // A part of another input, put in or in the place of one.
        12 => {
            let part = other[chance.part(other.len())].to_vec();
            input.splice(at..at, part);
        }
        13 => {
            let part = other[chance.part(other.len())].to_vec();
            let here = chance.part(length);
            input.splice(here, part);
        }
        14 => {
            let bytes: Vec<u8> = (0..1 + chance.below(8)).map(|_| chance.number() as u8).collect();
            input.splice(at..at, bytes);
        }
        // A digit, a letter or a sign: what texts are made of.
        _ => {
            let symbol = b"0123456789 \t\r\n,;|\"'\\/-+.:=&%*?_()[]{}<>#@~`AZaz\0\x7f";
            let symbol = symbol[chance.below(symbol.len())];
            match input.get_mut(at) {
                Some(byte) if chance.one_in(2) => *byte = symbol,
                _ => input.insert(at, symbol),
            }
        }
    }
}

/// Behind a sign that separates, or at the beginning: where a field, a line or a member begins.
fn begin_of_token(input: &[u8], chance: &mut Chance) -> usize {
    let from = chance.below(input.len() + 2);
    let is_sign =
        |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\t' | b',' | b';' | b'|' | b'&' | b'=' | b':' | b'"' | b' ');
    let sign = from.checked_sub(1).and_then(|from| input.get(from..)?.iter().position(is_sign));
    sign.map_or(0, |sign| from + sign)
}

/// Writes a number of 2, 4 or 8 bytes, or as a varint.
fn overwrite_number(input: &mut [u8], at: usize, chance: &mut Chance) {
    let number = chance.pick(&NUMBERS).copied().unwrap_or_default();
    let number = if chance.one_in(3) { chance.number() >> chance.below(64) } else { number };
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.truncate([2, 4, 8][chance.below(3)]);
    if chance.one_in(3) {
        bytes.reverse();
    }
    for (place, byte) in input.iter_mut().skip(at).zip(bytes) {
        *place = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_follow_from_the_seed_and_stay_within_the_limit() {
        let run = |seed| {
            let mut chance = Chance::new(seed);
            let mut input = b"one,two".to_vec();
            let mut seen = Vec::new();
            for _ in 0..2_000 {
                mutate(&mut input, b"another input", &[b"word"], 100, &mut chance);
                assert!(input.len() <= 100);
                seen.push(input.clone());
            }
            seen
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
