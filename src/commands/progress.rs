//! The progress of reading on a terminal: bytes, rate and remaining time; nothing where there is no terminal.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::source::capture::CaptureProgress;

const REFRESH: Duration = Duration::from_millis(200);

/// A progress bar that follows a capture until it is finished or dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows the progress of `reading`, which is for `what`, on standard error, if that is a terminal and `quiet` is not set.
    pub(super) fn start(what: &'static str, reading: Arc<CaptureProgress>, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        let (_, total) = bytes_read(&reading);
        let template = if total > 0 {
            bar.set_length(total);
            "{msg:10} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"
        } else {
            "{msg:10} {spinner} {bytes} {bytes_per_sec} {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            let weak = bar.downgrade();
            std::thread::spawn(move || {
                while let Some(bar) = weak.upgrade().filter(|bar| !bar.is_finished()) {
                    update(&bar, what, &reading);
                    drop(bar);
                    std::thread::sleep(REFRESH);
                }
            });
        }
        Self { bar }
    }

    /// Prints a line without disturbing the bar.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{}", crate::plain::lines(text)));
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A progress bar over the passages of a data directory.
pub(super) fn passages_bar(passages: u64, quiet: bool) -> anyhow::Result<ProgressBar> {
    if quiet || !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{msg:10} {bar:30} {human_pos} of {human_len} passages, {eta} left")?;
    Ok(ProgressBar::new(passages).with_style(style))
}

/// A progress bar over bytes, whose number comes with the first of them.
pub(super) fn bytes_bar(what: &'static str, quiet: bool) -> anyhow::Result<ProgressBar> {
    if quiet || !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{msg:10} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style).with_message(what))
}

/// When sorting, the bar fills once for reading and once more for the sorted lines.
fn update(bar: &ProgressBar, what: &'static str, reading: &CaptureProgress) {
    let (read, total) = bytes_read(reading);
    let sorted = reading.sorted_lines.load(Ordering::Relaxed);
    let given = reading.given_lines.load(Ordering::Relaxed);
    if sorted > 0 && given > 0 && total > 0 {
        bar.set_message("detecting");
        bar.set_position((total as f64 * (given as f64 / sorted as f64).min(1.0)) as u64);
    } else {
        bar.set_message(if sorted > 0 { "sorting" } else { what });
        bar.set_position(read);
    }
}

/// Bytes read, and all bytes.
fn bytes_read(progress: &CaptureProgress) -> (u64, u64) {
    (progress.read_bytes.load(Ordering::Relaxed), progress.total_bytes.load(Ordering::Relaxed))
}
