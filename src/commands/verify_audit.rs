//! `platewatch verify-audit`: whether the audit log is as it was written. It works beside the process that writes it, and on a copy.

use std::io::{IsTerminal as _, Write};

use access::trail::{Checked, Entry, Head};
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use traffic::TimeZoneName;

use super::books::Place;
use super::failure::{Differences, Usage};
use crate::gate::{Broken, Trail};
use crate::plain;

/// Arguments of `verify-audit`.
#[derive(Debug, Args)]
pub struct VerifyAuditArgs {
    #[command(flatten)]
    place: Place,
    /// An entry that was noted elsewhere, such as in the log of the process (`head=…`); may be given several times
    #[arg(long = "head", value_name = "N:HASH", value_parser = head)]
    heads: Vec<Head>,
}

fn head(text: &str) -> Result<Head, String> {
    Head::parse(text).ok_or_else(|| "a number, a colon and 64 hexadecimal digits".to_owned())
}

/// Verifies, and prints what was found.
///
/// # Errors
/// [`Differences`] (exit code 1) if the log is not as it was written; else a sentence for the user.
pub fn run(args: &VerifyAuditArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (folder, zone) = args.place.find()?;
    let bar = bar()?;
    let verified = Trail::below(&folder, zone.clone()).verify(args.heads.iter().copied(), &mut |read, all| {
        bar.set_length(all);
        bar.set_position(read);
    })?;
    bar.finish_and_clear();
    for day in &verified.days {
        writeln!(out, "{}  {} entries, head {}", day.file, HumanCount(day.entries), day.head)?;
    }
    match verified.result {
        Ok(Checked { first: Some(first), last: Some(last), entries, erased }) => {
            writeln!(out, "first {}\nlast  {}", said(&first, &zone), said(&last, &zone))?;
            if erased > 0 {
                writeln!(out, "the details of {} entries were erased", HumanCount(erased))?;
            }
            Ok(writeln!(out, "OK {} entries", HumanCount(entries))?)
        }
        Ok(_) => Err(Usage(format!("{} holds no audit log", folder.display())).into()),
        Err(Broken { file, line, what }) => {
            writeln!(out, "BROKEN {file} line {line}: {}", plain::line(&what))?;
            Err(Differences(
                "the audit log is not as it was written: keep a copy, and see deploy/RUNBOOK.md".to_owned(),
            )
            .into())
        }
    }
}

/// An entry in a few words.
fn said(entry: &Entry, zone: &TimeZoneName) -> String {
    let at = zone.civil(entry.t.div_euclid(1000)).map(|time| time.to_string()).unwrap_or_default();
    let user = entry.user.as_deref().map(|user| format!(" by {user}")).unwrap_or_default();
    plain::line(&format!("{} at {at}: {}{user}", entry.n, entry.action)).into_owned()
}

fn bar() -> anyhow::Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("verifying {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style))
}
