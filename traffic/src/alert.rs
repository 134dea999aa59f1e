//! The alert: two sightings of one plate that no single car can account for. It knows no form in which it is written.

use std::fmt;

use crate::evidence::{PairEvidence, PairFinding};
use crate::{Cause, CivilTime, Rule, Severity};

/// The id of an alert, which depends only on the plate and the two passages. Written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlertId(pub u64);

impl AlertId {
    /// XXH64 (seed 0) over the plate, the lesser GCXH and the greater GCXH, each followed by a zero byte.
    pub fn of(plate: &str, passage: &str, other: &str) -> Self {
        let (first, second) = if passage <= other { (passage, other) } else { (other, passage) };
        let mut hash = xxhash_rust::xxh64::Xxh64::new(0);
        for part in [plate, first, second] {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        Self(hash.digest())
    }

    /// Reads what [`fmt::Display`] writes: exactly 16 digits, in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = text.len() == 16 && text.bytes().all(is_digit);
        is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// One of the two passages of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSighting {
    /// KKMC.
    pub checkpoint: String,
    /// GCSJ.
    pub passed_at: CivilTime,
    /// GCXH.
    pub passage: String,
}

/// One alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Number of the alert in its data directory, from 1 without gaps.
    pub seq: u64,
    /// What it is found by.
    pub id: AlertId,
    /// HPHM.
    pub plate: String,
    /// The sighting that is earlier in event time.
    pub earlier: AlertSighting,
    /// The later sighting.
    pub later: AlertSighting,
    /// Seconds between the two.
    pub gap_seconds: i64,
    /// Great-circle distance in km, to 0.1 km; none if a coordinate is unknown.
    pub distance_km: Option<f64>,
    /// Distance over gap in km/h, to 0.1 km/h; none if the distance is unknown or the gap is 0.
    pub speed_kmh: Option<f64>,
    /// How strong the evidence is.
    pub severity: Severity,
    /// The rule that raised it.
    pub rule: Rule,
    /// What explains it, if anything is known.
    pub cause: Option<Cause>,
    /// What the traffic says about the pair; none where nothing is learnt of it.
    pub evidence: Option<PairEvidence>,
}

impl Alert {
    /// With what the traffic says about the pair, where anything is learnt of it: severity and cause follow from that.
    pub fn weighed(self, finding: PairFinding) -> Self {
        match finding {
            PairFinding::Weighed(pair) => {
                let pair = pair.rounded();
                Self { severity: pair.severity(), cause: Some(pair.cause), evidence: Some(pair), ..self }
            }
            PairFinding::Doubtful => {
                Self { severity: self.severity.at_most(Severity::Medium), cause: Some(Cause::Clock), ..self }
            }
            PairFinding::Unknown => self,
        }
    }

    /// Whether one of its sightings was at this checkpoint.
    pub fn is_at(&self, checkpoint: &str) -> bool {
        self.earlier.checkpoint == checkpoint || self.later.checkpoint == checkpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_contract() {
        let id = AlertId::of("苏C12345", "G2", "G1");
        assert_eq!(id, AlertId::of("苏C12345", "G1", "G2"));
        assert_ne!(id, AlertId::of("苏C12346", "G1", "G2"));
        assert_eq!(AlertId::parse(&id.to_string()), Some(id));
        assert_eq!(AlertId(1).to_string(), "0000000000000001");
        for text in ["", "000000000000001", "00000000000000011", "000000000000000A", "+000000000000001"] {
            assert_eq!(AlertId::parse(text), None, "{text}");
        }
    }
}
