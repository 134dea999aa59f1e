//! `check-config FILE --connect`: connects to what a configuration names, and reports in words what prevents its use.
//!
//! Each target has a file of its own, which checks it and writes into the [`Report`]; a new target is one more line in
//! [`TARGETS`]. Nothing is changed anywhere: no group is joined, no offset or session stored, no topic made, and the data
//! directory is not touched.

mod kafka;
mod lake;
mod mqtt;
mod mysql;
mod reach;
mod redis;

use std::io::Write;

use crate::commands::report::Report;
use crate::config::Config;

/// Checks one target. It fails only if the configuration itself cannot be used, which is exit code 2.
type Check = fn(&Config, &mut Report) -> anyhow::Result<()>;

/// Everything that a configuration can name, in the order in which it is checked.
const TARGETS: [Check; 4] = [kafka::check, mqtt::check, mysql::check, redis::check];

/// Connects to what `config` names and writes one line for each finding.
///
/// # Errors
/// [`Differences`](super::failure::Differences) (exit code 1) if there are problems; [`Usage`](super::failure::Usage) (exit code 2) if a client refuses
/// its settings; an I/O error if `out` cannot be written.
pub fn connect(config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    let mut report = Report::default();
    targets(config, &mut report)?;
    lake(config, &mut report);
    report.write(out)?;
    report.outcome()
}

/// Looks at the folder of the lake.
pub(super) fn lake(config: &Config, report: &mut Report) {
    lake::check(config, report);
}

/// Connects to what `config` names.
///
/// # Errors
/// [`Usage`](super::failure::Usage) (exit code 2) if a client refuses its settings.
pub(super) fn targets(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    TARGETS.into_iter().try_for_each(|check| check(config, report))
}
