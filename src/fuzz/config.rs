//! The configuration file: a mistake has a line of the file, and is the same when it is read again.

use super::outcome::{kind, outcome};
use crate::config::Config;

pub(super) fn run(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let result = Config::from_toml(&text, []);
    let again = Config::from_toml(&text, []);
    assert_eq!(format!("{result:?}"), format!("{again:?}"));
    match result {
        Ok(config) => {
            let printed = config.to_toml_with_docs();
            let read = Config::from_toml(&printed, []);
            assert_eq!(read.as_ref().map(|read| format!("{read:?}")), Ok(format!("{config:?}")), "{printed}");
            outcome("accepted")
        }
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty());
            outcome(words.lines().take(2).map(kind).collect::<Vec<_>>())
        }
    }
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let whole = Config::default().to_toml_with_docs();
    // Without the docs, and with every default written out.
    let settings: Vec<&str> = whole.lines().filter(|line| !line.starts_with("# ") && !line.is_empty()).collect();
    let written: Vec<&str> = settings.iter().map(|line| line.trim_start_matches('#')).collect();
    vec![settings.join("\n").into_bytes(), written.join("\n").into_bytes()]
}

/// The names of all settings.
#[cfg(test)]
pub(super) fn words() -> Vec<Vec<u8>> {
    let whole = Config::default().to_toml_with_docs();
    let names = whole.lines().filter_map(|line| line.trim_start_matches('#').split_once(" = "));
    names.map(|(name, _)| name.trim().as_bytes().to_vec()).collect()
}
