//! The JSON of an alert as the contract spells it, the same in `alerts.jsonl`, in Redis and in the API. It is the only
//! place where an alert's fields carry their GA names and its times are texts.

mod reason;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use traffic::evidence::{PairEvidence, Reason};
use traffic::{Alert, AlertId, AlertSighting, Cause, CivilTime, Rule, Severity};

pub(crate) use reason::ReasonJson;

/// An alert in JSON. Field names and order are the contract's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertJson<'a> {
    seq: u64,
    #[serde(with = "id_text")]
    id: AlertId,
    hphm: Cow<'a, str>,
    prev_kkmc: Cow<'a, str>,
    curr_kkmc: Cow<'a, str>,
    #[serde(with = "time_text")]
    prev_time: CivilTime,
    #[serde(with = "time_text")]
    curr_time: CivilTime,
    prev_gcxh: Cow<'a, str>,
    curr_gcxh: Cow<'a, str>,
    gap_seconds: i64,
    distance_km: Option<f64>,
    speed_kmh: Option<f64>,
    severity: Severity,
    rule: Rule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReasonJson>,
    /// The whole hour at which what is learnt of the roads changed last.
    #[serde(default, with = "hour_text", skip_serializing_if = "Option::is_none")]
    model: Option<i64>,
}

impl<'a> From<&'a Alert> for AlertJson<'a> {
    fn from(alert: &'a Alert) -> Self {
        let Alert { earlier, later, .. } = alert;
        Self {
            seq: alert.seq,
            id: alert.id,
            hphm: Cow::Borrowed(&alert.plate),
            prev_kkmc: Cow::Borrowed(&earlier.checkpoint),
            curr_kkmc: Cow::Borrowed(&later.checkpoint),
            prev_time: earlier.passed_at,
            curr_time: later.passed_at,
            prev_gcxh: Cow::Borrowed(&earlier.passage),
            curr_gcxh: Cow::Borrowed(&later.passage),
            gap_seconds: alert.gap_seconds,
            distance_km: alert.distance_km,
            speed_kmh: alert.speed_kmh,
            severity: alert.severity,
            rule: alert.rule,
            cause: alert.cause,
            probability: alert.evidence.as_ref().map(|pair| pair.probability),
            reasons: reasons(alert.evidence.as_ref()),
            model: alert.evidence.as_ref().map(|pair| pair.model),
        }
    }
}

impl From<Alert> for AlertJson<'static> {
    fn from(alert: Alert) -> Self {
        let Alert {
            seq,
            id,
            plate,
            earlier,
            later,
            gap_seconds,
            distance_km,
            speed_kmh,
            severity,
            rule,
            cause,
            evidence,
        } = alert;
        Self {
            seq,
            id,
            hphm: Cow::Owned(plate),
            prev_kkmc: Cow::Owned(earlier.checkpoint),
            curr_kkmc: Cow::Owned(later.checkpoint),
            prev_time: earlier.passed_at,
            curr_time: later.passed_at,
            prev_gcxh: Cow::Owned(earlier.passage),
            curr_gcxh: Cow::Owned(later.passage),
            gap_seconds,
            distance_km,
            speed_kmh,
            severity,
            rule,
            cause,
            probability: evidence.as_ref().map(|pair| pair.probability),
            reasons: reasons(evidence.as_ref()),
            model: evidence.as_ref().map(|pair| pair.model),
        }
    }
}

fn reasons(evidence: Option<&PairEvidence>) -> Vec<ReasonJson> {
    evidence.map(|pair| pair.reasons.iter().copied().map(ReasonJson::from).collect()).unwrap_or_default()
}

impl From<AlertJson<'_>> for Alert {
    fn from(json: AlertJson<'_>) -> Self {
        let sighting = |checkpoint: Cow<'_, str>, passed_at, passage: Cow<'_, str>| AlertSighting {
            checkpoint: checkpoint.into_owned(),
            passed_at,
            passage: passage.into_owned(),
        };
        let evidence = match (json.probability, json.cause, json.model) {
            (Some(probability), Some(cause), Some(model)) => {
                let reasons = json.reasons.into_iter().map(Reason::from).collect();
                Some(PairEvidence { probability, cause, reasons, model })
            }
            _ => None,
        };
        Self {
            seq: json.seq,
            id: json.id,
            plate: json.hphm.into_owned(),
            earlier: sighting(json.prev_kkmc, json.prev_time, json.prev_gcxh),
            later: sighting(json.curr_kkmc, json.curr_time, json.curr_gcxh),
            gap_seconds: json.gap_seconds,
            distance_km: json.distance_km,
            speed_kmh: json.speed_kmh,
            severity: json.severity,
            rule: json.rule,
            cause: json.cause,
            evidence,
        }
    }
}

/// An alert's JSON as text.
///
/// # Errors
/// None that is known: every field has a form in JSON.
pub fn to_text(alert: &Alert) -> serde_json::Result<String> {
    serde_json::to_string(&AlertJson::from(alert))
}

/// Reads what [`to_text`] writes; other fields are ignored.
///
/// # Errors
/// The text is not an alert.
pub fn from_text(text: &str) -> serde_json::Result<Alert> {
    serde_json::from_str::<AlertJson<'_>>(text).map(Alert::from)
}

/// An id as its 16 digits.
mod id_text {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use traffic::AlertId;

    pub(super) fn serialize<S: Serializer>(id: &AlertId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AlertId, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        AlertId::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no id of an alert")))
    }
}

/// A time as `YYYY-MM-DD HH:MM:SS`.
pub(crate) mod time_text {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use traffic::{CivilTime, TimeZoneName};

    pub(crate) fn serialize<S: Serializer>(time: &CivilTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CivilTime, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        // It has no offset, so the zone does not matter.
        let time = CivilTime::parse(text.as_bytes(), &TimeZoneName::default());
        time.ok_or_else(|| D::Error::custom(format!("{text:?} is no time")))
    }
}

/// A whole hour since 1970 as the text of its time.
mod hour_text {
    use serde::{Deserializer, Serializer};
    use traffic::CivilTime;

    #[expect(clippy::ref_option, reason = "serde asks for this form")]
    pub(super) fn serialize<S: Serializer>(hour: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        match hour {
            Some(hour) => super::time_text::serialize(&CivilTime(hour * 3600), serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        super::time_text::deserialize(deserializer).map(|time| Some(time.hour()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_json() {
        let sighting = |checkpoint: &str, second, passage: &str| AlertSighting {
            checkpoint: checkpoint.to_owned(),
            passed_at: CivilTime::from_civil(2024, 1, 1, 8, 0, second).unwrap(),
            passage: passage.to_owned(),
        };
        let alert = Alert {
            seq: 12,
            id: AlertId(0x0f0c_25d1_a7b3_e468),
            plate: "苏C12345".to_owned(),
            earlier: sighting("A\"1", 0, "G1"),
            later: sighting("B", 23, "G2"),
            gap_seconds: 23,
            distance_km: Some(45.2),
            speed_kmh: None,
            severity: Severity::High,
            rule: Rule::Window,
            cause: None,
            evidence: None,
        };
        let golden = "{\"seq\":12,\"id\":\"0f0c25d1a7b3e468\",\"hphm\":\"苏C12345\",\"prev_kkmc\":\"A\\\"1\",\
                      \"curr_kkmc\":\"B\",\"prev_time\":\"2024-01-01 08:00:00\",\"curr_time\":\"2024-01-01 08:00:23\",\
                      \"prev_gcxh\":\"G1\",\"curr_gcxh\":\"G2\",\"gap_seconds\":23,\"distance_km\":45.2,\"speed_kmh\":null,\
                      \"severity\":\"high\",\"rule\":\"window\"}";
        assert_eq!(to_text(&alert).unwrap(), golden);
        assert_eq!(from_text(golden).unwrap(), alert);
        let twins = Alert { cause: Some(Cause::PlateTypes), rule: Rule::Speed, ..alert };
        let text = to_text(&twins).unwrap();
        assert!(text.ends_with("\"rule\":\"speed\",\"cause\":\"plate_types\"}"), "{text}");
        assert_eq!(from_text(&text).unwrap(), twins);
        assert_eq!(serde_json::to_string(&AlertJson::from(twins)).unwrap(), text);
        for (from, to) in [("\"0f0c", "\"zf0c"), ("2024-01-01 08:00:23", "tomorrow"), ("\"speed\"", "\"luck\"")] {
            assert!(from_text(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
