//! Real servers for tests, each in a temporary folder, on a free port of the loopback interface, with little memory:
//! MariaDB with the schema of `sql/`, Redis, and a proxy that treats connections badly. Nothing of the machine's own
//! servers (3306, 6379) is touched.
//!
//! A test binary takes it in with `#[path = "../servers/mod.rs"] mod servers;`. A server stops when its value is dropped;
//! when the whole test process dies, a watchdog beside it sees its pipe close, and does the same. A server that is not
//! installed fails the test with a sentence that says what to install.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod certificates;
pub(crate) mod mariadb;
pub(crate) mod proxy;
pub(crate) mod redis;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A server on a busy machine takes its time.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(120);

/// A running server and its watchdog.
pub(crate) struct Running {
    server: Child,
    watchdog: Child,
}

impl Running {
    /// Starts `command`, which logs to `log`; `folder` goes with it if the test process dies.
    pub(crate) fn start(command: &mut Command, log: &Path, folder: &Path, package: &str) -> Self {
        let output = std::fs::File::options().append(true).create(true).open(log).unwrap();
        let name = command.get_program().to_string_lossy().into_owned();
        let server = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be run ({error}): install the package {package}"));
        // Its standard input closes with this process, however that ends.
        let watchdog = Command::new("sh")
            .args(["-c", "read -r _; kill -9 \"$1\"; sleep 0.2; rm -rf \"$2\"", "sh", &server.id().to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { server, watchdog }
    }

    /// Sends a signal such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args([signal, &self.server.id().to_string()]).status();
    }

    /// Sends `signal` and waits for the end; after a while it is killed.
    pub(crate) fn end(mut self, signal: &str) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        self.signal("-CONT");
        self.signal(signal);
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.server.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                let _ = self.server.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Fails the test if the server ended by itself.
    pub(crate) fn must_run(&mut self, log: &Path) {
        let ended = self.server.try_wait().unwrap();
        assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", newest_lines(log));
    }

    /// Memory in use, in KiB (`VmRSS`).
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a tool to its end; fails the test if it cannot be run.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|error| panic!("{name} cannot be run ({error}): install the package {package}"))
}

/// Whether the tests run as root, from whom some servers want to be told.
pub(crate) fn is_root() -> bool {
    String::from_utf8_lossy(&run(Command::new("id").arg("-u"), "coreutils").stdout).trim() == "0"
}

/// The end of a log.
pub(crate) fn newest_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let skipped = text.lines().count().saturating_sub(60);
    text.lines().skip(skipped).collect::<Vec<_>>().join("\n")
}

/// A port that nobody listens on, below those that the system gives to outgoing connections: while a server is stopped
/// a client of it could otherwise be given the server's port, and even be connected to itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const RANGE: u16 = 12_000;
    loop {
        let start = (std::process::id().wrapping_mul(131) % u32::from(RANGE)) as u16;
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % RANGE;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks until `condition` holds; panics naming `what` when that takes longer than `limit`.
pub(crate) fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
