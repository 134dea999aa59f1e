//! How far a partition was consumed: committed to the store together with everything that its records led to.
//!
//! It knows no broker. Gaps are part of it, so that what is missing is never forgotten by a restart.

use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError, Kind};
use traffic::{CivilTime, NameId, Watermark};

pub(super) const KIND: Kind = Kind { magic: b'K', version: 2 };
/// Gaps that are kept in detail; all are counted.
const RECENT_GAPS: usize = 16;
/// A mark is set when the watermark has moved by this part of what is read back.
const MARKS: i64 = 32;
/// The metadata of an offset that Platewatch commits begins with this. In version 1 the watermark was the newest GCSJ.
const METADATA: &str = "platewatch/2";
/// Names of positions in the store begin with this, the topic and the partition follow.
const PREFIX: &str = "kafka/";

/// The place in one partition, and the irregularities before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionPosition {
    /// Offset of the first record that was not consumed yet.
    pub(super) next: i64,
    /// Gaps so far.
    pub(super) gaps: u64,
    /// Offsets that were deleted before they could be read.
    pub(super) missing: u64,
    /// Messages without a value; each also counts as a blank line.
    pub(super) nulls: u64,
    /// The newest gaps, oldest first.
    pub(super) recent: Vec<Gap>,
    /// The watermark of the records before `next`. It takes every passage that was read, duplicates included, which
    /// never raise it further than the accepted ones do; the detector has its own.
    pub(super) watermark: Watermark,
    /// [`fingerprint`] of the record before `next`, where that is known.
    pub(super) last: Option<u64>,
    /// Where reading back may begin, oldest first; a few more than [`MARKS`].
    pub(super) trail: Vec<Mark>,
    /// The watermark at which the partition was taken over from another appliance. What this data directory does not hold
    /// matters until the watermark is further by `KafkaSettings::lacking`.
    pub(super) taken_over: Option<i64>,
}

/// An offset, and the watermark of the records before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The offset.
    pub(super) offset: i64,
    /// The watermark there; none at the beginning.
    pub(super) before: Option<i64>,
}

/// What a group's committed offset says about a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The first offset that was not consumed.
    pub(super) next: i64,
    /// Where to read back from, and the watermark at `next`; none where another program committed.
    pub(super) state: Option<(Mark, Option<i64>)>,
}

/// Offsets that the broker no longer had when they were to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first offset of it.
    pub first: i64,
    /// The last offset of it.
    pub last: i64,
    /// When it was found, in seconds since 1970 UTC.
    pub found: i64,
    /// What happened.
    pub cause: GapCause,
}

/// Why offsets are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GapCause {
    /// They were deleted, by retention or manually, before they were read.
    Deleted,
    /// The partition ended before the position: it was cut off, or the topic created again. These had been read.
    Truncated,
}

impl GapCause {
    /// The word in `/api/status` and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Truncated => "truncated",
        }
    }
}

impl PartitionPosition {
    /// A position without a past.
    pub(super) fn at(next: i64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Moves past the record at `offset`, which holds `passages`: GCSJ and checkpoint of each.
    pub(super) fn pass(&mut self, offset: i64, passages: impl Iterator<Item = (CivilTime, NameId)>, read_back: i64) {
        let before = self.watermark.time();
        passages.for_each(|(time, checkpoint)| self.watermark.see(time, checkpoint));
        let now = self.watermark.time();
        let step = (read_back / MARKS).max(1);
        let due = match self.trail.last() {
            None => true,
            Some(mark) => {
                now > before
                    && before
                        .zip(mark.before.or(Some(i64::MIN)))
                        .is_some_and(|(before, then)| before >= then.saturating_add(step))
            }
        };
        if due {
            self.trail.push(Mark { offset, before });
        }
        let oldest = now.map_or(i64::MIN, |now| now.saturating_sub(read_back));
        // Everything before a mark is older than that, unless it was ahead: what lies before it needs no reading back.
        let unneeded =
            self.trail.iter().skip(1).take_while(|mark| mark.before.is_some_and(|before| before < oldest)).count();
        self.trail.drain(..unneeded);
    }

    /// Whether this data directory lacks some of the passages that the plate states at this position come from.
    pub(super) fn is_partial(&self, lacking: i64) -> bool {
        let now = self.watermark.time();
        self.taken_over.is_some_and(|then| now.is_none_or(|now| now.saturating_sub(lacking) <= then))
    }

    /// Where reading back begins to bring plate states to this position.
    pub(super) fn read_back_from(&self) -> Mark {
        self.trail.first().copied().unwrap_or(Mark { offset: self.next, before: self.watermark.time() })
    }

    /// What is committed to the group with the offset, for the process that takes the partition over.
    pub(super) fn metadata(&self) -> String {
        let Mark { offset, before } = self.read_back_from();
        let text = |time: Option<i64>| time.map_or("-".to_owned(), |time| time.to_string());
        format!("{METADATA} {offset} {} {}", text(before), text(self.watermark.time()))
    }

    /// Compares with what the broker has, from `low` to before `high`. If the position is outside, records the gap,
    /// moves to the oldest record there is, and returns the gap.
    pub(super) fn skip_to(&mut self, low: i64, high: i64, found: i64) -> Option<Gap> {
        let gap = if self.next < low {
            self.missing += (low - self.next).unsigned_abs();
            Gap { first: self.next, last: low - 1, found, cause: GapCause::Deleted }
        } else if self.next > high {
            Gap { first: high, last: self.next - 1, found, cause: GapCause::Truncated }
        } else {
            return None;
        };
        Some(self.jump(low, gap))
    }

    /// The partition is not the one that was consumed: begins with the oldest record of the new one.
    pub(super) fn begin_again(&mut self, low: i64, high: i64, found: i64) -> Gap {
        let last = (self.next - 1).max(low);
        self.jump(low, Gap { first: low.min(high), last, found, cause: GapCause::Truncated })
    }

    fn jump(&mut self, next: i64, gap: Gap) -> Gap {
        if next < self.next {
            self.trail = vec![Mark { offset: next, before: self.watermark.time() }];
        }
        self.next = next;
        self.last = None;
        self.gaps += 1;
        if self.recent.len() >= RECENT_GAPS {
            self.recent.remove(0);
        }
        self.recent.push(gap.clone());
        gap
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(KIND, self)
    }

    /// Reads a stored value. What layout 1 knew of event time was the newest GCSJ, which one clock can spoil: reading
    /// back begins where it says, and the watermark starts again.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if codec::version(KIND, bytes)? > 1 {
            return codec::decode(KIND, bytes);
        }
        let (next, gaps, missing, nulls, recent, _, last, trail, _) = codec::decode::<First>(KIND, bytes)?;
        let trail = trail.into_iter().take(1).map(|mark: Mark| Mark { before: None, ..mark }).collect();
        Ok(Self { next, gaps, missing, nulls, recent, last, trail, ..Self::default() })
    }
}

/// Layout 1.
type First = (i64, u64, u64, u64, Vec<Gap>, Option<i64>, Option<u64>, Vec<Mark>, Option<i64>);

impl Committed {
    /// Reads what [`PartitionPosition::metadata`] wrote.
    pub(super) fn new(next: i64, metadata: &str) -> Self {
        let time = |word: &str| if word == "-" { Some(None) } else { word.parse().ok().map(Some) };
        let state = (|| {
            let mut words = metadata.strip_prefix(METADATA)?.split_ascii_whitespace();
            let offset = words.next()?.parse().ok().filter(|from| (0..=next).contains(from))?;
            Some((Mark { offset, before: time(words.next()?)? }, time(words.next()?)?))
        })();
        Self { next, state }
    }
}

/// Distinguishes a record from the one at its offset in a topic that was created again.
pub(super) fn fingerprint(value: &[u8], timestamp: i64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(value, timestamp.cast_unsigned())
}

/// The prefix of the names under which the positions of `topic` are stored.
pub fn position_prefix(topic: &str) -> String {
    format!("{}{topic}/", PREFIX)
}

/// The name of a partition's position in the store.
pub(super) fn name(topic: &str, partition: i32) -> String {
    format!("{PREFIX}{topic}/{partition}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_position_outside_is_a_gap() {
        let mut position = PartitionPosition::at(10);
        for (low, high) in [(0, 10), (10, 10), (10, 11), (3, 12)] {
            assert_eq!(position.skip_to(low, high, 7), None, "{low} {high}");
        }
        let gap = position.skip_to(15, 20, 7);
        assert_eq!(gap, Some(Gap { first: 10, last: 14, found: 7, cause: GapCause::Deleted }));
        assert_eq!((position.next, position.gaps, position.missing), (15, 1, 5));
        let gap = position.skip_to(2, 4, 8);
        assert_eq!(gap, Some(Gap { first: 4, last: 14, found: 8, cause: GapCause::Truncated }));
        assert_eq!((position.next, position.gaps, position.missing), (2, 2, 5), "what was read is not missing");
        assert_eq!(position.recent.len(), 2);
        assert_eq!(PartitionPosition::decode(&position.encode().unwrap()).unwrap(), position);
    }

    /// Three checkpoints that agree on `time`.
    fn at(time: i64) -> impl Iterator<Item = (CivilTime, NameId)> {
        (0..3).map(move |checkpoint| (CivilTime(time), checkpoint))
    }

    /// Reading back from the mark misses nothing before it that was not ahead, and the mark is not needlessly old.
    #[test]
    fn the_trail_reaches_two_ttls_back_and_is_bounded() {
        let ttl = 600;
        let mut position = PartitionPosition::at(0);
        let mut watermark = Watermark::default();
        let mut passed: Vec<(Option<i64>, i64)> = Vec::new();
        let mut jump = 0;
        for offset in 0..20_000 {
            let time = offset / 3 + [0, -900, 40, 7, -20, 0, 0, 0, 0, 70_000][offset as usize % 10];
            let checkpoint = if time > offset / 3 + 1000 { 9 } else { offset as NameId % 5 };
            let before = watermark.time();
            watermark.see(CivilTime(time), checkpoint);
            position.pass(offset, [(CivilTime(time), checkpoint)].into_iter(), 2 * ttl);
            passed.push((before, time));
            let mark = position.read_back_from();
            assert_eq!(mark.before, passed[mark.offset as usize].0, "at {offset}");
            let Some(now) = position.watermark.time() else { continue };
            // Before there was a watermark nothing could be ahead.
            let needed = passed[..mark.offset as usize].iter().filter(|(before, time)| {
                *time >= now - ttl && before.is_some_and(|before| *time <= before + ttl - 300)
            });
            assert_eq!(needed.count(), 0, "at {offset}: {mark:?} {now}");
            // Two marks are a step apart, and as much as the watermark jumped between them.
            jump = jump.max(before.map_or(0, |before| now - before));
            let oldest = now - 2 * ttl - 2 * ttl / MARKS - jump;
            assert!(mark.before.is_none_or(|before| before >= oldest), "at {offset}: {mark:?} {now} {jump}");
            assert!(position.trail.len() as i64 <= MARKS + 2, "{}", position.trail.len());
        }
        assert_eq!(position.watermark, watermark);
        let committed = Committed::new(20_000, &position.metadata());
        assert_eq!(committed.state, Some((position.read_back_from(), watermark.time())));
        assert_eq!(PartitionPosition::decode(&position.encode().unwrap()).unwrap(), position);
    }

    #[test]
    fn a_jump_of_the_watermark_leaves_one_mark() {
        let mut position = PartitionPosition::at(5);
        position.pass(5, at(100), 1200);
        position.pass(6, at(100).take(0), 1200);
        position.pass(7, at(5000), 1200);
        position.pass(8, at(5001), 1200);
        assert_eq!(position.trail.first(), Some(&Mark { offset: 7, before: Some(100) }));
    }

    #[test]
    fn layout_1_begins_its_watermark_anew() {
        let trail = vec![Mark { offset: 3, before: Some(90) }, Mark { offset: 8, before: Some(5000) }];
        let first: First = (10, 1, 2, 3, Vec::new(), Some(9000), Some(7), trail, Some(4000));
        let bytes = codec::encode(Kind { version: 1, ..KIND }, &first).unwrap();
        let position = PartitionPosition::decode(&bytes).unwrap();
        let expected = PartitionPosition { gaps: 1, missing: 2, nulls: 3, last: Some(7), ..PartitionPosition::at(10) };
        assert_eq!(position, PartitionPosition { trail: vec![Mark { offset: 3, before: None }], ..expected });
    }

    #[test]
    fn metadata_of_others_says_nothing() {
        for text in [
            "",
            "x",
            "platewatch/2",
            "platewatch/2 a b c",
            "platewatch/2 11 - -",
            "platewatch/2 3 5",
            "platewatch/2 -3 5 6",
        ] {
            assert_eq!(Committed::new(10, text), Committed { next: 10, state: None }, "{text:?}");
        }
        let state = Some((Mark { offset: 3, before: None }, Some(-6)));
        assert_eq!(Committed::new(10, "platewatch/2 3 - -6"), Committed { next: 10, state });
    }

    #[test]
    fn what_was_taken_over_matters_for_two_ttls() {
        let mut position = PartitionPosition { taken_over: Some(1000), ..PartitionPosition::at(1) };
        assert!(position.is_partial(1200));
        position.pass(1, at(2200), 1200);
        assert!(position.is_partial(1200));
        position.pass(2, at(2201), 1200);
        assert!(!position.is_partial(1200));
        assert!(!PartitionPosition::at(1).is_partial(1200));
    }

    #[test]
    fn details_of_gaps_are_bounded() {
        let mut position = PartitionPosition::at(0);
        for low in 1..=100 {
            position.skip_to(low, 1000, low);
        }
        assert_eq!((position.gaps, position.missing, position.recent.len()), (100, 100, RECENT_GAPS));
        assert_eq!(position.recent.last().unwrap().last, 99);
    }
}
