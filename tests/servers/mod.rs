//! Real servers for tests, each in a temporary folder, on a free port of the loopback interface, with little memory:
//! MariaDB with the schema of `sql/`, Redis, Mosquitto, and a proxy that treats connections badly; and both sides of GA/T 1400, of our own. Nothing of the machine's own
//! servers (3306, 6379) is touched.
//!
//! A server that is not installed fails the test with a sentence that says what to install.

pub(crate) mod certificates;
pub(crate) mod mariadb;
pub(crate) mod mosquitto;
pub(crate) mod mycat;
mod process;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod viid;

use std::process::{Command, Output};

pub(crate) use process::{Process, START_DEADLINE, free_port, newest_lines};

/// Runs a tool to its end; fails the test if it cannot be run.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|error| panic!("{name} cannot be run ({error}): install the package {package}"))
}

/// Whether the tests run as root, which some servers only accept with an option.
pub(crate) fn is_root() -> bool {
    String::from_utf8_lossy(&run(Command::new("id").arg("-u"), "coreutils").stdout).trim() == "0"
}
