//! Which shard a key belongs to: MyCat 1.6's `PartitionByMurmurHash`, bit for bit.
//!
//! Local shard i must be MyCat's i-th dataNode, so the ring repeats what MyCat does, reasonable or not. It hashes the
//! key as it is given: the parser trims and refuses keys, and this module does not know what a key means.

use thiserror::Error;

/// Why a ring cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RingError {
    /// No shard, or more than [`Ring::MAX_SHARDS`].
    #[error("a ring of {0} shards is not possible: give a number from 1 to {max}", max = Ring::MAX_SHARDS)]
    Shards(usize),
    /// No virtual bucket, or more than [`Ring::MAX_VIRTUAL_BUCKETS`].
    #[error(
        "{0} virtual buckets for each shard are not possible: give a number from 1 to {max} (MyCat's default is 160)",
        max = Ring::MAX_VIRTUAL_BUCKETS
    )]
    VirtualBuckets(usize),
}

/// A consistent-hash ring. A key belongs to the first point at or after its hash, else to the first point of all.
#[derive(Debug, Clone)]
pub struct Ring {
    /// Hashes of the points, increasing as signed numbers.
    points: Vec<i32>,
    /// The shard of each point, and that of the first once more: a hash above the last point wraps to it.
    owners: Vec<u16>,
    /// For each value of a hash's top bits, the first point that a hash with these bits can belong to.
    jump: Vec<u32>,
    seed: u32,
    shards: usize,
}

/// How many top bits of a hash the jump table resolves: at 320 points most keys then look at one or two of them.
const JUMP_BITS: u32 = 12;

impl Ring {
    /// The largest number of shards.
    pub const MAX_SHARDS: usize = 1024;
    /// The largest number of virtual buckets for each shard.
    pub const MAX_VIRTUAL_BUCKETS: usize = 4096;

    /// A ring of `shards` shards of weight 1 with MyCat's `seed` and `virtualBucketTimes`.
    ///
    /// # Errors
    /// [`RingError`] if `shards` or `virtual_buckets` is zero or beyond its limit.
    pub fn new(shards: usize, seed: i32, virtual_buckets: usize) -> Result<Self, RingError> {
        if !(1..=Self::MAX_SHARDS).contains(&shards) {
            return Err(RingError::Shards(shards));
        }
        if !(1..=Self::MAX_VIRTUAL_BUCKETS).contains(&virtual_buckets) {
            return Err(RingError::VirtualBuckets(virtual_buckets));
        }
        let seed = seed as u32;
        let mut ring = Vec::with_capacity(shards * virtual_buckets);
        for shard in 0..shards {
            // NOTE: MyCat appends to one buffer per shard and never clears it, so the name of point n holds all the
            // names before it. The hash state up to the last whole block is kept, else this would be quadratic.
            let mut name = Murmur::new(seed);
            name.update(&format!("SHARD-{shard}"));
            for node in 0..virtual_buckets {
                name.update(&format!("-NODE-{node}"));
                ring.push((name.finish(), shard as u16));
            }
        }
        // On a collision the later shard has the point: MyCat puts the points into a map one after the other. Stable.
        ring.sort_by_key(|(hash, _)| *hash);
        let mut points: Vec<i32> = Vec::with_capacity(ring.len());
        let mut owners: Vec<u16> = Vec::with_capacity(ring.len() + 1);
        for (hash, shard) in ring {
            if points.last() == Some(&hash) {
                owners.pop();
                points.pop();
            }
            points.push(hash);
            owners.push(shard);
        }
        owners.extend(owners.first().copied());
        let jump = (0..1u32 << JUMP_BITS)
            .map(|top| {
                let lowest = order_bits_to_hash(top << (32 - JUMP_BITS));
                points.partition_point(|point| *point < lowest) as u32
            })
            .collect();
        Ok(Self { points, owners, jump, seed, shards })
    }

    /// The ring of a MyCat rule that sets nothing but the number of shards: seed 0 and 160 virtual buckets.
    ///
    /// # Errors
    /// [`RingError`] if `shards` is zero or too large.
    pub fn mycat_default(shards: usize) -> Result<Self, RingError> {
        Self::new(shards, 0, 160)
    }

    /// How many shards the ring has.
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// The shard of `key`, from 0.
    #[inline]
    pub fn shard_of(&self, key: &str) -> usize {
        let mut murmur = Murmur::new(self.seed);
        murmur.update(key);
        self.shard_of_hash(murmur.finish())
    }

    #[inline]
    fn shard_of_hash(&self, hash: i32) -> usize {
        let top = hash_to_order_bits(hash) >> (32 - JUMP_BITS);
        let start = self.jump.get(top as usize).map_or(0, |start| *start as usize);
        let passed = self.points.iter().skip(start).take_while(|point| **point < hash).count();
        self.owners.get(start + passed).map_or(0, |shard| usize::from(*shard))
    }
}

/// `murmur3_32` of `text` as Guava's `hashUnencodedChars` has it: over UTF-16 code units, two to a block.
pub fn murmur3_32(text: &str, seed: i32) -> i32 {
    let mut murmur = Murmur::new(seed as u32);
    murmur.update(text);
    murmur.finish()
}

/// Signed order as unsigned order, so that the top bits of a hash are its place on the ring.
fn hash_to_order_bits(hash: i32) -> u32 {
    hash as u32 ^ 0x8000_0000
}

fn order_bits_to_hash(bits: u32) -> i32 {
    (bits ^ 0x8000_0000) as i32
}

/// Murmur3 (x86, 32 bits) over UTF-16 code units, fed piece by piece.
struct Murmur {
    state: u32,
    /// The first unit of a block that still lacks its second.
    half: Option<u16>,
    units: u32,
}

impl Murmur {
    #[inline]
    fn new(seed: u32) -> Self {
        Self { state: seed, half: None, units: 0 }
    }

    #[inline]
    fn update(&mut self, text: &str) {
        for character in text.chars() {
            let mut units = [0u16; 2];
            for unit in character.encode_utf16(&mut units) {
                self.push(*unit);
            }
        }
    }

    #[inline]
    fn push(&mut self, unit: u16) {
        self.units = self.units.wrapping_add(1);
        match self.half.take() {
            None => self.half = Some(unit),
            Some(first) => {
                let block = u32::from(first) | (u32::from(unit) << 16);
                self.state = (self.state ^ mix(block)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
            }
        }
    }

    #[inline]
    fn finish(&self) -> i32 {
        let mut hash = self.state;
        if let Some(last) = self.half {
            hash ^= mix(u32::from(last));
        }
        hash ^= self.units.wrapping_mul(2);
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        (hash ^ (hash >> 16)) as i32
    }
}

#[inline]
fn mix(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_every_key_where_mycat_does() {
        let vectors = include_str!("../tests/fixtures/murmur_vectors.tsv");
        let mut rings = BTreeMap::new();
        let mut checked = 0;
        for line in vectors.split('\n').skip(1).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [key, shards, seed, buckets, expected] = fields[..] else { panic!("not a vector: {line}") };
            let setting: (usize, i32, usize) =
                (shards.parse().unwrap(), seed.parse().unwrap(), buckets.parse().unwrap());
            let ring = rings.entry(setting).or_insert_with(|| Ring::new(setting.0, setting.1, setting.2).unwrap());
            assert_eq!(ring.shard_of(key), expected.parse::<usize>().unwrap(), "{line}");
            checked += 1;
        }
        assert_eq!(checked, 2000);
    }

    #[test]
    fn refuses_what_is_not_a_ring() {
        assert_eq!(Ring::new(0, 0, 160).unwrap_err(), RingError::Shards(0));
        assert_eq!(Ring::new(1025, 0, 160).unwrap_err(), RingError::Shards(1025));
        assert_eq!(Ring::new(2, 0, 0).unwrap_err(), RingError::VirtualBuckets(0));
        let text = Ring::new(2, 0, 5000).unwrap_err().to_string();
        assert_eq!(
            text,
            "5000 virtual buckets for each shard are not possible: give a number from 1 to 4096 (MyCat's default is 160)"
        );
    }

    proptest! {
        /// The jump table is only a shortcut: the answer is that of the whole sorted ring.
        #[test]
        fn the_jump_table_changes_nothing(hash: i32, shards in 1usize..9, seed: i32, buckets in 1usize..400) {
            let ring = Ring::new(shards, seed, buckets).unwrap();
            let at = ring.points.partition_point(|point| *point < hash);
            prop_assert_eq!(ring.shard_of_hash(hash), usize::from(ring.owners[at]));
        }

        #[test]
        fn one_shard_has_every_key(key: String) {
            prop_assert_eq!(Ring::mycat_default(1).unwrap().shard_of(&key), 0);
        }
    }
}
