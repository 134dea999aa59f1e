//! Fuzzing of what a group or the store says of a partition: any text in an offset's metadata, any payload of a position.

use traffic::{CivilTime, NameId};

use super::position::{Committed, KIND, PartitionPosition};
use crate::fuzz::frame::{check, framed};
use crate::fuzz::outcome::{outcome, size};

/// Input: eight bytes of the committed offset, then the metadata. Another program's says nothing; ours is never ahead of the
/// offset, and what it says is written again as the same.
pub(crate) fn metadata(data: &[u8]) -> u64 {
    let (next, text) = data.split_first_chunk::<8>().unwrap_or((&[0; 8], data));
    // Small ones as often as large ones.
    let next = i64::from_le_bytes(*next) >> (text.len() % 4 * 16);
    let text = String::from_utf8_lossy(text);
    let committed = Committed::new(next, &text);
    assert_eq!(committed.next, next);
    let Some((mark, watermark)) = committed.state else { return outcome("of another program") };
    assert!((0..=next).contains(&mark.offset), "reading back begins at {} of {next}", mark.offset);
    let word = |time: Option<i64>| time.map_or("-".to_owned(), |time| time.to_string());
    let written = format!("platewatch/2 {} {} {}", mark.offset, word(mark.before), word(watermark));
    assert_eq!(Committed::new(next, &written), committed, "{text:?} is not {written:?}");
    outcome((mark.before.is_some(), watermark.is_some(), size(next.unsigned_abs() as usize)))
}

/// Input: the layout, how many passages follow, and the payload of a position. What can be read can be written; it goes on
/// from there, and the metadata that it commits is understood.
pub(crate) fn position(data: &[u8]) -> u64 {
    let [which, passages, payload @ ..] = data else { return 0 };
    let encode = PartitionPosition::encode;
    let result = check(KIND, *which, false, payload, PartitionPosition::decode, encode);
    let version = if *which < 128 { 2 } else { 1 + which % 2 };
    let Ok(mut position) = PartitionPosition::decode(&framed(KIND, version, payload)) else {
        return result.unwrap_or_else(|refused| refused);
    };
    // Kafka's offsets are not negative, and times are of this millennium: the parser and the broker see to it.
    let sound = (0..i64::MAX / 2).contains(&position.next)
        && position.trail.iter().all(|mark| (0..=position.next).contains(&mark.offset));
    if sound {
        for offset in 0..i64::from(*passages % 8) {
            let next = position.next + offset;
            let seen = (0..3).map(|checkpoint: NameId| (CivilTime(1_704_067_200 + offset * 700), checkpoint));
            position.pass(next, seen, 1_200);
        }
        position.next += i64::from(*passages % 8);
        let committed = Committed::new(position.next, &position.metadata());
        assert_eq!(committed.state.map(|(mark, _)| mark), Some(position.read_back_from()), "{}", position.metadata());
        let (low, high) = (position.next.saturating_add(i64::from(*passages)), i64::MAX);
        let gap = position.skip_to(low, high, 1_704_067_200);
        assert_eq!((gap.is_some(), position.next), (*passages > 0, low));
        assert_eq!(position.encode().and_then(|bytes| PartitionPosition::decode(&bytes)).as_ref(), Ok(&position));
    }
    outcome((result.ok(), sound, size(position.trail.len()), size(position.recent.len())))
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut position = PartitionPosition::at(5);
    let mut seeds = Vec::new();
    for step in 0..4 {
        let seen = (0..3).map(|checkpoint: NameId| (CivilTime(1_704_067_200 + step * 900), checkpoint));
        position.pass(position.next, seen, 1_200);
        position.next += 1;
        position.skip_to(position.next + step, i64::MAX, 7);
        // Behind the six bytes of the frame.
        seeds.push([&[0, step as u8][..], &position.encode().unwrap()[6..]].concat());
    }
    seeds
}
