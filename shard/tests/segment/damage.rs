//! Damaged bytes are an error or no damage at all, never a panic.

use proptest::prelude::*;
use shard::{ColumnKind, ColumnLoader, Compression, SegmentError, SegmentReader, ZoneMap, encode};
use traffic::NameTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::road::{any_rows, names, repeated, rows};
use crate::round_trip::read;

const COLUMNS: usize = 12;
const DIRECTORY: usize = 19;
const HEAD: usize = DIRECTORY + 8 * COLUMNS + 4;

/// Makes all checksums right again, so that the decoders themselves meet the damage.
fn sign(bytes: &mut [u8]) {
    let mut start = HEAD;
    for column in 0..COLUMNS {
        let entry = DIRECTORY + 8 * column;
        let length = u32::from_le_bytes(bytes[entry..entry + 4].try_into().unwrap()) as usize;
        let end = (start + length).min(bytes.len());
        let check = xxh3_64(&bytes[start.min(end)..end]) as u32;
        bytes[entry + 4..entry + 8].copy_from_slice(&check.to_le_bytes());
        start = end;
    }
    let check = xxh3_64(&bytes[..HEAD - 4]) as u32;
    bytes[HEAD - 4..HEAD].copy_from_slice(&check.to_le_bytes());
}

/// Reads whatever can be read. What is read as rows can be written.
fn read_all(bytes: &[u8]) {
    let Ok(reader) = SegmentReader::open(bytes) else { return };
    for kind in ColumnKind::ALL {
        let _ = reader.load(kind);
    }
    let mut known = NameTable::default();
    if let Ok(rows) = reader.rows(|dimension, text| known.push(dimension, text.clone())) {
        let written = encode(&rows, &known, reader.first_row(), Compression::Fast);
        assert!(written.is_ok(), "{:?}", written.err());
    }
}

proptest! {
    #[test]
    fn damage_is_noticed(
        texts in any_rows(200),
        dense: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..5),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let original = rows(&texts);
        let compression = if dense { Compression::Dense } else { Compression::Fast };
        let segment = encode(&original, &names(), 5, compression).unwrap();
        let mut bytes = segment.bytes.clone();
        for (at, change) in &changes {
            let at = at.index(bytes.len());
            bytes[at] ^= change;
        }
        if let Some(cut) = &cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match read(&bytes) {
            Ok(back) => prop_assert_eq!(back, original),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        let mut zone = segment.zone.encode().unwrap();
        for (at, change) in &changes {
            let at = at.index(zone.len());
            zone[at] ^= change;
        }
        if let Ok(back) = ZoneMap::decode(&zone) {
            prop_assert_eq!(back, segment.zone);
        }
    }

    /// Behind right checksums anything may stand.
    #[test]
    fn decoders_bear_anything(
        texts in any_rows(200),
        many in 1usize..2000,
        dense: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        head in proptest::option::of((7usize..HEAD - 4, any::<u8>())),
    ) {
        let compression = if dense { Compression::Dense } else { Compression::Fast };
        let mut bytes = encode(&rows(&repeated(&texts, many)), &names(), 5, compression).unwrap().bytes;
        for (at, value) in &changes {
            let at = HEAD + at.index(bytes.len() - HEAD);
            bytes[at] = *value;
        }
        if let Some((at, value)) = head {
            bytes[at] = value;
        }
        sign(&mut bytes);
        read_all(&bytes);
    }

    #[test]
    fn junk_is_not_a_segment(junk: Vec<u8>) {
        prop_assert!(SegmentReader::open(&junk).is_err());
        prop_assert!(ZoneMap::decode(&junk).is_err());
        let mut bytes = b"PWSG\x01\x00\x0c".to_vec();
        bytes.extend_from_slice(&junk);
        bytes.resize(bytes.len().max(HEAD), 0);
        sign(&mut bytes);
        read_all(&bytes);
        let mut zone = b"PWZM\x01\x00".to_vec();
        zone.extend_from_slice(&junk);
        zone.extend_from_slice(&xxh3_64(&zone).to_le_bytes());
        let _ = ZoneMap::decode(&zone);
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let texts = crate::golden::texts();
    let mut segment = encode(&rows(&texts), &names(), 0, Compression::Fast).unwrap();
    segment.bytes[4] = 3;
    let error = SegmentReader::open(&segment.bytes).unwrap_err();
    assert!(matches!(error, SegmentError::Newer { found: 3, known: 2, .. }));
    assert_eq!(
        error.to_string(),
        "a segment has format version 3, and this program knows versions up to 2: \
         start the newer platewatch that wrote it"
    );
    let mut zone = segment.zone.encode().unwrap();
    zone[4] = 9;
    assert!(matches!(ZoneMap::decode(&zone).unwrap_err(), SegmentError::Newer { found: 9, .. }));
    assert!(matches!(SegmentReader::open(&zone).unwrap_err(), SegmentError::Unknown("segment")));
}
