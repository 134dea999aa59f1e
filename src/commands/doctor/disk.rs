//! The disk of the data directory: what kind it is, how much room it has, and how long it takes to keep a block.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::commands::connect::report::Report;

const DISK: &str = "disk";
const GIB: u64 = 1 << 30;
/// Room below which nothing should begin.
const LITTLE_ROOM: u64 = 5 * GIB;
/// How often a block is written, and its bytes.
const ROUNDS: usize = 16;
const BLOCK: [u8; 4096] = [0x5a; 4096];
/// With `store.sync = "commit"` each commit waits as long.
const SLOW: Duration = Duration::from_millis(50);
/// File systems that forget, or that several machines share: locks and forced writes are not what they are on a disk.
const FORGETFUL: [&str; 2] = ["tmpfs", "ramfs"];
const SHARED: [&str; 7] = ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph"];

pub(super) fn check(data_dir: &Path, report: &mut Report) {
    let place = existing(data_dir);
    let about = place.display();
    match std::fs::read_to_string("/proc/self/mounts").ok().and_then(|mounts| kind_of(&mounts, &place)) {
        Some(kind) if FORGETFUL.contains(&kind.as_str()) => {
            report.problem(
                DISK,
                format!("{about} is {kind}: everything is gone after a restart; name a disk in data_dir"),
            );
        }
        Some(kind) if SHARED.contains(&kind.as_str()) => {
            report.problem(
                DISK,
                format!("{about} is {kind}, a file system over the network: name a disk of this machine in data_dir"),
            );
        }
        Some(kind) => report.sound(DISK, format!("{about} is {kind}")),
        None => {}
    }
    match rustix::fs::statvfs(&place) {
        Err(error) => report.problem(DISK, format!("{about}: how much room there is cannot be asked: {error}")),
        Ok(room) => {
            let free = room.f_bavail.saturating_mul(room.f_frsize);
            let text = format!("{:.1} GiB are free", free as f64 / GIB as f64);
            if free < LITTLE_ROOM {
                report.problem(
                    DISK,
                    format!("{text}, too little: make room, shorten store.retention, or name another disk in data_dir"),
                );
            } else if room.f_files > 0 && room.f_favail < 10_000 {
                report.problem(DISK, format!("{text}, but only {} inodes: remove small files", room.f_favail));
            } else {
                report.sound(DISK, text);
            }
        }
    }
    match forced(&place) {
        Err(error) => report.problem(
            DISK,
            format!("{about} cannot be written by this account ({error}): run this as the account of the service, or chown it"),
        ),
        Ok(median) if median > SLOW => report.advice(
            DISK,
            format!("a block takes {} ms to be on the disk: commits wait as long; a faster disk, or store.sync = \"interval\"", median.as_millis()),
        ),
        Ok(median) => report.sound(DISK, format!("a block takes {:.1} ms to be on the disk", median.as_secs_f64() * 1000.0)),
    }
}

/// The folder, or the nearest one above it that is there.
fn existing(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.ancestors().find(|place| place.is_dir()).unwrap_or_else(|| Path::new("/")).to_owned()
}

/// The file system of a path: that of the longest mount point above it.
fn kind_of(mounts: &str, path: &Path) -> Option<String> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let all = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (_, place, kind) = (fields.next()?, fields.next()?, fields.next()?);
        let place = place.replace("\\040", " ");
        path.starts_with(&place).then(|| (place.len(), kind.to_owned()))
    });
    // The last one is on top.
    all.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

/// The median time until a block is on the disk.
fn forced(place: &Path) -> io::Result<Duration> {
    let file: File = tempfile::tempfile_in(place)?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        (&file).write_all(&BLOCK)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(ROUNDS / 2).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connect::report::Kind;

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\nnas:/x /srv/with\\040space nfs4 rw 0 0\n";
        let kind = |path: &str| kind_of(mounts, Path::new(path)).unwrap();
        assert_eq!(kind("/var/lib"), "ext4");
        assert_eq!(kind("/run/platewatch-not-there"), "tmpfs");
        assert_eq!(kind("/srv/with space/data"), "nfs4");
        assert_eq!(kind("/runner"), "ext4", "a name that begins alike is another folder");
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::default();
        check(&folder.path().join("data/below"), &mut report);
        assert!(!folder.path().join("data").exists(), "nothing is made");
        assert!(report.findings.iter().any(|finding| finding.text.contains("to be on the disk")), "{report:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_a_problem() {
        let mut report = Report::default();
        check(Path::new("/proc/self"), &mut report);
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.kind == Kind::Problem && finding.text.contains("cannot be written")),
            "{report:?}"
        );
    }
}
