//! Checks `[redis]`: the connection and the login, whether the key holds the list, whether the server keeps its data.
//! It only reads: the key is neither created nor changed.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Script};

use super::reach::Address;
use crate::commands::report::{REDIS, Report};
use crate::config::{Config, RedisConfig, Role};
use crate::redis_client::{RedisServer, remedy};

/// What an alert takes in the list, roughly.
const ALERT_BYTES: u64 = 520;

/// Checks Redis, if it is configured.
///
/// # Errors
/// [`Usage`](crate::commands::failure::Usage): the client refuses its settings.
pub(super) fn check(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let settings = &config.redis;
    let server = RedisServer::of(settings).map_err(|error| crate::commands::failure::Usage(error.to_string()))?;
    let (Some(server), Some(url)) = (server, &settings.url) else {
        report.sound(REDIS, "nothing to connect to: redis.url is \"\"");
        return Ok(());
    };
    let address = Address { host: url.host().to_owned(), port: url.port() };
    if let Err(reason) = address.connect() {
        report.problem(
            REDIS,
            format!("{address} of redis.url: {reason}; check the address, and that Redis listens on it"),
        );
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let writes = config.role != Role::Api;
    match runtime.block_on(look(&server, settings, writes, report)) {
        Ok(Some(length)) => report.sound(
            REDIS,
            format!(
                "{}; the list {} has {length} of at most {} alerts",
                server.address(),
                settings.key,
                settings.max_length
            ),
        ),
        Ok(None) => {}
        Err(error) => report.problem(REDIS, format!("{}: {}", server.address(), words(&error, settings))),
    }
    Ok(())
}

/// The length of the list, if it can be read.
async fn look(
    server: &RedisServer,
    settings: &RedisConfig,
    writes: bool,
    report: &mut Report,
) -> RedisResult<Option<u64>> {
    let mut connection = server.connect().await?;
    let problems = report.problems();
    let key = settings.key.as_str();
    let kind: String = ask(&mut connection, &["TYPE", key]).await?;
    if !matches!(kind.as_str(), "none" | "list") {
        report.problem(
            REDIS,
            format!("the key {key} holds a {kind}, not a list: write another in redis.key, or remove it (redis-cli DEL {key})"),
        );
        return Ok(None);
    }
    // The mirror uses a script to write; this one only reads.
    let length: u64 = Script::new("return redis.call('LLEN', KEYS[1])").key(key).invoke_async(&mut connection).await?;
    if writes {
        // A server that does not show these is used without them.
        let info: String = ask(&mut connection, &["INFO"]).await.unwrap_or_default();
        kept(&info, settings, report);
    }
    Ok((report.problems() == problems).then_some(length))
}

async fn ask<T: redis::FromRedisValue>(connection: &mut MultiplexedConnection, words: &[&str]) -> RedisResult<T> {
    let mut command = redis::Cmd::new();
    words.iter().for_each(|word| {
        command.arg(*word);
    });
    command.query_async(connection).await
}

/// Whether the server takes writes, and keeps the list.
fn kept(info: &str, settings: &RedisConfig, report: &mut Report) {
    let value = |name: &str| {
        let found = info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
        found.unwrap_or_default()
    };
    if value("role") == "slave" {
        let master = format!("{}:{}", value("master_host"), value("master_port"));
        report
            .problem(REDIS, format!("it is a replica, which takes no alerts: set redis.url to its master ({master})"));
    }
    let most: u64 = value("maxmemory").parse().unwrap_or(0);
    if most == 0 {
        return;
    }
    let (policy, length) = (value("maxmemory_policy"), settings.max_length as u64);
    if policy.starts_with("allkeys") {
        report.advice(
            REDIS,
            format!(
                "maxmemory-policy is {policy}: Redis throws the list away when memory is short, and it is filled again and \
                 again. Set maxmemory-policy noeviction or volatile-lru (the list has no expiry)"
            ),
        );
    }
    if most < length * ALERT_BYTES * 2 {
        report.advice(
            REDIS,
            format!(
                "maxmemory is {most} bytes, and {length} alerts (redis.max_length) take some {} MB: raise maxmemory, or lower \
                 redis.max_length",
                (length * ALERT_BYTES).div_ceil(1_000_000)
            ),
        );
    }
}

fn words(error: &RedisError, settings: &RedisConfig) -> String {
    if error.is_timeout() {
        let limit: Duration = settings.connect_timeout;
        return format!(
            "it accepts the connection and does not answer within {limit:?}: check that Redis listens there{}",
            if settings.url.as_ref().is_some_and(|url| url.scheme() == "redis") {
                ", and without TLS (else write rediss://)"
            } else {
                ", and with TLS (else write redis://)"
            }
        );
    }
    match remedy(error) {
        Some(remedy) => format!("{error}: {remedy}"),
        None => format!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(info: &str, problem: Option<&str>, advice: &[&str]) {
        let settings = Config::from_toml("", []).unwrap().redis;
        let mut report = Report::default();
        kept(info, &settings, &mut report);
        let said = report.findings.iter().map(|finding| finding.text.as_str()).collect::<Vec<_>>().join("\n");
        assert_eq!(report.problems(), usize::from(problem.is_some()), "{said}");
        assert_eq!(report.findings.len(), usize::from(problem.is_some()) + advice.len(), "{said}");
        assert!(problem.iter().chain(advice).all(|part| said.contains(part)), "{said}");
    }

    #[test]
    fn what_would_lose_the_list_is_said() {
        check("", None, &[]);
        check("role:master\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", None, &[]);
        check("maxmemory:268435456\r\nmaxmemory_policy:noeviction\r\n", None, &[]);
        check("maxmemory:268435456\r\nmaxmemory_policy:allkeys-lfu\r\n", None, &["allkeys-lfu"]);
        check("maxmemory:1048576\r\nmaxmemory_policy:allkeys-lru\r\n", None, &["allkeys-lru", "raise maxmemory"]);
        let replica = "role:slave\r\nmaster_host:10.0.0.2\r\nmaster_port:6380\r\n";
        check(replica, Some("its master (10.0.0.2:6380)"), &[]);
    }
}
