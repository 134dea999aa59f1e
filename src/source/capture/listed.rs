//! The files that a list of files and folders names. It opens none of them.

use std::path::{Path, PathBuf};

use crate::source::SourceError;

/// How deep folders may lie in one another.
const MOST_FOLDERS: usize = 16;

/// The files, with each folder replaced by the Parquet files in it and below, in the order of their paths. As in Spark, names that
/// begin with `_` or `.` are passed over.
///
/// # Errors
/// [`SourceError`] if a folder cannot be read, or holds no such file.
pub fn listed(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        collect(path, MOST_FOLDERS, &mut files)?;
        if files.len() == before {
            return Err(SourceError::Refused(format!(
                "{} is a directory without Parquet files: name the capture files in it",
                path.display()
            )));
        }
    }
    Ok(files)
}

fn collect(folder: &Path, deeper: usize, files: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let failed = |error| SourceError::Refused(format!("cannot read {}: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if path.is_dir() && deeper > 0 {
            collect(&path, deeper - 1, files)?;
        } else if name.ends_with(".parquet") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_the_parquet_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in
            ["date=2/b.parquet", "date=1/c.parquet", "date=1/.x.parquet", "_temporary/d.parquet", "a.csv", "_SUCCESS"]
        {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), "x").unwrap();
        }
        let found = listed(&[path("a.csv"), folder.path().to_owned()]).unwrap();
        assert_eq!(found, [path("a.csv"), path("date=1/c.parquet"), path("date=2/b.parquet")]);
        let error = listed(&[path("_temporary/..")]).map(|files| files.len());
        assert_eq!(error, Ok(2));
        let empty = tempfile::tempdir().unwrap();
        let error = listed(&[empty.path().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("is a directory without Parquet files"), "{error}");
    }
}
