//! The findings of `check-config --connect` and of `doctor`, each under the name of what was checked. It does not know how that is
//! done.

use std::io::{self, Write};

use super::failure::Differences;
use crate::plain;

/// The name of Kafka's findings.
pub(super) const KAFKA: &str = "kafka";
/// The name of the findings at MySQL and MyCat.
pub(super) const MYSQL: &str = "mysql";
/// The name of the findings at the broker of MQTT.
pub(super) const MQTT: &str = "mqtt";
/// The name of the findings at Redis.
pub(super) const REDIS: &str = "redis";

/// The name of the findings at the lake.
pub(super) const LAKE: &str = "lake";

/// The findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
}

/// One finding, about one target.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) target: &'static str,
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// What a finding means for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sound,
    /// It works, but a setting should be changed.
    Advice,
    Problem,
}

impl Report {
    /// The target can be used, or needs nothing.
    pub(super) fn sound(&mut self, target: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { target, kind: Kind::Sound, text: text.into() });
    }

    /// It works as it is, but something should be changed.
    pub(super) fn advice(&mut self, target: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { target, kind: Kind::Advice, text: text.into() });
    }

    /// Something prevents its use; the text says what, and what to change.
    pub(super) fn problem(&mut self, target: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { target, kind: Kind::Problem, text: text.into() });
    }

    /// One line for each finding.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for Finding { target, kind, text } in &self.findings {
            let word = match kind {
                Kind::Sound => "ok",
                Kind::Advice => "advice",
                Kind::Problem => "problem",
            };
            // It may contain text of servers.
            writeln!(out, "{target}: {word}: {}", plain::line(text))?;
        }
        Ok(())
    }

    /// That nothing is in the way.
    ///
    /// # Errors
    /// [`Differences`] (exit code 1) if there are problems.
    pub(super) fn outcome(&self) -> anyhow::Result<()> {
        match self.problems() {
            0 => Ok(()),
            1 => Err(Differences("1 problem was found: mend it, then check again".to_owned()).into()),
            count => Err(Differences(format!("{count} problems were found: mend them, then check again")).into()),
        }
    }

    pub(super) fn problems(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind == Kind::Problem).count()
    }
}
