//! The one RocksDB: opening with its format check, atomic commits that latch on failure, reads and sizes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rocksdb::{
    Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBPinnableSlice, Direction, IteratorMode, LogLevel, Options,
    WriteBufferManager, WriteOptions,
};

use crate::codec::{self, CodecError, Kind};
use crate::{Commit, Family, Horizons, StorageError};

/// How the database is opened.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes that memtables and the block cache may take together.
    pub memory: usize,
    /// Whether every commit is forced to the disk (fsync of the write-ahead log) before it returns.
    pub sync: bool,
    /// Whether background compaction runs.
    pub compaction: bool,
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
    ReadWrite,
    Frozen,
}

const FORMAT: Kind = Kind { magic: b'F', version: 1 };
/// Version of the on-disk layout as a whole: families, keys and what their values mean.
const FORMAT_VERSION: u32 = 1;
const FORMAT_KEY: &[u8] = b"format";
const FOLDER: &str = "rocksdb";
const MIN_MEMORY: usize = 16 << 20;

/// A key and its value.
pub type Entry = (Box<[u8]>, Box<[u8]>);

/// An open database. There is one writer, beside small writes of [`Database::commit_synced`]; readers may be many.
pub struct Database {
    db: DB,
    path: PathBuf,
    horizons: Horizons,
    cache: Cache,
    write_options: WriteOptions,
    latched: OnceLock<String>,
}

impl Database {
    /// Opens or creates the database in `directory`.
    ///
    /// # Errors
    /// [`StorageError`] if the directory is in use, foreign, of a newer format, damaged or not writable.
    pub fn open(directory: &Path, settings: Settings) -> Result<Arc<Self>, StorageError> {
        let io = |action, detail: &dyn std::fmt::Display| classify(directory, action, &detail.to_string());
        std::fs::create_dir_all(directory).map_err(|error| io("create the folder", &error))?;
        let folder = directory.join(FOLDER);
        check_ours(directory, &folder)?;

        Self::assemble(directory, &folder, settings, Mode::ReadWrite)
    }

    /// Opens the database in `directory` for reading alone, in the state of the last commit, even while another process
    /// has it open; what that one commits afterwards is not seen, and what it removes may become unreadable. Writes
    /// nothing to the disk.
    ///
    /// # Errors
    /// [`StorageError`] if there is no database, or it is foreign, of a newer format or damaged.
    pub fn open_frozen(directory: &Path, memory: usize) -> Result<Arc<Self>, StorageError> {
        let folder = directory.join(FOLDER);
        if !folder.join("CURRENT").exists() {
            let detail = "there is no database in it";
            return Err(StorageError::Io { path: directory.to_owned(), action: "read", detail: detail.to_owned() });
        }
        check_ours(directory, &folder)?;
        let settings = Settings { memory, sync: false, compaction: false };
        Self::assemble(directory, &folder, settings, Mode::Frozen)
    }

    fn assemble(directory: &Path, folder: &Path, settings: Settings, mode: Mode) -> Result<Arc<Self>, StorageError> {
        let io = |action, detail: &dyn std::fmt::Display| classify(directory, action, &detail.to_string());
        let memory = settings.memory.max(MIN_MEMORY);
        let cache = Cache::new_lru_cache(memory / 2);
        let write_buffers = memory / 2;
        let mut options = Options::default();
        options.create_if_missing(mode == Mode::ReadWrite);
        options.create_missing_column_families(mode == Mode::ReadWrite);
        options.set_max_background_jobs(2);
        options.set_max_open_files(512);
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(2);
        options.set_max_total_wal_size(write_buffers as u64);
        options.set_write_buffer_manager(&WriteBufferManager::new_write_buffer_manager(write_buffers, false));
        // Vector memtables (plates) allow one writer only, which is all there is.
        options.set_allow_concurrent_memtable_write(false);

        let horizons = Horizons::default();
        let write_buffer = (write_buffers / 4).max(1 << 20);
        let families = Family::ALL.map(|family| {
            let mut options = family.options(&cache, write_buffer, &horizons);
            options.set_disable_auto_compactions(!settings.compaction);
            ColumnFamilyDescriptor::new(family.name(), options)
        });
        let opened = match mode {
            Mode::ReadWrite => DB::open_cf_descriptors(&options, folder, families),
            Mode::Frozen => DB::open_cf_descriptors_read_only(&options, folder, families, false),
        };
        let db = opened.map_err(|error| io("open the database", &error.into_string()))?;
        let mut write_options = WriteOptions::default();
        write_options.set_sync(settings.sync);
        let path = directory.to_owned();
        let database = Self { db, path, horizons, cache, write_options, latched: OnceLock::new() };
        database.check_format()?;
        Ok(Arc::new(database))
    }

    fn check_format(&self) -> Result<(), StorageError> {
        let Some(bytes) = self.get(Family::Meta, FORMAT_KEY)? else {
            let mut commit = self.begin();
            let bytes =
                codec::encode(FORMAT, &FORMAT_VERSION).map_err(|error| self.damaged("the format version", &error))?;
            commit.put(Family::Meta, FORMAT_KEY, &bytes);
            return self.commit(commit);
        };
        let newer = |found| StorageError::NewerFormat { path: self.path.clone(), found, known: FORMAT_VERSION };
        match codec::decode::<u32>(FORMAT, &bytes) {
            Ok(FORMAT_VERSION) => Ok(()),
            Ok(found) => Err(newer(found)),
            Err(CodecError::Newer { found, .. }) => Err(newer(u32::from(found))),
            Err(error) => Err(self.damaged("the format version", &error)),
        }
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
        Commit::new(self)
    }

    /// Writes a commit: all of it or nothing.
    ///
    /// # Errors
    /// [`StorageError`]; after the first failure every later commit fails with [`StorageError::Latched`].
    pub fn commit(&self, commit: Commit<'_>) -> Result<(), StorageError> {
        if let Some(cause) = self.latched.get() {
            return Err(StorageError::Latched { path: self.path.clone(), cause: cause.clone() });
        }
        self.db.write_opt(commit.batch, &self.write_options).map_err(|error| self.latch("write", error))
    }

    /// Writes a commit as [`Database::commit`] does, but does not force it to the disk: a killed process loses nothing, a
    /// power cut may take back the newest. Other threads than the writer's may call it.
    ///
    /// # Errors
    /// As [`Database::commit`].
    pub fn note(&self, commit: Commit<'_>) -> Result<(), StorageError> {
        if let Some(cause) = self.latched.get() {
            return Err(StorageError::Latched { path: self.path.clone(), cause: cause.clone() });
        }
        self.db.write(commit.batch).map_err(|error| self.latch("write", error))
    }

    /// Writes a commit and forces it to the disk whatever [`Settings::sync`] says. For a small write beside the writer's
    /// own, to keys that the writer does not write: commits of several threads go one behind the other.
    ///
    /// # Errors
    /// As [`Database::commit`].
    pub fn commit_synced(&self, commit: Commit<'_>) -> Result<(), StorageError> {
        if let Some(cause) = self.latched.get() {
            return Err(StorageError::Latched { path: self.path.clone(), cause: cause.clone() });
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(commit.batch, &options).map_err(|error| self.latch("write", error))
    }

    fn latch(&self, action: &'static str, error: rocksdb::Error) -> StorageError {
        let failure = classify(&self.path, action, &error.into_string());
        let _ = self.latched.set(failure.to_string());
        failure
    }

    /// The first failed write, if any.
    pub fn failure(&self) -> Option<&str> {
        self.latched.get().map(String::as_str)
    }

    /// A value.
    ///
    /// # Errors
    /// [`StorageError`] if it cannot be read.
    pub fn get(&self, family: Family, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, StorageError> {
        self.db
            .get_pinned_cf(self.handle(family), key)
            .map_err(|error| classify(&self.path, "read", &error.into_string()))
    }

    /// Keys and values from `from` on, upwards.
    pub fn scan<'a>(
        &'a self,
        family: Family,
        from: &[u8],
    ) -> impl Iterator<Item = Result<Entry, StorageError>> + use<'a> {
        self.iterate(family, IteratorMode::From(from, Direction::Forward))
    }

    /// Keys and values from `from` (inclusive) on, downwards.
    pub fn scan_back<'a>(
        &'a self,
        family: Family,
        from: &[u8],
    ) -> impl Iterator<Item = Result<Entry, StorageError>> + use<'a> {
        self.iterate(family, IteratorMode::From(from, Direction::Reverse))
    }

    fn iterate<'a>(
        &'a self,
        family: Family,
        mode: IteratorMode<'_>,
    ) -> impl Iterator<Item = Result<Entry, StorageError>> + use<'a> {
        self.db
            .iterator_cf(self.handle(family), mode)
            .map(|item| item.map_err(|error| classify(&self.path, "read", &error.into_string())))
    }

    /// Moves all memtables to their files and forces them to the disk, so that nothing waits in the log.
    ///
    /// # Errors
    /// [`StorageError`] if the disk refuses.
    pub fn flush(&self) -> Result<(), StorageError> {
        self.db.flush_wal(true).map_err(|error| self.latch("flush the log", error))?;
        for family in Family::ALL {
            self.db.flush_cf(self.handle(family)).map_err(|error| self.latch("flush", error))?;
        }
        Ok(())
    }

    /// Compacts a family's keys from `from` to `to`, to give back the space of what was removed or expired.
    pub fn compact(&self, family: Family, from: Option<&[u8]>, to: Option<&[u8]>) {
        self.db.compact_range_cf(self.handle(family), from, to);
    }

    /// Sizes on disk and in memory.
    pub fn usage(&self) -> Usage {
        let memtables: u64 = Family::ALL
            .iter()
            .filter_map(|&family| {
                self.db.property_int_value_cf(self.handle(family), rocksdb::properties::CUR_SIZE_ALL_MEM_TABLES).ok()
            })
            .flatten()
            .sum();
        Usage { disk: folder_bytes(&self.path), memory: memtables + self.cache.get_usage() as u64 }
    }

    #[expect(clippy::expect_used, reason = "open() creates every family or fails, and families are never dropped")]
    pub(crate) fn handle(&self, family: Family) -> &ColumnFamily {
        self.db.cf_handle(family.name()).expect("every family is open")
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Refuses a directory that holds something else, before anything is created in it.
fn check_ours(directory: &Path, folder: &Path) -> Result<(), StorageError> {
    let foreign = |found: String| StorageError::Foreign { path: directory.to_owned(), found };
    if folder.join("CURRENT").exists() {
        let families = DB::list_cf(&Options::default(), folder)
            .map_err(|error| classify(directory, "read the database", &error.into_string()))?;
        let known = |name: &String| name == "default" || Family::ALL.iter().any(|family| family.name() == name);
        return match families.into_iter().find(|name| !known(name)) {
            Some(unknown) => Err(foreign(format!("it has an unknown column family {unknown}"))),
            None => Ok(()),
        };
    }
    let entries =
        std::fs::read_dir(directory).map_err(|error| classify(directory, "list the folder", &error.to_string()))?;
    let ours = [FOLDER, crate::reference::FOLDER, "lost+found"];
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !ours.iter().any(|known| name == *known) {
            return Err(foreign(format!("it holds {}", name.to_string_lossy())));
        }
    }
    Ok(())
}

/// What RocksDB and the file system say, as an error that says what to do.
pub(crate) fn classify(path: &Path, action: &'static str, detail: &str) -> StorageError {
    let path = path.to_owned();
    let lower = detail.to_lowercase();
    if lower.contains("no space left") || lower.contains("disk quota") {
        StorageError::DiskFull { path }
    } else if lower.contains("lock") && ["unavailable", "held by", "hold by"].iter().any(|words| lower.contains(words))
    {
        StorageError::InUse { path }
    } else if lower.starts_with("corruption") || (lower.contains("no such file") && lower.contains(FOLDER)) {
        StorageError::Damaged { path, what: "the database".to_owned(), detail: detail.to_owned() }
    } else {
        StorageError::Io { path, action, detail: detail.to_owned() }
    }
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
