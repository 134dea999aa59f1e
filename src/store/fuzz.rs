//! Fuzzing of stored values: each kind that a data directory holds is read from any payload, and what can be read is written
//! as it was. It knows no database.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use storage::codec::{self, CodecError, Kind};
use traffic::ClockCount;
use traffic::evidence::{EvidenceSettings, PartitionAssessor};

use super::disk::checkpoints::Copy;
use super::disk::keys;
use super::disk::records::{
    Census, DetectionTotals, Lifetimes, MirrorCursor, PartitionState, RefusedRow, Rollup, SavedHead, SavedSegments,
    StoredReject, Totals, decode_alert, decode_case, decode_plate, decode_sightings, decode_work_of_alert,
    encode_alert, encode_case, encode_sightings, encode_work,
};
use crate::fuzz::frame::{check, framed};
use crate::fuzz::outcome::{kind, outcome, size};

/// Reads and writes one kind, see [`check`].
type Check = fn(u8, &[u8]) -> Result<u64, u64>;

/// Values that are encoded as they are declared.
fn plain<T: Serialize + DeserializeOwned>(kind: Kind, payload: &[u8]) -> Result<u64, u64> {
    check(kind, u8::MAX, true, payload, |bytes| codec::decode::<T>(kind, bytes), |value| codec::encode(kind, value))
}

/// Values of which older layouts are read too.
fn layered<T: Serialize>(
    kind: Kind,
    which: u8,
    payload: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, CodecError>,
) -> Result<u64, u64> {
    check(kind, which, true, payload, decode, |value| codec::encode(kind, value))
}

/// Every kind, by its first byte.
const KINDS: [(Kind, Check); 18] = [
    (keys::ALERT, |which, payload| check(keys::ALERT, which, true, payload, decode_alert, encode_alert)),
    (keys::CASE, |which, payload| check(keys::CASE, which, true, payload, decode_case, encode_case)),
    (keys::WORK, |which, payload| check(keys::WORK, which, true, payload, decode_work_of_alert, encode_work)),
    (keys::PLATE, |which, payload| {
        let decode = |bytes: &[u8]| decode_plate(&[&[0; storage::EXPIRY_BYTES], bytes].concat());
        layered(keys::PLATE, which, payload, decode)
    }),
    (keys::REJECT, |which, payload| layered(keys::REJECT, which, payload, StoredReject::decode)),
    (keys::TOTALS, |which, payload| layered(keys::TOTALS, which, payload, Totals::decode)),
    (keys::DETECTION, |which, payload| layered(keys::DETECTION, which, payload, DetectionTotals::decode)),
    (keys::LIFETIMES, |which, payload| layered(keys::LIFETIMES, which, payload, Lifetimes::decode)),
    (keys::CENSUS, |which, payload| layered(keys::CENSUS, which, payload, Census::decode)),
    (keys::PARTITION, |_, payload| plain::<PartitionState>(keys::PARTITION, payload)),
    (keys::REJECTS_BYTES, |_, payload| plain::<u64>(keys::REJECTS_BYTES, payload)),
    (keys::HOUR, |_, payload| plain::<Rollup>(keys::HOUR, payload)),
    (keys::RECENT_MINUTE, |_, payload| plain::<(Option<i64>, Vec<u64>)>(keys::RECENT_MINUTE, payload)),
    (keys::CLOCKS, |_, payload| plain::<Vec<ClockCount>>(keys::CLOCKS, payload)),
    (keys::MIRROR, |_, payload| plain::<MirrorCursor>(keys::MIRROR, payload)),
    (keys::REFUSED, |_, payload| plain::<RefusedRow>(keys::REFUSED, payload)),
    (keys::CHECKPOINTS, |_, payload| plain::<Copy>(keys::CHECKPOINTS, payload)),
    (keys::LAST_SIGHTINGS, |which, payload| {
        check(keys::LAST_SIGHTINGS, which, true, payload, decode_sightings, |value| encode_sightings(value))
    }),
];

/// Input: the kind, its layout, and the payload.
pub(crate) fn value(data: &[u8]) -> u64 {
    let [number, which, payload @ ..] = data else { return 0 };
    let (_, check) = KINDS.iter().cycle().nth(usize::from(*number)).copied().unwrap_or((keys::HOUR, |_, _| Err(0)));
    check(*which, payload).unwrap_or_else(|refused| refused)
}

/// Names of checkpoints and brands that a directory has.
const NAMES: usize = 2_000;

/// Input: the saved evidence of a partition; behind `split`, where there are any, the segments. Restored, it is saved as the
/// same once more.
pub(crate) fn evidence(data: &[u8]) -> u64 {
    let split = data.windows(4).position(|window| window == b"\xfe\xfe\xfe\xfe");
    let (head, segments) = data.split_at(split.unwrap_or(data.len()));
    let read: Result<SavedHead, CodecError> =
        codec::decode(keys::EVIDENCE, &framed(keys::EVIDENCE, keys::EVIDENCE.version, head));
    let head = match read {
        Ok(head) => head,
        Err(error) => return outcome(kind(error)),
    };
    if !head.evidence.names_are_below(NAMES, NAMES) {
        return outcome("unknown names");
    }
    let segments = framed(keys::SEGMENTS, keys::SEGMENTS.version, segments.get(4..).unwrap_or_default());
    let segments: Result<SavedSegments, CodecError> = codec::decode(keys::SEGMENTS, &segments);
    let settings = EvidenceSettings::default();
    let mut assessor = PartitionAssessor::restore(settings.clone(), head.evidence, Vec::new());
    if let Ok(saved) = &segments {
        assessor.restore_segments(&saved.segments);
    }
    let (saved, sightings) = assessor.save();
    let of_segments = assessor.save_segments();
    let mut again = PartitionAssessor::restore(settings, saved.clone(), sightings);
    again.restore_segments(&of_segments);
    let bytes = |saved| codec::encode(keys::EVIDENCE, saved);
    let (first, second) = (bytes(&saved), bytes(&again.save().0));
    assert_eq!(first, second, "it is saved as something else once it was restored");
    assert_eq!(codec::encode(keys::SEGMENTS, &of_segments), codec::encode(keys::SEGMENTS, &again.save_segments()));
    let cameras = again.cameras().count();
    let speeds: BTreeMap<_, _> = again.segments().map(|segment| (format!("{segment:?}").len(), ())).collect();
    outcome((size(first.map_or(0, |bytes| bytes.len())), segments.is_ok(), size(cameras), size(speeds.len())))
}

#[cfg(test)]
pub(crate) mod seeds {
    use super::*;

    /// Longest payload that is tried.
    const LONGEST: usize = 300;

    /// Payloads of one byte repeated that can be read: nothing but zeros, nothing but ones.
    fn repeated(read: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
        let of = |byte: u8| (0..LONGEST).map(move |length| vec![byte; length]);
        [0, 1].into_iter().filter_map(|byte| of(byte).find(|payload| read(payload))).collect()
    }

    pub(crate) fn values() -> Vec<Vec<u8>> {
        let mut seeds = Vec::new();
        for (number, (_, check)) in KINDS.iter().enumerate() {
            for which in [255, 0, 1, 2] {
                let of_layout = repeated(|payload| check(which, payload).is_ok()).into_iter();
                seeds.extend(of_layout.map(|payload| [&[number as u8, which][..], &payload].concat()));
            }
        }
        seeds.sort();
        seeds.dedup();
        seeds
    }

    pub(crate) fn evidence() -> Vec<Vec<u8>> {
        let read =
            |payload: &[u8]| codec::decode::<SavedHead>(keys::EVIDENCE, &framed(keys::EVIDENCE, 4, payload)).is_ok();
        repeated(read)
    }
}
