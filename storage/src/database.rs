//! The one RocksDB: opening with its format check, atomic commits that latch on failure, reads and sizes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rocksdb::{Cache, ColumnFamilyDescriptor, DB, DBRecoveryMode, LogLevel, Options, WriteBufferManager};

use crate::codec::{self, CodecError, Kind};
use crate::engine::{Engine, Value};
use crate::entry::Entry;
use crate::error::classify;
use crate::intact::{self, Recovery};
#[cfg(feature = "simulated")]
use crate::simulated;
use crate::tally::{self, Found, Mark, Slots, Tally};
use crate::{Commit, Family, Horizons, StorageError, layout, private};

/// How the database is opened.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes that memtables and the block cache may take together.
    pub memory: usize,
    /// Whether every commit is forced to the disk (fsync of the write-ahead log) before it returns.
    pub sync: bool,
    /// Whether background compaction runs.
    pub compaction: bool,
    /// Whether a database that has lost committed data is opened with what is left.
    pub accept_loss: bool,
    /// Number of local shards, each with a family of its own. An existing database must have as many; none takes what it
    /// has, and [`NEW_SHARDS`] for a new one.
    pub shards: Option<u8>,
}

/// When a commit is forced to the disk. A killed process loses nothing in any case; a power cut does, of what was not
/// forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As [`Settings::sync`] says. The writer's own: the tally counts it.
    AsConfigured,
    /// Later, with one that is. For what can be done again, from any thread. The tally does not count it.
    Deferred,
    /// Before the call returns, and the tally too, whatever [`Settings::sync`] says. For a small write from any thread, to
    /// keys that the writer does not write.
    Forced,
}

/// Sizes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All files of the data directory.
    pub disk: u64,
    /// Memtables and block cache.
    pub memory: u64,
}

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    ReadWrite(Recovery),
    Frozen,
}

const FORMAT: Kind = Kind { magic: b'F', version: 1 };
/// Version of the on-disk layout as a whole: families, keys and what their values mean.
const FORMAT_VERSION: u32 = 3;
/// The oldest version that can be brought to [`FORMAT_VERSION`].
const OLDEST_FORMAT: u32 = 1;
const FORMAT_KEY: &[u8] = b"format";
/// Local shards of a new database, unless a number is given.
const NEW_SHARDS: u8 = 2;
const MIN_MEMORY: usize = 16 << 20;
/// RocksDB's name for the bytes of all memtables.
const MEMTABLES: &str = "rocksdb.cur-size-all-mem-tables";
/// How often a database that another process writes is checked before it counts as having lost something.
const FROZEN_ATTEMPTS: u32 = 3;

/// An open database. There is one writer, apart from small writes of other threads (see [`Durability`]); readers may be
/// many.
pub struct Database {
    engine: Engine,
    path: PathBuf,
    shards: u8,
    /// The format version that was found.
    format: u32,
    horizons: Horizons,
    sync: bool,
    latched: OnceLock<String>,
    /// What the tally said before this opening.
    known: Option<Mark>,
    /// What was found to be wrong, if what is left was accepted nevertheless.
    loss: Option<String>,
    /// The files of the tally and its last generation, until the tally begins.
    slots: Mutex<Option<(Slots, u64)>>,
    tally: OnceLock<Tally>,
}

impl Database {
    /// Opens or creates the database in `directory`.
    ///
    /// A database that holds less than its tally says, or whose files show damage, is refused before anything is
    /// changed, unless [`Settings::accept_loss`]. IMPORTANT: the tally continues with [`Database::begin_tally`]; until
    /// then it stays unchanged. IMPORTANT: if [`Database::is_of_old_format`], the caller migrates it.
    ///
    /// # Errors
    /// [`StorageError`] if the directory is in use, foreign, of a newer format, of another number of shards, damaged or
    /// not writable.
    pub fn open(directory: &Path, settings: Settings) -> Result<Arc<Self>, StorageError> {
        #[cfg(feature = "simulated")]
        if let Some(disk) = simulated::at(directory) {
            return Self::open_simulated(directory, settings, &disk);
        }
        let io = |action, error: std::io::Error| classify(directory, action, &error.to_string());
        private::make_folder(directory).map_err(|error| io("create the folder", error))?;
        let folder = directory.join(layout::DATABASE);
        let has_tally = tally::FILES.iter().any(|name| directory.join(name).exists());
        let mut shards = settings.shards.unwrap_or(NEW_SHARDS);
        match check_ours(directory, &folder) {
            Ok(Some(found)) if found != shards && made(directory, &folder, found)? => match settings.shards {
                Some(wanted) => {
                    return Err(StorageError::OtherShards { path: directory.to_owned(), found, wanted });
                }
                None => shards = found,
            },
            // The errors below say better what is wrong.
            Err(StorageError::Damaged { .. } | StorageError::Io { .. }) if has_tally || settings.accept_loss => {}
            Err(StorageError::Foreign { .. }) if has_tally && !folder.exists() => {}
            checked => drop(checked?),
        }
        let slots = Slots::lock(directory).map_err(|error| io("open the tally", error))?;
        let Some(slots) = slots else { return Err(StorageError::InUse { path: directory.to_owned() }) };
        let found = tally::read(directory).map_err(|error| io("read the tally", error))?;
        if found == Found::Unreadable {
            tracing::warn!("the tally of what was committed is damaged: a new one begins with what the database holds");
        }
        let (recovery, loss) =
            match intact::before_opening(&folder, &found).map_err(|error| io("read the database", error))? {
                Ok(recovery) => (recovery, None),
                Err(damage) if !settings.accept_loss => return Err(lost(directory, damage)),
                Err(damage) => {
                    intact::mend(&folder).map_err(|error| io("mend the database", error))?;
                    (Recovery::PointInTime, Some(damage))
                }
            };
        let recovery = if settings.accept_loss { Recovery::PointInTime } else { recovery };
        let mut database = Self::assemble(directory, &folder, settings, shards, Mode::ReadWrite(recovery))?;
        database.loss = loss;
        let generation = database.compare(found, settings.accept_loss)?;
        database.check_files(&folder)?;
        database.check_format()?;
        if settings.compaction {
            database.start_compactions()?;
        }
        database.slots = Mutex::new(Some((slots, generation)));
        Ok(Arc::new(database))
    }

    /// As [`Database::open`] on a simulated disk.
    #[cfg(feature = "simulated")]
    fn open_simulated(directory: &Path, settings: Settings, disk: &simulated::Disk) -> Result<Arc<Self>, StorageError> {
        let io = |error: std::io::Error| classify(directory, "read the tally", &error.to_string());
        let Some(slots) = Slots::lock(directory).map_err(io)? else {
            return Err(StorageError::InUse { path: directory.to_owned() });
        };
        let found = tally::read(directory).map_err(io)?;
        let shards = settings.shards.unwrap_or(NEW_SHARDS);
        let mut database =
            Self::with(Engine::Simulated(disk.open()), directory, shards, settings.sync, Horizons::default());
        let generation = database.compare(found, settings.accept_loss)?;
        database.check_format()?;
        database.slots = Mutex::new(Some((slots, generation)));
        Ok(Arc::new(database))
    }

    /// Compares what the database holds with what its tally says; returns the generation of that.
    fn compare(&mut self, found: Found, accept_loss: bool) -> Result<u64, StorageError> {
        let (known, generation) = match found {
            Found::Record(record) => (Some(record.known().clone()), record.generation()),
            Found::None | Found::Unreadable => (None, 0),
        };
        if let Some(shortage) = known.as_ref().and_then(|known| self.shortage(known)) {
            if !accept_loss {
                return Err(lost(&self.path, shortage));
            }
            self.loss.get_or_insert(shortage);
        }
        self.known = known;
        Ok(generation)
    }

    /// Opens the database in `directory` for reading alone, in the state of the last commit, even while another process
    /// has it open; what that process commits afterwards is not seen, and what it removes may become unreadable. Writes
    /// nothing to the disk.
    ///
    /// # Errors
    /// [`StorageError`] if there is no database, or it is foreign, of a newer format, damaged, or has lost what was
    /// committed.
    pub fn open_frozen(directory: &Path, memory: usize) -> Result<Arc<Self>, StorageError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            // Before the database is opened: another process may commit meanwhile.
            let known = Self::known_of(directory)?;
            let database = Self::open_salvaged(directory, memory)?;
            match known.and_then(|known| database.shortage(&known)) {
                None => return Ok(database),
                // Another process may have moved a log into tables between two checks.
                Some(_) if attempts < FROZEN_ATTEMPTS => {}
                Some(shortage) => return Err(lost(directory, shortage)),
            }
        }
    }

    /// As [`Database::open_frozen`], but accepts whatever is left of what was committed.
    ///
    /// # Errors
    /// As there.
    pub fn open_salvaged(directory: &Path, memory: usize) -> Result<Arc<Self>, StorageError> {
        let folder = directory.join(layout::DATABASE);
        let Some(shards) = check_ours(directory, &folder)? else {
            let detail = "there is no database in it";
            return Err(StorageError::Io { path: directory.to_owned(), action: "read", detail: detail.to_owned() });
        };
        let settings = Settings { memory, sync: false, compaction: false, accept_loss: true, shards: None };
        let mut database = Self::assemble(directory, &folder, settings, shards, Mode::Frozen)?;
        database.check_format()?;
        Ok(Arc::new(database))
    }

    fn assemble(
        directory: &Path,
        folder: &Path,
        settings: Settings,
        shards: u8,
        mode: Mode,
    ) -> Result<Self, StorageError> {
        let io = |action, detail: &dyn std::fmt::Display| classify(directory, action, &detail.to_string());
        let memory = settings.memory.max(MIN_MEMORY);
        let cache = Cache::new_lru_cache(memory / 2);
        let write_buffers = memory / 2;
        let mut options = base_options(mode).map_err(|error| io("open the database", &error.into_string()))?;
        options.set_max_background_jobs(2);
        options.set_max_open_files(512);
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(2);
        options.set_max_total_wal_size(write_buffers as u64);
        options.set_write_buffer_manager(&WriteBufferManager::new_write_buffer_manager(write_buffers, false));
        // Vector memtables (plates) allow one writer only, and there is only one.
        options.set_allow_concurrent_memtable_write(false);

        let horizons = Horizons::default();
        let write_buffer = (write_buffers / 4).max(1 << 20);
        // One of an older format lacks some; reading alone makes none.
        let there = if mode == Mode::Frozen {
            DB::list_cf(&Options::default(), folder).unwrap_or_default()
        } else {
            Vec::new()
        };
        let is_there = |family: &Family| {
            mode != Mode::Frozen || family.is_of_every_format() || there.iter().any(|name| *name == *family.name())
        };
        let families = Family::all(shards).filter(is_there).map(|family| {
            let mut options = family.options(&cache, write_buffer, &horizons);
            // See `start_compactions`.
            options.set_disable_auto_compactions(true);
            ColumnFamilyDescriptor::new(family.name(), options)
        });
        let opened = match mode {
            Mode::ReadWrite(_) => DB::open_cf_descriptors(&options, folder, families),
            Mode::Frozen => DB::open_cf_descriptors_read_only(&options, folder, families, false),
        };
        let db = opened.map_err(|error| io("open the database", &error.into_string()))?;
        Ok(Self::with(Engine::Rocks { db, cache }, directory, shards, settings.sync, horizons))
    }

    fn with(engine: Engine, directory: &Path, shards: u8, sync: bool, horizons: Horizons) -> Self {
        Self {
            engine,
            path: directory.to_owned(),
            shards,
            format: FORMAT_VERSION,
            horizons,
            sync,
            latched: OnceLock::new(),
            known: None,
            loss: None,
            slots: Mutex::default(),
            tally: OnceLock::new(),
        }
    }

    /// Lets RocksDB compact. IMPORTANT: only after [`Database::check_files`]: until then no file is added or removed.
    fn start_compactions(&self) -> Result<(), StorageError> {
        for family in Family::all(self.shards) {
            self.engine.start_compactions(family).map_err(|error| classify(&self.path, "open the database", &error))?;
        }
        Ok(())
    }

    /// What the database lacks compared with what was committed.
    pub fn shortage(&self, known: &Mark) -> Option<String> {
        let holds = self.engine.latest_sequence_number();
        (holds < known.sequence)
            .then(|| format!("of {} changes that were committed it holds the first {holds}", known.sequence))
    }

    /// Whether the database's files exist and are unchanged.
    fn check_files(&self, folder: &Path) -> Result<(), StorageError> {
        let damaged = |detail: &dyn std::fmt::Display| self.damaged("the database", detail);
        for table in self.engine.tables().map_err(|error| damaged(&error))? {
            let name = table.trim_start_matches('/');
            if !intact::is_table(&folder.join(name)) {
                return Err(damaged(&format!("{name} is damaged")));
            }
        }
        let property = |name: &str| -> u64 {
            Family::all(self.shards).filter_map(|family| self.engine.property(family, name)).sum()
        };
        let known = (property("rocksdb.num-blob-files"), property("rocksdb.total-blob-file-size"));
        let there =
            intact::blobs(folder).map_err(|error| classify(&self.path, "read the database", &error.to_string()))?;
        if there.0 < known.0 || there.1 < known.1 {
            let text = |(count, bytes): (u64, u64)| format!("{count} blob files of {bytes} bytes");
            return Err(damaged(&format!("of {} only {} are left", text(known), text(there))));
        }
        Ok(())
    }

    /// What the tally of a directory says is committed; none if there is no readable tally.
    ///
    /// # Errors
    /// [`StorageError`] if the file system refuses.
    pub fn known_of(directory: &Path) -> Result<Option<Mark>, StorageError> {
        match tally::read(directory) {
            Ok(Found::Record(record)) => Ok(Some(record.known().clone())),
            Ok(Found::None | Found::Unreadable) => Ok(None),
            Err(error) => Err(classify(directory, "read the tally", &error.to_string())),
        }
    }

    /// What the tally said was committed, before this opening; none if there was no tally.
    pub fn known(&self) -> Option<&Mark> {
        self.known.as_ref()
    }

    /// What was found to be wrong and accepted, if anything.
    pub fn loss(&self) -> Option<&str> {
        self.loss.as_deref()
    }

    /// From now on the tally counts what is committed, starting with what the database holds now.
    ///
    /// # Errors
    /// [`StorageError`] if it cannot be written.
    pub fn begin_tally(&self, main: Vec<u8>, beside: Vec<u8>) -> Result<(), StorageError> {
        let slots = self.slots.lock().take();
        let Some((slots, generation)) = slots else { return Ok(()) };
        // So that everything counted is on the disk.
        self.engine.flush_wal().map_err(|error| self.latched("flush the log", &error))?;
        let holds = Mark { sequence: self.engine.latest_sequence_number(), main, beside };
        let tally = Tally::start(slots, &self.path.join(layout::DATABASE), generation, holds)
            .map_err(|error| classify(&self.path, "write the tally", &error.to_string()))?;
        let _ = self.tally.set(tally);
        Ok(())
    }

    fn check_format(&mut self) -> Result<(), StorageError> {
        let Some(bytes) = self.get(Family::Meta, FORMAT_KEY)?.map(|bytes| bytes.to_vec()) else {
            let mut commit = self.begin();
            self.set_format(&mut commit)?;
            return self.commit(commit, Durability::AsConfigured);
        };
        let newer = |found| StorageError::NewerFormat { path: self.path.clone(), found, known: FORMAT_VERSION };
        self.format = match codec::decode::<u32>(FORMAT, &bytes) {
            Ok(found) if (OLDEST_FORMAT..=FORMAT_VERSION).contains(&found) => found,
            Ok(found) => return Err(newer(found)),
            Err(CodecError::Newer { found, .. }) => return Err(newer(u32::from(found))),
            Err(error) => return Err(self.damaged("the format version", &error)),
        };
        let is_missing = |family: &Family| !self.engine.has(*family);
        match Family::all(self.shards).find(is_missing).filter(|_| !self.is_of_old_format()) {
            Some(family) => Err(self.damaged("the database", &format!("it has no column family {}", family.name()))),
            None => Ok(()),
        }
    }

    /// Whether what the database held when it was opened is of an older format than this program writes.
    pub fn is_of_old_format(&self) -> bool {
        self.format < FORMAT_VERSION
    }

    /// Records that the database is of the current format from this commit on.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the version cannot be encoded.
    pub fn set_format(&self, commit: &mut Commit<'_>) -> Result<(), StorageError> {
        let bytes = codec::encode(FORMAT, &FORMAT_VERSION);
        let bytes = bytes.map_err(|error| self.damaged("the format version", &error))?;
        commit.put(Family::Meta, FORMAT_KEY, &bytes);
        Ok(())
    }

    /// Number of local shards.
    pub fn shards(&self) -> u8 {
        self.shards
    }

    /// An error that says what is damaged.
    pub fn damaged(&self, what: &str, detail: &dyn std::fmt::Display) -> StorageError {
        StorageError::Damaged { path: self.path.clone(), what: what.to_owned(), detail: detail.to_string() }
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Horizons of plate expiry.
    pub fn horizons(&self) -> &Horizons {
        &self.horizons
    }

    /// An empty commit.
    pub fn begin(&self) -> Commit<'_> {
        Commit::new(self.engine.begin())
    }

    /// Writes a commit: all of it or none. Commits of several threads go one after the other.
    ///
    /// # Errors
    /// [`StorageError`]; after the first failure every later commit fails with [`StorageError::Latched`].
    pub fn commit(&self, commit: Commit<'_>, durability: Durability) -> Result<(), StorageError> {
        self.check_latch()?;
        let last = self.last_number_of(&commit);
        let Commit { changes, tally: body } = commit;
        let sync = match durability {
            Durability::AsConfigured => self.sync,
            Durability::Deferred => false,
            Durability::Forced => true,
        };
        // The log is one file: with a forced commit everything before it is on the disk.
        let before = self.tally.get().filter(|_| durability == Durability::Forced).map(Tally::written);
        fail::fail_point!("database::write", |error| Err(self.latched("write", &error.unwrap_or_default())));
        self.engine.write(changes, sync).map_err(|error| self.latched("write", &error))?;
        fail::fail_point!("database::written");
        let Some(tally) = self.tally.get() else { return Ok(()) };
        match (durability, before) {
            (Durability::AsConfigured, _) => tally.note(last, self.sync, |mark| {
                if let Some(body) = &body {
                    mark.main.clone_from(body);
                }
            }),
            (Durability::Forced, Some(before)) => {
                tally.note_beside(last, before, body);
                tally.settle();
                self.check_latch()?;
            }
            (Durability::Forced, None) | (Durability::Deferred, _) => {}
        }
        Ok(())
    }

    /// The sequence number of a commit's last entry, or a lower one if another thread writes at the same time.
    fn last_number_of(&self, commit: &Commit<'_>) -> u64 {
        self.engine.latest_sequence_number() + commit.changes.count()
    }

    /// Fails if any write has failed, whoever made it.
    ///
    /// # Errors
    /// [`StorageError::Latched`]
    pub fn check_latch(&self) -> Result<(), StorageError> {
        if let Some(failure) = self.tally.get().and_then(Tally::failure) {
            let _ = self.latched.set(classify(&self.path, "write the tally", &failure).to_string());
        }
        match self.latched.get() {
            Some(cause) => Err(StorageError::Latched { path: self.path.clone(), cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn latched(&self, action: &'static str, detail: &str) -> StorageError {
        let failure = classify(&self.path, action, detail);
        let _ = self.latched.set(failure.to_string());
        failure
    }

    /// The first failed write, if any.
    pub fn failure(&self) -> Option<&str> {
        let _ = self.check_latch();
        self.latched.get().map(String::as_str)
    }

    /// A value.
    ///
    /// # Errors
    /// [`StorageError`] if it cannot be read.
    pub fn get(&self, family: Family, key: &[u8]) -> Result<Option<Value<'_>>, StorageError> {
        self.engine.get(family, key).map_err(|error| classify(&self.path, "read", &error))
    }

    /// Keys and values from `from` on, upwards.
    pub fn scan<'a>(
        &'a self,
        family: Family,
        from: &[u8],
    ) -> impl Iterator<Item = Result<Entry, StorageError>> + use<'a> {
        self.iterate(family, from, false)
    }

    /// Keys and values from `from` (inclusive) on, downwards.
    pub fn scan_back<'a>(
        &'a self,
        family: Family,
        from: &[u8],
    ) -> impl Iterator<Item = Result<Entry, StorageError>> + use<'a> {
        self.iterate(family, from, true)
    }

    fn iterate<'a>(
        &'a self,
        family: Family,
        from: &[u8],
        back: bool,
    ) -> impl Iterator<Item = Result<Entry, StorageError>> + use<'a> {
        let items = self.engine.scan(family, from, back);
        items.map(|item| item.map_err(|error| classify(&self.path, "read", &error)))
    }

    /// Moves all memtables to their files and forces them to the disk, so that nothing is only in the log.
    ///
    /// # Errors
    /// [`StorageError`] if the disk refuses.
    pub fn flush(&self) -> Result<(), StorageError> {
        fail::fail_point!("database::flush", |error| Err(self.latched("flush", &error.unwrap_or_default())));
        self.engine.flush_wal().map_err(|error| self.latched("flush the log", &error))?;
        for family in Family::all(self.shards) {
            self.engine.flush(family).map_err(|error| self.latched("flush", &error))?;
        }
        if let Some(tally) = self.tally.get() {
            tally.note_synced();
            tally.settle();
        }
        self.check_latch()
    }

    /// Compacts a family's keys from `from` to `to`, to free the space of what was removed or expired.
    pub fn compact(&self, family: Family, from: Option<&[u8]>, to: Option<&[u8]>) {
        self.engine.compact(family, from, to);
    }

    /// Writes all files of a family again, so that no bytes are left in them of what was removed. It takes as long as reading
    /// and writing the whole family. IMPORTANT: flush before; and the names of keys stay in the MANIFEST until the database is
    /// opened again.
    pub fn rewrite(&self, family: Family) {
        self.engine.rewrite(family);
    }

    /// Makes a database in `folder`, which must not exist, that holds what is committed now: all families, as RocksDB's
    /// checkpoint. What is only in memory is written to files before; tables and blob files become hard links where the file
    /// system can. Commits go on meanwhile.
    ///
    /// # Errors
    /// [`StorageError`] if the disk refuses.
    pub fn copy_to(&self, folder: &Path) -> Result<(), StorageError> {
        self.check_latch()?;
        self.engine.copy_to(folder).map_err(|error| classify(&self.path, "copy the database", &error))
    }

    /// Bytes that are in memory and not in files yet.
    pub fn in_memtables(&self) -> u64 {
        Family::all(self.shards).filter_map(|family| self.engine.property(family, MEMTABLES)).sum()
    }

    /// Sizes on disk and in memory.
    pub fn usage(&self) -> Usage {
        Usage { disk: folder_bytes(&self.path), memory: self.in_memtables() + self.engine.cached() }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Options that say how a database is recovered.
fn base_options(mode: Mode) -> Result<Options, rocksdb::Error> {
    let strict = mode == Mode::ReadWrite(Recovery::Strict);
    // Closed logs are noted in the MANIFEST with their length, so that a missing or shortened one is found. There is no
    // other way to set this.
    // IMPORTANT: a database with such notes must not be opened for reading alone without this: RocksDB would write.
    let tracking = format!("track_and_verify_wals_in_manifest={}", mode != Mode::ReadWrite(Recovery::PointInTime));
    let mut options = Options::default().get_options_from_string(tracking)?;
    options.set_wal_recovery_mode(match strict {
        true => DBRecoveryMode::TolerateCorruptedTailRecords,
        false => DBRecoveryMode::PointInTime,
    });
    options.create_if_missing(mode != Mode::Frozen);
    options.create_missing_column_families(mode != Mode::Frozen);
    Ok(options)
}

fn lost(directory: &Path, cause: String) -> StorageError {
    StorageError::Lost { path: directory.to_owned(), cause, missing: String::new() }
}

/// Refuses a directory with foreign content, before anything is created in it. Returns how many shards the database in it
/// has; none if there is no database.
fn check_ours(directory: &Path, folder: &Path) -> Result<Option<u8>, StorageError> {
    let foreign = |found: String| StorageError::Foreign { path: directory.to_owned(), found };
    if folder.join("CURRENT").exists() {
        let families = DB::list_cf(&Options::default(), folder)
            .map_err(|error| classify(directory, "read the database", &error.into_string()))?;
        let mut shards = 0;
        for name in families.iter().filter(|name| *name != "default") {
            match Family::named(name) {
                Some(Family::Rows(shard)) => shards = shards.max(shard.saturating_add(1)),
                Some(_) => {}
                None => return Err(foreign(format!("it has an unknown column family {name}"))),
            }
        }
        return Ok(Some(shards));
    }
    let entries =
        std::fs::read_dir(directory).map_err(|error| classify(directory, "list the folder", &error.to_string()))?;
    let [first, second] = tally::FILES;
    let ours = [
        layout::DATABASE,
        layout::REFERENCE,
        layout::ACCESS,
        layout::BACKUP_WORK,
        first,
        second,
        layout::IN_USE,
        "lost+found",
    ];
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !ours.iter().any(|known| name == *known) {
            return Err(foreign(format!("it holds {}", name.to_string_lossy())));
        }
    }
    Ok(None)
}

/// Whether the making of the database with `found` shards was finished: its families are made one after the other, and
/// then the format version is written.
fn made(directory: &Path, folder: &Path, found: u8) -> Result<bool, StorageError> {
    let names = DB::list_cf(&Options::default(), folder)
        .map_err(|error| classify(directory, "read the database", &error.into_string()))?;
    let mut needed = Family::all(found).filter(|family| family.is_of_every_format());
    if !needed.all(|family| names.iter().any(|name| *name == *family.name())) {
        return Ok(false);
    }
    let settings = Settings { memory: MIN_MEMORY, sync: false, compaction: false, accept_loss: true, shards: None };
    let database = Database::assemble(directory, folder, settings, found, Mode::Frozen)?;
    Ok(database.get(Family::Meta, FORMAT_KEY)?.is_some())
}

fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
