//! The segments of the traffic and the neighbours of the catalogue as one list. It knows no HTTP.

use std::collections::BTreeSet;

use traffic::{Catalogue, CivilTime};

use super::distance::distance;
use super::json::{
    RoadEndJson, RoadErrorJson, RoadExpectedJson, RoadHourJson, RoadHoursJson, RoadJson, RoadListJson,
    RoadProfileHourJson,
};
use super::links::{Links, RoadLink};
use crate::roads::{DECAY, Road, RoadBasis, Roads, RoadsState};
use crate::serve::records::label;

const HOURS: i64 = 24;

/// All segments, the worst first.
pub(super) fn listed(roads: &Roads, catalogue: &Catalogue, links: &Links) -> RoadListJson {
    let mut all: Vec<RoadJson> = roads.all.iter().map(|road| learnt(road, catalogue, links)).collect();
    let known: BTreeSet<(String, String)> =
        all.iter().map(|road| (road.from.code.clone(), road.to.code.clone())).collect();
    // Where nothing is learnt, nothing would ever be said of them.
    let unlearnt = links.keys().filter(|ends| roads.state != RoadsState::Off && !known.contains(ends));
    all.extend(unlearnt.map(|(from, to)| blank([from, to], catalogue, links)));
    let worse = |a: &RoadJson, b: &RoadJson| b.index.unwrap_or(0.0).total_cmp(&a.index.unwrap_or(0.0));
    all.sort_by(|a, b| {
        worse(a, b)
            .then_with(|| b.cars.cmp(&a.cars))
            .then_with(|| (&a.from.code, &a.to.code).cmp(&(&b.from.code, &b.to.code)))
    });
    RoadListJson { state: roads.state.as_str(), message: message(roads.state), time: time_of(roads), roads: all }
}

/// One segment by hour; `ends` are the names by which each end may have been recorded.
pub(super) fn segment(
    roads: &Roads,
    catalogue: &Catalogue,
    links: &Links,
    ends: &[Vec<String>; 2],
) -> Option<RoadHoursJson> {
    let [from, to] = ends;
    let road = roads.find(from, to);
    let json = match road {
        Some(road) => learnt(road, catalogue, links),
        None => {
            let pair = (from.first()?.clone(), to.first()?.clone());
            links.contains_key(&pair).then(|| blank([&pair.0, &pair.1], catalogue, links))?
        }
    };
    let hour = roads.now.map(|now| now.div_euclid(3600));
    let of_hours = road.zip(hour);
    Some(RoadHoursJson {
        state: roads.state.as_str(),
        time: time_of(roads),
        road: json,
        today: of_hours.map(|(road, hour)| today(road, hour)).unwrap_or_default(),
        profile: of_hours.map(|(road, hour)| profile(road, hour)).unwrap_or_default(),
        expected: road.zip(roads.now).map(|(road, now)| expected(road, now)).unwrap_or_default(),
        decay: DECAY,
        measured: road.and_then(Road::forecast_error).map(|measured| RoadErrorJson {
            hours: measured.hours,
            error: thousandths(measured.error),
            profile_error: thousandths(measured.of_profile),
        }),
    })
}

fn message(state: RoadsState) -> Option<&'static str> {
    match state {
        RoadsState::Off => {
            Some("detect.evidence is off, so that nothing is learnt of roads: set it to \"on\" and restart")
        }
        RoadsState::Learning => {
            Some("no pair of checkpoints has had 30 cars in finished hours yet: roads are learnt at whole hours")
        }
        RoadsState::Ready => None,
    }
}

fn time_of(roads: &Roads) -> Option<String> {
    roads.now.map(|now| CivilTime(now).to_string())
}

fn learnt(road: &Road, catalogue: &Catalogue, links: &Links) -> RoadJson {
    let json = blank([&road.from, &road.to], catalogue, links);
    let speed = json.distance_km.zip(road.median).map(|(km, seconds)| tenths(km * 3600.0 / seconds.max(1.0)));
    RoadJson {
        level: road.level().map(crate::roads::RoadLevel::as_str),
        basis: road.basis.as_str(),
        index: road.index(),
        median_seconds: road.median.map(whole),
        free_flow_seconds: Some(whole(road.free_flow)),
        cars: road.cars,
        speed_kmh: speed,
        ..json
    }
}

/// A segment of which nothing is learnt.
fn blank(ends: [&str; 2], catalogue: &Catalogue, links: &Links) -> RoadJson {
    let [from, to] = ends.map(|kkmc| RoadEndJson {
        code: catalogue.find(kkmc).map_or(kkmc, |checkpoint| &checkpoint.code).to_owned(),
        label: label(catalogue, kkmc),
    });
    let [first, last] = ends.map(|kkmc| catalogue.find(kkmc));
    let far = first.zip(last).and_then(|(from, to)| distance(from, to));
    let link = links.get(&(from.code.clone(), to.code.clone())).copied().unwrap_or(RoadLink::Driven);
    RoadJson {
        from,
        to,
        link: link.as_str(),
        level: None,
        basis: RoadBasis::TooFew.as_str(),
        index: None,
        median_seconds: None,
        free_flow_seconds: None,
        cars: 0,
        speed_kmh: None,
        distance_km: far.map(|(km, _)| tenths(km)),
        distance_basis: far.map(|(_, basis)| basis.as_str()),
    }
}

fn today(road: &Road, hour: i64) -> Vec<RoadHourJson> {
    let hours = road.day(hour).map(|known| RoadHourJson {
        hour: i64::from(known.hour).rem_euclid(HOURS),
        cars: known.cars,
        low_seconds: known.low,
        median_seconds: known.median,
        high_seconds: known.high,
    });
    hours.collect()
}

fn profile(road: &Road, hour: i64) -> Vec<RoadProfileHourJson> {
    let first = hour - hour.rem_euclid(HOURS);
    let hours = (0..HOURS).filter_map(|hour| {
        let known = road.profile(first + hour)?;
        Some(RoadProfileHourJson {
            hour,
            days: known.days,
            low_seconds: whole(known.low),
            median_seconds: whole(known.median),
            high_seconds: whole(known.high),
        })
    });
    hours.collect()
}

fn expected(road: &Road, now: i64) -> Vec<RoadExpectedJson> {
    let hours = road.expected(now).into_iter().map(|expected| RoadExpectedJson {
        time: CivilTime(expected.hour * 3600).to_string(),
        low_seconds: whole(expected.low),
        median_seconds: whole(expected.median),
        high_seconds: whole(expected.high),
        factor: thousandths(expected.factor),
    });
    hours.collect()
}

fn whole(seconds: f64) -> u64 {
    seconds.round() as u64
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn thousandths(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
