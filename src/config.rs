//! The configuration: every setting with its type, default, documentation and check, declared once.
//!
//! What a user writes is TOML; an environment variable `PLATEWATCH__SECTION__KEY` overrides it; everything is checked
//! before anything starts, and what is wrong is named by setting and line ([`ConfigError`]). The declarations below are
//! also the reference: [`Config::to_toml_with_docs`] and [`reference_markdown`] print them. This module opens no
//! socket and no data directory, and does not know what the settings do.

mod checks;
mod contradictions;
mod declare;
mod error;
mod load;
mod properties;
mod reference;
mod server;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod values;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use traffic::{Column, Delimiter, DetectorSettings, Layout, LayoutError, PlateScope, TimeZoneName};

use checks::{
    at_least_an_hour, column_names, data_nodes, filled, host_ports, mysql_urls, named_origins, origins, redis_url,
    topic_name, whole_seconds, within,
};
use declare::{Check as _, choices, settings};
use error::{Origin, Problem};
use load::Loader;

pub use error::ConfigError;
pub use load::VARIABLE_PREFIX;
pub use properties::Properties;
pub use reference::reference_markdown;
pub use server::{Secret, ServerUrl};
pub use units::{ByteSize, Retention, SpeedWindow, duration_text, parse_duration, parse_retention, parse_size};

settings! {
    /// Platewatch: real-time expressway monitoring and cloned-plate early warning in one binary.
    pub struct Config {
        /// Which parts of the appliance this process runs: intake, storage, mirrors and API.
        role: Role = Role::All;
        /// The directory that holds the database. It is made if it is missing; one process at a time may use it.
        data_dir: PathBuf = "platewatch-data".into();
    }
    sections {
        source: SourceConfig;
        kafka: KafkaConfig;
        detect: DetectConfig;
        store: StoreConfig;
        mycat: MycatConfig;
        redis: RedisConfig;
        api: ApiConfig;
        predict: PredictConfig;
    }
}

choices! {
    /// Which parts of the appliance this process runs.
    pub enum Role {
        /// Everything in one process.
        All = "all",
        /// Intake, storage and mirrors; of the API only how it is (`/api/status`, `/healthz`, `/readyz`, `/metrics`).
        Ingest = "ingest",
        /// The API and the web page, answered from `[mycat]` and `[redis]`: no intake, no storage, no data directory.
        Api = "api",
    }
}

settings! {
    /// Where passage records come from and how their lines are read.
    pub struct SourceConfig {
        /// The kind of source. `"none"` takes nothing in and only serves what is stored.
        kind: SourceKind = SourceKind::None;
        /// Capture files to read, in this order; for `kind = "capture"`. Plain, `.gz` or `.zst`; `"-"` is standard input,
        /// whose lines count as they come, such as those of `tail -F`.
        files: Vec<PathBuf> = Vec::new();
        /// Read captures in the order of arrival, or sorted by passage time over all files.
        order: Order = Order::Arrival;
        /// Character encoding of the records.
        encoding: TextEncoding = TextEncoding::Utf8;
        /// What separates the columns. `"auto"` lets each file decide: it is the first of TAB, comma, semicolon and `|` that
        /// splits a line into as many fields as there are columns.
        delimiter: ColumnDelimiter = ColumnDelimiter::Auto;
        /// The columns of a record in their order: the eight that are known, and any others (such as `"SFZRKMC"`), which
        /// are read but not stored. A header that names all eight sets their order for its file, unless another order than
        /// the default is written here: then a header that contradicts it is refused.
        columns: Vec<String> = Column::ALL.map(|column| column.as_str().to_owned()).to_vec(), |names: &Vec<String>| column_names(names);
        /// The column whose value decides the shard: one whose values repeat, or one of the others. MyCat must be
        /// configured with the same one.
        shard_key: String = Column::Kkmc.as_str().to_owned();
        /// The time zone of the road. A passage time with an offset is converted to it; one without is taken as it is.
        timezone: TimeZoneName = TimeZoneName::default();
        /// Records per second of simulated live traffic; for `kind = "simulator"`.
        rate: f64 = 50.0, within(0.001, 20_000.0);
        /// Seed of the simulator: the same seed makes the same traffic.
        seed: u64 = 1;
        /// How many checkpoints the simulated network has: 0 for the 19 real ones of Xuzhou, or 2 to 10,000 invented ones.
        sites: usize = 0, |sites: &usize| if *sites == 0 { Ok(()) } else { within(2, 10_000).check(sites) };
        /// The largest number of records in one commit.
        batch_records: usize = 131_072, within(1, 4_194_304);
        /// The longest that a live record waits for others before it is committed.
        batch_interval: Duration = Duration::from_millis(200), within(Duration::from_millis(1), Duration::from_secs(60));
    }
}

impl SourceConfig {
    /// The columns and the shard key as the line parser takes them.
    ///
    /// # Errors
    /// The shard key is not one of the columns, or not fit to be it; never after loading, which checks it.
    pub fn layout(&self) -> Result<Layout, LayoutError> {
        Layout::parse(&self.columns.join(","))?.with_shard_key(&self.shard_key)
    }
}

choices! {
    /// The kind of source.
    pub enum SourceKind {
        /// No intake.
        None = "none",
        /// Files that were recorded earlier.
        Capture = "capture",
        /// Simulated traffic.
        Simulator = "simulator",
        /// A topic of Apache Kafka, see `[kafka]`.
        Kafka = "kafka",
    }
}

choices! {
    /// The order in which captures are read.
    pub enum Order {
        /// As the lines stand in the files.
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
        /// GB18030, and so GBK and GB2312 too.
        Gb18030 = "gb18030",
    }
}

choices! {
    /// What separates the columns of a record.
    pub enum ColumnDelimiter {
        /// Decided by the first line that one of them splits into as many fields as there are columns.
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
    /// The delimiter as the line parser takes it: none to let the lines decide.
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

settings! {
    /// The Kafka topic to consume; for `source.kind = "kafka"`. One data directory follows one topic.
    pub struct KafkaConfig {
        /// Brokers to begin with, as `host:port` with commas between. The others are learnt from them.
        brokers: String = "127.0.0.1:9092".to_owned(), |brokers: &String| host_ports(brokers);
        /// The topic. The value of a message is one passage record (or several lines, each one); its key should be HPHM,
        /// so that all passages of a plate come in one partition.
        topic: String = "traffic-raw".to_owned(), |topic: &String| topic_name(topic);
        /// The consumer group. The data directory, not the group, says what was consumed; the group's committed offsets
        /// only follow.
        group: String = "platewatch".to_owned(), |group: &String| filled(group);
        /// Where to begin a topic of which neither this data directory nor the group knows a position. A partition that comes to a
        /// known topic later is read from its oldest record, whatever stands here.
        start: KafkaStart = KafkaStart::Earliest;
        /// Any other property of librdkafka, such as `"security.protocol" = "SASL_SSL"`. With `"group.instance.id"` (another
        /// for every appliance) a restart takes its partitions back at once, instead of after the session timeout.
        properties: Properties = Properties::default(), |properties: &Properties| properties.check();
    }
}

choices! {
    /// Where to begin a topic of which no position is known.
    pub enum KafkaStart {
        /// At the oldest record that the topic holds.
        Earliest = "earliest",
        /// Behind the newest record.
        Latest = "latest",
    }
}

settings! {
    /// The cloned-plate rules. All times are event time, in whole seconds, at most 7 days.
    pub struct DetectConfig {
        /// Two sightings of one plate at different checkpoints less than this apart are an alert.
        window: Duration = Duration::from_secs(300), whole_seconds;
        /// How long a plate's sightings are kept; at least `window` and `speed_window`. A record that is older than the
        /// watermark (the newest time that three checkpoints have reached) by more than `state_ttl` less `window` is late:
        /// stored and counted, but not compared.
        state_ttl: Duration = Duration::from_secs(600), whole_seconds;
        /// Which plates are compared: those that are complete (ordinary, new energy and special), or also masked and
        /// irregular readings, as the original job did.
        plates: ComparedPlates = ComparedPlates::Valid;
        /// The speed in km/h above which one car cannot have made both sightings; decides the severity of an alert and
        /// the rule `speed`, which go by the speed that must at least have been driven. It needs the coordinates of both
        /// checkpoints.
        max_speed_kmh: f64 = 160.0, within(1.0, 2_000.0);
        /// How far apart two sightings may be for the rule `speed`; at most `state_ttl`.
        speed_window: SpeedWindow = SpeedWindow::SameAsWindow, |window: &SpeedWindow| match window {
            SpeedWindow::SameAsWindow => Ok(()),
            SpeedWindow::Of(duration) => whole_seconds(duration),
        };
    }
}

impl DetectConfig {
    /// How far apart two sightings may be for the rule `speed`.
    pub fn speed_window(&self) -> Duration {
        match self.speed_window {
            SpeedWindow::SameAsWindow => self.window,
            SpeedWindow::Of(duration) => duration,
        }
    }

    /// These settings as the detector takes them.
    pub fn detector_settings(&self) -> DetectorSettings {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        DetectorSettings {
            window: seconds(self.window),
            state_ttl: seconds(self.state_ttl),
            speed_window: seconds(self.speed_window()),
            max_speed_kmh: self.max_speed_kmh,
            plates: match self.plates {
                ComparedPlates::Valid => PlateScope::Valid,
                ComparedPlates::Any => PlateScope::Any,
            },
        }
    }
}

choices! {
    /// Which plates are compared.
    pub enum ComparedPlates {
        /// Plates of class ordinary, new_energy or special.
        Valid = "valid",
        /// Masked and irregular readings too.
        Any = "any",
    }
}

settings! {
    /// The embedded database.
    pub struct StoreConfig {
        /// How long passages are kept, in event time. Whole segments are dropped, so a little more is kept. A data directory
        /// remembers its retention: the default changes nothing in one that holds data, a longer time takes effect at once,
        /// and a shorter one that is written here is announced first, see `retention_grace`.
        retention: Retention = Retention::Unwritten(Duration::from_secs(3 * 86_400)), at_least_an_hour;
        /// How long alerts are kept, in event time.
        alerts_retention: Retention = Retention::Unwritten(Duration::from_secs(90 * 86_400)), at_least_an_hour;
        /// How long rejected lines are kept, by the event time around them. The counts by reason stay.
        rejects_retention: Retention = Retention::Unwritten(Duration::from_secs(3 * 86_400)), at_least_an_hour;
        /// How long a shorter retention is announced before it drops anything, by the clock, over restarts too. The log,
        /// `/api/status` and the system page say what is going to be dropped. `"0s"` drops with the next commit.
        retention_grace: Duration = Duration::from_secs(86_400), within(Duration::ZERO, Duration::from_secs(365 * 86_400));
        /// How much rejected lines may take. Above it the oldest are dropped, and the log says so; the counts by reason stay.
        rejects_size: ByteSize = ByteSize::mib(1 << 10), within(ByteSize::mib(1), ByteSize(1 << 50));
        /// How much the data directory may take while passages that are older than `retention` wait for a mirror that has not
        /// taken them yet. Above it the oldest are dropped all the same, and the log, `/api/status` and `/metrics` say so.
        mirror_hold: ByteSize = ByteSize::mib(32 << 10), within(ByteSize::mib(16), ByteSize(1 << 50));
        /// Memory for storage: half for the database's block cache and write buffers, half for decoded columns that queries
        /// read again.
        memory: ByteSize = ByteSize::mib(512), within(ByteSize::mib(32), ByteSize(1 << 46));
        /// Memory in which alerts are searched, about 33 bytes each; it comes on top of `memory`. The oldest that do not fit
        /// are read from the disk by every search.
        alert_index: ByteSize = ByteSize::mib(64), within(ByteSize::mib(1), ByteSize(1 << 40));
        /// When the write-ahead log is synced to disk: with each commit, so that a power cut loses nothing that was
        /// committed, or when the operating system likes. A killed process loses nothing either way.
        sync: Sync = Sync::Commit;
        /// The largest number of distinct values in one column of repeated texts (checkpoints, districts, directions,
        /// plate types, models); their texts together may have 64 MiB for checkpoints and for models, 16 MiB for the others. A
        /// record with one more is rejected.
        max_names: usize = 1_000_000, within(1_000, 2_000_000);
    }
}

choices! {
    /// When the write-ahead log is synced to disk.
    pub enum Sync {
        /// With each commit.
        Commit = "commit",
        /// When the operating system likes.
        Off = "off",
    }
}

settings! {
    /// The mirror of passages in MySQL (table `traffic_data`): through MyCat, or to its two MySQL instances directly.
    pub struct MycatConfig {
        /// Where passages are mirrored to: MyCat alone (`["mysql://host:8066/MYETCDB"]`), or the two instances in the order of
        /// MyCat's dataNodes (`["mysql://host:3306/traffic_db", "mysql://host:3307/traffic_db"]`), to which Platewatch routes
        /// as MyCat would. `[]` is no mirror.
        urls: Vec<ServerUrl> = Vec::new(), |urls: &Vec<ServerUrl>| mysql_urls(urls);
        /// MyCat's names of the two instances: what `dataNode` of the table `traffic_data` says in its schema.xml, in that order.
        /// Through them each instance is asked whether it is there, since MyCat answers with half of the data while one is not.
        data_nodes: Vec<String> = vec!["dn1".to_owned(), "dn2".to_owned()], |names: &Vec<String>| data_nodes(names);
        /// The user, where an URL names none.
        user: String = String::new();
        /// The user's password, where an URL has none. Better in the environment than in the file.
        password: Secret = Secret::default();
        /// Whether connections are encrypted, and the server's certificate verified. MyCat 1.6 speaks no TLS.
        tls: MysqlTls = MysqlTls::Off;
        /// A file of certificates (PEM) that may sign the server's; `""` trusts the public authorities. For `tls = "verify"`.
        tls_ca: Option<PathBuf> = None;
        /// The largest number of passages in one statement. A statement that would grow over 900 KB has fewer.
        batch_rows: usize = 500, within(1, 10_000);
        /// The most connections that are open to one address at a time.
        pool_size: usize = 4, within(1, 64);
        /// The longest that connecting may take, the login included.
        connect_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest that a statement may take before its connection is given up.
        statement_timeout: Duration = Duration::from_secs(30), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// The longest pause between two attempts while a target is away. There is no limit to their number.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How often the target is asked for a few of the rows that it has taken, besides on connecting. If it lacks any (it was
        /// restarted empty, or from a backup), it is filled again from there on.
        check_interval: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(86_400));
        /// How long the instances keep passages before their own clean-up event (`auto_clean_traffic`) deletes them, by the
        /// clock. Rows that are older are not missed there.
        retention: Retention = Retention::For(Duration::from_secs(3 * 86_400)), at_least_an_hour;
    }
}

choices! {
    /// Whether connections to MySQL are encrypted.
    pub enum MysqlTls {
        /// Not encrypted.
        Off = "off",
        /// Encrypted; a certificate that does not verify is refused.
        Verify = "verify",
    }
}

settings! {
    /// The mirror of the newest alerts in a list of Redis.
    pub struct RedisConfig {
        /// The server: `"redis://host:6379"`, with TLS `"rediss://host:6379"`, another database `"redis://host:6379/1"`. `""` is no
        /// mirror.
        url: Option<ServerUrl> = None, |url: &Option<ServerUrl>| redis_url(url.as_ref());
        /// The user, where the URL names none; `""` is Redis' default user.
        user: String = String::new();
        /// The password, where the URL has none; `""` is none. Better in the environment than in the file.
        password: Secret = Secret::default();
        /// A file of certificates (PEM) that may sign the server's; `""` trusts those that this machine trusts. For `rediss://`.
        tls_ca: Option<PathBuf> = None;
        /// The key of the list.
        key: String = "traffic:warnings".to_owned(), |key: &String| filled(key);
        /// How many alerts the list keeps.
        max_length: usize = 10_000, within(1, 1_000_000);
        /// The longest that connecting may take, the login included.
        connect_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest that an answer may take before the connection is given up.
        response_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest pause between two attempts while the server is away. There is no limit to their number.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How often the list is looked at while no alert comes, to refill it after it was emptied.
        check_interval: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(3_600));
    }
}

settings! {
    /// The HTTP API and the web page.
    pub struct ApiConfig {
        /// The address to listen on. Port 0 takes any free port.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 5000));
        /// Origins whose pages may read `/api/*` in a browser; `["*"]` is any. Credentials are never allowed.
        cors_origins: Vec<String> = vec!["*".to_owned()], |list: &Vec<String>| origins(list);
        /// Origins whose pages may also change something (the work on alerts). Platewatch's own page always may; a page of any
        /// other origin is answered with status 403.
        allowed_origins: Vec<String> = Vec::new(), |list: &Vec<String>| named_origins(list);
        /// Addresses of reverse proxies, such as `["127.0.0.1"]`. Their connections are not limited by address, and of whom
        /// they say in `X-Forwarded-For` that it asks, the limits by address hold instead.
        proxies: Vec<IpAddr> = Vec::new();
        /// How many connections may be open at the same time. For a new one the oldest idle one is closed; where none is idle,
        /// only `/healthz` and `/readyz` are answered on a new one. The limit of open files (`ulimit -n`) may allow fewer.
        max_connections: usize = 1_024, within(16, 65_536);
        /// How many of them one address may have (of IPv6, one network of 64 bits), this machine's own too.
        max_connections_per_address: usize = 512, within(1, 65_536);
        /// The longest that a client may take for a request's head.
        header_timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest that a connection stays open on which nothing is asked.
        idle_timeout: Duration = Duration::from_secs(75), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How many queries may read the database at the same time; more wait.
        max_concurrent_queries: usize = 16, within(1, 1_024);
        /// The longest that a query may take, waiting included, before it is answered with status 503.
        query_timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(600));
        /// How long statistics that were counted in MySQL are given again, with `role = "api"`. Older ones are counted anew beside
        /// the requests, which get them meanwhile for up to four times as long. A count takes some seconds per million passages,
        /// so this should be several times longer. `"0s"` counts for every request.
        statistics_cache: Duration = Duration::from_secs(30), within(Duration::ZERO, Duration::from_secs(600));
        /// How many clients may follow the alert stream at the same time. For one more the stream that has been open longest
        /// ends, of the address that has the most; its client reconnects and misses nothing.
        sse_max_clients: usize = 256, within(0, 65_536);
        /// How many of them one address may have; for one more its own oldest stream ends.
        sse_max_clients_per_address: usize = 64, within(1, 65_536);
        /// The longest result of a query that may be exported to one file, in rows. A longer one is refused, with its count.
        export_max_rows: usize = 1_000_000, within(1, 1_000_000_000);
        /// How many files may be made at the same time. Eight times as many may be on their way to clients, half of them to one
        /// address; more are answered with status 503, unless one of those reads slowly: that one is broken off.
        max_concurrent_exports: usize = 2, within(1, 256);
        /// The longest that an export may take, the client's reading included, before it is broken off.
        export_timeout: Duration = Duration::from_secs(600), within(Duration::from_secs(1), Duration::from_secs(86_400));
        /// The largest body of a request.
        max_body: ByteSize = ByteSize::kib(64), within(ByteSize::kib(1), ByteSize::mib(64));
    }
}

settings! {
    /// Prediction of the flow, see docs/prediction.md.
    pub struct PredictConfig {
        /// The folder of the model: `model.bin` and `metadata.json`. A model that is trained or copied there is served
        /// within seconds, without a restart.
        model_dir: PathBuf = "traffic_flow_model".into();
        /// The model to serve: the better one of the test in training, or always the same.
        kind: ServedModel = ServedModel::Auto;
        /// Whether this process trains: from its own hourly counts, or never.
        train: TrainFrom = TrainFrom::Counters;
        /// How often it trains. It also does when it has no model, and when its history has grown by a quarter.
        retrain_every: Duration = Duration::from_secs(6 * 3600), within(Duration::from_secs(1), Duration::from_secs(365 * 86_400));
        /// How many hours with traffic it needs before it trains a model by itself.
        min_hours: usize = 12, within(1, 8_784);
        /// How long hourly counts are kept for training, in event time: longer than passages, which fill the disk.
        history: Duration = Duration::from_secs(400 * 86_400), within(Duration::from_secs(86_400), Duration::from_secs(3_660 * 86_400));
        /// The share of counts that the interval around a prediction is to hold.
        interval: f64 = 0.8, within(0.5, 0.99);
        /// Tables of holidays, CSV with the columns `date` and `kind` (`holiday` or `workday`), read before each training.
        holidays: Vec<PathBuf> = Vec::new();
    }
}

choices! {
    /// Which flow model is served.
    pub enum ServedModel {
        /// The better one.
        Auto = "auto",
        /// The rhythm of each checkpoint by hour of the week.
        Seasonal = "seasonal",
        /// Spark's line over index, hour and weekend.
        SparkLinear = "spark-linear",
    }
}

choices! {
    /// What a flow model is trained from while the appliance runs.
    pub enum TrainFrom {
        /// The appliance's own hourly counts.
        Counters = "counters",
        /// Nothing: models come from `platewatch train`, or are copied.
        Off = "off",
    }
}

impl Config {
    /// Reads the file at `path` and the environment of this process.
    ///
    /// # Errors
    /// The file cannot be read, or what it and the environment say cannot be used.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |message: String| ConfigError {
            file: None,
            problems: vec![Problem { origin: Origin::Default, setting: String::new(), message }],
        };
        let bytes = std::fs::read(path)
            .map_err(|error| unreadable(format!("cannot read the configuration file {}: {error}", path.display())))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            unreadable(format!("the configuration file {} is not UTF-8 text; save it as UTF-8", path.display()))
        })?;
        let environment = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        Self::from_toml(&text, environment).map_err(|error| ConfigError { file: Some(path.to_owned()), ..error })
    }

    /// Reads a TOML text and the variables of an environment, those not ours among them.
    ///
    /// # Errors
    /// What they say cannot be used; every problem is named.
    pub fn from_toml(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut loader = Loader::new(&mut config);
        loader.read_toml(text.strip_prefix('\u{feff}').unwrap_or(text));
        loader.read_environment(environment);
        let (origins, mut problems) = loader.finish();
        // Settings are compared with one another only when each of them is sound.
        if problems.is_empty() {
            problems = config.contradictions(|setting| origins.get(setting).cloned().unwrap_or(Origin::Default));
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { file: None, problems }) }
    }
}
