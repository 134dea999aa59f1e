//! An appliance with mirrors, and their state as its status shows it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Appliance, Ended, LONG, wait_until};

/// Short deadlines and pauses, to keep tests fast; they go below `[mycat]`.
pub(crate) const HASTY_MYSQL: &str =
    "connect_timeout = \"2s\"\nstatement_timeout = \"3s\"\nretry_max = \"1s\"\ncheck_interval = \"1s\"\n";
/// The same for `[redis]`.
pub(crate) const HASTY_REDIS: &str =
    "connect_timeout = \"2s\"\nresponse_timeout = \"2s\"\nretry_max = \"500ms\"\ncheck_interval = \"200ms\"\n";

impl Appliance {
    /// Starts it and waits until it answers. `sections` is the configuration but for `data_dir` and `[api]`.
    pub(crate) fn start_with(&mut self, sections: &str) {
        self.configure(&format!("data_dir = {:?}\n{sections}", self.data()), "");
        self.start();
    }

    /// `verify-mirror` with the configuration of the last start: its exit code and output.
    pub(crate) fn verify_mirror(&self) -> (Option<i32>, String) {
        let ended = Ended::from(self.command("verify-mirror").output().unwrap());
        (ended.code, ended.stdout + &ended.stderr)
    }

    /// The mirror of this name in the status.
    pub(crate) fn mirror(&self, name: &str) -> Value {
        let status = self.status();
        let mirrors = status["mirrors"].as_array().unwrap();
        mirrors.iter().find(|mirror| mirror["name"] == name).unwrap_or_else(|| panic!("{name} in {status}")).clone()
    }

    /// A number of the mirror of this name.
    pub(crate) fn number(&self, name: &str, field: &str) -> u64 {
        self.mirror(name)[field].as_u64().unwrap_or_else(|| panic!("{field} of {name}"))
    }

    /// Waits until the mirror of this name fulfils `condition`.
    pub(crate) fn wait_for(&self, name: &str, what: &str, condition: impl Fn(&Value) -> bool) {
        let mut last = Value::Null;
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(status) = self.get("/api/status") {
                last =
                    status["mirrors"].as_array().unwrap().iter().find(|mirror| mirror["name"] == name).unwrap().clone();
                if condition(&last) {
                    return;
                }
            }
            assert!(Instant::now() < deadline, "{name}: {what}, but {last}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the source has ended and all mirrors are up to date.
    pub(crate) fn wait_until_level(&self) {
        wait_until(LONG * 2, "the source ends", || self.status()["source"]["state"] == "finished");
        let names: Vec<String> = self.status()["mirrors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mirror| mirror["name"].as_str().unwrap().to_owned())
            .collect();
        assert!(!names.is_empty());
        for name in names {
            self.wait_for(&name, "it gets level", |mirror| mirror["state"] == "level" && mirror["lag_rows"] == 0);
        }
    }
}
