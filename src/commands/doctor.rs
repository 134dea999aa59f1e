//! `doctor`: looks at everything that an appliance needs, in one go, and says what to do about what is not as it should be.
//!
//! It changes nothing: no group is joined, no file of the data directory is opened for writing. The time that the disk takes is
//! measured in a file of its own, which is removed. It does not read what is stored; `serve` does that at its start.

mod bundle;
mod disk;
mod machine;
mod service;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::connect;
use super::report::Report;
use crate::config::Config;

/// What `doctor` takes.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The configuration; without it all settings are the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Do not connect to Kafka, MQTT, MySQL, MyCat and Redis
    #[arg(long)]
    offline: bool,
    /// Also write what was found, the settings without passwords, the names and sizes of the files and the metrics: for whoever
    /// helps. It holds no plates
    #[arg(long, value_name = "FILE.tar.gz")]
    bundle: Option<PathBuf>,
}

/// Looks, and writes one line for each finding.
///
/// # Errors
/// [`Differences`](super::failure::Differences) (exit code 1) if there are problems; an I/O error if `out` or the bundle cannot be
/// written.
pub fn run(args: &DoctorArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut report = Report::default();
    machine::check(&mut report);
    let config = service::configuration(args.config.as_deref(), &mut report);
    if let Some(config) = &config {
        look(config, args.offline, &mut report);
    }
    report.write(out)?;
    if let Some(path) = &args.bundle {
        bundle::write(path, &report, config.as_ref())?;
        writeln!(out, "{} holds what was found: look at it before you send it", path.display())?;
    }
    report.outcome()
}

fn look(config: &Config, is_offline: bool, report: &mut Report) {
    machine::memory(config.store.memory.bytes() as u64, report);
    disk::check(&config.data_dir, report);
    connect::lake(config, report);
    service::data(&config.data_dir, report);
    service::people(config, report);
    service::port(config, report);
    if is_offline {
        return;
    }
    // A client that refuses its settings says which.
    if let Err(refused) = connect::targets(config, report) {
        report.problem("configuration", refused.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn settings(folder: &std::path::Path, more: &str) -> PathBuf {
        let path = folder.join("platewatch.toml");
        let data = folder.join("data");
        let text = format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n{more}");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn said(args: &DoctorArgs) -> (String, bool) {
        let mut out = Vec::new();
        let outcome = run(args, &mut out);
        (String::from_utf8(out).unwrap(), outcome.is_ok())
    }

    #[test]
    fn everything_is_looked_at_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let config = settings(folder.path(), "[api]\nlisten = \"127.0.0.1:0\"\n");
        let (text, _) = said(&DoctorArgs { config: Some(config), offline: true, bundle: None });
        for target in [
            "machine: ",
            "limits: ",
            "clock: ",
            "configuration: ok",
            "memory: ",
            "disk: ",
            "data: ok",
            "users: ok",
            "port: ok",
        ] {
            assert!(text.lines().any(|line| line.starts_with(target)), "{target}: {text}");
        }
        assert!(!folder.path().join("data").exists());
    }

    #[test]
    fn what_is_wrong_is_a_problem_with_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap();
        let config = settings(folder.path(), &format!("[api]\nlisten = \"{port}\"\n"));
        let (text, is_sound) = said(&DoctorArgs { config: Some(config), offline: true, bundle: None });
        assert!(!is_sound && text.contains("is used by another program") && text.contains("api.listen"), "{text}");
        let config = settings(folder.path(), "[api]\nlisten = \"0.0.0.0:0\"\n");
        let (text, is_sound) = said(&DoctorArgs { config: Some(config), offline: true, bundle: None });
        assert!(!is_sound && text.contains("platewatch user add"), "{text}");
        let config = settings(folder.path(), "[store]\nsync = \"maybe\"\n");
        let (text, is_sound) = said(&DoctorArgs { config: Some(config), offline: true, bundle: None });
        assert!(!is_sound && text.contains("configuration: problem") && !text.contains("port: "), "{text}");
    }

    #[test]
    fn a_bundle_holds_no_secret_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let config = settings(
            folder.path(),
            "[api]\nlisten = \"127.0.0.1:0\"\n[redis]\nurl = \"redis://:hush-hush@127.0.0.1:1\"\n[mycat]\npassword = \"hush-hush\"\n[oidc]\nclient_secret = \"hush-hush\"\n[kafka.properties]\n\"sasl.password\" = \"hush-hush\"\n",
        );
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/tally-0"), "x").unwrap();
        let bundle = folder.path().join("support.tar.gz");
        let args = DoctorArgs { config: Some(config), offline: true, bundle: Some(bundle.clone()) };
        let (text, _) = said(&args);
        assert!(text.contains("support.tar.gz holds what was found"), "{text}");
        assert_eq!(std::fs::metadata(&bundle).unwrap().permissions().mode() & 0o777, 0o600);
        let file = std::fs::File::open(&bundle).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        let mut all = String::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            all += &entry.path().unwrap().display().to_string();
            entry.read_to_string(&mut all).unwrap();
        }
        for part in [
            "platewatch-support/doctor.txt",
            "platewatch-support/settings.toml",
            "platewatch-support/files.txt",
            "tally-0",
            "[mycat]",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(!all.contains("hush-hush"), "{all}");
        assert!(run(&args, &mut Vec::new()).unwrap_err().to_string().contains("cannot write"), "it is not replaced");
    }
}
