//! A log of distinguishable lines, how it is shipped, and what must be true of its lines in a topic.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use std::time::{Duration, Instant};

use crate::harness::{LONG, Program, platewatch};
use crate::kafka::Broker;
use crate::kafka::topic::{self, Record};

/// A log in a folder of its own, and all lines that were ever written to it.
pub(crate) struct Log {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) written: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), written: 0 }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("passages.log")
    }

    pub(crate) fn ship(&self, broker: &Broker, topic: &str, more: &[&str]) -> Program {
        let path = self.path();
        let mut args = vec!["ship", path.to_str().unwrap(), "--brokers", broker.bootstrap(), "--topic", topic];
        args.extend(more);
        Program::start(platewatch().args(args), &self.dir.path().join("log.txt"))
    }

    /// Writes `lines` more lines, all at once.
    pub(crate) fn grow(&mut self, lines: u64) {
        let range = self.written..self.written + lines;
        self.written += lines;
        self.write(&range.map(line).collect::<Vec<_>>().concat());
    }

    pub(crate) fn write(&self, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// As logrotate's `create`.
    pub(crate) fn rename(&self) {
        self.shift();
        std::fs::rename(self.path(), self.rotated(1)).unwrap();
    }

    /// As logrotate's `copytruncate`.
    pub(crate) fn copy_and_truncate(&self) {
        self.shift();
        std::fs::copy(self.path(), self.rotated(1)).unwrap();
        File::options().write(true).open(self.path()).unwrap().set_len(0).unwrap();
    }

    /// As rsync and editors do: another file replaces the log, with all that it held and `lines` more lines.
    pub(crate) fn replace_by_longer_copy(&mut self, lines: u64) {
        let copy = self.dir.path().join("copy");
        std::fs::copy(self.path(), &copy).unwrap();
        let range = self.written..self.written + lines;
        self.written += lines;
        let mut file = File::options().append(true).open(&copy).unwrap();
        file.write_all(range.map(line).collect::<Vec<_>>().concat().as_bytes()).unwrap();
        std::fs::rename(copy, self.path()).unwrap();
    }

    fn shift(&self) {
        for number in (1..9).rev().filter(|&number| self.rotated(number).exists()) {
            std::fs::rename(self.rotated(number), self.rotated(number + 1)).unwrap();
        }
    }

    fn rotated(&self, number: u32) -> PathBuf {
        self.dir.path().join(format!("passages.log.{number}"))
    }

    /// Waits until the topic holds every line that was written, and returns what it holds.
    pub(crate) fn wait_for_all(&self, broker: &Broker, topic: &str) -> Vec<Record> {
        let wanted = self.written as i64;
        let deadline = Instant::now() + LONG;
        while topic::count(broker, topic) < wanted {
            assert!(Instant::now() < deadline, "{}", self.what_is_missing(&topic::read_all(broker, topic)));
            std::thread::sleep(Duration::from_millis(50));
        }
        topic::read_all(broker, topic)
    }
}

impl Log {
    /// The first and last line that is not there, the program's output, its state, and the files.
    fn what_is_missing(&self, records: &[Record]) -> String {
        let there: HashSet<&str> = records.iter().map(Record::text).collect();
        let missing: Vec<u64> = (0..self.written).filter(|&number| !there.contains(line(number).trim_end())).collect();
        let read = |name: &str| std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        let mut files: Vec<String> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .flatten()
            .map(|entry| {
                let metadata = entry.metadata().unwrap();
                let text = read(entry.file_name().to_str().unwrap());
                format!("{:?} {} {:?}", entry.file_name(), metadata.len(), text.get(..19))
            })
            .collect();
        files.sort_unstable();
        format!(
            "{} of {} lines are missing, from {:?} to {:?}\n{}\n{}\n{}",
            missing.len(),
            self.written,
            missing.first(),
            missing.last(),
            read("log.txt"),
            read("passages.log.ship"),
            files.join("\n")
        )
    }
}

const PLATES: u64 = 97;

/// The line of a number: ids count up, plates take turns.
pub(crate) fn line(number: u64) -> String {
    let plate = number % PLATES;
    format!("G{number:018}\t沛县\tK{}\t1\t2024-01-01 00:00:24\t02\t苏C{plate:05}\t大众牌-朗逸-2015\n", number % 7)
}

/// How often a line may occur in a topic.
#[derive(PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    AtLeastOnce,
}

/// Checks that all lines are there, those of a plate in one partition and in order. Returns how many are there twice.
pub(crate) fn check(records: &[Record], lines: Range<u64>, times: Times) -> usize {
    let mut partitions = BTreeMap::new();
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut repeated = 0;
    for record in records {
        let partition = *partitions.entry(record.key_text()).or_insert(record.partition);
        assert_eq!(partition, record.partition, "{} is in two partitions", record.key_text());
        if seen.insert(record.text()) {
            found.entry(record.key_text()).or_default().push(record.text());
        } else {
            repeated += 1;
        }
    }
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in lines {
        let plate = format!("苏C{:05}", number % PLATES);
        expected.entry(plate).or_default().push(line(number).trim_end().to_owned());
    }
    for (plate, lines) in &expected {
        let got = found.get(plate.as_str()).map_or(&[][..], Vec::as_slice);
        let wrong = got.iter().zip(lines).position(|(a, b)| a != b).unwrap_or(got.len().min(lines.len()));
        assert!(
            got.len() == lines.len() && wrong == got.len(),
            "{plate}: {} of {} lines, wrong from {wrong} on: {:?}",
            got.len(),
            lines.len(),
            lines.get(wrong)
        );
    }
    assert_eq!(found.len(), expected.len(), "keys");
    if times == Times::Once {
        assert_eq!(repeated, 0, "repeated lines");
    }
    repeated
}
