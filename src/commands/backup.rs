//! `platewatch backup`: a copy of a whole data directory as of one moment, also beside the appliance that has it open.

use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use access::trail::{Action, Details, Draft, Via};
use clap::Args;
use indicatif::{HumanBytes, HumanCount};

use super::books::{Place, uid};
use super::failure::{Differences, Usage};
use super::progress::bytes_bar;
use crate::backup::{BackupError, Order, take};
use crate::clock::{unix_millis, unix_now};
use crate::gate::Trail;

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The backup: a folder that does not exist yet, or is empty
    #[arg(value_name = "FOLDER")]
    target: PathBuf,
    #[command(flatten)]
    place: Place,
    /// An earlier backup on the same disk: what has not changed becomes hard links to it
    #[arg(long, value_name = "BACKUP")]
    from: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Takes a backup.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &BackupArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (data_dir, zone) = args.place.find()?;
    let model = args.place.model_folder()?;
    if !data_dir.join(storage::DATABASE).is_dir() {
        return Err(Usage(format!("{} is no data directory", data_dir.display())).into());
    }
    let owner = std::fs::metadata(&data_dir).ok().map(|about| u64::from(about.uid()));
    if let (Some(owner), Some(own)) = (owner, uid())
        && owner != own
    {
        // What it writes there the account of the service could not read.
        return Err(Usage(format!(
            "{} belongs to the account with the number {owner}, and this is {own}: run it as that account, such as sudo -u platewatch platewatch backup …",
            data_dir.display()
        ))
        .into());
    }
    let trail = Trail::below(&data_dir, zone);
    // It is a copy of all plates, so that it is begun is on record first.
    let details = Details::default().with("folder", args.target.display().to_string()).with_any("uid", uid());
    trail.append(Draft { details: Some(details), ..Draft::new(Action::Backup, Via::Command) }, unix_millis())?;
    trail.sync()?;
    let bar = bytes_bar("backing up", args.quiet)?;
    let order = Order {
        data_dir: &data_dir,
        trail: &trail,
        model: model.as_deref(),
        target: &args.target,
        previous: args.from.as_deref(),
        now: unix_now(),
    };
    let manifest = take(&order, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .map_err(failure)?;
    bar.finish_and_clear();
    let passages = manifest.passages.map(|count| format!(", {} passages", HumanCount(count))).unwrap_or_default();
    let newest = manifest.newest.as_ref().map(|time| format!(" to {time}")).unwrap_or_default();
    let (count, bytes) = (manifest.files.len(), HumanBytes(manifest.bytes()));
    Ok(writeln!(out, "OK {}: {count} files, {bytes}{passages}{newest}", args.target.display())?)
}

/// With its exit code: 1 for a backup that is damaged, 2 for what other arguments would help.
pub(super) fn failure(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Damaged { .. } | BackupError::Manifest { .. } | BackupError::Unfinished(_) => {
            Differences(error.to_string()).into()
        }
        BackupError::NotEmpty(_)
        | BackupError::Inside(_)
        | BackupError::Newer { .. }
        | BackupError::Name(_)
        | BackupError::Link(_) => Usage(error.to_string()).into(),
        error => error.into(),
    }
}
