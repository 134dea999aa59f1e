//! The last sighting of every plate within reach: one open-addressing table of 32-byte slots, probed linearly. A slot
//! older than the horizon is dead, and is dropped when the table is rebuilt, so results never depend on when.

use crate::{NameId, PassageId, PlateCode, PlateType, Resolution};

/// 2000-01-01 in civil seconds since 1970: no accepted record is older.
const EPOCH: i64 = 946_684_800;
const MIN_SLOTS: usize = 1024;

/// One sighting, as evidence needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spot {
    /// GCSJ in civil seconds.
    pub time: i64,
    /// KKMC.
    pub checkpoint: NameId,
    /// CLPPXH by number, plus one; 0 is unknown.
    pub brand: u32,
    /// HPZL.
    pub plate_type: PlateType,
    /// How finely GCSJ was written.
    pub resolution: Resolution,
    /// GCXH, packed.
    pub id: PassageId,
}

/// A sighting and its plate in 32 bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    plate: u64,
    id_number: u64,
    id_tag: u32,
    /// Seconds since [`EPOCH`] plus one; 0 marks an empty slot.
    time: u32,
    checkpoint: NameId,
    /// Brand, plate type and resolution: 23, 7 and 2 bits.
    detail: u32,
}

const BRAND_SHIFT: u32 = 9;
const TYPE_SHIFT: u32 = 2;
/// Brands beyond this number count as unknown.
const MAX_BRAND: u32 = u32::MAX >> BRAND_SHIFT;

/// The table.
#[derive(Debug, Default)]
pub(super) struct LastSeen {
    slots: Vec<Slot>,
    used: usize,
}

impl LastSeen {
    /// Reads the slots of the plates that come next. These reads do not depend on one another, so several are in flight
    /// at once; one after another, each would be waited for.
    #[inline]
    pub(super) fn touch(&self, plates: &[PlateCode]) {
        let mask = self.slots.len().wrapping_sub(1);
        let slots = plates.iter().filter_map(|plate| self.slots.get(hash(plate.as_u64()) & mask));
        std::hint::black_box(slots.fold(0, |all, slot| all ^ slot.time));
    }

    /// The last sighting of a plate at or after `horizon`.
    #[inline]
    pub(super) fn get(&self, plate: PlateCode, horizon: i64) -> Option<Spot> {
        let slot = self.slots.get(self.find(plate.as_u64())?)?;
        (slot.time != 0 && slot.time >= stamp(horizon)).then(|| slot.spot())
    }

    /// Makes `spot` the plate's last sighting, unless `is_later` says that the one before is later than it. Returns the
    /// one before, if it is at or after `horizon`.
    #[inline]
    pub(super) fn put(
        &mut self,
        plate: PlateCode,
        spot: &Spot,
        horizon: i64,
        is_later: impl FnOnce(&Spot) -> bool,
    ) -> Option<Spot> {
        if self.used * 8 >= self.slots.len() * 5 {
            self.rebuild(horizon);
        }
        let at = self.find(plate.as_u64())?;
        let slot = self.slots.get_mut(at)?;
        let is_live = slot.time != 0 && slot.time >= stamp(horizon);
        let before = is_live.then(|| slot.spot());
        self.used += usize::from(slot.time == 0);
        if !before.as_ref().is_some_and(is_later) {
            *slot = Slot::of(plate.as_u64(), spot);
        }
        before
    }

    /// Where a plate is, or the empty slot where it would be. The table is never full, so the probe ends.
    #[inline]
    fn find(&self, plate: u64) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash(plate) & mask;
        while let Some(slot) = self.slots.get(at) {
            if slot.time == 0 || slot.plate == plate {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// All live sightings, in the order of their plates.
    pub(super) fn live(&self, horizon: i64) -> Vec<(PlateCode, Spot)> {
        let live = self.slots.iter().filter(|slot| slot.time != 0 && slot.time >= stamp(horizon));
        let mut live: Vec<_> = live.map(|slot| (PlateCode::from_u64(slot.plate), slot.spot())).collect();
        live.sort_unstable_by_key(|(plate, _)| *plate);
        live
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    #[cold]
    fn rebuild(&mut self, horizon: i64) {
        let is_live = |slot: &&Slot| slot.time != 0 && slot.time >= stamp(horizon);
        let live = self.slots.iter().filter(is_live).count();
        let size = ((live + 1) * 2).next_power_of_two().max(MIN_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); size]);
        self.used = live;
        for slot in old.iter().filter(is_live) {
            if let Some(place) = self.find(slot.plate).and_then(|at| self.slots.get_mut(at)) {
                *place = *slot;
            }
        }
    }
}

impl Slot {
    #[inline]
    fn of(plate: u64, spot: &Spot) -> Self {
        Self {
            plate,
            id_number: spot.id.number,
            id_tag: spot.id.tag,
            time: stamp(spot.time),
            checkpoint: spot.checkpoint,
            detail: (if spot.brand > MAX_BRAND { 0 } else { spot.brand }) << BRAND_SHIFT
                | u32::from(spot.plate_type.number()) << TYPE_SHIFT
                | spot.resolution as u32,
        }
    }

    #[inline]
    fn spot(&self) -> Spot {
        Spot {
            time: i64::from(self.time) - 1 + EPOCH,
            checkpoint: self.checkpoint,
            brand: self.detail >> BRAND_SHIFT,
            plate_type: PlateType::from_number((self.detail >> TYPE_SHIFT & 0x7f) as u8),
            resolution: Resolution::from_number((self.detail & 3) as u8).unwrap_or_default(),
            id: PassageId { number: self.id_number, tag: self.id_tag },
        }
    }
}

/// Event time as a slot holds it: order is kept, and no real time becomes 0.
#[inline]
fn stamp(time: i64) -> u32 {
    time.saturating_sub(EPOCH).clamp(0, i64::from(u32::MAX) - 1) as u32 + 1
}

#[inline]
fn hash(plate: u64) -> usize {
    let product = u128::from(plate ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xe703_7ed1_a0b4_28db_8ebc_6af0_9c88_c6e3);
    ((product >> 64) as u64 ^ product as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustc_hash::FxHashMap;

    fn spot(time: i64, number: u32) -> Spot {
        let plate_type = PlateType::of(["-", "02", "52", "99"][number as usize % 4]);
        let resolution = Resolution::ALL[number as usize % 3];
        Spot {
            time,
            checkpoint: number,
            brand: number,
            plate_type,
            resolution,
            id: PassageId { number: number.into(), tag: 18 },
        }
    }

    #[test]
    fn a_slot_holds_a_sighting_in_32_bytes() {
        assert_eq!(size_of::<Slot>(), 32);
        for number in 0..100 {
            let spot = spot(1_704_067_200 + i64::from(number), number * 1000);
            assert_eq!(Slot::of(7, &spot).spot(), spot);
        }
        let many = Spot { brand: MAX_BRAND + 1, ..spot(1_704_067_200, 1) };
        assert_eq!(Slot::of(7, &many).spot().brand, 0);
    }

    proptest! {
        /// As a map that forgets nothing, looked at through the horizon.
        #[test]
        fn the_table_is_a_map(steps in prop::collection::vec((0u64..400, 0i64..4000), 1..3000)) {
            let (mut table, mut all) = (LastSeen::default(), FxHashMap::<u64, Spot>::default());
            for (number, (plate, later)) in steps.into_iter().enumerate() {
                let now = EPOCH + 100_000 + number as i64 * 10;
                let (spot, horizon) = (spot(now - later, number as u32), now - 2_000);
                let expected = all.get(&plate).copied().filter(|spot| spot.time >= horizon);
                let code = PlateCode::from_u64(plate + 1);
                prop_assert_eq!(table.get(code, horizon), expected);
                prop_assert_eq!(table.put(code, &spot, horizon, |before| before.time > spot.time), expected);
                if expected.is_none_or(|before| before.time <= spot.time) {
                    all.insert(plate, spot);
                }
            }
        }
    }
}
