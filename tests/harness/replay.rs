//! Replays, and what they wrote, read back.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::program::{Ended, platewatch};

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
    pub(crate) cases: String,
    pub(crate) rejects: String,
    pub(crate) summary: Value,
}

impl Results {
    #[track_caller]
    pub(crate) fn read(out: &Path) -> Self {
        let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        Self {
            alerts: text("alerts.jsonl"),
            cases: text("cases.jsonl"),
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

    pub(crate) fn cases(&self) -> Vec<Value> {
        self.cases.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
        assert_eq!(self.cases.lines().count() as u64, self.count("cases"));
        assert_eq!(self.by_kkmc().values().sum::<u64>(), self.count("accepted"));
        let shards: Vec<u64> = serde_json::from_value(self.summary["by_shard"].clone()).unwrap();
        assert_eq!(shards.iter().sum::<u64>(), self.count("accepted"));
    }

    /// Byte for byte the same, except the clock's part of the summary.
    #[track_caller]
    pub(crate) fn equals(&self, other: &Self, when: &str) {
        assert_eq!(self.timeless(), other.timeless(), "{when}");
        assert!(self.alerts == other.alerts, "alerts.jsonl differs: {when}");
        assert!(self.cases == other.cases, "cases.jsonl differs: {when}");
        assert!(self.rejects == other.rejects, "rejects.jsonl differs: {when}");
    }

    fn timeless(&self) -> Value {
        let mut summary = self.summary.clone();
        let fields = summary.as_object_mut().unwrap();
        assert!(fields.remove("elapsed_seconds").is_some() && fields.remove("records_per_second").is_some());
        summary
    }
}
