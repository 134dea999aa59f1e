//! The numbers of the latest field texts, in front of the interner: a text of up to 32 bytes is compared by four words
//! that were loaded with it, and is neither hashed byte by byte nor looked up elsewhere.
//!
//! The key is the field as it stands in the line, before trimming and padding, so that a hit needs neither. It does not
//! know what makes a text worth caching.

use crate::NameId;

/// A table of fixed size. A text is in one of [`PROBES`] slots, starting at the one that its hash gives; if all are
/// taken by others, it replaces the first.
#[derive(Debug)]
pub(super) struct FieldCache {
    slots: Box<[Slot]>,
    /// How far the hash is shifted right to give a slot.
    shift: u32,
}

/// A field's bytes, as the cache compares them.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldKey<'a> {
    bytes: &'a [u8],
    /// The first two and the last two words, overlapping; together with the length they are all of a text up to
    /// [`MAX_SHORT`].
    words: [u64; 4],
}

/// As large as a cache line, and none crosses one.
#[derive(Debug, Clone, Default)]
#[repr(align(64))]
struct Slot {
    words: [u64; 4],
    /// The whole text if it is longer than [`MAX_SHORT`].
    long: Box<[u8]>,
    /// Length of the text plus one; 0 for a slot never used.
    tag: u32,
    id: NameId,
    is_name: bool,
}

const PROBES: usize = 4;
const MAX_SHORT: usize = 32;
/// Longer texts are not kept: the cache's size is bounded.
const MAX_LONG: usize = 256;
/// Odd numbers with evenly spread bits (fractions of the golden ratio and of π).
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX_ENDS: u64 = 0x243f_6a88_85a3_08d3;

impl FieldCache {
    /// A cache of `1 << bits` slots.
    pub(super) fn new(bits: u32) -> Self {
        Self { slots: vec![Slot::default(); 1 << bits].into_boxed_slice(), shift: 64 - bits }
    }

    #[inline]
    pub(super) fn get(&self, key: &FieldKey<'_>) -> Option<(NameId, bool)> {
        let home = self.home(key);
        for probe in 0..PROBES {
            let slot = self.slots.get(self.probe(home, probe))?;
            if slot.is(key) {
                return Some((slot.id, slot.is_name));
            }
            if slot.tag == 0 {
                return None;
            }
        }
        None
    }

    /// Caches the number of a text, and whether the text is the name itself.
    pub(super) fn insert(&mut self, key: &FieldKey<'_>, (id, is_name): (NameId, bool)) {
        if key.bytes.len() > MAX_LONG {
            return;
        }
        let home = self.home(key);
        let free = |at: &usize| self.slots.get(*at).is_some_and(|slot| slot.tag == 0);
        let at = (0..PROBES).map(|probe| self.probe(home, probe)).find(free).unwrap_or(home);
        if let Some(slot) = self.slots.get_mut(at) {
            let long = if key.bytes.len() > MAX_SHORT { key.bytes.into() } else { Box::default() };
            *slot = Slot { words: key.words, long, tag: key.tag(), id, is_name };
        }
    }

    #[inline]
    fn home(&self, key: &FieldKey<'_>) -> usize {
        let [first, second, third, last] = key.words;
        let mut hash = (first ^ third.rotate_left(37)).wrapping_mul(MIX)
            ^ (last ^ second.rotate_left(17)).wrapping_add(key.bytes.len() as u64).wrapping_mul(MIX_ENDS);
        if key.bytes.len() > MAX_SHORT {
            // Full checkpoint names begin and end alike, so their middle has to count.
            for chunk in key.bytes.as_chunks::<8>().0 {
                hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(MIX);
            }
        }
        ((hash ^ (hash >> 32)).wrapping_mul(MIX) >> self.shift) as usize
    }

    #[inline]
    fn probe(&self, home: usize, probe: usize) -> usize {
        (home + probe) & (self.slots.len() - 1)
    }
}

impl Slot {
    #[inline]
    fn is(&self, key: &FieldKey<'_>) -> bool {
        let [first, second, third, last] = self.words;
        let [key_first, key_second, key_third, key_last] = key.words;
        // By words: the key is in registers, and a vector compare would have to wait for it to reach memory.
        let differing = (first ^ key_first) | (second ^ key_second) | (third ^ key_third) | (last ^ key_last);
        differing == 0 && self.tag == key.tag() && (key.bytes.len() <= MAX_SHORT || *self.long == *key.bytes)
    }
}

impl<'a> FieldKey<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let words = if let (Some(head), Some(tail)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            let word = |half: Option<&[u8; 8]>| half.map_or(0, |bytes| u64::from_le_bytes(*bytes));
            [word(head.first_chunk()), word(head.last_chunk()), word(tail.first_chunk()), word(tail.last_chunk())]
        } else if let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) {
            [u64::from_le_bytes(*head), 0, 0, u64::from_le_bytes(*tail)]
        } else if let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) {
            [u64::from(u32::from_le_bytes(*head)), 0, 0, u64::from(u32::from_le_bytes(*tail))]
        } else {
            // At most three bytes: the first, the middle and the last are all of them.
            let at = |index: usize| u64::from(bytes.get(index).copied().unwrap_or(0));
            [at(0) | at(bytes.len() / 2) << 8, 0, 0, at(bytes.len().saturating_sub(1))]
        };
        Self { bytes, words }
    }

    #[inline]
    fn tag(&self) -> u32 {
        self.bytes.len() as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_anywhere_are_told_apart() {
        for len in 0..80usize {
            let text = vec![b'a'; len];
            let mut cache = FieldCache::new(1);
            cache.insert(&FieldKey::new(&text), (7, true));
            assert_eq!(cache.get(&FieldKey::new(&text)), Some((7, true)));
            for position in 0..len {
                let mut other = text.clone();
                other[position] = b'b';
                assert_eq!(cache.get(&FieldKey::new(&other)), None, "{len} {position}");
                cache.insert(&FieldKey::new(&other), (8, false));
                assert_eq!(cache.get(&FieldKey::new(&other)), Some((8, false)));
                cache.insert(&FieldKey::new(&text), (7, true));
            }
            let longer = [&text[..], b"\0"].concat();
            assert_eq!(cache.get(&FieldKey::new(&longer)), None, "{len}");
        }
    }

    #[test]
    fn a_full_cache_answers_only_what_it_holds() {
        let mut cache = FieldCache::new(4);
        let text = |number: u32| format!("大众牌-朗逸-{number}");
        for number in 0..200 {
            cache.insert(&FieldKey::new(text(number).as_bytes()), (number, true));
            assert_eq!(cache.get(&FieldKey::new(text(number).as_bytes())), Some((number, true)));
        }
        let kept: Vec<_> = (0..200).filter_map(|n| Some((n, cache.get(&FieldKey::new(text(n).as_bytes()))?))).collect();
        assert!(kept.len() <= 16 && kept.iter().all(|(number, found)| (*number, true) == *found), "{kept:?}");
    }

    #[test]
    fn unused_slots_and_long_texts_hold_nothing() {
        let mut cache = FieldCache::new(4);
        assert_eq!(cache.get(&FieldKey::new(b"")), None);
        let long = [b'x'; MAX_LONG + 1];
        cache.insert(&FieldKey::new(&long), (1, true));
        assert_eq!(cache.get(&FieldKey::new(&long)), None);
    }
}
