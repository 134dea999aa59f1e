//! A process whose standard error is read as it comes: nothing here sleeps to wait for something.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::program::{Ended, folder, platewatch};
use super::wait::PATIENCE;

/// A running process, whose standard error is read as it comes. It is killed when the test ends.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Running {
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    /// As [`Running::start`], with this as its standard input.
    pub(crate) fn start_with(mut command: Command, input: Stdio) -> Self {
        let mut child = command.stdin(input).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let Ok(line) = line else { break };
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, seen: String::new() }
    }

    /// Waits for a line on standard error that holds this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{part:?} did not come, but:\n{}", self.seen);
            };
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for a line on standard error that holds this, or for the end of it.
    #[track_caller]
    pub(crate) fn wait_or_end(&mut self, part: &str) -> Result<String, ()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                    if line.contains(part) {
                        return Ok(line);
                    }
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Err(()),
                Err(error) => panic!("{part:?} did not come ({error}), but:\n{}", self.seen),
            }
        }
    }

    /// What came on standard error so far.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "no process to signal");
    }

    /// Waits for its end; standard error is all of it.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("it does not end ({error}):\n{}", self.seen),
            }
        }
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout: String::new(), stderr: std::mem::take(&mut self.seen) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves a data directory without a source; also returns its address.
pub(crate) fn serve_nothing(data: &Path) -> (Running, String) {
    serve(&format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n"))
}

/// Serves what a configuration says, on any free port; a section `[api]` must come last and be open.
pub(crate) fn serve(config: &str) -> (Running, String) {
    serve_with(config, Stdio::null())
}

/// As [`serve`]; what it reads on standard input is written to the child's.
pub(crate) fn serve_fed(config: &str) -> (Running, String) {
    serve_with(config, Stdio::piped())
}

fn serve_with(config: &str, input: Stdio) -> (Running, String) {
    let folder = folder();
    let file = folder.path().join("platewatch.toml");
    let api = if config.contains("[api]\n") { "" } else { "[api]\n" };
    std::fs::write(&file, format!("{config}{api}listen = \"127.0.0.1:0\"\n")).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&file);
    if !config.contains("[predict]") {
        // The default model folder is below the working directory, which tests share.
        command.env("PLATEWATCH__PREDICT__TRAIN", "off");
    }
    let mut running = Running::start_with(command, input);
    let line = running.wait_for("address=");
    let address = line.split("address=").nth(1).unwrap().trim().to_owned();
    (running, address)
}
