//! RocksDB's MANIFEST as the tally records it: which one, how long, and its checksum.
//!
//! RocksDB appends to the MANIFEST that `CURRENT` names, and begins a new one with a higher number at every opening. So
//! the recorded part must still be there, or a newer MANIFEST.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The beginning of a MANIFEST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManifestMark {
    number: u64,
    length: u64,
    crc: u32,
}

impl ManifestMark {
    /// The current MANIFEST, forced to the disk if it has grown; none if there is none. `before` is what was known
    /// about it.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn of(folder: &Path, before: Option<Self>) -> io::Result<Option<Self>> {
        let Some((number, path)) = current(folder)? else { return Ok(None) };
        let before = before.filter(|before| before.number == number);
        let mut mark = before.clone().unwrap_or(Self { number, length: 0, crc: 0 });
        let mut file = match File::open(path) {
            Ok(file) => file,
            // A newer one was made meanwhile: the next look finds it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(before),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(mark.length))?;
        let mut more = Vec::new();
        file.read_to_end(&mut more)?;
        if !more.is_empty() {
            file.sync_data()?;
            mark.length += more.len() as u64;
            mark.crc = crc32c::crc32c_append(mark.crc, &more);
        }
        Ok(Some(mark))
    }

    /// What is wrong with the current MANIFEST, if it is not this one or a newer one.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn check(&self, folder: &Path) -> io::Result<Option<String>> {
        let Some((number, path)) = current(folder)? else {
            return Ok(Some(format!("CURRENT is missing or unreadable, it should name MANIFEST-{:06}", self.number)));
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if number != self.number {
            let older = number < self.number;
            return Ok(older.then(|| format!("CURRENT names {name}, which is older than MANIFEST-{:06}", self.number)));
        }
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => file.take(self.length).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(format!("{name} is missing"))),
            Err(error) => return Err(error),
        };
        Ok(if (bytes.len() as u64) < self.length {
            Some(format!("{name} was cut short: it had {} bytes, it has {}", self.length, bytes.len()))
        } else if crc32c::crc32c(&bytes) != self.crc {
            Some(format!("{name} is damaged: checksum mismatch"))
        } else {
            None
        })
    }
}

/// Number and path of the MANIFEST that `CURRENT` names; none if it names none.
fn current(folder: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    let bytes = match std::fs::read(folder.join("CURRENT")) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned();
    let number = name.strip_prefix("MANIFEST-").and_then(|number| number.parse().ok());
    Ok(number.map(|number| (number, folder.join(name))))
}

/// Makes `CURRENT` name the newest existing MANIFEST, if it names none that exists.
///
/// # Errors
/// The file system refuses.
pub(crate) fn mend_current(folder: &Path) -> io::Result<()> {
    if current(folder)?.is_some_and(|(_, path)| path.exists()) {
        return Ok(());
    }
    let mut newest = None;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("MANIFEST-").and_then(|number| number.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, name)));
    }
    match newest {
        Some((_, name)) => std::fs::write(folder.join("CURRENT"), format!("{name}\n")),
        None => Ok(()),
    }
}
