//! `platewatch simulate`: writes simulated traffic to a file, standard output or a Kafka topic, and the truth about it
//! beside it.
//!
//! With `--count` it writes as fast as it can; without, it keeps pace with the clock. This is the place that reads the
//! clock: the simulator has none.

mod files;
#[cfg(test)]
mod tests;
mod truth_folder;

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use traffic::{CivilTime, TimeZoneName};

use super::failure::Usage;
use super::ship::BrokerArgs;
use crate::clock::unix_now;
use crate::producer::{LineWriter, ProducerSettings};
use crate::source::simulator::{Roads, Simulator, SimulatorSettings};
use files::{create, write_checkpoints};
use truth_folder::TruthFolder;

/// Write simulated traffic: vehicles on a network of checkpoints, with planted clones.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("amount").required(true).multiple(true).args(["count", "rate"]))]
pub struct SimulateArgs {
    /// Write this many lines, as fast as possible, and stop.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,

    /// Lines per second, as the mean over a week: nights are quiet, rush hours busy. Alone, it writes in real time until
    /// stopped; with --count it only sets how dense the traffic is.
    #[arg(long, value_name = "R", value_parser = parse_rate)]
    pub rate: Option<f64>,

    /// Seed; the same seed and options give the same bytes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,

    /// Time on the road at the beginning, as in `2024-01-01 00:00:00` [default: 2024-01-01 with --count, else now]
    #[arg(long, value_name = "T", value_parser = parse_start)]
    pub start: Option<CivilTime>,

    /// Checkpoints of the network: up to 19 the real ones of Xuzhou, more an invented network [default: the real ones].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=SimulatorSettings::MAX_SITES as i64))]
    pub sites: Option<u16>,

    /// `ideal`: every clock is right and roads are alike. `real`: wrong clocks, misreads, batches, winding roads,
    /// congestion, clones and twins that drive all day.
    #[arg(long, value_name = "ROADS", default_value = "ideal", value_parser = PossibleValuesParser::new(["ideal", "real"]).map(|word| roads(&word)))]
    pub roads: Roads,

    /// Plant one clone in this many lines; 0 for none. With --roads real, a fortieth as many plates are cloned a day, and
    /// for good.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = parse_clone_every)]
    pub clone_every: u64,

    /// Only clean lines, in the order of their times: no unreadable plates, misreads, double reads, repetitions, lateness
    /// or wrong clocks.
    #[arg(long)]
    pub clean: bool,

    /// Write the full name of a checkpoint as KKMC instead of its code.
    #[arg(long)]
    pub full_names: bool,

    /// Where the lines go; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,

    /// Also write each pair of lines with one plate on two vehicles to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,

    /// With --roads real, also write the whole truth to this folder: who passed when, and how cameras, roads and plates are.
    #[arg(long, value_name = "DIR")]
    pub truth_dir: Option<PathBuf>,

    /// Also write the checkpoints of the network to this file, as `replay --checkpoints` takes them.
    #[arg(long, value_name = "CSV")]
    pub checkpoints_out: Option<PathBuf>,

    /// Send the lines to these Kafka brokers instead, keyed by HPHM.
    #[arg(long, value_name = "HOST:PORT,…", conflicts_with = "out")]
    pub brokers: Option<String>,

    /// The topic that they go to.
    #[arg(long, value_name = "TOPIC", default_value = "traffic-raw", requires = "brokers")]
    pub topic: String,

    /// How the brokers are reached.
    #[command(flatten)]
    pub kafka: BrokerArgs,
}

/// Bytes of lines to gather before they are written.
const BUFFER: usize = 256 << 10;
/// In real time, lines are written at least this often.
const PULSE: Duration = Duration::from_millis(20);

/// Runs the command. A reader that closes standard output ends it quietly.
///
/// # Errors
/// [`clap::Error`] where two options name one file or exclude one another (bad usage); a file that cannot be created or
/// written.
pub fn run(args: &SimulateArgs) -> Result<()> {
    refuse_same_file(args)?;
    if args.truth_dir.is_some() && args.roads == Roads::Ideal {
        return conflict(
            "--truth-dir needs --roads real: on ideal roads there is no more truth than that of --truth".to_owned(),
        );
    }
    let settings = SimulatorSettings {
        seed: args.seed,
        start: args
            .start
            .unwrap_or_else(|| if args.count.is_some() { SimulatorSettings::DEFAULT_START } else { now() }),
        sites: args.sites.map_or(0, usize::from),
        roads: args.roads,
        rate: args.rate.unwrap_or(0.0),
        clone_rate: if args.clone_every == 0 { 0.0 } else { 1.0 / args.clone_every as f64 },
        full_names: args.full_names,
        truth: args.truth.is_some(),
        passage_truth: args.truth_dir.is_some(),
        ..SimulatorSettings::default()
    };
    let mut simulator = Simulator::new(if args.clean { settings.clean() } else { settings })?;
    if let Some(path) = &args.checkpoints_out {
        write_checkpoints(simulator.checkpoints(), path)?;
    }
    let mut output = Output::create(args, &mut simulator)?;
    let written = match args.count {
        Some(count) => write_count(&mut simulator, count, &mut output),
        None => write_in_real_time(&mut simulator, &mut output),
    };
    output.progress.finish_and_clear();
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other,
    }
}

fn write_count(simulator: &mut Simulator, count: u64, output: &mut Output) -> Result<()> {
    for _ in 0..count {
        simulator.next_passage(&mut output.lines);
        output.gathered += 1;
        if output.lines.len() >= BUFFER {
            output.flush(simulator)?;
        }
    }
    output.flush(simulator)?;
    output.finish()
}

/// Writes each line when it is due, counted from now; only returns with an error.
fn write_in_real_time(simulator: &mut Simulator, output: &mut Output) -> Result<()> {
    let began = Instant::now();
    let first = simulator.next_due();
    loop {
        let due = Duration::from_millis((simulator.next_due() - first).max(0) as u64);
        let elapsed = began.elapsed();
        if due <= elapsed && output.lines.len() < BUFFER {
            simulator.next_passage(&mut output.lines);
            output.gathered += 1;
            continue;
        }
        output.flush(simulator)?;
        if due > elapsed {
            std::thread::sleep((due - elapsed).max(PULSE));
        }
    }
}

/// Where lines and truth go.
struct Output {
    lines: Vec<u8>,
    /// Lines in `lines`.
    gathered: u64,
    writer: Box<dyn Sink>,
    name: String,
    truth: Option<(BufWriter<File>, PathBuf)>,
    truth_folder: Option<TruthFolder>,
    progress: ProgressBar,
}

impl Output {
    fn create(args: &SimulateArgs, simulator: &mut Simulator) -> Result<Self> {
        // First, so that the lines can be written into the same folder.
        let truth_folder = args.truth_dir.as_ref().map(|dir| TruthFolder::create(dir, simulator)).transpose()?;
        let to_stdout = args.brokers.is_none() && args.out.as_os_str() == "-";
        let (writer, name): (Box<dyn Sink>, _) = if let Some(brokers) = &args.brokers {
            let (brokers, topic, properties) = (brokers.clone(), args.topic.clone(), args.kafka.properties()?);
            let name = format!("the topic {topic} at {brokers}");
            let writer = LineWriter::new(&ProducerSettings { brokers, topic, properties });
            (Box::new(writer.map_err(|error| Usage(error.to_string()))?), name)
        } else if to_stdout {
            (Box::new(io::stdout().lock()), "standard output".to_owned())
        } else {
            (Box::new(create(&args.out)?), args.out.display().to_string())
        };
        let truth = match &args.truth {
            Some(path) => Some((BufWriter::new(create(path)?), path.clone())),
            None => None,
        };
        let progress = match args.count {
            Some(count) if !to_stdout && io::stderr().is_terminal() => progress_bar(count),
            _ => ProgressBar::hidden(),
        };
        Ok(Self { lines: Vec::with_capacity(BUFFER + 1024), gathered: 0, writer, name, truth, truth_folder, progress })
    }

    /// Writes whole lines only, so that interrupted output ends with a whole line.
    fn flush(&mut self, simulator: &mut Simulator) -> Result<()> {
        let written = self.writer.write_all(&self.lines).and_then(|()| self.writer.flush());
        written.with_context(|| format!("cannot write to {}", self.name))?;
        self.lines.clear();
        self.progress.inc(std::mem::take(&mut self.gathered));
        if let Some((truth, path)) = &mut self.truth {
            let name = || format!("cannot write to {}", path.display());
            for pair in simulator.take_truth() {
                serde_json::to_writer(&mut *truth, &pair).with_context(name)?;
                truth.write_all(b"\n").with_context(name)?;
            }
            truth.flush().with_context(name)?;
        }
        if let Some(folder) = &mut self.truth_folder {
            folder.append(simulator)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if let Some((truth, path)) = &mut self.truth {
            truth.flush().with_context(|| format!("cannot write to {}", path.display()))?;
        }
        self.writer.arrive().with_context(|| format!("cannot write to {}", self.name))
    }
}

/// Where lines go.
trait Sink: Write {
    /// Returns when what was written has arrived.
    fn arrive(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Sink for File {}
impl Sink for io::StdoutLock<'_> {}

impl Sink for LineWriter {
    fn arrive(&mut self) -> io::Result<()> {
        self.wait()
    }
}

fn progress_bar(count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count);
    let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
        let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} lines  {rate}/s  {eta} left") {
        bar.set_style(style.with_key("rate", rate));
    }
    bar
}

fn refuse_same_file(args: &SimulateArgs) -> Result<()> {
    let others = [("--truth", &args.truth), ("--checkpoints-out", &args.checkpoints_out)];
    for (option, path) in others {
        if path.as_ref() == Some(&args.out) {
            return conflict(format!(
                "{option} and --out both name {}: give each a file of its own",
                args.out.display()
            ));
        }
    }
    let in_folder = |path: &Path| {
        let parent = path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
        parent.is_some_and(|parent| args.truth_dir.as_deref() == Some(parent))
            && path.file_name().is_some_and(|name| truth_folder::FILES.iter().any(|file| name == *file))
    };
    if let Some(path) = [Some(&args.out), args.truth.as_ref()].into_iter().flatten().find(|path| in_folder(path)) {
        return conflict(format!("--truth-dir writes {} too: give it another name", path.display()));
    }
    if args.truth.is_some() && args.truth == args.checkpoints_out {
        return conflict("--truth and --checkpoints-out name the same file: give each a file of its own".to_owned());
    }
    Ok(())
}

/// Bad usage, as clap's error type.
fn conflict(message: String) -> Result<()> {
    Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, message + "\n").into())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

/// The current civil time on the road.
fn now() -> CivilTime {
    TimeZoneName::default().civil(unix_now()).unwrap_or(SimulatorSettings::DEFAULT_START)
}

fn roads(word: &str) -> Roads {
    if word == "real" { Roads::Real } else { Roads::Ideal }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= SimulatorSettings::MAX_RATE => Ok(rate),
        _ => Err(format!("give lines per second, above 0 and at most {}", SimulatorSettings::MAX_RATE)),
    }
}

fn parse_clone_every(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(every) if every == 0 || every >= 100 => Ok(every),
        _ => Err("give a number of lines, at least 100, or 0 for no clones".to_owned()),
    }
}

fn parse_start(text: &str) -> Result<CivilTime, String> {
    CivilTime::parse(text.trim().as_bytes(), &TimeZoneName::default())
        .filter(|time| *time >= CivilTime::MIN)
        .ok_or_else(|| "give a date and time from 2000 on, as in `2024-01-01 00:00:00`".to_owned())
}
