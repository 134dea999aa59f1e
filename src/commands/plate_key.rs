//! `platewatch plate-key`: makes the key of the pseudonyms of plates, and says which key a file holds. Other commands get the key
//! here.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::failure::Usage;
use crate::config::Config;
use crate::pseudonyms::{KeyError, PlateCipher, PlateKey};

/// Arguments of `plate-key`.
#[derive(Debug, Args)]
pub struct PlateKeyArgs {
    #[command(subcommand)]
    command: PlateKeyCommand,
}

#[derive(Debug, Subcommand)]
enum PlateKeyCommand {
    /// Make a new random key in a new file that only you may read
    New {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Print the fingerprint of a key, which data directories remember
    Show {
        /// The file
        file: PathBuf,
    },
}

/// Makes or shows a key.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &PlateKeyArgs, out: &mut impl Write) -> anyhow::Result<()> {
    match &args.command {
        PlateKeyCommand::New { file } => {
            let cipher = cipher_of(PlateKey::make(file))?;
            writeln!(out, "made the plate key {} in {}", cipher.fingerprint(), file.display())?;
            writeln!(
                out,
                "Set privacy.plate_key_file to it before the first start with an empty data directory, let the account of the \
                 service own it, and keep a copy in another place: without the key no plate can be brought back"
            )?;
        }
        PlateKeyCommand::Show { file } => writeln!(out, "{}", cipher_of(PlateKey::read(file))?.fingerprint())?,
    }
    Ok(())
}

/// The key of a file; none without one.
///
/// # Errors
/// [`Usage`] if it cannot be used.
pub(super) fn cipher_in(file: Option<&Path>) -> anyhow::Result<Option<Arc<PlateCipher>>> {
    file.map(|file| cipher_of(PlateKey::read(file)).map(Arc::new)).transpose()
}

/// The key that is configured; none without one.
///
/// # Errors
/// As [`cipher_in`].
pub(super) fn configured_cipher(config: &Config) -> anyhow::Result<Option<Arc<PlateCipher>>> {
    cipher_in(config.privacy.plate_key_file.as_deref())
}

fn cipher_of(key: Result<PlateKey, KeyError>) -> anyhow::Result<PlateCipher> {
    let key = key.map_err(|error| Usage(error.to_string()))?;
    PlateCipher::new(&key)
        .ok_or_else(|| Usage("the plate key is refused by the cipher: make another".to_owned()).into())
}
