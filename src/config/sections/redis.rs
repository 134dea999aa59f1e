//! `[redis]`: the mirror of the newest alerts and cases.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::{filled, redis_url, within};
use crate::config::declare::settings;
use crate::config::server::{Secret, ServerUrl};

settings! {
    /// The mirror of the newest alerts and cases in two lists of Redis.
    pub struct RedisConfig {
        /// The server: `"redis://host:6379"`, with TLS `"rediss://host:6379"`, another database `"redis://host:6379/1"`. `""` means no
        /// mirror.
        url: Option<ServerUrl> = None, |url: &Option<ServerUrl>| redis_url(url.as_ref());
        /// The user, if the URL names none; `""` is the default user of Redis.
        user: String = String::new();
        /// The password, if the URL has none; `""` is none. Better set in the environment than in the file.
        password: Secret = Secret::default();
        /// A file of CA certificates (PEM) for the server's certificate; `""` uses those of this machine. For `rediss://`.
        tls_ca: Option<PathBuf> = None;
        /// The key of the list of alerts.
        key: String = "traffic:warnings".to_owned(), |key: &String| filled(key);
        /// The key of the list of cases.
        cases_key: String = "traffic:cases".to_owned(), |key: &String| filled(key);
        /// Number of alerts that the one list keeps, and of cases that the other keeps.
        max_length: usize = 10_000, within(1, 1_000_000);
        /// Maximum time to connect, including the login.
        connect_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// Maximum time for an answer before the connection is closed.
        response_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// Maximum pause between two attempts while the server is away. The number of attempts is not limited.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How often a list is checked while nothing new comes, to refill it if it was emptied.
        check_interval: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(3_600));
    }
}
