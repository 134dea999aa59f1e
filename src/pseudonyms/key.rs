//! The key in its file: one line of 64 hexadecimal digits, which only its owner may read. It knows no plate.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const BYTES: usize = 32;
const MODE: u32 = 0o600;
/// Longer files are no key.
const MAX_FILE_BYTES: u64 = 1024;

/// A key of plates: 256 random bits.
pub struct PlateKey([u8; BYTES]);

/// The key file cannot be used or made; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Somebody else may read it.
    #[error("the plate key {} may be read by others (mode {mode:03o}): run chmod 600 on it, and make a new one if others had access", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It does not hold a key.
    #[error("{} is no plate key: it must hold 64 hexadecimal digits; `platewatch plate-key new FILE` makes one", .0.display())]
    NoKey(PathBuf),
    /// There is a file already.
    #[error("{} exists already: a key that is overwritten is lost, and with it the plates behind all its pseudonyms; name another file", .0.display())]
    Exists(PathBuf),
    /// It cannot be read or written.
    #[error("the plate key {}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    NoRandomness(getrandom::Error),
}

impl fmt::Debug for PlateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PlateKey")
    }
}

impl PlateKey {
    /// Reads the key of a file.
    ///
    /// # Errors
    /// [`KeyError`] if there is none, or if others may read it.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::read_beside(path, std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).as_deref())
    }

    /// systemd gives credentials to a service by an access list, which shows as read access of the group.
    fn read_beside(path: &Path, credentials: Option<&Path>) -> Result<Self, KeyError> {
        let others = if credentials.is_some_and(|folder| path.starts_with(folder)) { 0o037 } else { 0o077 };
        let failed = |error| KeyError::Io { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & others != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        let read = file.take(MAX_FILE_BYTES).read_to_string(&mut text);
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => KeyError::NoKey(path.to_owned()),
            _ => failed(error),
        })?;
        Self::parse(text.trim()).ok_or_else(|| KeyError::NoKey(path.to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut key = [0; BYTES];
        if text.len() != 2 * BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(key))
    }

    /// Makes a new key in a new file.
    ///
    /// # Errors
    /// [`KeyError`], also if the file exists.
    pub fn make(path: &Path) -> Result<Self, KeyError> {
        let mut key = [0; BYTES];
        getrandom::fill(&mut key).map_err(KeyError::NoRandomness)?;
        let text: String = key.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
        let written = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(Self(key)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(KeyError::Exists(path.to_owned())),
            Err(error) => Err(KeyError::Io { path: path.to_owned(), error }),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn of(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plates.key");
        let made = PlateKey::make(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, MODE);
        assert_eq!(PlateKey::read(&path).unwrap().0, made.0);
        assert!(matches!(PlateKey::make(&path), Err(KeyError::Exists(_))));
        assert_ne!(PlateKey::make(&folder.path().join("other")).unwrap().0, made.0);
        for mode in [0o640, 0o604, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = PlateKey::read(&path).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(PlateKey::read_beside(&path, Some(folder.path())).is_ok(), "a credential of systemd");
        assert!(PlateKey::read_beside(&path, Some(Path::new("/nowhere"))).is_err());
    }

    #[test]
    fn nothing_else_is_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plates.key");
        let long = "0".repeat(65);
        for text in [&b""[..], b"00", b"\xff\xfe", b"+f", long.as_bytes()] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(MODE)).unwrap();
            assert!(matches!(PlateKey::read(&path), Err(KeyError::NoKey(_))), "{text:?}");
        }
        assert!(matches!(PlateKey::read(&folder.path().join("none")), Err(KeyError::Io { .. })));
    }
}
