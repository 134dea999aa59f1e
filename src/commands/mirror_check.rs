//! `platewatch verify-mirror` and `platewatch repair-mirror`: whether MySQL has what the data directory has, and sending
//! again what it lacks. Both may run while the appliance does.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use traffic::{CivilTime, TimeZoneName};

use super::failure::{Differences, Usage};
use super::settings::retention_seconds;
use crate::audit::{Audit, Difference, Range, Report, Stranger};
use crate::clock::civil_now;
use crate::config::{Config, parse_duration};
use crate::plain;

/// Arguments of both commands.
#[derive(Debug, Args)]
pub struct MirrorArgs {
    /// The configuration that names the data directory and MySQL
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The first time to compare, as in `2024-01-01 00:00:00` [default: as far as both sides keep passages]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The last time to compare [default: all]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How long to wait for hours that passages still come into
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    wait: Duration,
}

/// Most lines of one kind that are printed.
const MAX_LINES: usize = 100;

/// Compares, and prints what differs.
///
/// # Errors
/// [`Differences`] (exit code 1) if there are any; else a sentence for the user.
pub fn verify(args: &MirrorArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (audit, range, runtime) = prepare(args)?;
    let report = runtime.block_on(audit.compare(&range, args.wait))?;
    print(&audit, &report, out)?;
    fail_on_difference(&report)
}

/// The least that a count over all rows of an instance may take.
const COUNT_TIMEOUT: Duration = Duration::from_secs(600);

/// MyCat shows a row only a moment after it was written.
const SETTLE: Duration = Duration::from_secs(1);

/// Compares, sends again what differs, and compares once more.
///
/// # Errors
/// [`Differences`] (exit code 1) if there still are any; else a sentence for the user.
pub fn repair(args: &MirrorArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (audit, range, runtime) = prepare(args)?;
    let before = runtime.block_on(audit.compare(&range, args.wait))?;
    print(&audit, &before, out)?;
    if before.differences.is_empty() {
        return Ok(());
    }
    let repaired = runtime
        .block_on(audit.repair(&before.differences))
        .context("the repair is not complete, run it again; nothing is sent twice")?;
    writeln!(out, "{} passages sent again", repaired.rows)?;
    for Stranger { group, id } in repaired.strangers.iter().take(MAX_LINES) {
        let (hour, _) = group.span();
        let text = format!("only in MySQL: {id} ({hour}, {}) on {}", group.kkmc, audit.address(group.server));
        writeln!(out, "{}", plain::line(&text))?;
    }
    if !repaired.strangers.is_empty() {
        writeln!(
            out,
            "{} passages are in MySQL alone; Platewatch may not delete there: look at them and delete them as root",
            repaired.strangers.len()
        )?;
    }
    std::thread::sleep(SETTLE);
    let after = runtime.block_on(audit.compare(&range, args.wait))?;
    print(&audit, &after, out)?;
    fail_on_difference(&after)
}

fn prepare(args: &MirrorArgs) -> anyhow::Result<(Audit, Range, tokio::runtime::Runtime)> {
    let mut config = Config::load(&args.config)?;
    // Counting a table takes longer than writing into it, and nothing waits for it.
    config.mycat.statement_timeout = config.mycat.statement_timeout.max(COUNT_TIMEOUT);
    let audit = Audit::of(&config)
        .ok_or_else(|| Usage(format!("{} names no MySQL to compare with: set mycat.urls", args.config.display())))?;
    let zone = &config.source.timezone;
    let range = Range {
        since: args.since.as_deref().map(|text| time("--since", text, zone, 0)).transpose()?,
        until: args.until.as_deref().map(|text| time("--until", text, zone, 86_399)).transpose()?,
        retention: retention_seconds(config.store.retention),
        now: civil_now(zone),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Ok((audit, range, runtime.context("cannot start threads")?))
}

/// A time; a date alone is `of_date` seconds after its midnight.
fn time(option: &str, text: &str, zone: &TimeZoneName, of_date: i64) -> Result<CivilTime, Usage> {
    let date_only = !text.contains(':');
    CivilTime::parse(text.as_bytes(), zone)
        .map(|time| if date_only { CivilTime(time.0 + of_date) } else { time })
        .ok_or_else(|| {
            Usage(format!("{option} must be a time such as \"2024-01-31 08:30:00\" or a date, not {text:?}"))
        })
}

fn print(audit: &Audit, report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let Some((since, until)) = report.range else {
        return writeln!(out, "the data directory holds no passages: there is nothing to compare");
    };
    writeln!(out, "compared from {since} to {until}")?;
    writeln!(
        out,
        "the same: {} passages in {} groups (hour and checkpoint)",
        report.same_passages, report.same_groups
    )?;
    if report.moving.0 > 0 {
        let (groups, passages) = report.moving;
        writeln!(out, "still being written, not compared: {passages} passages in {groups} groups")?;
    }
    for difference in report.differences.iter().take(MAX_LINES) {
        writeln!(out, "{}", plain::line(&line(audit, difference)))?;
    }
    let more = report.differences.len().saturating_sub(MAX_LINES);
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    Ok(())
}

fn line(audit: &Audit, difference: &Difference) -> String {
    let Difference { group, local, mysql, waiting } = difference;
    let what = if *waiting > 0 {
        format!("{waiting} wait for their mirror")
    } else if local.passages != mysql.passages {
        let (more, less) = (local.passages.max(mysql.passages), local.passages.min(mysql.passages));
        format!(
            "{} {}",
            more - less,
            if local.passages > mysql.passages { "missing in MySQL" } else { "too many in MySQL" }
        )
    } else if local.ids != mysql.ids {
        "other passages".to_owned()
    } else {
        "other contents".to_owned()
    };
    let (hour, _) = group.span();
    format!(
        "differs: {hour} {} on {}: {} here, {} in MySQL: {what}",
        group.kkmc,
        audit.address(group.server),
        local.passages,
        mysql.passages
    )
}

fn fail_on_difference(report: &Report) -> anyhow::Result<()> {
    match report.differences.len() {
        0 => Ok(()),
        count => Err(Differences(format!(
            "{count} groups differ: see whether the mirror is away (/api/status); repair-mirror sends them again"
        ))
        .into()),
    }
}
