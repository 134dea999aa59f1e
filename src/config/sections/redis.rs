//! `[redis]`: the mirror of the newest alerts.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::{filled, redis_url, within};
use crate::config::declare::settings;
use crate::config::server::{Secret, ServerUrl};

settings! {
    /// The mirror of the newest alerts in a list of Redis.
    pub struct RedisConfig {
        /// The server: `"redis://host:6379"`, with TLS `"rediss://host:6379"`, another database `"redis://host:6379/1"`. `""` is no
        /// mirror.
        url: Option<ServerUrl> = None, |url: &Option<ServerUrl>| redis_url(url.as_ref());
        /// The user, where the URL names none; `""` is Redis' default user.
        user: String = String::new();
        /// The password, where the URL has none; `""` is none. Better in the environment than in the file.
        password: Secret = Secret::default();
        /// A file of certificates (PEM) that may sign the server's; `""` trusts those that this machine trusts. For `rediss://`.
        tls_ca: Option<PathBuf> = None;
        /// The key of the list.
        key: String = "traffic:warnings".to_owned(), |key: &String| filled(key);
        /// How many alerts the list keeps.
        max_length: usize = 10_000, within(1, 1_000_000);
        /// The longest that connecting may take, the login included.
        connect_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest that an answer may take before the connection is given up.
        response_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest pause between two attempts while the server is away. There is no limit to their number.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How often the list is looked at while no alert comes, to refill it after it was emptied.
        check_interval: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(3_600));
    }
}
