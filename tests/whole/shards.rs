//! Any number of local shards: keys lie where MyCat puts them, alerts do not depend on it, and a directory keeps its
//! number until it is built again from an export.

use serde_json::json;

use crate::harness::{Replay, folder, platewatch, run, serve, simulated};

/// Keys with their shard, as MyCat's own code placed them, for its default ring of `shards` shards.
fn vectors(shards: usize) -> Vec<(&'static str, usize)> {
    let text = include_str!("../../shard/tests/fixtures/murmur_vectors.tsv");
    let lines = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let wanted = [shards.to_string(), "0".to_owned(), "160".to_owned()];
    lines.filter(|fields| fields[1..4] == wanted).map(|fields| (fields[0], fields[4].parse().unwrap())).collect()
}

/// Whether the parser takes a key as it is.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with('-')
        && key.len() < 100
        && key.trim() == key
        && !key.contains(['"', '\t', '\'', '`', '\u{3000}', '\u{feff}'])
}

#[test]
fn passages_lie_where_mycat_puts_them() {
    let folder = folder();
    for shards in [1usize, 2, 4, 16] {
        // A key has one shard among one, whatever the vectors say of others.
        let keys: Vec<(&str, usize)> = match shards {
            1 => vectors(2).into_iter().map(|(key, _)| (key, 0)).collect(),
            _ => vectors(shards),
        };
        let keys: Vec<_> = keys.into_iter().filter(|(key, _)| is_plain(key)).collect();
        assert!(keys.len() > 50, "{} keys for {shards} shards", keys.len());
        let mut lines = String::new();
        let mut expected = vec![0u64; shards];
        for (number, (key, shard)) in keys.iter().enumerate() {
            lines +=
                &format!("G{number}\t铜山县\t{key}\t1\t2024-01-01 00:00:00\t02\t苏C{:05}\t大众牌\n", 10_000 + number);
            expected[*shard] += 1;
        }
        let capture = folder.path().join(format!("{shards}.tsv"));
        std::fs::write(&capture, lines).unwrap();
        let count = shards.to_string();
        let results = Replay::new(&capture, &folder.path().join("out")).args(["--shards", &count]).results();
        assert_eq!(results.count("accepted"), keys.len() as u64, "{}", results.summary);
        assert_eq!(results.summary["by_shard"], json!(expected), "{shards} shards");

        let said = run(["shard", "--shards", &count].into_iter().chain(keys.iter().map(|(key, _)| *key)));
        said.done();
        let said: Vec<usize> =
            said.stdout.lines().map(|line| line.rsplit('\t').next().unwrap().parse().unwrap()).collect();
        assert_eq!(said, keys.iter().map(|(_, shard)| *shard).collect::<Vec<usize>>(), "{shards} shards");
    }
}

#[test]
fn the_number_of_shards_changes_only_by_building_again() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let mut text = String::from_utf8(simulated(20_000, 61, &[])).unwrap();
    // Times that are less exact must stay so.
    for (number, time) in [(1, "2024-01-01 00:01"), (2, "2024-01-01"), (3, "2024-01-01 00:01:00")] {
        text += &format!("M{number}\t铜山县\t一号, \"新\" 卡口\t1\t{time}\t02\t苏CM000{number}\t大众牌\n");
    }
    std::fs::write(path("capture.tsv"), text).unwrap();
    let replay = |from: &str, data: &str, shards: &[&str]| {
        Replay::new(path(from), &path(&format!("out-{data}"))).args(["--data-dir"]).args([path(data)]).args(shards)
    };
    let two = replay("capture.tsv", "two", &[]).results();
    assert_eq!(two.summary["by_shard"].as_array().unwrap().len(), 2);
    let export = |data: &str| {
        let ended = run(["export".as_ref(), "--data-dir".as_ref(), path(data).as_os_str()]);
        ended.done();
        ended.stdout
    };

    for _ in 0..2 {
        let found = ["has 2 local shards, not 5", "platewatch export --data-dir", "--shards 5 --data-dir NEW"];
        replay("capture.tsv", "two", &["--shards", "5"]).run().failed(3, &found);
    }
    // Without the option it goes on with what it has.
    assert_eq!(replay("capture.tsv", "two", &[]).results().summary["by_shard"], two.summary["by_shard"]);

    let exported = export("two");
    std::fs::write(path("passages.csv"), &exported).unwrap();
    let five = replay("passages.csv", "five", &["--shards", "5"]).results();
    five.adds_up();
    assert_eq!(five.summary["by_shard"].as_array().unwrap().len(), 5);
    assert_eq!((five.count("accepted"), five.count("late")), (two.count("accepted"), two.count("late")));
    assert_eq!((five.rejected(), five.count("headers")), (0, 1));
    assert_eq!(five.alerts, two.alerts, "the alerts are the same, in the same order");
    assert!(two.count("alerts") > 50, "{}", two.summary);
    assert_eq!(export("five"), exported, "and so are the passages, in the order of arrival");

    // An appliance reads and finds the same in it, and is refused without the number.
    let config = format!("data_dir = {:?}\n[source]\nkind = \"none\"\n[store]\nshards = 5\n", path("five"));
    let (running, address) = serve(&config);
    let status = crate::harness::get_data(&address, "/api/status");
    assert_eq!(status["pipeline"]["by_shard"], five.summary["by_shard"]);
    assert_eq!(crate::harness::get_data(&address, "/api/overview")["total"], five.summary["accepted"]);
    drop(running);
    let file = path("two.toml");
    std::fs::write(&file, config.replace("shards = 5", "shards = 2")).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&file);
    crate::harness::Running::start(command).end().failed(3, &["has 5 local shards, not 2", "set store.shards"]);
}

#[test]
fn what_is_no_number_of_shards_is_refused() {
    for count in ["0", "65", "two"] {
        let ended = run(["replay", "x.tsv", "--out", "out", "--shards", count]);
        assert!(ended.code == Some(2) && ended.stderr.contains("--shards"), "{ended:?}");
    }
    let folder = folder();
    let check = |text: &str, parts: &[&str]| {
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text).unwrap();
        run(["check-config".as_ref(), file.as_os_str()]).failed(2, parts);
    };
    check("[store]\nshards = 65\n", &["store.shards", "64"]);
    let two = "[mycat]\nurls = [\"mysql://a/x\", \"mysql://b/x\"]\n[store]\nshards = 4\n";
    check(two, &["mycat.urls", "there are 2 URLs and 4 shards"]);
    check("[mycat]\nurls = [\"mysql://a/x\"]\n[store]\nshards = 4\n", &["there are 2 dataNodes and 4 shards"]);
}
