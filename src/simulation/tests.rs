//! Many seeds on all processors; one seed twice; and faults that are planted and must be found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::plan::Planted;
use super::{trace, world};

/// Seeds of a test run, unless `SIMULATION_SEEDS` says how many.
const SEEDS: u64 = 1000;

/// How a seed ended.
struct Outcome {
    hash: u64,
    steps: u64,
    /// What did not hold, and the newest events.
    failure: Option<(String, Vec<String>)>,
}

fn run(seed: u64, planted: Option<Planted>) -> Outcome {
    let ended = catch_unwind(AssertUnwindSafe(|| world::run(seed, planted)));
    crate::clock::simulated::set(None);
    let (hash, steps, newest) = trace::so_far();
    let failure = ended.err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        (text.unwrap_or_default(), newest)
    });
    Outcome { hash, steps, failure }
}

/// Runs `count` seeds from `first` on; returns what failed, at most `most` of it.
fn run_all(first: u64, count: u64, planted: Option<Planted>, most: usize) -> (u64, Vec<(u64, Outcome)>) {
    let (next, steps) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    let (began, shows) = (Instant::now(), std::env::var_os("SIMULATION_PROGRESS").is_some());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || failed.lock().unwrap().len() >= most {
                return;
            }
            let outcome = run(first + number, planted);
            steps.fetch_add(outcome.steps, Ordering::Relaxed);
            if outcome.failure.is_some() {
                failed.lock().unwrap().push((first + number, outcome));
            }
            if shows && (number + 1) % 500 == 0 {
                let (seconds, failed) = (began.elapsed().as_secs(), failed.lock().unwrap().len());
                eprintln!("{} of {count} seeds, {seconds} s, {failed} failed", number + 1);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut failed = failed.into_inner().unwrap();
    failed.sort_by_key(|(seed, _)| *seed);
    (steps.into_inner(), failed)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn report(failed: &[(u64, Outcome)]) -> String {
    let Some((seed, Outcome { steps, failure: Some((text, newest)), .. })) = failed.first() else {
        return String::new();
    };
    let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    format!(
        "seeds {seeds:?} failed. Seed {seed} at step {steps}:\n{}\n\n{text}\n\nagain with: scripts/simulate 1 {seed}",
        newest.join("\n")
    )
}

/// `SIMULATION_FIRST` is the first seed, and `SIMULATION_PLANT` the name of a fault that is planted.
#[test]
fn seeds_keep_every_record_once() {
    let first = number("SIMULATION_FIRST").unwrap_or(1);
    let count = number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let planted = std::env::var("SIMULATION_PLANT").ok().map(|name| Planted::named(&name));
    let most = if planted.is_some() { usize::MAX } else { 20 };
    let (steps, failed) = run_all(first, count, planted, most);
    println!("{count} seeds, {steps} steps, {} failed", failed.len());
    assert!(failed.is_empty(), "{}", report(&failed));
    assert!(steps > count * 200, "{steps} steps are few");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 1..=12 {
        let [one, other] = [run(seed, None), run(seed, None)];
        assert_eq!((one.hash, one.steps), (other.hash, other.steps), "seed {seed}");
    }
}

/// What each fault is found by is in docs/simulation.md.
#[test]
fn a_planted_fault_is_found() {
    for planted in [
        Planted::OffsetBeforeCommit,
        Planted::CursorBeforeAcknowledgement,
        Planted::OffsetOfUnforcedCommit,
        Planted::AcceptedTwice,
        Planted::NoLease,
        Planted::GoesOnAfterFailedWrite,
    ] {
        let (_, failed) = run_all(1, 500, Some(planted), 1);
        assert!(!failed.is_empty(), "500 seeds do not find {planted:?}");
    }
}
