//! The lake, read by the programs that it is for: DuckDB and Spark see what the store has, each row once, whatever happened to
//! the appliance; and `replay` reads what they write.
//!
//! `PLATEWATCH_DUCKDB` and `PLATEWATCH_PYSPARK3` name the Pythons that have them; `scripts/test` installs both.

mod killed;
mod outage;
mod read;
mod replayed;
mod trained;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Appliance, LONG, PATIENCE, done, repository, wait_until};

/// Other programs that read Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Duck,
    Spark,
}

impl Peer {
    fn python(self) -> PathBuf {
        let (variable, folder) = match self {
            Self::Duck => ("PLATEWATCH_DUCKDB", "duckdb-2.0.0"),
            Self::Spark => ("PLATEWATCH_PYSPARK3", "pyspark-3"),
        };
        let path = match std::env::var_os(variable) {
            Some(path) => PathBuf::from(path),
            None => PathBuf::from(std::env::var_os("HOME").expect("a home folder"))
                .join(".cache/platewatch")
                .join(folder)
                .join("bin/python"),
        };
        assert!(path.exists(), "{} is not there: scripts/test installs it", path.display());
        path
    }

    /// What its script says to these arguments.
    #[track_caller]
    fn says(self, what: &str, paths: &[&Path]) -> String {
        let script = match self {
            Self::Duck => "tests/lake/duck.py",
            Self::Spark => "tests/lake/spark.py",
        };
        runs(Command::new(self.python()).arg(repository(script)).arg(what).args(paths))
    }

    #[track_caller]
    fn counts(self, lake: &Path) -> Value {
        serde_json::from_str(self.says("count", &[lake]).trim()).unwrap()
    }
}

/// The output of a command that must succeed.
#[track_caller]
fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Every passage of a data directory as lines in the order of GCXH, TAB-separated; it may run.
#[track_caller]
fn stored(data: &Path) -> Vec<String> {
    let csv = done(["export".as_ref(), "--quiet".as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
    let mut lines: Vec<String> = csv.lines().skip(1).map(|line| line.replace(',', "\t")).collect();
    lines.sort();
    lines
}

/// Demands that the lake has each row of the store once, in the folder of its day.
#[track_caller]
fn equals_store(lake: &Path, data: &Path, when: &str) {
    let (found, expected) = (Peer::Duck.says("rows", &[lake]), stored(data));
    let found: Vec<&str> = found.lines().collect();
    assert_eq!(found.len(), expected.len(), "{when}: rows in the lake and in the store");
    let wrong = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert!(wrong.is_none(), "{when}: {wrong:?}");
    let counts = Peer::Duck.counts(lake);
    assert_eq!(counts["agree"], counts["total"], "{when}: rows lie in the folder of another day: {counts}");
}

/// Counts by name of an answer with `name` and `value`.
fn by_name(answer: &Value) -> BTreeMap<String, u64> {
    let pairs = answer.as_array().unwrap().iter();
    pairs.map(|pair| (pair["name"].as_str().unwrap().to_owned(), pair["value"].as_u64().unwrap())).collect()
}

impl Appliance {
    /// Configures it with a lake and a capture, which it serves; `lake` and `more` are further settings.
    fn configure_lake(&self, folder: &Path, capture: &Path, lake: &str, more: &str) {
        self.configure(
            &format!(
                "data_dir = {:?}\n[lake]\ndir = {folder:?}\nretry_max = \"200ms\"\n{lake}\n[source]\nkind = \"capture\"\n\
                 files = [{capture:?}]\nbatch_records = 200\n[store]\nretention = \"forever\"\n[predict]\ntrain = \"off\"\n{more}",
                self.data()
            ),
            "",
        );
    }

    fn lakes(&self) -> Vec<Value> {
        let mirrors = self.status()["mirrors"].as_array().unwrap().clone();
        mirrors.into_iter().filter(|mirror| mirror["name"].as_str().unwrap().starts_with("lake/")).collect()
    }

    /// Waits until the source has ended and all rows are in the lake.
    #[track_caller]
    fn wait_for_lake(&self) {
        wait_until(LONG, "the source ends", || self.status()["source"]["state"] == "finished");
        wait_until(PATIENCE, &format!("all rows are in the lake: {:?}", self.lakes()), || {
            self.lakes().iter().all(|lake| lake["lag_rows"] == 0 && lake["cursor"] != 0)
        });
    }
}
