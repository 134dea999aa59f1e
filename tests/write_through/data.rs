//! One set of passages and alerts, put both into a data directory and, by other means, into MySQL and Redis.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Appliance, done};
use crate::servers::mariadb::MariaDb;
use crate::servers::redis::Redis;

/// Passages that break careless SQL: quotes, wildcards, backslashes, other planes, odd plates and types.
const ODD: &str = "\
X'1\t铜山县\tS250_Pizhou_Sulu\t1\t2024-01-01 01:00:00\t02\t苏C%_\\1\t大众牌-'\"\\
x'1\t铜山县\tS250_Pizhou_Sulu\t1\t2024-01-01 01:00:00\t02\t苏C%x1\t大众牌-100%_
Ⅹ🚗\t某县's\tback\\slash\t进\t2024-01-01 01:00:01\t99\t苏CDM***\t福田 牌-🚗
ODD4\t铜山县\tlower\tA\t2024-01-01 02:59:59\t-\t-\t-
ODD5\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t52\t苏CD12345\t比亚迪
ODD6\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t02\t苏CDA1234\t宇通牌
ODD7\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t02\t苏C12345K\t解放牌
ODD8\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t02\t苏C12345L\t解放牌
ODD9\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t22\t苏CI12345\t金龙-x
ODD10\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t7\t苏ci12345\t金龙牌
ODD11\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t01\t使123456\t牌
ODD12\t铜山县\tLOWER\ta\t2024-01-01 03:00:00\t51\t京AAB2345\t-x
";

/// A capture and the results of its replay.
pub(crate) struct Data {
    pub(crate) data_dir: PathBuf,
    /// The accepted passages, one line each, normalised.
    pub(crate) rows: Vec<[String; 8]>,
    /// JSON, by number.
    pub(crate) alerts: Vec<String>,
    folder: tempfile::TempDir,
}

impl Data {
    /// `count` passages at about two a second from 2024-01-01 on.
    pub(crate) fn make(count: usize) -> Self {
        let folder = tempfile::Builder::new().prefix("platewatch-test-").tempdir().unwrap();
        let capture = folder.path().join("capture.tsv");
        let mut lines = done([
            "simulate",
            "--count",
            &count.to_string(),
            "--rate",
            "2",
            "--seed",
            "11",
            "--clone-every",
            "100",
            "--clean",
        ]);
        lines.push_str(ODD);
        std::fs::write(&capture, &lines).unwrap();
        let (out, data_dir) = (folder.path().join("out"), folder.path().join("data"));
        let paths = [&capture, &out, &data_dir].map(|path| path.to_str().unwrap().to_owned());
        let [capture, out_text, data_text] = &paths;
        done(["replay", capture, "--quiet", "--out", out_text, "--data-dir", data_text, "--order", "time"]);
        let alerts: Vec<String> =
            std::fs::read_to_string(out.join("alerts.jsonl")).unwrap().lines().map(str::to_owned).collect();
        assert!(alerts.len() > count / 300, "only {} alerts", alerts.len());
        let summary: Value = serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
        let rows: Vec<[String; 8]> = lines.lines().map(normalised).collect();
        assert_eq!(summary["accepted"].as_u64(), Some(rows.len() as u64), "{summary}");
        Self { data_dir, rows, alerts, folder }
    }

    /// A new folder beside the data.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Fills two instances as MyCat would: each passage on the shard that `platewatch shard` prints.
    pub(crate) fn fill_two(&self, servers: &[MariaDb; 2]) {
        let shards = shards(self.rows.iter().map(|row| row[2].as_str()));
        for (shard, server) in servers.iter().enumerate() {
            insert(server, self.rows.iter().filter(|row| shards[&row[2]] == shard));
        }
    }

    /// Fills one server with all passages, so that it looks like MyCat to a client.
    pub(crate) fn fill_one(&self, server: &MariaDb) {
        insert(server, self.rows.iter());
    }

    /// Fills the list as the mirror does: the newest alert is its head.
    pub(crate) fn fill_redis(&self, redis: &Redis) {
        for some in self.alerts.chunks(200) {
            let command: Vec<&str> =
                ["LPUSH", "traffic:warnings"].into_iter().chain(some.iter().map(String::as_str)).collect();
            redis.command(&command);
        }
    }
}

/// The shard of each key, by the program's own ring.
pub(crate) fn shards<'a>(keys: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    let mut distinct: Vec<&str> = keys.collect();
    distinct.sort_unstable();
    distinct.dedup();
    let told = done(std::iter::once("shard").chain(distinct.iter().copied()));
    let shards = told.lines().map(|line| line.split('\t').next_back().unwrap().parse().unwrap());
    distinct.iter().map(|key| (*key).to_owned()).zip(shards).collect()
}

fn normalised(line: &str) -> [String; 8] {
    let mut columns: [String; 8] =
        line.split('\t').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"));
    columns[5] =
        if columns[5].len() == 1 && columns[5] != "-" { format!("0{}", columns[5]) } else { columns[5].clone() };
    columns[6] = columns[6].to_uppercase();
    columns
}

fn insert<'a>(server: &MariaDb, rows: impl Iterator<Item = &'a [String; 8]>) {
    let rows: Vec<_> = rows.collect();
    let mut script = "USE traffic_db;\n".to_owned();
    for some in rows.chunks(1000) {
        let values: Vec<String> = some
            .iter()
            .map(|row| {
                let texts = row.each_ref().map(|text| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")));
                format!("({})", texts.join(","))
            })
            .collect();
        let _ = writeln!(script, "INSERT INTO traffic_data VALUES {};", values.join(","));
    }
    server.sql(&script);
    assert_eq!(server.count("traffic_data"), rows.len() as u64);
}

/// Settings of the role `api`. Its audit log is beside what is built.
pub(crate) fn api_settings(urls: &[String], redis: &str) -> String {
    let data_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    format!("role = \"api\"\ndata_dir = {data_dir:?}\n[mycat]\nurls = {urls:?}\n[redis]\nurl = {redis:?}\n")
}

/// Settings of a process that serves a data directory and takes nothing in.
pub(crate) fn local_settings(data_dir: &Path) -> String {
    format!(
        "data_dir = {data_dir:?}\n[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nmemory = \"64MiB\"\n"
    )
}

impl Appliance {
    /// An appliance that `settings` configure, with its files in `folder`; started, and answering.
    pub(crate) fn serving(folder: &Path, settings: &str) -> Self {
        Self::serving_with_cache(folder, settings, "0s")
    }

    /// As [`Self::serving`]; statistics are kept for `cache`.
    pub(crate) fn serving_with_cache(folder: &Path, settings: &str, cache: &str) -> Self {
        let mut appliance = Self::new(folder);
        let model = folder.join("model");
        let more = format!("statistics_cache = {cache:?}\n[predict]\nmodel_dir = {model:?}\nmin_hours = 1\n");
        appliance.configure(settings, &more);
        appliance.start();
        appliance
    }
}
