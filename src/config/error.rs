//! Errors of a configuration: every problem with its setting and its line or variable, in one error.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A line of the file, from 1.
    Line(usize),
    /// An environment variable.
    Variable(String),
    /// Not set: the default.
    Default,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) origin: Origin,
    /// The setting, such as `detect.window`; empty if the text is not TOML.
    pub(super) setting: String,
    /// What is wrong and what to write instead.
    pub(super) message: String,
}

/// A configuration that cannot be used: bad usage, exit code 2. The text has one line for each problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    pub(super) file: Option<PathBuf>,
    pub(super) problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            match (&problem.origin, &self.file) {
                (Origin::Line(line), Some(file)) => write!(f, "{}, line {line}: ", file.display())?,
                (Origin::Line(line), None) => write!(f, "line {line}: ")?,
                (Origin::Variable(name), _) => write!(f, "environment variable {name}: ")?,
                (Origin::Default, Some(file)) => write!(f, "{}: ", file.display())?,
                (Origin::Default, None) => {}
            }
            if !problem.setting.is_empty() {
                write!(f, "{}: ", problem.setting)?;
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}
