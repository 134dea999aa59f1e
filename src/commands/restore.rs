//! `platewatch restore`: a data directory as a backup holds it, in an empty folder; or only whether a backup is whole.

use std::io::Write;
use std::path::PathBuf;

use access::trail::{Action, Details, Draft, Via};
use clap::Args;
use indicatif::{HumanBytes, HumanCount};

use super::backup::failure;
use super::books::{Place, uid};
use super::progress::bytes_bar;
use crate::backup::{Manifest, check, restore};
use crate::clock::unix_millis;
use crate::gate::Trail;

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Also restore the flow model, if the backup has one, into this folder, which must be empty
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
    /// Only read the backup and say whether it is whole
    #[arg(long)]
    check: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Restores a backup, or checks one.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &RestoreArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let place = if args.check { None } else { Some(args.place.find()?) };
    let bar = bytes_bar("checking", args.quiet)?;
    let manifest = check(&args.backup, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .map_err(failure)?;
    bar.finish_and_clear();
    let Some((data_dir, zone)) = place else {
        return Ok(writeln!(out, "OK {}: {}", args.backup.display(), said(&manifest))?);
    };
    let bar = bytes_bar("restoring", args.quiet)?;
    restore(&args.backup, &manifest, &data_dir, args.model_dir.as_deref(), &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .map_err(failure)?;
    bar.finish_and_clear();
    let trail = Trail::below(&data_dir, zone);
    let details = Details::default()
        .with("folder", args.backup.display().to_string())
        .with("made_at", manifest.made_at.clone())
        .with_any("uid", uid());
    trail.append(Draft { details: Some(details), ..Draft::new(Action::Restore, Via::Command) }, unix_millis())?;
    trail.sync()?;
    writeln!(out, "OK {}: {}", data_dir.display(), said(&manifest))?;
    Ok(writeln!(
        out,
        "Users, tokens and work on alerts are as they were then: `platewatch user list` and `token list` show who may log in. \
         Everybody logs in again"
    )?)
}

fn said(manifest: &Manifest) -> String {
    let passages = manifest.passages.map(|count| format!(", {} passages", HumanCount(count))).unwrap_or_default();
    let newest = manifest.newest.as_ref().map(|time| format!(" to {time}")).unwrap_or_default();
    let Manifest { program, made_at, source, files, .. } = manifest;
    let (count, bytes) = (files.len(), HumanBytes(manifest.bytes()));
    format!("{count} files, {bytes}{passages}{newest}; of {source}, taken {made_at} by platewatch {program}")
}
