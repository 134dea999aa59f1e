//! The program as processes: commands that end, and `platewatch serve` that is asked over HTTP.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::servers::{free_port, wait_until};

/// Anything that is awaited comes within this, or the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

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

/// Runs a command to its end: exit code, standard output, standard error.
pub(crate) fn run<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> (Option<i32>, String, String) {
    let output = platewatch().args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Runs a command that must succeed; returns what it wrote.
#[track_caller]
pub(crate) fn done<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> String {
    let (code, out, complaint) = run(args);
    assert_eq!(code, Some(0), "{complaint}");
    out
}

/// `platewatch serve`.
pub(crate) struct Appliance {
    config: PathBuf,
    log: PathBuf,
    port: u16,
    process: Option<Child>,
}

/// An answer: status and envelope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.json);
        &self.json["data"]
    }

    pub(crate) fn message(&self) -> &str {
        self.json["msg"].as_str().unwrap_or_default()
    }
}

impl Appliance {
    /// An appliance that `settings` configure, with its files in `folder`; started, and answering.
    pub(crate) fn start(folder: &Path, settings: &str) -> Self {
        Self::start_with_cache(folder, settings, "0s")
    }

    /// As [`Self::start`]; statistics are kept for `cache`.
    pub(crate) fn start_with_cache(folder: &Path, settings: &str, cache: &str) -> Self {
        let port = free_port();
        std::fs::create_dir_all(folder).unwrap();
        let config = folder.join("platewatch.toml");
        std::fs::write(
            &config,
            format!(
                "{settings}\n[api]\nlisten = \"127.0.0.1:{port}\"\nstatistics_cache = {cache:?}\n\
                 [predict]\nmodel_dir = {model:?}\nmin_hours = 1\n",
                model = folder.join("model")
            ),
        )
        .unwrap();
        let mut appliance = Self { config, log: folder.join("log.txt"), port, process: None };
        appliance.start_again();
        appliance
    }

    pub(crate) fn start_again(&mut self) {
        let log = std::fs::File::options().append(true).create(true).open(&self.log).unwrap();
        let child = platewatch()
            .args(["serve", "--config"])
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(child);
        wait_until(PATIENCE, "the appliance answers", || {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", self.log());
            std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.process.take().unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself:\n{}", self.log());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Arguments and environment of the process, as other users of the machine see them.
    pub(crate) fn seen_by_others(&self) -> String {
        let id = self.process.as_ref().unwrap().id();
        String::from_utf8_lossy(&std::fs::read(format!("/proc/{id}/cmdline")).unwrap()).into_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(agent().get(&self.url(path)).call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        answer(agent().post(&self.url(path)).send_json(body))
    }

    /// The file that a query is exported to.
    pub(crate) fn export(&self, body: &Value) -> String {
        let response = agent().post(&self.url("/api/query/export")).send_json(body).unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().with_config().limit(1 << 30).read_to_string().unwrap()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        agent().get(&self.url(path)).call().unwrap().into_body().read_to_string().unwrap()
    }

    /// The stream of alerts after `seq`, read until `wanted` is in it.
    pub(crate) fn stream_until(&self, seq: u64, wanted: &str) -> String {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!("GET /api/warnings/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {seq}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains(wanted) {
            let count = stream
                .read(&mut buffer)
                .unwrap_or_else(|error| panic!("{error}: {wanted} is not in {}", String::from_utf8_lossy(&heard)));
            assert!(count > 0, "the stream ended: {}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    fn url(&self, path: &str) -> String {
        let encoded: String = path.chars().fold(String::new(), |mut text, symbol| {
            if symbol.is_ascii() && symbol != ' ' {
                text.push(symbol);
            } else {
                symbol.to_string().bytes().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
            }
            text
        });
        format!("http://127.0.0.1:{}{encoded}", self.port)
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

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build().new_agent()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let response = result.unwrap();
    let status = response.status().as_u16();
    let text = response.into_body().read_to_string().unwrap();
    Answer { status, json: serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}")) }
}
