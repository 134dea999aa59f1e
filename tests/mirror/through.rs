//! Mirrors through MyCat as it is: they refuse to write if texts would arrive changed, and an instance that is away
//! does not count as one that lost its rows.

use super::mirroring::HASTY_MYSQL;
use super::truth::Truth;
use crate::harness::{Appliance, LONG, simulated, wait_until};
use crate::servers::mariadb::MariaDb;
use crate::servers::mycat::MyCat;

fn sections(folder: &std::path::Path, url: &str) -> String {
    let file = folder.join("capture.tsv");
    let mut lines = simulated(4_000, 21, &["--start", "2024-01-01 00:00:00"]);
    lines.extend(
        "G'1`\t铜山县\tS250_Pizhou_Sulu\t1\t2024-01-01 01:00:00\t02\t苏C12345\tMYETCDB.x next value for MYCATSEQ_y\n"
            .as_bytes(),
    );
    std::fs::write(&file, lines).unwrap();
    format!(
        "[mycat]\nurls = [{url:?}]\nretention = \"forever\"\n{HASTY_MYSQL}\
         [store]\nretention = \"forever\"\nmemory = \"64MiB\"\n[source]\nkind = \"capture\"\nfiles = [{file:?}]\n"
    )
}

#[test]
fn nothing_is_written_where_it_would_arrive_changed() {
    let folder = tempfile::tempdir().unwrap();
    let servers = MariaDb::start_two();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    mycat.check_sql_schema(true);
    servers[1].sql("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'");
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), &mycat.url()));
    let blocked = |name: &str, part: &str| {
        appliance.wait_for(name, part, |mirror| {
            mirror["state"] == "blocked" && mirror["last_error"].as_str().unwrap_or_default().contains(part)
        });
    };
    blocked("mysql/0", "checkSQLschema=\"true\"");
    blocked("mysql/1", "dataNode dn2 has NO_BACKSLASH_ESCAPES");
    wait_until(LONG, "all is taken in", || appliance.status()["source"]["state"] == "finished");
    assert_eq!((servers[0].count("traffic_data"), servers[1].count("traffic_data")), (0, 0));
    assert!(appliance.status()["failure"].is_null(), "intake does not care");
    servers[1].sql("SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES'");
    // MyCat's own connections have the old mode until they are opened again.
    blocked("mysql/1", "checkSQLschema=\"true\"");
    mycat.check_sql_schema(false);
    appliance.wait_until_level();
    assert!(appliance.log().contains("set it to \\\"false\\\"") || appliance.log().contains("set it to \"false\""));
    appliance.stop();
    let [first, second] = &servers;
    Truth::read(&appliance.data()).check_instances([first, second]);
}

#[test]
fn an_instance_that_is_away_has_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = MariaDb::start_two();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), &mycat.url()));
    appliance.wait_until_level();
    let numbers = || ["cursor", "sent"].map(|number| appliance.number("mysql/1", number));
    let before = numbers();
    for fails in [false, true] {
        mycat.fail_when_half(fails);
        servers[1].kill();
        appliance.wait_for("mysql/1", "it is away", |mirror| {
            let error = mirror["last_error"].as_str().unwrap_or_default();
            mirror["state"] == "away" && error.contains("the instance behind dataNode dn2 is away")
        });
        // The other shard is not affected.
        wait_until(LONG, "it tries again", || appliance.number("mysql/1", "failures") > 3);
        assert_eq!(appliance.mirror("mysql/0")["state"], "level");
        servers[1].start_again();
        appliance.wait_until_level();
    }
    for name in ["mysql/0", "mysql/1"] {
        assert_eq!(appliance.number(name, "refilled"), 0, "{}", appliance.log());
    }
    assert_eq!(numbers(), before);
    let statements = mycat.take_statements();
    let presence: Vec<&String> = statements.iter().filter(|text| text.starts_with("SELECT id FROM")).collect();
    assert!(!presence.is_empty());
    assert!(presence.iter().all(|text| text.contains(" WHERE kkmc IN ('")), "{}", presence[0]);
    // An instance that did lose its rows is filled again.
    servers[1].sql("TRUNCATE traffic_db.traffic_data");
    appliance.wait_for("mysql/1", "it is filled again", |mirror| mirror["refilled"].as_u64() > Some(0));
    appliance.wait_until_level();
    appliance.stop();
    let [first, second] = &servers;
    Truth::read(&appliance.data()).check_instances([first, second]);
}

#[test]
fn a_mycat_that_never_greets_has_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let servers = MariaDb::start_two();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    mycat.mute(true);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), &mycat.url()));
    appliance.wait_for("mysql/0", "it says so", |mirror| {
        let error = mirror["last_error"].as_str().unwrap_or_default();
        mirror["state"] == "away" && error.contains("does not greet") && error.contains("MyCat's own account")
    });
    mycat.mute(false);
    appliance.wait_until_level();
}
