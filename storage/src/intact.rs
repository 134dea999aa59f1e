//! Whether a database folder is whole, as far as its files show: before RocksDB opens it (which would delete files that
//! it does not know) and after.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::manifest;
use crate::tally::{Found, Record};
use crate::wal;

/// How RocksDB is to read its write-ahead logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// A torn tail is accepted; any other damage is an error.
    Strict,
    /// Up to the first damage.
    PointInTime,
}

/// Looks at a folder before it is opened: how to open it, or what is damaged.
///
/// # Errors
/// The file system refuses.
pub(crate) fn before_opening(folder: &Path, found: &Found) -> io::Result<Result<Recovery, String>> {
    let record = match found {
        Found::Record(record) => Some(&**record),
        Found::None | Found::Unreadable => None,
    };
    if !folder.is_dir() {
        let lost = record.is_some_and(|record| record.known().sequence > 0);
        return Ok(if lost { Err("the folder of the database is missing".to_owned()) } else { Ok(Recovery::Strict) });
    }
    if let Some(damage) = manifest_damage(folder, record)? {
        return Ok(Err(damage));
    }
    let Some(damage) = wal::check(folder)? else { return Ok(Ok(Recovery::Strict)) };
    // A power cut may leave anything after what was forced to the disk.
    let after_a_power_cut =
        record.is_some_and(|record| damage.newest && !record.same_boot() && damage.sequence >= record.known().sequence);
    if after_a_power_cut {
        tracing::warn!(
            %damage,
            "the machine went down while the write-ahead log was written: what was not forced to the disk is not taken"
        );
        return Ok(Ok(Recovery::PointInTime));
    }
    Ok(Err(damage.to_string()))
}

fn manifest_damage(folder: &Path, record: Option<&Record>) -> io::Result<Option<String>> {
    if let Some(mark) = record.and_then(|record| record.manifest.as_ref()) {
        return mark.check(folder);
    }
    if folder.join("CURRENT").exists() {
        return Ok(None);
    }
    // A process that was killed while it created a database leaves only a MANIFEST.
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "sst" || kind == "blob" || kind == "log") {
            return Ok(Some("CURRENT is missing".to_owned()));
        }
    }
    Ok(None)
}

/// Repairs what can be repaired in a damaged folder, so that it opens.
///
/// # Errors
/// The file system refuses.
pub(crate) fn mend(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { manifest::mend_current(folder) } else { Ok(()) }
}

const BLOB_MAGIC: [u8; 4] = 0x0024_8f37_u32.to_le_bytes();
const TABLE_MAGIC: [u8; 8] = 0x88e2_41b7_85f4_cff7_u64.to_le_bytes();

/// Number and bytes of the blob files of a folder. A file that does not begin like a blob file does not count: a killed
/// process may leave a part of one that nothing refers to.
///
/// # Errors
/// The file system refuses.
pub(crate) fn blobs(folder: &Path) -> io::Result<(u64, u64)> {
    let (mut count, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|kind| kind != "blob") {
            continue;
        }
        let mut file = match File::open(&path) {
            Ok(file) => file,
            // RocksDB has removed what it does not need.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let mut magic = [0; 4];
        if file.read_exact(&mut magic).is_ok() && magic == BLOB_MAGIC {
            (count, bytes) = (count + 1, bytes + file.metadata()?.len());
        }
    }
    Ok((count, bytes))
}

/// Whether a file ends like a table.
pub(crate) fn is_table(path: &Path) -> bool {
    let end = || -> io::Result<[u8; 8]> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-8))?;
        let mut magic = [0; 8];
        file.read_exact(&mut magic)?;
        Ok(magic)
    };
    end().is_ok_and(|magic| magic == TABLE_MAGIC)
}
