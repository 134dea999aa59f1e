//! The ring: every key belongs to the shard that the plain algorithm says, point by point, of MyCat 1.6's
//! `PartitionByMurmurHash` over Guava's `murmur3_32`.

use std::sync::LazyLock;

use shard::{Ring, murmur3_32};

use super::outcome::{outcome, size};

/// Rings with few and many points.
const RINGS: [(usize, i32, usize); 4] = [(2, 0, 160), (1, 5, 1), (3, -7, 2), (16, 0, 20)];

/// Points of a ring: hash and shard, in order.
type Points = Vec<(i32, usize)>;

/// Each ring, and its points as the plain algorithm makes them.
static KNOWN: LazyLock<Vec<(Ring, Points)>> = LazyLock::new(|| {
    let ring = |(shards, seed, buckets)| {
        Ring::new(shards, seed, buckets).ok().map(|ring| (ring, points(shards, seed, buckets)))
    };
    RINGS.into_iter().filter_map(ring).collect()
});

pub(super) fn run(data: &[u8]) -> u64 {
    let key = String::from_utf8_lossy(data);
    assert_eq!(KNOWN.len(), RINGS.len());
    let mut shards = Vec::new();
    for ((ring, points), (_, seed, _)) in KNOWN.iter().zip(RINGS) {
        let hash = murmur(&key, seed);
        assert_eq!(murmur3_32(&key, seed), hash, "the hash of {key:?}");
        let at = points.iter().find(|(point, _)| *point >= hash).or(points.first());
        assert_eq!(Some(ring.shard_of(&key)), at.map(|(_, shard)| *shard), "the shard of {key:?}");
        shards.push(ring.shard_of(&key));
    }
    outcome((shards, size(key.len())))
}

fn points(shards: usize, seed: i32, buckets: usize) -> Vec<(i32, usize)> {
    let mut all = std::collections::BTreeMap::new();
    for shard in 0..shards {
        let mut name = format!("SHARD-{shard}");
        for node in 0..buckets {
            name.push_str(&format!("-NODE-{node}"));
            all.insert(murmur(&name, seed), shard);
        }
    }
    all.into_iter().collect()
}

/// Murmur3 as its reference has it, over the UTF-16 code units as bytes.
fn murmur(text: &str, seed: i32) -> i32 {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mixed = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = seed as u32;
    let (blocks, rest) = bytes.as_chunks::<4>();
    for block in blocks {
        hash = (hash ^ mixed(u32::from_le_bytes(*block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !rest.is_empty() {
        hash ^= mixed(rest.iter().rev().fold(0, |block, byte| block << 8 | u32::from(*byte)));
    }
    hash ^= bytes.len() as u32;
    for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35), (16, 1)] {
        hash = (hash ^ (hash >> shift)).wrapping_mul(factor);
    }
    hash as i32
}
