//! Checkpoints for a network of any size: the 19 real ones, or invented ones in the same region.
//!
//! Invented checkpoints are on a jittered grid around Xuzhou, at least some kilometres apart; if they do not fit the
//! region, it grows. Their codes, names and labels follow the pattern of the real ones. It knows no roads between them;
//! see the network.

use traffic::{Catalogue, Checkpoint};

use super::chance::{mix, scale};
use super::network::{METRES_PER_DEGREE, MIDDLE, Place};

/// Width and height of the region of the real checkpoints, in metres.
const REGION: (u64, u64) = (195_000, 115_000);
/// Sites are on a grid of at least this spacing, in metres, and up to a quarter of it away from its points.
const MIN_SPACING: u64 = 10_000;
/// Beyond the region, districts are squares of this, in metres.
const OUTER_DISTRICT: i64 = 60_000;

/// `count` checkpoints; 0 for all the real ones.
pub(super) fn checkpoints(count: usize, seed: u64) -> Vec<Checkpoint> {
    let mut real: Vec<_> = Catalogue::xuzhou().iter().cloned().collect();
    if count > real.len() {
        return invented(count, seed, &real);
    }
    if count > 0 {
        real.truncate(count);
    }
    real
}

fn invented(count: usize, seed: u64, real: &[Checkpoint]) -> Vec<Checkpoint> {
    let (width, height) = REGION;
    let columns = ((count as u64 * width / height).isqrt()).clamp(1, count.max(1) as u64);
    let rows = (count as u64).div_ceil(columns);
    let spacing = (width / columns).max(MIN_SPACING);
    let site = |index: usize| {
        let (column, row) = (index as u64 % columns, index as u64 / columns);
        let jitter = |salt: u64| scale(mix(index as u64, seed ^ salt), spacing / 2) as i64 - (spacing / 4) as i64;
        let along = |cell: u64, cells: u64| (cell * spacing + spacing / 2) as i64 - (cells * spacing / 2) as i64;
        let (x, y) = (along(column, columns) + jitter(5), along(row, rows) + jitter(6));
        let road = if (column + row) % 2 == 0 { format!("G{}", 201 + column) } else { format!("S{}", 201 + row) };
        let (district, latin) = district(x, y, real);
        let (number, kilometre) = (index + 1, row * spacing / 1000 + 3);
        let short = district.trim_end_matches(['县', '市']).to_owned();
        Checkpoint {
            code: format!("{road}_{latin}_{number:05}"),
            name: format!("徐州市{district}{road}K{kilometre}江苏徐州-{road}-{short}{number:05}号卡口"),
            label: format!("{road}-{short}-{number:05}号"),
            district,
            road,
            lon: Some(degrees(x, MIDDLE.0, METRES_PER_DEGREE.0)),
            lat: Some(degrees(y, MIDDLE.1, METRES_PER_DEGREE.1)),
        }
    };
    (0..count).map(site).collect()
}

/// The district at a place, and its name in Latin letters: that of the nearest real checkpoint, or an invented one far
/// from all of them.
fn district(x: i64, y: i64, real: &[Checkpoint]) -> (String, String) {
    let here = Place { x, y };
    let distance = |checkpoint: &&Checkpoint| Place::of(checkpoint).square_distance(here);
    // The expressway brigade has one checkpoint and no territory of its own.
    let nearest = real.iter().filter(|checkpoint| !checkpoint.code.starts_with("G3_")).min_by_key(distance);
    match nearest {
        Some(checkpoint) if distance(&checkpoint) < OUTER_DISTRICT * OUTER_DISTRICT => {
            let latin = checkpoint.code.split('_').nth(1).unwrap_or("Xuzhou");
            (checkpoint.district.clone(), latin.to_owned())
        }
        _ => {
            let (column, row) = (x.div_euclid(OUTER_DISTRICT) + 50, y.div_euclid(OUTER_DISTRICT) + 50);
            (format!("外围{column:02}{row:02}区"), format!("Outer{column:02}{row:02}"))
        }
    }
}

/// Degrees of a place `metres` from the middle, to six decimals.
fn degrees(metres: i64, middle: f64, metres_per_degree: f64) -> f64 {
    ((middle + metres as f64 / metres_per_degree) * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_networks_are_real() {
        let real: Vec<_> = Catalogue::xuzhou().iter().cloned().collect();
        assert_eq!(checkpoints(0, 1), real);
        assert_eq!(checkpoints(19, 1), real);
        assert_eq!(checkpoints(4, 1), real[..4]);
    }

    #[test]
    fn large_networks_make_a_catalogue_with_room_between() {
        for count in [20, 100, 10_000] {
            let invented = checkpoints(count, 3);
            assert_eq!(Catalogue::new(invented.clone()).unwrap().len(), count);
            let places: Vec<_> = invented.iter().map(Place::of).collect();
            for (index, place) in places.iter().enumerate().step_by(97) {
                let others = places.iter().enumerate().filter(|(other, _)| *other != index);
                let nearest = others.map(|(_, other)| place.square_distance(*other)).min().unwrap();
                assert!((4_900 * 4_900..60_000 * 60_000).contains(&nearest), "{count}: {nearest}");
            }
            assert!(invented.iter().all(|it| !it.code.contains(['\'', '"', '`']) && it.name.contains(&it.district)));
        }
        assert_ne!(checkpoints(20, 3), checkpoints(20, 4));
    }

    #[test]
    fn invented_ones_near_the_real_are_of_their_district() {
        let districts: std::collections::HashSet<_> = checkpoints(150, 5).into_iter().map(|it| it.district).collect();
        assert!(["铜山县", "邳州市", "沛县"].iter().all(|it| districts.contains(*it)), "{districts:?}");
        assert!(!districts.contains("高速五大队"));
        assert!(checkpoints(10_000, 5).iter().any(|it| it.district.starts_with("外围")));
    }
}
