//! Roles: what people at a traffic desk do, as sets of permissions. A user may have several.

use serde::{Deserialize, Serialize};

use crate::permission::{Permission, Permissions};

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 浏览: the wall and the dashboards; plates are masked.
    Viewer,
    /// 值班: plates, warnings and cases, and the work on them.
    Operator,
    /// 主管: what an operator may, rejected lines, and sending records.
    Supervisor,
    /// 审计: the audit log and nothing else.
    Auditor,
    /// 管理: users, tokens, the state of the appliance, and sending records; no plates.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Operator, Self::Supervisor, Self::Auditor, Self::Admin];

    /// The name in files, in the API and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What it may do.
    pub fn permissions(self) -> Permissions {
        use Permission::{Audit, Dashboard, Export, Ingest, Metrics, Plates, Rejects, Users, Work};
        match self {
            Self::Viewer => [Dashboard].into_iter().collect(),
            Self::Operator => [Dashboard, Plates, Work, Export].into_iter().collect(),
            Self::Supervisor => [Dashboard, Plates, Work, Export, Rejects, Ingest].into_iter().collect(),
            Self::Auditor => [Audit].into_iter().collect(),
            Self::Admin => [Dashboard, Users, Metrics, Ingest].into_iter().collect(),
        }
    }
}

/// The roles of a user, each once and in the order of [`Role::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(Vec<Role>);

impl Roles {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }

    /// Whether `role` is among them.
    pub fn have(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they may do together.
    pub fn permissions(&self) -> Permissions {
        self.iter().fold(Permissions::default(), |all, role| all.or(role.permissions()))
    }
}

impl From<Vec<Role>> for Roles {
    fn from(mut roles: Vec<Role>) -> Self {
        roles.sort_unstable();
        roles.dedup();
        Self(roles)
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operators_and_supervisors_see_plates() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            let sees = role.permissions().allow(Permission::Plates);
            assert_eq!(sees, matches!(role, Role::Operator | Role::Supervisor), "{role:?}");
            // Whoever sees no plates may not get them by another door.
            for door in [Permission::Work, Permission::Export, Permission::Rejects] {
                assert!(sees || !role.permissions().allow(door), "{role:?} {door:?}");
            }
        }
        let audit = Role::Auditor.permissions();
        assert_eq!(audit.iter().collect::<Vec<_>>(), [Permission::Audit], "auditors see the log only");
    }

    #[test]
    fn roles_add_up() {
        let both = Roles::from(vec![Role::Admin, Role::Operator, Role::Admin]);
        assert_eq!(both.iter().collect::<Vec<_>>(), [Role::Operator, Role::Admin]);
        assert!(both.permissions().allow(Permission::Users) && both.permissions().allow(Permission::Plates));
        assert!(both.have(Role::Admin) && !both.have(Role::Viewer) && Roles::default().is_empty());
    }
}
