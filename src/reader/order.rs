//! The order of passages in an answer, and where a page lies among passages that are counted by hour. It does not know
//! where passages are kept.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use traffic::CivilTime;

/// Which passages come first; those of one second always by GCXH.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest GCSJ.
    #[default]
    Newest,
    /// The oldest GCSJ.
    Oldest,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageHours {
    /// The page's first hour, counted from 1970.
    pub first: i64,
    /// Its last: below `first` where the newest come first.
    pub last: i64,
    /// Passages in the hours that come before `first`.
    pub before: u64,
}

impl PageHours {
    /// The older and the newer of the two ends.
    pub fn span(&self) -> (i64, i64) {
        (self.first.min(self.last), self.first.max(self.last))
    }
}

impl Order {
    /// Which of two seconds comes first.
    pub fn compare_times(self, a: CivilTime, b: CivilTime) -> Ordering {
        match self {
            Self::Newest => b.cmp(&a),
            Self::Oldest => a.cmp(&b),
        }
    }

    /// Which of two passages, each GCSJ and GCXH, comes first.
    pub fn compare(self, a: (CivilTime, &str), b: (CivilTime, &str)) -> Ordering {
        self.compare_times(a.0, b.0).then_with(|| a.1.cmp(b.1))
    }

    /// The hours that hold the `limit` passages behind the first `skip`; none behind the last passage.
    pub fn page_hours(self, counts: &BTreeMap<i64, u64>, skip: u64, limit: u64) -> Option<PageHours> {
        let mut hours = counts.iter();
        let end = skip.saturating_add(limit);
        let (mut passed, mut found) = (0u64, None::<PageHours>);
        while let Some((&hour, &count)) = if self == Self::Newest { hours.next_back() } else { hours.next() } {
            if passed + count > skip {
                found = Some(found.map_or(PageHours { first: hour, last: hour, before: passed }, |page| PageHours {
                    last: hour,
                    ..page
                }));
            }
            passed += count;
            if passed >= end {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_in_the_fewest_hours() {
        let counts = BTreeMap::from([(1, 2), (2, 0), (3, 5), (7, 1)]);
        let at = |first, last, before| Some(PageHours { first, last, before });
        for (order, skip, limit, expected) in [
            (Order::Newest, 0, 1, at(7, 7, 0)),
            (Order::Newest, 0, 2, at(7, 3, 0)),
            (Order::Newest, 1, 5, at(3, 3, 1)),
            (Order::Newest, 5, 100, at(3, 1, 1)),
            (Order::Newest, 8, 1, None),
            (Order::Oldest, 0, 2, at(1, 1, 0)),
            (Order::Oldest, 0, 3, at(1, 3, 0)),
            (Order::Oldest, 2, 5, at(3, 3, 2)),
            (Order::Oldest, 7, u64::MAX, at(7, 7, 7)),
            (Order::Oldest, u64::MAX, u64::MAX, None),
        ] {
            assert_eq!(order.page_hours(&counts, skip, limit), expected, "{order:?} {skip} {limit}");
        }
        assert_eq!(Order::Oldest.page_hours(&counts, 0, 3).unwrap().span(), (1, 3));
        assert_eq!(Order::Newest.page_hours(&counts, 5, 100).unwrap().span(), (1, 3));
        assert_eq!(Order::Newest.page_hours(&BTreeMap::new(), 0, 1), None);
    }

    #[test]
    fn ties_go_by_gcxh_in_both_orders() {
        let (early, late) = (CivilTime(1), CivilTime(2));
        assert_eq!(Order::Newest.compare((late, "G2"), (early, "G1")), Ordering::Less);
        assert_eq!(Order::Oldest.compare((late, "G2"), (early, "G1")), Ordering::Greater);
        for order in [Order::Newest, Order::Oldest] {
            assert_eq!(order.compare((early, "G2"), (early, "G1")), Ordering::Greater);
        }
    }
}
