//! The road network: checkpoints, the roads between neighbours, and the way from one to another.
//!
//! Roads join each checkpoint to its nearest neighbours and, by a minimum spanning tree, the whole region. It does not
//! know who drives, how fast or when.

use traffic::{Checkpoint, great_circle_km};

use super::chance::{Chance, mix, pick, scale};

/// Number of a checkpoint in a [`Network`].
pub(super) type SiteId = u16;

/// A road to a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Road {
    pub(super) to: SiteId,
    /// Length of the road, which winds, in metres.
    pub(super) metres: u32,
}

/// A place on the plane of the region, in metres east and north of its middle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: i64,
    pub(super) y: i64,
}

impl Place {
    /// The place of a checkpoint; the middle if it is unknown.
    pub(super) fn of(checkpoint: &Checkpoint) -> Self {
        checkpoint.position().map_or_else(Self::default, |(lon, lat)| Self {
            x: ((lon - MIDDLE.0) * METRES_PER_DEGREE.0) as i64,
            y: ((lat - MIDDLE.1) * METRES_PER_DEGREE.1) as i64,
        })
    }

    /// Square of the distance, in square metres.
    pub(super) fn square_distance(self, other: Self) -> i64 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        dx * dx + dy * dy
    }
}

/// Checkpoints and the roads between them.
#[derive(Debug, Clone)]
pub(super) struct Network {
    checkpoints: Vec<Checkpoint>,
    places: Vec<Place>,
    roads: Vec<Vec<Road>>,
    /// Each checkpoint as often as its traffic weight.
    lottery: Vec<SiteId>,
}

/// Number of nearest neighbours that a checkpoint has roads to.
const NEIGHBOURS: usize = 3;
/// A road is longer than the great circle by this, in percent.
const WINDING_PERCENT: u64 = 125;
/// Where roads wind differently: the least and the most of its length over the great circle, in permille.
pub(super) const WINDINGS: (u64, u64) = (1_100, 1_600);

/// Middle of the region around Xuzhou, in degrees.
pub(super) const MIDDLE: (f64, f64) = (117.4, 34.4);
/// Metres in a degree of longitude and of latitude there.
pub(super) const METRES_PER_DEGREE: (f64, f64) = (91_850.0, 110_940.0);

impl Network {
    /// A network over these checkpoints.
    pub(super) fn new(checkpoints: Vec<Checkpoint>, seed: u64) -> Self {
        let places: Vec<Place> = checkpoints.iter().map(Place::of).collect();
        let mut network = Self { roads: vec![Vec::new(); places.len()], lottery: Vec::new(), checkpoints, places };
        for (from, to) in network.spanning_tree().into_iter().chain(network.nearest_neighbours()) {
            network.build_road(from, to);
        }
        for (site, checkpoint) in network.checkpoints.iter().enumerate() {
            let road_class = match checkpoint.road.as_bytes() {
                [b'G', _] | [b'G', _, _] => 8,
                [b'G', ..] => 5,
                [b'S', ..] => 3,
                _ => 2,
            };
            let weight = road_class + mix(site as u64, seed) % 3;
            network.lottery.extend(std::iter::repeat_n(site as SiteId, weight as usize));
        }
        network
    }

    /// The same network with roads that wind differently: each is [`WINDINGS`] times the great circle, by `seed`.
    pub(super) fn winding(mut self, seed: u64) -> Self {
        for from in 0..self.len() as SiteId {
            let metres: Vec<u32> =
                self.roads(from).iter().map(|road| self.winding_metres(from, road.to, seed)).collect();
            let roads = self.roads.get_mut(usize::from(from)).into_iter().flatten();
            roads.zip(metres).for_each(|(road, metres)| road.metres = metres);
        }
        self
    }

    fn winding_metres(&self, a: SiteId, b: SiteId, seed: u64) -> u32 {
        let road = u64::from(a.min(b)) << 16 | u64::from(a.max(b));
        let permille = WINDINGS.0 + scale(mix(road, seed), WINDINGS.1 - WINDINGS.0 + 1);
        (self.metres_between(a, b) * permille / 1000).max(1_000) as u32
    }

    pub(super) fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The checkpoint that `bits` choose, busy ones more often.
    #[inline]
    pub(super) fn busy_site(&self, bits: u64) -> SiteId {
        pick(&self.lottery, bits)
    }

    /// The roads from a checkpoint.
    #[inline]
    pub(super) fn roads(&self, site: SiteId) -> &[Road] {
        self.roads.get(usize::from(site)).map_or(&[], Vec::as_slice)
    }

    /// The next road on the way to `goal`: the one whose end is nearest to it; none if no end is nearer than here.
    #[inline]
    pub(super) fn road_towards(&self, site: SiteId, goal: SiteId) -> Option<Road> {
        let goal = self.place(goal);
        let distance = |road: &Road| self.place(road.to).square_distance(goal);
        let best = self.roads(site).iter().min_by_key(|road| distance(road))?;
        (distance(best) < self.place(site).square_distance(goal)).then_some(*best)
    }

    /// A checkpoint at most `hops` roads away, by the way that `bits` choose.
    pub(super) fn stroll(&self, mut site: SiteId, hops: u64, mut bits: u64) -> SiteId {
        for _ in 0..hops {
            let roads = self.roads(site);
            site = roads.get((bits % roads.len().max(1) as u64) as usize).map_or(site, |road| road.to);
            bits = mix(bits, 3);
        }
        site
    }

    /// Whether one drives from `from` to `to` in the direction that counts up: east and north.
    #[inline]
    pub(super) fn counts_up(&self, from: SiteId, to: SiteId) -> bool {
        let (from, to) = (self.place(from), self.place(to));
        (to.x - from.x) + (to.y - from.y) >= 0
    }

    /// Great-circle distance in metres; 0 where a coordinate is unknown.
    pub(super) fn metres_between(&self, a: SiteId, b: SiteId) -> u64 {
        let position = |site: SiteId| self.checkpoints.get(usize::from(site)).and_then(Checkpoint::position);
        match (position(a), position(b)) {
            (Some(a), Some(b)) => (great_circle_km(a, b) * 1000.0).round() as u64,
            _ => 0,
        }
    }

    /// A checkpoint at least `metres` from `site`, if a few draws find one.
    pub(super) fn far_site(&self, site: SiteId, metres: i64, chance: &mut Chance) -> Option<SiteId> {
        let here = self.place(site);
        let mut draws = (0..12).map(|_| chance.below(self.len() as u64) as SiteId);
        draws.find(|&there| self.place(there).square_distance(here) >= metres * metres)
    }

    fn place(&self, site: SiteId) -> Place {
        self.places.get(usize::from(site)).copied().unwrap_or_default()
    }

    fn build_road(&mut self, a: SiteId, b: SiteId) {
        let metres = (self.metres_between(a, b) * WINDING_PERCENT / 100).max(1_000) as u32;
        for (from, to) in [(a, b), (b, a)] {
            if let Some(roads) = self.roads.get_mut(usize::from(from))
                && roads.iter().all(|road| road.to != to)
            {
                roads.push(Road { to, metres });
            }
        }
    }

    /// Pairs of each checkpoint and its nearest neighbours.
    fn nearest_neighbours(&self) -> Vec<(SiteId, SiteId)> {
        let mut pairs = Vec::with_capacity(self.len() * NEIGHBOURS);
        let mut nearest: Vec<(i64, SiteId)> = Vec::with_capacity(NEIGHBOURS + 1);
        for (site, here) in self.places.iter().enumerate() {
            nearest.clear();
            for (other, there) in self.places.iter().enumerate().filter(|(other, _)| *other != site) {
                let candidate = (here.square_distance(*there), other as SiteId);
                if nearest.len() < NEIGHBOURS || nearest.last().is_some_and(|last| candidate < *last) {
                    nearest.insert(nearest.partition_point(|found| *found < candidate), candidate);
                    nearest.truncate(NEIGHBOURS);
                }
            }
            pairs.extend(nearest.iter().map(|(_, other)| (site as SiteId, *other)));
        }
        pairs
    }

    /// The edges of a minimum spanning tree (Prim's algorithm).
    fn spanning_tree(&self) -> Vec<(SiteId, SiteId)> {
        // For each checkpoint outside the tree: its squared distance to the tree, and where it would join.
        let mut outside: Vec<(SiteId, i64, SiteId)> =
            (1..self.len()).map(|site| (site as SiteId, i64::MAX, 0)).collect();
        let mut tree = Vec::with_capacity(self.len());
        let mut joined: SiteId = 0;
        while !outside.is_empty() {
            let here = self.place(joined);
            let mut nearest = (i64::MAX, 0);
            for (index, (site, distance, through)) in outside.iter_mut().enumerate() {
                let candidate = self.place(*site).square_distance(here);
                if candidate < *distance {
                    (*distance, *through) = (candidate, joined);
                }
                nearest = nearest.min((*distance, index));
            }
            let (site, _, through) = outside.swap_remove(nearest.1);
            tree.push((through, site));
            joined = site;
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::super::region;
    use super::*;

    fn check_connected(sites: usize) -> Network {
        let network = Network::new(region::checkpoints(sites, 1), 2);
        let mut reached = vec![false; network.len()];
        let mut todo = vec![0];
        while let Some(site) = todo.pop() {
            if !std::mem::replace(&mut reached[usize::from(site)], true) {
                todo.extend(network.roads(site).iter().map(|road| road.to));
            }
        }
        assert!(reached.iter().all(|reached| *reached), "{sites}");
        for site in 0..network.len() as SiteId {
            for road in network.roads(site) {
                let back = network.roads(road.to).iter().find(|back| back.to == site);
                assert_eq!(back.map(|back| back.metres), Some(road.metres));
                assert!(road.to != site && road.metres >= 1_000);
            }
        }
        network
    }

    #[test]
    fn every_checkpoint_can_be_reached() {
        for sites in [0, 2, 3, 20, 500] {
            check_connected(sites);
        }
    }

    #[test]
    fn the_way_leads_nearer_and_mostly_there() {
        let network = check_connected(0);
        let mut arrived = 0;
        for (from, goal) in (0..19).flat_map(|from| (0..19).map(move |goal| (from, goal))) {
            let mut site = from;
            let mut hops = 0;
            while let Some(road) = network.road_towards(site, goal) {
                site = road.to;
                hops += 1;
                assert!(hops < 19);
            }
            arrived += usize::from(site == goal);
        }
        assert!(arrived > 200, "{arrived} of 361");
    }

    #[test]
    fn neighbours_are_close() {
        let network = check_connected(0);
        let roads: Vec<_> = (0..19).flat_map(|site| network.roads(site)).collect();
        assert!(roads.iter().all(|road| road.metres < 90_000), "{roads:?}");
        assert!(roads.iter().any(|road| road.metres < 9_000), "some pass two within five minutes");
        assert!(network.far_site(0, 10_000_000, &mut Chance::new(1)).is_none());
        assert_eq!(network.stroll(4, 0, 99), 4);
    }
}
