//! How long a road takes: its free-flow time, the congestion of the hour, and incidents.
//!
//! A *segment* is a road in one direction. No vehicle takes less than its free-flow time. Everything is a function of
//! the segment, the time and the seed, so nothing is kept. It does not know who drives.

use super::super::chance::{Chance, mix, scale};
use super::super::network::{Network, Road, SiteId};

/// A road in one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) to: SiteId,
    pub(super) metres: u32,
    /// The least time that a vehicle takes, in milliseconds.
    pub(super) free_ms: u32,
    /// By how much the peaks of the morning and of the evening lengthen it, in permille.
    pub(super) morning: u32,
    pub(super) evening: u32,
    salt: u64,
}

/// An incident on a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incident {
    /// Civil seconds.
    pub(super) from: i64,
    pub(super) until: i64,
    /// How many times as long the segment takes, in permille.
    pub(super) permille: u64,
}

/// All segments, by the checkpoint that they begin at.
#[derive(Debug, Clone)]
pub(super) struct Segments(Vec<Vec<Segment>>);

/// How strong a peak is at each full hour of a weekday, in permille; linear between.
const MORNING: [u32; 24] = [0, 0, 0, 0, 0, 0, 120, 700, 1000, 550, 180, 60, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const EVENING: [u32; 24] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 60, 60, 60, 100, 350, 850, 1000, 500, 150, 40, 0, 0];

/// In each stretch of this many seconds an incident may begin,
pub(super) const STRETCH: i64 = 1800;
/// on one segment in this many,
const INCIDENT_EVERY: u64 = 60;
/// and it lasts at most this many stretches.
const LONGEST_INCIDENT: i64 = 4;
const DAY: i64 = 86_400;

impl Segment {
    fn new(from: SiteId, road: &Road, seed: u64) -> Self {
        let salt = mix(u64::from(from) << 16 | u64::from(road.to), seed);
        // Both directions have nearly the same limit: 80 to 118 km/h.
        let both = mix(u64::from(from.min(road.to)) << 16 | u64::from(from.max(road.to)), seed ^ 1);
        let kmh = 80 + scale(both, 39);
        let permille = 990 + scale(mix(salt, 1), 21);
        let free_ms = (u64::from(road.metres) * 3600 / kmh * permille / 1000) as u32;
        // One direction is full in the morning, the other in the evening.
        let strong = match scale(mix(both, 2), 10) {
            0..5 => 100 + scale(mix(both, 3), 200),
            5..8 => 300 + scale(mix(both, 3), 500),
            _ => 800 + scale(mix(both, 3), 800),
        } as u32;
        let weak = strong / 3;
        let is_inbound = mix(both, 4).is_multiple_of(2) == (from < road.to);
        let (morning, evening) = if is_inbound { (strong, weak) } else { (weak, strong) };
        Self { to: road.to, metres: road.metres, free_ms, morning, evening, salt }
    }

    /// How many times as long it takes at a civil time as on a free road, in permille; at least 1000.
    pub(super) fn congestion(&self, at: i64) -> u64 {
        let daily = self.daily_congestion(at);
        self.incident(at).map_or(daily, |incident| daily * incident.permille / 1000)
    }

    /// As [`Segment::congestion`], incidents aside.
    pub(super) fn daily_congestion(&self, at: i64) -> u64 {
        let peaks = u64::from(self.morning) * peak(&MORNING, at) + u64::from(self.evening) * peak(&EVENING, at);
        // 1970-01-01 was a Thursday.
        let is_weekend = (at.div_euclid(DAY) + 3).rem_euclid(7) >= 5;
        1000 + peaks / if is_weekend { 3000 } else { 1000 }
    }

    /// The incident that holds at a civil time; the latest if there are two.
    pub(super) fn incident(&self, at: i64) -> Option<Incident> {
        let stretch = at.div_euclid(STRETCH);
        let incidents = (0..=LONGEST_INCIDENT).filter_map(|back| self.incident_of(stretch - back));
        incidents.into_iter().find(|incident| (incident.from..incident.until).contains(&at))
    }

    /// The incident that begins in a stretch of time, if any.
    pub(super) fn incident_of(&self, stretch: i64) -> Option<Incident> {
        let bits = mix(stretch as u64, self.salt);
        if !bits.is_multiple_of(INCIDENT_EVERY) {
            return None;
        }
        let from = stretch * STRETCH + scale(mix(bits, 5), STRETCH as u64) as i64;
        let length = STRETCH + scale(mix(bits, 6), (STRETCH * (LONGEST_INCIDENT - 1)) as u64) as i64;
        Some(Incident { from, until: from + length, permille: 1600 + scale(mix(bits, 7), 1900) })
    }

    /// Milliseconds that a vehicle with a cruising speed of 70 to 110 km/h takes when it sets out at a civil time. One in
    /// 32 hurries, one in 25 rests for 5 to 20 minutes.
    pub(super) fn drive(&self, speed_kmh: u16, at: i64, chance: &mut Chance) -> u64 {
        let slowness = u64::from(110u16.saturating_sub(speed_kmh)) * 15 / 2;
        let noise = if chance.below(32) == 0 { chance.below(31) } else { chance.between(30, 131) };
        let alone = u64::from(self.free_ms) * (1000 + slowness + noise) / 1000;
        let rest = if chance.below(25) == 0 { chance.between(300_000, 1_200_000) } else { 0 };
        alone * self.congestion(at) / 1000 + rest
    }
}

/// The strength of a peak at a civil time, in permille.
fn peak(hours: &[u32; 24], at: i64) -> u64 {
    let second = at.rem_euclid(DAY) as u64;
    let (hour, into) = ((second / 3600) as usize, second % 3600);
    let weight = |hour: usize| u64::from(hours.get(hour % 24).copied().unwrap_or_default());
    (weight(hour) * (3600 - into) + weight(hour + 1) * into) / 3600
}

impl Segments {
    /// The segments of a network.
    pub(super) fn new(network: &Network, seed: u64) -> Self {
        let of_site = |from: SiteId| network.roads(from).iter().map(|road| Segment::new(from, road, seed)).collect();
        Self((0..network.len()).map(|site| of_site(site as SiteId)).collect())
    }

    /// Those that begin at a checkpoint.
    pub(super) fn from(&self, site: SiteId) -> &[Segment] {
        self.0.get(usize::from(site)).map_or(&[], Vec::as_slice)
    }

    /// The segment between two neighbours.
    pub(super) fn between(&self, from: SiteId, to: SiteId) -> Option<&Segment> {
        self.from(from).iter().find(|segment| segment.to == to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::network::WINDINGS;
    use super::super::super::region;
    use super::*;

    /// 2024-01-01 00:00:00, a Monday.
    const MONDAY: i64 = 1_704_067_200;

    fn segments() -> (Network, Segments) {
        let network = Network::new(region::checkpoints(0, 1), 2).winding(3);
        let segments = Segments::new(&network, 4);
        (network, segments)
    }

    fn all(segments: &Segments) -> impl Iterator<Item = (SiteId, &Segment)> {
        (0..19).flat_map(|from| segments.from(from).iter().map(move |segment| (from, segment)))
    }

    #[test]
    fn roads_wind_each_by_its_own() {
        let (network, segments) = segments();
        let mut factors: Vec<f64> = Vec::new();
        for (from, segment) in all(&segments) {
            let back = segments.between(segment.to, from).unwrap();
            assert_eq!(back.metres, segment.metres);
            let skew = f64::from(back.free_ms) / f64::from(segment.free_ms);
            assert!((0.97..1.03).contains(&skew), "{skew}");
            factors.push(f64::from(segment.metres) / network.metres_between(from, segment.to) as f64 * 1000.0);
        }
        let (least, most) = (WINDINGS.0 as f64 - 1.0, WINDINGS.1 as f64 + 1.0);
        assert!(factors.iter().all(|factor| (least..most).contains(factor)), "{factors:?}");
        factors.sort_by(f64::total_cmp);
        assert!(factors[0] < 1200.0 && factors[factors.len() - 1] > 1500.0, "{factors:?}");
    }

    #[test]
    fn nobody_is_faster_than_free_flow_and_few_come_near() {
        let (_, segments) = segments();
        let mut chance = Chance::new(5);
        let mut near = 0;
        for (_, segment) in all(&segments) {
            for index in 0..1_000 {
                let at = MONDAY + index * 83;
                let taken = segment.drive(70 + (index % 41) as u16, at, &mut chance);
                assert!(taken >= u64::from(segment.free_ms));
                near += usize::from(taken < u64::from(segment.free_ms) * 105 / 100);
            }
        }
        assert!((200..4_000).contains(&near), "{near}");
    }

    #[test]
    fn peaks_are_of_weekdays_and_of_one_direction() {
        let (_, segments) = segments();
        let at = |day: i64, hour: i64| MONDAY + day * DAY + hour * 3600;
        let quiet = Segment::daily_congestion;
        let mut strongest = 0;
        for (from, segment) in all(&segments) {
            assert!(quiet(segment, at(0, 3)) == 1000 && quiet(segment, at(0, 8)) > quiet(segment, at(5, 8)));
            let back = segments.between(segment.to, from).unwrap();
            assert_eq!(segment.morning > segment.evening, back.morning < back.evening);
            strongest = strongest.max(quiet(segment, at(0, 8)));
        }
        assert!(strongest > 1800, "{strongest}");
    }

    #[test]
    fn incidents_hold_as_long_as_they_say_and_somewhere_always() {
        let (_, segments) = segments();
        let (mut held, mut asked, mut without) = (0, 0, 0);
        for at in (MONDAY..MONDAY + 10 * DAY).step_by(600) {
            let now: Vec<_> =
                all(&segments).filter_map(|(_, segment)| Some((segment, segment.incident(at)?))).collect();
            for (segment, incident) in &now {
                assert!(incident.from <= at && at < incident.until && incident.permille >= 1600);
                assert!(segment.congestion(at) >= incident.permille);
                assert_eq!(segment.incident_of(incident.from.div_euclid(STRETCH)), Some(*incident));
            }
            (held, asked) = (held + now.len(), asked + all(&segments).count());
            without += usize::from(now.is_empty());
        }
        let share = held as f64 / asked as f64;
        assert!((0.02..0.06).contains(&share), "{share}");
        assert!(without < 10 * 144 / 5, "{without}");
    }
}
