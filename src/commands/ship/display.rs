//! What the user of `ship` sees: a line of progress on a terminal, and sentences about problems. It knows no log.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::producer::KeyedProducer;

/// Time between two updates.
const REDRAW: Duration = Duration::from_millis(100);
/// How long nothing may be delivered before that is reported; and how often it is reported again.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(30));

/// What the user sees: a line of progress on a terminal, and sentences about problems.
pub(super) struct Display {
    bar: ProgressBar,
    brokers: String,
    log: PathBuf,
    began: Instant,
    drawn: Instant,
    /// Lines delivered at the last change, and when that was.
    moved: (u64, Instant),
    complained: Option<Instant>,
    missed: bool,
    trouble: Option<String>,
    once: bool,
    quiet: bool,
}

impl Display {
    pub(super) fn new(brokers: &str, log: &Path, once: bool, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self {
            bar,
            brokers: brokers.to_owned(),
            log: log.to_owned(),
            began: now,
            drawn: now,
            moved: (0, now),
            complained: None,
            missed: false,
            trouble: None,
            once,
            quiet,
        }
    }

    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("platewatch ship: {}", crate::plain::lines(text)));
    }

    pub(super) fn update(
        &mut self,
        delivered: u64,
        on_the_way: u64,
        progress: impl FnOnce() -> (u64, u64),
        producer: &KeyedProducer,
    ) {
        let now = Instant::now();
        if delivered != self.moved.0 || on_the_way == 0 {
            if self.complained.take().is_some() {
                self.say("Kafka takes lines again");
            }
            self.moved = (delivered, now);
        }
        if now - self.drawn < REDRAW {
            return;
        }
        self.drawn = now;
        let (read, size) = progress();
        if size == 0 && read == 0 && !self.missed && !self.log.exists() {
            self.missed = true;
            self.say(&format!("{} is not there yet: waiting for it", self.log.display()));
        }
        if let Some(trouble) = producer.take_trouble() {
            self.trouble = Some(trouble);
        }
        let waited = now - self.moved.1;
        if waited >= PATIENCE.0 && self.complained.is_none_or(|at| now - at >= PATIENCE.1) {
            self.complained = Some(now);
            let trouble = self.trouble.as_deref().unwrap_or("no answer");
            self.say(&format!(
                "Kafka at {} takes no lines since {} s ({trouble}): {on_the_way} wait, and the log is read on when it is \
                 back; nothing is lost",
                self.brokers,
                waited.as_secs()
            ));
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(format!(
                "{} lines in Kafka, {} on the way; {} of {} read, {} elapsed",
                HumanCount(delivered),
                HumanCount(on_the_way),
                HumanBytes(read),
                HumanBytes(size),
                indicatif::HumanDuration(self.began.elapsed()),
            ));
            self.bar.tick();
        }
    }

    pub(super) fn finish(&self, delivered: u64) {
        self.bar.finish_and_clear();
        if self.once && !self.quiet {
            let seconds = self.began.elapsed().as_secs_f64();
            eprintln!("{delivered} lines in Kafka after {seconds:.1} s");
        }
    }
}
