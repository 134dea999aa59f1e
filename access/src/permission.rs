//! What one may do. It does not know who.

use serde::{Deserialize, Serialize};

/// What an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Counts, maps, roads, cameras and forecasts; warnings and cases with masked plates.
    Dashboard,
    /// Plates: searching for them, tracks, one warning or case with all its sightings.
    Plates,
    /// Changing the work on warnings and cases.
    Work,
    /// Exporting passages to a file.
    Export,
    /// Rejected lines as they came.
    Rejects,
    /// The audit log.
    Audit,
    /// Users and tokens.
    Users,
    /// The metrics of the process.
    Metrics,
    /// Sending passage records.
    Ingest,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 9] = [
        Self::Dashboard,
        Self::Plates,
        Self::Work,
        Self::Export,
        Self::Rejects,
        Self::Audit,
        Self::Users,
        Self::Metrics,
        Self::Ingest,
    ];

    /// The name in files, in the API and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Plates => "plates",
            Self::Work => "work",
            Self::Export => "export",
            Self::Rejects => "rejects",
            Self::Audit => "audit",
            Self::Users => "users",
            Self::Metrics => "metrics",
            Self::Ingest => "ingest",
        }
    }

    /// The permission with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u16);

impl Permissions {
    /// Everything.
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// Whether `permission` is among them.
    pub fn allow(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each of them, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.allow(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |all, permission| all | permission.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_has_a_name_and_a_place_in_a_set() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
            let alone = Permissions::from_iter([permission]);
            assert_eq!(alone.iter().collect::<Vec<_>>(), [permission]);
            assert!(Permissions::all().allow(permission) && !Permissions::default().allow(permission));
        }
        assert_eq!(Permission::parse("everything"), None);
        let [one, two] = [Permission::Work, Permission::Audit].map(|permission| Permissions::from_iter([permission]));
        assert_eq!(one.or(two).and(two), two);
        assert_eq!(one.and(two), Permissions::default());
    }
}
