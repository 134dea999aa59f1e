//! What a setting's value must satisfy beyond its type. Each check says what to write instead.

use std::time::Duration;

use traffic::Layout;

use super::declare::{Check, Setting};
use super::units::{Retention, duration_text};

/// A value from `least` to `most`, both included; the reference shows them.
pub(super) struct Within<T> {
    least: T,
    most: T,
}

pub(super) fn within<T: Setting + PartialOrd>(least: T, most: T) -> Within<T> {
    Within { least, most }
}

impl<T: Setting + PartialOrd> Check<T> for Within<T> {
    fn note(&self) -> Option<String> {
        Some(format!("from {} to {}", self.least.to_toml(), self.most.to_toml()))
    }

    fn check(&self, value: &T) -> Result<(), String> {
        if *value < self.least || *value > self.most {
            let [value, least, most] = [value, &self.least, &self.most].map(Setting::to_toml);
            return Err(format!("{value} is out of range; write {least} to {most}"));
        }
        Ok(())
    }
}

pub(super) fn whole_seconds(duration: &Duration) -> Result<(), String> {
    if duration.subsec_nanos() != 0 {
        let text = duration_text(*duration);
        return Err(format!("{text} is not a whole number of seconds; passage times have none smaller"));
    }
    within(Duration::from_secs(1), Duration::from_secs(7 * 86_400)).check(duration)
}

pub(super) fn at_least_an_hour(retention: &Retention) -> Result<(), String> {
    match retention {
        Retention::For(duration) => {
            within(Duration::from_secs(3_600), Duration::from_secs(36_500 * 86_400)).check(duration)
        }
        Retention::Forever => Ok(()),
    }
}

pub(super) fn column_names(names: &[String]) -> Result<(), String> {
    Layout::parse(&names.join(",")).map(|_| ()).map_err(|error| error.to_string())
}

pub(super) fn origins(origins: &[String]) -> Result<(), String> {
    for origin in origins {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let valid = origin == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '*']));
        if !valid {
            return Err(format!(
                "\"{origin}\" is not an origin; write scheme, host and port without a path, such as \
                 \"https://example.org\", or \"*\""
            ));
        }
    }
    Ok(())
}
