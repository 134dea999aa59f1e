//! `sql/`: what it makes on a server, what the event does, and what the accounts may not do.

use std::time::Duration;

use crate::harness::{repository, wait_until};
use crate::servers::mariadb::{MYCAT_PASSWORD, MariaDb, READER_PASSWORD, WRITER_PASSWORD};

const LONG: Duration = Duration::from_secs(60);

const DATABASE: &str = "USE traffic_db;";

fn row(id: &str, when: &str) -> String {
    format!("INSERT INTO traffic_db.traffic_data VALUES ('{id}','铜山县','S250','1',{when},'02','苏C12345','大众牌');")
}

#[test]
fn the_tables_have_the_columns_and_keys_of_the_contract() {
    let server = MariaDb::start();
    let columns = |table: &str| {
        server.sql(&format!(
            "SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = 'traffic_db' AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
        ))
    };
    let names = |table: &str| -> Vec<String> {
        columns(table).lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names("traffic_data"), ["id", "xzqhmc", "kkmc", "fxlx", "gcsj", "hpzl", "hphm", "clppxh"]);
    assert_eq!(names("kkmc_info"), ["code", "kkmc", "label", "xzqhmc", "road", "lon", "lat", "sort_no"]);
    assert!(names("traffic_alerts").starts_with(&["id", "seq", "hphm"].map(str::to_owned)));
    assert!(names("traffic_cases").ends_with(&["kkmcs", "brief", "body", "version"].map(str::to_owned)));
    assert!(columns("traffic_data").contains("gcsj\tdatetime\tNULL"), "{}", columns("traffic_data"));
    let keys = server.sql(
        "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = 'traffic_db' AND TABLE_NAME = 'traffic_data' ORDER BY 1",
    );
    assert_eq!(keys, "idx_gcsj\tgcsj\nPRIMARY\tid\n");
    // Texts that differ only in case or in an accent are different texts.
    server.sql(&(row("g1", "NOW()") + &row("G1", "NOW()") + &row("Ġ1", "NOW()")));
    assert_eq!(server.count("traffic_data"), 3);
}

#[test]
fn the_files_can_be_loaded_again() {
    let server = MariaDb::start();
    server.sql(&row("G1", "NOW()"));
    let read = |name: &str| std::fs::read_to_string(repository("sql").join(name)).unwrap();
    server.sql(&[read("schema.sql"), read("events.sql")].join("\n"));
    assert_eq!(server.count("traffic_data"), 1);
    assert!(server.sql_as("platewatch", WRITER_PASSWORD, "SELECT 1").is_ok());
    // Without passwords nothing is made; with new ones they are set.
    assert!(server.try_sql(&read("users.sql")).is_err());
    let names = ["platewatch", "reader", "mycat"];
    let new = names.map(|name| format!("SET @{name}_password = 'new''one';\n")).concat();
    server.sql(&[new, read("users.sql")].join("\n"));
    assert!(server.sql_as("platewatch", WRITER_PASSWORD, "SELECT 1").is_err());
    for user in ["platewatch", "platewatch_reader", "mycat"] {
        assert_eq!(server.sql_as(user, "new'one", "SELECT 1").unwrap(), "1\n");
    }
}

#[test]
fn the_daily_event_removes_old_passages_alerts_and_cases() {
    let server = MariaDb::start();
    let event = "SELECT STATUS, INTERVAL_VALUE, INTERVAL_FIELD, TIME_ZONE, TIME(STARTS), ON_COMPLETION \
                 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'traffic_db' AND EVENT_NAME = 'auto_clean_traffic'";
    assert_eq!(server.sql(event), "ENABLED\t1\tDAY\t+08:00\t03:00:00\tPRESERVE\n");
    // More than one piece of old rows, and some on both sides of the limit.
    server.sql(&format!(
        "{DATABASE} SET time_zone = '+08:00';
         INSERT INTO traffic_data SELECT CONCAT('OLD', seq), 'd', 'k', '1', NOW() - INTERVAL 4 DAY, '02', 'p', 'm' \
         FROM seq_1_to_25000;{}{}",
        row("JUST", "NOW() - INTERVAL 73 HOUR"),
        row("KEPT", "NOW() - INTERVAL 71 HOUR"),
    ));
    for (id, age) in [("OLD", "91 DAY"), ("KEPT", "89 DAY")] {
        let then = format!("NOW() - INTERVAL {age}");
        server.sql(&format!(
            "{DATABASE} SET time_zone = '+08:00';
             INSERT INTO traffic_alerts VALUES ('{id}',1,'p','a','b',{then},{then},1,NULL,NULL,'high','window',NULL,NULL,'{{}}');
             INSERT INTO traffic_cases VALUES ('{id}',1,'p',0.5,'clone',1,{then},{then},{then},'new','','{{}}','{{}}',1);"
        ));
    }
    assert_eq!(server.count("traffic_data"), 25_002);
    // The event's own body, run now instead of tonight; its schedule begins again tomorrow.
    server.sql(&format!("{DATABASE} ALTER EVENT auto_clean_traffic ON SCHEDULE EVERY 1 DAY STARTS NOW();"));
    wait_until(LONG, "the event has run", || server.count("traffic_data") <= 1);
    for table in ["traffic_data", "traffic_alerts", "traffic_cases"] {
        let kept = || server.sql(&format!("SELECT id FROM traffic_db.{table}"));
        wait_until(LONG, "the old are gone", || kept() == "KEPT\n");
    }
}

#[test]
fn the_accounts_may_do_what_they_must_and_nothing_else() {
    let server = MariaDb::start();
    let insert = row("G1", "NOW()");
    let update = format!("{} ON DUPLICATE KEY UPDATE clppxh = VALUES(clppxh)", insert.trim_end_matches(';'));
    let checkpoint = "INSERT INTO traffic_db.kkmc_info VALUES ('c', 'k', 'l', 'd', 'r', 118.06454, 34.641634, 1)";
    for (user, password) in [("platewatch", WRITER_PASSWORD), ("mycat", MYCAT_PASSWORD)] {
        let may = |statement: &str| server.sql_as(user, password, statement);
        for statement in [insert.as_str(), &update, checkpoint, "DELETE FROM traffic_db.kkmc_info", "SELECT user()"] {
            may(statement).unwrap();
        }
        assert!(may("SELECT COUNT(*) FROM traffic_db.traffic_data").unwrap().starts_with('1'));
        for statement in [
            "DELETE FROM traffic_db.traffic_data",
            "DELETE FROM traffic_db.traffic_alerts",
            "DELETE FROM traffic_db.traffic_cases",
            "TRUNCATE traffic_db.traffic_data",
            "ALTER TABLE traffic_db.traffic_data ADD COLUMN x INT",
            "CREATE TABLE traffic_db.x (x INT)",
            "DROP EVENT traffic_db.auto_clean_traffic",
            "SELECT * FROM mysql.user",
            "SET GLOBAL event_scheduler = OFF",
            "CREATE USER x",
            "SELECT 1 INTO OUTFILE '/tmp/platewatch-must-not-exist'",
        ] {
            let refused = may(statement).unwrap_err();
            assert!(refused.contains("denied"), "{user}: {statement}: {refused}");
        }
        server.sql("DELETE FROM traffic_db.traffic_data");
    }
    let reads = |statement: &str| server.sql_as("platewatch_reader", READER_PASSWORD, statement);
    for table in ["traffic_data", "kkmc_info", "traffic_alerts", "traffic_cases"] {
        reads(&format!("SELECT COUNT(*) FROM traffic_db.{table}")).unwrap();
    }
    for statement in [insert.as_str(), checkpoint, "DELETE FROM traffic_db.kkmc_info", "SHOW GRANTS FOR mycat"] {
        let refused = reads(statement).unwrap_err();
        assert!(refused.contains("denied"), "{statement}: {refused}");
    }
    // No other account can connect over the network, and a wrong password is refused.
    assert!(server.sql_as("platewatch", "wrong", "SELECT 1").is_err());
    let accounts = server
        .sql("SELECT User FROM mysql.user WHERE Host NOT IN ('localhost', '127.0.0.1', '::1', @@hostname) ORDER BY 1");
    assert_eq!(accounts, "mycat\nplatewatch\nplatewatch_reader\n");
}

#[test]
fn a_value_that_does_not_fit_is_refused_not_cut() {
    let server = MariaDb::start();
    let long = row(&"G".repeat(65), "NOW()");
    assert!(server.sql_as("platewatch", WRITER_PASSWORD, &long).unwrap_err().contains("Data too long"));
    let bad = row("G1", "'2024-02-30 00:00:00'");
    assert!(server.sql_as("platewatch", WRITER_PASSWORD, &bad).unwrap_err().contains("Incorrect datetime"));
    assert_eq!(server.count("traffic_data"), 0);
}
