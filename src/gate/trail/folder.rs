//! The folder of the audit log: which files there are, and the lock with the newest head. It does not know what is in a day's
//! file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use access::trail::Head;

use super::error::{At as _, TrailError};

const FOLDER: &str = "audit";
const HEAD: &str = "head";
const PROBE: &str = "probe";
const ENDING: &str = ".jsonl";
/// Of a file that is going to take the place of a day's.
const PART: &str = ".part";
/// Characters of a day, such as 2026-11-28.
const DAY_CHARS: usize = 10;
/// Only the owner reads what others did.
const MODE: u32 = 0o600;
/// Bytes of a probe: more than an entry has.
const PROBE_BYTES: usize = 16 << 10;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder below a data directory.
    pub(super) fn below(data_dir: &Path) -> Self {
        Self { path: data_dir.join(storage::ACCESS).join(FOLDER) }
    }

    pub(super) fn make(&self) -> Result<(), TrailError> {
        let above = self.path.parent().unwrap_or(&self.path);
        storage::make_private_folder(above).and_then(|()| storage::make_private_folder(&self.path)).at(&self.path)
    }

    /// The days that have a file, oldest first; none without the folder.
    pub(super) fn days(&self) -> Result<Vec<String>, TrailError> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).at(&self.path),
        };
        let mut days = Vec::new();
        for entry in entries {
            let name = entry.at(&self.path)?.file_name();
            days.extend(
                name.to_str().and_then(|name| name.strip_suffix(ENDING)).filter(|day| is_day(day)).map(str::to_owned),
            );
        }
        days.sort_unstable();
        Ok(days)
    }

    /// The name of a day's file.
    pub(super) fn name(day: &str) -> String {
        format!("{day}{ENDING}")
    }

    pub(super) fn path(&self, day: &str) -> PathBuf {
        self.path.join(Self::name(day))
    }

    /// Opens a day's file to read it.
    pub(super) fn read(&self, day: &str) -> Result<File, TrailError> {
        let path = self.path(day);
        File::open(&path).at(&path)
    }

    /// Opens a day's file to append to it.
    pub(super) fn append(&self, day: &str) -> Result<File, TrailError> {
        let path = self.path(day);
        OpenOptions::new().create(true).append(true).read(true).mode(MODE).open(&path).at(&path)
    }

    /// Replaces a day's file with these bytes, on the disk before it returns. What a killed process left of it is replaced, too.
    pub(super) fn replace(&self, day: &str, bytes: &[u8]) -> Result<(), TrailError> {
        let part = self.path.join(format!("{day}{PART}"));
        let _ = std::fs::remove_file(&part);
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(MODE).open(&part)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&part, self.path(day))?;
            self.sync()
        };
        write().at(&part)
    }

    pub(super) fn remove(&self, day: &str) -> Result<(), TrailError> {
        let path = self.path(day);
        std::fs::remove_file(&path).at(&path)
    }

    /// Brings the names of the files to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Keeps all other writers out as long as the result lives.
    pub(super) fn lock(&self) -> Result<HeadFile, TrailError> {
        self.make()?;
        let path = self.path.join(HEAD);
        let open = || OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(MODE).open(&path);
        let file = open().and_then(|file| file.lock().map(|()| file)).at(&path)?;
        Ok(HeadFile(file))
    }

    /// Keeps all writers out, for reading; none where there is no log yet, or only a copy of its files.
    pub(super) fn lock_to_read(&self) -> Option<HeadFile> {
        let file = File::open(self.path.join(HEAD)).ok()?;
        file.lock_shared().ok()?;
        Some(HeadFile(file))
    }

    /// Whether there is room for another entry.
    pub(super) fn probe(&self) -> Result<(), TrailError> {
        self.make()?;
        let path = self.path.join(PROBE);
        let written = std::fs::write(&path, [0; PROBE_BYTES]).at(&path);
        let _ = std::fs::remove_file(&path);
        written
    }
}

fn is_day(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == DAY_CHARS && text.bytes().enumerate().all(fits)
}

/// The lock, and the newest head as it was noted.
#[derive(Debug)]
pub(super) struct HeadFile(File);

impl HeadFile {
    /// Digits of a number, so that the text has one length.
    const DIGITS: usize = 20;

    /// The head; none if nothing was noted yet.
    pub(super) fn read(&self) -> Option<Head> {
        let mut text = [0; Self::DIGITS + 65];
        self.0.read_exact_at(&mut text, 0).ok()?;
        Head::parse(std::str::from_utf8(&text).ok()?.trim_start_matches('0'))
    }

    /// Notes the head.
    pub(super) fn write(&self, head: Head) -> io::Result<()> {
        self.0.write_all_at(format!("{:0>width$}:{}\n", head.n, head.hash, width = Self::DIGITS).as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::trail::Hash;

    #[test]
    fn only_days_are_days() {
        let folder = tempfile::tempdir().unwrap();
        let files = Folder::below(folder.path());
        assert!(files.days().unwrap().is_empty() && files.lock_to_read().is_none());
        files.make().unwrap();
        for name in
            ["2026-11-28.jsonl", "2025-01-02.jsonl", "2026-11-28.jsonl.gz", "head", "x.jsonl", "2026-11-2x.jsonl"]
        {
            std::fs::write(files.path.join(name), "").unwrap();
        }
        assert_eq!(files.days().unwrap(), ["2025-01-02", "2026-11-28"]);
    }

    #[test]
    fn the_head_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Folder::below(folder.path()).lock().unwrap();
        assert_eq!(lock.read(), None);
        for n in [1, 100, u64::MAX] {
            let head = Head { n, hash: Hash::NONE };
            lock.write(head).unwrap();
            assert_eq!(lock.read(), Some(head));
        }
    }
}
