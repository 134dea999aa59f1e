//! Restoring a backup: every file is read and compared with its sum before anything is written, and once more on its way.
//!
//! IMPORTANT: `CURRENT`, without which no database opens, is written last, and tables are written first: a directory whose restore was
//! killed is refused by everything that opens it, and by the next restore as not empty.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::error::{At as _, BackupError};
use super::files::{self, Filling, room, sync_folders};
use super::manifest::{Kept, Manifest};
use super::take::{DATA, MODEL};
use crate::store::{Frozen, StoreError};

/// Problems that are named; the others are only counted.
const NAMED: usize = 20;

/// Reads the manifest and every file of a backup. `progress` is told how many bytes of how many were read.
///
/// # Errors
/// [`BackupError`] that names every file which is missing or damaged.
pub fn check(backup: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(backup)?;
    let (mut read, all) = (0, manifest.bytes());
    let mut problems = Vec::new();
    for file in &manifest.files {
        problems.extend(problem(backup, file, &mut |bytes| {
            read += bytes;
            progress(read, all);
        }));
    }
    if problems.is_empty() {
        return Ok(manifest);
    }
    if problems.len() > NAMED {
        let more = problems.len() - NAMED;
        problems.truncate(NAMED);
        problems.push(format!("and {more} more"));
    }
    Err(BackupError::Damaged { path: backup.to_owned(), problems })
}

fn problem(backup: &Path, file: &Kept, on_read: files::OnRead<'_>) -> Option<String> {
    let (path, name) = (backup.join(&file.path), &file.path);
    match fs::metadata(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Some(format!("{name} is missing"));
        }
        Err(error) => return Some(format!("{name} cannot be read ({error})")),
        Ok(about) if about.len() != file.bytes => {
            return Some(format!("{name} has {} bytes instead of {}", about.len(), file.bytes));
        }
        Ok(_) => {}
    }
    match files::sum(&path, on_read) {
        Err(error) => Some(format!("{name} cannot be read ({error})")),
        Ok(sum) => (sum.sha256 != file.sha256).then(|| format!("{name} has another checksum")),
    }
}

/// Restores a backup that was checked into an empty folder, and its flow model into another, if one is named.
///
/// # Errors
/// [`BackupError`]; then the folders are as they were.
pub fn restore(
    backup: &Path,
    manifest: &Manifest,
    data_dir: &Path,
    model: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), BackupError> {
    let needed = manifest.bytes();
    let filling = Filling::begin(data_dir)?;
    let filling_model = model.map(Filling::begin).transpose()?;
    if let Some(free) = room(data_dir).filter(|free| *free < needed) {
        return Err(BackupError::Room { path: data_dir.to_owned(), needed, free });
    }
    let mut files: Vec<(&Kept, &str, &Path)> = Vec::new();
    for file in &manifest.files {
        match (file.path.split_once('/'), model) {
            (Some((DATA, path)), _) => files.push((file, path, data_dir)),
            (Some((MODEL, path)), Some(model)) => files.push((file, path, model)),
            _ => {}
        }
    }
    files.sort_by_key(|(_, path, _)| turn(path));
    let mut done = 0;
    for (file, path, folder) in files {
        // What is only named when all else is there.
        if is_current(path) {
            sync_folders(data_dir)?;
            fail::fail_point!("restore::before-current");
        }
        let (from, to) = (backup.join(&file.path), folder.join(path));
        let above = to.parent().unwrap_or(folder);
        fs::create_dir_all(above).at("make", above)?;
        let copied = files::copy(&from, &to, u64::MAX, &mut |bytes| {
            done += bytes;
            progress(done, needed);
        })?;
        if copied.sha256 != file.sha256 {
            let problems = vec![format!("{} changed while it was read", file.path)];
            return Err(BackupError::Damaged { path: backup.to_owned(), problems });
        }
        fail::fail_point!("restore::file");
    }
    for folder in [Some(data_dir), model].into_iter().flatten() {
        sync_folders(folder)?;
        files::sync_above(folder)?;
    }
    compare(data_dir, manifest)?;
    filling.finish();
    if let Some(filling) = filling_model {
        filling.finish();
    }
    Ok(())
}

/// The order in which files are written.
fn turn(path: &str) -> u8 {
    match path {
        path if is_current(path) => 2,
        path if path.starts_with(storage::DATABASE) => 0,
        _ => 1,
    }
}

fn is_current(path: &str) -> bool {
    path.strip_prefix(storage::DATABASE) == Some("/CURRENT")
}

/// Whether the restored directory opens and holds as much as was noted.
fn compare(data_dir: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    match Frozen::open(data_dir) {
        Ok(frozen) if manifest.passages.is_none_or(|passages| passages == frozen.rows()) => Ok(()),
        Ok(frozen) => {
            let words = format!("it has {} passages, and {:?} were noted", frozen.rows(), manifest.passages);
            Err(BackupError::NotWhole(words))
        }
        // `serve` brings it to the current format.
        Err(StoreError::OldFormat(_)) => Ok(()),
        Err(error) => Err(BackupError::NotWhole(error.to_string())),
    }
}
