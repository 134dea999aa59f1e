//! `backup.json`: what a backup holds, with the size and the checksum of each file, and a checksum of itself. Golden: a newer
//! format is refused by name.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::{At as _, BackupError};

/// Its name.
pub(super) const FILE: &str = "backup.json";
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program that took it.
    pub program: String,
    /// When it was begun, UTC.
    pub made_at: String,
    /// The data directory.
    pub source: String,
    /// How many changes the database had taken at least.
    pub sequence: u64,
    /// Passages; none of a directory that a newer program must bring to its format first.
    pub passages: Option<u64>,
    /// The newest GCSJ.
    pub newest: Option<String>,
    /// Every file but this one.
    pub files: Vec<Kept>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its path below the backup.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    format: u32,
    /// Of `content` as compact JSON.
    sha256: String,
    content: serde_json::Value,
}

impl Manifest {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Writes it, on the disk before it returns.
    pub(super) fn write(&self, backup: &Path) -> Result<(), BackupError> {
        let path = backup.join(FILE);
        let write = || -> io::Result<()> {
            let content = serde_json::to_value(self)?;
            let sha256 = checksum(&content)?;
            let mut file = tempfile::Builder::new().prefix(".backup").tempfile_in(backup)?;
            serde_json::to_writer_pretty(&mut file, &Versioned { format: FORMAT, sha256, content })?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(backup)?.sync_all()
        };
        write().at("write", &path)
    }

    /// Reads that of a backup.
    ///
    /// # Errors
    /// [`BackupError`] if there is none, or it is not as it was written.
    pub fn read(backup: &Path) -> Result<Self, BackupError> {
        let path = backup.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(BackupError::Unfinished(backup.to_owned()));
            }
            Err(error) => return Err(error).at("read", &path),
        };
        let damaged = |detail: String| BackupError::Manifest { path: path.clone(), detail };
        // The version first: the layout of a later one is not known.
        let read: Versioned = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if read.format > FORMAT {
            return Err(BackupError::Newer { path, found: read.format, known: FORMAT });
        }
        if checksum(&read.content).map_err(|error| damaged(error.to_string()))? != read.sha256 {
            return Err(damaged("its checksum is another: a byte is not what was written".to_owned()));
        }
        let manifest: Self = serde_json::from_value(read.content).map_err(|error| damaged(error.to_string()))?;
        match manifest.files.iter().find(|file| !is_within(&file.path)) {
            Some(file) => Err(damaged(format!("it names {:?}, which leads out of it", file.path))),
            None => Ok(manifest),
        }
    }
}

/// Whether a path leads into the backup, and below each of its parts: an empty part would make the rest of it an absolute path.
fn is_within(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn checksum(content: &serde_json::Value) -> serde_json::Result<String> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(content)?)))
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let file = Kept { path: "data/rocksdb/CURRENT".to_owned(), bytes: 16, sha256: "00".repeat(32) };
        Manifest {
            program: "0.1.0".to_owned(),
            made_at: "2026-11-28T00:00:00Z".to_owned(),
            source: "/var/lib/platewatch/data".to_owned(),
            sequence: 7,
            passages: Some(5),
            newest: None,
            files: vec![file],
        }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_not_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Manifest::read(folder.path()), Err(BackupError::Unfinished(_))));
        sample().write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), sample());
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in
            ["", "{}", &text[..text.len() / 2], &text.replace("16", "17"), &text.replace("CURRENT", "CURREN_")]
        {
            std::fs::write(&path, damaged).unwrap();
            let error = Manifest::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains("backup.json is damaged") && error.contains("use another backup"), "{error}");
        }
        std::fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("has format 2, and this program knows 1"), "{error}");
    }

    #[test]
    fn a_path_that_leads_out_of_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["../x", "/etc/passwd", "data/../../x", "", "data//etc/x", "model/./x", "data/"] {
            let mut manifest = sample();
            manifest.files[0].path = path.to_owned();
            manifest.write(folder.path()).unwrap();
            assert!(Manifest::read(folder.path()).unwrap_err().to_string().contains("leads out of it"), "{path}");
        }
    }
}
