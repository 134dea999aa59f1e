//! `platewatch export`: every passage of a data directory as CSV on standard output, in the order of arrival.
//!
//! What `replay` makes of it is the same traffic: the columns are those of the contract, and a time is as exact as it was
//! read. A replay into a directory with another number of shards is how that number is changed. It takes no lock, so that
//! an appliance may go on writing; what comes after the beginning is not in it. It does not know rejects or alerts: a
//! replay raises the alerts again.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use traffic::{CivilTime, Column, Resolution};

use super::plate_key::cipher_in;
use super::progress::passages_bar;
use crate::reader::PassageRow;
use crate::store::Frozen;

const CANNOT_WRITE: &str = "cannot write the passages";

/// Arguments of `platewatch export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// The file of the plate key: plates are written in the place of their pseudonyms
    #[arg(long, value_name = "FILE")]
    plate_key: Option<PathBuf>,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Writes all passages to `out`.
///
/// # Errors
/// The directory cannot be read, or the output cannot be written.
pub fn run(args: &ExportArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let cipher = cipher_in(args.plate_key.as_deref())?;
    let frozen = Frozen::open(&args.data_dir)?;
    if frozen.has_pseudonyms(cipher.as_deref())? && cipher.is_none() {
        // A replay with a key would take them for odd readings, and hide them again.
        tracing::warn!("this data directory holds pseudonyms, and so does the export: --plate-key FILE writes plates");
    }
    let bar = passages_bar(frozen.rows(), args.quiet)?.with_message("exporting");
    let mut writer = csv::Writer::from_writer(BufWriter::with_capacity(1 << 18, out));
    write(&mut writer, &PassageRow::COLUMNS.map(Column::as_str))?;
    frozen.each_arrival(|mut row, resolution| {
        if let Some(plate) = cipher.as_ref().and_then(|cipher| cipher.reveal(&row.hphm)) {
            row.hphm = plate;
        }
        bar.inc(1);
        write(&mut writer, &row.texts(&time_text(row.gcsj, resolution)))
    })?;
    bar.finish_and_clear();
    writer.flush().context(CANNOT_WRITE)
}

/// Writes a line. An error of the output stays one, so that a reader that has enough, such as `head`, is recognised.
fn write<W: Write>(writer: &mut csv::Writer<W>, fields: &[&str]) -> anyhow::Result<()> {
    let written = writer.write_record(fields).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => std::io::Error::other(format!("{kind:?}")),
    });
    written.context(CANNOT_WRITE)
}

/// A time as exact as it was read.
pub(super) fn time_text(time: CivilTime, resolution: Resolution) -> String {
    let mut text = time.to_string();
    text.truncate(match resolution {
        Resolution::Second => text.len(),
        Resolution::Minute => "2024-01-01 00:00".len(),
        Resolution::Day => "2024-01-01".len(),
    });
    text
}
