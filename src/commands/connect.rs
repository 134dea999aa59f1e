//! `check-config FILE --connect`: connects to what a configuration names, and reports in words what prevents its use.
//!
//! Each target has a file of its own, which checks it and writes into the [`Report`]; a new target is one more line in
//! [`TARGETS`]. Nothing is changed anywhere: no group is joined, no offset stored, no topic made, and the data
//! directory is not touched.

mod kafka;
mod mysql;
mod reach;
mod redis;
mod report;

use std::io::Write;

use super::failure::Differences;
use crate::config::Config;
use crate::plain;
use report::{Finding, Kind, Report};

/// Checks one target. It fails only if the configuration itself cannot be used, which is exit code 2.
type Check = fn(&Config, &mut Report) -> anyhow::Result<()>;

/// Everything that a configuration can name, in the order in which it is checked.
const TARGETS: [Check; 3] = [kafka::check, mysql::check, redis::check];

/// Connects to what `config` names and writes one line for each finding.
///
/// # Errors
/// [`Differences`] (exit code 1) if there are problems; [`Usage`](super::failure::Usage) (exit code 2) if a client refuses
/// its settings; an I/O error if `out` cannot be written.
pub fn connect(config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    let mut report = Report::default();
    for check in TARGETS {
        check(config, &mut report)?;
    }
    for Finding { target, kind, text } in &report.findings {
        let word = match kind {
            Kind::Sound => "ok",
            Kind::Advice => "advice",
            Kind::Problem => "problem",
        };
        // It may contain text of servers.
        writeln!(out, "{target}: {word}: {}", plain::line(text))?;
    }
    match report.problems() {
        0 => Ok(()),
        1 => Err(Differences("1 problem was found: mend it, then check again".to_owned()).into()),
        count => Err(Differences(format!("{count} problems were found: mend them, then check again")).into()),
    }
}
