//! Files that only their owner may read, since they hold passages and plates.

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;
/// What group and others may do.
const OTHERS: u32 = 0o077;

/// From now on this process creates files with mode 0600 and folders with mode 0700, also those that libraries create.
#[expect(unsafe_code, reason = "the standard library cannot set the mask")]
pub fn set_private_umask() {
    // SAFETY: umask takes any number, touches no memory and cannot fail.
    unsafe { libc::umask(OTHERS as libc::mode_t) };
}

/// Makes a folder with mode 0700, and those above it as usual.
///
/// # Errors
/// The file system refuses.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(FOLDER).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Removes all rights of group and others from a folder and all that is in it; returns how many files and folders were
/// open to them. Files of another user stay unchanged. Links are not followed.
pub fn close_to_others(path: &Path) -> u64 {
    let Ok(about) = std::fs::symlink_metadata(path) else { return 0 };
    let mut closed = u64::from(close(path, &about));
    if about.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        closed += entries.map(|entry| close_to_others(&entry.path())).sum::<u64>();
    }
    closed
}

fn close(path: &Path, about: &Metadata) -> bool {
    let mode = if about.is_dir() {
        FOLDER
    } else if about.is_file() {
        FILE
    } else {
        return false;
    };
    about.mode() & OTHERS != 0 && std::fs::set_permissions(path, Permissions::from_mode(mode)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_open_to_others_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("file"), b"x").unwrap();
        for (path, mode) in [(inner.join("file"), 0o644), (inner.clone(), 0o755), (folder.path().join("a"), 0o755)] {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(close_to_others(&folder.path().join("a")), 3);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join("file"))), (0o700, 0o600));
        assert_eq!(close_to_others(&folder.path().join("a")), 0);
        let made = folder.path().join("c/d");
        make_folder(&made).unwrap();
        make_folder(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
    }
}
