//! How a command fails: a sentence for the user and an exit code. 1 if a check found something, 2 for bad usage or
//! configuration, 3 for all else.

use crate::config::ConfigError;

/// The command cannot be carried out as given: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The check ran and found something: exit code 1. Its findings are already written.
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
