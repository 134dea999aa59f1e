//! Neighbouring checkpoints, for the lines on a map: consecutive checkpoints of a road, and between roads the shortest links
//! that connect everything. Derived from the catalogue alone; it knows no road geometry.

use std::collections::BTreeMap;

use serde::Serialize;
use traffic::{Catalogue, Checkpoint, great_circle_km};
use utoipa::ToSchema;

/// Above this number of checkpoints roads are not linked, since all pairs would have to be compared.
const MAX_LINKED: usize = 500;

/// Why two checkpoints are neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Link {
    /// Consecutive checkpoints of a road.
    Road,
    /// Near each other on different roads; no road between them is known.
    Near,
}

/// A neighbour of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Neighbour {
    /// Its code.
    #[schema(example = "G104_Tongshan_Sulu")]
    pub(super) code: String,
    /// `road`: the next on the same road; `near`: merely near, on another road.
    #[schema(example = "road")]
    pub(super) link: Link,
    /// Great-circle distance in km.
    #[schema(example = 42.1)]
    distance_km: f64,
}

/// The neighbours of every checkpoint, in the order of the catalogue; nearest first. A checkpoint without coordinates has
/// none.
pub(super) fn neighbours(catalogue: &Catalogue) -> Vec<Vec<Neighbour>> {
    let checkpoints: Vec<&Checkpoint> = catalogue.iter().collect();
    let mut links = roads(&checkpoints);
    if checkpoints.len() <= MAX_LINKED {
        join(&checkpoints, &mut links);
    }
    let mut neighbours = vec![Vec::new(); checkpoints.len()];
    for ((a, b), link) in links {
        for (from, to) in [(a, b), (b, a)] {
            let (Some(list), Some(here), Some(there)) =
                (neighbours.get_mut(from), checkpoints.get(from), checkpoints.get(to))
            else {
                continue;
            };
            if let Some(km) = distance(here, there) {
                let distance_km = (km * 10.0).round() / 10.0;
                list.push(Neighbour { code: there.code.clone(), link, distance_km });
            }
        }
    }
    for list in &mut neighbours {
        list.sort_by(|a, b| a.distance_km.total_cmp(&b.distance_km).then_with(|| a.code.cmp(&b.code)));
    }
    neighbours
}

/// Pairs of positions in the catalogue, the smaller first.
type Links = BTreeMap<(usize, usize), Link>;

/// Longitude and latitude in degrees.
type Place = (f64, f64);

fn distance(a: &Checkpoint, b: &Checkpoint) -> Option<f64> {
    Some(great_circle_km(a.position()?, b.position()?))
}

/// Consecutive checkpoints of each road, along the line that fits its checkpoints best.
fn roads(checkpoints: &[&Checkpoint]) -> Links {
    let mut by_road: BTreeMap<&str, Vec<(usize, Place)>> = BTreeMap::new();
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        if let Some(position) = checkpoint.position().filter(|_| !checkpoint.road.is_empty()) {
            by_road.entry(&checkpoint.road).or_default().push((index, position));
        }
    }
    let mut links = Links::new();
    for on_road in by_road.values_mut() {
        let (east, north) = main_direction(on_road.iter().map(|(_, position)| *position));
        let along = |(lon, lat): Place| lon * east + lat * north;
        on_road.sort_by(|(_, a), (_, b)| along(*a).total_cmp(&along(*b)));
        for pair in on_road.windows(2) {
            if let [(a, _), (b, _)] = pair {
                links.insert((*a.min(b), *a.max(b)), Link::Road);
            }
        }
    }
    links
}

/// The direction of greatest spread, as factors of longitude and latitude: the first principal axis, with degrees of
/// longitude scaled to the latitude.
fn main_direction(places: impl ExactSizeIterator<Item = Place> + Clone) -> (f64, f64) {
    let count = places.len().max(1) as f64;
    let (lon, lat) = places.clone().fold((0.0, 0.0), |(x, y), (lon, lat)| (x + lon / count, y + lat / count));
    let shrink = lat.to_radians().cos();
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in places.map(|(x, y)| ((x - lon) * shrink, y - lat)) {
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    (angle.cos() * shrink, angle.sin())
}

/// Adds the shortest links that connect the roads (Kruskal 1956).
fn join(checkpoints: &[&Checkpoint], links: &mut Links) {
    let mut groups: Vec<usize> = (0..checkpoints.len()).collect();
    for (a, b) in links.keys() {
        unite(&mut groups, *a, *b);
    }
    let mut pairs = Vec::new();
    for (a, here) in checkpoints.iter().enumerate() {
        for (b, there) in checkpoints.iter().enumerate().skip(a + 1) {
            if let Some(km) = distance(here, there) {
                pairs.push((km, a, b));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, a, b) in pairs {
        if unite(&mut groups, a, b) {
            links.insert((a, b), Link::Near);
        }
    }
}

/// The representative of the group of a checkpoint.
fn group_of(groups: &[usize], mut of: usize) -> usize {
    while let Some(&parent) = groups.get(of).filter(|parent| **parent != of) {
        of = parent;
    }
    of
}

/// Joins two groups; false if they are one already.
fn unite(groups: &mut [usize], a: usize, b: usize) -> bool {
    let (a, b) = (group_of(groups, a), group_of(groups, b));
    if a == b {
        return false;
    }
    if let Some(parent) = groups.get_mut(b) {
        *parent = a;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(places: &[(&str, &str, Option<Place>)]) -> Catalogue {
        let checkpoints = places.iter().map(|(code, road, place)| Checkpoint {
            code: (*code).to_owned(),
            name: format!("{code} in full"),
            road: (*road).to_owned(),
            lon: place.map(|(lon, _)| lon),
            lat: place.map(|(_, lat)| lat),
            ..Checkpoint::default()
        });
        Catalogue::new(checkpoints.collect()).unwrap()
    }

    fn of(catalogue: &Catalogue, code: &str) -> Vec<(String, Link)> {
        let at = catalogue.iter().position(|it| it.code == code).unwrap();
        let mut found: Vec<_> = neighbours(catalogue)[at].iter().map(|it| (it.code.clone(), it.link)).collect();
        found.sort();
        found
    }

    #[test]
    fn along_a_road_whatever_its_direction_and_the_order_of_the_catalogue() {
        for direction in [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-0.3, 1.0)] {
            let place = |at: f64| Some((117.0 + direction.0 * at / 10.0, 34.0 + direction.1 * at / 10.0));
            let catalogue = catalogue(&[
                ("c", "G1", place(3.0)),
                ("a", "G1", place(0.0)),
                ("d", "G1", place(4.0)),
                ("b", "G1", place(1.1)),
                ("unknown", "G1", None),
            ]);
            let road = |code: &str| (code.to_owned(), Link::Road);
            assert_eq!(of(&catalogue, "a"), [road("b")], "{direction:?}");
            assert_eq!(of(&catalogue, "b"), [road("a"), road("c")], "{direction:?}");
            assert_eq!(of(&catalogue, "d"), [road("c")], "{direction:?}");
            assert_eq!(of(&catalogue, "unknown"), []);
        }
    }

    #[test]
    fn roads_are_joined_by_the_shortest_link() {
        let catalogue = catalogue(&[
            ("a1", "G1", Some((117.0, 34.0))),
            ("a2", "G1", Some((117.5, 34.0))),
            ("b1", "G2", Some((117.5, 34.1))),
            ("b2", "G2", Some((118.0, 34.5))),
            ("alone", "", Some((117.0, 33.8))),
        ]);
        assert_eq!(of(&catalogue, "a2"), [("a1".to_owned(), Link::Road), ("b1".to_owned(), Link::Near)]);
        assert_eq!(of(&catalogue, "alone"), [("a1".to_owned(), Link::Near)]);
    }

    #[test]
    fn everything_of_xuzhou_is_joined_and_links_go_both_ways() {
        let catalogue = Catalogue::xuzhou();
        let all = neighbours(&catalogue);
        let links: usize = all.iter().map(Vec::len).sum();
        assert_eq!(links, 2 * (catalogue.len() - 1), "a tree over all");
        for (checkpoint, list) in catalogue.iter().zip(&all) {
            assert!(!list.is_empty(), "{}", checkpoint.code);
            for neighbour in list {
                let at = catalogue.iter().position(|it| it.code == neighbour.code).unwrap();
                assert!(all[at].iter().any(|back| back.code == checkpoint.code && back.link == neighbour.link));
            }
        }
        let suining = ("G104_Suining_Suwan".to_owned(), Link::Road);
        assert!(of(&catalogue, "G104_Tongshan_Sulu").contains(&suining));
    }
}
