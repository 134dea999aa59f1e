//! How a command fails: a sentence for the user and an exit code. Bad usage or configuration is 2, a check that found
//! differences 1, all else 3.

use crate::config::ConfigError;

/// What the user asked for cannot be done as asked: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A check found differences: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Differences(pub String);

/// The exit code for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<Differences>()) {
        return 1;
    }
    let usage = error.chain().any(|cause| {
        cause.is::<Usage>()
            || cause.is::<ConfigError>()
            || cause.is::<traffic::LayoutError>()
            || cause.is::<clap::Error>()
    });
    if usage { 2 } else { 3 }
}
