//! One MariaDB with `traffic_db` as `sql/` makes it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::certificates::Certificates;
use super::{Process, START_DEADLINE, free_port, is_root, newest_lines, run};
use crate::harness::repository;

/// The passwords of the accounts that `sql/users.sql` makes.
pub(crate) const WRITER_PASSWORD: &str = "wr1ter-s3cret";
/// Of `platewatch_reader`.
pub(crate) const READER_PASSWORD: &str = "re@der's3cret";
/// Of `mycat`.
pub(crate) const MYCAT_PASSWORD: &str = "myc4t-s3cret";

const PACKAGE: &str = "mariadb-server";

/// Options that keep a server small. No native asynchronous I/O: the kernel limits it per machine.
const SMALL: [&str; 5] = [
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--innodb-use-native-aio=OFF",
    "--aria-pagecache-buffer-size=8M",
    "--key-buffer-size=1M",
];

/// A MariaDB, running or not.
pub(crate) struct MariaDb {
    port: u16,
    certificates: Option<Certificates>,
    process: Process,
    folder: tempfile::TempDir,
}

impl MariaDb {
    /// A server with an empty `traffic_db`, ready to serve.
    pub(crate) fn start() -> Self {
        Self::start_with(false)
    }

    /// As [`Self::start`]; it speaks TLS too, and only TLS over TCP.
    pub(crate) fn start_tls() -> Self {
        Self::start_with(true)
    }

    /// Two servers, as the two instances behind MyCat.
    pub(crate) fn start_two() -> [Self; 2] {
        let other = std::thread::spawn(Self::start);
        let first = Self::start();
        [first, other.join().unwrap()]
    }

    fn start_with(tls: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("platewatch-mariadb-").tempdir().unwrap();
        let certificates = tls.then(|| Certificates::make(folder.path()));
        let mut server = Self { port: free_port(), certificates, process: Process::default(), folder };
        server.start_empty();
        server
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The authority that a client trusts, if it speaks TLS.
    pub(crate) fn authority(&self) -> &Path {
        &self.certificates.as_ref().unwrap().authority
    }

    /// For a client that writes: `mysql://platewatch:…@127.0.0.1:port/traffic_db`.
    pub(crate) fn url(&self) -> String {
        url("platewatch", WRITER_PASSWORD, self.port)
    }

    /// For a client that only reads.
    pub(crate) fn reader_url(&self) -> String {
        url("platewatch_reader", READER_PASSWORD, self.port)
    }

    /// Stops it in order; its data stays.
    pub(crate) fn stop(&mut self) {
        self.process.end("-TERM");
    }

    /// Kills it; its data stays.
    pub(crate) fn kill(&mut self) {
        self.process.end("-KILL");
    }

    /// Starts it on the same port with the data it had.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new("mariadbd");
        command
            .arg(format!("--defaults-file={}", repository("sql/instance.cnf").display()))
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--socket={}", self.socket().display()))
            .arg(format!("--pid-file={}", self.path("pid").display()))
            .arg(format!("--tmpdir={}", self.folder.path().display()))
            .arg(format!("--port={}", self.port))
            .arg(self.temporary())
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=OFF"])
            .args(["--innodb-flush-log-at-trx-commit=2", "--max-connections=100"])
            .args(SMALL);
        if is_root() {
            command.arg("--user=root");
        }
        if let Some(certificates) = &self.certificates {
            command
                .arg(format!("--ssl-ca={}", certificates.authority.display()))
                .arg(format!("--ssl-cert={}", certificates.certificate.display()))
                .arg(format!("--ssl-key={}", certificates.key.display()))
                .arg("--require-secure-transport=ON");
        }
        let log = self.log();
        self.process.start(&mut command, &log, self.folder.path(), PACKAGE);
        let deadline = Instant::now() + START_DEADLINE;
        while self.try_sql("SELECT 1").is_err() {
            self.process.must_run(&log);
            assert!(Instant::now() < deadline, "MariaDB does not get ready:\n{}", newest_lines(&log));
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Starts it on the same port without the data it had: the schema, the event and the accounts are there.
    pub(crate) fn start_empty(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(self.data());
        let mut install = Command::new("mariadb-install-db");
        // Temporary tables are named by process number, which containers that share /tmp give out twice.
        install.env("TMPDIR", self.folder.path());
        install
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.data().display()))
            .arg(self.temporary())
            .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
            .args(SMALL);
        if is_root() {
            install.arg("--user=root");
        }
        let output = run(&mut install, PACKAGE);
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        assert!(output.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&said));
        self.start_again();
        let passwords = format!(
            "SET @platewatch_password = {};\nSET @reader_password = {};\nSET @mycat_password = {};\n",
            quoted(WRITER_PASSWORD),
            quoted(READER_PASSWORD),
            quoted(MYCAT_PASSWORD)
        );
        let read = |name: &str| std::fs::read_to_string(repository("sql").join(name)).unwrap();
        self.sql(&[read("schema.sql"), read("events.sql"), passwords, read("users.sql")].join("\n"));
    }

    /// Statements as root, whose rows come back one a line, columns with TABs between; fails the test on an error.
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.try_sql(statements).unwrap_or_else(|error| panic!("{error}\n{}", newest_lines(&self.log())))
    }

    /// As [`Self::sql`], with the server's message on an error.
    pub(crate) fn try_sql(&self, statements: &str) -> Result<String, String> {
        let mut client = self.client();
        client.args(["--user=root", "--protocol=socket"]).arg(format!("--socket={}", self.socket().display()));
        feed(client, statements)
    }

    /// Statements over TCP with an account's rights.
    pub(crate) fn sql_as(&self, user: &str, password: &str, statements: &str) -> Result<String, String> {
        let mut client = self.client();
        client
            .args(["--protocol=tcp", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--user={user}"))
            .env("MYSQL_PWD", password);
        if let Some(certificates) = &self.certificates {
            client.arg(format!("--ssl-ca={}", certificates.authority.display()));
        }
        feed(client, statements)
    }

    /// Rows of a table.
    pub(crate) fn count(&self, table: &str) -> u64 {
        self.sql(&format!("SELECT COUNT(*) FROM traffic_db.{table}")).trim().parse().unwrap()
    }

    fn client(&self) -> Command {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]);
        client
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Its own folder for temporary tables: a starting server removes all that it finds, even another server's.
    fn temporary(&self) -> String {
        let folder = self.path("tmp");
        std::fs::create_dir_all(&folder).unwrap();
        format!("--tmpdir={}", folder.display())
    }

    /// The socket for the machine's own users.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    fn log(&self) -> PathBuf {
        self.path("log")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The URL of an account on `port`, such as that of a proxy in front of the server.
pub(crate) fn url(user: &str, password: &str, port: u16) -> String {
    let encoded: String = password.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    });
    format!("mysql://{user}:{encoded}@127.0.0.1:{port}/traffic_db")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn feed(mut client: Command, statements: &str) -> Result<String, String> {
    let mut child = client
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("mariadb cannot be run ({error}): install the package mariadb-client"));
    let mut input = child.stdin.take().unwrap();
    let statements = statements.to_owned();
    // On a thread: the client may write much before it has read all.
    let feeding = std::thread::spawn(move || {
        let _ = input.write_all(statements.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
