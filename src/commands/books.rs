//! What commands about users and tokens work on: the accounts of a data directory and its audit log, beside a running
//! appliance.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use access::trail::{Action, Details, Draft, Via};
use access::{AccountError, Accounts, Area, Permission, Roles, Scope};
use clap::Args;
use traffic::TimeZoneName;

use super::failure::Usage;
use crate::clock::unix_millis;
use crate::config::Config;
use crate::gate::{AccountFiles, FilesError, Trail};
use crate::plain;

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

    /// The folder of the flow model, where a configuration names it.
    pub(super) fn model_folder(&self) -> anyhow::Result<Option<PathBuf>> {
        let Some(file) = &self.config else { return Ok(None) };
        Ok(Some(Config::load(file)?.predict.model_dir))
    }

    pub(super) fn books(&self) -> anyhow::Result<Books> {
        let (folder, zone) = self.find()?;
        Ok(Books { files: AccountFiles::below(&folder), trail: Trail::below(&folder, zone) })
    }
}

/// Where a user or a token may look.
#[derive(Debug, Clone, Args)]
pub struct AreaArgs {
    /// Limit to a district (XZQHMC of the checkpoints); may be given several times
    #[arg(long = "district", value_name = "NAME")]
    districts: Vec<String>,
    /// Limit to a checkpoint (code, full name or label), beside the districts; may be given several times
    #[arg(long = "checkpoint", value_name = "KKMC")]
    checkpoints: Vec<String>,
}

impl AreaArgs {
    /// The area; none is everywhere.
    pub(super) fn area(&self) -> anyhow::Result<Option<Area>> {
        let names = || self.districts.iter().chain(&self.checkpoints);
        // An empty name would limit to nothing else, and so to nothing at all, or not at all.
        if names().any(|name| name.trim().is_empty() || name.chars().any(plain::is_hazard)) {
            return Err(Usage("--district and --checkpoint take visible names".to_owned()).into());
        }
        Ok(Area::of(self.districts.clone(), self.checkpoints.clone()))
    }
}

/// An area as the audit log says it.
pub(super) fn with_area(details: Details, area: Option<&Area>) -> Details {
    let names = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>();
    details
        .with_any("districts", area.map(|area| names(&area.districts)))
        .with_any("checkpoints", area.map(|area| names(&area.checkpoints)))
}

/// An area in words for people.
pub(super) fn area_words(area: Option<&Area>) -> String {
    Scope::within([area]).words().unwrap_or_default()
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
