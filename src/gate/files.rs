//! The files `access/accounts.json`, `access/sessions.json` and `access/uses.json` of a data directory. Each is replaced as a whole, so a reader never
//! sees half of one; changes of accounts hold a lock, so that the command line may change them while a process serves.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use access::{AccountError, Accounts, Session, TokenId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::trail::TrailError;

const ACCOUNTS: &str = "accounts.json";
const SESSIONS: &str = "sessions.json";
const USES: &str = "uses.json";
const LOCK: &str = "lock";
/// The version of the files' layout.
const FORMAT: u32 = 1;

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its text is not what this program writes.
    #[error(
        "{path} cannot be read: {detail}. Nobody is let in on a guess: restore the file, or remove it and add the users again"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The change is not allowed.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// It cannot be recorded, so nothing was changed.
    #[error("nothing was changed, because the audit log cannot be written: {0}")]
    Trail(#[from] TrailError),
}

/// What identifies a version of a file: when it was written, how long it is, and which file it is.
pub(super) type Stamp = Option<(SystemTime, u64, u64)>;

/// The files of one data directory.
#[derive(Debug, Clone)]
pub struct AccountFiles {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    format: u32,
    /// XXH3 of the content as compact JSON, 16 hexadecimal digits. Without it (a file of an earlier program) nothing is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    content: serde_json::Value,
}

impl Versioned {
    fn of<T: Serialize>(content: &T) -> serde_json::Result<Self> {
        let content = serde_json::to_value(content)?;
        Ok(Self { format: FORMAT, checksum: Some(checksum(&content)?), content })
    }
}

fn checksum(content: &serde_json::Value) -> serde_json::Result<String> {
    Ok(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&serde_json::to_vec(content)?)))
}

impl AccountFiles {
    /// The files below `data_dir`.
    pub fn below(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(storage::ACCESS) }
    }

    /// All users and tokens; none without the file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub fn accounts(&self) -> Result<Accounts, FilesError> {
        self.read(ACCOUNTS)
    }

    /// Changes users or tokens, and stores them durably. Nobody else changes them meanwhile.
    ///
    /// # Errors
    /// [`FilesError`], and what `change` returns; then nothing has changed.
    pub fn change<T>(&self, change: impl FnOnce(&mut Accounts) -> Result<T, AccountError>) -> Result<T, FilesError> {
        self.change_and_record(change, |_| Ok(()))
    }

    /// As [`AccountFiles::change`]. What is changed is recorded before it is stored.
    ///
    /// # Errors
    /// [`FilesError`], and what `change` and `record` return; then nothing has changed.
    pub fn change_and_record<T>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<T, AccountError>,
        record: impl FnOnce(&T) -> Result<(), TrailError>,
    ) -> Result<T, FilesError> {
        self.make_folder()?;
        let path = self.folder.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| FilesError::Io { path, error })?;
        let mut accounts = self.accounts()?;
        let done = change(&mut accounts)?;
        record(&done)?;
        self.write(ACCOUNTS, &accounts)?;
        drop(lock);
        Ok(done)
    }

    pub(super) fn sessions(&self) -> Result<Vec<Session>, FilesError> {
        self.read(SESSIONS)
    }

    pub(super) fn write_sessions(&self, sessions: &[Session]) -> Result<(), FilesError> {
        self.make_folder()?;
        self.write(SESSIONS, &sessions)
    }

    /// When tokens were last used, as a process noted it last.
    ///
    /// # Errors
    /// [`FilesError`].
    pub fn last_uses(&self) -> Result<BTreeMap<TokenId, i64>, FilesError> {
        self.read(USES)
    }

    pub(super) fn write_last_uses(&self, uses: &BTreeMap<TokenId, i64>) -> Result<(), FilesError> {
        self.make_folder()?;
        self.write(USES, uses)
    }

    /// Which version of the accounts is stored; none without the file.
    pub(super) fn stamp(&self) -> Stamp {
        use std::os::unix::fs::MetadataExt as _;
        let about = std::fs::metadata(self.folder.join(ACCOUNTS)).ok()?;
        Some((about.modified().ok()?, about.len(), about.ino()))
    }

    fn make_folder(&self) -> Result<(), FilesError> {
        storage::make_private_folder(&self.folder).map_err(|error| FilesError::Io { path: self.folder.clone(), error })
    }

    fn read<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, FilesError> {
        let path = self.folder.join(name);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
            Err(error) => return Err(FilesError::Io { path, error }),
        };
        let damaged = |path: PathBuf, detail: String| FilesError::Damaged { path, detail };
        // The version first: the layout of a later one is not known.
        let read: Versioned =
            serde_json::from_slice(&text).map_err(|error| damaged(path.clone(), error.to_string()))?;
        if read.format != FORMAT {
            return Err(damaged(path, format!("it is of format {}, and this program knows {FORMAT}", read.format)));
        }
        let found = checksum(&read.content).map_err(|error| damaged(path.clone(), error.to_string()))?;
        if read.checksum.is_some_and(|written| written != found) {
            return Err(damaged(path, "its checksum is another: a byte is not what was written".to_owned()));
        }
        serde_json::from_value(read.content).map_err(|error| damaged(path, error.to_string()))
    }

    fn write<T: Serialize>(&self, name: &str, content: &T) -> Result<(), FilesError> {
        let path = self.folder.join(name);
        let written = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer_pretty(&mut file, &Versioned::of(content)?)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&self.folder)?.sync_all()
        };
        written().map_err(|error| FilesError::Io { path: path.clone(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::{Role, User, UserName};

    fn user(name: &str) -> User {
        User {
            area: None,
            name: UserName::parse(name).unwrap(),
            shown: name.to_owned(),
            roles: vec![Role::Viewer].into(),
            password: None,
            must_change: false,
            disabled: false,
            made_at: 0,
            password_at: 0,
        }
    }

    #[test]
    fn changes_are_kept_and_many_at_once_lose_none() {
        let folder = tempfile::tempdir().unwrap();
        let files = AccountFiles::below(&folder.path().join("data"));
        assert!(files.accounts().unwrap().are_empty() && files.stamp().is_none());
        std::thread::scope(|scope| {
            for number in 0..8 {
                let files = files.clone();
                scope.spawn(move || files.change(|accounts| accounts.add(user(&format!("user{number}")))).unwrap());
            }
        });
        assert_eq!(files.accounts().unwrap().users().len(), 8);
        let before = files.stamp();
        assert!(files.change(|accounts| accounts.add(user("user1"))).is_err());
        assert_eq!(files.stamp(), before, "a refused change writes nothing");
    }

    #[test]
    fn only_the_owner_may_read_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let files = AccountFiles::below(folder.path());
        files.change(|accounts| accounts.add(user("wang"))).unwrap();
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(files.folder.clone()), mode(files.folder.join(ACCOUNTS))), (0o700, 0o600));
    }

    #[test]
    fn a_damaged_file_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let files = AccountFiles::below(folder.path());
        files.change(|accounts| accounts.add(user("wang"))).unwrap();
        let path = files.folder.join(ACCOUNTS);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in [
            &text[..text.len() / 2],
            "",
            "{}",
            &text.replace("\"format\": 1", "\"format\": 2"),
            &text.replace("viewer", "king"),
            // What could be true and was not written.
            &text.replace("viewer", "admin"),
            &text.replace("wang", "wanf"),
        ] {
            std::fs::write(&path, damaged).unwrap();
            let error = files.accounts().unwrap_err().to_string();
            assert!(error.contains("accounts.json cannot be read"), "{error}");
        }
        // A program before this one wrote no checksum.
        let earlier: String = text.lines().filter(|line| !line.contains("\"checksum\"")).collect();
        std::fs::write(&path, earlier).unwrap();
        assert_eq!(files.accounts().unwrap().users().len(), 1);
    }
}
