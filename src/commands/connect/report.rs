//! What was found at the targets, each under its name. It does not know how they are checked.

use std::io::{self, Write};

use crate::commands::failure::Differences;
use crate::plain;

/// The name of Kafka's findings.
pub(super) const KAFKA: &str = "kafka";
/// The name of the findings at MySQL and MyCat.
pub(super) const MYSQL: &str = "mysql";
/// The name of the findings at Redis.
pub(super) const REDIS: &str = "redis";

/// The findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(in crate::commands) struct Report {
    pub(in crate::commands) findings: Vec<Finding>,
}

/// One finding, about one target.
#[derive(Debug)]
pub(in crate::commands) struct Finding {
    pub(in crate::commands) target: &'static str,
    pub(in crate::commands) kind: Kind,
    pub(in crate::commands) text: String,
}

/// What a finding means for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Kind {
    Sound,
    /// It works, but a setting should be changed.
    Advice,
    Problem,
}

impl Report {
    /// The target can be used, or needs nothing.
    pub(in crate::commands) fn sound(&mut self, target: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { target, kind: Kind::Sound, text: text.into() });
    }

    /// It works as it is, but something should be changed.
    pub(in crate::commands) fn advice(&mut self, target: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { target, kind: Kind::Advice, text: text.into() });
    }

    /// Something prevents its use; the text says what, and what to change.
    pub(in crate::commands) fn problem(&mut self, target: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { target, kind: Kind::Problem, text: text.into() });
    }

    /// One line for each finding.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(in crate::commands) fn write(&self, out: &mut impl Write) -> io::Result<()> {
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
    pub(in crate::commands) fn outcome(&self) -> anyhow::Result<()> {
        match self.problems() {
            0 => Ok(()),
            1 => Err(Differences("1 problem was found: mend it, then check again".to_owned()).into()),
            count => Err(Differences(format!("{count} problems were found: mend them, then check again")).into()),
        }
    }

    pub(in crate::commands) fn problems(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind == Kind::Problem).count()
    }
}
