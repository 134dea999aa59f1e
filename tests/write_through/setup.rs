//! The scripts of `sql/` and `deploy/compose/` as a user runs them: two instances in a folder of their own, MyCat's
//! configuration, and passwords with characters special to SQL, XML and the shell.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::repository;
use crate::servers::mariadb::MariaDb;
use crate::servers::{free_port, is_root, run};

/// Of platewatch, platewatch_reader and mycat.
const PASSWORDS: [&str; 3] =
    [r#"<&"'$ \`;x #%"#, r#"$(id)`id`\'"</a>&amp;${HOME}"#, r#"''"\\&lt;]]>密码'); DROP USER mycat; --"#];
const NAMES: [&str; 3] = ["PLATEWATCH_PASSWORD", "READER_PASSWORD", "MYCAT_PASSWORD"];
const ACCOUNTS: [&str; 3] = ["platewatch", "platewatch_reader", "mycat"];

/// What Debian's own file sets, which the script's must override.
const DEBIAN: &str = "[mysqld]\nbind-address = 127.0.0.1\nexpire_logs_days = 10\ncharacter-set-server = utf8mb4\n\
                      collation-server = utf8mb4_general_ci\n";
const SMALL: &str = "[mysqld]\ninnodb-buffer-pool-size = 32M\ninnodb-log-file-size = 16M\ninnodb-use-native-aio = OFF\n\
                     performance-schema = OFF\nskip-name-resolve\n";

/// Two instances that the script made, removed after the test.
struct Instances {
    folder: tempfile::TempDir,
    ports: [u16; 2],
}

impl Instances {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("platewatch-setup-").tempdir().unwrap();
        if is_root() {
            // The servers run as another user.
            done(Command::new("chmod").arg("755").arg(folder.path()));
        }
        let configuration = folder.path().join("etc/mysql/mariadb.conf.d");
        std::fs::create_dir_all(&configuration).unwrap();
        std::fs::write(configuration.join("50-server.cnf"), DEBIAN).unwrap();
        std::fs::write(configuration.join("95-small.cnf"), SMALL).unwrap();
        write_passwords(&folder.path().join("passwords.env"), &PASSWORDS);
        Self { folder, ports: [free_port(), free_port()] }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn set_up(&self) -> Output {
        let [first, second] = self.ports;
        let mut command = Command::new(repository("sql/setup-instances.sh"));
        command.arg("--root").arg(self.folder.path()).args(["--ports", &format!("{first},{second}")]);
        run(command.arg("--passwords").arg(self.path("passwords.env")), "bash")
    }

    /// Statements over TCP; the answer, or the server's message.
    fn sql(&self, instance: usize, user: &str, password: &str, statement: &str) -> Result<String, String> {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--batch", "--skip-column-names", "--protocol=tcp", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.ports[instance]))
            .arg(format!("--user={user}"))
            .args(["-e", statement])
            .env("MYSQL_PWD", password);
        answer(&run(&mut client, "mariadb-client"))
    }

    /// Statements as root of the machine, through the instance's socket.
    fn as_root(&self, instance: usize, statement: &str) -> String {
        let socket = if instance == 0 { "mysqld.sock".to_owned() } else { format!("mysqld-{}.sock", self.ports[1]) };
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--batch", "--skip-column-names", "-e", statement]);
        client.arg(format!("--socket={}", self.path("run/mysqld").join(socket).display()));
        answer(&run(&mut client, "mariadb-client")).unwrap()
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        for entry in std::fs::read_dir(self.path("run/mysqld")).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "pid") {
                let id = std::fs::read_to_string(entry.path()).unwrap_or_default();
                let _ = Command::new("kill").args(["-KILL", id.trim()]).status();
            }
        }
    }
}

fn answer(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

fn write_passwords(file: &Path, passwords: &[&str; 3]) {
    let lines: Vec<String> = NAMES.iter().zip(passwords).map(|(name, word)| format!("{name}={word}")).collect();
    std::fs::write(file, format!("# a comment\n\n{}\n", lines.join("\n"))).unwrap();
    done(Command::new("chmod").arg("600").arg(file));
}

#[test]
fn the_script_makes_two_instances_that_the_accounts_can_use_and_runs_again() {
    let instances = Instances::new();
    let output = instances.set_up();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for instance in 0..2 {
        // Debian's file was read first, and was overridden.
        let set = instances.as_root(instance, "SELECT @@collation_server, @@server_id, @@port, @@expire_logs_days");
        // Newer versions print days with a fraction.
        assert_eq!(
            set.trim().trim_end_matches(".000000"),
            format!("utf8mb4_bin\t{}\t{}\t3", instance + 1, instances.ports[instance])
        );
        // No anonymous account is matched before ours, and there is no test database.
        let strangers = instances.as_root(instance, "SELECT COUNT(*) FROM mysql.user WHERE User = ''; SHOW DATABASES");
        assert!(strangers.starts_with("0\n") && !strangers.contains("test"), "{strangers}");
        for (account, password) in ACCOUNTS.iter().zip(PASSWORDS) {
            let who = instances.sql(instance, account, password, "SELECT CURRENT_USER()").unwrap();
            assert_eq!(who.trim(), format!("{account}@%"));
            assert!(instances.sql(instance, account, "wrong", "SELECT 1").is_err());
        }
    }
    // Each has rows of its own, and running it again keeps them and sets new passwords.
    let row = "INSERT INTO traffic_db.traffic_data VALUES ('G1','d','k','1','2024-01-01 00:00:24','02','p','m')";
    instances.sql(1, "platewatch", PASSWORDS[0], row).unwrap();
    let mut others = PASSWORDS;
    others[0] = "another";
    write_passwords(&instances.path("passwords.env"), &others);
    let output = instances.set_up();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows =
        |instance| instances.sql(instance, "platewatch", "another", "SELECT COUNT(*) FROM traffic_db.traffic_data");
    assert_eq!((rows(0).unwrap().trim(), rows(1).unwrap().trim()), ("0", "1"));
    assert!(instances.sql(0, "platewatch", PASSWORDS[0], "SELECT 1").is_err());
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(PASSWORDS.iter().all(|word| !String::from_utf8_lossy(&said).contains(word)));

    // Existing anonymous accounts are reported with the statement that removes them, and nothing is loaded.
    instances.as_root(1, "CREATE USER ''@'localhost'");
    let output = instances.set_up();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("DROP USER ''@'localhost';"), "{said}");
}

#[test]
fn passwords_that_are_not_ready_are_refused_in_words() {
    let instances = Instances::new();
    let file = instances.path("passwords.env");
    let refused = |part: &str| {
        let output = instances.set_up();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(part), "{part:?}: {said}");
    };
    write_passwords(&file, &["a", "change me", "c"]);
    refused("write a password of your own for READER_PASSWORD");
    write_passwords(&file, &["a", "b\r", "c"]);
    refused("READER_PASSWORD holds a control character");
    write_passwords(&file, &["a", "", "c"]);
    refused("READER_PASSWORD is missing");
    write_passwords(&file, &PASSWORDS);
    done(Command::new("chmod").arg("644").arg(&file));
    refused("can be read by others: chmod 600");
    std::fs::remove_file(&file).unwrap();
    refused("copy passwords.example.env to it");
    assert!(!instances.path("var").exists());
}

/// The passwords and addresses that MyCat reads from its configuration.
fn read_by_mycat(conf: &Path) -> Value {
    let script = "\
import json, sys, xml.etree.ElementTree as tree
read = lambda name: tree.parse(sys.argv[1] + '/' + name).getroot()
hosts = [[node.get('url'), node.get('password')] for node in read('schema.xml').iter('writeHost')]
users = {user.get('name'): [p.text for p in user if p.get('name') == 'password'][0] for user in read('server.xml').iter('user')}
read('rule.xml')
print(json.dumps({'hosts': hosts, 'users': users}))";
    let output = done(Command::new("python3").args(["-c", script]).arg(conf));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn any_password_comes_to_mycat_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("conf");
    std::fs::create_dir(&conf).unwrap();
    let file = folder.path().join("passwords.env");
    write_passwords(&file, &PASSWORDS);
    let expected = |first: &str, second: &str| {
        serde_json::json!({
            "hosts": [[first, PASSWORDS[2]], [second, PASSWORDS[2]]],
            "users": {"platewatch": PASSWORDS[0], "platewatch_reader": PASSWORDS[1]},
        })
    };
    done(Command::new(repository("sql/mycat/configure.sh")).arg(&conf).env("PASSWORDS", &file));
    assert_eq!(read_by_mycat(&conf), expected("127.0.0.1:3306", "127.0.0.1:3307"));
    let mode = done(Command::new("stat").args(["-c", "%a"]).arg(conf.join("schema.xml")));
    assert_eq!(String::from_utf8_lossy(&mode.stdout).trim(), "600");

    // In the container: from the environment, and then MyCat runs.
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("mycat"), "#!/bin/sh\necho \"mycat runs: $1\"\n").unwrap();
    done(Command::new("chmod").arg("755").arg(bin.join("mycat")));
    let mut start = Command::new("sh");
    start.arg(repository("deploy/compose/mycat/start.sh"));
    start.env("MYCAT_HOME", folder.path()).env("CONFIGURATION", repository("sql/mycat"));
    let output = done(start.envs(NAMES.into_iter().zip(PASSWORDS)));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "mycat runs: console\n");
    assert_eq!(read_by_mycat(&conf), expected("mysql-1:3306", "mysql-2:3306"));

    // What MyCat would change is refused.
    for wrong in [" blank before", "blank behind ", "tab\tinside"] {
        let output = start.env("READER_PASSWORD", wrong).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains("MyCat cannot take READER_PASSWORD"), "{said}");
    }
}

#[test]
fn the_containers_make_the_same_accounts() {
    let server = MariaDb::start();
    server.sql("DROP USER platewatch; DROP USER platewatch_reader; DROP USER mycat;");
    let mut script = Command::new("bash");
    script.arg(repository("deploy/compose/mysql/users.sh")).envs(NAMES.into_iter().zip(PASSWORDS));
    // In the container the client finds its server by itself; here it is given.
    let folder = tempfile::tempdir().unwrap();
    let client = format!("#!/bin/sh\nexec mariadb --no-defaults --socket='{}' \"$@\"\n", server.socket().display());
    std::fs::write(folder.path().join("mysql"), client).unwrap();
    done(Command::new("chmod").arg("755").arg(folder.path().join("mysql")));
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    done(script.env("PLATEWATCH_SQL", repository("sql")).env("PATH", path));
    for (account, password) in ACCOUNTS.iter().zip(PASSWORDS) {
        assert_eq!(server.sql_as(account, password, "SELECT 1").unwrap(), "1\n");
    }
}

/// What `platewatch-run` requests from systemd is what the service has.
#[test]
fn one_command_runs_as_the_service_does() {
    let folder = tempfile::tempdir().unwrap();
    let fake = folder.path().join("systemd-run");
    std::fs::write(&fake, "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n").unwrap();
    done(Command::new("chmod").arg("755").arg(&fake));
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(repository("deploy/platewatch-run"));
    let output = command.args(["check-config", "a b.toml"]).env("PATH", path).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "the program's exit code is handed on");
    let asked = String::from_utf8(output.stdout).unwrap();
    assert!(asked.ends_with("\n/usr/local/bin/platewatch\ncheck-config\na b.toml\n"), "{asked}");
    let unit = std::fs::read_to_string(repository("deploy/systemd/platewatch.service")).unwrap();
    let names = [
        "User",
        "Group",
        "EnvironmentFile",
        "StateDirectory",
        "StateDirectoryMode",
        "WorkingDirectory",
        "UMask",
        "NoNewPrivileges",
        "CapabilityBoundingSet",
        "ProtectSystem",
    ];
    for name in names {
        let line = unit.lines().find(|line| line.starts_with(&format!("{name}="))).unwrap();
        assert!(asked.contains(&format!("--property={line}\n")), "{line}: {asked}");
    }
}

#[test]
fn the_scripts_are_clean() {
    let scripts = [
        "sql/lib.sh",
        "sql/setup-instances.sh",
        "sql/mycat/configure.sh",
        "deploy/platewatch-run",
        "deploy/packages/install.sh",
        "deploy/packages/deb/postinst",
        "deploy/packages/deb/postrm",
        "deploy/packages/deb/prerm",
        "deploy/compose/mycat/start.sh",
        "deploy/compose/mysql/users.sh",
    ];
    let output = run(Command::new("shellcheck").arg("-x").args(scripts.map(repository)), "shellcheck");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
