//! Files on their way into a backup or out of one: copied or linked, with their checksums. It does not know what they hold.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::{At as _, BackupError};
use super::manifest::hex;

const PIECE: usize = 1 << 20;
const MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// What was read: how much, and its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Is told how many bytes were read.
pub(super) type OnRead<'a> = &'a mut dyn FnMut(u64);

/// The sum of a file.
pub(super) fn sum(path: &Path, on_read: OnRead<'_>) -> io::Result<Sum> {
    pieces(&mut File::open(path)?, on_read, |_| Ok(()))
}

/// The sum of some bytes.
pub(super) fn sum_of(bytes: &[u8]) -> Sum {
    Sum { bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
}

/// Copies the first `length` bytes of a file into a new one, on the disk before it returns.
pub(super) fn copy(from: &Path, to: &Path, length: u64, on_read: OnRead<'_>) -> Result<Sum, BackupError> {
    let mut source = File::open(from).at("read", from)?.take(length);
    let mut target = create(to)?;
    let written = pieces(&mut source, on_read, |piece| target.write_all(piece)).at("copy to", to)?;
    target.sync_all().at("write", to)?;
    Ok(written)
}

/// Writes a new file, on the disk before it returns.
pub(super) fn write(to: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut file = create(to)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).at("write", to)
}

fn create(path: &Path) -> Result<File, BackupError> {
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).at("make", path)
}

fn pieces(from: &mut impl Read, on_read: OnRead<'_>, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Sum> {
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; PIECE];
    loop {
        let piece = match from.read(&mut buffer) {
            Ok(0) => return Ok(Sum { bytes, sha256: hex(&sum.finalize()) }),
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sum.update(piece);
        each(piece)?;
        bytes += piece.len() as u64;
        on_read(piece.len() as u64);
    }
}

/// A folder that is filled, and emptied again unless it becomes whole.
#[derive(Debug)]
pub(super) struct Filling {
    path: PathBuf,
    was_there: bool,
    is_whole: bool,
}

impl Filling {
    /// Begins with a folder that does not exist or is empty.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupError> {
        let was_there = path.exists();
        if was_there && !is_empty(path).at("list", path)? {
            return Err(BackupError::NotEmpty(path.to_owned()));
        }
        if !was_there {
            let above = path.parent().filter(|above| !above.as_os_str().is_empty());
            above.map_or(Ok(()), fs::create_dir_all).at("make", path)?;
            // Of two that begin at the same time one makes it, and only that one may take it away again.
            match fs::DirBuilder::new().mode(FOLDER_MODE).create(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(BackupError::NotEmpty(path.to_owned()));
                }
                made => made.at("make", path)?,
            }
        }
        Ok(Self { path: path.to_owned(), was_there, is_whole: false })
    }

    /// It is whole and stays.
    pub(super) fn finish(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if self.is_whole {
            return;
        }
        if !self.was_there {
            let _ = fs::remove_dir_all(&self.path);
            return;
        }
        for entry in
            fs::read_dir(&self.path).into_iter().flatten().flatten().filter(|entry| !is_found(&entry.file_name()))
        {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

/// What every file system of its own has.
fn is_found(name: &std::ffi::OsStr) -> bool {
    name == "lost+found"
}

fn is_empty(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        if !is_found(&entry?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Forces the names in all folders from `path` downwards to the disk.
pub(super) fn sync_folders(path: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(path).at("list", path)? {
        let entry = entry.at("list", path)?.path();
        if entry.is_dir() {
            sync_folders(&entry)?;
        }
    }
    File::open(path).and_then(|folder| folder.sync_all()).at("write", path)
}

/// Forces the name of a folder itself to the disk.
pub(super) fn sync_above(path: &Path) -> Result<(), BackupError> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(above).and_then(|folder| folder.sync_all()).at("write", above)
}

/// Whether two folders lie on the same file system; true if that cannot be told.
pub(super) fn is_on_one_disk(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => one.dev() == other.dev(),
        _ => true,
    }
}

/// Bytes that may still be written where `path` is or will be.
pub(super) fn room(path: &Path) -> Option<u64> {
    let place = path.ancestors().find(|place| place.exists())?;
    let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
    let room = rustix::fs::statvfs(place).ok()?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_become_whole_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/new");
        let filling = Filling::begin(&new).unwrap();
        fs::create_dir(new.join("data")).unwrap();
        write(&new.join("data/file"), b"x").unwrap();
        drop(filling);
        assert!(!new.exists());
        let there = folder.path().join("there");
        fs::create_dir_all(there.join("lost+found")).unwrap();
        let filling = Filling::begin(&there).unwrap();
        fs::create_dir(there.join("data")).unwrap();
        drop(filling);
        assert!(there.join("lost+found").exists() && !there.join("data").exists());
        let filling = Filling::begin(&there).unwrap();
        write(&there.join("file"), b"x").unwrap();
        filling.finish();
        assert!(matches!(Filling::begin(&there), Err(BackupError::NotEmpty(_))));
        assert!(there.join("file").exists());
    }

    #[test]
    fn a_copy_has_the_sum_of_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, b"0123456789").unwrap();
        let mut read = 0;
        let copied = copy(&from, &to, 4, &mut |bytes| read += bytes).unwrap();
        assert_eq!((copied, read, fs::read(&to).unwrap()), (sum_of(b"0123"), 4, b"0123".to_vec()));
        assert_eq!(sum(&to, &mut |_| {}).unwrap(), sum_of(b"0123"));
        assert!(copy(&from, &to, 4, &mut |_| {}).is_err(), "nothing is replaced");
    }
}
