//! Checks `[mycat]`: MyCat with each of its dataNodes, or the instances themselves. The login, the tables with their
//! columns and keys, character sets, modes and rights. It only reads; the right to write is checked with EXPLAIN.

use std::collections::BTreeMap;

use mysql_async::Row;
use mysql_async::prelude::FromRow;

use super::reach::Address;
use crate::commands::report::{MYSQL, Report};
use crate::config::{Config, Role};
use crate::mysql::table::{ALERTS, CASES, CHECKPOINT, CHECKPOINTS, ID, PASSAGES, TIME};
use crate::mysql::{Fit, MysqlError, MysqlPool};

const LOAD: &str = "load sql/schema.sql on the instance as root";

/// Checks MySQL, if it is configured.
///
/// # Errors
/// No threads can be started.
pub(super) fn check(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let settings = &config.mycat;
    if settings.urls.is_empty() {
        report.sound(MYSQL, "nothing to connect to: mycat.urls is []");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let writes = config.role != Role::Api;
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    for (place, (url, pool)) in settings.urls.iter().zip(MysqlPool::of(settings)).enumerate() {
        let address = Address { host: url.host().to_owned(), port: url.port() };
        if let Err(reason) = address.connect() {
            report.problem(
                MYSQL,
                format!("{address} of mycat.urls: {reason}; check the address, and that MyCat or MySQL listens on it"),
            );
            continue;
        }
        let problems = report.problems();
        match runtime.block_on(look(&pool, place == 0, writes, report)) {
            Err(error) => report.problem(MYSQL, format!("{}: {}", pool.address(), words(&error))),
            Ok(found) => {
                if let Some(other) = found.place.and_then(|place| places.insert(place, pool.address().to_owned())) {
                    report.problem(
                        MYSQL,
                        format!(
                            "{other} and {} lead to the same instance: mycat.urls takes one address of each",
                            pool.address()
                        ),
                    );
                }
                if report.problems() == problems {
                    report.sound(MYSQL, format!("{}: {}", pool.address(), found.text));
                }
            }
        }
    }
    Ok(())
}

/// What is sound at an address.
struct Found {
    text: String,
    /// Identifies an instance.
    place: Option<String>,
}

async fn look(pool: &MysqlPool, is_first: bool, writes: bool, report: &mut Report) -> Result<Found, MysqlError> {
    let tables = "traffic_data and kkmc_info can be";
    let used = if writes { "written and read" } else { "read" };
    match pool.check_fitness().await? {
        Fit::Instance => {
            let server = Server { pool, node: None };
            let problems = report.problems();
            server.look(writes, report).await?;
            if writes && report.problems() == problems {
                server.rights(report).await?;
            }
            if is_first {
                server.records(writes, report).await?;
            }
            let place = server.ask::<String>("SELECT CONCAT_WS(' ', @@hostname, @@port, @@datadir)").await?.pop();
            Ok(Found { text: format!("an instance of MySQL; {tables} {used}"), place })
        }
        Fit::Mycat(nodes) => {
            for node in &nodes {
                let server = Server { pool, node: Some(node) };
                server.look(writes, report).await?;
                server.mode(report).await?;
            }
            if let Some(first) = nodes.first() {
                Server { pool, node: Some(first) }.records(false, report).await?;
            }
            Ok(Found { text: format!("MyCat; {tables} {used} on {}", nodes.join(" and ")), place: None })
        }
    }
}

/// Each table with its columns and its key.
fn tables() -> [(&'static str, String, &'static str); 2] {
    [(PASSAGES.name, PASSAGES.list(), PASSAGES.key), (CHECKPOINTS.name, CHECKPOINTS.list(), CHECKPOINTS.key)]
}

/// One instance, asked directly or through MyCat.
struct Server<'a> {
    pool: &'a MysqlPool,
    node: Option<&'a str>,
}

/// A column: its name, character set and collation.
type Column = (String, Option<String>, Option<String>);

impl Server<'_> {
    /// The rows of an answer that have the expected form.
    async fn ask<T: FromRow>(&self, question: &str) -> Result<Vec<T>, MysqlError> {
        let rows: Vec<Row> = match self.node {
            Some(node) => self.pool.rows(&format!("/*!mycat:dataNode={node}*/ {question}")).await?,
            None => self.pool.rows(question).await?,
        };
        Ok(rows.into_iter().filter_map(|row| mysql_async::from_row_opt(row).ok()).collect())
    }

    fn problem(&self, report: &mut Report, text: &str) {
        report.problem(MYSQL, format!("{self}: {text}"));
    }

    /// The tables, as the appliance reads and writes them.
    async fn look(&self, writes: bool, report: &mut Report) -> Result<(), MysqlError> {
        for (table, columns, key) in tables() {
            let question = format!("SELECT {columns} FROM {table} WHERE {key} = ''");
            match self.ask::<Row>(&question).await {
                Ok(_) => {}
                Err(error @ MysqlError::Server { .. }) => {
                    self.problem(report, &table_words(table, &columns, &error));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        let columns: Vec<Column> = self
            .ask(&format!(
                "SELECT COLUMN_NAME, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{}'",
                PASSAGES.name
            ))
            .await?;
        for (column, set, collation) in columns {
            let is_text = PASSAGES.names().contains(&column.as_str()) && set.is_some();
            let (set, collation) = (set.unwrap_or_default(), collation.unwrap_or_default());
            if is_text && set != "utf8mb4" {
                let text = format!(
                    "the column {column} of traffic_data is {set}, which does not hold every character: ALTER TABLE \
                     traffic_data CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                );
                self.problem(report, &text);
                return Ok(());
            }
            if is_text && [ID, CHECKPOINT].contains(&column.as_str()) && !collation.ends_with("_bin") {
                let text = format!(
                    "the column {column} of traffic_data is compared by {collation}, which takes different texts for the \
                     same: ALTER TABLE traffic_data CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                );
                self.problem(report, &text);
                return Ok(());
            }
        }
        self.keys(writes, report).await
    }

    /// The primary key, which keeps each row once, and the index on the time.
    async fn keys(&self, writes: bool, report: &mut Report) -> Result<(), MysqlError> {
        let keys: Vec<(String, String, u64)> = self
            .ask(&format!(
                "SELECT INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX FROM information_schema.STATISTICS \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{}'",
                PASSAGES.name
            ))
            .await?;
        let columns_of = |index: &str| keys.iter().filter(|(name, ..)| name == index).count();
        let is_key = keys.iter().any(|(index, column, _)| index == "PRIMARY" && column == PASSAGES.key);
        if writes && !(is_key && columns_of("PRIMARY") == 1) {
            let text = "the primary key of traffic_data is not id, so that rows would be stored twice: ALTER TABLE \
                        traffic_data DROP PRIMARY KEY, ADD PRIMARY KEY (id)";
            self.problem(report, text);
        }
        if !keys.iter().any(|(_, column, place)| column == TIME && *place == 1) {
            let text = "traffic_data has no index that begins with gcsj, so that the clean-up and every question read all \
                        of it: CREATE INDEX idx_gcsj ON traffic_data (gcsj)";
            self.problem(report, text);
        }
        Ok(())
    }

    /// Whether rows may be written, asked of the instance itself: MyCat answers EXPLAIN itself.
    async fn rights(&self, report: &mut Report) -> Result<(), MysqlError> {
        if self.ask::<u64>("SELECT @@global.read_only").await?.first() == Some(&1) {
            let text = "it is read-only (read_only = ON), such as a replica: set mycat.urls to the one that is written";
            self.problem(report, text);
            return Ok(());
        }
        let values = |columns: &str| columns.split(", ").map(|_| "''").collect::<Vec<_>>().join(", ");
        for (table, columns, key) in tables() {
            let question = format!(
                "EXPLAIN INSERT INTO {table} ({columns}) VALUES ({}) ON DUPLICATE KEY UPDATE {key} = {key}",
                values(&columns)
            );
            match self.ask::<Row>(&question).await {
                Err(MysqlError::Server { code: 1142 | 1143 | 1044, message, .. }) => {
                    let text = format!(
                        "the account may not write {table} ({message}): load sql/users.sql as root, or set mycat.user to an \
                         account that may"
                    );
                    self.problem(report, &text);
                }
                Err(error @ MysqlError::Server { .. }) => self.problem(report, &table_words(table, &columns, &error)),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// The tables of alerts and cases, which an earlier version did not have: all else works without them.
    async fn records(&self, writes: bool, report: &mut Report) -> Result<(), MysqlError> {
        let tables = [(ALERTS.name, ALERTS.list(), ALERTS.key), (CASES.name, CASES.list(), CASES.key)];
        for (table, columns, key) in tables {
            let reading = format!("SELECT {columns} FROM {table} WHERE {key} = ''");
            let values = columns.split(", ").map(|_| "''").collect::<Vec<_>>().join(", ");
            let writing = format!(
                "EXPLAIN INSERT INTO {table} ({columns}) VALUES ({values}) ON DUPLICATE KEY UPDATE {key} = {key}"
            );
            for statement in std::iter::once(&reading).chain(writes.then_some(&writing)) {
                match self.ask::<Row>(statement).await {
                    Ok(_) => {}
                    Err(error @ MysqlError::Server { .. }) => {
                        let text = format!(
                            "{self}: {}; load sql/users.sql after it. Until then alerts and cases are not mirrored to MySQL, \
                             and the role api shows no cases; all else works",
                            table_words(table, &columns, &error)
                        );
                        report.advice(MYSQL, text);
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Whether the instance behind MyCat refuses what does not fit. For a direct connection the session sets that mode.
    async fn mode(&self, report: &mut Report) -> Result<(), MysqlError> {
        let mode = self.ask::<String>("SELECT @@sql_mode").await?.pop().unwrap_or_default();
        if !mode.contains("STRICT_") {
            let text = format!(
                "its sql_mode is \"{mode}\", with which MySQL cuts what does not fit: set the one of sql/instance.cnf in the \
                 instance's configuration and restart it, then MyCat"
            );
            self.problem(report, &text);
        }
        Ok(())
    }
}

impl std::fmt::Display for Server<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.pool.address())?;
        if let Some(node) = self.node { write!(f, ", dataNode {node}") } else { Ok(()) }
    }
}

fn table_words(table: &str, columns: &str, error: &MysqlError) -> String {
    match error {
        MysqlError::Server { code: 1146, .. } => format!("there is no table {table}: {LOAD}"),
        MysqlError::Server { code: 1054, message, .. } => {
            format!("the table {table} lacks a column ({message}); it needs {columns}: compare it with sql/schema.sql")
        }
        MysqlError::Server { code: 1142 | 1143 | 1044, message, .. } => {
            format!("the account may not read {table} ({message}): load sql/users.sql as root")
        }
        other => format!("the table {table} cannot be used: {other}"),
    }
}

fn words(error: &MysqlError) -> String {
    match error {
        MysqlError::Server { code: 1045 | 1698, message, .. } => format!(
            "the login is refused ({message}): check mycat.user and mycat.password (PLATEWATCH__MYCAT__PASSWORD); the accounts \
             are those of sql/users.sql, or of MyCat's server.xml"
        ),
        MysqlError::Server { code: 1044 | 1049, message, .. } => format!(
            "the database in mycat.urls cannot be used ({message}): it is traffic_db on an instance, MYETCDB on MyCat; {LOAD}"
        ),
        MysqlError::Connection(reason) => format!(
            "what listens there is not MySQL, or breaks the connection off ({reason}): check the port, and mycat.tls"
        ),
        other => other.to_string(),
    }
}
