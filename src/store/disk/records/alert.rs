//! An alert as bytes, layout 4: numbers for times, id, severity, rule and cause; then what the traffic says about the
//! pair, which layout 3 lacks.
//!
//! Layouts 1 and 2 have texts in the place of times and id, and severity, rule and cause by the order of their
//! declaration then, which are the codes of now; layout 1 has no cause. They are read, and never written.

use storage::codec::{self, CodecError};
use traffic::evidence::{PairEvidence, Reason};
use traffic::{Alert, AlertId, AlertSighting, Cause, CivilTime, Rule, Severity, TimeZoneName};

use crate::store::disk::keys;

/// A sighting in layout 3: checkpoint, event time in civil seconds, GCXH.
type StoredSighting = (String, i64, String);

/// Layout 3: seq, id, plate, both sightings (the earlier first), gap in seconds, distance, speed, and the codes of
/// severity, rule and cause.
#[rustfmt::skip]
type Third = (u64, u64, String, StoredSighting, StoredSighting, i64, Option<f64>, Option<f64>, u8, u8, Option<u8>);

/// Layout 4: layout 3, and probability, reasons and the model's hour.
type Fourth = (Third, Option<(f64, Vec<Reason>, i64)>);

/// Layout 1: seq, id, plate, checkpoints, times, GCXH (each the earlier sighting's first), gap in seconds, distance,
/// speed, and the codes of severity and rule.
type First =
    (u64, String, String, String, String, String, String, String, String, i64, Option<f64>, Option<f64>, u8, u8);

/// Layout 2: the same, and the code of the cause.
type Second = (First, Option<u8>);

pub(in crate::store) fn encode(alert: &Alert) -> Result<Vec<u8>, CodecError> {
    let Alert { seq, id, plate, earlier, later, gap_seconds, distance_km, speed_kmh, severity, rule, cause, evidence } =
        alert;
    #[rustfmt::skip]
    let third = (
        seq, id.0, plate, fields(earlier), fields(later), gap_seconds, distance_km, speed_kmh, severity.code(),
        rule.code(), cause.map(Cause::code),
    );
    let evidence = evidence.as_ref().map(|pair| (pair.probability, &pair.reasons, pair.model));
    codec::encode(keys::ALERT, &(third, evidence))
}

fn fields(sighting: &AlertSighting) -> (&str, i64, &str) {
    (&sighting.checkpoint, sighting.passed_at.0, &sighting.passage)
}

pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Alert, CodecError> {
    let (third, evidence): Fourth = match codec::version(keys::ALERT, bytes)? {
        1 => (numbered(codec::decode::<First>(keys::ALERT, bytes)?, None)?, None),
        2 => {
            let (first, cause) = codec::decode::<Second>(keys::ALERT, bytes)?;
            (numbered(first, cause)?, None)
        }
        3 => (codec::decode::<Third>(keys::ALERT, bytes)?, None),
        _ => codec::decode::<Fourth>(keys::ALERT, bytes)?,
    };
    let (seq, id, plate, earlier, later, gap_seconds, distance_km, speed_kmh, severity, rule, cause) = third;
    let sighting = |(checkpoint, passed_at, passage): StoredSighting| AlertSighting {
        checkpoint,
        passed_at: CivilTime(passed_at),
        passage,
    };
    let cause = cause.map(|code| Cause::of_code(code).ok_or_else(|| unknown("cause", code))).transpose()?;
    let evidence = match (evidence, cause) {
        (Some((probability, reasons, model)), Some(cause)) => Some(PairEvidence { probability, cause, reasons, model }),
        _ => None,
    };
    Ok(Alert {
        seq,
        id: AlertId(id),
        plate,
        earlier: sighting(earlier),
        later: sighting(later),
        gap_seconds,
        distance_km,
        speed_kmh,
        severity: Severity::of_code(severity).ok_or_else(|| unknown("severity", severity))?,
        rule: Rule::of_code(rule).ok_or_else(|| unknown("rule", rule))?,
        cause,
        evidence,
    })
}

/// An alert of an older layout in the form of layout 3.
fn numbered(first: First, cause: Option<u8>) -> Result<Third, CodecError> {
    #[rustfmt::skip]
    let (
        seq, id, plate, prev_kkmc, curr_kkmc, prev_time, curr_time, prev_gcxh, curr_gcxh, gap, distance, speed, severity,
        rule,
    ) = first;
    let id = AlertId::parse(&id).ok_or_else(|| unknown("id", &id))?.0;
    let earlier = (prev_kkmc, seconds(&prev_time)?, prev_gcxh);
    let later = (curr_kkmc, seconds(&curr_time)?, curr_gcxh);
    Ok((seq, id, plate, earlier, later, gap, distance, speed, severity, rule, cause))
}

/// Civil seconds of a time as text. It has no offset, so the zone does not matter.
fn seconds(text: &str) -> Result<i64, CodecError> {
    let time = CivilTime::parse(text.as_bytes(), &TimeZoneName::default());
    time.map(|time| time.0).ok_or_else(|| unknown("time", text))
}

fn unknown(what: &str, value: impl std::fmt::Display) -> CodecError {
    CodecError::Payload { magic: keys::ALERT.magic, detail: format!("an alert has the {what} {value}") }
}
