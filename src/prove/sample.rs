//! A table of plates with a limit. Where there are more, it keeps those of a fixed sample of half as many, a quarter, and
//! so on: counts over the table are then estimates, and the same ones each time.

use rustc_hash::FxHashMap;
use traffic::PlateCode;

/// The most plates of a table.
const MAX_PLATES: usize = 1 << 20;

/// A value for each plate of the sample.
#[derive(Debug)]
pub(super) struct Sample<V> {
    plates: FxHashMap<PlateCode, V>,
    limit: usize,
    /// One plate in 2^this is kept.
    level: u32,
}

impl<V> Default for Sample<V> {
    fn default() -> Self {
        Self::with_limit(MAX_PLATES)
    }
}

impl<V> Sample<V> {
    fn with_limit(limit: usize) -> Self {
        Self { plates: FxHashMap::default(), limit, level: 0 }
    }

    /// The value of a plate; none if it is not in the sample.
    pub(super) fn get(&self, plate: PlateCode) -> Option<&V> {
        self.plates.get(&plate)
    }

    /// The value of a plate, which is made if it has none; none if it is not in the sample.
    pub(super) fn entry(&mut self, plate: PlateCode, make: impl FnOnce() -> V) -> Option<&mut V> {
        while self.plates.len() >= self.limit && !self.plates.contains_key(&plate) {
            self.level += 1;
            let level = self.level;
            self.plates.retain(|plate, _| is_in(*plate, level));
        }
        is_in(plate, self.level).then(|| self.plates.entry(plate).or_insert_with(make))
    }

    /// All that are kept, in the order of their codes.
    pub(super) fn in_order(&self) -> Vec<(PlateCode, &V)> {
        let mut all: Vec<_> = self.plates.iter().map(|(plate, value)| (*plate, value)).collect();
        all.sort_unstable_by_key(|(plate, _)| *plate);
        all
    }

    /// How many plates of the traffic satisfy this; an estimate where not all are kept.
    pub(super) fn count(&self, satisfies: impl Fn(&V) -> bool) -> u64 {
        (self.plates.values().filter(|value| satisfies(value)).count() as u64) << self.level
    }

    /// The mean of a number over the plates that have it; none if none has.
    pub(super) fn mean(&self, number: impl Fn(&V) -> Option<f64>) -> Option<f64> {
        // In a fixed order: a sum of floating-point numbers depends on it.
        let numbers: Vec<f64> = self.in_order().into_iter().filter_map(|(_, value)| number(value)).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    }

    /// Whether not all are kept.
    pub(super) fn is_partial(&self) -> bool {
        self.level > 0
    }
}

/// Whether a plate is one of the one in 2^`level`.
fn is_in(plate: PlateCode, level: u32) -> bool {
    level == 0 || scatter(plate, 0).trailing_zeros() >= level
}

/// A number that looks random: the same for the same plate and seed.
pub(super) fn scatter(plate: PlateCode, seed: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(&plate.as_u64().to_le_bytes(), seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_counts_are_estimates() {
        let mut sample = Sample::with_limit(1000);
        for number in 0..50_000u64 {
            // Each plate comes twice.
            for _ in 0..2 {
                if let Some(count) = sample.entry(PlateCode::from_u64(number), || 0) {
                    *count += 1;
                }
            }
            assert!(sample.plates.len() <= 1000);
        }
        assert!(sample.is_partial() && sample.plates.values().all(|count| *count == 2));
        let all = sample.count(|_| true);
        assert!((45_000..55_000).contains(&all), "{all}");
        assert_eq!(sample.in_order().len() as u64, all >> sample.level);
    }

    #[test]
    fn up_to_the_limit_it_is_exact() {
        let mut sample = Sample::with_limit(1000);
        for number in 0..1000u64 {
            sample.entry(PlateCode::from_u64(number), || number);
        }
        assert!(!sample.is_partial());
        assert_eq!((sample.count(|_| true), sample.count(|value| *value < 10)), (1000, 10));
        assert_eq!(sample.get(PlateCode::from_u64(7)), Some(&7));
    }
}
