//! `check-config --connect` against real MariaDB and Redis: each problem is reported in words, and nothing is changed.

use crate::harness::{platewatch, wait_until};
use crate::servers::free_port;
use crate::servers::mariadb::{MariaDb, WRITER_PASSWORD, url};
use crate::servers::mycat::MyCat;
use crate::servers::redis::{Options, Redis};

const LONG: std::time::Duration = std::time::Duration::from_secs(60);

/// What the program reports on a configuration, and its exit code.
fn check(text: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("platewatch.toml");
    std::fs::write(&file, format!("data_dir = {:?}\n{text}", dir.path().join("data"))).unwrap();
    let output = platewatch().args(["check-config", "--connect"]).arg(&file).env("RUST_LOG", "trace").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let logged = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!dir.path().join("data").exists(), "checking made a data directory");
    for secret in [WRITER_PASSWORD, "s3cret"] {
        assert!(!said.contains(secret) && !logged.contains(secret), "{said}{logged}");
    }
    (output.status.code(), said)
}

fn mysql(urls: &[String]) -> String {
    format!("[mycat]\nurls = {urls:?}\nconnect_timeout = \"2s\"\n")
}

fn redis(url: &str) -> String {
    format!("[redis]\nurl = \"{url}\"\nconnect_timeout = \"2s\"\nresponse_timeout = \"2s\"\n")
}

/// There is exactly one problem, of `target`, and its text has all of `parts`.
fn problem(target: &str, text: &str, parts: &[&str]) {
    let (code, said) = check(text);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said.matches(": problem: ").count(), 1, "{said}");
    let line = said.lines().find(|line| line.starts_with(&format!("{target}: problem: "))).unwrap_or_default();
    assert!(parts.iter().all(|part| line.contains(part)), "{parts:?}: {said}");
}

fn sound(text: &str, parts: &[&str]) -> String {
    let (code, said) = check(text);
    assert!(code == Some(0) && parts.iter().all(|part| said.contains(part)), "{parts:?}: {code:?} {said}");
    said
}

#[test]
fn two_sound_instances_are_told_and_not_changed() {
    let servers = MariaDb::start_two();
    let urls = [servers[0].url(), servers[1].url()];
    // How many statements of each kind that changes something a server has run. EXPLAIN INSERT counts as an INSERT there: so rows.
    let changes = |server: &MariaDb| {
        server.sql(
            "SHOW GLOBAL STATUS WHERE Variable_name RLIKE '^com_(replace|update|delete|create|alter|drop|grant|revoke|load)';
             SELECT COUNT(*) FROM traffic_db.traffic_data; SELECT COUNT(*) FROM traffic_db.kkmc_info",
        )
    };
    let before = servers.each_ref().map(changes);
    sound(&mysql(&urls), &["mysql: ok: ", "an instance of MySQL; traffic_data and kkmc_info can be written and read"]);
    assert_eq!(servers.each_ref().map(changes), before);
    // The reader needs less.
    let readers = [servers[0].reader_url(), servers[1].reader_url()];
    let list = Redis::start();
    let api = format!("role = \"api\"\n{}{}", mysql(&readers), redis(&list.url()));
    sound(&api, &["mysql: ok: ", "traffic_data and kkmc_info can be read"]);
    let (code, said) = check(&mysql(&readers));
    assert!(code == Some(1) && said.contains("may not write traffic_data (INSERT"), "{said}");

    // The same address twice is refused before anything is connected to.
    let twice = [servers[0].url(), servers[0].url().replace("127.0.0.1", "localhost")];
    problem("mysql", &mysql(&twice), &["lead to the same instance"]);
    servers[1].sql("SET GLOBAL read_only = ON");
    problem("mysql", &mysql(&urls), &["it is read-only"]);
}

#[test]
fn what_an_instance_lacks_is_told_with_what_mends_it() {
    let server = MariaDb::start();
    let one = || mysql(&[server.url()]);
    let closed = free_port();
    let nobody = mysql(&[url("platewatch", WRITER_PASSWORD, closed)]);
    problem("mysql", &nobody, &[&format!("127.0.0.1:{closed} of mycat.urls"), "nothing listens there"]);
    problem(
        "mysql",
        &mysql(&[url("platewatch", "s3cret", server.port())]),
        &["the login is refused", "mycat.password"],
    );
    let other = server.url().replace("/traffic_db", "/elsewhere");
    problem("mysql", &mysql(&[other]), &["the database in mycat.urls cannot be used", "sql/schema.sql"]);
    let redis_there = Redis::start();
    let foreign = mysql(&[url("platewatch", WRITER_PASSWORD, redis_there.port())]);
    let (code, said) = check(&foreign);
    assert!(code == Some(1) && said.contains("mysql: problem: "), "{said}");

    let trouble = |change: &str, undo: &str, parts: &[&str]| {
        server.sql(&format!("USE traffic_db; {change}"));
        problem("mysql", &one(), parts);
        server.sql(&format!("USE traffic_db; {undo}"));
    };
    trouble(
        "ALTER TABLE traffic_data DROP INDEX idx_gcsj",
        "CREATE INDEX idx_gcsj ON traffic_data (gcsj)",
        &["no index that begins with gcsj", "CREATE INDEX idx_gcsj"],
    );
    trouble(
        "ALTER TABLE traffic_data DROP PRIMARY KEY",
        "ALTER TABLE traffic_data ADD PRIMARY KEY (id)",
        &["the primary key of traffic_data is not id"],
    );
    trouble(
        "ALTER TABLE traffic_data MODIFY hphm VARCHAR(64) CHARACTER SET latin1 NOT NULL",
        "ALTER TABLE traffic_data MODIFY hphm VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
        &["the column hphm of traffic_data is latin1"],
    );
    trouble(
        "ALTER TABLE traffic_data MODIFY kkmc VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL",
        "ALTER TABLE traffic_data MODIFY kkmc VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
        &["the column kkmc of traffic_data is compared by utf8mb4_general_ci"],
    );
    trouble(
        "ALTER TABLE traffic_data CHANGE clppxh model VARCHAR(255) NOT NULL",
        "ALTER TABLE traffic_data CHANGE model clppxh VARCHAR(255) NOT NULL",
        &["the table traffic_data lacks a column", "clppxh"],
    );
    trouble("RENAME TABLE kkmc_info TO gone", "RENAME TABLE gone TO kkmc_info", &["there is no table kkmc_info"]);
    trouble(
        "REVOKE INSERT ON traffic_db.traffic_data FROM platewatch",
        "GRANT INSERT ON traffic_db.traffic_data TO platewatch",
        &["may not write traffic_data", "sql/users.sql"],
    );
    // An earlier version's deployment works without the tables of alerts and cases.
    server.sql("USE traffic_db; RENAME TABLE traffic_cases TO gone");
    sound(&one(), &["mysql: ok: ", "mysql: advice: ", "there is no table traffic_cases", "sql/users.sql"]);
    server.sql("USE traffic_db; RENAME TABLE gone TO traffic_cases; REVOKE INSERT ON traffic_alerts FROM platewatch");
    sound(&one(), &["mysql: ok: ", "mysql: advice: ", "traffic_alerts"]);
    server.sql("USE traffic_db; GRANT INSERT ON traffic_alerts TO platewatch");
    let said = sound(&one(), &["mysql: ok: "]);
    assert!(!said.contains("advice"), "{said}");
}

#[test]
fn mycat_is_tried_with_each_of_its_instances() {
    let mut servers = MariaDb::start_two();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    let through = mysql(&[mycat.url()]);
    sound(&through, &["mysql: ok: ", "MyCat; traffic_data and kkmc_info can be written and read on dn1 and dn2"]);
    assert_eq!([servers[0].count("traffic_data"), servers[1].count("traffic_data")], [0, 0]);
    mycat.check_sql_schema(true);
    problem("mysql", &through, &["checkSQLschema"]);
    mycat.check_sql_schema(false);
    servers[1].sql("RENAME TABLE traffic_db.kkmc_info TO traffic_db.gone");
    problem("mysql", &through, &["dataNode dn2: there is no table kkmc_info"]);
    servers[1].sql("RENAME TABLE traffic_db.gone TO traffic_db.kkmc_info");
    servers[1].stop();
    problem("mysql", &through, &["dn2", "is away"]);
    mycat.mute(true);
    problem("mysql", &through, &["does not greet", "schema.xml"]);
}

#[test]
fn redis_is_tried_and_left_as_it_is() {
    let server = Redis::start();
    server.command(&["RPUSH", "traffic:warnings", "a", "b"]);
    sound(&redis(&server.url()), &["redis: ok: ", "the list traffic:warnings has 2 of at most 10000 alerts"]);
    assert_eq!(server.list("traffic:warnings"), ["a", "b"]);
    server.command(&["SET", "taken", "x"]);
    let other = redis(&server.url()) + "key = \"taken\"\n";
    problem("redis", &other, &["the key taken holds a string, not a list", "redis.key"]);
    let absent = redis(&server.url()) + "key = \"none\"\n";
    sound(&absent, &["the list none has 0"]);
    assert_eq!(server.command(&["EXISTS", "none"]), "0");

    let closed = format!("redis://127.0.0.1:{}", free_port());
    problem("redis", &redis(&closed), &["of redis.url", "nothing listens there"]);
    let guarded = Redis::start_with(Options { password: Some("s3cret".to_owned()), ..Options::default() });
    sound(&redis(&guarded.url()), &["redis: ok: "]);
    problem("redis", &redis(&format!("redis://127.0.0.1:{}", guarded.port())), &["set redis.password"]);
    let wrong = format!("redis://:wrong@127.0.0.1:{}", guarded.port());
    problem("redis", &redis(&wrong), &["it refuses the login"]);

    let small = Redis::start_with(Options {
        max_memory: Some("64mb".to_owned()),
        policy: Some("allkeys-lru".to_owned()),
        ..Options::default()
    });
    let said = sound(&redis(&small.url()), &["redis: ok: ", "redis: advice: maxmemory-policy is allkeys-lru"]);
    assert!(!said.contains("problem"), "{said}");
}

#[test]
fn a_node_of_a_cluster_that_has_not_the_key_is_explained() {
    let server = Redis::start_with(Options { cluster: true, ..Options::default() });
    problem("redis", &redis(&server.url()), &["node of a cluster of which no node serves the key"]);
    // This node has all slots except the key's, which belongs to another node: that is named, and not there.
    let slot: u32 = server.command(&["CLUSTER", "KEYSLOT", "traffic:warnings"]).parse().unwrap();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", &(slot - 1).to_string()]);
    server.command(&["CLUSTER", "ADDSLOTSRANGE", &(slot + 1).to_string(), "16383"]);
    let other = Redis::start_with(Options { cluster: true, ..Options::default() });
    other.command(&["CLUSTER", "ADDSLOTS", &slot.to_string()]);
    let (port, bus) = (other.port().to_string(), other.bus_port().to_string());
    server.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    wait_until(LONG, "both nodes know each other", || {
        server.try_command(&["TYPE", "traffic:warnings"]).is_err_and(|error| error.contains("MOVED"))
    });
    let there = format!("127.0.0.1:{}", other.port());
    problem("redis", &redis(&server.url()), &["the key belongs to another node", &there, "set redis.url to that node"]);
    wait_until(LONG, "the cluster is sound", || other.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    sound(&redis(&other.url()), &["redis: ok: "]);
}
