//! Another number of shards than two, each with an instance of its own.

use super::mirroring::HASTY_MYSQL;
use super::truth::Truth;
use crate::harness::{Appliance, simulated};
use crate::servers::mariadb::MariaDb;

#[test]
fn three_shards_go_to_three_instances() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers: Vec<MariaDb> = MariaDb::start_two().into();
    servers.push(MariaDb::start());
    let file = folder.path().join("capture.tsv");
    std::fs::write(&file, simulated(6_000, 23, &["--start", "2024-01-01 00:00:00"])).unwrap();
    let urls: Vec<String> = servers.iter().map(MariaDb::url).collect();
    let sections = format!(
        "[mycat]\nurls = {urls:?}\nretention = \"forever\"\n{HASTY_MYSQL}\
         [store]\nshards = 3\nretention = \"forever\"\nmemory = \"64MiB\"\n\
         [source]\nkind = \"capture\"\nfiles = [{file:?}]\n"
    );
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections);
    appliance.wait_until_level();
    // One that comes back empty is filled again; the others are left alone.
    servers[2].sql("TRUNCATE traffic_db.traffic_data");
    appliance.wait_for("mysql/2", "it is filled again", |mirror| mirror["refilled"].as_u64() > Some(0));
    appliance.wait_until_level();
    assert_eq!((appliance.number("mysql/0", "refilled"), appliance.number("mysql/1", "refilled")), (0, 0));
    appliance.stop();
    let [first, second, third] = &servers[..] else { panic!("there are three") };
    Truth::read(&appliance.data()).check_instances([first, second, third]);
    let (code, said) = appliance.verify_mirror();
    assert_eq!(code, Some(0), "{said}");
}
