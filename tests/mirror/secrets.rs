//! TLS to both, and nothing that shows a password: not in the log, the status, the metrics or the process arguments.

use super::mirroring::{HASTY_MYSQL, HASTY_REDIS};
use super::truth::Truth;
use crate::harness::{Appliance, simulated};
use crate::servers::mariadb;
use crate::servers::mariadb::{MariaDb, WRITER_PASSWORD};
use crate::servers::redis::{Options, Redis};

const REDIS_PASSWORD: &str = "r3dis-s3cret";
const WRONG: &str = "wr0ng-but-s3cret";

fn shows_no_secret(appliance: &Appliance) {
    let id = appliance.id();
    let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap();
    let everything = [
        appliance.log(),
        appliance.text("/api/status").unwrap(),
        appliance.text("/metrics").unwrap(),
        String::from_utf8_lossy(&arguments).into_owned(),
    ];
    for secret in [WRITER_PASSWORD, REDIS_PASSWORD, WRONG] {
        for text in &everything {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn tls_to_both_verifies_and_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let instance = MariaDb::start_tls();
    let redis =
        Redis::start_with(Options { tls: true, password: Some(REDIS_PASSWORD.to_owned()), ..Options::default() });
    let file = folder.path().join("capture.tsv");
    std::fs::write(&file, simulated(5_000, 21, &["--start", "2024-01-01 00:00:00"])).unwrap();
    let mysql_url = format!("mysql://127.0.0.1:{}/traffic_db", instance.port());
    let redis_url = format!("rediss://127.0.0.1:{}", redis.port());
    let sections = |mysql_authority: &std::path::Path, redis_authority: &std::path::Path, encrypted: bool| {
        let tls = if encrypted { "verify" } else { "off" };
        format!(
            "[source]\nkind = \"capture\"\nfiles = [{file:?}]\n[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\n\
             [mycat]\nurls = [{mysql_url:?}]\nuser = \"platewatch\"\ntls = \"{tls}\"\ntls_ca = {mysql_authority:?}\nretention = \"forever\"\n\
             {HASTY_MYSQL}[redis]\nurl = {redis_url:?}\ntls_ca = {redis_authority:?}\n{HASTY_REDIS}"
        )
    };
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.environment("PLATEWATCH__MYCAT__PASSWORD", WRITER_PASSWORD);
    appliance.environment("PLATEWATCH__REDIS__PASSWORD", REDIS_PASSWORD);

    // The authority of the other: neither certificate verifies.
    appliance.start_with(&sections(redis.authority(), instance.authority(), true));
    for name in ["mysql/0", "mysql/1", "redis"] {
        appliance.wait_for(name, "the certificate is refused", |mirror| {
            mirror["state"] == "away" && mirror["last_error"].as_str().unwrap_or_default().contains("certificate")
        });
    }
    shows_no_secret(&appliance);
    appliance.stop();

    // MariaDB takes nothing that is not encrypted.
    appliance.start_with(&sections(instance.authority(), redis.authority(), false));
    appliance.wait_for("mysql/0", "it is refused", |mirror| {
        let error = mirror["last_error"].as_str().unwrap_or_default();
        mirror["state"] == "blocked" && error.contains("it refuses the account")
    });
    appliance.stop();
    assert_eq!(instance.count("traffic_data"), 0);

    appliance.start_with(&sections(instance.authority(), redis.authority(), true));
    appliance.wait_until_level();
    shows_no_secret(&appliance);
    appliance.stop();
    let truth = Truth::read(&appliance.data());
    assert_eq!(instance.count("traffic_data"), truth.shards.iter().map(|shard| shard.rows).sum::<u64>());
    truth.check_list(&redis, 10_000);
}

#[test]
fn a_wrong_password_is_told_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let instances = MariaDb::start_two();
    let redis = Redis::start_with(Options { password: Some(REDIS_PASSWORD.to_owned()), ..Options::default() });
    let urls = instances.each_ref().map(|instance| mariadb::url("platewatch", WRONG, instance.port()));
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&format!(
        "[mycat]\nurls = {urls:?}\n{HASTY_MYSQL}[redis]\nurl = \"redis://:{WRONG}@127.0.0.1:{}/0\"\n{HASTY_REDIS}",
        redis.port()
    ));
    for name in ["mysql/0", "mysql/1"] {
        appliance.wait_for(name, "MySQL denies access", |mirror| {
            mirror["last_error"].as_str().unwrap_or_default().contains("Access denied")
        });
    }
    appliance.wait_for("redis", "Redis denies access", |mirror| {
        let error = mirror["last_error"].as_str().unwrap_or_default().to_lowercase();
        mirror["state"] == "away" && error.contains("password")
    });
    shows_no_secret(&appliance);
    for name in ["mysql/0", "mysql/1", "redis"] {
        let target = appliance.mirror(name)["target"].as_str().unwrap().to_owned();
        assert!(target.contains("127.0.0.1:") && !target.contains('@'), "{target}");
    }
}
