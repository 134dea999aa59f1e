//! `doctor`: looks at everything that an appliance needs, in one go, and says what to do about what is not as it should be.
//!
//! It changes nothing: no group is joined, no file of the data directory is opened for writing. The time that the disk takes is
//! measured in a file of its own, which is removed. It does not read what is stored; `serve` does that at its start.

mod bundle;
mod disk;
mod machine;
mod service;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::connect;
use super::connect::report::Report;
use crate::config::Config;

/// What `doctor` takes.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The configuration; without it all settings are the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Do not connect to Kafka, MySQL, MyCat and Redis
    #[arg(long)]
    offline: bool,
    /// Also write what was found, the settings without passwords, the names and sizes of the files and the metrics: for whoever
    /// helps. It holds no plates
    #[arg(long, value_name = "FILE.tar.gz")]
    bundle: Option<PathBuf>,
}

/// Looks, and writes one line for each finding.
///
/// # Errors
/// [`Differences`](super::failure::Differences) (exit code 1) if there are problems; an I/O error if `out` or the bundle cannot be
/// written.
pub fn run(args: &DoctorArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut report = Report::default();
    machine::check(&mut report);
    let config = service::configuration(args.config.as_deref(), &mut report);
    if let Some(config) = &config {
        look(config, args.offline, &mut report);
    }
    report.write(out)?;
    if let Some(path) = &args.bundle {
        bundle::write(path, &report, config.as_ref())?;
        writeln!(out, "{} holds what was found: look at it before you send it", path.display())?;
    }
    report.outcome()
}

fn look(config: &Config, is_offline: bool, report: &mut Report) {
    machine::memory(config.store.memory.bytes() as u64, report);
    disk::check(&config.data_dir, report);
    service::data(&config.data_dir, report);
    service::people(config, report);
    service::port(config, report);
    if is_offline {
        return;
    }
    // A client that refuses its settings says which.
    if let Err(refused) = connect::targets(config, report) {
        report.problem("configuration", refused.to_string());
    }
}
