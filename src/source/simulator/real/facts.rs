//! The truth about cameras, roads and plates, as it is given out.

use traffic::CivilTime;

use super::super::facts::{CameraFacts, IncidentFacts, PlateFacts, RoadFacts, time_text};
use super::super::fleet::PLATE_TYPES;
use super::super::models::Models;
use super::super::network::{Network, SiteId};
use super::agents::{Agent, Agents};
use super::arrivals::Kind;
use super::faults::SILENCE_EVERY;
use super::levels::{Level, Levels};
use super::recorder::Recorder;
use super::segments::{STRETCH, Segment, Segments};

const HOUR: u64 = 3_600_000;
/// 2024-01-01 00:00:00, a Monday.
const WEEKDAY: i64 = 1_704_067_200;

pub(super) fn cameras(recorder: &Recorder, levels: &Levels, start: CivilTime) -> Vec<CameraFacts> {
    let time = |ms: u64| time_text(start, (ms / 1000) as i64);
    let level_time = |level: Option<Level>| level.filter(|it| it.step != 0).map(|it| time_text(start, it.step_at));
    let level_share = |level: Option<Level>| level.map_or(0.0, |it| it.step as f64 / 1000.0);
    let facts = |(site, camera): (usize, &super::faults::Camera)| {
        let step = camera.clock.step;
        let [region, own] = levels.steps(site as SiteId);
        CameraFacts {
            kkmc: recorder.kkmc(site as SiteId),
            fault: camera.fault.as_str(),
            offset_seconds: camera.clock.offset_ms as f64 / 1000.0,
            drift_seconds_a_day: camera.clock.drift_ms_a_day as f64 / 1000.0,
            step_from: step.map(|step| time(step.from)),
            step_until: step.map(|step| time(step.until)),
            step_seconds: step.map(|step| step.ms as f64 / 1000.0),
            leap_share: camera.leap,
            is_to_the_minute: camera.clock.is_to_the_minute,
            batch_minutes: camera.batch_ms.map(|ms| ms / 60_000),
            missed_share: camera.missed,
            misread_share: camera.misread,
            wrong_brand_share: camera.wrong_brand,
            wrong_type_share: camera.wrong_type,
            double_read_share: camera.doubled,
            silent_from: camera.silence.map(|(from, _)| time(from)),
            silent_hours: camera.silence.map(|(_, length)| length / HOUR),
            silent_every_hours: camera.silence.map(|_| SILENCE_EVERY / HOUR),
            level_step_at: level_time(own),
            level_step_share: level_share(own),
            region_step_at: level_time(region),
            region_step_share: level_share(region),
        }
    };
    recorder.cameras().enumerate().map(facts).collect()
}

pub(super) fn roads(network: &Network, segments: &Segments, recorder: &Recorder) -> Vec<RoadFacts> {
    let facts = |(from, segment): (SiteId, &Segment)| {
        let hours = (0..24).map(|hour| segment.daily_congestion(WEEKDAY + hour * 3600));
        let hours: Vec<_> = hours.map(|permille| format!("{:.2}", permille as f64 / 1000.0)).collect();
        RoadFacts {
            from: recorder.kkmc(from),
            to: recorder.kkmc(segment.to),
            great_circle_metres: network.metres_between(from, segment.to),
            metres: segment.metres,
            free_flow_seconds: f64::from(segment.free_ms) / 1000.0,
            hours: hours.join(" "),
        }
    };
    all(network, segments).map(facts).collect()
}

pub(super) fn incidents(
    network: &Network,
    segments: &Segments,
    recorder: &Recorder,
    from: CivilTime,
    to: CivilTime,
) -> Vec<IncidentFacts> {
    let stretches = from.0.div_euclid(STRETCH)..=to.0.div_euclid(STRETCH);
    let mut facts = Vec::new();
    for stretch in stretches {
        for (site, segment) in all(network, segments) {
            let incident = segment.incident_of(stretch).filter(|it| (from.0..to.0).contains(&it.from));
            facts.extend(incident.map(|incident| IncidentFacts {
                from: recorder.kkmc(site),
                to: recorder.kkmc(segment.to),
                begins: CivilTime(incident.from).to_string(),
                ends: CivilTime(incident.until).to_string(),
                factor: incident.permille as f64 / 1000.0,
            }));
        }
    }
    facts
}

fn all<'a>(network: &Network, segments: &'a Segments) -> impl Iterator<Item = (SiteId, &'a Segment)> {
    let sites = 0..network.len() as SiteId;
    sites.flat_map(|site| segments.from(site).iter().map(move |segment| (site, segment)))
}

pub(super) fn plates(agents: &Agents, models: &Models, start: CivilTime) -> Vec<PlateFacts> {
    let plate_type = |agent: &Agent| PLATE_TYPES.get(usize::from(agent.vehicle.plate_type)).map_or("-", |text| text);
    let facts = |(owner, other): (&Agent, &Agent)| PlateFacts {
        plate: String::from_utf8_lossy(owner.vehicle.plate.as_bytes()).into_owned(),
        kind: if other.kind == Kind::Clone { "clone" } else { "twin" },
        vehicle: owner.number,
        other_vehicle: other.number,
        plate_type: plate_type(owner),
        other_plate_type: plate_type(other),
        model: models.text(owner.vehicle.model).to_owned(),
        other_model: models.text(other.vehicle.model).to_owned(),
        since: time_text(start, (other.since / 1000) as i64),
    };
    agents.pairs().map(facts).collect()
}
