//! A trip: one vehicle on its way over the network, from one checkpoint to the next.
//!
//! Local vehicles commute between their home and a place nearby, in the morning there and in the afternoon back;
//! through traffic crosses the region. It does not know cameras, lines or clones' victims.

use super::chance::{Chance, mix, pick};
use super::fleet::{LOCAL_PERCENT, Vehicle};
use super::network::{Network, Road, SiteId};
use super::truth::{CaseId, NO_CASE};

/// Where a trip goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// The checkpoint that is passed next.
    pub(super) site: SiteId,
    /// The checkpoint passed before; the same as `site` for the first.
    pub(super) came_from: SiteId,
    /// The last checkpoint, if it is reached.
    pub(super) goal: SiteId,
    /// Checkpoints at most still to come after `site`.
    pub(super) hops_left: u8,
}

/// One vehicle on its way to its next passage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trip {
    pub(super) vehicle: Vehicle,
    pub(super) route: Route,
    /// When it passes `route.site`, in milliseconds since the start.
    pub(super) passes_at: u64,
    /// Whether the plate is another vehicle's.
    pub(super) is_clone: bool,
    /// Whether this is a camera's second read of a passage.
    pub(super) is_second_read: bool,
    /// The case in which its plate is observed.
    pub(super) case: CaseId,
}

/// The most checkpoints of a trip.
const MAX_HOPS: u8 = 16;
/// Through traffic goes at least this far, in metres, where the network allows.
const THROUGH_METRES: i64 = 40_000;
/// Second of the day from which commuters drive home.
const AFTERNOON: i64 = 13 * 3600;

impl Route {
    /// The route of a trip of vehicle `serial` that starts at a second of the day.
    pub(super) fn draw(serial: u64, second_of_day: i64, salt: u64, network: &Network, chance: &mut Chance) -> Self {
        let (site, goal, hops_left) = if serial.is_multiple_of(2) {
            let habits = mix(serial, salt);
            let home = network.busy_site(habits);
            let reach = pick(&[0u8, 0, 0, 0, 1, 1, 1, 2, 2, 3], habits.rotate_left(24));
            let away = network.stroll(home, u64::from(reach), habits.rotate_left(40));
            if second_of_day < AFTERNOON { (home, away, reach) } else { (away, home, reach) }
        } else {
            let entry = network.busy_site(chance.bits());
            let exit = network.far_site(entry, THROUGH_METRES, chance).unwrap_or(entry);
            (entry, exit, MAX_HOPS)
        };
        Self { site, came_from: site, goal, hops_left }
    }

    /// The route after the next road, and that road; none if the trip ends here.
    #[inline]
    pub(super) fn onward(&self, network: &Network) -> Option<(Self, Road)> {
        let hops_left = self.hops_left.checked_sub(1)?;
        let road = network.road_towards(self.site, self.goal)?;
        Some((Self { site: road.to, came_from: self.site, goal: self.goal, hops_left }, road))
    }

    /// Whether it passes the checkpoint in the direction that counts up.
    #[inline]
    pub(super) fn counts_up(&self, network: &Network) -> bool {
        let (from, to) = if self.came_from == self.site { (self.site, self.goal) } else { (self.came_from, self.site) };
        network.counts_up(from, to)
    }
}

impl Trip {
    /// A genuine vehicle that passes the first checkpoint of its route at a moment.
    pub(super) fn new(vehicle: Vehicle, route: Route, passes_at: u64) -> Self {
        Self { vehicle, route, passes_at, is_clone: false, is_second_read: false, case: NO_CASE }
    }

    /// The trip at its next passage; none if it has ended, or was a second read.
    #[inline]
    pub(super) fn onward(&self, network: &Network, chance: &mut Chance) -> Option<Self> {
        if self.is_second_read {
            return None;
        }
        let (route, road) = self.route.onward(network)?;
        Some(Self { route, passes_at: self.passes_at + travel_time(road, self.vehicle.speed_kmh, chance), ..*self })
    }
}

/// Milliseconds for a road at a cruising speed: up to 8 % more or less, and one time in 25 a rest of 5 to 20 minutes.
#[inline]
pub(super) fn travel_time(road: Road, speed_kmh: u16, chance: &mut Chance) -> u64 {
    let steady = u64::from(road.metres) * 3600 / u64::from(speed_kmh.max(1));
    let driven = steady * chance.between(920, 1081) / 1000;
    let rest = if chance.below(25) == 0 { chance.between(300_000, 1_200_000) } else { 0 };
    driven + rest
}

/// Mean passages per trip, over a sample: measured on the network itself, since the length of a trip depends on it.
pub(super) fn mean_passages(network: &Network, salt: u64, chance: &mut Chance) -> f64 {
    const SAMPLE: u64 = 4_096;
    let mut passages = 0u32;
    for trip in 0..SAMPLE {
        // As many of the local fleet as the fleet has.
        let serial = trip * 2 + u64::from(trip % 100 >= LOCAL_PERCENT);
        let mut route = Some(Route::draw(serial, 0, salt, network, chance));
        while let Some(here) = route {
            passages += 1;
            route = here.onward(network).map(|(next, _)| next);
        }
    }
    f64::from(passages) / SAMPLE as f64
}
