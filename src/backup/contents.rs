//! What lies in a data directory beside database and reference data, and which of it a backup takes. Every file there is
//! replaced whole or appended to; so a file of the same inode that is not shorter still begins with what it held. Only the head of
//! the audit log is written in place: it is read at once, as all that is tiny.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::error::{At as _, BackupError};

/// Files up to this are read at once.
const TINY: u64 = 4096;
/// Nothing of ours lies deeper.
const DEEPEST: usize = 16;
/// What is not taken from the folder itself: what is copied otherwise, locks, and the tally, which is a check and not data.
const NOT_TAKEN: [&str; 5] =
    [storage::DATABASE, storage::REFERENCE, storage::BACKUP_WORK, storage::IN_USE, "lost+found"];
/// What is not taken from `access`: nobody stays logged in over a restore.
const NOT_OF_ACCESS: [&str; 3] = ["access/sessions.json", "access/lock", "access/audit/probe"];

/// A file as it was when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Below the data directory.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// What is in it, if it is tiny.
    pub(super) content: Option<Vec<u8>>,
    inode: (u64, u64),
}

impl Found {
    /// Whether what it held then can still be read.
    pub(super) fn is_as_it_was(&self, folder: &Path) -> bool {
        let about = fs::metadata(folder.join(&self.path));
        self.content.is_some() || about.is_ok_and(|about| inode(&about) == self.inode && about.len() >= self.bytes)
    }
}

/// All files that a backup takes, beside database and reference data.
pub(super) fn found(folder: &Path) -> Result<Vec<Found>, BackupError> {
    let mut all = Vec::new();
    look(folder, "", DEEPEST, &mut all)?;
    all.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(all)
}

fn look(folder: &Path, below: &str, depth: usize, all: &mut Vec<Found>) -> Result<(), BackupError> {
    let place = folder.join(below);
    for entry in fs::read_dir(&place).at("list", &place)? {
        let path = entry.at("list", &place)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Err(BackupError::Name(path)) };
        let relative = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if !is_taken(&relative, name) {
            continue;
        }
        match fs::metadata(&path) {
            // It may lead anywhere, also back here.
            Ok(about) if about.is_dir() && path.is_symlink() => return Err(BackupError::Link(path)),
            Ok(about) if about.is_dir() && depth > 0 => look(folder, &relative, depth - 1, all)?,
            Ok(about) if about.is_file() => {
                let content = (about.len() <= TINY).then(|| fs::read(&path)).transpose().at("read", &path)?;
                let bytes = content.as_ref().map_or(about.len(), |content| content.len() as u64);
                all.push(Found { path: relative, bytes, content, inode: inode(&about) });
            }
            Ok(_) => {}
            // It was removed or replaced just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).at("read", &path),
        }
    }
    Ok(())
}

fn is_taken(path: &str, name: &str) -> bool {
    // What begins with a dot or ends so is being written, and takes a name when it is whole.
    let is_part = name.starts_with('.') || name.ends_with(".part");
    let is_aside = path.starts_with(&format!("{}.damaged", storage::REFERENCE));
    !is_part
        && !is_aside
        && !NOT_TAKEN.contains(&path)
        && !storage::TALLY.contains(&path)
        && !NOT_OF_ACCESS.contains(&path)
}

/// Disk and number: what a file is, under whatever name.
pub(super) fn inode(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_taken_but_what_is_named_here() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            "access/accounts.json",
            "access/audit/2026-11-28.jsonl",
            "access/audit/head",
            "flow-history/2026-11",
            "prove.json",
            "what/others/put/there",
        ];
        let not = [
            ".prove.json.part",
            "access/audit/2026-11-28.part",
            "access/lock",
            "access/sessions.json",
            "backup-work/lock",
            "in-use",
            "reference.damaged-1/db",
            "reference/db",
            "rocksdb/CURRENT",
            "tally-0",
            "tally-1",
        ];
        for name in files.iter().chain(&not) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let all = found(folder.path()).unwrap();
        assert_eq!(all.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), files);
        assert!(all.iter().all(|file| file.content.as_deref() == Some(file.path.as_bytes())));
    }

    #[test]
    fn a_file_that_grew_is_as_it_was_and_one_that_was_replaced_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day");
        fs::write(&path, vec![b'x'; 5000]).unwrap();
        let [day] = found(folder.path()).unwrap().try_into().unwrap();
        assert!(day.is_as_it_was(folder.path()));
        fs::write(&path, vec![b'x'; 6000]).unwrap();
        assert!(day.is_as_it_was(folder.path()));
        fs::write(folder.path().join("other"), vec![b'y'; 6000]).unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        assert!(!day.is_as_it_was(folder.path()));
    }
}
