//! Who drives: which vehicle starts the next trip, and what it is.
//!
//! There are a local fleet, whose vehicles return every few hours to days, and through traffic, which returns rarely. A
//! vehicle is a number; its plate, type, model and habits are functions of that number, so nothing is kept per vehicle.
//! It knows no place and no time: the simulator gives both.

use super::chance::{Chance, mix, pick, scale};
use super::models::{Market, ModelId, Models};
use super::plates::{Format, Plate, Registry};

/// 号牌种类 (GA 24.7) as written, by number; the last is a `02` that an older camera writes unpadded.
pub(super) const PLATE_TYPES: [&str; 9] = ["02", "01", "52", "51", "13", "15", "16", "23", "2"];
/// Number of `02` in [`PLATE_TYPES`].
pub(super) const SMALL_CAR: u8 = 0;
/// Number of `01` in [`PLATE_TYPES`].
pub(super) const LARGE_VEHICLE: u8 = 1;
/// Number of the unpadded `2` in [`PLATE_TYPES`].
pub(super) const SMALL_CAR_UNPADDED: u8 = 8;

/// What a camera can see of a vehicle, and how it drives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vehicle {
    pub(super) plate: Plate,
    /// Index into [`PLATE_TYPES`].
    pub(super) plate_type: u8,
    pub(super) model: ModelId,
    /// Cruising speed on the road, 70–110 km/h.
    pub(super) speed_kmh: u16,
}

/// Gives out vehicles for trips.
#[derive(Debug, Clone)]
pub(super) struct Fleet {
    local: Rota,
    through: Rota,
    registry: Registry,
    models: Models,
    salt: u64,
}

/// Trips in 100 that a vehicle of the local fleet makes.
pub(super) const LOCAL_PERCENT: u64 = 65;
/// Mean time between two trips of the busiest vehicles, in seconds.
const LOCAL_RETURN: f64 = 8.0 * 3600.0;
const THROUGH_RETURN: f64 = 24.0 * 3600.0;
/// Vehicles for each trip within that time: the mean vehicle returns this many times less often than the busiest.
const LOCAL_RESERVE: u64 = 5;
const THROUGH_RESERVE: u64 = 20;
/// Vehicles of every 200 of a fleet that have ordinary plates.
const ORDINARY: u64 = 178;

impl Fleet {
    /// A fleet for this many trips a second.
    pub(super) fn new(seed: u64, trips_per_second: f64) -> Self {
        let local = trips_per_second * LOCAL_PERCENT as f64 / 100.0;
        let through = trips_per_second - local;
        Self {
            local: Rota::new((local * LOCAL_RETURN) as u64, LOCAL_RESERVE),
            through: Rota::new((through * THROUGH_RETURN) as u64, THROUGH_RESERVE),
            registry: Registry::new(mix(seed, 1) >> 32),
            models: Models::new(),
            salt: mix(seed, 2),
        }
    }

    pub(super) fn models(&self) -> &Models {
        &self.models
    }

    /// The serial number of the vehicle that starts the next trip: not one that started a trip lately.
    pub(super) fn next(&mut self, chance: &mut Chance) -> u64 {
        let local = chance.below(100) < LOCAL_PERCENT;
        let rota = if local { &mut self.local } else { &mut self.through };
        rota.next(chance.bits()) * 2 + u64::from(!local)
    }

    /// The serial number of any vehicle, whose turn it need not be.
    pub(super) fn imagine(&self, chance: &mut Chance) -> u64 {
        let local = chance.below(100) < LOCAL_PERCENT;
        chance.below(MAX_VEHICLES) * 2 + u64::from(!local)
    }

    /// The serial number of the `index`-th local vehicle with an ordinary plate that never starts a trip by turn.
    pub(super) fn apart(&self, index: u64) -> u64 {
        let beyond = (self.local.group * GROUPS).next_multiple_of(200);
        (beyond + index / ORDINARY * 200 + index % ORDINARY) * 2
    }

    /// The vehicle with this serial number.
    pub(super) fn vehicle(&self, serial: u64) -> Vehicle {
        // Numbers stay dense within each format.
        let (local, number) = (serial.is_multiple_of(2), serial / 2);
        let (hundred, slot) = (number / 200, number % 200);
        let (format, dense) = match slot {
            0..ORDINARY => (Format::Ordinary, hundred * ORDINARY + slot),
            ORDINARY..197 => (Format::SmallNewEnergy, hundred * 19 + slot - ORDINARY),
            197 => (Format::LargeNewEnergy, hundred),
            198 => (if hundred.is_multiple_of(2) { Format::Trailer } else { Format::Learner }, hundred / 2),
            _ => (Format::Police, hundred),
        };
        let traits = mix(serial, self.salt);
        let heavy_percent = if local { 13 } else { 33 };
        let (plate_type, market) = match format {
            Format::Ordinary => match scale(traits, 1000) {
                0..8 => (4, Market::SlowTruck),
                rest if rest < 8 + heavy_percent * 10 => (1, Market::Truck),
                _ => (SMALL_CAR, Market::Car),
            },
            Format::SmallNewEnergy => (2, Market::Electric),
            Format::LargeNewEnergy => (3, Market::ElectricHeavy),
            Format::Trailer => (5, Market::Trailer),
            Format::Learner => (6, Market::Car),
            Format::Police => (7, Market::Car),
        };
        let cruising = scale(traits.rotate_left(20), 21) as u16;
        let speed_kmh = match market {
            Market::Car | Market::Electric => 80 + cruising * 3 / 2,
            _ => 70 + cruising,
        };
        Vehicle {
            plate: self.registry.plate(format, dense * 2 + u64::from(!local)),
            plate_type,
            model: self.models.choose(market, traits.rotate_left(40)),
            speed_kmh,
        }
    }
}

/// Whose turn it is. The fleet is divided into groups; a block of consecutive trips draws from one group without
/// repeating a vehicle, then comes the next group. So a vehicle rests for at least all groups but one.
///
/// Within a group the vehicles are ranked. Trip k of a block of B takes one from ranks f(k) to f(k + 1), where
/// f(k) = k + (S − B)(k/B)³ and S is the group's size: rank 0 drives in every round, the last rank in about every 3
/// S/B-th, with the long tail that return frequencies have.
#[derive(Debug, Clone)]
struct Rota {
    trips: u64,
    block: u64,
    group: u64,
    stride: u64,
}

/// Groups of a rota.
const GROUPS: u64 = 8;
/// No rota has more vehicles, so that the plates last: 60 places times the numbers of the scarcest format.
const MAX_VEHICLES: u64 = 180_000_000;

impl Rota {
    fn new(trips_per_round: u64, reserve: u64) -> Self {
        let block = (trips_per_round.min(MAX_VEHICLES) / GROUPS).max(16);
        let group = (block * reserve).min(MAX_VEHICLES / GROUPS).max(block);
        let golden = (block * 618 / 1000).max(1);
        let stride = (golden..).find(|&stride| greatest_common_divisor(stride, block) == 1).unwrap_or(1);
        Self { trips: 0, block, group, stride }
    }

    fn next(&mut self, bits: u64) -> u64 {
        let (block, place) = (self.trips / self.block, self.trips % self.block);
        self.trips += 1;
        let turn = (place * self.stride + block) % self.block;
        let (low, high) = (self.rank(turn), self.rank(turn + 1));
        block % GROUPS * self.group + low + scale(bits, high - low)
    }

    fn rank(&self, turn: u64) -> u64 {
        let share = (turn << 21) / self.block;
        turn + ((((share * share * share) >> 32) * (self.group - self.block)) >> 31)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// A model that another vehicle could have under the same type of plate.
pub(super) fn lookalike_model(models: &Models, plate_type: u8, bits: u64) -> ModelId {
    const MARKETS: [Market; 9] = [
        Market::Car,
        Market::Truck,
        Market::Electric,
        Market::ElectricHeavy,
        Market::SlowTruck,
        Market::Trailer,
        Market::Car,
        Market::Car,
        Market::Car,
    ];
    models.choose(MARKETS.get(usize::from(plate_type)).copied().unwrap_or(Market::Car), bits)
}

/// What a camera writes for the plate type where it read none.
pub(super) fn unread_plate_type(bits: u64) -> &'static str {
    pick(&["-", "-", "02", "01"], bits)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_vehicle_rests_between_trips() {
        for (round, reserve) in [(800, 5), (5_000, 20), (3, 5), (100_000, 2)] {
            let mut rota = Rota::new(round, reserve);
            let mut chance = Chance::new(3);
            let mut last = HashMap::new();
            for trip in 0..rota.block * GROUPS * 5 {
                let vehicle = rota.next(chance.bits());
                assert!(vehicle < rota.group * GROUPS);
                if let Some(before) = last.insert(vehicle, trip) {
                    assert!(trip - before > rota.block * (GROUPS - 2), "vehicle {vehicle} after {}", trip - before);
                }
            }
        }
    }

    #[test]
    fn few_return_often_and_most_seldom() {
        let mut rota = Rota::new(8_000, 5);
        let mut chance = Chance::new(4);
        let mut trips = HashMap::new();
        let rounds = 20;
        for _ in 0..rota.block * GROUPS * rounds {
            *trips.entry(rota.next(chance.bits())).or_insert(0) += 1;
        }
        let vehicles = rota.group * GROUPS;
        let often = trips.values().filter(|&&count| count >= rounds / 2).count() as f64 / vehicles as f64;
        let seldom = 1.0 - trips.values().filter(|&&count| count > 2).count() as f64 / vehicles as f64;
        assert!((0.02..0.15).contains(&often), "{often}");
        assert!((0.4..0.9).contains(&seldom), "{seldom}");
        assert!(trips.values().all(|&count| count <= rounds));
    }

    #[test]
    fn vehicles_have_plates_of_their_own() {
        let fleet = Fleet::new(5, 9.0);
        let mut plates = HashMap::new();
        for serial in 0..400_000 {
            let plate = fleet.vehicle(serial).plate.as_bytes().to_vec();
            assert_eq!(plates.insert(plate, serial), None, "{serial}");
        }
    }

    #[test]
    fn speeds_are_those_of_the_road() {
        let fleet = Fleet::new(6, 9.0);
        assert!((0..10_000).all(|serial| (70..=110).contains(&fleet.vehicle(serial).speed_kmh)));
    }
}
