//! An alert as bytes. Layout 1 has no cause; layout 2 has it after the fields of layout 1, so that it is in the alert's
//! JSON only if there is one.

use storage::codec::{self, CodecError};
use traffic::{Alert, Cause, Rule, Severity};

use crate::store::disk::keys;

/// Layout 1: the fields of [`Alert`] in their order, up to its rule.
type First = (
    u64,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    i64,
    Option<f64>,
    Option<f64>,
    Severity,
    Rule,
);
/// What follows in layout 2.
type Second = (First, Option<Cause>);

pub(in crate::store) fn encode(alert: &Alert) -> Result<Vec<u8>, CodecError> {
    let Alert { seq, id, hphm, prev_kkmc, curr_kkmc, prev_time, curr_time, .. } = alert;
    let Alert { prev_gcxh, curr_gcxh, gap_seconds, distance_km, speed_kmh, severity, rule, cause, .. } = alert;
    #[rustfmt::skip]
    let first = (
        seq, id, hphm, prev_kkmc, curr_kkmc, prev_time, curr_time, prev_gcxh, curr_gcxh, gap_seconds, distance_km,
        speed_kmh, severity, rule,
    );
    codec::encode(keys::ALERT, &(first, cause))
}

pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Alert, CodecError> {
    let (first, cause) = match codec::version(keys::ALERT, bytes)? {
        1 => (codec::decode::<First>(keys::ALERT, bytes)?, None),
        _ => codec::decode::<Second>(keys::ALERT, bytes)?,
    };
    #[rustfmt::skip]
    let (
        seq, id, hphm, prev_kkmc, curr_kkmc, prev_time, curr_time, prev_gcxh, curr_gcxh, gap_seconds, distance_km,
        speed_kmh, severity, rule,
    ) = first;
    Ok(Alert {
        seq,
        id,
        hphm,
        prev_kkmc,
        curr_kkmc,
        prev_time,
        curr_time,
        prev_gcxh,
        curr_gcxh,
        gap_seconds,
        distance_km,
        speed_kmh,
        severity,
        rule,
        cause,
    })
}
