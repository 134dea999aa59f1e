//! `[mycat]`: the mirror of passages, alerts and cases in MySQL.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::{at_least_an_hour, data_nodes, mysql_urls, within};
use crate::config::declare::{choices, settings};
use crate::config::server::{Secret, ServerUrl};
use crate::config::units::Retention;

settings! {
    /// The mirror of passages (table `traffic_data`), alerts (`traffic_alerts`) and cases (`traffic_cases`) in MySQL: through
    /// MyCat, or to its MySQL instances directly. Alerts and cases are on the first instance.
    pub struct MycatConfig {
        /// Where passages are mirrored to: MyCat alone (`["mysql://host:8066/MYETCDB"]`), or the instances in the order of
        /// MyCat's dataNodes (`["mysql://host:3306/traffic_db", "mysql://host:3307/traffic_db"]`), one for each of
        /// `store.shards`, to which Platewatch routes as MyCat would. `[]` means no mirror.
        urls: Vec<ServerUrl> = Vec::new(), |urls: &Vec<ServerUrl>| mysql_urls(urls);
        /// MyCat's names of the instances: `dataNode` of the table `traffic_data` in its schema.xml, in that order, one for each
        /// of `store.shards`. They are used to check that each instance answers, since MyCat returns half of the data while
        /// one does not.
        data_nodes: Vec<String> = vec!["dn1".to_owned(), "dn2".to_owned()], |names: &Vec<String>| data_nodes(names);
        /// The user, if a URL names none.
        user: String = String::new();
        /// The password, if a URL has none. Better set in the environment than in the file.
        password: Secret = Secret::default();
        /// Whether connections are encrypted, and the server's certificate verified. MyCat 1.6 does not support TLS.
        tls: MysqlTls = MysqlTls::Off;
        /// A file of CA certificates (PEM) for the server's certificate; `""` uses the public authorities. For `tls = "verify"`.
        tls_ca: Option<PathBuf> = None;
        /// Maximum number of passages in one statement. A statement of over 900 KB has fewer.
        batch_rows: usize = 500, within(1, 10_000);
        /// Maximum number of open connections to one address.
        pool_size: usize = 4, within(1, 64);
        /// Maximum time to connect, including the login.
        connect_timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(10), Duration::from_secs(600));
        /// Maximum time of a statement before its connection is closed.
        statement_timeout: Duration = Duration::from_secs(30), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// Maximum pause between two attempts while a target is away. The number of attempts is not limited.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How often the target is checked for a few of the rows that it has acknowledged, besides on connecting. If any is
        /// missing (it was restarted empty, or from a backup), it is filled again from there on.
        check_interval: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(86_400));
        /// How long the instances keep passages before their own clean-up event (`auto_clean_traffic`) deletes them, by the
        /// clock. Older rows are not considered missing there.
        retention: Retention = Retention::For(Duration::from_secs(3 * 86_400)), at_least_an_hour;
        /// The same for alerts and cases.
        alerts_retention: Retention = Retention::For(Duration::from_secs(90 * 86_400)), at_least_an_hour;
    }
}

choices! {
    /// Whether connections to MySQL are encrypted.
    pub enum MysqlTls {
        /// Not encrypted.
        Off = "off",
        /// Encrypted; a certificate that does not verify is refused.
        Verify = "verify",
    }
}
