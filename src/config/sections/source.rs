//! `[source]`: where passage records come from and how their lines are read.

use std::path::PathBuf;
use std::time::Duration;

use traffic::{Column, Delimiter, Layout, LayoutError, TimeZoneName};

use crate::config::checks::{column_names, within};
use crate::config::declare::{Check as _, choices, settings};

settings! {
    /// Where passage records come from and how their lines are read.
    pub struct SourceConfig {
        /// The kind of source. `"none"` reads nothing and only serves what is stored.
        kind: SourceKind = SourceKind::None;
        /// Capture files to read, in this order; for `kind = "capture"`. Plain, `.gz` or `.zst`; `"-"` is standard input,
        /// read as it arrives, such as the output of `tail -F`.
        files: Vec<PathBuf> = Vec::new();
        /// Whether captures are read in the order of arrival, or sorted by passage time over all files.
        order: Order = Order::Arrival;
        /// Character encoding of the records.
        encoding: TextEncoding = TextEncoding::Utf8;
        /// The separator of the columns. With `"auto"` each file decides: it is the first of TAB, comma, semicolon and `|` that
        /// splits a line into as many fields as there are columns.
        delimiter: ColumnDelimiter = ColumnDelimiter::Auto;
        /// The columns of a record in order: the eight known ones, and any others (such as `"SFZRKMC"`), which
        /// are read but not stored. A header that names all eight sets their order for its file, unless another order than
        /// the default is written here: then a header that contradicts it is refused.
        columns: Vec<String> = Column::ALL.map(|column| column.as_str().to_owned()).to_vec(), |names: &Vec<String>| column_names(names);
        /// The column whose value decides the shard: one with repeating values, or an extra column. MyCat must be
        /// configured with the same column.
        shard_key: String = Column::Kkmc.as_str().to_owned();
        /// The time zone of the road. A passage time with an offset is converted to it; one without is used as it is.
        timezone: TimeZoneName = TimeZoneName::default();
        /// A file that says how events of plate readers become records, for `POST /api/ingest/{name}` and `[mqtt]`, beside those that are known
        /// (`plate-recognizer`, `rekor`, `frigate`); `""` is none. See docs/ingest.md.
        events: Option<PathBuf> = None;
        /// Records per second of simulated live traffic; for `kind = "simulator"`.
        rate: f64 = 50.0, within(0.001, 20_000.0);
        /// Seed of the simulator: the same seed gives the same traffic.
        seed: u64 = 1;
        /// Checkpoints of the simulated network: 0 for the 19 real ones of Xuzhou, or 2 to 10,000 generated ones.
        sites: usize = 0, |sites: &usize| if *sites == 0 { Ok(()) } else { within(2, 10_000).check(sites) };
        /// What roads and cameras of the simulator are like.
        roads: SimulatedRoads = SimulatedRoads::Ideal;
        /// Maximum number of records in one commit.
        batch_records: usize = 131_072, within(1, 4_194_304);
        /// Maximum time that a live record waits for others before it is committed.
        batch_interval: Duration = Duration::from_millis(200), within(Duration::from_millis(1), Duration::from_secs(60));
    }
}

impl SourceConfig {
    /// The columns and the shard key, for the line parser.
    ///
    /// # Errors
    /// The shard key is not one of the columns, or not suitable; never after loading, which checks it.
    pub fn layout(&self) -> Result<Layout, LayoutError> {
        Layout::parse(&self.columns.join(","))?.with_shard_key(&self.shard_key)
    }
}

choices! {
    /// The kind of source.
    pub enum SourceKind {
        /// No intake.
        None = "none",
        /// Recorded files.
        Capture = "capture",
        /// Simulated traffic.
        Simulator = "simulator",
        /// A topic of Apache Kafka, see `[kafka]`.
        Kafka = "kafka",
        /// What is sent to `POST /api/ingest`.
        Http = "http",
    }
}

choices! {
    /// What simulated roads and cameras are like.
    pub enum SimulatedRoads {
        /// Every clock is right and every road alike; a clone passes two checkpoints or so.
        Ideal = "ideal",
        /// Wrong clocks, misreads and batches; roads that wind and fill up; clones and lawful twins that drive all day; levels
        /// of traffic that change over the weeks.
        Real = "real",
    }
}

choices! {
    /// The order in which captures are read.
    pub enum Order {
        /// The order of the lines in the files.
        Arrival = "arrival",
        /// By GCSJ, stable, over all files.
        Time = "time",
    }
}

choices! {
    /// The character encoding of records.
    pub enum TextEncoding {
        /// UTF-8, with or without a byte order mark.
        Utf8 = "utf-8",
        /// GB18030, which includes GBK and GB2312.
        Gb18030 = "gb18030",
    }
}

choices! {
    /// The separator of the columns of a record.
    pub enum ColumnDelimiter {
        /// Detected from the first line that one of them splits into as many fields as there are columns.
        Auto = "auto",
        /// A TAB.
        Tab = "tab",
        /// A comma, with CSV quoting.
        Comma = "comma",
        /// A semicolon, with CSV quoting.
        Semicolon = "semicolon",
        /// `|`, with CSV quoting.
        Pipe = "pipe",
    }
}

impl ColumnDelimiter {
    /// The delimiter for the line parser; none means that it is detected.
    pub fn fixed(self) -> Option<Delimiter> {
        match self {
            Self::Auto => None,
            Self::Tab => Some(Delimiter::Tab),
            Self::Comma => Some(Delimiter::Comma),
            Self::Semicolon => Some(Delimiter::Semicolon),
            Self::Pipe => Some(Delimiter::Pipe),
        }
    }
}
