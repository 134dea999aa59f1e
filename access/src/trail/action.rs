//! What an entry is about, and how it was known who did it. It does not know the rest of an entry.

use serde::{Deserialize, Serialize};

/// Declares an enum whose values have a name in the log.
macro_rules! named {
    ($(#[doc = $docs:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $value:ident = $text:literal,)+ }) => {
        $(#[doc = $docs])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $value,)+
        }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// The name in the log.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }
    };
}

named! {
    /// What was done.
    Action {
        /// A user logged in.
        Login = "login",
        /// A name or a password was wrong, or had to wait.
        LoginFailed = "login_failed",
        /// A user logged out.
        Logout = "logout",
        /// A user chose a new password.
        Password = "password",
        /// A user ended another of the own sessions.
        SessionEnded = "session_ended",
        /// Passages were searched for.
        Query = "query",
        /// Passages were exported; this is the start.
        Export = "export",
        /// An export ended; `rows` were really sent.
        ExportEnd = "export_end",
        /// A plate's track was read.
        Track = "track",
        /// One warning was read.
        Warning = "warning",
        /// One case was read.
        Case = "case",
        /// Rejected lines were read.
        Rejects = "rejects",
        /// The work on a warning was changed.
        WorkWarning = "work_warning",
        /// The work on a case was changed.
        WorkCase = "work_case",
        /// Passage records were sent.
        Ingest = "ingest",
        /// Warnings were listed.
        ListWarnings = "list_warnings",
        /// Cases were listed.
        ListCases = "list_cases",
        /// The stream of warnings was opened.
        Stream = "stream",
        /// This log was read.
        Audit = "audit",
        /// This log was verified.
        Verified = "verified",
        /// Something that leaves no other entry was refused.
        Refused = "refused",
        /// A user was made.
        UserAdd = "user_add",
        /// A user may not log in any more.
        UserDisable = "user_disable",
        /// A user may log in again.
        UserEnable = "user_enable",
        /// Somebody set another's password.
        UserPassword = "user_password",
        /// A user has other roles.
        UserRoles = "user_roles",
        /// A user is limited to other districts or checkpoints.
        UserScope = "user_scope",
        /// A user is shown by another name.
        UserShown = "user_shown",
        /// A token was made.
        TokenAdd = "token_add",
        /// A token is not valid any more.
        TokenRevoke = "token_revoke",
        /// The oldest entries were removed: the details say up to which one.
        Retention = "retention",
        /// Details of entries were erased.
        Erase = "erase",
        /// Everything of a plate was removed: the details say how much, and never of which plate.
        Forget = "forget",
        /// A backup of the data directory was begun: the details say where.
        Backup = "backup",
        /// The data directory was restored from a backup: the details say from which, and of when it is.
        Restore = "restore",
        /// The end of the log was damaged, and was cut: the details say what is lost.
        Recovered = "recovered",
    }
}

impl Action {
    /// The action with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }
}

named! {
    /// How it was known who did it.
    Via {
        /// By the session of a browser.
        Session = "session",
        /// By the token of a program.
        Token = "token",
        /// It was not: nobody needs to log in.
        Open = "open",
        /// It was not: a login failed.
        Nothing = "nothing",
        /// By the account of cameras and platforms of GA/T 1400.
        Device = "device",
        /// On the command line, by who may write the data directory.
        Command = "command",
        /// The process did it by itself.
        Process = "process",
    }
}
