//! Chance that is the same on every machine: one seeded stream, integer draws, and hashes that never change.
//!
//! It uses no function of the platform's maths library, because those differ in their last bits. It does not know what
//! is drawn.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// A probability in units of 2⁻³².
#[derive(Debug, Clone, Copy)]
pub(super) struct Probability(u64);

impl Probability {
    pub(super) fn new(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * 4_294_967_296.0) as u64)
    }
}

/// A seeded stream of draws.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    stream: Xoshiro256PlusPlus,
    exponential: Box<[u32]>,
}

/// One in [`Chance::exponential`].
pub(super) const ONE: u64 = 1 << 16;

impl Chance {
    /// Entries of the table of [`Chance::exponential`]: the mid-quantiles of this many equal shares.
    const QUANTILES: u32 = 1024;

    pub(super) fn new(seed: u64) -> Self {
        let quantile = |index: u32| {
            let rest = 1.0 - (f64::from(index) + 0.5) / f64::from(Self::QUANTILES);
            (-natural_logarithm(rest) * ONE as f64) as u32
        };
        Self {
            stream: Xoshiro256PlusPlus::seed_from_u64(seed),
            exponential: (0..Self::QUANTILES).map(quantile).collect(),
        }
    }

    #[inline]
    pub(super) fn bits(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number below `limit`; 0 if `limit` is 0.
    #[inline]
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        scale(self.bits(), limit)
    }

    /// A number from `low` to below `high`; `low` if there is none.
    #[inline]
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    #[inline]
    pub(super) fn happens(&mut self, probability: Probability) -> bool {
        self.bits() >> 32 < probability.0
    }

    /// An exponentially distributed number with mean [`ONE`], as between the arrivals of independent vehicles.
    #[inline]
    pub(super) fn exponential(&mut self) -> u64 {
        let bits = self.bits();
        u64::from(pick(&self.exponential, bits))
    }
}

/// `bits`, taken as a fraction of 2⁶⁴, times `limit`.
#[inline]
pub(super) fn scale(bits: u64, limit: u64) -> u64 {
    ((u128::from(bits) * u128::from(limit)) >> 64) as u64
}

/// The entry of `table` that `bits` choose; the default of an empty table.
#[inline]
pub(super) fn pick<T: Copy + Default>(table: &[T], bits: u64) -> T {
    table.get(scale(bits, table.len() as u64) as usize).copied().unwrap_or_default()
}

/// A hash of `value` under `salt`: the finaliser of SplitMix64.
#[inline]
pub(super) fn mix(value: u64, salt: u64) -> u64 {
    let mut z = value.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// ln `x` for 0 < `x` ≤ 1 by ln x = 2 artanh((x − 1)/(x + 1)), in the four exact operations only.
fn natural_logarithm(mut x: f64) -> f64 {
    let mut halvings = 0.0;
    while x < 0.5 {
        x *= 2.0;
        halvings += 1.0;
    }
    let y = (x - 1.0) / (x + 1.0);
    let mut power = y;
    let mut sum = 0.0;
    for odd in (1..40).step_by(2) {
        sum += power / f64::from(odd);
        power *= y * y;
    }
    2.0 * sum - halvings * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_logarithm_agrees_with_the_platform() {
        for x in [1.0, 0.999, 0.75, 0.5, 0.3, 0.1, 0.001, 1e-9] {
            assert!((natural_logarithm(x) - f64::ln(x)).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn exponential_has_mean_one() {
        let mut chance = Chance::new(1);
        let sum: u64 = (0..100_000).map(|_| chance.exponential()).sum();
        let mean = sum as f64 / 100_000.0 / ONE as f64;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
    }

    #[test]
    fn draws_stay_in_their_limits() {
        let mut chance = Chance::new(2);
        assert_eq!(chance.below(0), 0);
        assert_eq!(pick::<u8>(&[], 5), 0);
        assert!((0..10_000).all(|_| (7..10).contains(&chance.between(7, 10))));
        let share = (0..100_000).filter(|_| chance.happens(Probability::new(0.02))).count();
        assert!((1_800..2_200).contains(&share), "{share}");
        assert!(!chance.happens(Probability::new(0.0)));
        assert!(chance.happens(Probability::new(1.0)));
    }
}
