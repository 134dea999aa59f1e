//! `platewatch train`: learns a flow model from a table or from a data directory's counters, tests it, and writes the
//! model folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::data_dir::StoreArgs;
use super::failure::Usage;
use super::models::StoreRegistry;
use super::settings::keeping_settings;
use crate::clock::{civil_now, unix_now};
use crate::config::Config;
use crate::plain;
use crate::predict::{
    self, BadRows, Grid, History, Kind, Origin, Pace, Registry as _, Table, TrainError, TrainSettings, read_holidays,
};
use crate::store::Store;

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("origin").required(true).args(["input", "data_dir"]))]
pub struct TrainArgs {
    /// A table of hourly counts: CSV with the columns KKMC, hour, is_weekend, traffic_count and perhaps date
    #[arg(long, value_name = "CSV")]
    input: Option<PathBuf>,
    /// A data directory, whose hourly counts are the table
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the model is written
    #[arg(long, value_name = "DIR", default_value = "traffic_flow_model")]
    model_dir: PathBuf,
    /// The model to serve, instead of the one that is better in the test
    #[arg(long, value_name = "KIND", value_enum)]
    kind: Option<KindArg>,
    /// Nominal coverage of the interval around a prediction
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = parse_interval)]
    interval: f64,
    /// A table of holidays: CSV with the columns date and kind (holiday or workday); may be given again
    #[arg(long, value_name = "CSV")]
    holidays: Vec<PathBuf>,
    /// Show no progress and no table
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindArg {
    Seasonal,
    SparkLinear,
    RecentWeeks,
    Blend,
}

fn parse_interval(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.5..=0.99).contains(share)).ok_or_else(|| "write 0.5 to 0.99".to_owned())
}

/// Trains, and writes the result to `out`.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &TrainArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let started = Instant::now();
    let settings = TrainSettings {
        interval: args.interval,
        pinned: args.kind.map(|kind| match kind {
            KindArg::Seasonal => Kind::Seasonal,
            KindArg::SparkLinear => Kind::SparkLinear,
            KindArg::RecentWeeks => Kind::RecentWeeks,
            KindArg::Blend => Kind::Blend,
        }),
        calendar: read_holidays(&args.holidays).map_err(Usage)?,
    };
    let bar = progress(args.quiet);
    let (grid, mut origin, bad, store) = match (&args.input, &args.data_dir) {
        (Some(file), _) => {
            let (grid, origin, bad) = from_table(file, &settings, &bar)?;
            (grid, origin, bad, None)
        }
        (None, Some(folder)) => {
            let (grid, origin, store) = from_counters(folder, &settings, args.store)?;
            (grid, origin, BadRows::default(), Some(store))
        }
        (None, None) => return Err(Usage("give --input or --data-dir".to_owned()).into()),
    };
    origin.rows = grid.observed() as u64;
    origin.rejected = bad.total;
    bar.finish_and_clear();
    tell_bad_rows(&bad, &origin.path);
    if grid.left_out() > 0 {
        eprintln!("platewatch: {} rows of days too old to fit into memory are left out", grid.left_out());
    }
    let work = progress(args.quiet);
    work.enable_steady_tick(Duration::from_millis(200));
    let trained = predict::train(&grid, &settings, &Pace::full(), &|step| work.set_message(step.to_owned()));
    work.finish_and_clear();
    let trained = trained.map_err(|error| match error {
        TrainError::Empty => anyhow::Error::from(Usage(format!("{}: {error}", origin.path))),
        other => other.into(),
    })?;
    let metadata = predict::save(&args.model_dir, &trained, origin, unix_now())?;
    if let Some(store) = store {
        StoreRegistry(store.shared()).remember(&metadata.version, &serde_json::to_value(&metadata)?);
        store.close()?;
    }
    if !args.quiet {
        match &metadata.evaluation {
            Some(evaluation) => write!(out, "{}", evaluation.table())?,
            None => writeln!(out, "{}", metadata.note.as_deref().unwrap_or_default())?,
        }
        writeln!(
            out,
            "{} from {} counts of {} checkpoints in {:.1} s: version {} in {}",
            metadata.kind.as_str(),
            metadata.trained_from.rows,
            metadata.checkpoints,
            started.elapsed().as_secs_f64(),
            metadata.version,
            args.model_dir.display()
        )?;
    }
    Ok(())
}

fn from_table(file: &Path, settings: &TrainSettings, bar: &ProgressBar) -> anyhow::Result<(Grid, Origin, BadRows)> {
    let named = |error: String| Usage(format!("{}: {error}", file.display()));
    let open = std::fs::File::open(file).map_err(|error| named(error.to_string()))?;
    if let Ok(metadata) = open.metadata() {
        bar.set_length(metadata.len());
    }
    let Table { rows, mut bad } = predict::read_table(open, |bytes| bar.set_position(bytes)).map_err(named)?;
    let (grid, repeated) = rows.finish(&settings.calendar);
    for line in repeated {
        bad.add(u64::from(line), "repeated", "the checkpoint has a row for this hour already".to_owned());
    }
    let origin = Origin { kind: "csv".to_owned(), path: file.display().to_string(), rows: 0, rejected: 0 };
    Ok((grid, origin, bad))
}

fn from_counters(folder: &Path, settings: &TrainSettings, args: StoreArgs) -> anyhow::Result<(Grid, Origin, Store)> {
    if !folder.is_dir() {
        return Err(Usage(format!("there is no data directory {}", folder.display())).into());
    }
    let config = Config::default();
    let store = Store::open(folder, keeping_settings(&config, args))?;
    store.publish();
    let keep = i64::try_from(config.predict.history.as_secs() / 3600).unwrap_or(i64::MAX);
    let (mut history, damaged) = History::open(folder, keep);
    for file in damaged {
        eprintln!("platewatch: hourly counts of a month are damaged and were set aside: {}", plain::line(&file));
    }
    let shared = store.shared();
    let view: Arc<_> = shared.view();
    history.take_whole_hours(&*view, civil_now(&config.source.timezone).hour())?;
    history.save().context("the history of hourly counts")?;
    let grid = history.grid(&shared.catalogue(), &settings.calendar);
    let origin = Origin { kind: "counters".to_owned(), path: folder.display().to_string(), rows: 0, rejected: 0 };
    Ok((grid, origin, store))
}

/// Reports which rows were refused, the first of them individually.
fn tell_bad_rows(bad: &BadRows, file: &str) {
    for (line, detail) in &bad.shown {
        eprintln!("platewatch: {file}, line {line}: {}", plain::line(detail));
    }
    if bad.total > 0 {
        let reasons: Vec<String> = bad.by_reason.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        eprintln!("platewatch: {} rows are refused ({})", bad.total, reasons.join(", "));
    }
}

fn progress(quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{msg:24} {spinner} {bytes} {elapsed}") {
        bar.set_style(style);
    }
    bar
}
