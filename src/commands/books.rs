//! What commands about users and tokens work on: the accounts of a data directory and its audit log, beside a running
//! appliance.

use std::path::{Path, PathBuf};

use access::trail::{Action, Details, Draft, Via};
use access::{AccountError, Accounts, Permission, Roles};
use clap::Args;
use traffic::TimeZoneName;

use super::failure::Usage;
use crate::clock::unix_millis;
use crate::config::Config;
use crate::gate::{AccountFiles, FilesError, Trail};

/// Where the accounts are.
#[derive(Debug, Args)]
pub struct Place {
    /// The configuration that names the data directory
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The data directory, instead of a configuration
    #[arg(long, value_name = "DIR", conflicts_with = "config", global = true)]
    data_dir: Option<PathBuf>,
}

impl Place {
    /// The data directory, and the zone of the road.
    pub(super) fn find(&self) -> anyhow::Result<(PathBuf, TimeZoneName)> {
        match (&self.data_dir, &self.config) {
            (Some(folder), _) => Ok((folder.clone(), TimeZoneName::default())),
            (None, Some(file)) => {
                Config::load(file).map(|config| (config.data_dir, config.source.timezone)).map_err(Into::into)
            }
            (None, None) => {
                Err(Usage("name the data directory (--data-dir), or the configuration (--config)".to_owned()).into())
            }
        }
    }

    pub(super) fn books(&self) -> anyhow::Result<Books> {
        let (folder, zone) = self.find()?;
        Ok(Books { files: AccountFiles::below(&folder), trail: Trail::below(&folder, zone) })
    }
}

/// The accounts and the audit log.
#[derive(Debug)]
pub(super) struct Books {
    /// The accounts.
    pub(super) files: AccountFiles,
    trail: Trail,
}

impl Books {
    /// Changes the accounts. An entry of the audit log says so, or nothing is changed.
    pub(super) fn change<T>(
        &self,
        action: Action,
        change: impl FnOnce(&mut Accounts) -> Result<T, AccountError>,
        details: impl FnOnce(&T) -> Details,
    ) -> anyhow::Result<T> {
        let record = |done: &T| {
            let details = details(done).with_any("uid", uid());
            let draft = Draft { details: Some(details), ..Draft::new(action, Via::Command) };
            self.trail.append(draft, unix_millis())?;
            self.trail.sync()
        };
        self.files.change_and_record(change, record).map_err(|error| match error {
            FilesError::Account(refused) => Usage(refused.to_string()).into(),
            FilesError::Io { .. } | FilesError::Damaged { .. } | FilesError::Trail(_) => error.into(),
        })
    }
}

/// Who runs this process, as a number.
pub(super) fn uid() -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(Path::new("/proc/self")).ok().map(|about| u64::from(about.uid()))
}

/// Roles for the audit log.
pub(super) fn role_names(roles: &Roles) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

/// Scopes for the audit log.
pub(super) fn scope_names(scopes: &[Permission]) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}
