//! The process of a real server for tests: started on a free port, stopped, killed, suspended, and ended with the test.
//!
//! A server stops when its value is dropped; when the whole test process dies, a watchdog beside it sees its pipe close,
//! and does the same. It does not know which server it is.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A server needs long to start on a busy machine.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(120);
/// A server that takes longer to stop is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// A server's process, running or not.
#[derive(Default)]
pub(crate) struct Process(Option<Running>);

struct Running {
    server: Child,
    watchdog: Child,
}

impl Process {
    /// Starts `command`, which logs to `log`; `folder` goes with it if the test process dies.
    pub(crate) fn start(&mut self, command: &mut Command, log: &Path, folder: &Path, package: &str) {
        assert!(self.0.is_none(), "it runs");
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
        self.0 = Some(Running { server, watchdog });
    }

    /// Whether it was started and not stopped since.
    pub(crate) fn is_started(&self) -> bool {
        self.0.is_some()
    }

    /// Sends a signal such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        if let Some(running) = &self.0 {
            let _ = Command::new("kill").args([signal, &running.server.id().to_string()]).status();
        }
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(&mut self, signal: &str) {
        self.signal("-CONT");
        self.signal(signal);
        self.wait();
    }

    /// Waits until it has ended; after a while it is killed.
    pub(crate) fn wait(&mut self) {
        let Some(mut running) = self.0.take() else { return };
        let _ = running.watchdog.kill();
        let _ = running.watchdog.wait();
        let deadline = Instant::now() + STOP_DEADLINE;
        while running.server.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                let _ = running.server.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Fails the test if the server ended by itself.
    pub(crate) fn must_run(&mut self, log: &Path) {
        let ended = self.0.as_mut().and_then(|running| running.server.try_wait().unwrap());
        assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", newest_lines(log));
    }
}

/// The end of a log.
pub(crate) fn newest_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let skipped = text.lines().count().saturating_sub(60);
    text.lines().skip(skipped).collect::<Vec<_>>().join("\n")
}

/// A free port, below those that the system gives to outgoing connections: while a server is stopped
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
