//! `platewatch serve` as a process of its own: configured, started, killed, asked over HTTP. What only the tests of one area
//! ask of it, they add in their own folder.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::http::{agent, answer, url};
use super::program::{Program, memory_kib, platewatch, text_of};
use super::wait::{LONG, PATIENCE, wait_until};
use crate::servers::free_port;

/// Polling must notice soon that nothing answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// An appliance, running or not.
pub(crate) struct Appliance {
    folder: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
    process: Option<Program>,
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

impl From<(u16, String)> for Answer {
    fn from((status, text): (u16, String)) -> Self {
        Self { status, json: serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}")) }
    }
}

impl Appliance {
    /// An appliance with its files in `folder`, neither configured nor started.
    pub(crate) fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        Self { folder: folder.to_owned(), port: free_port(), environment: Vec::new(), process: None }
    }

    /// Writes its configuration file: `settings`, and `api` below the section `[api]`.
    pub(crate) fn configure(&self, settings: &str, api: &str) {
        let text = format!("{settings}\n[api]\nlisten = \"{}\"\n{api}", self.address());
        std::fs::write(self.config(), text).unwrap();
    }

    /// Sets a variable of its environment, from the next start on.
    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("platewatch.toml")
    }

    /// Its data directory, if it is configured so.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it, without waiting for anything.
    pub(crate) fn spawn(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let mut command = platewatch();
        command.args(["serve", "--config"]).arg(self.config()).envs(self.environment.iter().cloned());
        self.process = Some(Program::start(&mut command, &self.log_file()));
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.spawn();
        wait_until(LONG, "the appliance answers", || {
            self.process.as_mut().unwrap().must_run();
            self.get("/api/status").is_some()
        });
    }

    /// `kill -9`; it must run until then.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// Waits until it has ended by this signal, which nobody here sends.
    #[track_caller]
    pub(crate) fn dies(&mut self, signal: i32) {
        let status = self.process.take().unwrap().wait();
        assert_eq!(status.signal(), Some(signal), "{status}:\n{}", self.log());
    }

    /// Waits until it has ended by itself; its exit code.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> Option<i32> {
        self.process.take().unwrap().wait().code()
    }

    /// SIGTERM: it must end in order. Returns how long that took.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> Duration {
        self.process.take().unwrap().stop()
    }

    /// Sends a signal such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// A command of the program with this configuration and environment, to be run while the appliance does not.
    pub(crate) fn command(&self, name: &str) -> std::process::Command {
        assert!(self.process.is_none(), "it runs");
        let mut command = platewatch();
        command.args([name, "--config"]).arg(self.config()).envs(self.environment.iter().cloned());
        command
    }

    /// All that it logged since it was made.
    pub(crate) fn log(&self) -> String {
        text_of(&self.log_file())
    }

    /// Arguments of the process, as other users of the machine see them.
    pub(crate) fn seen_by_others(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(format!("/proc/{}/cmdline", self.id())).unwrap()).into_owned()
    }

    /// A number of `/proc/…/status` in KiB, such as `VmHWM`.
    pub(crate) fn memory_kib(&self, field: &str) -> u64 {
        memory_kib(self.id(), field)
    }

    /// The text at `path`, if it answers with status 200.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let response = agent(ANSWER_LIMIT).get(self.url(path)).call().ok()?;
        (response.status() == 200).then(|| response.into_body().read_to_string().ok())?
    }

    /// The `data` of the answer at `path`, if it answers with status 200.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let answer: Value = serde_json::from_str(&self.text(path)?).ok()?;
        Some(answer["data"].clone())
    }

    pub(crate) fn status(&self) -> Value {
        self.get("/api/status").unwrap_or_else(|| panic!("no status:\n{}", self.log()))
    }

    /// Status and text of the answer at `path`, whatever it is.
    #[track_caller]
    pub(crate) fn answer(&self, path: &str) -> (u16, String) {
        answer(agent(PATIENCE).get(self.url(path)).call())
    }

    /// Status and envelope of the answer at `path`, whatever it says.
    #[track_caller]
    pub(crate) fn ask(&self, path: &str) -> Answer {
        self.answer(path).into()
    }

    /// Status and envelope of the answer to a POST.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        answer(agent(PATIENCE).post(self.url(path)).send_json(body)).into()
    }

    /// The file that a query is exported to.
    pub(crate) fn export(&self, body: &Value) -> String {
        let response = agent(PATIENCE).post(self.url("/api/query/export")).send_json(body).unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().with_config().limit(1 << 30).read_to_string().unwrap()
    }

    /// The stream of alerts after `seq`, read until `wanted` is in it.
    pub(crate) fn stream_until(&self, seq: u64, wanted: &str) -> String {
        let mut stream = std::net::TcpStream::connect(self.address()).unwrap();
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

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn url(&self, path: &str) -> String {
        url(&self.address(), path)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log.txt")
    }
}
