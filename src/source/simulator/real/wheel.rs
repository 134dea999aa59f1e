//! A queue by time for very many entries that are mostly due within some hours: one list for each second, put in order
//! when its second comes.
//!
//! Entries due at the same millisecond come in the order in which they were added. It does not know what an entry is.

/// Entries by when they are due, in milliseconds since the start.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    /// Those due in each of the [`SECONDS`] seconds after `second`, in the order in which they were added.
    later: Vec<Vec<(u64, T)>>,
    /// Those due by the end of `second`, the next one last.
    now: Vec<(u64, T)>,
    second: u64,
    /// Those due later than that, looked through each time the wheel has turned.
    far: Vec<(u64, T)>,
    len: usize,
}

/// Seconds in one turn of the wheel.
const SECONDS: u64 = 1 << 14;

impl<T> Wheel<T> {
    pub(super) fn new() -> Self {
        let later = (0..SECONDS).map(|_| Vec::new()).collect();
        Self { later, now: Vec::new(), second: 0, far: Vec::new(), len: 0 }
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push(&mut self, due: u64, entry: T) {
        self.len += 1;
        let second = due / 1000;
        if second <= self.second {
            let place = self.now.partition_point(|(other, _)| *other > due);
            self.now.insert(place, (due, entry));
        } else if second < self.second + SECONDS {
            if let Some(list) = self.later.get_mut((second % SECONDS) as usize) {
                list.push((due, entry));
            }
        } else {
            self.far.push((due, entry));
        }
    }

    /// When the next entry is due, if that is within `limit`.
    #[inline]
    pub(super) fn next_due(&mut self, limit: u64) -> Option<u64> {
        while self.now.is_empty() && self.len > 0 && self.second < limit / 1000 {
            self.turn();
        }
        self.now.last().map(|(due, _)| *due).filter(|due| *due <= limit)
    }

    /// Takes the entry that [`Wheel::next_due`] has found.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let next = self.now.pop();
        self.len -= usize::from(next.is_some());
        next
    }

    /// The next second begins.
    fn turn(&mut self) {
        self.second += 1;
        if self.second.is_multiple_of(SECONDS) {
            // What is left here was due at least a whole turn after it was added, so none is overdue.
            for (due, entry) in std::mem::take(&mut self.far) {
                self.len -= 1;
                self.push(due, entry);
            }
        }
        let Some(list) = self.later.get_mut((self.second % SECONDS) as usize) else { return };
        if !list.is_empty() {
            self.now = std::mem::take(list);
            self.now.reverse();
            self.now.sort_by(|(a, _), (b, _)| b.cmp(a));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::chance::Chance;
    use super::*;

    /// The same by sorting everything each time.
    #[test]
    fn entries_come_in_order_of_time_then_of_adding() {
        let mut wheel = Wheel::new();
        let mut naive: Vec<(u64, u64)> = Vec::new();
        let mut chance = Chance::new(1);
        let (mut now, mut number, mut taken, mut waited) = (0, 0, 0, 0);
        for _ in 0..40_000 {
            for _ in 0..chance.below(3) {
                let far = [3, 2_000, 3_600_000, 40_000_000, 200_000_000][chance.below(5) as usize];
                let due = now + chance.below(far);
                wheel.push(due, number);
                naive.push((due, number));
                number += 1;
            }
            let limit = now + chance.below(60_000);
            naive.sort_unstable();
            let expected = naive.first().copied().filter(|(due, _)| *due <= limit);
            assert_eq!(wheel.next_due(limit), expected.map(|(due, _)| due));
            match expected {
                Some(expected) => {
                    assert_eq!(wheel.pop(), Some(expected));
                    naive.remove(0);
                    now = expected.0;
                    taken += 1;
                }
                None => {
                    now = limit;
                    waited += 1;
                }
            }
            assert_eq!(wheel.len(), naive.len());
        }
        assert!(taken > 10_000 && waited > 1_000 && now > 3 * SECONDS * 1000, "{taken} {waited} {now}");
    }
}
