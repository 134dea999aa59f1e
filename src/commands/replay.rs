//! `platewatch replay FILE... --out DIR`: captures through the whole pipeline, offline, as one partition.
//!
//! With `--data-dir` an interrupted replay resumes where its last commit ended; the files it writes are made from the
//! store at the end, so that interruptions do not change them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use shard::ShardCount;
use tokio_util::sync::CancellationToken;
use traffic::Layout;

use super::capture_args::CaptureArgs;
use super::data_dir::{DataDir, StoreArgs};
use super::failure::Usage;
use super::import_checkpoints::read_catalogue;
use super::outcome::{Outcome, write_outcome};
use super::plate_key::cipher_in;
use super::progress::Progress;
use super::settings::{default_config, retention_seconds, rule_options, store_settings};
use super::signals::cancel_at_signal;
use crate::config::{ByteSize, ComparedPlates, Config, Retention, Sync, parse_retention, parse_size};
use crate::pipeline::{self, PipelineError, Router};
use crate::plain;
use crate::source::Source;
use crate::source::capture::{self, Capture, CaptureProgress, CaptureSettings};
use crate::store::{Keep, Store, StoreSettings};

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Captures in this order: plain, .gz, .zst or Parquet; a folder stands for the Parquet files in it; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where alerts.jsonl, cases.jsonl, rejects.jsonl and summary.json are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Keep the data here, and continue an interrupted replay; else a temporary folder is used and removed
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    capture: CaptureArgs,
    /// The column that decides the shard [default: KKMC]
    #[arg(long, value_name = "COLUMN")]
    shard_key: Option<String>,
    /// Number of local shards, from 1 to 64 [default: as many as the data directory has, 2 in a new one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    shards: Option<u8>,
    /// Which plates are compared: complete ones, or any
    #[arg(long, value_name = "PLATES", value_enum, default_value_t = PlatesArg::Valid)]
    detect_plates: PlatesArg,
    /// Keep only this much event time, such as 3d; everything is kept unless given
    #[arg(long, value_name = "TIME", value_parser = parse_retention)]
    retention: Option<Retention>,
    /// Memory for database, caches and sorting together
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<ByteSize>,
    /// Lines of one commit at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4_194_304))]
    batch_records: Option<u64>,
    /// Do not compact in the background
    #[arg(long, hide = true)]
    no_compaction: bool,
    /// Keep pseudonyms in the place of plates, made with the plate key in this file; the output has them as well
    #[arg(long, value_name = "FILE")]
    plate_key: Option<PathBuf>,
    /// Show no progress and no summary
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlatesArg {
    Valid,
    Any,
}

/// Replays the captures.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let config = configuration(args)?;
    let layout = layout(args, &config)?;
    let catalogue = args.capture.checkpoints().map(|csv| read_catalogue(csv).map(|read| (read, csv))).transpose()?;
    // Before any folder is made: a wrong file name must leave nothing behind.
    let files = capture::listed(&args.files)?;
    for file in &files {
        capture::FileMark::of(file)?;
    }
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Usage(format!("cannot make the output folder {}: {error}", args.out.display())))?;
    let folder = DataDir::new(args.data_dir.as_deref(), &args.out)?;
    let plates = cipher_in(config.privacy.plate_key_file.as_deref())?;
    let mut store = Store::open(folder.path(), StoreSettings { plates, ..settings(args, &config) })?;
    store.intake_key()?;
    if let Some((catalogue, csv)) = catalogue {
        store.set_catalogue(catalogue, &csv.display().to_string())?;
    }

    let reading = Arc::new(CaptureProgress::default());
    let position = store.position(capture::NAME)?;
    let resumed = position.is_some();
    let mut source = Capture::open(
        CaptureSettings {
            files: files.clone(),
            gb18030: args.capture.is_gb18030(),
            by_time: args.capture.by_time(),
            parser: args.capture.parser_settings(&config, layout.clone()),
            options: rule_options(&config),
            batch_records: config.source.batch_records as u64,
            batch_interval: config.source.batch_interval,
            sort_memory: config.store.memory.bytes() / 4,
            spill_folder: args.out.clone(),
        },
        store.names(),
        position.as_deref(),
        reading.clone(),
    )?;
    let mut router = Router::new(layout.shard_key(), store.shards())?;

    let stop = CancellationToken::new();
    cancel_at_signal(stop.clone())?;
    let progress = Progress::start("replaying", reading.clone(), args.quiet);
    if resumed && !args.quiet {
        progress.say(&format!("continuing after line {}", store.totals().lines));
    }
    let before = store.totals().lines;
    tracing::debug!(source = source.describe(), "replay begins");
    let ended = pipeline::run(&mut store, &mut source, &mut router, &stop, |_, _| {});
    progress.finish();
    // What was read before a file failed is kept. Not when sorting by time: then records come only after all files were
    // read.
    let failed = match ended {
        Ok(()) => None,
        Err(PipelineError::Source(error)) if !args.capture.by_time() => Some(error),
        Err(error) => return Err(error.into()),
    };
    if stop.is_cancelled() {
        let lines = store.totals().lines;
        store.close()?;
        let advice = match &args.data_dir {
            Some(_) => "the same command continues there",
            None => "with --data-dir it could be continued",
        };
        anyhow::bail!("interrupted after line {lines}: {advice}");
    }
    let counts = store.checkpoint_counts();
    let totals = store.totals().clone();
    store.publish();
    let shared = store.shared();
    store.close()?;

    let outcome = Outcome::new(
        &totals,
        shared.view().case_count(),
        shared.progress().detection,
        counts,
        started.elapsed(),
        totals.lines - before,
    )
    .with_notes(reading.notes());
    write_outcome(&args.out, &shared.view(), &outcome)?;
    if !args.quiet {
        eprint!("{}", plain::lines(&outcome.text(&args.out)));
    }
    if let Some(error) = failed {
        anyhow::bail!("{error}; what came before is in {}", args.out.display());
    }
    for warning in outcome.warnings(args.capture.by_time(), &files) {
        eprintln!("platewatch: {}", plain::lines(&warning));
    }
    Ok(())
}

fn configuration(args: &ReplayArgs) -> anyhow::Result<Config> {
    let mut config = default_config()?;
    if let Some(lines) = args.batch_records {
        config.source.batch_records = usize::try_from(lines).unwrap_or(usize::MAX);
    }
    if let Some(memory) = args.memory {
        config.store.memory = memory;
    }
    if args.plate_key.is_some() {
        config.privacy.plate_key_file.clone_from(&args.plate_key);
    }
    if args.detect_plates == PlatesArg::Any {
        config.detect.plates = ComparedPlates::Any;
    }
    // The capture can be read again: a power cut costs time, not records.
    config.store.sync = Sync::Off;
    Ok(config)
}

fn layout(args: &ReplayArgs, config: &Config) -> anyhow::Result<Layout> {
    let layout = args.capture.layout(config)?;
    Ok(match &args.shard_key {
        Some(key) => layout.with_shard_key(key)?,
        None => layout,
    })
}

/// The number of shards that somebody asked for.
fn shards(args: &ReplayArgs, config: &Config) -> Option<ShardCount> {
    let configured = config.store.shards;
    let unusual = (configured != Config::default().store.shards).then_some(configured);
    args.shards.map(usize::from).or(unusual).and_then(ShardCount::new)
}

fn settings(args: &ReplayArgs, config: &Config) -> StoreSettings {
    StoreSettings {
        // Everything is kept unless this command line says otherwise, which is announcement enough.
        retention: Keep::written(args.retention.and_then(retention_seconds)),
        alerts_retention: Keep::written(None),
        rejects_retention: Keep::written(None),
        retention_grace: 0,
        rejects_size: None,
        shards: shards(args, config),
        compaction: !args.no_compaction,
        publish: false,
        ..store_settings(config, args.store)
    }
}
