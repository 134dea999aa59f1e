//! Prediction while the appliance runs: it watches the model folder, keeps the history of hourly counts, and trains on
//! schedule, all on a thread of its own beside the pipeline.
//!
//! A model whose files changed is loaded and swapped in between two requests. One that is damaged, or newer than this
//! program, is reported in the log and the status, and the previous one stays. A scheduled training replaces a model
//! that was trained from a table only when the appliance's own history is at least as long: a few days of counts do not
//! replace a year. One that Spark learnt is never replaced.
//!
//! As hours finish, the last of them are compared with their forecasts ([`super::feedback`]), and the answers follow.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use traffic::CivilTime;

use super::Kind;
use super::calendar::Calendar;
use super::candidates::TrainSettings;
use super::feedback::last_hours;
use super::folder::{self, FolderError, Metadata, Origin, PIPELINE};
use super::history::History;
use super::imported;
use super::model::LoadedModel;
use super::nowcast::LastHours;
use super::pace::Pace;
use super::pipeline_folder::SavedPipeline;
use super::registry::Registry;
use super::stamp::{Stamp, is_of_spark, stamp};
use super::train::{TrainError, train};
use crate::clock::{Clock, unix_now};
use crate::forecast::{FlowForecast, Forecast, Forecaster, ForecasterStatus, ModelAbout};
use crate::reader::Reader;

/// How often the folder and the counters are checked.
const POLL: Duration = Duration::from_secs(1);
/// If no new hour came, the counters are read again after this long, for late passages.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// A first training waits until no new hour has come for this long, since a history that is being read grows fast,
const QUIET: Duration = Duration::from_secs(3);
/// but not longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A history that has grown by a quarter is worth another training,
const GROWN: f64 = 1.25;
/// though not more often than this.
const LEAST_PAUSE: Duration = Duration::from_secs(30);
/// Hours before the newest one that are compared with their forecasts.
const COMPARED: i64 = 72;
/// After a failed training.
const RETRY: Duration = Duration::from_secs(300);

/// How prediction is to work.
pub struct ServiceSettings {
    /// The model folder.
    pub folder: PathBuf,
    /// The model to serve; none for the best one.
    pub pinned: Option<Kind>,
    /// Share of the counts that an interval is to hold.
    pub interval: f64,
    /// Tables of holidays, read before each training.
    pub holidays: Vec<PathBuf>,
    /// How often to train; none = never.
    pub retrain_every: Option<Duration>,
    /// Hours without which no first model is trained.
    pub least_hours: usize,
    /// Hours that the history keeps.
    pub keep_hours: i64,
    /// The data directory, where the history is kept; none to keep it in memory.
    pub data_dir: Option<PathBuf>,
    /// The civil time on the road.
    pub clock: Clock,
    /// Where versions are noted.
    pub registry: Arc<dyn Registry>,
}

/// Prediction.
pub struct Service {
    settings: ServiceSettings,
    current: ArcSwapOption<Served>,
    reported: Mutex<Reported>,
    is_training: AtomicBool,
    history_hours: AtomicU64,
}

#[derive(Debug, Default)]
struct Reported {
    problem: Option<String>,
    training_failure: Option<String>,
    versions: Vec<Value>,
}

/// A model that is served.
#[derive(Debug, Clone)]
struct Served {
    model: Arc<LoadedModel>,
    metadata: Arc<Metadata>,
    about: ModelAbout,
    /// What the finished hours say; none before any was read.
    last: Option<Arc<LastHours>>,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Import(#[from] imported::ImportError),
}

/// What the thread remembers between two checks.
struct Watch {
    history: History,
    /// What was loaded or refused last.
    settled: Option<Stamp>,
    /// What was seen the last time, if it could not be loaded.
    doubtful: Option<Stamp>,
    /// The newest hour of the counters when they were last read, and when that was.
    looked: Option<(i64, Instant)>,
    /// When the history last had a new hour, and when it had its first.
    grown_at: Instant,
    began_at: Option<Instant>,
    trained: Option<Instant>,
    trained_hours: usize,
    failed: Option<Instant>,
    history_problem: Option<String>,
    /// The version, the newest hour and the time of the last comparison with finished hours.
    compared: Option<(String, i64, Instant)>,
}

impl Service {
    /// Prediction with the current content of the folder.
    pub fn new(settings: ServiceSettings) -> Arc<Self> {
        let service = Self {
            current: ArcSwapOption::empty(),
            reported: Mutex::default(),
            is_training: AtomicBool::new(false),
            history_hours: AtomicU64::new(0),
            settings,
        };
        service.reported().versions = service.settings.registry.versions();
        Arc::new(service)
    }

    fn reported(&self) -> MutexGuard<'_, Reported> {
        self.reported.lock()
    }

    /// Watches the folder, keeps the history and trains until `stop`; to be run on a thread of its own.
    pub fn run(&self, reader: &dyn Reader, stop: &CancellationToken, waiting: &tokio::runtime::Handle) {
        let (history, damaged) = match &self.settings.data_dir {
            Some(data_dir) if self.settings.retrain_every.is_some() => {
                History::open(data_dir, self.settings.keep_hours)
            }
            _ => (History::in_memory(self.settings.keep_hours), Vec::new()),
        };
        for file in damaged {
            tracing::warn!(file, "hourly counts of a month are damaged and were set aside");
        }
        let mut watch = Watch {
            history,
            settled: None,
            doubtful: None,
            looked: None,
            grown_at: Instant::now(),
            began_at: None,
            trained: None,
            trained_hours: 0,
            failed: None,
            history_problem: None,
            compared: None,
        };
        loop {
            self.look(&mut watch);
            if let Some(every) = self.settings.retrain_every {
                self.keep_history(&mut watch, reader);
                if self.is_due(&watch, every) {
                    self.train(&mut watch, reader, stop);
                    self.look(&mut watch);
                }
            }
            self.compare(&mut watch, reader);
            let stopped = waiting.block_on(async { tokio::time::timeout(POLL, stop.cancelled()).await.is_ok() });
            if stopped {
                break;
            }
        }
    }

    /// Loads what is in the folder if it changed.
    fn look(&self, watch: &mut Watch) {
        let stamp = stamp(&self.settings.folder);
        if watch.settled == Some(stamp) {
            return;
        }
        match self.load() {
            Ok((model, metadata)) => {
                watch.settled = Some(stamp);
                self.serve(model, metadata);
            }
            // Not there yet, or no longer: what was loaded stays.
            Err(LoadError::Folder(FolderError::Missing { .. })) if stamp.iter().all(Option::is_none) => {
                watch.settled = Some(stamp);
                self.reported().problem = None;
            }
            // Perhaps the files are being replaced: it is a problem if they stay like this.
            Err(_) if watch.doubtful != Some(stamp) => watch.doubtful = Some(stamp),
            Err(error) => {
                watch.settled = Some(stamp);
                let serving = self.current.load().as_ref().map(|served| served.about.version.clone());
                let kept = match &serving {
                    Some(version) => format!("still serving {version}"),
                    None => "no model is served".to_owned(),
                };
                tracing::error!(%error, serving, "the flow model cannot be loaded");
                self.reported().problem = Some(format!("{error} ({kept})"));
            }
        }
    }

    /// The model in the folder: ours, or one that Spark saved there.
    fn load(&self) -> Result<(super::FlowModel, Metadata), LoadError> {
        let folder = &self.settings.folder;
        match folder::load(folder) {
            Err(FolderError::Missing { .. }) if SavedPipeline::is_at(folder) => Ok(imported::served(folder)?),
            loaded => Ok(loaded?),
        }
    }

    fn serve(&self, model: super::FlowModel, metadata: Metadata) {
        let json = serde_json::to_value(&metadata).unwrap_or_default();
        let model = LoadedModel::new(model, self.settings.pinned);
        let bounds = model.bounds();
        let about = ModelAbout {
            kind: model.kind().as_str(),
            version: metadata.version.clone(),
            trained_at: metadata.trained_at.clone(),
            trained_at_unix: metadata.trained_at_unix,
            interval: bounds.checkpoint.nominal(),
            interval_samples: bounds.checkpoint.samples(),
            metadata: Arc::new(json.clone()),
        };
        tracing::info!(version = about.version, kind = about.kind, "flow model loaded");
        self.settings.registry.remember(&about.version, &json);
        let served = Served { model: Arc::new(model), metadata: Arc::new(metadata), about, last: None };
        self.current.store(Some(Arc::new(served)));
        let versions = self.settings.registry.versions();
        let mut reported = self.reported();
        reported.problem = None;
        reported.versions = versions;
    }

    /// Compares the last finished hours with their forecasts, if there is a new one, and now and then for late passages.
    fn compare(&self, watch: &mut Watch, reader: &dyn Reader) {
        let Some(served) = self.current.load_full() else { return };
        let snapshot = reader.snapshot();
        let Some(newest) = snapshot.totals().newest.map(CivilTime::hour) else { return };
        if watch.compared.as_ref().is_some_and(|(version, hour, at)| {
            (version, *hour) == (&served.about.version, newest) && at.elapsed() < LOOK_AGAIN
        }) {
            return;
        }
        watch.compared = Some((served.about.version.clone(), newest, Instant::now()));
        let now = (self.settings.clock)().hour();
        match snapshot.hours(newest - COMPARED, newest, COMPARED as usize + 1) {
            Ok(hours) => {
                let last = last_hours(&served.model, &hours, now, &reader.catalogue()).map(Arc::new);
                self.current.store(Some(Arc::new(Served { last, ..Served::clone(&served) })));
            }
            Err(error) => tracing::warn!(%error, "the last hours cannot be read: forecasts are not corrected by them"),
        }
    }

    fn keep_history(&self, watch: &mut Watch, reader: &dyn Reader) {
        let now = (self.settings.clock)().hour();
        let snapshot = reader.snapshot();
        let newest = snapshot.totals().newest.map_or(i64::MIN, CivilTime::hour);
        if watch.looked.is_some_and(|(hour, at)| hour == newest && at.elapsed() < LOOK_AGAIN) {
            return;
        }
        watch.looked = Some((newest, Instant::now()));
        let taken = watch.history.take_whole_hours(&*snapshot, now);
        let kept = taken.and_then(|grown| {
            if grown {
                watch.grown_at = Instant::now();
                watch.began_at.get_or_insert(watch.grown_at);
            }
            watch.history.save()
        });
        self.history_hours.store(watch.history.len() as u64, Ordering::Relaxed);
        let problem = kept.err().map(|error| error.to_string());
        if problem != watch.history_problem
            && let Some(error) = &problem
        {
            tracing::error!(error, "hourly counts cannot be kept for training");
        }
        watch.history_problem = problem;
    }

    /// Whether to train now.
    fn is_due(&self, watch: &Watch, every: Duration) -> bool {
        let hours = watch.history.len();
        if hours < self.settings.least_hours.max(1)
            || watch.failed.is_some_and(|failed| failed.elapsed() < RETRY.min(every))
        {
            return false;
        }
        let served = self.current.load_full();
        // Whoever imported a model wants that one.
        if served.as_ref().is_some_and(|served| served.metadata.trained_from.kind == PIPELINE) {
            return false;
        }
        if let Some(served) = &served
            && served.metadata.trained_from.kind != "counters"
            && (watch.history.days() as u64) < served.metadata.hours.div_ceil(24)
        {
            return false;
        }
        let is_quiet =
            watch.grown_at.elapsed() >= QUIET || watch.began_at.is_some_and(|began| began.elapsed() >= LONGEST_WAIT);
        let is_old = match (&watch.trained, &served) {
            (Some(trained), _) => trained.elapsed() >= every,
            (None, Some(served)) => {
                unix_now().saturating_sub(served.metadata.trained_at_unix) >= every.as_secs() as i64
            }
            (None, None) => true,
        };
        let learnt = served.as_ref().map_or(watch.trained_hours, |served| served.metadata.hours as usize);
        let has_grown = hours as f64 >= learnt as f64 * GROWN
            && watch.trained.is_none_or(|trained| trained.elapsed() >= LEAST_PAUSE);
        // One that was put there and is not served, or not yet, is wanted all the same.
        is_quiet && (is_old || has_grown) && !is_of_spark(&self.settings.folder)
    }

    fn train(&self, watch: &mut Watch, reader: &dyn Reader, stop: &CancellationToken) {
        self.is_training.store(true, Ordering::Relaxed);
        let outcome = self.learn(&watch.history, reader, stop);
        self.is_training.store(false, Ordering::Relaxed);
        match outcome {
            Ok(Some(metadata)) => {
                let Metadata { version, hours, .. } = &metadata;
                tracing::info!(version, kind = metadata.kind.as_str(), hours, "flow model trained from the counters");
                watch.trained = Some(Instant::now());
                watch.trained_hours = watch.history.len();
                watch.failed = None;
                self.reported().training_failure = None;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error, "the flow model could not be trained");
                watch.failed = Some(Instant::now());
                self.reported().training_failure = Some(error);
            }
        }
    }

    fn learn(
        &self,
        history: &History,
        reader: &dyn Reader,
        stop: &CancellationToken,
    ) -> Result<Option<Metadata>, String> {
        let settings = TrainSettings {
            interval: self.settings.interval,
            pinned: self.settings.pinned,
            calendar: read_holidays(&self.settings.holidays)?,
        };
        let grid = history.grid(&reader.catalogue(), &settings.calendar);
        let origin = Origin {
            kind: "counters".to_owned(),
            path: self.settings.data_dir.as_deref().unwrap_or(Path::new("")).display().to_string(),
            rows: grid.observed() as u64,
            rejected: 0,
        };
        match train(&grid, &settings, &Pace::background(stop.clone()), &|_| {}) {
            // Somebody may have imported a model while this one was learnt.
            Ok(_) if is_of_spark(&self.settings.folder) => Ok(None),
            Ok(trained) => folder::save(&self.settings.folder, &trained, origin, unix_now())
                .map(Some)
                .map_err(|error| error.to_string()),
            Err(TrainError::Stopped) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The holidays of all these tables.
///
/// # Errors
/// Which table is wrong, and why.
pub fn read_holidays(files: &[PathBuf]) -> Result<Calendar, String> {
    let mut calendar = Calendar::default();
    for file in files {
        let named = |error: String| format!("the holidays in {}: {error}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
        calendar.merge(Calendar::parse_csv(&text).map_err(named)?);
    }
    Ok(calendar)
}

impl Forecaster for Service {
    fn current(&self) -> Option<Arc<dyn Forecast>> {
        self.current.load_full().map(|served| served as Arc<dyn Forecast>)
    }

    fn status(&self) -> ForecasterStatus {
        let reported = self.reported();
        ForecasterStatus {
            folder: self.settings.folder.display().to_string(),
            problem: reported.problem.clone(),
            is_training: self.is_training.load(Ordering::Relaxed),
            training_failure: reported.training_failure.clone(),
            history_hours: self.history_hours.load(Ordering::Relaxed),
            least_hours: self.settings.retrain_every.map(|_| self.settings.least_hours as u64),
            versions: reported.versions.clone(),
        }
    }
}

impl Forecast for Served {
    fn checkpoint(&self, names: &[String], hour: i64) -> Option<FlowForecast> {
        let site = names.iter().find_map(|name| self.model.site(name))?;
        Some(self.model.checkpoint_after(site, hour, self.last.as_deref()))
    }

    fn unknown_checkpoint(&self, hour: i64) -> FlowForecast {
        self.model.unknown_checkpoint(hour)
    }

    fn city(&self, hour: i64) -> FlowForecast {
        self.model.city_after(hour, self.last.as_deref())
    }

    fn names(&self, limit: usize) -> (Vec<String>, usize) {
        let sites = &self.model.model().sites;
        (sites.iter().take(limit).map(|site| site.name.clone()).collect(), sites.len())
    }

    fn about(&self) -> &ModelAbout {
        &self.about
    }
}
