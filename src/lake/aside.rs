//! Files that are no longer part of a lake. They may be the only copy of their rows, so they are kept under a name that readers pass
//! over. It does not know which files these are.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::LakeError;

/// Whether two files hold different bytes. One that is not there differs from nothing.
///
/// # Errors
/// [`LakeError`] if one cannot be read.
pub(super) fn differs(fresh: &Path, old: &Path) -> Result<bool, LakeError> {
    let mut other = match File::open(old) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(LakeError::io(old)(error)),
    };
    let mut file = File::open(fresh).map_err(LakeError::io(fresh))?;
    let length = |file: &File, path| file.metadata().map(|found| found.len()).map_err(LakeError::io(path));
    if length(&file, fresh)? != length(&other, old)? {
        return Ok(true);
    }
    let (mut one, mut two) = (Vec::new(), Vec::new());
    loop {
        one.clear();
        two.clear();
        file.by_ref().take(1 << 16).read_to_end(&mut one).map_err(LakeError::io(fresh))?;
        other.by_ref().take(1 << 16).read_to_end(&mut two).map_err(LakeError::io(old))?;
        if one != two {
            return Ok(true);
        }
        if one.is_empty() {
            return Ok(false);
        }
    }
}

/// Gives the file at `path` a name that readers pass over, and says so in the log. Where the file system has links it is at `path`
/// still, for whoever reads until it is replaced or removed.
///
/// # Errors
/// [`LakeError`] if it cannot be renamed.
pub(super) fn keep(path: &Path) -> Result<PathBuf, LakeError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
    let aside = |number: u64| path.with_file_name(format!(".{name}.replaced-{}", now + number));
    let number = (0..u64::MAX).find(|number| !aside(*number).exists()).unwrap_or_default();
    let aside = aside(number);
    if std::fs::hard_link(path, &aside).is_err() {
        std::fs::rename(path, &aside).map_err(LakeError::io(path))?;
    }
    tracing::warn!(
        file = %path.display(),
        kept = %aside.display(),
        "a file of the lake held other rows than the data directory has for it: it is kept under another name"
    );
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_differ_by_a_byte_or_by_their_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let long = vec![7; 200_000];
        let mut other = long.clone();
        other[150_000] = 8;
        for (name, bytes) in [("a", &long[..]), ("same", &long[..]), ("other", &other[..]), ("short", &long[..9])] {
            std::fs::write(path(name), bytes).unwrap();
        }
        let found = ["same", "other", "short", "none"].map(|name| differs(&path("a"), &path(name)).unwrap());
        assert_eq!(found, [false, true, true, false]);
    }

    #[test]
    fn each_that_is_kept_has_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let kept = ["a", "b", "c"].map(|text| {
            std::fs::write(folder.path().join("fresh"), text).unwrap();
            std::fs::rename(folder.path().join("fresh"), &path).unwrap();
            keep(&path).unwrap()
        });
        for (path, text) in kept.iter().zip(["a", "b", "c"]) {
            assert_eq!(std::fs::read_to_string(path).unwrap(), text);
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(name.starts_with(".x.parquet.replaced-"), "{name}");
        }
    }
}
