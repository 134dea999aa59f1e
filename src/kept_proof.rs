//! The newest proof of the detection as it is kept in a data directory: the report as JSON, without plates, replaced whole. `prove`
//! writes it beside the appliance, which serves it. It does not know what the numbers mean.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::prove::Report;

/// The name of the file.
pub const FILE: &str = "prove.json";
/// A larger file is not read.
const MAX_BYTES: u64 = 64 << 20;

/// A proof.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptProof {
    /// Its numbers.
    pub report: Report,
    /// When it was written, in seconds since 1970 UTC.
    pub kept_unix: i64,
}

/// The file while it is written.
fn part() -> String {
    format!(".{FILE}.part")
}

/// Replaces the proof of a data directory, with all of a report but the pairs: these name plates.
///
/// # Errors
/// It cannot be written; the one before stays.
pub fn keep(folder: &Path, report: &Report) -> std::io::Result<()> {
    let report = Report { pairs: Vec::new(), ..report.clone() };
    // A fixed name: what a killed process left is replaced.
    let part = part();
    let _ = std::fs::remove_file(folder.join(&part));
    let mut file = tempfile::Builder::new().prefix(&part).rand_bytes(0).tempfile_in(folder)?;
    let text = serde_json::to_string_pretty(&report)? + "\n";
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(folder.join(FILE))?;
    Ok(())
}

/// Reads the proof of a data directory; none if there is none.
///
/// # Errors
/// It cannot be read, or is not what this program writes.
pub fn read(folder: &Path) -> std::io::Result<Option<KeptProof>> {
    let file = match File::open(folder.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let written = file.metadata()?.modified()?;
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    let kept_unix = written.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    Ok(Some(KeptProof { report: serde_json::from_str(&text)?, kept_unix }))
}

/// Removes the plates that an earlier program kept with the proof, and the whole file if it cannot be read.
///
/// # Errors
/// It cannot be replaced or removed.
pub fn drop_plates(folder: &Path) -> std::io::Result<()> {
    // What a killed process left.
    let _ = std::fs::remove_file(folder.join(part()));
    match read(folder) {
        Ok(Some(proof)) if !proof.report.pairs.is_empty() => {
            keep(folder, &proof.report)?;
            // It is as old as it was.
            let written = UNIX_EPOCH + Duration::from_secs(proof.kept_unix.unsigned_abs());
            File::open(folder.join(FILE))?.set_modified(written)
        }
        Ok(_) => Ok(()),
        Err(_) => std::fs::remove_file(folder.join(FILE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let report = Report::sample();
        std::fs::write(folder.path().join(format!(".{FILE}.part")), "half of a report").unwrap();
        keep(folder.path(), &Report { seed: 4, ..report.clone() }).unwrap();
        keep(folder.path(), &report).unwrap();
        let kept = read(folder.path()).unwrap().unwrap();
        assert_eq!(kept.report, Report { pairs: Vec::new(), ..report });
        assert!(kept.kept_unix > 1_600_000_000);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_proof_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{", "{\"seed\":1}"] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert!(read(folder.path()).is_err(), "{text}");
        }
        assert!(keep(&folder.path().join("nowhere"), &Report::sample()).is_err());
    }

    #[test]
    fn plates_of_an_earlier_program_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        drop_plates(folder.path()).unwrap();
        let (path, report) = (folder.path().join(FILE), Report::sample());
        std::fs::write(&path, serde_json::to_string_pretty(&report).unwrap()).unwrap();
        let written = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::open(&path).unwrap().set_modified(written).unwrap();
        drop_plates(folder.path()).unwrap();
        let kept = KeptProof { report: Report { pairs: Vec::new(), ..report }, kept_unix: 1_700_000_000 };
        assert_eq!(read(folder.path()).unwrap(), Some(kept));
        std::fs::write(&path, "{\"pairs\":[{\"hphm\":\"苏C12345\"").unwrap();
        drop_plates(folder.path()).unwrap();
        assert!(!path.exists());
    }
}
