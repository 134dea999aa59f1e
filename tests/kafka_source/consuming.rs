//! An appliance that consumes a topic, and what it found there.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Appliance, LONG};

impl Appliance {
    /// An appliance with its files in `dir`, not started. `extra` is TOML below `[kafka.properties]`.
    pub(crate) fn consuming(dir: &Path, bootstrap: &str, topic: &str, extra: &str) -> Self {
        let appliance = Self::new(dir);
        let settings = format!(
            "data_dir = {data:?}\n[source]\nkind = \"kafka\"\n[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\n\
             memory = \"64MiB\"\n[kafka]\nbrokers = \"{bootstrap}\"\ntopic = \"{topic}\"\ngroup = \"{topic}\"\n\
             [kafka.properties]\nreconnect.backoff.max.ms = 1000\n{extra}\n",
            data = appliance.data(),
        );
        appliance.configure(&settings, "");
        appliance
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
        let deadline = Instant::now() + LONG;
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
            let answer = self.post("/api/query", &body);
            let records = answer.data()["records"].as_array().unwrap();
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
