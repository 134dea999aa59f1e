//! `platewatch import-checkpoints CSV`: replaces the checkpoints that a data directory knows.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use traffic::Catalogue;

use super::failure::Usage;
use super::serve::store_settings;
use crate::config::Config;
use crate::store::Store;

/// Arguments of `import-checkpoints`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The checkpoints: columns code, kkmc, label, xzqhmc, road, lon, lat
    csv: PathBuf,
    /// The configuration that names the data directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory, instead of a configuration
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data_dir: Option<PathBuf>,
}

/// Imports the checkpoints.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &ImportArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let catalogue = read_catalogue(&args.csv)?;
    let mut config = match &args.config {
        Some(file) => Config::load(file)?,
        None => Config::default(),
    };
    if let Some(folder) = &args.data_dir {
        config.data_dir.clone_from(folder);
    }
    let count = catalogue.len();
    let mut store = Store::open(&config.data_dir, store_settings(&config))?;
    store.set_catalogue(catalogue)?;
    store.close()?;
    writeln!(out, "{count} checkpoints imported into {}", config.data_dir.display())?;
    Ok(())
}

/// Reads a file of checkpoints.
pub(super) fn read_catalogue(csv: &Path) -> anyhow::Result<Catalogue> {
    let text = std::fs::read_to_string(csv)
        .map_err(|error| Usage(format!("cannot read the checkpoints {}: {error}", csv.display())))?;
    Catalogue::parse_csv(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Usage(error.to_string()))
        .with_context(|| format!("the checkpoints in {}", csv.display()))
}
