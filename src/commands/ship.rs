//! `platewatch ship FILE --brokers B`: a growing log into a Kafka topic, keyed by HPHM, across rotation and restarts.
//!
//! Every line that is not blank is sent unchanged, header lines too. The guarantee: **each line is in the topic at
//! least once, and the lines of one plate in the order of the log**. The position in the state file moves only over lines
//! that Kafka has acknowledged, so a kill or a power cut repeats the lines of the last moment and loses none; a stop by
//! signal repeats none, and neither does a broker that goes away. The appliance drops repeats by their GCXH.
//!
//! [`tail`] knows the log but not Kafka, [`crate::producer`] Kafka but not the log; this joins them.

mod brokers;
mod display;
mod mark;
mod place;
mod rotation;
mod state;
mod tail;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use tokio_util::sync::CancellationToken;
use traffic::{Delimiter, Layout};

use super::capture_args::{EncodingArg, parse_delimiter};
use super::failure::Usage;
use super::signals::cancel_at_signal;
use crate::producer::{KeyedProducer, NotSent, PlateKey, ProducerSettings, Ticket};
pub use brokers::BrokerArgs;
use display::Display;
use place::Place;
use state::StateFile;
use tail::{MAX_LINE, Next, Tail};

/// Arguments of `ship`.
#[derive(Debug, Args)]
pub struct ShipArgs {
    /// The log; it may not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Kafka's brokers, as in kafka-1:9092,kafka-2:9092
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: String,
    /// The topic
    #[arg(long, value_name = "TOPIC", default_value = "traffic-raw")]
    topic: String,
    /// Where the position is kept [default: FILE.ship, beside the log]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Stop when everything that is there is in the topic
    #[arg(long)]
    once: bool,
    /// Character encoding of the log; Kafka gets UTF-8
    #[arg(long, value_enum, default_value_t = EncodingArg::Utf8, ignore_case = true)]
    encoding: EncodingArg,
    /// What separates the columns; each line decides unless given
    #[arg(long, value_parser = parse_delimiter)]
    delimiter: Option<Delimiter>,
    /// The columns of a line in their order, separated by commas; unknown names are extra columns
    #[arg(long, value_name = "A,B,…")]
    columns: Option<String>,
    #[command(flatten)]
    kafka: BrokerArgs,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// Time between two checks of a log that does not grow: at first, and after a while.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often the position is saved while lines flow.
const SAVE: Duration = Duration::from_millis(200);
/// How long a stop by signal waits for what is on the way.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// Time before a new producer replaces one that failed: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Delivery reports are taken after this many lines.
const LINES_PER_POLL: usize = 256;

/// Ships the log until it is stopped, or with `--once` to its end.
///
/// # Errors
/// [`Usage`] for what cannot be done as asked; a log that cannot be read, a state file that cannot be written.
pub fn run(args: &ShipArgs) -> anyhow::Result<()> {
    let settings = ProducerSettings {
        brokers: args.brokers.clone(),
        topic: args.topic.clone(),
        properties: args.kafka.properties()?,
    };
    let layout = args.columns.as_deref().map(Layout::parse).transpose()?.unwrap_or_default();
    if args.file.is_dir() {
        return Err(Usage(format!("{} is a folder: name a log in it", args.file.display())).into());
    }
    let producer = KeyedProducer::new(&settings).map_err(|error| Usage(error.to_string()))?;
    let state = args.state.clone().unwrap_or_else(|| beside(&args.file));
    // Between two rotations a log may be missing; one that never existed is a typing error.
    if args.once && !state.exists() && !args.file.exists() {
        return Err(Usage(format!("{} is not there", args.file.display())).into());
    }
    let state = StateFile::open(&state, &args.topic)?;
    let stop = CancellationToken::new();
    cancel_at_signal(stop.clone())?;
    let mut shipper = Shipper {
        tail: Tail::new(&args.file, args.once, state.saved()),
        key: PlateKey::new(&layout, args.delimiter),
        gb18030: args.encoding == EncodingArg::Gb18030,
        acknowledged: None,
        way: VecDeque::new(),
        shown: Display::new(&args.brokers, &args.file, args.once, args.quiet),
        delivered_before: 0,
        saved_at: None,
        retry: RETRY.0,
        settings,
        producer,
        state,
        stop,
    };
    let result = shipper.ship();
    shipper.shown.finish(shipper.delivered());
    result
}

fn beside(log: &std::path::Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".ship");
    PathBuf::from(name)
}

fn without_line_ending(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

struct Shipper {
    tail: Tail,
    key: PlateKey,
    gb18030: bool,
    settings: ProducerSettings,
    producer: KeyedProducer,
    state: StateFile,
    stop: CancellationToken,
    /// Everything before it is in the topic; none until there is a log.
    acknowledged: Option<Place>,
    /// Runs of lines on their way, in the order of the log, each with the place after it.
    way: VecDeque<(Arc<Ticket>, Place)>,
    shown: Display,
    /// Lines that earlier producers delivered.
    delivered_before: u64,
    saved_at: Option<Instant>,
    retry: Duration,
}

impl Shipper {
    fn ship(&mut self) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        let mut look = LOOK.0;
        while !self.stop.is_cancelled() {
            if self.producer.failure().is_some() {
                self.start_over()?;
                continue;
            }
            self.attend(Duration::ZERO)?;
            if self.acknowledged.is_none() {
                self.acknowledged = self.tail.place().context("cannot read the log")?;
                self.save()?;
            }
            let next = self.tail.next(&mut buffer).context("cannot read the log")?;
            self.tell_notices();
            match next {
                Next::Lines(place) => {
                    look = LOOK.0;
                    let ticket = Ticket::open();
                    if let Some(left) = self.send_lines(&buffer, &ticket)? {
                        ticket.close();
                        self.way.push_back((ticket, place.before(left)));
                    }
                }
                Next::Idle => {
                    self.attend(look)?;
                    look = (look * 3 / 2).min(LOOK.1);
                }
                Next::End if self.way.is_empty() => break,
                Next::End => self.attend(LOOK.0)?,
            }
        }
        let deadline = Instant::now() + LAST_WORDS;
        while !self.way.is_empty() && self.producer.failure().is_none() && Instant::now() < deadline {
            self.attend(LOOK.0)?;
        }
        self.save()?;
        if !self.way.is_empty() {
            let left = self.producer.on_the_way();
            self.shown
                .say(&format!("stopped while Kafka has not acknowledged {left} lines: they are sent again next time"));
        }
        Ok(())
    }

    /// Sends lines and returns how many bytes are left, which is 0 except after a stop; none if the producer failed and
    /// was replaced.
    fn send_lines(&mut self, lines: &[u8], ticket: &Arc<Ticket>) -> anyhow::Result<Option<usize>> {
        let mut left = lines.len();
        for (number, line) in lines.split_inclusive(|&byte| byte == b'\n').enumerate() {
            if number % LINES_PER_POLL == LINES_PER_POLL - 1 {
                self.producer.poll(Duration::ZERO);
            }
            let text = without_line_ending(line);
            if !text.trim_ascii().is_empty() && !self.send_line(text, ticket)? {
                return Ok(self.producer.failure().is_none().then_some(left));
            }
            left -= line.len();
        }
        Ok(Some(0))
    }

    /// False if it was not sent: because of a stop, or a producer that failed.
    fn send_line(&mut self, line: &[u8], ticket: &Arc<Ticket>) -> anyhow::Result<bool> {
        let line = self.decoded(line);
        let line = line.get(..MAX_LINE).unwrap_or(&line);
        let key = self.key.of(line);
        loop {
            match self.producer.send(line, key.as_deref().map(str::as_bytes), ticket) {
                Ok(()) => return Ok(true),
                Err(NotSent::Full) => self.attend(Duration::from_millis(5))?,
                Err(NotSent::Refused(reason)) => self.producer.fail(reason),
            }
            if self.stop.is_cancelled() || self.producer.failure().is_some() {
                return Ok(false);
            }
        }
    }

    /// The line as UTF-8, where the log has another encoding; one that cannot be decoded stays as it is.
    fn decoded<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        if self.gb18030
            && let Some(text) = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(line)
        {
            return match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            };
        }
        Cow::Borrowed(line)
    }

    /// Takes delivery reports for `time`, moves the position over what they acknowledge, and shows the progress.
    fn attend(&mut self, time: Duration) -> anyhow::Result<()> {
        self.producer.poll(time);
        while self.way.front().is_some_and(|(ticket, _)| ticket.is_done()) {
            self.acknowledged = self.way.pop_front().map(|(_, place)| place);
            self.retry = RETRY.0;
        }
        if self.saved_at.is_none_or(|at| at.elapsed() >= SAVE) {
            self.save()?;
        }
        let delivered = self.delivered();
        self.shown.update(delivered, self.producer.on_the_way(), || self.tail.progress(), &self.producer);
        Ok(())
    }

    fn delivered(&self) -> u64 {
        self.delivered_before + self.producer.delivered()
    }

    fn save(&mut self) -> anyhow::Result<()> {
        let Some(place) = &self.acknowledged else { return Ok(()) };
        self.saved_at = Some(Instant::now());
        self.state.save(&place.position())
    }

    /// Goes back to what is acknowledged, with a new producer: Kafka did not take a line that must not be left out.
    fn start_over(&mut self) -> anyhow::Result<()> {
        let failure = self.producer.failure().unwrap_or_default();
        self.shown.say(&format!("{failure}; trying again in {} s", self.retry.as_secs()));
        let until = Instant::now() + self.retry;
        while Instant::now() < until && !self.stop.is_cancelled() {
            std::thread::sleep(LOOK.0);
        }
        self.retry = (self.retry * 2).min(RETRY.1);
        self.delivered_before = self.delivered();
        self.producer = KeyedProducer::new(&self.settings)?;
        self.way.clear();
        match &self.acknowledged {
            Some(place) => self.tail.go_back(place.clone()),
            None => self.tail = self.tail.anew(self.state.saved()),
        }
        Ok(())
    }

    fn tell_notices(&mut self) {
        for notice in self.tail.take_notices() {
            self.shown.say(&notice);
        }
    }
}
