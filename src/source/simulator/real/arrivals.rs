//! Lines that wait for their arrival: some seconds, or in a camera until it uploads them.
//!
//! Bounded: all cameras together hold at most [`MAX_HELD`] lines; one that holds its part of it uploads at once. It does
//! not know what a line says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use traffic::CivilTime;

use super::super::network::SiteId;
use super::super::plates::Plate;

/// The most lines that all cameras hold together.
pub(super) const MAX_HELD: usize = 1 << 18;
/// Lines of an upload that arrive in each millisecond.
const LINES_A_MS: u64 = 4;

/// What really passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    /// Number of the passage id.
    pub(super) number: u64,
    pub(super) site: SiteId,
    /// Number of the vehicle.
    pub(super) vehicle: u32,
    pub(super) plate: Plate,
    /// Milliseconds since the start.
    pub(super) at: u64,
    pub(super) kind: Kind,
}

/// What the vehicle has to do with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: its plate is its own, though another may have copied it.
    Own,
    /// Its plate is another vehicle's.
    Clone,
    /// Another vehicle has the same number, on another type of plate.
    Twin,
}

/// A line, and what it is about.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) passed_at: CivilTime,
    pub(super) is_retransmission: bool,
    pub(super) passed: Option<Passed>,
}

/// A camera that sends in batches.
#[derive(Debug)]
struct Uploader {
    site: SiteId,
    every: u64,
    /// When it uploads next, in milliseconds since the start.
    next: u64,
    /// Slots of what it holds, in order.
    held: Vec<u32>,
}

/// Lines by the time of their arrival.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// [`key`]s, the least first.
    heap: BinaryHeap<Reverse<u128>>,
    slots: Vec<Line>,
    free: Vec<u32>,
    uploaders: Vec<Uploader>,
    next_upload: u64,
    most_held: usize,
    count: u64,
}

impl Arrivals {
    /// Arrivals where these cameras upload every so many milliseconds.
    pub(super) fn new(batches: impl Iterator<Item = (SiteId, u64)>) -> Self {
        let uploader = |(site, every)| Uploader { site, every, next: every, held: Vec::new() };
        let uploaders: Vec<_> = batches.map(uploader).collect();
        let next_upload = uploaders.iter().map(|it| it.next).min().unwrap_or(u64::MAX);
        let most_held = MAX_HELD / uploaders.len().max(1);
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            uploaders,
            next_upload,
            most_held,
            count: 0,
        }
    }

    /// When the next line arrives, as far as is known.
    #[inline]
    pub(super) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(key)| arrival_of(*key))
    }

    /// When a camera uploads next; lines before that are known.
    #[inline]
    pub(super) fn next_upload(&self) -> u64 {
        self.next_upload
    }

    /// Room for a line: its bytes are to be written, and it is to be given back by [`Arrivals::arrive`] or
    /// [`Arrivals::hold`].
    #[inline]
    pub(super) fn slot(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let line = Line { bytes: Vec::new(), passed_at: CivilTime::MIN, is_retransmission: false, passed: None };
            self.slots.push(line);
            (self.slots.len() - 1) as u32
        })
    }

    /// The line of a slot.
    #[inline]
    pub(super) fn line(&mut self, slot: u32) -> Option<&mut Line> {
        self.slots.get_mut(slot as usize)
    }

    /// The line of a slot arrives at `arrival`.
    #[inline]
    pub(super) fn arrive(&mut self, slot: u32, arrival: u64) {
        self.heap.push(Reverse(key(arrival, self.count, slot)));
        self.count += 1;
    }

    /// The line of a slot is held by its camera, until it uploads.
    pub(super) fn hold(&mut self, slot: u32, site: SiteId, now: u64) {
        let Some(uploader) = self.uploaders.iter_mut().find(|it| it.site == site) else {
            return self.arrive(slot, now);
        };
        uploader.held.push(slot);
        if uploader.held.len() >= self.most_held {
            uploader.next = now;
            self.upload(now);
        }
    }

    /// Cameras whose time has come by `now` upload what they hold.
    pub(super) fn upload(&mut self, now: u64) {
        let mut released = Vec::new();
        for uploader in self.uploaders.iter_mut().filter(|it| it.next <= now) {
            released.extend((0..).zip(uploader.held.drain(..)).map(|(index, slot)| (now + index / LINES_A_MS, slot)));
            uploader.next = (now / uploader.every + 1) * uploader.every;
        }
        self.next_upload = self.uploaders.iter().map(|it| it.next).min().unwrap_or(u64::MAX);
        released.into_iter().for_each(|(arrival, slot)| self.arrive(slot, arrival));
    }

    /// The line that arrives next, and when; its slot is free from now on.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u64, &Line)> {
        let Reverse(key) = self.heap.pop()?;
        let slot = key as u32;
        self.free.push(slot);
        self.slots.get(slot as usize).map(|line| (arrival_of(key), line))
    }

    /// How many lines wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

/// One number for when a line arrives, in milliseconds since the start, a count that keeps the order, and the line's
/// slot: 56, 40 and 32 bits. It compares faster than three.
#[inline]
fn key(arrival: u64, count: u64, slot: u32) -> u128 {
    u128::from(arrival) << 72 | u128::from(count & ((1 << 40) - 1)) << 32 | u128::from(slot)
}

#[inline]
fn arrival_of(key: u128) -> u64 {
    (key >> 72) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arrivals: &mut Arrivals, text: u64) -> u32 {
        let slot = arrivals.slot();
        arrivals.line(slot).unwrap().bytes = text.to_string().into_bytes();
        slot
    }

    fn all(arrivals: &mut Arrivals) -> Vec<(u64, String)> {
        std::iter::from_fn(|| {
            arrivals.pop().map(|(arrival, line)| (arrival, String::from_utf8(line.bytes.clone()).unwrap()))
        })
        .collect()
    }

    #[test]
    fn held_lines_arrive_together_and_in_order() {
        let mut arrivals = Arrivals::new([(3, 1_000)].into_iter());
        for index in 0..6 {
            let slot = line(&mut arrivals, index);
            arrivals.hold(slot, 3, 100 * index);
        }
        let slot = line(&mut arrivals, 9);
        arrivals.arrive(slot, 700);
        assert_eq!((arrivals.next(), arrivals.next_upload()), (Some(700), 1_000));
        arrivals.upload(1_000);
        assert_eq!(arrivals.next_upload(), 2_000);
        let expected = [(700, 9), (1_000, 0), (1_000, 1), (1_000, 2), (1_000, 3), (1_001, 4), (1_001, 5)];
        assert_eq!(all(&mut arrivals), expected.map(|(at, text)| (at, text.to_string())));
        assert_eq!(arrivals.waiting(), 0);
    }

    #[test]
    fn no_more_is_held_than_may_be() {
        let mut arrivals = Arrivals::new([(0, 1 << 40), (1, 1 << 40)].into_iter());
        for index in 0..MAX_HELD as u64 {
            let slot = line(&mut arrivals, index);
            arrivals.hold(slot, 1, index);
            assert!(arrivals.uploaders.iter().map(|it| it.held.len()).sum::<usize>() <= MAX_HELD / 2);
        }
        assert_eq!(all(&mut arrivals).len(), MAX_HELD);
    }
}
