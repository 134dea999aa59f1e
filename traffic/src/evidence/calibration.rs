//! What a plate's probability is worth for one of its pairs.
//!
//! A plate's probability begins with how rare clones are among all plates. A pair that an alert rule raises and that is
//! still a contradiction once the clocks are corrected is rarer than that with one car, so it is worth more. How much
//! was measured: log odds of a plate's probability against the share of such pairs that two cars made.

/// Log odds before and after, in rising order; linear in between.
type Curve = [(f64, f64)];

/// Pairs whose likeliest explanation is not a misread. Measured on 64 made-up days of 20,000 vehicles at 48 checkpoints
/// with wrong clocks, misreads and clones; on half of them the second car drives seldom.
const CONTRADICTION: &Curve = &[
    (-8.5, -4.5),
    (-7.0, -0.2),
    (-5.5, 0.2),
    (-5.45, 2.1),
    (-4.0, 2.2),
    (-3.0, 2.6),
    (-1.0, 3.4),
    (0.0, 4.5),
    (9.2, 9.2),
];
/// Pairs that are likeliest a misread: 740 pairs of the same days.
const MISREAD: &Curve = &[
    (-9.0, -4.5),
    (-7.0, -2.2),
    (-4.7, -2.2),
    (-4.5, 1.0),
    (-3.8, 1.85),
    (-2.0, 2.0),
    (-0.75, 3.5),
    (0.0, 4.0),
    (9.2, 9.2),
];

/// The probability that two cars made a contradiction of a plate with this probability.
pub(super) fn of_contradiction(plate: f64, is_misread: bool) -> f64 {
    let odds = (plate / (1.0 - plate)).ln();
    1.0 / (1.0 + (-along(if is_misread { MISREAD } else { CONTRADICTION }, odds)).exp())
}

/// The curve at `at`; below its first point as far below as there, above its last likewise.
fn along(curve: &Curve, at: f64) -> f64 {
    let below = curve.iter().rev().find(|(from, _)| *from <= at);
    let above = curve.iter().find(|(from, _)| *from > at);
    match (below, above) {
        (Some((x, y)), Some((next, then))) => y + (then - y) * (at - x) / (next - x),
        (Some((x, y)), None) | (None, Some((x, y))) => y + at - x,
        (None, None) => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_rise_and_end_where_they_began() {
        for is_misread in [false, true] {
            let at = |step: i32| of_contradiction(f64::from(step) / 10_000.0, is_misread);
            assert!((0..10_000).all(|step| at(step) <= at(step + 1)));
            assert_eq!((at(0), at(10_000)), (0.0, 1.0));
        }
    }

    /// Log odds −5 are a probability of 0.006693, and lie 0.45 of 1.45 on the way from 2.1 to 2.2: 2.131034, which is
    /// 0.893883. Log odds −4, or 0.017986, are 2.2, or 0.900250.
    #[test]
    fn points_by_hand() {
        let close = |plate: f64, expected: f64| {
            let found = of_contradiction(plate, false);
            assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
        };
        close(0.006_692_85, 0.893_883);
        close(0.017_986_2, 0.900_250);
    }
}
