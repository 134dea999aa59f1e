//! How a command fails: a sentence for the user and an exit code. A check that found something is 1, bad usage or
//! configuration is 2, all else 3.

use crate::config::ConfigError;

/// What the user asked for cannot be done as asked: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The check was made, and found something: exit code 1. What it found is written already.
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
