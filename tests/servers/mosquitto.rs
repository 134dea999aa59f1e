//! One Mosquitto, a broker of MQTT, with a login and TLS as a test wants. What clients are owed outlives a stop.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::certificates::Certificates;
use super::{Process, START_DEADLINE, free_port, newest_lines, run};

const PACKAGE: &str = "mosquitto";
const CLIENTS: &str = "mosquitto-clients";

/// How the broker is configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// User and password; none: anybody.
    pub(crate) login: Option<(String, String)>,
    /// It speaks TLS, and nothing else.
    pub(crate) tls: bool,
}

/// A Mosquitto, running or not.
pub(crate) struct Mosquitto {
    port: u16,
    options: Options,
    certificates: Option<Certificates>,
    process: Process,
    folder: tempfile::TempDir,
}

impl Mosquitto {
    /// A broker of this kind, ready to serve.
    pub(crate) fn start_with(options: Options) -> Self {
        let folder = tempfile::Builder::new().prefix("platewatch-mosquitto-").tempdir().unwrap();
        let certificates = options.tls.then(|| Certificates::make(folder.path()));
        let mut server = Self { port: free_port(), options, certificates, process: Process::default(), folder };
        server.start_again();
        server
    }

    /// `mqtt://…` or `mqtts://…`, with the password.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.options.tls { "mqtts" } else { "mqtt" };
        let login = self.options.login.as_ref().map_or(String::new(), |(user, word)| format!("{user}:{word}@"));
        format!("{scheme}://{login}127.0.0.1:{}", self.port)
    }

    /// The authority that a client trusts, if it speaks TLS.
    pub(crate) fn authority(&self) -> &Path {
        &self.certificates.as_ref().unwrap().authority
    }

    /// Stops it in order; what clients are owed is kept.
    pub(crate) fn stop(&mut self) {
        self.process.end("-TERM");
    }

    /// Starts it on the same port with what is kept.
    pub(crate) fn start_again(&mut self) {
        let file = self.path("mosquitto.conf");
        std::fs::write(&file, self.configuration()).unwrap();
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&file);
        let log = self.path("log");
        self.process.start(&mut command, &log, self.folder.path(), PACKAGE);
        let deadline = Instant::now() + START_DEADLINE;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            self.process.must_run(&log);
            assert!(Instant::now() < deadline, "Mosquitto does not get ready:\n{}", newest_lines(&log));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Publishes messages, one on each line, with QoS 1; returns when the broker has them.
    pub(crate) fn publish(&self, topic: &str, messages: &str, more: &[&str]) {
        let mut client = Command::new("mosquitto_pub");
        client.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", topic]).args(more);
        if let Some((user, password)) = &self.options.login {
            client.args(["-u", user, "-P", password]);
        }
        if let Some(certificates) = &self.certificates {
            client.arg("--cafile").arg(&certificates.authority);
        }
        let client = client.arg("-l").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut client =
            client.unwrap_or_else(|error| panic!("mosquitto_pub cannot be run ({error}): install {CLIENTS}"));
        client.stdin.take().unwrap().write_all(messages.as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        let mut text = format!(
            "listener {} 127.0.0.1\npersistence true\npersistence_location {folder}/\nautosave_interval 1\nlog_dest stdout\n\
             max_queued_messages 0\n",
            self.port
        );
        // It gives up its rights otherwise, and could not read its own folder.
        if super::is_root() {
            text.push_str("user root\n");
        }
        if let Some((user, password)) = &self.options.login {
            let file = self.path("passwords");
            let made =
                run(Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&file).args([user, password]), PACKAGE);
            assert!(made.status.success(), "{made:?}");
            let _ = writeln!(text, "allow_anonymous false\npassword_file {}", file.display());
        } else {
            text.push_str("allow_anonymous true\n");
        }
        if let Some(Certificates { authority, certificate, key }) = &self.certificates {
            let (authority, certificate, key) = (authority.display(), certificate.display(), key.display());
            let _ = writeln!(text, "cafile {authority}\ncertfile {certificate}\nkeyfile {key}");
        }
        text
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
