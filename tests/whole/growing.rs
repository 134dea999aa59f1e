//! Capture files that change between two runs: they grow, are rotated, are replaced.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::demo::stop;
use super::dirty::{Style, dirty};
use super::formats::gzip;
use crate::harness::{PATIENCE, Replay, Results, folder, get, get_data, serve, simulated};

/// A capture as dirty as real ones, cut after its `lines`-th line.
fn cut(lines: usize) -> (Vec<u8>, Vec<u8>) {
    let style = Style { separator: ',', pieces: 1, spoilt: 20 };
    let whole = dirty(&simulated(6_000, 71, &[]), 71, style);
    let at = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(lines - 1).unwrap().0 + 1;
    let behind = whole[at..].to_vec();
    (whole[..at].to_vec(), behind)
}

fn append(path: &Path, bytes: &[u8]) {
    std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
}

struct Bench {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = folder();
        Self { file: folder.path().join(name), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Into the one data directory.
    fn replay(&self) -> Replay {
        self.replay_of(&self.file)
    }

    fn replay_of(&self, file: &Path) -> Replay {
        Replay::new(file, &self.path("out")).args(["--data-dir"]).args([self.path("data")])
    }

    /// A replay of these bytes at once, under the same name.
    fn at_once(&self, bytes: &[u8]) -> Results {
        std::fs::create_dir_all(self.path("whole")).unwrap();
        let file = self.path("whole").join(self.file.file_name().unwrap());
        std::fs::write(&file, bytes).unwrap();
        Replay::new(&file, &self.path("whole-out")).results()
    }
}

#[test]
fn a_file_that_grew_goes_on_where_it_ended() {
    for name in ["capture.csv", "capture.csv.gz"] {
        let bench = Bench::new(name);
        let pack = |bytes: &[u8]| if name.ends_with(".gz") { gzip(bytes) } else { bytes.to_vec() };
        let (first, second) = cut(2_500);
        std::fs::write(&bench.file, pack(&first)).unwrap();
        let before = bench.replay().results();
        assert!(before.rejected() > 50, "{}", before.summary);
        append(&bench.file, &pack(&second[..0]));
        append(&bench.file, &pack(&second));
        let after = bench.replay().results();
        after.equals(&bench.at_once(&[pack(&first), pack(&second)].concat()), name);
        after.equals(&bench.replay().results(), "nothing is left to read");
    }
}

#[test]
fn every_file_of_a_list_may_grow() {
    let bench = Bench::new("b.csv");
    let (first, second) = cut(2_500);
    let (a, lines) = (bench.path("a.csv"), |count: &Results| count.count("lines"));
    let both = || bench.replay_of(&a).args([&bench.file]);
    std::fs::write(&a, &first).unwrap();
    std::fs::write(&bench.file, b"").unwrap();
    assert_eq!(lines(&both().results()), 2_500);
    append(&bench.file, &second);
    let whole = both().results();
    assert_eq!(lines(&whole), lines(&bench.at_once(&[first, second].concat())));
    append(&a, b"not a passage\n");
    append(&bench.file, b"nor this\n");
    let after = both().results();
    assert_eq!((lines(&after), after.rejected()), (lines(&whole) + 2, whole.rejected() + 2));
}

#[test]
fn a_line_that_had_no_end_gets_it() {
    for ending in ["\n", "\r\n"] {
        let bench = Bench::new("capture.csv");
        let (first, second) = cut(2_500);
        let whole = first.strip_suffix(b"\n").unwrap();
        let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
        std::fs::write(&bench.file, whole).unwrap();
        assert_eq!(bench.replay().results().count("lines"), 2_500);
        append(&bench.file, &[ending.as_bytes(), &second].concat());
        let after = bench.replay().results();
        after.equals(&bench.at_once(&[whole, ending.as_bytes(), &second].concat()), "a line's end came later");
    }
}

#[test]
fn a_file_that_is_no_longer_what_it_was_is_refused_in_words() {
    let bench = Bench::new("capture.csv");
    let (first, second) = cut(2_500);
    std::fs::write(&bench.file, &first).unwrap();
    bench.replay().results();
    let refused = |what: &str| bench.replay().run().failed(2, &[what, "it was rotated or replaced", "--data-dir"]);
    std::fs::write(&bench.file, &first[..first.len() / 2]).unwrap();
    refused("capture.csv is shorter than when it was read");
    std::fs::write(&bench.file, [&second[..], &first[..], &first[..]].concat()).unwrap();
    refused("capture.csv begins with other lines than when it was read");
    let mut changed = [&first[..], &second[..]].concat();
    changed[first.len() - 20] ^= 1;
    std::fs::write(&bench.file, &changed).unwrap();
    refused(&format!("capture.csv holds other lines before byte {} than when it was read", first.len()));

    // Rotated: the one that was read before goes first.
    let rotated = bench.path("capture.csv.1");
    std::fs::write(&rotated, [&first[..], &second[..100]].concat()).unwrap();
    std::fs::write(&bench.file, &second[100..]).unwrap();
    bench.replay().run().failed(2, &["capture.csv", "capture.csv.1 "]);
    let both = bench.replay_of(&rotated).args([&bench.file]).results();
    assert_eq!(both.count("lines"), Results::read(&bench.path("out")).count("lines"));
    assert!(both.count("accepted") > bench.at_once(&first).count("accepted"));
}

#[test]
fn what_was_sorted_by_time_cannot_grow() {
    let bench = Bench::new("capture.csv");
    let (first, second) = cut(2_500);
    std::fs::write(&bench.file, &first).unwrap();
    let sorted = || bench.replay().args(["--order", "time"]);
    sorted().results();
    append(&bench.file, &second);
    sorted().run().failed(2, &["capture.csv has grown since it was sorted by time", "another --data-dir"]);
}

#[test]
fn an_appliance_reads_a_grown_file_on_at_its_next_start() {
    let bench = Bench::new("capture.csv");
    let (first, second) = cut(2_500);
    std::fs::write(&bench.file, &first).unwrap();
    let config = format!(
        "data_dir = {:?}\n[source]\nkind = \"capture\"\nfiles = [{:?}]\n[store]\nretention = \"forever\"\n",
        bench.path("data"),
        bench.file
    );
    let expected = bench.at_once(&[&first[..], &second[..]].concat());
    for lines in [2_500, expected.count("lines")] {
        let (running, address) = serve(&config);
        let deadline = Instant::now() + PATIENCE;
        while get_data(&address, "/api/status")["source"]["state"] != "finished" {
            assert!(Instant::now() < deadline, "{}", get_data(&address, "/api/status"));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(get_data(&address, "/api/status")["pipeline"]["lines"], lines);
        // Everything was read: it stays ready.
        assert_eq!(get(&address, "/readyz").0, 200);
        stop(running, PATIENCE);
        append(&bench.file, &second);
    }
}
