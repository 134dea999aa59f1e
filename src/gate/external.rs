//! Logins by single sign-on: whose identity a provider has confirmed gets a session of ours. It does not know how that was found out.

use access::{ExternalId, ExternalUser, Secret, Session, UserName};

use super::gatekeeper::Gate;
use super::manage::ManageError;

impl Gate {
    /// Logs in somebody whose identity a provider has confirmed, with the roles that it says.
    ///
    /// # Errors
    /// [`ManageError`].
    pub fn enter(
        &self,
        external: ExternalUser,
        address: &str,
        agent: &str,
        now: i64,
    ) -> Result<(Secret, Session), ManageError> {
        let files = self.files().filter(|_| self.is_closed()).ok_or(ManageError::Open)?;
        let name = match self.unchanged(&external) {
            Some(name) => name,
            None => {
                let entered = files.change(|accounts| accounts.enter(external, now))?;
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
