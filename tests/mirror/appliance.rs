//! `platewatch serve` as a process of its own: started, killed, asked over HTTP.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::PATIENCE;
use crate::servers::{free_port, wait_until};

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

/// Short deadlines and pauses, to keep tests fast; they go below `[mycat]`.
pub(crate) const HASTY_MYSQL: &str =
    "connect_timeout = \"2s\"\nstatement_timeout = \"3s\"\nretry_max = \"1s\"\ncheck_interval = \"1s\"\n";
/// The same for `[redis]`.
pub(crate) const HASTY_REDIS: &str =
    "connect_timeout = \"2s\"\nresponse_timeout = \"2s\"\nretry_max = \"500ms\"\ncheck_interval = \"200ms\"\n";

/// An appliance, running or not.
pub(crate) struct Appliance {
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
    environment: Vec<(String, String)>,
}

impl Appliance {
    /// An appliance with its data below `folder`, not started.
    pub(crate) fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        Self { folder: folder.to_owned(), port: free_port(), process: None, environment: Vec::new() }
    }

    /// Sets a variable of its environment, from the next start on.
    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it and waits until it answers. `sections` is the configuration but for `data_dir` and `[api]`.
    pub(crate) fn start(&mut self, sections: &str) {
        assert!(self.process.is_none(), "it runs");
        let file = self.folder.join("platewatch.toml");
        let text = format!("data_dir = {:?}\n{sections}\n[api]\nlisten = \"127.0.0.1:{}\"\n", self.data(), self.port);
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::options().append(true).create(true).open(self.folder.join("log")).unwrap();
        let mut command = platewatch();
        command.args(["serve", "--config"]).arg(&file).envs(self.environment.iter().cloned());
        self.process = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        wait_until(PATIENCE, "the appliance answers", || {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", self.log());
            self.get("/api/status").is_some()
        });
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.process.take().unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself:\n{}", self.log());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM: it must end in order.
    pub(crate) fn stop(&mut self) {
        let mut child = self.process.take().unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        wait_until(PATIENCE, "the appliance stops", || child.try_wait().unwrap().is_some());
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}:\n{}", self.log());
    }

    /// `verify-mirror` with the configuration of the last start: its exit code and output.
    pub(crate) fn verify_mirror(&self) -> (Option<i32>, String) {
        assert!(self.process.is_none(), "it runs");
        let mut command = platewatch();
        command.args(["verify-mirror", "--config"]).arg(self.folder.join("platewatch.toml"));
        let output = command.envs(self.environment.iter().cloned()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.code(), said.concat())
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// All that it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The text at `path`, if it answers with status 200.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build().new_agent();
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        agent.get(&url).call().ok()?.into_body().read_to_string().ok()
    }

    /// The `data` of the answer at `path`.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let answer: Value = serde_json::from_str(&self.text(path)?).ok()?;
        Some(answer["data"].clone())
    }

    pub(crate) fn status(&self) -> Value {
        self.get("/api/status").unwrap_or_else(|| panic!("no status:\n{}", self.log()))
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
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.get("/api/status") {
                last =
                    status["mirrors"].as_array().unwrap().iter().find(|mirror| mirror["name"] == name).unwrap().clone();
                if condition(&last) {
                    return;
                }
            }
            assert!(std::time::Instant::now() < deadline, "{name}: {what}, but {last}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the source has ended and all mirrors are up to date.
    pub(crate) fn wait_until_level(&self) {
        wait_until(PATIENCE * 2, "the source ends", || self.status()["source"]["state"] == "finished");
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

    /// A number of `/proc/…/status` in KiB, such as `VmHWM`.
    pub(crate) fn memory_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
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
