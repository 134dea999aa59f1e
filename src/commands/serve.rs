//! `platewatch serve` and what `demo` shares with it: store, pipeline and HTTP interface in one process, until it is
//! stopped.
//!
//! The first SIGINT or SIGTERM ends the source, lets the batch in hand commit and open requests finish, within a
//! deadline; a second one ends the process at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio_util::sync::CancellationToken;
use traffic::{Layout, ShardKey};

use super::data_dir::StoreArgs;
use super::failure::Usage;
use super::models::{StoreRegistry, service_settings};
use super::plate_key::configured_cipher;
use super::serve_api;
use super::serving::{
    Listening, Recording, connections, gate, predict_beside, revealing, serve_settings, serve_until, sign_on,
};
use super::settings::{parser_settings, rule_options, store_settings};
use super::signals::{Signals, stop_at_signal};
use crate::appliance::Appliance;
use crate::backup::answer_beside;
use crate::clock::civil_now;
use crate::config::{Config, Order, Role, SimulatedRoads, SourceKind, TextEncoding};
use crate::deliveries::Deliveries;
use crate::events::EventTables;
use crate::mirror::{self, MirrorError};
use crate::mqtt::MqttIntake;
use crate::pipeline::{self, Router};
use crate::predict::Service;
use crate::serve::ServeSettings;
use crate::source::Source;
use crate::source::capture::{Capture, CaptureSettings};
use crate::source::http::{self, Http, HttpSettings};
use crate::source::kafka::{self, Kafka, KafkaSettings};
use crate::source::live::{self, Live, LiveSettings};
use crate::source::simulator::{Roads, SimulatorSettings};
use crate::store::{Store, StoreHandle, StoreSettings};
use crate::viid::{Peer, Viid};

/// How often it is looked whether a write has failed.
const LOOK: Duration = Duration::from_millis(500);

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration; print-config prints one with all settings and their docs
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// Runs the appliance that a file configures.
///
/// # Errors
/// A sentence for the user; see [`super::failure::exit_code`].
pub fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    run_appliance(&config, 0, args.store, |address| tracing::info!(%address, "listening"))
}

/// Runs an appliance until a signal stops it. `history` is how many seconds of past traffic a simulator generates.
/// `ready` is called with the address once it listens.
///
/// # Errors
/// As [`run`].
pub fn run_appliance(
    config: &Config,
    history: i64,
    args: StoreArgs,
    ready: impl FnOnce(std::net::SocketAddr),
) -> anyhow::Result<()> {
    if config.role == Role::Api {
        return serve_api::run_api(config, ready);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let stop = CancellationToken::new();
    // Before it reports that it runs: from here on a signal ends it in order.
    runtime.spawn(stop_at_signal(Signals::listen(runtime.handle())?, stop.clone()));
    let cipher = configured_cipher(config)?;
    // Before the store is touched: a port in use must not cost anything.
    let (gate, sign_on) = (gate(config)?, sign_on(config)?);
    let listening = runtime.block_on(Listening::start(config))?;
    let settings = StoreSettings { plates: cipher.clone(), ..store_settings(config, args) };
    let mut store = Store::open(&config.data_dir, settings)?;
    if config.source.kind != SourceKind::None {
        store.intake_key()?;
    }
    let lacks_plate_key = cipher.is_none() && store.has_pseudonyms();
    if lacks_plate_key {
        tracing::warn!(
            "there is no plate key: pseudonyms are shown in the place of plates, and no plate can be looked for"
        );
    }
    let layout = config.source.layout()?;
    let shared = store.shared();
    let mirrored = shared.clone();
    let kind = config.source.kind.as_str();
    let appliance = Arc::new(Appliance::new(shared, config.role.as_str(), kind));
    let mirror_clock = config.source.timezone.clone();
    let mirrors = mirror::start(config, &mirrored, move || civil_now(&mirror_clock), runtime.handle(), &stop)
        .map_err(mirror_error)?;
    appliance.follow_mirrors(Box::new(move || mirrors.status(&mirrored)));
    let events = EventTables::load(config.source.events.as_deref(), &config.source.columns)
        .map_err(|error| Usage(format!("source.events: {error}")))?;
    let deliveries = (config.source.kind == SourceKind::Http).then(|| Arc::new(Deliveries::default()));
    let taking_messages = match &deliveries {
        Some(deliveries) => {
            let gb18030 = config.source.encoding == TextEncoding::Gb18030;
            MqttIntake::of(&config.mqtt, &events, gb18030, deliveries).map_err(|error| Usage(error.to_string()))?
        }
        None => None,
    };
    let viid = Viid::of(&config.viid).map_err(|error| Usage(error.to_string()))?.map(Arc::new);
    let platform = viid.as_ref().and_then(|viid| viid.peer.as_ref());
    let platform =
        Peer::of(&config.viid, platform, &config.source.timezone).map_err(|error| Usage(error.to_string()))?;
    let broker = taking_messages.as_ref().map(MqttIntake::state);
    let upper = viid.as_ref().and_then(|viid| viid.peer.clone());
    appliance.follow_feeds(Box::new(move || {
        let broker = broker.as_ref().map(|state| state());
        broker.into_iter().chain(upper.as_ref().map(|upper| upper.feed())).collect()
    }));
    let mut source = open_source(config, &layout, history, &mut store, &appliance, deliveries.as_deref())?;
    store.publish();

    runtime.spawn(end_when_a_write_fails(store.shared(), stop.clone()));
    let registry = Arc::new(StoreRegistry(store.shared()));
    let forecaster = Service::new(service_settings(config, Some(config.data_dir.clone()), registry));
    let predicting = predict_beside(forecaster.clone(), appliance.clone(), &stop, runtime.handle())?;

    let verifying = verify_beside(appliance.clone(), store.shared(), &stop, runtime.handle())?;

    let copying = copy_beside(config.data_dir.clone(), store.shared(), &stop, runtime.handle())?;

    let recording = Recording::begin(config, &gate, &stop, runtime.handle())?;
    ready(listening.address()?);
    let settings = ServeSettings {
        forecaster,
        sign_on,
        deliveries,
        events,
        viid,
        plates: cipher.clone(),
        lacks_plate_key,
        ..serve_settings(config, gate, recording.trail.clone())
    };
    let reader = revealing(appliance.clone(), cipher);
    if let Some(intake) = taking_messages {
        runtime.spawn(intake.run(stop.clone()));
    }
    let subscribing = platform.map(|platform| runtime.spawn(platform.run(stop.clone())));
    let serving = runtime.spawn(serve_until(listening, reader, settings, connections(config), stop.clone()));

    let road = appliance.clone();
    let road_stop = stop.clone();
    let shard_key = layout.shard_key().clone();
    let waiting = runtime.handle().clone();
    let driving = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || drive(store, source.as_deref_mut(), &shard_key, &road, &road_stop, &waiting))
        .context("cannot start the writer's thread")?;
    let served = runtime.block_on(serving).context("the HTTP interface ended unexpectedly")?;
    stop.cancel();
    let driven = driving.join().map_err(|_| anyhow::anyhow!("the writer ended unexpectedly: please report it"))?;
    if let Some(subscribing) = subscribing {
        // It ends the subscription, or gives up soon.
        let _ = runtime.block_on(subscribing);
    }
    // Before the data directory goes: it may be writing there.
    predicting.join().map_err(|_| anyhow::anyhow!("prediction ended unexpectedly: please report it"))?;
    verifying.join().map_err(|_| anyhow::anyhow!("the verification ended unexpectedly: please report it"))?;
    copying.join().map_err(|_| anyhow::anyhow!("the thread of backups ended unexpectedly: please report it"))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    recording.end()?;
    driven?;
    served.context("the HTTP interface failed")
}

fn mirror_error(error: MirrorError) -> anyhow::Error {
    match error {
        MirrorError::Redis(error) => Usage(error.to_string()).into(),
        error @ (MirrorError::Store(_) | MirrorError::NoRandomness(_)) => error.into(),
    }
}

/// The writer's thread: the pipeline until its end, then waiting for the stop signal, then an orderly close.
fn drive(
    mut store: Store,
    source: Option<&mut (dyn Source + 'static)>,
    shard_key: &ShardKey,
    appliance: &Appliance,
    stop: &CancellationToken,
    waiting: &tokio::runtime::Handle,
) -> anyhow::Result<()> {
    let mut failed = None;
    if let Some(source) = source {
        appliance.source_started(source.describe());
        let mut router = Router::new(shard_key, store.shards())?;
        let committed = source.commit_listener();
        let ended = pipeline::run(&mut store, source, &mut router, stop, |store, batch| {
            committed(batch, store.outcome());
            appliance.committed(batch, store.totals().accepted);
        });
        source.close();
        match ended {
            Ok(()) => match source.ended().filter(|_| !stop.is_cancelled()) {
                Some(sentence) => {
                    tracing::warn!("{sentence}");
                    appliance.input_ended(sentence);
                }
                None => appliance.source_ended(None),
            },
            // A failed write latches: no more input can be taken, and a restart recovers.
            Err(error @ pipeline::PipelineError::Store(_)) => {
                appliance.source_ended(Some(error.to_string()));
                stop.cancel();
                return Err(error.into());
            }
            Err(error) => {
                tracing::error!(%error, "the source cannot go on, what is stored is still served");
                appliance.source_ended(Some(error.to_string()));
                failed = Some(error);
            }
        }
    } else {
        appliance.source_ended(None);
    }
    waiting.block_on(stop.cancelled());
    store.close()?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// A failed write latches, and only a restart recovers. The writer meets the latch with its next batch; a mirror, work on a
/// case or the tally may meet it while no batch comes, and then this ends the process.
async fn end_when_a_write_fails(shared: Arc<StoreHandle>, stop: CancellationToken) {
    while tokio::time::timeout(LOOK, stop.cancelled()).await.is_err() {
        if let Some(failure) = shared.database().failure() {
            tracing::error!(failure, "a write failed, no more can be taken: ending");
            stop.cancel();
        }
    }
}

/// Reads everything stored once, on a thread of its own, and reports what is damaged.
fn verify_beside(
    appliance: Arc<Appliance>,
    shared: Arc<StoreHandle>,
    stop: &CancellationToken,
    waiting: &tokio::runtime::Handle,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let (stop, waiting) = (stop.clone(), waiting.clone());
    let verify = move || {
        let rest = |time| waiting.block_on(async { tokio::time::timeout(time, stop.cancelled()).await.is_ok() });
        match shared.verify(rest) {
            Ok(true) => tracing::info!("all that is stored was read once and is whole"),
            Ok(false) => {}
            Err(damage) => {
                appliance.damaged(damage.clone());
                tracing::error!(damage, "something that is stored cannot be read; all else is served");
            }
        }
    };
    std::thread::Builder::new().name("verify".to_owned()).spawn(verify).context("cannot start the thread that verifies")
}

/// Copies the database for backups that ask for it, on a thread of its own.
fn copy_beside(
    data_dir: PathBuf,
    shared: Arc<StoreHandle>,
    stop: &CancellationToken,
    waiting: &tokio::runtime::Handle,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let (stop, waiting) = (stop.clone(), waiting.clone());
    let rest = move || waiting.block_on(async { tokio::time::timeout(LOOK, stop.cancelled()).await.is_ok() });
    std::thread::Builder::new()
        .name("backup".to_owned())
        .spawn(move || answer_beside(&data_dir, &shared, rest))
        .context("cannot start the thread of backups")
}

fn open_source(
    config: &Config,
    layout: &Layout,
    history: i64,
    store: &mut Store,
    appliance: &Appliance,
    deliveries: Option<&Deliveries>,
) -> anyhow::Result<Option<Box<dyn Source>>> {
    let source = &config.source;
    match source.kind {
        SourceKind::None => Ok(None),
        SourceKind::Capture => {
            if source.files.is_empty() {
                return Err(Usage("source.kind = \"capture\" needs source.files: name the captures".to_owned()).into());
            }
            let position = store.position(crate::source::capture::NAME)?;
            let settings = CaptureSettings {
                files: source.files.clone(),
                gb18030: source.encoding == TextEncoding::Gb18030,
                by_time: source.order == Order::Time,
                parser: parser_settings(config, layout.clone()),
                options: rule_options(config),
                batch_records: source.batch_records as u64,
                batch_interval: source.batch_interval,
                sort_memory: config.store.memory.bytes() / 4,
                spill_folder: std::env::temp_dir(),
            };
            Ok(Some(Box::new(Capture::open(settings, store.names(), position.as_deref(), Arc::default())?)))
        }
        SourceKind::Simulator => {
            let position = store.position(live::NAME)?;
            let simulator = SimulatorSettings {
                seed: source.seed,
                sites: source.sites,
                rate: source.rate,
                roads: match source.roads {
                    SimulatedRoads::Ideal => Roads::Ideal,
                    SimulatedRoads::Real => Roads::Real,
                },
                ..SimulatorSettings::default()
            };
            let settings = LiveSettings {
                simulator,
                parser: parser_settings(config, layout.clone()),
                history,
                batch_records: source.batch_records as u64,
                batch_interval: source.batch_interval,
            };
            let live = Live::open(settings, store.names(), position.as_deref())?;
            store.set_catalogue(
                traffic::Catalogue::new(live.checkpoints().to_vec()).context("the simulated checkpoints")?,
                "the simulator",
            )?;
            Ok(Some(Box::new(live)))
        }
        SourceKind::Http => {
            let taking =
                deliveries.and_then(Deliveries::taking).context("the intake is taken twice: please report it")?;
            let position = store.position(http::NAME)?;
            let settings = HttpSettings {
                parser: parser_settings(config, layout.clone()),
                gb18030: source.encoding == TextEncoding::Gb18030,
                batch_records: source.batch_records as u64,
            };
            Ok(Some(Box::new(Http::open(taking, settings, store.names(), position.as_deref())?)))
        }
        SourceKind::Kafka => {
            let settings = KafkaSettings {
                kafka: config.kafka.clone(),
                parser: parser_settings(config, layout.clone()),
                gb18030: source.encoding == TextEncoding::Gb18030,
                batch_records: source.batch_records as u64,
                batch_interval: source.batch_interval,
                read_back: config.detect.read_back(config.kafka.relearn),
                lacking: config.detect.of_states(),
            };
            let positions = store.positions(&kafka::position_prefix(&config.kafka.topic))?;
            let consuming = Kafka::open(settings, store.names(), positions)?;
            let ledger = consuming.ledger();
            appliance.follow_kafka(Box::new(move || ledger.status()));
            Ok(Some(Box::new(consuming)))
        }
    }
}
