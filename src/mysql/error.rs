//! Why a statement does not succeed, and what must be done about it. It never holds a password.

use std::time::Duration;

/// Why a statement did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MysqlError {
    /// The server answered with an error.
    #[error("{message} (MySQL error {code}, SQLSTATE {state})")]
    Server {
        /// MySQL's error number.
        code: u16,
        /// SQLSTATE.
        state: String,
        /// MySQL's message.
        message: String,
    },
    /// No answer came in time.
    #[error("no answer within {0:?} ({1})")]
    Timeout(Duration, &'static str),
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Connection(String),
    /// The address accepts connections, and says nothing.
    #[error(
        "it accepts connections and does not greet within {0:?}: if it is MyCat, an instance behind it is away or refuses \
         MyCat's own account (look into MyCat's logs, and at user and password of each writeHost in schema.xml); else \
         something on the way swallows what is said, such as a firewall"
    )]
    NoGreeting(Duration),
    /// One of the instances behind MyCat does not answer.
    #[error("the instance behind dataNode {node} is away ({cause})")]
    NodeAway {
        /// Which, by MyCat's name for it.
        node: String,
        /// MyCat's message.
        cause: String,
    },
    /// The server answers, and something must be changed there or in the settings first; the text says what.
    #[error("{0}")]
    Unfit(String),
}

impl MysqlError {
    /// What must be done first, where the server answers and refuses for a reason that does not pass by itself.
    pub fn remedy(&self) -> Option<&'static str> {
        let Self::Server { code, .. } = self else { return None };
        match code {
            1044 | 1045 | 1142 | 1143 | 1698 => {
                Some("it refuses the account: check mycat.user, mycat.password and its rights (sql/users.sql)")
            }
            1049 | 1146 => {
                Some("the database or its table is missing: load sql/schema.sql on the instance, then sql/users.sql")
            }
            1054 => Some("its table has other columns: compare it with sql/schema.sql"),
            _ => None,
        }
    }
}

impl From<mysql_async::Error> for MysqlError {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Server(error) => {
                Self::Server { code: error.code, state: error.state, message: error.message }
            }
            mysql_async::Error::Io(mysql_async::IoError::Io(error)) => Self::Connection(error.to_string()),
            other => Self::Connection(other.to_string()),
        }
    }
}
