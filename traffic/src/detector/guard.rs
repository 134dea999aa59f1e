//! The duplicate guard: which GCXH were accepted within the TTL. One open-addressing table of 16-byte slots, probed
//! linearly; slots older than the horizon are dead and are dropped when the table is rebuilt. It does not know plates.

use crate::PassageId;

/// An accepted id and its event time. `time` is in seconds since [`EPOCH`] plus one; 0 marks an empty slot.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: u64,
    tag: u32,
    time: u32,
}

/// What the guard says about an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It was not admitted within the horizon; now it is.
    New,
    /// It was, with this time.
    Again,
    /// It was, with another time.
    Conflict,
}

/// 2000-01-01 00:00:00 in civil seconds since 1970: no accepted record is older.
const EPOCH: i64 = 946_684_800;
const MIN_SLOTS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Guard {
    slots: Vec<Slot>,
    used: usize,
}

impl Guard {
    /// Reads the slots of the ids that come next. These reads do not depend on one another, so several are in flight at
    /// once; one after another, each would be waited for.
    #[inline]
    pub(super) fn touch(&self, ids: &[PassageId]) {
        let mask = self.slots.len().wrapping_sub(1);
        let slots = ids.iter().filter_map(|id| self.slots.get(hash(*id) as usize & mask));
        std::hint::black_box(slots.fold(0, |all, slot| all ^ slot.time));
    }

    /// Admits an id that was not admitted at or after `horizon`; one that was stays as it was.
    #[inline]
    pub(super) fn admit(&mut self, id: PassageId, time: i64, horizon: i64) -> Admission {
        if self.used * 2 >= self.slots.len() {
            self.rebuild(horizon);
        }
        let horizon = stamp(horizon);
        let mask = self.slots.len() - 1;
        let mut at = hash(id) as usize & mask;
        // The table is never more than half full, so the probe ends.
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.time == 0 {
                *slot = Slot { number: id.number, tag: id.tag, time: stamp(time) };
                self.used += 1;
                return Admission::New;
            }
            if slot.number == id.number && slot.tag == id.tag {
                if slot.time >= horizon {
                    return if slot.time == stamp(time) { Admission::Again } else { Admission::Conflict };
                }
                slot.time = stamp(time);
                return Admission::New;
            }
            at = (at + 1) & mask;
        }
        Admission::New
    }

    #[cold]
    fn rebuild(&mut self, horizon: i64) {
        let horizon = stamp(horizon);
        let live = self.slots.iter().filter(|slot| slot.time >= horizon && slot.time != 0).count();
        let slots = vec![Slot::default(); ((live + 1) * 4).next_power_of_two().max(MIN_SLOTS)];
        let old = std::mem::replace(&mut self.slots, slots);
        let mask = self.slots.len() - 1;
        self.used = live;
        for slot in old.into_iter().filter(|slot| slot.time >= horizon && slot.time != 0) {
            let mut at = hash(PassageId { number: slot.number, tag: slot.tag }) as usize & mask;
            while let Some(place) = self.slots.get_mut(at) {
                if place.time == 0 {
                    *place = slot;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
    }
}

/// Event time as a slot holds it: order is kept, and no real time becomes 0.
#[inline]
fn stamp(time: i64) -> u32 {
    time.saturating_sub(EPOCH).clamp(0, i64::from(u32::MAX) - 1) as u32 + 1
}

/// Folded multiply of both halves, as in wyhash.
#[inline]
fn hash(id: PassageId) -> u64 {
    let product = u128::from(id.number ^ 0x9e37_79b9_7f4a_7c15)
        .wrapping_mul(u128::from((u64::from(id.tag) << 32 | u64::from(id.tag)) ^ 0xe703_7ed1_a0b4_28db));
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_until_the_horizon_and_stays_small() {
        let mut guard = Guard::default();
        let start = EPOCH + 1_000_000;
        for second in 0..200_000i64 {
            let id = PassageId { number: second as u64, tag: 18 };
            let time = start + second;
            assert_eq!(guard.admit(id, time, time - 600), Admission::New, "new id {second}");
            assert_eq!(guard.admit(id, time, time - 600), Admission::Again, "same id {second}");
            assert_eq!(guard.admit(id, time + 1, time - 600), Admission::Conflict, "another time {second}");
            assert_eq!(guard.admit(id, time, i64::MIN), Admission::Again, "it stays as it was {second}");
        }
        assert!(guard.slots.len() <= 8192, "{} slots for 600 live ids", guard.slots.len());
        let old = PassageId { number: 0, tag: 18 };
        assert_eq!(
            guard.admit(old, start + 200_000, start + 199_400),
            Admission::New,
            "an expired id is admitted again"
        );
    }
}
