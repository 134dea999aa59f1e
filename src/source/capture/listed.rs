//! The files that a list of files and folders names. It opens none of them.

use std::path::{Path, PathBuf};

use crate::source::SourceError;

/// How deep folders may lie in one another.
const MOST_FOLDERS: usize = 16;

/// The files, with each folder replaced by the Parquet files in it and below, in the order of their paths. As in Spark, names that
/// begin with `_` or `.` are passed over. A link to a folder is not followed below one that was named: it may lead back, and
/// the same files would be read twice.
///
/// # Errors
/// [`SourceError`] if a folder cannot be read, holds no such file, or holds folders that lie too deep in one another.
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
    let found = entries.into_iter().map(|entry| Ok((entry.path(), entry.file_type()?)));
    let mut found = found.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    found.sort_by(|one, other| one.0.cmp(&other.0));
    for (path, kind) in found {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if kind.is_dir() {
            let deeper = deeper.checked_sub(1).ok_or_else(|| {
                SourceError::Refused(format!(
                    "{} lies too deep: folders may lie {MOST_FOLDERS} deep in one another; name one of those within",
                    path.display()
                ))
            })?;
            collect(&path, deeper, files)?;
        } else if name.ends_with(".parquet") && is_file(&path, kind) {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether it is a regular file, or a link to one. One that a link names and that is away is an error later, not nothing.
fn is_file(path: &Path, kind: std::fs::FileType) -> bool {
    kind.is_file() || (kind.is_symlink() && std::fs::metadata(path).map_or(true, |metadata| metadata.is_file()))
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

    #[test]
    fn links_lead_to_files_and_to_no_folder() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("a")).unwrap();
        std::fs::write(path("a/x.parquet"), "x").unwrap();
        symlink(".", path("a/itself")).unwrap();
        symlink(path("a"), path("again")).unwrap();
        symlink(path("a/x.parquet"), path("y.parquet")).unwrap();
        symlink(path("a"), path("z.parquet")).unwrap();
        let named = listed(&[folder.path().to_owned()]).unwrap();
        assert_eq!(named, [path("a/x.parquet"), path("y.parquet")]);
        assert_eq!(listed(&[path("again")]).unwrap(), [path("again/x.parquet")], "a link that was named is followed");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("fifo.parquet"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert_eq!(listed(&[folder.path().to_owned()]).unwrap(), named, "a pipe would be waited for");
    }

    #[test]
    fn folders_that_lie_too_deep_are_named_and_not_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let deep = |count: usize| (0..count).fold(folder.path().to_owned(), |path, _| path.join("d"));
        std::fs::create_dir_all(deep(MOST_FOLDERS)).unwrap();
        let file = deep(MOST_FOLDERS).join("x.parquet");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(listed(&[folder.path().to_owned()]).unwrap(), [file]);
        std::fs::create_dir(deep(MOST_FOLDERS + 1)).unwrap();
        let error = listed(&[folder.path().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("lies too deep"), "{error}");
    }
}
