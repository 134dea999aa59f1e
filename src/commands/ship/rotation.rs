//! The files that rotation leaves beside a log, recognised by their names. It reads none of them.

use std::cmp::Reverse;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::place::modified;

/// Rotated files beside the log, the oldest first.
pub(super) fn rotated(path: &Path) -> Vec<(PathBuf, Metadata)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(name), Ok(entries)) = (path.file_name().and_then(|it| it.to_str()), std::fs::read_dir(folder)) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let suffix = rotation(name, entry.file_name().to_str()?)?;
            let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
            Some((modified(&metadata), Reverse(suffix), entry.path(), metadata))
        })
        .collect();
    // Two files of one moment: of `.1` and `.2` the second is older.
    files.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    files.into_iter().map(|(_, _, path, metadata)| (path, metadata)).collect()
}

/// The number of a rotated file's name, if `other` is one of the log `name`: 1 for `log.1` and `log.old`.
fn rotation(name: &str, other: &str) -> Option<u64> {
    let of = |suffix: &str| -> Option<u64> {
        let suffix = suffix.strip_prefix(['.', '-', '_'])?;
        if suffix == "old" {
            return Some(1);
        }
        let sound = suffix.starts_with(|first: char| first.is_ascii_digit())
            && suffix.chars().all(|it| it.is_ascii_digit() || matches!(it, '.' | '-' | '_' | ':' | 'T' | 'Z'));
        // A date is not a count: such files are ordered by their times alone.
        sound.then(|| suffix.parse().ok().filter(|&number| number < 100_000).unwrap_or(0))
    };
    let stem = || {
        let (stem, extension) = name.rsplit_once('.')?;
        other.strip_prefix(stem)?.strip_suffix(extension)?.strip_suffix('.')
    };
    other.strip_prefix(name).and_then(of).or_else(|| stem().and_then(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        let check =
            |name: &str, other: &str, expected: Option<u64>| assert_eq!(rotation(name, other), expected, "{other}");
        check("a.log", "a.log.1", Some(1));
        check("a.log", "a.log-20240101", Some(0));
        check("a.log", "a.log.2024-01-01_12:00", Some(0));
        check("a.log", "a.log.old", Some(1));
        check("a.log", "a.2.log", Some(2));
        check("a.log", "a-2024-01-01.log", Some(0));
        for other in ["a.log", "a.log.1.gz", "a.log.bak", "a.log.ship", "b.log", "a.b.log", "a.log."] {
            check("a.log", other, None);
        }
    }
}
