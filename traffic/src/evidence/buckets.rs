//! Gaps in log-spaced buckets: from 10 s to 3 h, each 5 % longer than the one before and at least a second. It knows
//! numbers only.

/// The shortest gap that has a bucket of its own start, in seconds. A shorter one is in the first bucket.
const SHORTEST: usize = 10;
/// The longest gap that is counted, in seconds.
pub(super) const LONGEST: usize = 10_800;
/// How many buckets there are.
pub(super) const BUCKETS: usize = count();
/// Where each bucket begins, and after the last the end of all.
const STARTS: [u16; BUCKETS + 1] = starts();
/// The bucket of every gap in whole seconds.
static BUCKET_OF: [u8; LONGEST + 1] = buckets();

const fn next(start: usize) -> usize {
    let longer = start * 105 / 100;
    if longer > start { longer } else { start + 1 }
}

const fn count() -> usize {
    let (mut start, mut buckets) = (SHORTEST, 0);
    while start <= LONGEST {
        start = next(start);
        buckets += 1;
    }
    buckets
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn starts() -> [u16; BUCKETS + 1] {
    let mut starts = [0; BUCKETS + 1];
    let (mut start, mut at) = (SHORTEST, 0);
    while at <= BUCKETS {
        starts[at] = start as u16;
        start = next(start);
        at += 1;
    }
    starts[0] = 0;
    starts
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn buckets() -> [u8; LONGEST + 1] {
    let mut of = [0; LONGEST + 1];
    let (mut gap, mut bucket) = (0, 0);
    while gap <= LONGEST {
        if gap >= STARTS[bucket + 1] as usize {
            bucket += 1;
        }
        of[gap] = bucket as u8;
        gap += 1;
    }
    of
}

/// The bucket of a gap in seconds; none for one that is negative or over three hours.
#[inline]
pub(super) fn bucket_of(gap: i64) -> Option<usize> {
    usize::try_from(gap).ok().and_then(|gap| BUCKET_OF.get(gap)).map(|bucket| usize::from(*bucket))
}

/// The first second of a bucket, and the first of the next.
#[inline]
pub(super) fn bounds(bucket: usize) -> (f64, f64) {
    let at = |place: usize| STARTS.get(place).copied().map_or(LONGEST as f64, f64::from);
    (at(bucket), at(bucket + 1))
}

/// The gap below which `wanted` of the counted gaps lie, within its bucket in proportion; none if there are fewer.
pub(super) fn quantile(counts: impl Iterator<Item = u16>, wanted: f64) -> Option<f64> {
    let mut below = 0.0;
    for (bucket, count) in counts.enumerate() {
        let count = f64::from(count);
        if count > 0.0 && below + count >= wanted {
            let (from, to) = bounds(bucket);
            return Some(from + (to - from) * ((wanted - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_second_once() {
        assert_eq!(BUCKETS, 150);
        assert_eq!((bucket_of(-1), bucket_of(10_801)), (None, None));
        assert_eq!(
            (bucket_of(0), bucket_of(10), bucket_of(11), bucket_of(10_800)),
            (Some(0), Some(0), Some(1), Some(BUCKETS - 1))
        );
        let mut last = 0;
        for gap in 0..=LONGEST as i64 {
            let bucket = bucket_of(gap).unwrap();
            let (from, to) = bounds(bucket);
            assert!(from <= gap as f64 && (gap as f64) < to, "{gap} {from} {to}");
            assert!(bucket == last || bucket == last + 1);
            assert!(to - from <= (from * 0.05).max(if bucket == 0 { 11.0 } else { 1.0 }), "{from} {to}");
            last = bucket;
        }
    }

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let mut counts = [0u16; BUCKETS];
        // A bucket from 100 s on would be one of 5 s.
        let bucket = bucket_of(100).unwrap();
        counts[bucket] = 10;
        let (from, to) = bounds(bucket);
        assert_eq!(quantile(counts.iter().copied(), 5.0), Some((from + to) / 2.0));
        assert_eq!(quantile(counts.iter().copied(), 10.0), Some(to));
        assert_eq!(quantile(counts.iter().copied(), 11.0), None);
    }
}
