//! The program as a process: run to its end, or running beside the test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use super::wait::{LONG, wait_until};

/// The program under test: `PLATEWATCH_BINARY`, or what was built with the tests.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("PLATEWATCH_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_platewatch").into(), PathBuf::from)
}

/// The binary under test, without settings of the caller's environment.
pub(crate) fn platewatch() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("PLATEWATCH__") {
            command.env_remove(name);
        }
    }
    command
}

/// A new temporary folder.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("platewatch-test-").tempdir().unwrap()
}

/// The result of a process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Checks that it failed with this exit code and one sentence that holds all these parts, and did not panic.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.one_sentence(parts);
    }

    /// Standard error is one sentence of the program that holds all these parts.
    #[track_caller]
    pub(crate) fn one_sentence(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in: {}", self.stderr);
        }
        let sentences: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("platewatch: ")).collect();
        assert_eq!(sentences.len(), 1, "not one sentence: {}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Its exit code, standard output and standard error.
    pub(crate) fn parts(self) -> (Option<i32>, String, String) {
        (self.code, self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn done(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }
}

/// Runs a command to its end.
pub(crate) fn run<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Ended {
    platewatch().args(args).stdin(Stdio::null()).output().unwrap().into()
}

/// Lines of `simulate`, with enough clones to find some.
pub(crate) fn simulated(count: u64, seed: u64, more: &[&str]) -> Vec<u8> {
    let (count, seed) = (count.to_string(), seed.to_string());
    let mut command = platewatch();
    command.args(["simulate", "--count", &count, "--seed", &seed, "--clone-every", "100"]).args(more);
    let output = command.output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// Runs a command that must succeed; returns what it wrote.
#[track_caller]
pub(crate) fn done<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> String {
    let ended = run(args);
    ended.done();
    ended.stdout
}

/// Prints a measured number, even if the output of a passing test is captured.
pub(crate) fn tell(what: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{what}");
}

/// What a process that has ended left on its standard error.
pub(crate) fn rest_of(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = std::io::Read::read_to_string(stderr, &mut text);
    }
    text
}

/// A number of `/proc/…/status` in KiB, such as `VmHWM`.
pub(crate) fn memory_kib(id: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// A running program whose output goes to the end of a file. It is killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; both its outputs go to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let output = File::options().append(true).create(true).open(log).unwrap();
        let streams = (output.try_clone().unwrap(), output);
        let child = command.stdin(Stdio::null()).stdout(streams.0).stderr(streams.1).spawn().unwrap();
        Self { child, log: log.to_owned() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap().success());
    }

    /// Fails the test if it has ended by itself.
    #[track_caller]
    pub(crate) fn must_run(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended by itself: {ended:?}\n{}", self.log());
    }

    /// `kill -9`; it must run until then.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.must_run();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: it must end in order. Returns how long that took.
    #[track_caller]
    pub(crate) fn stop(self) -> Duration {
        let began = Instant::now();
        self.signal("-TERM");
        let log = self.log.clone();
        let status = self.wait();
        assert!(status.success(), "{status}:\n{}", text_of(&log));
        began.elapsed()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self) -> ExitStatus {
        wait_until(LONG, "the end of the program", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }

    /// All that was written to its file, also by programs before it.
    pub(crate) fn log(&self) -> String {
        text_of(&self.log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a file that may not be there yet.
pub(crate) fn text_of(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}
