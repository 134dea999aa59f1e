//! What the leads of a clock's stretches say of it: a step, or a slope. Which size matters, `cameras` knows.

use super::offsets::median;

/// Stretches of an hour.
pub(super) const STRETCHES: usize = 6;
/// A slope over fewer stretches says nothing.
const MIN_SLOPE: usize = 10;

/// The largest jump of the leads between neighbouring stretches that stays, in seconds.
pub(super) fn step(leads: &[Option<f32>]) -> Option<f64> {
    let known: Vec<f32> = leads.iter().flatten().copied().collect();
    known
        .windows(4)
        .filter_map(|window| match window {
            [a, b, c, d] => Some(f64::from((c.min(*d) - a.max(*b)).max(a.min(*b) - c.max(*d)))),
            _ => None,
        })
        .max_by(f64::total_cmp)
}

/// The median slope between all pairs of stretches (Theil and Sen), in seconds an hour; and how many times the change
/// over all of them is larger than their usual distance from the line.
pub(super) fn slope(leads: &[Option<f32>]) -> Option<(f64, f64)> {
    let known: Vec<(f64, f64)> = (0u32..)
        .zip(leads)
        .filter_map(|(at, lead)| lead.map(|lead| (f64::from(at) / STRETCHES as f64, f64::from(lead))))
        .collect();
    if known.len() < MIN_SLOPE {
        return None;
    }
    let pairs =
        known.iter().enumerate().flat_map(|(place, one)| known.iter().skip(place + 1).map(move |other| (one, other)));
    let mut slopes: Vec<f64> = pairs.map(|(one, other)| (other.1 - one.1) / (other.0 - one.0)).collect();
    let slope = median(&mut slopes)?;
    let rest = |(at, lead): &(f64, f64)| lead - slope * at;
    let level = median(&mut known.iter().map(rest).collect::<Vec<_>>())?;
    let apart = median(&mut known.iter().map(|point| (rest(point) - level).abs()).collect::<Vec<_>>())?;
    let change = slope.abs() * (known.last()?.0 - known.first()?.0);
    Some((slope, change / apart.max(0.25)))
}
