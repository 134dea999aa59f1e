//! A sighting: what the plate states hold of a passage.

use crate::{CivilTime, NameId, PassageId, PlateType, Resolution};

/// One plate at one checkpoint at one time, in 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// Time, plate type and resolution: 48, 8 and 8 bits.
    when: i64,
    /// KKMC.
    pub checkpoint: NameId,
    id_tag: u32,
    id_number: u64,
}

const TIME_SHIFT: u32 = 16;
const TYPE_SHIFT: u32 = 8;
/// Civil times of all years that a GCSJ can name are far within it.
const MAX_TIME: i64 = i64::MAX >> TIME_SHIFT;

impl Sighting {
    /// A sighting by passage `id`.
    #[inline]
    pub fn new(
        time: CivilTime,
        resolution: Resolution,
        checkpoint: NameId,
        plate_type: PlateType,
        id: PassageId,
    ) -> Self {
        let detail = i64::from(plate_type.number()) << TYPE_SHIFT | i64::from(resolution as u8);
        let when = time.0.clamp(-MAX_TIME, MAX_TIME) << TIME_SHIFT | detail;
        Self { when, checkpoint, id_tag: id.tag, id_number: id.number }
    }

    /// GCSJ.
    #[inline]
    pub fn time(&self) -> CivilTime {
        CivilTime(self.when >> TIME_SHIFT)
    }

    /// How finely GCSJ was written.
    #[inline]
    pub fn resolution(&self) -> Resolution {
        Resolution::from_number(self.when as u8).unwrap_or_default()
    }

    /// HPZL.
    #[inline]
    pub fn plate_type(&self) -> PlateType {
        PlateType::from_number((self.when >> TYPE_SHIFT) as u8)
    }

    /// GCXH, packed.
    #[inline]
    pub fn id(&self) -> PassageId {
        PassageId { number: self.id_number, tag: self.id_tag }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_touch_one_another() {
        assert_eq!(size_of::<Sighting>(), 24);
        for time in [0, 1, -1, 1_704_067_224, -62_135_596_800, 253_402_300_799] {
            for (resolution, hpzl) in [(Resolution::Second, "-"), (Resolution::Minute, "02"), (Resolution::Day, "99")] {
                let id = PassageId::pack("G1");
                let sighting = Sighting::new(CivilTime(time), resolution, 7, PlateType::of(hpzl), id);
                assert_eq!((sighting.time().0, sighting.resolution()), (time, resolution));
                assert_eq!((sighting.plate_type(), sighting.id()), (PlateType::of(hpzl), id));
            }
        }
    }
}
