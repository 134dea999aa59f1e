//! Rows that MySQL refuses are found, kept with its message, and block nothing; one address represents MyCat.

use std::fmt::Write as _;

use super::mirroring::HASTY_MYSQL;
use super::truth::{Truth, check_placement};
use crate::harness::{Appliance, simulated};
use crate::servers::mariadb::MariaDb;

const START: &str = "2024-01-01 00:00:00";
/// Too long for its column: 255 characters.
const LONG: usize = 256;

/// A capture of about `count` simulated passages, in which every row that `spoil` names has the model `bad`.
fn capture(folder: &std::path::Path, count: u64, bad: &str, spoil: impl Fn(usize) -> bool) -> (String, usize) {
    let lines = String::from_utf8(simulated(count, 9, &["--start", START])).unwrap();
    let (mut text, mut spoilt) = (String::new(), 0);
    let mut seen = std::collections::HashSet::new();
    let once = |line: &&str| seen.insert(line.split('\t').next().unwrap().to_owned());
    for (number, line) in lines.lines().filter(once).enumerate() {
        if spoil(number) {
            let kept = line.rsplit_once('\t').unwrap().0;
            let _ = writeln!(text, "{kept}\t{bad}");
            spoilt += 1;
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    let file = folder.join("capture.tsv");
    std::fs::write(&file, text).unwrap();
    (format!("[source]\nkind = \"capture\"\nfiles = [{file:?}]\n"), spoilt)
}

const STORE: &str = "[store]\nretention = \"forever\"\nrejects_retention = \"forever\"\nmemory = \"64MiB\"\n";

#[test]
fn refused_rows_stand_alone_and_the_stream_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let instances = MariaDb::start_two();
    // Single ones, two together, a whole statement of them.
    let spoil = |number: usize| number % 397 == 5 || number == 6 || (2_000..2_700).contains(&number);
    let (source, spoilt) = capture(folder.path(), 8_000, &"牌".repeat(LONG), spoil);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    let urls = [instances[0].url(), instances[1].url()];
    let sections =
        format!("[mycat]\nurls = {urls:?}\nbatch_rows = 50\nretention = \"forever\"\n{HASTY_MYSQL}{STORE}{source}");
    appliance.start_with(&sections);
    appliance.kill();
    appliance.start_with(&sections);
    appliance.wait_until_level();

    let mirrors = ["mysql/0", "mysql/1"].map(|name| appliance.mirror(name));
    let words = "Data too long for column 'clppxh'";
    for mirror in &mirrors {
        let shown = mirror["recently_refused"].as_array().unwrap();
        assert!(!shown.is_empty() && shown.len() <= 10, "{mirror}");
        assert!(shown.iter().all(|row| row["error"].as_str().unwrap().contains(words)), "{mirror}");
        assert_eq!(mirror["last_error"], serde_json::Value::Null, "a refused row is no outage: {mirror}");
    }
    appliance.kill();
    let truth = Truth::read(&appliance.data());
    assert_eq!(truth.refused.len(), spoilt);
    for row in &truth.refused {
        assert!(row.error.contains(words) && row.error.contains("1406"), "{row:?}");
        assert!(row.line.starts_with(&format!("{}\t", row.gcxh)) && row.line.ends_with("牌牌"), "{row:?}");
    }
    let found: u64 = instances.iter().map(|instance| instance.count("traffic_data")).sum();
    let accepted: u64 = truth.shards.iter().map(|shard| shard.rows).sum();
    assert_eq!(found, accepted - spoilt as u64);
    for (shard, instance) in instances.iter().enumerate() {
        check_placement(instance, shard, 2);
        assert_eq!(instance.sql("SELECT COUNT(*) FROM traffic_db.traffic_data WHERE clppxh LIKE '牌牌%'").trim(), "0");
    }
}

#[test]
fn words_that_blame_nobody_clearly_refuse_a_row_only_beside_others_that_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let instance = MariaDb::start();
    // A trigger whose error is not an error of values: SQLSTATE 42000.
    instance.sql(
        "USE traffic_db;\nDELIMITER //\nCREATE TRIGGER odd BEFORE INSERT ON traffic_data FOR EACH ROW BEGIN\n\
         IF NEW.clppxh LIKE '牌牌%' THEN SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1064, MESSAGE_TEXT = 'odd words'; END IF;\nEND//\n",
    );
    let (source, spoilt) = capture(folder.path(), 2_000, "牌牌", |number| number == 700);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    let sections =
        format!("[mycat]\nurls = [{:?}]\nretention = \"forever\"\n{HASTY_MYSQL}{STORE}{source}", instance.url());
    appliance.start_with(&sections);
    appliance.wait_until_level();
    appliance.stop();
    let truth = Truth::read(&appliance.data());
    assert_eq!((truth.refused.len(), spoilt), (1, 1));
    assert!(truth.refused[0].error.contains("odd words"), "{:?}", truth.refused);
    let accepted: u64 = truth.shards.iter().map(|shard| shard.rows).sum();
    assert_eq!(instance.count("traffic_data"), accepted - 1);
}

#[test]
fn what_texts_hold_arrives_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let instances = MariaDb::start_two();
    let models = ["O'Neill \"x\" \\ %_", "a\\'b;--", "🚗𠮷", "", "-", "`", "trailing\\", "牌\u{1}\u{7f}"];
    let mut text = String::new();
    for (number, model) in models.iter().enumerate() {
        for kkmc in ["S250_Pizhou_Sulu", "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口", "K3", "K4"]
        {
            let _ = writeln!(
                text,
                "G'{number}\\{kkmc}\t\t{kkmc}\t1\t2024-01-01 00:00:2{number}\t02\t苏C1234{number}\t{model}"
            );
        }
    }
    let file = folder.path().join("odd.tsv");
    std::fs::write(&file, text).unwrap();
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    let urls = [instances[0].url(), instances[1].url()];
    appliance.start_with(&format!(
        "[mycat]\nurls = {urls:?}\nretention = \"forever\"\n{HASTY_MYSQL}{STORE}[source]\nkind = \"capture\"\nfiles = [{file:?}]\n"
    ));
    appliance.wait_until_level();
    assert_eq!(appliance.status()["pipeline"]["accepted"], models.len() * 4);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    for (number, model) in models.iter().enumerate() {
        let found: u64 = instances
            .iter()
            .map(|instance| {
                let question = format!(
                    "SELECT COUNT(*) FROM traffic_db.traffic_data WHERE HEX(clppxh) = '{}' AND HEX(id) LIKE '{}%' AND xzqhmc = ''",
                    hex(model),
                    hex(&format!("G'{number}\\")),
                );
                instance.sql(&question).trim().parse::<u64>().unwrap()
            })
            .sum();
        assert_eq!(found, 4, "{model:?}");
    }
    for (shard, instance) in instances.iter().enumerate() {
        if instance.count("traffic_data") > 0 {
            check_placement(instance, shard, 2);
        }
    }
}
