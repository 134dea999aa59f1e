//! What is wrong with which camera.
//!
//! A fixed share of the cameras has a fault, one each, in a fixed mixture and at places that the seed chooses. The
//! others have clocks right within two seconds. It does not know what a fault does to a line.

use super::super::chance::{Chance, Probability, mix};
use super::clock::{Clock, Step};

/// What is wrong with a camera. The words are those of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// The clock is wrong by some tens of seconds to minutes,
    Offset,
    /// or by tens of minutes.
    Far,
    /// The clock runs fast or slow, and is set right every five days.
    Drift,
    /// The clock is set wrong, and half a day later set right.
    Step,
    /// Single records have times that are hours off.
    Leap,
    /// Times are written to the minute.
    Minutes,
    /// Records arrive in batches.
    Batch,
    /// Plates are misread often,
    Misreads,
    /// brands are.
    Brands,
    /// Every third day nothing is recorded for some hours.
    Silence,
    /// Many passages are read twice.
    Doubles,
}

/// The mixture. The first ones are there even in small networks.
const MIXTURE: [Fault; 12] = [
    Fault::Offset,
    Fault::Drift,
    Fault::Step,
    Fault::Leap,
    Fault::Batch,
    Fault::Far,
    Fault::Offset,
    Fault::Misreads,
    Fault::Silence,
    Fault::Brands,
    Fault::Doubles,
    Fault::Minutes,
];
/// Cameras in 100 that have a fault.
const FAULTY_PERCENT: usize = 60;

impl Fault {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::Offset => "offset",
            Self::Far => "far",
            Self::Drift => "drift",
            Self::Step => "step",
            Self::Leap => "leap",
            Self::Minutes => "minutes",
            Self::Batch => "batch",
            Self::Misreads => "misreads",
            Self::Brands => "brands",
            Self::Silence => "silence",
            Self::Doubles => "doubles",
        }
    }
}

/// A camera as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    pub(super) fault: Fault,
    pub(super) clock: Clock,
    /// Milliseconds between two uploads, if records arrive in batches.
    pub(super) batch_ms: Option<u64>,
    /// Share of records with a time that is hours off.
    pub(super) leap: f64,
    /// Shares of passages: not recorded, misread, with a wrong brand, with a wrong plate type, read twice.
    pub(super) missed: f64,
    pub(super) misread: f64,
    pub(super) wrong_brand: f64,
    pub(super) wrong_type: f64,
    pub(super) doubled: f64,
    /// From when on and for how long it records nothing, in milliseconds, every [`SILENCE_EVERY`].
    pub(super) silence: Option<(u64, u64)>,
}

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// A silence comes again after this many milliseconds.
pub(super) const SILENCE_EVERY: u64 = 72 * HOUR;

impl Camera {
    /// A camera without any error, but what the settings ask of all.
    pub(super) fn faultless(misread: f64, doubled: f64) -> Self {
        Self {
            fault: Fault::None,
            clock: Clock {
                offset_ms: 0,
                drift_ms_a_day: 0,
                step: None,
                leaps: Probability::new(0.0),
                is_to_the_minute: false,
            },
            batch_ms: None,
            leap: 0.0,
            missed: 0.0,
            misread,
            wrong_brand: 0.0,
            wrong_type: 0.0,
            doubled,
            silence: None,
        }
    }

    /// A camera with a fault and with the small errors that all have. Misreads and double reads are multiples of
    /// what the settings ask.
    fn with(fault: Fault, misread: f64, doubled: f64, chance: &mut Chance) -> Self {
        let permille = |least: u64, most: u64, chance: &mut Chance| chance.between(least, most + 1) as f64 / 1000.0;
        let mut camera = Self {
            fault,
            missed: permille(20, 60, chance),
            misread: misread * chance.between(4, 21) as f64,
            wrong_brand: permille(10, 60, chance),
            wrong_type: 0.005,
            doubled,
            ..Self::faultless(misread, doubled)
        };
        camera.clock.offset_ms = signed(chance.below(2_001), chance);
        match fault {
            Fault::None => {}
            Fault::Offset => camera.clock.offset_ms = signed(chance.between(20_000, 240_001), chance),
            Fault::Far => camera.clock.offset_ms = signed(chance.between(10 * MINUTE, 50 * MINUTE), chance),
            Fault::Drift => camera.clock.drift_ms_a_day = signed(chance.between(150_000, 600_001), chance),
            Fault::Step => {
                let from = chance.between(8 * 3600, 11 * 3600) * 1000;
                let until = from + chance.between(12 * 3600, 13 * 3600) * 1000;
                let ms = signed(chance.between(2 * MINUTE, 60 * MINUTE), chance);
                camera.clock.step = Some(Step { from, until, ms });
            }
            Fault::Leap => {
                camera.leap = permille(5, 15, chance);
                camera.clock.leaps = Probability::new(camera.leap);
            }
            Fault::Minutes => camera.clock.is_to_the_minute = true,
            Fault::Batch => camera.batch_ms = Some(chance.between(10, 61) * MINUTE),
            Fault::Misreads => camera.misread = misread * 80.0,
            Fault::Brands => camera.wrong_brand = permille(200, 350, chance),
            // In the history of a day it begins shortly before the live traffic does.
            Fault::Silence => {
                camera.silence = Some((chance.between(45, 48) * HOUR / 2, chance.between(3, 6) * HOUR));
            }
            Fault::Doubles => camera.doubled = (doubled * 40.0).min(0.5),
        }
        camera.misread = camera.misread.min(0.5);
        camera
    }

    /// Whether it records nothing at `at` milliseconds since the start.
    pub(super) fn is_silent(&self, at: u64) -> bool {
        self.silence.is_some_and(|(from, length)| at >= from && (at - from) % SILENCE_EVERY < length)
    }
}

/// `size` or its opposite.
fn signed(size: u64, chance: &mut Chance) -> i64 {
    if chance.below(2) == 0 { size as i64 } else { -(size as i64) }
}

/// The cameras of `count` checkpoints.
pub(super) fn cameras(count: usize, misread: f64, doubled: f64, seed: u64) -> Vec<Camera> {
    let mut chance = Chance::new(seed);
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by_key(|&place| mix(place as u64, seed));
    let mut faults = vec![Fault::None; count];
    let mixture = MIXTURE.into_iter().cycle().take(count * FAULTY_PERCENT / 100);
    for (place, fault) in places.into_iter().zip(mixture) {
        if let Some(slot) = faults.get_mut(place) {
            *slot = fault;
        }
    }
    faults.into_iter().map(|fault| Camera::with(fault, misread, doubled, &mut chance)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_clocks_are_right_and_each_fault_is_there() {
        for (count, faulty, kinds) in [(19, 11, 10), (48, 28, 11), (500, 300, 11), (2, 1, 1)] {
            let cameras = cameras(count, 0.001, 0.005, 7);
            let faults: Vec<_> = cameras.iter().map(|it| it.fault).filter(|it| *it != Fault::None).collect();
            let distinct: std::collections::BTreeSet<_> = faults.iter().collect();
            assert_eq!((cameras.len(), faults.len(), distinct.len()), (count, faulty, kinds));
            let right = cameras.iter().filter(|it| (0..48).all(|hour| it.clock.error_ms(hour * HOUR).abs() <= 2_000));
            let share = right.count() as f64 / count as f64;
            assert!(share >= 0.5, "{count}: {share}");
        }
    }

    #[test]
    fn every_seed_puts_faults_elsewhere() {
        let faults = |seed| cameras(48, 0.001, 0.005, seed).iter().map(|it| it.fault).collect::<Vec<_>>();
        assert_eq!(faults(1), faults(1));
        assert_ne!(faults(1), faults(2));
    }

    #[test]
    fn a_silence_comes_every_third_day() {
        let camera = Camera { silence: Some((22 * HOUR, 3 * HOUR)), ..Camera::faultless(0.0, 0.0) };
        let silent: Vec<u64> = (0..200).filter(|hour| camera.is_silent(hour * HOUR)).collect();
        assert_eq!(silent, [22, 23, 24, 94, 95, 96, 166, 167, 168]);
    }
}
