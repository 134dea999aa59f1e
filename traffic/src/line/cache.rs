//! The numbers of the field texts met last, in front of the interner: one probe, no hash of the whole text, and for
//! up to 16 bytes no look at the text at all.
//!
//! The key is the field as it stands in the line, before trimming and padding, so that a hit needs neither. It knows
//! nothing of what made a text worth remembering.

use crate::NameId;

/// A direct-mapped cache: a text that lands on another's slot replaces it.
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
    /// The first and the last eight bytes, overlapping; together with the length they are all of a text up to
    /// [`MAX_SHORT`].
    head: u64,
    tail: u64,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    head: u64,
    tail: u64,
    /// The whole text if it is longer than [`MAX_SHORT`].
    long: Box<[u8]>,
    /// Length of the text plus one; 0 for a slot never used.
    tag: u32,
    id: NameId,
}

const MAX_SHORT: usize = 16;
/// Longer texts are not kept: the cache's size is bounded.
const MAX_LONG: usize = 256;
/// An odd number with bits all over (the fraction of the golden ratio).
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl FieldCache {
    /// A cache of `1 << bits` slots.
    pub(super) fn new(bits: u32) -> Self {
        Self { slots: vec![Slot::default(); 1 << bits].into_boxed_slice(), shift: 64 - bits }
    }

    #[inline]
    pub(super) fn get(&self, key: &FieldKey<'_>) -> Option<NameId> {
        let slot = self.slots.get(self.index(key))?;
        let found = slot.head == key.head
            && slot.tail == key.tail
            && slot.tag == key.tag()
            && (key.bytes.len() <= MAX_SHORT || *slot.long == *key.bytes);
        found.then_some(slot.id)
    }

    pub(super) fn insert(&mut self, key: &FieldKey<'_>, id: NameId) {
        let index = self.index(key);
        if let Some(slot) = self.slots.get_mut(index).filter(|_| key.bytes.len() <= MAX_LONG) {
            let long = if key.bytes.len() > MAX_SHORT { key.bytes.into() } else { Box::default() };
            *slot = Slot { head: key.head, tail: key.tail, long, tag: key.tag(), id };
        }
    }

    #[inline]
    fn index(&self, key: &FieldKey<'_>) -> usize {
        let mut hash = (key.head ^ key.tail.rotate_left(29)).wrapping_add(key.bytes.len() as u64);
        if key.bytes.len() > MAX_SHORT {
            // Full checkpoint names begin and end alike, so their middle has to count.
            for chunk in key.bytes.as_chunks::<8>().0 {
                hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(MIX);
            }
        }
        (hash.wrapping_mul(MIX) >> self.shift) as usize
    }
}

impl<'a> FieldKey<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (head, tail) = if let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
        } else {
            // At most three bytes: the first, the middle and the last are all.
            let at = |index: usize| u64::from(bytes.get(index).copied().unwrap_or(0));
            (at(0) | at(bytes.len() / 2) << 8, at(bytes.len().saturating_sub(1)))
        };
        Self { bytes, head, tail }
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
        // One slot, so that every text meets every other.
        for len in 0..40usize {
            let text = vec![b'a'; len];
            let mut cache = FieldCache::new(1);
            cache.insert(&FieldKey::new(&text), 7);
            assert_eq!(cache.get(&FieldKey::new(&text)), Some(7));
            for position in 0..len {
                let mut other = text.clone();
                other[position] = b'b';
                assert_eq!(cache.get(&FieldKey::new(&other)), None, "{len} {position}");
                cache.insert(&FieldKey::new(&other), 8);
                assert_eq!(cache.get(&FieldKey::new(&other)), Some(8));
                cache.insert(&FieldKey::new(&text), 7);
            }
            let longer = [&text[..], b"\0"].concat();
            assert_eq!(cache.get(&FieldKey::new(&longer)), None, "{len}");
        }
    }

    #[test]
    fn unused_slots_and_long_texts_hold_nothing() {
        let mut cache = FieldCache::new(4);
        assert_eq!(cache.get(&FieldKey::new(b"")), None);
        let long = [b'x'; MAX_LONG + 1];
        cache.insert(&FieldKey::new(&long), 1);
        assert_eq!(cache.get(&FieldKey::new(&long)), None);
    }
}
