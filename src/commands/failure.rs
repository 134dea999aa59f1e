//! How a command fails: a sentence for the user and an exit code. 1 if a check found something, 2 for bad usage or
//! configuration, 3 for all else.

use crate::config::ConfigError;
use crate::source::SourceError;
use crate::store::StoreError;

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
            || cause.downcast_ref::<StoreError>().is_some_and(|error| matches!(error, StoreError::PlateKey(_)))
            || cause.downcast_ref::<SourceError>().is_some_and(is_refusal)
    });
    if usage { 2 } else { 3 }
}

/// Whether other arguments would help. What a source reports after it was opened comes as a
/// [`PipelineError`](crate::pipeline::PipelineError), and is never bad usage.
fn is_refusal(error: &SourceError) -> bool {
    match error {
        SourceError::Refused(_) => true,
        SourceError::DamagedPosition { .. } | SourceError::Failed(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::pipeline::PipelineError;

    #[test]
    fn exit_codes_of_sources() {
        let code = |error: SourceError| exit_code(&anyhow::Error::from(error));
        let refused = SourceError::Refused("other files".to_owned());
        let damaged = SourceError::DamagedPosition { input: "the capture".to_owned(), detail: "checksum".to_owned() };
        assert_eq!(code(refused.clone()), 2);
        assert_eq!(exit_code(&Err::<(), _>(refused.clone()).context("opening").unwrap_err()), 2);
        assert_eq!((code(damaged), code(SourceError::Failed("gone".to_owned()))), (3, 3));
        // The run had begun.
        assert_eq!(exit_code(&PipelineError::from(refused).into()), 3);
    }
}
