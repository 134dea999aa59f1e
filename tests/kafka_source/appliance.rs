//! `platewatch serve` as a process of its own, configured to consume a topic, asked over HTTP.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::broker::wait_until;

pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Appliance {
    config: PathBuf,
    log: PathBuf,
    url: String,
    process: Option<Child>,
}

impl Appliance {
    /// An appliance with its data below `dir`, not started. `extra` is TOML below `[kafka.properties]`.
    pub(crate) fn new(dir: &Path, bootstrap: &str, topic: &str, extra: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = dir.join("platewatch.toml");
        let text = format!(
            "data_dir = {data:?}\n[source]\nkind = \"kafka\"\n[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\n\
             memory = \"64MiB\"\n[api]\nlisten = \"127.0.0.1:{port}\"\n[kafka]\nbrokers = \"{bootstrap}\"\n\
             topic = \"{topic}\"\ngroup = \"{topic}\"\n[kafka.properties]\nreconnect.backoff.max.ms = 1000\n{extra}\n",
            data = dir.join("data"),
        );
        std::fs::write(&config, text).unwrap();
        Self { config, log: dir.join("log.txt"), url: format!("http://127.0.0.1:{port}"), process: None }
    }

    pub(crate) fn start(&mut self) {
        let log = std::fs::File::options().append(true).create(true).open(&self.log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_platewatch"))
            .args(["serve", "--config"])
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(child);
    }

    /// Starts and waits until it answers.
    pub(crate) fn start_and_wait(&mut self) {
        self.start();
        wait_until(PATIENCE, "the appliance answers", || self.get("/api/status").is_some());
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.process.take().unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself:\n{}", self.log());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; returns how long it took to end. It must end in order.
    pub(crate) fn stop(&mut self) -> Duration {
        let mut child = self.process.take().unwrap();
        let began = Instant::now();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        wait_until(PATIENCE, "the appliance stops", || child.try_wait().unwrap().is_some());
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}:\n{}", self.log());
        began.elapsed()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The text at `path`, if it answers with status 200.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build().new_agent();
        agent.get(&format!("{}{path}", self.url)).call().ok()?.into_body().read_to_string().ok()
    }

    /// Status and text of the answer at `path`, whatever it is.
    pub(crate) fn answer(&self, path: &str) -> (u16, String) {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let answer = agent.get(&format!("{}{path}", self.url)).call().unwrap();
        (answer.status().as_u16(), answer.into_body().read_to_string().unwrap())
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// The `data` of the answer at `path`.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let answer: Value = serde_json::from_str(&self.text(path)?).ok()?;
        Some(answer["data"].clone())
    }

    pub(crate) fn status(&self) -> Value {
        self.get("/api/status").unwrap_or_else(|| panic!("no status:\n{}", self.log()))
    }

    /// Lines read since the data directory was made.
    pub(crate) fn lines(&self) -> u64 {
        self.get("/api/status").and_then(|status| status["pipeline"]["lines"].as_u64()).unwrap_or(0)
    }

    /// How often the group has assigned or revoked partitions since it was started.
    pub(crate) fn rebalances(&self) -> u64 {
        self.get("/api/status").and_then(|status| status["source"]["kafka"]["rebalances"].as_u64()).unwrap_or(0)
    }

    /// Waits until exactly `lines` lines were read and the lag is 0.
    pub(crate) fn wait_for_lines(&self, lines: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.lines();
            assert!(now <= lines, "{now} lines were read of {lines}");
            if now == lines && self.status()["source"]["kafka"]["lag"] == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "{now} lines of {lines}: {}\n{}", self.status()["source"], self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// All alerts without their numbers, sorted.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        let mut alerts = Vec::new();
        for page in 1.. {
            let answer = self.get(&format!("/api/warnings?limit=500&page={page}")).unwrap();
            let records = answer["records"].as_array().unwrap().clone();
            if records.is_empty() {
                break;
            }
            alerts.extend(records);
        }
        sorted_without_numbers(alerts)
    }

    /// The GCXH of all passages.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for page in 1.. {
            let body = serde_json::json!({ "page": page, "limit": 500 });
            let answer = ureq::post(format!("{}/api/query", self.url)).send_json(body).unwrap();
            let answer: Value = answer.into_body().read_json().unwrap();
            let records = answer["data"]["records"].as_array().unwrap();
            ids.extend(records.iter().map(|record| record["GCXH"].as_str().unwrap().to_owned()));
            if records.is_empty() {
                break;
            }
        }
        ids
    }

    /// Passages by checkpoint as it was recorded.
    pub(crate) fn counts(&self) -> std::collections::BTreeMap<String, u64> {
        let answer = self.get("/api/stats/kkmc_count?limit=1000").unwrap();
        let entries = answer.as_array().unwrap().iter();
        entries.map(|entry| (entry["name"].as_str().unwrap().to_owned(), entry["value"].as_u64().unwrap())).collect()
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Alerts as the rule found them: without their numbers, and without the work on them, which a file does not contain.
pub(crate) fn sorted_without_numbers(mut alerts: Vec<Value>) -> Vec<Value> {
    for alert in &mut alerts {
        let alert = alert.as_object_mut().unwrap();
        for name in ["seq", "status", "version", "changed_at", "changed_by", "note"] {
            alert.remove(name);
        }
    }
    alerts.sort_by_key(|alert| (alert["id"].to_string(), alert.to_string()));
    alerts
}
