//! A plate's sightings as bytes.

use storage::{EXPIRY_BYTES, codec};
use traffic::{NameId, PassageId, Sighting};

use crate::store::disk::keys;

/// A plate's sightings as they are stored: time, checkpoint and GCXH of each and, in layout 2, resolution and plate type;
/// then the texts of odd GCXH.
pub(in crate::store) type StoredPlate = (Vec<(i64, NameId, u64, u32, u8, u8)>, Vec<(u64, u32, String)>);
type StoredPlate1 = (Vec<(i64, NameId, u64, u32)>, Vec<(u64, u32, String)>);

pub(in crate::store) fn encode_plate(
    sightings: &[Sighting],
    odd_ids: &[(PassageId, &str)],
    value: &mut Vec<u8>,
) -> Result<(), codec::CodecError> {
    value.clear();
    let newest = sightings.last().map_or(i64::MIN, |sighting| sighting.time().0);
    value.extend_from_slice(&newest.to_be_bytes());
    let stored = |sighting: &Sighting| {
        let PassageId { number, tag } = sighting.id();
        let detail = (sighting.resolution() as u8, sighting.plate_type().number());
        (sighting.time().0, sighting.checkpoint, number, tag, detail.0, detail.1)
    };
    let sightings: Vec<_> = sightings.iter().map(stored).collect();
    let odd_ids: Vec<_> = odd_ids.iter().map(|(id, text)| (id.number, id.tag, *text)).collect();
    codec::encode_into(keys::PLATE, &(sightings, odd_ids), value)
}

/// Reads what [`encode_plate`] wrote. Layout 1 has neither resolution nor plate type: they are a second and unknown.
pub(in crate::store) fn decode_plate(value: &[u8]) -> Result<StoredPlate, codec::CodecError> {
    let value = value.get(EXPIRY_BYTES..).unwrap_or_default();
    match codec::version(keys::PLATE, value)? {
        1 => {
            let (sightings, odd): StoredPlate1 = codec::decode(keys::PLATE, value)?;
            Ok((sightings.into_iter().map(|(time, at, number, tag)| (time, at, number, tag, 0, 0)).collect(), odd))
        }
        _ => codec::decode(keys::PLATE, value),
    }
}
