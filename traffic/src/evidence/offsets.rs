//! The clocks' offsets, solved over the network: Σ w·|o_j − o_i − d_ij| is made small, where d_ij is half of what the
//! gaps from i to j are longer than those from j to i. Congestion and distance are the same both ways, more or less;
//! what is left is the clocks. Leads and the offset of the hour before are observations too. Minimising the sum of
//! absolute values makes each offset a weighted median of what its neighbours say, so a few wrong ones move nothing.

use super::buckets::{BUCKETS, quantile};
use super::travel_times::PairTimes;
use crate::NameId;

/// Which quantile of the gaps is compared: low, so that stops and congestion count little.
const QUANTILE: f64 = 0.2;
/// A pair with fewer gaps in an hour in either direction says nothing of the clocks.
const MIN_GAPS: u32 = 12;
const SWEEPS: usize = 30;

/// Says that the offset of `high` less that of `low` changed by this many seconds, give or take `error`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub(super) low: NameId,
    pub(super) high: NameId,
    pub(super) seconds: f64,
    pub(super) error: f64,
}

/// What an hour's gaps of a pair say, if there are enough both ways.
pub(super) fn difference(pair: &PairTimes) -> Option<Difference> {
    let [up, down] = [&pair.hour_up, &pair.hour_down].map(|counts| {
        let total: u32 = counts.iter().map(|count| u32::from(*count)).sum();
        (counts, total)
    });
    let least = up.1.min(down.1);
    if least < MIN_GAPS {
        return None;
    }
    let low = |(counts, total): (&[u16; BUCKETS], u32)| quantile(counts.iter().copied(), f64::from(total) * QUANTILE);
    let (there, back) = (low(up)?, low(down)?);
    let error = (f64::midpoint(there, back) * 0.3 / f64::from(least).sqrt()).max(2.0);
    Some(Difference { low: pair.low, high: pair.high, seconds: (there - back) / 2.0, error })
}

/// What is known of one camera: its offset changed by this many seconds, give or take `error`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Own {
    pub(super) seconds: f64,
    pub(super) error: f64,
}

/// By how much each offset changed, in seconds; none where nothing is known. The changes are relative to one another.
pub(super) fn solve(own: &[Vec<Own>], differences: &[Difference]) -> Vec<Option<Own>> {
    let mut neighbours: Vec<Vec<(usize, f64, f64)>> = vec![Vec::new(); own.len()];
    for said in differences {
        let (low, high) = (said.low as usize, said.high as usize);
        if let Some(of) = neighbours.get_mut(low) {
            of.push((high, -said.seconds, 1.0 / said.error));
        }
        if let Some(of) = neighbours.get_mut(high) {
            of.push((low, said.seconds, 1.0 / said.error));
        }
    }
    let mut offsets: Vec<f64> = own
        .iter()
        .map(|own| own.iter().min_by(|a, b| a.error.total_cmp(&b.error)).map_or(0.0, |own| own.seconds))
        .collect();
    let mut said = Vec::new();
    let mut known = vec![None; own.len()];
    for _ in 0..SWEEPS {
        let mut moved: f64 = 0.0;
        for at in 0..own.len() {
            said.clear();
            said.extend(own.get(at).into_iter().flatten().map(|own| (own.seconds, 1.0 / own.error)));
            for (other, seconds, weight) in neighbours.get(at).into_iter().flatten() {
                let there = offsets.get(*other).copied().unwrap_or(0.0);
                said.push((there + seconds, *weight));
            }
            if let (Some(middle), Some(place), Some(known)) =
                (weighted_median(&mut said), offsets.get_mut(at), known.get_mut(at))
            {
                moved = moved.max((middle.seconds - *place).abs());
                *place = middle.seconds;
                *known = Some(middle);
            }
        }
        if moved < 0.05 {
            break;
        }
    }
    known
}

/// The weighted median, and how wrong it may be: what is left after the weights' sum and how far they disagree.
fn weighted_median(said: &mut [(f64, f64)]) -> Option<Own> {
    said.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = said.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    let middle = said
        .iter()
        .find(|(_, weight)| {
            below += weight;
            below * 2.0 >= total
        })?
        .0;
    let squares: f64 = said.iter().map(|(_, weight)| weight * weight).sum();
    let off: f64 = said.iter().map(|(value, weight)| weight * (value - middle).abs()).sum::<f64>() / total;
    Some(Own { seconds: middle, error: 1.0 / squares.sqrt() + off / (said.len() as f64).sqrt() })
}

/// The middle one, of two the lower.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(seconds: f64, error: f64) -> Vec<Own> {
        vec![Own { seconds, error }]
    }

    #[test]
    fn half_of_what_one_way_takes_longer_is_the_clocks() {
        let mut pair = PairTimes::new(0, 1);
        // 300 s each way and the clock of 1 is 90 s fast: 390 s there, 210 s back.
        for (counts, gap) in [(&mut pair.hour_up, 390), (&mut pair.hour_down, 210)] {
            counts[super::super::buckets::bucket_of(gap).unwrap()] = 25;
        }
        let said = difference(&pair).unwrap();
        assert!((said.seconds - 90.0).abs() < 8.0, "{said:?}");
        pair.hour_down = [0; BUCKETS];
        assert_eq!(difference(&pair), None, "traffic one way says nothing");
    }

    #[test]
    fn offsets_follow_from_differences_and_one_wrong_pair_moves_nothing() {
        let truth = [0.0, 60.0, -30.0, 5.0, 0.0];
        let mut said = Vec::new();
        for low in 0..5u32 {
            for high in low + 1..5 {
                let seconds = truth[high as usize] - truth[low as usize];
                let seconds = if (low, high) == (1, 2) { 400.0 } else { seconds };
                said.push(Difference { low, high, seconds, error: 3.0 });
            }
        }
        let known = [own(0.0, 2.0), own(0.0, 300.0), own(0.0, 300.0), own(4.0, 5.0), own(0.0, 2.0)];
        for (camera, solved) in solve(&known, &said).into_iter().enumerate() {
            let solved = solved.unwrap();
            assert!((solved.seconds - truth[camera]).abs() < 1.0, "{camera} {solved:?}");
        }
        assert_eq!(solve(&[Vec::new()], &[]), [None]);
    }

    #[test]
    fn the_weighted_median_is_the_value_at_half_of_the_weight() {
        let of = |said: &[(f64, f64)]| weighted_median(&mut said.to_vec()).map(|own| own.seconds);
        assert_eq!(of(&[(1.0, 1.0), (2.0, 1.0), (100.0, 1.0)]), Some(2.0));
        assert_eq!(of(&[(1.0, 1.0), (2.0, 1.0), (100.0, 3.0)]), Some(100.0));
        assert_eq!(of(&[]), None);
    }
}
