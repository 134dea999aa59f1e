//! What the appliance itself needs: a sound configuration, users, a port, and a data directory that is its own.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::commands::connect::report::Report;
use crate::commands::serving::{gate, sign_on, tls};
use crate::config::Config;

const CONFIGURATION: &str = "configuration";
const USERS: &str = "users";
const PORT: &str = "port";
const DATA: &str = "data";
/// How long an appliance may take to say that it is one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The configuration, if it can be used.
pub(super) fn configuration(file: Option<&Path>, report: &mut Report) -> Option<Config> {
    let Some(file) = file else {
        report.advice(CONFIGURATION, "no file was named with --config: the defaults are looked at");
        return Some(Config::default());
    };
    let checked = Config::load(file).map_err(anyhow::Error::from).and_then(|config| {
        tls(&config)?;
        sign_on(&config)?;
        Ok(config)
    });
    match checked {
        Ok(config) => {
            report.sound(CONFIGURATION, format!("{} can be used", file.display()));
            Some(config)
        }
        Err(error) => {
            report.problem(CONFIGURATION, format!("{error:#}"));
            None
        }
    }
}

/// Whether somebody can log in where one must.
pub(super) fn people(config: &Config, report: &mut Report) {
    match gate(config) {
        Err(refused) => report.problem(USERS, refused.to_string()),
        Ok(gate) if gate.is_exposed() => report.advice(
            USERS,
            "api.open lets everybody in who reaches the port: make users (platewatch user add) and remove it",
        ),
        Ok(gate) if gate.is_closed() => report.sound(USERS, "everybody must log in"),
        Ok(_) => report.sound(USERS, "only this machine reaches the port, and nobody needs to log in"),
    }
}

/// Whether the port is free, or an appliance has it.
pub(super) fn port(config: &Config, report: &mut Report) {
    let listen = config.api.listen;
    match TcpListener::bind(listen) {
        Ok(_) => report.sound(PORT, format!("{listen} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match answering(config) {
            true => report.sound(PORT, format!("an appliance answers at {listen}")),
            false => report.problem(
                PORT,
                format!("{listen} is used by another program (`ss -ltnp` says which): stop it, or choose another in api.listen"),
            ),
        },
        Err(error) => report.problem(PORT, format!("{listen} cannot be used ({error}): choose another in api.listen")),
    }
}

/// Whether an appliance answers at the port. With HTTPS only that somebody takes connections is known.
fn answering(config: &Config) -> bool {
    let mut address = config.api.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    if config.api.tls_certificate.is_some() {
        return std::net::TcpStream::connect_timeout(&address, PATIENCE).is_ok();
    }
    super::bundle::fetch(&address, "/healthz", PATIENCE).is_some_and(|(status, _)| status == 200)
}

/// Whose the data directory is, and who may read it.
pub(super) fn data(data_dir: &Path, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt as _;
    let about = data_dir.display();
    let Ok(found) = std::fs::metadata(data_dir) else {
        report.sound(DATA, format!("{about} is not there yet: the first start makes it"));
        return;
    };
    if !found.is_dir() {
        report.problem(DATA, format!("{about} is no folder: name another in data_dir"));
        return;
    }
    if found.permissions().mode() & 0o077 != 0 {
        report.advice(
            DATA,
            format!("others of this machine may look into {about}: chmod 700, which the next start does as well"),
        );
    }
    match storage::Database::known_of(data_dir) {
        Ok(Some(_)) => {
            report.sound(DATA, format!("{about} holds records; what is stored is read and checked at each start"))
        }
        Ok(None) => report.sound(DATA, format!("{about} holds no records")),
        Err(error) => report.problem(DATA, error.to_string()),
    }
}
