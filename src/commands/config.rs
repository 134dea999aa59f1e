//! `check-config FILE` and `print-config`: reports what is wrong with a configuration, and lists what may be in one.
//!
//! Opens nothing but the file and the certificates that it names: neither the data directory nor the port is touched. With `--connect` it also connects to
//! what the file names, see [`super::connect`].

use std::io::{self, Write};
use std::path::Path;

use super::serving::{sign_on, tls};
use crate::config::{Config, SourceKind, duration_text, reference_markdown};

/// Checks a configuration file with the overrides of the environment, and writes one line: that it is sound, and its
/// notable values. With `connect`, also one line for each finding where it connected.
///
/// # Errors
/// [`ConfigError`](crate::config::ConfigError) (exit code 2) if the configuration cannot be used, and the same code for a
/// certificate that cannot be; those of
/// [`connect`](super::connect::connect); an I/O error if `out` cannot be written.
pub fn check_config(file: &Path, connect: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let config = usable(file)?;
    writeln!(out, "{}: ok ({})", file.display(), notable(&config))?;
    if connect { super::connect::connect(&config, out) } else { Ok(()) }
}

/// The configuration of a file, with the overrides of the environment and certificates that can be used.
///
/// # Errors
/// As [`check_config`].
pub(super) fn usable(file: &Path) -> anyhow::Result<Config> {
    let config = Config::load(file)?;
    tls(&config)?;
    sign_on(&config)?;
    Ok(config)
}

/// Writes all settings with their defaults and docs: as TOML, or as the Markdown of docs/configuration.md.
///
/// # Errors
/// `out` cannot be written.
pub fn print_config(markdown: bool, out: &mut impl Write) -> io::Result<()> {
    let text = if markdown { reference_markdown() } else { Config::default().to_toml_with_docs() };
    out.write_all(text.as_bytes())
}

fn notable(config: &Config) -> String {
    let source = match config.source.kind {
        SourceKind::Capture => format!("capture of {} file(s)", config.source.files.len()),
        SourceKind::Simulator => format!("simulator at {} records/s", config.source.rate),
        SourceKind::Kafka => format!("topic {} on {}", config.kafka.topic, config.kafka.brokers),
        SourceKind::Http => "what is sent to /api/ingest".to_owned(),
        SourceKind::None => "none".to_owned(),
    };
    format!(
        "role {}, data in {}, source {source}, window {}, retention {}, memory {}, API on {}",
        config.role.as_str(),
        config.data_dir.display(),
        duration_text(config.detect.window),
        config.store.retention,
        config.store.memory,
        config.api.listen,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigError;

    #[test]
    fn a_sound_file_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ok.toml");
        std::fs::write(&path, "[source]\nkind = \"simulator\"\n").unwrap();
        let mut out = Vec::new();
        check_config(&path, false, &mut out).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert!(line.starts_with(&format!("{}: ok (role all, ", path.display())), "{line}");
        assert!(
            line.contains("source simulator at 50 records/s") && line.contains("window 5m, retention 3d"),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn an_unsound_file_is_a_config_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bad.toml");
        std::fs::write(&path, "[store]\nsync = \"maybe\"\n").unwrap();
        let error = check_config(&path, false, &mut Vec::new()).unwrap_err();
        assert!(error.downcast_ref::<ConfigError>().is_some(), "{error}");
    }

    #[test]
    fn prints_both_forms() {
        for (markdown, part) in [(false, "[detect]\n"), (true, "## `[detect]`\n")] {
            let mut out = Vec::new();
            print_config(markdown, &mut out).unwrap();
            assert!(String::from_utf8(out).unwrap().contains(part));
        }
    }
}
