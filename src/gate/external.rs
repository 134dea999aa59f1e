//! Logins by single sign-on: who was vouched for elsewhere gets a session of ours. It does not know how that was found out.

use access::{AccountError, ExternalId, ExternalUser, Secret, Session, UserName};

use super::files::FilesError;
use super::gatekeeper::Gate;
use super::random::NoRandomness;

/// Why somebody who was vouched for was not let in.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// Nobody needs to log in.
    #[error("nobody needs to log in")]
    Open,
    /// The account does not allow it.
    #[error(transparent)]
    Account(AccountError),
    /// It could not be stored.
    #[error(transparent)]
    Files(FilesError),
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

impl Gate {
    /// Lets somebody in whom a provider vouches for, with the roles that it says.
    ///
    /// # Errors
    /// [`EnterError`].
    pub fn enter(
        &self,
        external: ExternalUser,
        address: &str,
        agent: &str,
        now: i64,
    ) -> Result<(Secret, Session), EnterError> {
        let files = self.files().filter(|_| self.is_closed()).ok_or(EnterError::Open)?;
        let name = match self.unchanged(&external) {
            Some(name) => name,
            None => {
                let entered = files.change(|accounts| accounts.enter(external, now)).map_err(|error| match error {
                    FilesError::Account(refused) => EnterError::Account(refused),
                    other => EnterError::Files(other),
                })?;
                self.reload();
                entered
            }
        };
        Ok(self.open_session(name, address, agent, now)?)
    }

    /// The account of somebody, if it is already as it should be: then nothing needs to be stored.
    fn unchanged(&self, external: &ExternalUser) -> Option<UserName> {
        let known = self.known();
        let user = known.accounts.external(&external.id)?;
        let is_same = !user.disabled && user.roles == external.roles && user.shown == external.shown;
        is_same.then(|| user.name.clone())
    }

    /// Ends the sessions of somebody who may do nothing here any more.
    pub fn turn_out(&self, id: &ExternalId) {
        let name = self.known().accounts.external(id).map(|user| user.name.clone());
        if let Some(name) = name {
            self.end_sessions(&name);
        }
    }

    /// Whether a user logs in by single sign-on.
    pub fn is_external(&self, name: &UserName) -> bool {
        self.known().accounts.external_id(name).is_some()
    }
}
