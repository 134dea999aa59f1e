//! One Redis, with a password, TLS, a memory limit or an append-only file as a test wants.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::certificates::Certificates;
use super::{Process, START_DEADLINE, free_port, newest_lines, run};

const PACKAGE: &str = "redis-server";

/// How the server is configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// `requirepass`.
    pub(crate) password: Option<String>,
    /// It speaks TLS, and nothing else.
    pub(crate) tls: bool,
    /// `maxmemory`, such as `8mb`.
    pub(crate) max_memory: Option<String>,
    /// `maxmemory-policy`, such as `allkeys-lru`.
    pub(crate) policy: Option<String>,
    /// It is a node of a Redis Cluster, without slots at first.
    pub(crate) cluster: bool,
    /// Every write is on disk: a kill loses nothing.
    pub(crate) append_only: bool,
}

/// A Redis, running or not.
pub(crate) struct Redis {
    port: u16,
    bus_port: u16,
    options: Options,
    certificates: Option<Certificates>,
    process: Process,
    folder: tempfile::TempDir,
}

impl Redis {
    /// A server without a password, ready to serve.
    pub(crate) fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// A server of this kind, ready to serve.
    pub(crate) fn start_with(options: Options) -> Self {
        let folder = tempfile::Builder::new().prefix("platewatch-redis-").tempdir().unwrap();
        let certificates = options.tls.then(|| Certificates::make(folder.path()));
        let mut server = Self {
            port: free_port(),
            bus_port: free_port(),
            options,
            certificates,
            process: Process::default(),
            folder,
        };
        server.start_empty();
        server
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where other nodes of a cluster speak to it.
    pub(crate) fn bus_port(&self) -> u16 {
        self.bus_port
    }

    /// The authority that a client trusts, if it speaks TLS.
    pub(crate) fn authority(&self) -> &Path {
        &self.certificates.as_ref().unwrap().authority
    }

    /// `redis://…` or `rediss://…`, with the password.
    pub(crate) fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// The URL through `port`, such as that of a proxy in front of it.
    pub(crate) fn url_through(&self, port: u16) -> String {
        let scheme = if self.options.tls { "rediss" } else { "redis" };
        let account = self.options.password.as_ref().map_or(String::new(), |password| format!(":{password}@"));
        format!("{scheme}://{account}127.0.0.1:{port}/0")
    }

    /// Stops it in order; what is on disk stays.
    pub(crate) fn stop(&mut self) {
        self.process.end("-TERM");
    }

    /// Kills it; what is on disk stays.
    pub(crate) fn kill(&mut self) {
        self.process.end("-KILL");
    }

    /// Suspends it: connections stay, nothing is answered.
    pub(crate) fn freeze(&self) {
        self.process.signal("-STOP");
    }

    /// Resumes after [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        self.process.signal("-CONT");
    }

    /// Starts it on the same port with what is on disk (nothing, unless `append_only`).
    pub(crate) fn start_again(&mut self) {
        let configuration = self.path("redis.conf");
        std::fs::write(&configuration, self.configuration()).unwrap();
        let mut command = Command::new("redis-server");
        command.arg(&configuration);
        let log = self.path("log");
        self.process.start(&mut command, &log, self.folder.path(), PACKAGE);
        let deadline = Instant::now() + START_DEADLINE;
        while self.try_command(&["PING"]).as_deref() != Ok("PONG") {
            self.process.must_run(&log);
            assert!(Instant::now() < deadline, "Redis does not get ready:\n{}", newest_lines(&log));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Starts it on the same port without anything.
    pub(crate) fn start_empty(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(self.data());
        std::fs::create_dir(self.data()).unwrap();
        self.start_again();
    }

    /// A command; fails the test on an error.
    pub(crate) fn command(&self, command: &[&str]) -> String {
        self.try_command(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// A command's answer, or the error in words.
    pub(crate) fn try_command(&self, command: &[&str]) -> Result<String, String> {
        let mut client = Command::new("redis-cli");
        client.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-e"]);
        if let Some(password) = &self.options.password {
            client.env("REDISCLI_AUTH", password);
        }
        if let Some(certificates) = &self.certificates {
            client.args(["--tls", "--cacert"]).arg(&certificates.authority);
        }
        let output = run(client.args(command), "redis-tools");
        let answer = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
        if output.status.success() { Ok(answer) } else { Err(answer + &String::from_utf8_lossy(&output.stderr)) }
    }

    /// All elements of a list, from its head.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        self.command(&["LRANGE", key, "0", "-1"]).lines().map(str::to_owned).collect()
    }

    fn configuration(&self) -> String {
        let mut text = format!("bind 127.0.0.1\ndir {}\nsave \"\"\ndaemonize no\n", self.data().display());
        if let Some(certificates) = &self.certificates {
            let Certificates { authority, certificate, key } = certificates;
            let _ = write!(
                text,
                "port 0\ntls-port {}\ntls-ca-cert-file {}\ntls-cert-file {}\ntls-key-file {}\ntls-auth-clients no\n",
                self.port,
                authority.display(),
                certificate.display(),
                key.display()
            );
        } else {
            let _ = writeln!(text, "port {}", self.port);
        }
        if let Some(password) = &self.options.password {
            let _ = writeln!(text, "requirepass {password}");
        }
        if let Some(limit) = &self.options.max_memory {
            let _ = writeln!(text, "maxmemory {limit}");
        }
        if let Some(policy) = &self.options.policy {
            let _ = writeln!(text, "maxmemory-policy {policy}");
        }
        if self.options.cluster {
            // Nodes speak to each other on a port of their own, by default 10,000 higher.
            let _ = writeln!(text, "cluster-enabled yes\ncluster-port {}", self.bus_port);
        }
        if self.options.append_only {
            text.push_str("appendonly yes\nappendfsync always\n");
        }
        text
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
