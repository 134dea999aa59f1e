//! `platewatch prove FILE... | --data-dir DIR`: the detection proved on recorded traffic of one's own, see
//! [`crate::prove`]. The traffic is read twice; nothing is written but the report, which stays in a data directory, too, where
//! the appliance serves it.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio_util::sync::CancellationToken;
use traffic::{Catalogue, Layout};

use super::capture_args::CaptureArgs;
use super::data_dir::DataDir;
use super::failure::Usage;
use super::import_checkpoints::read_catalogue;
use super::plate_key::cipher_in;
use super::recorded::Recorded;
use super::settings::{default_config, evidence_settings, parser_settings};
use super::signals::cancel_at_signal;
use crate::config::{ByteSize, Config, parse_size};
use crate::kept_proof;
use crate::prove::{Choice, Report, Settings, Tracks, Trial, choose};
use crate::pseudonyms::PlateCipher;
use crate::source::capture::{CaptureSettings, FileMark};
use crate::store::Frozen;

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Captures in this order: plain, .gz or .zst; they are read twice
    #[arg(required_unless_present = "data_dir", conflicts_with = "data_dir", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The passages of this data directory instead; an appliance may go on writing it, and shows the report on its page
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The file of the plate key, for a data directory with pseudonyms: which plates are alike is seen with it
    #[arg(long, value_name = "FILE", requires = "data_dir")]
    plate_key: Option<PathBuf>,
    /// How many pairs of tracks are merged
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pairs: u32,
    /// Decides which; the same seed, the same result
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Merge tracks of different brands too; usually who clones a plate takes that of a car like his own
    #[arg(long)]
    any_brand: bool,
    /// Write all numbers as JSON to this file; `-` prints them instead of the table
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
    #[command(flatten)]
    capture: CaptureArgs,
    /// Memory for sorting, with the rest in a temporary folder of the system: a quarter of this
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<ByteSize>,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Proves the detection, and writes the table to `out`.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &ProveArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut config = default_config()?;
    if let Some(memory) = args.memory {
        config.store.memory = memory;
    }
    let mut settings = settings(&config)?;
    let layout = args.capture.layout(&config)?;
    // Sorting spills into it.
    let spill = DataDir::new(None, &std::env::temp_dir())?;
    let recorded = recorded(args, &config, layout, &spill)?;
    let cipher = plate_key(args)?;
    if let Some(cipher) = &cipher {
        settings.evidence.neighbours = Some(cipher.clone());
    }
    let catalogue = catalogue(args)?;

    let stop = CancellationToken::new();
    cancel_at_signal(stop.clone())?;
    let mut report = prove(args, settings, &catalogue, &recorded, &stop)?;
    let plates = report.pairs.iter_mut().flat_map(|pair| [&mut pair.hphm, &mut pair.merged_hphm]);
    for (plate, cipher) in plates.zip(cipher.iter().cycle()) {
        if let Some(shown) = cipher.reveal(plate) {
            *plate = shown;
        }
    }
    write(args, &report, out)?;
    let Some(directory) = &args.data_dir else { return Ok(()) };
    // The appliance serves it.
    let failed = || format!("the report is not kept in {}, so /api/prove does not show it", directory.display());
    kept_proof::keep(directory, &report).with_context(failed)
}

/// The key of the data directory's pseudonyms; none where it holds plates.
fn plate_key(args: &ProveArgs) -> anyhow::Result<Option<Arc<PlateCipher>>> {
    let Some(directory) = &args.data_dir else { return Ok(None) };
    let cipher = cipher_in(args.plate_key.as_deref())?;
    if Frozen::open(directory)?.has_pseudonyms(cipher.as_deref())? && cipher.is_none() {
        let sentence = "this data directory has pseudonyms, and only with their key it is seen which plates are alike, which the \
                        detection needs: name the key's file (--plate-key)";
        return Err(Usage(sentence.to_owned()).into());
    }
    Ok(cipher)
}

/// The checkpoints that were named, else those of the data directory, else the built-in ones.
fn catalogue(args: &ProveArgs) -> anyhow::Result<Catalogue> {
    match (args.capture.checkpoints(), &args.data_dir) {
        (Some(file), _) => read_catalogue(file),
        (None, Some(directory)) => Ok(Frozen::open(directory)?.catalogue()?),
        (None, None) => Ok(Catalogue::xuzhou()),
    }
}

fn prove(
    args: &ProveArgs,
    settings: Settings,
    catalogue: &Catalogue,
    recorded: &Recorded,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    let interrupted = || anyhow::anyhow!("interrupted: nothing was written");
    let mut tracks = Tracks::new(settings.clone(), catalogue.clone());
    recorded.read("1 of 2", args.quiet, stop, |batch| tracks.take(batch))?;
    anyhow::ensure!(!stop.is_cancelled(), interrupted());
    let choice = Choice { seed: args.seed, pairs: args.pairs as usize, any_brand: args.any_brand };
    let pairs = choose(&tracks, choice).map_err(|error| Usage(error.to_string()))?;
    let mut trial = Trial::new(settings, catalogue.clone(), &pairs);
    recorded.read("2 of 2", args.quiet, stop, |batch| trial.take(batch))?;
    anyhow::ensure!(!stop.is_cancelled(), interrupted());
    Ok(Report::of(choice, &tracks, &trial))
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    let Some(evidence) = evidence_settings(config) else {
        return Err(Usage("detect.evidence is off: there is nothing to prove without it".to_owned()).into());
    };
    Ok(Settings { detector: config.detect.detector_settings(), evidence })
}

fn recorded(args: &ProveArgs, config: &Config, layout: Layout, spill: &DataDir) -> anyhow::Result<Recorded> {
    if let Some(directory) = &args.data_dir {
        if args.capture.says_how() {
            let sentence = "--order, --encoding, --delimiter and --columns are for files, not for a data directory";
            return Err(Usage(sentence.to_owned()).into());
        }
        let parser = parser_settings(config, Layout::default());
        return Ok(Recorded::Directory(directory.clone(), Box::new(parser)));
    }
    for file in &args.files {
        if FileMark::of(file)?.is_stream() {
            return Err(Usage(format!("{} cannot be read twice: name a file", file.display())).into());
        }
    }
    Ok(Recorded::Files(Box::new(CaptureSettings {
        files: args.files.clone(),
        gb18030: args.capture.is_gb18030(),
        by_time: args.capture.by_time(),
        parser: args.capture.parser_settings(config, layout),
        options: String::new(),
        batch_records: config.source.batch_records as u64,
        batch_interval: config.source.batch_interval,
        sort_memory: config.store.memory.bytes() / 4,
        spill_folder: spill.path().to_owned(),
    })))
}

fn write(args: &ProveArgs, report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    let to_standard_output = args.json.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(report)? + "\n";
        if to_standard_output {
            out.write_all(text.as_bytes())?;
        } else {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if !to_standard_output {
        write!(out, "{report}")?;
    }
    out.flush()?;
    Ok(())
}
