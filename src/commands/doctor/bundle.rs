//! A support bundle: what was found, the settings without secrets, names and sizes of files, and the metrics of an appliance that
//! runs. There are no plates in any of these: the metrics name checkpoints and count.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::clock::unix_now;
use crate::commands::connect::report::Report;
use crate::config::Config;

/// Files that are listed at most, and bytes of an answer.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes the bundle, which only its owner can read. It replaces none.
pub(super) fn write(path: &Path, report: &Report, config: Option<&Config>) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(failed)?;
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    let mut found = Vec::new();
    report.write(&mut found)?;
    add(&mut archive, "doctor.txt", &found).with_context(failed)?;
    if let Some(config) = config {
        add(&mut archive, "settings.toml", config.to_shown().as_bytes()).with_context(failed)?;
        add(&mut archive, "files.txt", listing(&config.data_dir).as_bytes()).with_context(failed)?;
        for (name, address) in [("api", Some(config.api.listen)), ("metrics_listen", config.api.metrics_listen)] {
            let Some((200, body)) = address.and_then(|address| fetch(&address, "/metrics", PATIENCE)) else { continue };
            add(&mut archive, &format!("metrics-{name}.txt"), body.as_bytes()).with_context(failed)?;
        }
    }
    archive.into_inner().and_then(GzEncoder::finish).and_then(|file| file.sync_all()).with_context(failed)
}

fn add(archive: &mut tar::Builder<impl std::io::Write>, name: &str, body: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(body.len() as u64);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(unix_now()).unwrap_or(0));
    archive.append_data(&mut header, format!("platewatch-support/{name}"), body)
}

/// Every file of a folder with its size. The names are the program's own.
fn listing(folder: &Path) -> String {
    let mut lines = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                folders.push(entry.path());
            } else if lines.len() < MOST_FILES {
                let path = entry.path();
                let shown = path.strip_prefix(folder).unwrap_or(&path);
                lines.push(format!("{:>14} {}", about.len(), crate::plain::line(&shown.display().to_string())));
            }
        }
    }
    lines.sort_unstable_by(|one, other| one.get(15..).cmp(&other.get(15..)));
    lines.join("\n") + "\n"
}

/// Asks for a path by HTTP: the status and the body.
pub(super) fn fetch(address: &SocketAddr, path: &str, patience: Duration) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(address, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    stream.set_write_timeout(Some(patience)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
