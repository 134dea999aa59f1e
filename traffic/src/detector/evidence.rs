//! What the rule says about two sightings of one plate at different checkpoints.

use super::settings::DetectorSettings;
use crate::{Cause, Measured, Rule, Severity, great_circle_km};

/// A site is not a point, and its coordinates are not surveyed: the distance driven may be shorter by this much.
const SITE_KM: f64 = 0.3;

/// What is known about two sightings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Seconds between the two GCSJ; not negative.
    pub gap_seconds: i64,
    /// How much longer the true gap may be: the sum of both resolutions in seconds.
    pub slack_seconds: i64,
    /// Longitude and latitude of one checkpoint, in degrees.
    pub from: Option<(f64, f64)>,
    /// Longitude and latitude of the other.
    pub to: Option<(f64, f64)>,
    /// Whether the plate types allow two vehicles with the same number.
    pub twins: bool,
}

/// What the rule says about them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Great-circle distance in km, if both positions are known.
    pub distance_km: Option<f64>,
    /// Distance over gap in km/h, if the distance is known and the gap is not 0.
    pub speed_kmh: Option<f64>,
    /// How strong the evidence is: [`Severity::High`] means that one car cannot have made both, whatever the gap.
    pub severity: Severity,
    /// What else explains it.
    pub cause: Option<Cause>,
    /// The rule that raises an alert; none if neither does.
    pub rule: Option<Rule>,
}

impl Evidence {
    /// Weighs a pair.
    ///
    /// The lower speed is the least that must have been driven: the distance less 300 m, over the gap plus both
    /// resolutions. With a gap of 0 seconds at full resolution it is above 160 km/h from 389 m on; there is no nominal
    /// speed then, and any distance counts as above the limit.
    #[inline]
    pub fn of(settings: &DetectorSettings, pair: &Pair) -> Self {
        let gap_seconds = pair.gap_seconds;
        let distance_km = pair.from.zip(pair.to).map(|(a, b)| great_circle_km(a, b));
        let speed_kmh = distance_km.filter(|_| gap_seconds > 0).map(|km| km * 3600.0 / gap_seconds as f64);
        let is_above = |km: f64, seconds: i64| km * 3600.0 > settings.max_speed_kmh * seconds as f64;
        let too_fast = distance_km.is_some_and(|km| is_above(km - SITE_KM, gap_seconds + pair.slack_seconds));
        let rule = Rule::raised_by(settings, &Measured { gap_seconds, too_fast });
        let severity = if pair.twins {
            Severity::Low
        } else if too_fast {
            Severity::High
        } else if distance_km.is_none_or(|km| is_above(km, gap_seconds)) {
            Severity::Medium
        } else {
            Severity::Low
        };
        let severity = rule.map_or(severity, |rule| severity.at_most(rule.severity()));
        Self { distance_km, speed_kmh, severity, cause: pair.twins.then_some(Cause::PlateTypes), rule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two places this many km apart, on one meridian.
    fn apart(km: f64) -> [Option<(f64, f64)>; 2] {
        let degrees = km / great_circle_km((117.0, 34.0), (117.0, 35.0));
        [Some((117.0, 34.0)), Some((117.0, 34.0 + degrees))]
    }

    fn check(km: Option<f64>, gap_seconds: i64, slack_seconds: i64, severity: Severity, rule: Option<Rule>) {
        let [from, to] = km.map_or([None, None], apart);
        let settings = DetectorSettings { speed_window: 600, ..DetectorSettings::default() };
        let pair = Pair { gap_seconds, slack_seconds, from, to, twins: false };
        let found = Evidence::of(&settings, &pair);
        assert_eq!(
            (found.severity, found.rule),
            (severity, rule),
            "{km:?} km in {gap_seconds} s and {slack_seconds} s"
        );
        assert_eq!(found.speed_kmh.is_some(), km.is_some() && gap_seconds > 0);
        let twins = Evidence::of(&settings, &Pair { twins: true, ..pair });
        assert_eq!((twins.severity, twins.cause, twins.rule), (Severity::Low, Some(Cause::PlateTypes), rule));
    }

    #[test]
    fn severity_is_that_of_the_lower_speed() {
        const WINDOW: Option<Rule> = Some(Rule::Window);
        // At 160 km/h a car drives 4.444 km in 100 s, and 102 s are 4.533 km.
        check(Some(4.84), 100, 2, Severity::High, WINDOW);
        check(Some(4.83), 100, 2, Severity::Medium, WINDOW);
        check(Some(4.45), 100, 2, Severity::Medium, WINDOW);
        check(Some(4.44), 100, 2, Severity::Low, WINDOW);
        check(None, 100, 2, Severity::Medium, WINDOW);
        // The same second: 389 m are too far; anything nearer has no nominal speed to judge by.
        check(Some(0.39), 0, 2, Severity::High, WINDOW);
        check(Some(0.38), 0, 2, Severity::Medium, WINDOW);
        check(Some(0.0), 0, 2, Severity::Low, WINDOW);
        check(None, 0, 2, Severity::Medium, WINDOW);
        // Without seconds, or without a time of day.
        check(Some(40.0), 120, 120, Severity::High, WINDOW);
        check(Some(10.0), 120, 120, Severity::Medium, WINDOW);
        check(Some(200.0), 0, 172_800, Severity::Medium, WINDOW);
        check(Some(200.0), 0, 86_401, Severity::Medium, WINDOW);
    }

    #[test]
    fn the_second_rule_goes_by_the_lower_speed_too() {
        // 302 s at 160 km/h are 13.42 km.
        check(Some(13.8), 300, 2, Severity::High, Some(Rule::Speed));
        check(Some(13.6), 300, 2, Severity::Medium, None);
        check(Some(13.8), 300, 120, Severity::Medium, None);
        check(None, 300, 2, Severity::Medium, None);
        check(Some(500.0), 600, 2, Severity::High, None);
    }
}
