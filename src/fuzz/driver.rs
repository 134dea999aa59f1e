//! The driver on stable: runs a target on its corpus, on what once failed, and then on inputs made from them for
//! `FUZZ_SECONDS` (1 unless said otherwise). It catches panics, inputs that take too long or too much memory, and leaves each
//! finding as a file with the command that runs it again. See docs/fuzzing.md.
//!
//! An abort or an endless loop cannot be caught: the input that runs stands in a file all the time, which is left there then.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::mutator::{Chance, mutate};
use super::table::{TARGETS, extra_words};
use super::target::Target;
use super::{allocations, corpus};

/// An input may take this long: far more than any needs on a busy machine.
const LONGEST: Duration = Duration::from_secs(2);
/// After this long the process ends itself: an endless loop.
const ENDLESS: Duration = Duration::from_secs(60);
/// Inputs that are kept at most.
const MOST_KEPT: usize = 4_000;
/// How long a finding is made shorter.
const SHORTENING: Duration = Duration::from_secs(10);
const REPORT_EVERY: Duration = Duration::from_secs(30);

thread_local! {
    /// Whether panics are caught here, and what the last one said.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics of a target are kept, not printed; all others are printed as ever.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if CAUGHT.get() {
                SAID.replace(panic.to_string());
            } else {
                before(panic);
            }
        }));
    });
}

/// The input that runs, as a file.
struct Running {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Running {
    fn new(target: &Target) -> Self {
        let folder = findings();
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{}-{}.running", target.name, std::process::id()));
        let file = File::create(&path).unwrap();
        Self { path, file, length: 0 }
    }

    fn write(&mut self, input: &[u8]) {
        self.file.write_all_at(input, 0).unwrap();
        if self.length != input.len() as u64 {
            self.length = input.len() as u64;
            self.file.set_len(self.length).unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Where findings are left.
fn findings() -> PathBuf {
    std::env::var_os("FUZZ_FINDINGS").map_or_else(|| std::env::temp_dir().join("platewatch-fuzz"), PathBuf::from)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no whole number")))
}

/// Runs one target on one input: what came out, or what is wrong.
fn execute(target: &Target, input: &[u8]) -> Result<u64, String> {
    CAUGHT.set(true);
    allocations::start();
    let began = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let (took, bytes) = (began.elapsed(), allocations::most());
    CAUGHT.set(false);
    let outcome = result.map_err(|_| SAID.take())?;
    let (fixed, of_byte) = target.memory;
    let most = fixed + of_byte * input.len();
    if bytes > most {
        return Err(format!("it held {bytes} bytes at a time, for {} bytes of input at most {most}", input.len()));
    }
    // Another process may have taken the processor: what is slow is slow again.
    let is_slow = took > LONGEST && {
        let again = Instant::now();
        let _ = (target.run)(input);
        again.elapsed() > LONGEST
    };
    if is_slow { Err(format!("it took {took:?}")) } else { Ok(outcome) }
}

/// What two failures have in common if they are the same: the place of a panic, or a limit.
fn sort_of(failure: &str) -> &str {
    let line = failure.lines().next().unwrap_or_default();
    if line.starts_with("it ") { line.get(..7).unwrap_or_default() } else { line }
}

/// The shortest input found in a while that fails in the same way.
fn shortened(target: &Target, input: &[u8], failure: &str) -> Vec<u8> {
    let (mut input, began) = (input.to_vec(), Instant::now());
    let mut part = input.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < input.len() && began.elapsed() < SHORTENING {
            let mut without = input.clone();
            without.drain(from..(from + part).min(input.len()));
            if execute(target, &without).is_err_and(|other| sort_of(&other) == sort_of(failure)) {
                input = without;
            } else {
                from += part;
            }
        }
        part /= 2;
    }
    input
}

/// Leaves the input as a file, and fails with all that is known.
fn report(target: &Target, input: &[u8], failure: &str, how: &str) -> ! {
    let input = shortened(target, input, failure);
    let path = findings().join(format!("{}-{:016x}", target.name, xxhash_rust::xxh3::xxh3_64(&input)));
    std::fs::create_dir_all(findings()).unwrap();
    std::fs::write(&path, &input).unwrap();
    let (name, path) = (target.name, path.display());
    panic!(
        "{name}, {how}: {failure}\n  input, {} bytes: {:?}\n  again: FUZZ_INPUT={path} cargo test --release --locked \
         --workspace --lib fuzz::tests::{name}\n  mend it, and keep it: cp {path} fuzz/cases/{name}/",
        input.len(),
        String::from_utf8_lossy(input.get(..400).unwrap_or(&input)),
    );
}

/// Ends the process if an input never ends.
fn watch(began: &AtomicU64, start: Instant, running: &Path, done: &AtomicU64) {
    while done.load(Ordering::Relaxed) == 0 {
        std::thread::park_timeout(Duration::from_millis(500));
        let since = Duration::from_millis(began.load(Ordering::Relaxed));
        if start.elapsed().saturating_sub(since) > ENDLESS && done.load(Ordering::Relaxed) == 0 {
            eprintln!("an input runs for over {ENDLESS:?}: {}", running.display());
            std::process::abort();
        }
    }
}

/// Runs a target for its time.
pub(super) fn check(name: &str) {
    keep_panics();
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    if let Some(path) = std::env::var_os("FUZZ_INPUT") {
        let input = std::fs::read(&path).unwrap();
        let result = execute(target, &input);
        println!("{name}, {}: {result:?}", Path::new(&path).display());
        return assert!(result.is_ok(), "{}", result.unwrap_err());
    }
    let mut running = Running::new(target);
    let mut kept = Vec::new();
    for (path, input) in ["cases", "corpus"].iter().flat_map(|kind| corpus::read(kind, name)) {
        running.write(&input);
        if let Err(failure) = execute(target, &input) {
            report(target, &input, &failure, &path.display().to_string());
        }
        kept.push(input);
    }
    let seconds = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(1));
    let seed = number("FUZZ_SEED").unwrap_or_else(crate::clock::unix_micros);
    let (start, began, done) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
    let path = running.path.clone();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&began, start, &path, &done));
        let result = catch_unwind(AssertUnwindSafe(|| fuzz(target, kept, seed, seconds, &mut running, start, &began)));
        done.store(1, Ordering::Relaxed);
        watcher.thread().unpark();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

fn fuzz(
    target: &Target,
    mut kept: Vec<Vec<u8>>,
    seed: u64,
    seconds: Duration,
    running: &mut Running,
    start: Instant,
    began: &AtomicU64,
) {
    let extra = extra_words(target.name);
    let words: Vec<&[u8]> = target.words.iter().copied().chain(extra.iter().map(Vec::as_slice)).collect();
    let mut chance = Chance::new(seed);
    let mut known: FxHashMap<u64, usize> = FxHashMap::default();
    let (mut executions, mut reported) = (0u64, Instant::now());
    let mut input = Vec::new();
    while start.elapsed() < seconds {
        input.clear();
        input.extend_from_slice(chance.pick(&kept).map_or(&[][..], Vec::as_slice));
        let other = chance.below(kept.len().max(1));
        mutate(&mut input, kept.get(other).map_or(&[][..], Vec::as_slice), &words, target.max_len, &mut chance);
        running.write(&input);
        began.store(start.elapsed().as_millis() as u64, Ordering::Relaxed);
        executions += 1;
        match execute(target, &input) {
            Err(failure) => report(target, &input, &failure, &format!("seed {seed}, execution {executions}")),
            Ok(outcome) => match known.get(&outcome) {
                None if kept.len() < MOST_KEPT => {
                    known.insert(outcome, kept.len());
                    kept.push(input.clone());
                }
                // A shorter one is changed in more telling places.
                Some(&at) if input.len() < kept[at].len() / 2 => kept[at].clone_from(&input),
                _ => {}
            },
        }
        if reported.elapsed() >= REPORT_EVERY {
            reported = Instant::now();
            eprintln!("{}: {executions} executions, {} inputs kept, seed {seed}", target.name, kept.len());
        }
    }
    let took = start.elapsed();
    println!("{}: {executions} executions in {took:?}, {} inputs kept, seed {seed}", target.name, kept.len());
    assert!(executions > 0 || seconds.is_zero(), "no input was run");
}

#[test]
fn a_fault_is_found_shortened_and_left_as_a_file() {
    fn run(input: &[u8]) -> u64 {
        assert!(!input.windows(2).any(|pair| pair == b"!?"), "planted");
        input.iter().filter(|byte| **byte == b'!').count().min(3) as u64
    }
    keep_panics();
    let target = Target { name: "planted", run, words: &[b"!", b"?"], max_len: 100, memory: (1 << 20, 0) };
    let mut running = Running::new(&target);
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| {
        fuzz(&target, vec![b"abc".to_vec()], 1, Duration::from_secs(60), &mut running, start, &AtomicU64::new(0));
    }));
    assert!(result.is_err());
    let path = findings().join(format!("planted-{:016x}", xxhash_rust::xxh3::xxh3_64(b"!?")));
    assert_eq!(std::fs::read(&path).unwrap(), b"!?");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn memory_is_counted() {
    fn run(input: &[u8]) -> u64 {
        std::hint::black_box(vec![1u8; 1 << 16]);
        input.len() as u64
    }
    let target = Target { name: "memory", run, words: &[], max_len: 100, memory: (1 << 16, 0) };
    assert_eq!(execute(&target, b"abc"), Ok(3));
    let failure = execute(&Target { memory: (1 << 15, 8), ..target }, b"abc").unwrap_err();
    assert!(failure.contains("at most 32792"), "{failure}");
}
