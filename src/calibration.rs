//! What the desk's decisions say about probabilities: of the cases that were given so and so likely, how many the desk
//! confirmed; and from it what a probability is worth. It does not know where decisions come from.
//!
//! The curve is the isotonic regression of the decisions (pool adjacent violators: Ayer and others, 1955; used for
//! probabilities by Zadrozny and Elkan, 2002): the rising steps with the least squared distance from them. So that a few
//! decisions do not bend it, each band of the table counts as [`PRIOR`] decisions that agree with its middle.

/// Bands of the table, each a tenth wide.
pub const BANDS: usize = 10;
/// Decisions that agree with each band's middle before anything was decided.
const PRIOR: f64 = 5.0;

/// A case that the desk has decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The probability of the case, 0 to 1.
    pub probability: f64,
    /// Whether it was confirmed, rather than dismissed.
    pub is_confirmed: bool,
}

/// One band of the table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Band {
    /// Decided cases.
    pub decided: u64,
    /// Confirmed ones among them.
    pub confirmed: u64,
    /// Mean of their probabilities; none without a case.
    pub predicted: Option<f64>,
}

/// What decisions say.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Of the probabilities from 0 to 0.1, and so on.
    pub bands: [Band; BANDS],
    /// Probabilities and what they are worth, both rising; linear in between.
    curve: Vec<(f64, f64)>,
}

/// Decisions whose order contradicts their probabilities, taken together.
#[derive(Debug, Clone, Copy)]
struct Block {
    weight: f64,
    /// Sums of probabilities and of outcomes.
    probability: f64,
    outcome: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.outcome / self.weight
    }
}

impl Calibration {
    /// What these decisions say.
    pub fn of(decisions: &[Decision]) -> Self {
        let mut bands = [Band::default(); BANDS];
        for decision in decisions {
            let at = (decision.probability * BANDS as f64) as usize;
            let Some(band) = bands.get_mut(at.min(BANDS - 1)) else { continue };
            let sum = band.predicted.unwrap_or(0.0) * band.decided as f64 + decision.probability;
            band.decided += 1;
            band.confirmed += u64::from(decision.is_confirmed);
            band.predicted = Some(sum / band.decided as f64);
        }
        Self { bands, curve: isotonic(decisions) }
    }

    /// How many cases were decided.
    pub fn decided(&self) -> u64 {
        self.bands.iter().map(|band| band.decided).sum()
    }

    /// What a probability is worth.
    pub fn apply(&self, probability: f64) -> f64 {
        let after = self.curve.partition_point(|(from, _)| *from <= probability);
        let point = |at: usize| self.curve.get(at).copied();
        match (after.checked_sub(1).and_then(point), point(after)) {
            (Some((x, y)), Some((next, then))) => y + (then - y) * (probability - x) / (next - x),
            (Some((_, y)), None) | (None, Some((_, y))) => y,
            (None, None) => probability,
        }
    }
}

fn isotonic(decisions: &[Decision]) -> Vec<(f64, f64)> {
    let single = |probability: f64, outcome: f64, weight: f64| Block {
        weight,
        probability: probability * weight,
        outcome: outcome * weight,
    };
    let middles = (0..BANDS).map(|band| (band as f64 + 0.5) / BANDS as f64);
    let mut all: Vec<Block> = middles.map(|middle| single(middle, middle, PRIOR)).collect();
    let decided = decisions.iter().map(|it| single(it.probability, f64::from(u8::from(it.is_confirmed)), 1.0));
    all.extend(decided);
    all.sort_by(|a, b| (a.probability / a.weight).total_cmp(&(b.probability / b.weight)));
    let mut blocks: Vec<Block> = Vec::new();
    for mut block in all {
        while let Some(before) = blocks.pop_if(|before| before.mean() >= block.mean()) {
            block.weight += before.weight;
            block.probability += before.probability;
            block.outcome += before.outcome;
        }
        blocks.push(block);
    }
    let points = blocks.iter().map(|block| (block.probability / block.weight, block.mean()));
    std::iter::once((0.0, 0.0)).chain(points).chain([(1.0, 1.0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decided(probability: f64, confirmed: usize, dismissed: usize) -> Vec<Decision> {
        let of = |is_confirmed| Decision { probability, is_confirmed };
        std::iter::repeat_n(of(true), confirmed).chain(std::iter::repeat_n(of(false), dismissed)).collect()
    }

    #[test]
    fn without_decisions_a_probability_is_worth_itself() {
        let calibration = Calibration::of(&[]);
        for probability in [0.0, 0.05, 0.123, 0.5, 0.95, 0.99, 1.0] {
            assert!((calibration.apply(probability) - probability).abs() < 1e-12);
        }
        assert_eq!((calibration.decided(), calibration.bands[9].predicted), (0, None));
    }

    /// Of 20 cases at 0.85 the desk dismissed 15: with the band's five at 0.85 that is 9.25 of 25 = 0.37. The bands at 0.75,
    /// 0.65 and 0.55 lie above it and join, one after the other: (9.25 + 5 × 1.95) / 40 = 0.475, at the mean probability
    /// (21.25 + 5 × 1.95) / 40 = 0.775. The band at 0.45 lies below and stays.
    #[test]
    fn the_desk_s_decisions_bend_the_curve_by_hand() {
        let calibration = Calibration::of(&decided(0.85, 5, 15));
        assert!((calibration.apply(0.775) - 0.475).abs() < 1e-9, "{calibration:?}");
        assert!((calibration.apply(0.45) - 0.45).abs() < 1e-9);
        assert!((calibration.apply(0.95) - 0.95).abs() < 1e-9);
        let band = calibration.bands[8];
        assert_eq!((band.decided, band.confirmed), (20, 5));
        assert!((band.predicted.unwrap() - 0.85).abs() < 1e-9);
    }

    proptest! {
        /// The curve rises, stays within 0 and 1, and many decisions outweigh the bands' own.
        #[test]
        fn it_rises(decisions in prop::collection::vec((0.0f64..=1.0, any::<bool>()), 0..300)) {
            let decisions: Vec<Decision> =
                decisions.into_iter().map(|(probability, is_confirmed)| Decision { probability, is_confirmed }).collect();
            let calibration = Calibration::of(&decisions);
            let values: Vec<f64> = (0..=1000).map(|step| calibration.apply(f64::from(step) / 1000.0)).collect();
            prop_assert!(values.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{values:?}");
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            prop_assert_eq!(calibration.decided(), decisions.len() as u64);
        }
    }
}
