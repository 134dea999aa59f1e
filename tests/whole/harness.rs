//! Running the real binary: replays with their results read back, processes that are waited for, HTTP.
//!
//! Nothing here sleeps to wait for something: output is read until the wanted line comes, a process is waited for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Anything that is awaited comes within this, or the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test, without settings of the caller's environment.
pub(crate) fn platewatch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_platewatch"));
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

/// A replay to be run.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) command: Command,
    pub(crate) out: PathBuf,
    input: Option<Vec<u8>>,
}

impl Replay {
    /// Of this file into this folder, quietly.
    pub(crate) fn new(file: impl AsRef<OsStr>, out: &Path) -> Self {
        let mut command = platewatch();
        command.arg("replay").arg(file).arg("--quiet").arg("--out").arg(out);
        Self { command, out: out.to_owned(), input: None }
    }

    pub(crate) fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives it these bytes as standard input.
    pub(crate) fn input(mut self, bytes: &[u8]) -> Self {
        self.input = Some(bytes.to_owned());
        self
    }

    pub(crate) fn run(mut self) -> Ended {
        let Some(input) = self.input.take() else {
            return self.command.stdin(Stdio::null()).output().unwrap().into();
        };
        let mut child =
            self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feeding = std::thread::spawn(move || stdin.write_all(&input).unwrap());
        let ended = child.wait_with_output().unwrap().into();
        feeding.join().unwrap();
        ended
    }

    /// Runs it, demands success and reads what it wrote.
    #[track_caller]
    pub(crate) fn results(self) -> Results {
        let out = self.out.clone();
        self.run().done();
        Results::read(&out)
    }
}

/// What a replay wrote.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) alerts: String,
    pub(crate) rejects: String,
    pub(crate) summary: Value,
}

impl Results {
    #[track_caller]
    pub(crate) fn read(out: &Path) -> Self {
        let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        Self {
            alerts: text("alerts.jsonl"),
            rejects: text("rejects.jsonl"),
            summary: serde_json::from_str(&text("summary.json")).unwrap(),
        }
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap_or_else(|| panic!("{name} in {}", self.summary))
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.summary["rejected"]["total"].as_u64().unwrap()
    }

    pub(crate) fn by_kkmc(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.summary["by_kkmc"].clone()).unwrap()
    }

    pub(crate) fn alerts(&self) -> Vec<Value> {
        self.alerts.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn rejects(&self) -> Vec<Value> {
        self.rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The accounting identity of the contract.
    #[track_caller]
    pub(crate) fn adds_up(&self) {
        let parts = ["headers", "blank", "duplicates", "accepted"].map(|name| self.count(name));
        assert_eq!(self.count("lines"), parts.iter().sum::<u64>() + self.rejected(), "{}", self.summary);
        assert_eq!(self.rejects.lines().count() as u64, self.rejected());
        assert_eq!(self.alerts.lines().count() as u64, self.count("alerts"));
        assert_eq!(self.by_kkmc().values().sum::<u64>(), self.count("accepted"));
        let shards: Vec<u64> = serde_json::from_value(self.summary["by_shard"].clone()).unwrap();
        assert_eq!(shards.iter().sum::<u64>(), self.count("accepted"));
    }

    /// Byte for byte the same, except the clock's part of the summary.
    #[track_caller]
    pub(crate) fn equals(&self, other: &Self, when: &str) {
        assert_eq!(self.timeless(), other.timeless(), "{when}");
        assert!(self.alerts == other.alerts, "alerts.jsonl differs: {when}");
        assert!(self.rejects == other.rejects, "rejects.jsonl differs: {when}");
    }

    fn timeless(&self) -> Value {
        let mut summary = self.summary.clone();
        let fields = summary.as_object_mut().unwrap();
        assert!(fields.remove("elapsed_seconds").is_some() && fields.remove("records_per_second").is_some());
        summary
    }
}

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

    fn start_with(mut command: Command, input: Stdio) -> Self {
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

/// The body of a GET, whatever its status.
#[track_caller]
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    answer(agent().get(format!("http://{address}{path}")).call())
}

/// The `data` of an envelope that says success.
#[track_caller]
pub(crate) fn get_data(address: &str, path: &str) -> Value {
    data(get(address, path), path)
}

/// The `data` of an answer to a POST.
#[track_caller]
pub(crate) fn post_data(address: &str, path: &str, body: &Value) -> Value {
    data(answer(agent().post(format!("http://{address}{path}")).send_json(body)), path)
}

/// The status and the body of an answer to a POST.
#[track_caller]
pub(crate) fn post(address: &str, path: &str, body: &Value) -> (u16, String) {
    answer(agent().post(format!("http://{address}{path}")).send_json(body))
}

/// The status and the body of an answer to a PATCH.
#[track_caller]
pub(crate) fn patch(address: &str, path: &str, body: &Value) -> (u16, String) {
    answer(agent().patch(format!("http://{address}{path}")).send_json(body))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

#[track_caller]
fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut response = answer.unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[track_caller]
fn data((status, body): (u16, String), path: &str) -> Value {
    let envelope: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
    assert_eq!((status, &envelope["code"], &envelope["msg"]), (200, &200.into(), &"success".into()), "{path}: {body}");
    envelope["data"].clone()
}

/// Prints a measured number, even if the output of a passing test is captured.
pub(crate) fn tell(what: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{what}");
}

/// A small random number generator (SplitMix64, Steele, Lea and Flood 2014): the same seed, the same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True once in `times` times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What a process that has ended left on its standard error.
pub(crate) fn rest_of(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = std::io::Read::read_to_string(stderr, &mut text);
    }
    text
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
