//! What happened in the run of this thread: a hash of all of it, and the newest in words. With `SIMULATION_TRACE` all of it is
//! printed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Arguments;
use std::sync::LazyLock;

use xxhash_rust::xxh3::Xxh3;

/// Events that a failure prints.
const SHOWN: usize = 60;

static PRINTS: LazyLock<bool> = LazyLock::new(|| std::env::var_os("SIMULATION_TRACE").is_some());

#[derive(Default)]
struct Trace {
    hash: Xxh3,
    step: u64,
    newest: VecDeque<String>,
}

thread_local! {
    static TRACE: RefCell<Trace> = RefCell::default();
}

/// A run begins.
pub(super) fn begin() {
    TRACE.with_borrow_mut(|trace| *trace = Trace::default());
}

/// A step begins.
pub(super) fn step(step: u64) {
    TRACE.with_borrow_mut(|trace| trace.step = step);
}

/// Something happened.
pub(super) fn note(event: Arguments<'_>) {
    TRACE.with_borrow_mut(|trace| {
        let text = format!("{:6} {event}", trace.step);
        trace.hash.update(text.as_bytes());
        if *PRINTS {
            eprintln!("{text}");
        }
        if trace.newest.len() == SHOWN {
            trace.newest.pop_front();
        }
        trace.newest.push_back(text);
    });
}

/// The hash of all events so far, the step, and the newest events.
pub(super) fn so_far() -> (u64, u64, Vec<String>) {
    TRACE.with_borrow(|trace| (trace.hash.digest(), trace.step, trace.newest.iter().cloned().collect()))
}
