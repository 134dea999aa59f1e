//! The audit log in files: several writers, what a crash or a hand leaves behind, retention, searches and verification.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use access::trail::{Action, Detail, Details, Draft, Entry, Via};
use traffic::{CivilTime, TimeZoneName};

use super::{Broken, Trail, TrailFilter};

const DAY: i64 = 86_400_000;
/// 2026-11-28 08:00:00 in the zone of the tests.
const NOW: i64 = 1_795_824_000_000;

fn zone() -> TimeZoneName {
    "Asia/Shanghai".parse().unwrap()
}

/// A log in a folder of its own.
struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The log as another process has it.
    fn trail(&self) -> Trail {
        Trail::below(self.folder.path(), zone())
    }

    fn audit(&self) -> PathBuf {
        self.folder.path().join("access/audit")
    }

    fn file(&self, day: &str) -> PathBuf {
        self.audit().join(format!("{day}.jsonl"))
    }

    fn lines(&self, day: &str) -> Vec<String> {
        std::fs::read_to_string(self.file(day)).unwrap().lines().map(str::to_owned).collect()
    }

    fn entries(&self, day: &str) -> Vec<Entry> {
        self.lines(day).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn write_lines(&self, day: &str, lines: &[String]) {
        std::fs::write(self.file(day), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    /// How many entries are sound, or where it is broken.
    fn verify(&self) -> Result<u64, Broken> {
        self.trail().verify(None, &mut |_, _| {}).unwrap().result.map(|checked| checked.entries)
    }

    /// Notes the last entry of a text as the head.
    fn note(&self, text: &str) {
        let last: Entry = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        std::fs::write(self.audit().join("head"), format!("{:020}:{}\n", last.n, last.hash)).unwrap();
    }

    #[track_caller]
    fn broken(&self, file: &str, line: u64, part: &str) {
        let broken = self.verify().unwrap_err();
        assert_eq!((broken.file.as_str(), broken.line), (file, line), "{broken:?}");
        assert!(broken.what.contains(part), "{broken:?}");
    }
}

fn query(plate: &str) -> Draft {
    Draft {
        user: Some("wang".to_owned()),
        status: Some(200),
        details: Some(Details::default().with("hphm", plate)),
        ..Draft::new(Action::Query, Via::Session)
    }
}

#[test]
fn entries_of_several_writers_are_one_chain() {
    use std::os::unix::fs::PermissionsExt as _;
    let log = Log::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let log = &log;
            scope.spawn(move || {
                let trail = log.trail();
                for number in 0..50 {
                    trail.append(query(&format!("苏C{writer}{number:04}")), NOW + number).unwrap();
                    if number % 10 == 0 {
                        trail.sync().unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(log.verify(), Ok(200));
    let numbers: Vec<u64> = log.entries("2026-11-28").iter().map(|entry| entry.n).collect();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&log.audit()), mode(&log.file("2026-11-28"))), (0o700, 0o600));
}

#[test]
fn a_day_has_a_file_and_a_wrong_clock_changes_no_order() {
    let log = Log::new();
    let trail = log.trail();
    // Midnight of the zone, not of UTC.
    for at in [NOW - 9 * 3_600_000, NOW, NOW + DAY, NOW - 30 * DAY, NOW] {
        trail.append(query("x"), at).unwrap();
    }
    let of = |day| log.entries(day).iter().map(|entry| entry.n).collect::<Vec<_>>();
    assert_eq!((of("2026-11-27"), of("2026-11-28"), of("2026-11-29")), (vec![1], vec![2], vec![3, 4, 5]));
    log.trail().append(query("x"), NOW).unwrap();
    assert_eq!(of("2026-11-29").last(), Some(&6));
    assert_eq!(log.verify(), Ok(6));
}

#[test]
fn a_torn_line_is_cut_off_and_said() {
    let log = Log::new();
    for number in 0..3 {
        log.trail().append(query(&number.to_string()), NOW).unwrap();
    }
    let whole = std::fs::read_to_string(log.file("2026-11-28")).unwrap();
    let last = log.lines("2026-11-28")[2].len() + 1;
    for cut in [1, 2, 40, last - 1] {
        std::fs::write(log.file("2026-11-28"), &whole[..whole.len() - cut]).unwrap();
        log.note(&whole);
        log.broken("2026-11-28.jsonl", 3, "no end");
        let head = log.trail().begin(NOW).unwrap();
        assert_eq!((head.n, log.verify()), (3, Ok(3)), "{cut}");
        let recovered = log.entries("2026-11-28").pop().unwrap();
        assert_eq!((recovered.action.as_str(), recovered.via), ("recovered", Via::Process));
        let detail = |name: &str| recovered.details.as_ref().unwrap().get(name).cloned();
        assert_eq!(detail("torn_bytes"), Some(Detail::Number((last - cut) as u64)));
        assert_eq!(detail("lost_through"), Some(Detail::Number(3)), "the head was noted");
    }
    // Killed between the entry and the note: nothing is lost, and nothing is said.
    std::fs::write(log.file("2026-11-28"), &whole).unwrap();
    log.note(&log.lines("2026-11-28")[1]);
    assert_eq!((log.trail().begin(NOW).unwrap().n, log.verify()), (3, Ok(3)));
}

#[test]
fn what_is_missing_at_the_end_is_found_and_said() {
    let log = Log::new();
    let trail = log.trail();
    for number in 0..5 {
        trail.append(query(&number.to_string()), NOW).unwrap();
    }
    let lost = log.entries("2026-11-28").pop().unwrap();
    let left = log.lines("2026-11-28")[..3].to_vec();
    log.write_lines("2026-11-28", &left);
    log.broken("2026-11-28.jsonl", 3, "the log ends before entry 5");
    // The running process notices, too.
    trail.append(query("x"), NOW).unwrap();
    let entries = log.entries("2026-11-28");
    let details = entries[3].details.as_ref().unwrap();
    assert_eq!((entries[3].action.as_str(), details.get("lost_through")), ("recovered", Some(&Detail::Number(5))));
    assert_eq!(details.get("lost_hash").and_then(Detail::text), Some(lost.hash.to_string().as_str()));
    assert_eq!((entries.len(), log.verify()), (5, Ok(5)));
    // All of it gone: it begins again, and says how far it was.
    std::fs::remove_file(log.file("2026-11-28")).unwrap();
    trail.append(query("x"), NOW).unwrap();
    let first = log.entries("2026-11-28").remove(0);
    assert_eq!((first.n, first.details.unwrap().get("lost_through")), (1, Some(&Detail::Number(5))));
}

#[test]
fn whatever_was_changed_is_found() {
    let log = Log::new();
    let trail = log.trail();
    for number in 0..6 {
        trail.append(query(&format!("苏C1234{number}")), NOW + DAY * (number / 3)).unwrap();
    }
    assert_eq!(log.verify(), Ok(6));
    let (first, second) = ("2026-11-28", "2026-11-29");
    let whole = log.lines(second);
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        log.write_lines(second, &lines);
    };
    let file = "2026-11-29.jsonl";
    with(&|lines| lines[1] = lines[1].replace("苏C12344", "苏C99999"));
    log.broken(file, 2, "the details of entry 5");
    with(&|lines| lines[1] = lines[1].replace("wang", "li"));
    log.broken(file, 2, "entry 5 was changed");
    with(&|lines| lines[1] = lines[1].replace("\"user\":", "\"user\": "));
    log.broken(file, 2, "not written by Platewatch");
    with(&|lines| lines[1].insert(0, 'x'));
    log.broken(file, 2, "no entry");
    with(&|lines| drop(lines.remove(1)));
    log.broken(file, 2, "entry 5 is missing");
    with(&|lines| lines.swap(0, 1));
    log.broken(file, 1, "entry 4 is missing");
    with(&|lines| drop(lines.pop()));
    log.broken(file, 2, "the log ends before entry 6");
    with(&|_| {});
    assert_eq!(log.verify(), Ok(6));
    std::fs::remove_file(log.file(first)).unwrap();
    log.broken(file, 1, "the entries before 4 are missing");
}

/// A line that is no entry stays where it is, for the verification to find, and the log goes on.
#[test]
fn a_damaged_line_does_not_stop_the_log() {
    let log = Log::new();
    for number in 0..3 {
        log.trail().append(query(&number.to_string()), NOW).unwrap();
    }
    let mut lines = log.lines("2026-11-28");
    lines[2] = "damaged".to_owned();
    log.write_lines("2026-11-28", &lines);
    let head = log.trail().append(query("x"), NOW).unwrap();
    assert_eq!(head.n, 5, "after the noted entry 3, and `recovered`");
    log.broken("2026-11-28.jsonl", 3, "no entry");
    let again = log.trail().append(query("x"), NOW).unwrap();
    assert_eq!(again.n, 6, "it is said once");
}

#[test]
fn where_no_entry_can_be_written_there_is_an_error_and_later_no_gap() {
    let log = Log::new();
    let trail = log.trail();
    trail.append(query("1"), NOW).unwrap();
    let aside = log.folder.path().join("aside");
    std::fs::rename(log.audit(), &aside).unwrap();
    std::fs::write(log.audit(), "a file in its place").unwrap();
    assert!(trail.append(query("2"), NOW).unwrap_err().to_string().contains("access/audit"));
    assert!(trail.probe().is_err());
    std::fs::remove_file(log.audit()).unwrap();
    std::fs::rename(&aside, log.audit()).unwrap();
    trail.probe().unwrap();
    trail.append(query("3"), NOW).unwrap();
    assert_eq!((log.verify(), log.entries("2026-11-28").len()), (Ok(2), 2));
}

#[test]
fn old_days_go_and_the_log_says_so() {
    let log = Log::new();
    let trail = log.trail();
    for day in 0..6 {
        trail.append(query(&format!("苏C{day}")), NOW + day * DAY).unwrap();
    }
    let now = NOW + 5 * DAY + 1;
    assert_eq!(trail.retain(3 * DAY, now).unwrap(), 3);
    assert!(!log.file("2026-11-30").exists() && log.file("2026-12-01").exists());
    let last = log.entries("2026-12-03");
    assert_eq!(last.iter().filter(|entry| entry.action == "retention").count(), 3);
    assert_eq!(log.verify(), Ok(3 + 3));
    assert_eq!(trail.retain(3 * DAY, now).unwrap(), 0);
    // The newest day stays, however old it is.
    assert_eq!(trail.retain(DAY, now + 1000 * DAY).unwrap(), 2);
    assert_eq!(log.verify(), Ok(1 + 3 + 2));
    // One more gone than was said.
    std::fs::remove_file(log.file("2026-12-03")).unwrap();
    assert!(log.verify().is_err());
}

#[test]
fn a_search_goes_backwards_through_the_days() {
    let log = Log::new();
    let trail = log.trail();
    for number in 0..30i64 {
        let draft = Draft {
            user: Some(if number % 3 == 0 { "li" } else { "wang" }.to_owned()),
            address: Some(format!("10.0.0.{}", number % 5)),
            action: if number % 2 == 0 { Action::Query } else { Action::Track },
            ..query(&format!("苏C{number:05}"))
        };
        trail.append(draft, NOW + number * DAY / 3).unwrap();
    }
    let search = |filter: TrailFilter, length| {
        let page = trail.search(&filter, length, str::to_owned).unwrap();
        (page.entries.iter().map(|entry| entry.n).collect::<Vec<_>>(), page.next)
    };
    let all = TrailFilter::default;
    assert_eq!(search(all(), 100), ((1..=30).rev().collect(), None));
    assert_eq!(search(all(), 4), (vec![30, 29, 28, 27], Some(27)));
    assert_eq!(search(TrailFilter { before: Some(27), ..all() }, 2), (vec![26, 25], Some(25)));
    assert_eq!(search(TrailFilter { before: Some(3), ..all() }, 2), (vec![2, 1], None));
    assert_eq!(search(TrailFilter { before: Some(1), ..all() }, 2), (vec![], None));
    let plate = TrailFilter { plate: Some("C0001".to_owned()), ..all() };
    assert_eq!(search(plate, 100).0, (11..=20).rev().collect::<Vec<_>>());
    let both = TrailFilter { user: Some("li".to_owned()), action: Some("query".to_owned()), ..all() };
    assert_eq!(search(both, 100).0, [25, 19, 13, 7, 1]);
    let address = TrailFilter { address: Some("10.0.0.4".to_owned()), ..all() };
    assert_eq!(search(address, 100).0, [30, 25, 20, 15, 10, 5]);
    let time = |text: &str| CivilTime::parse(text.as_bytes(), &zone());
    for (from, to) in [(None, Some("2026-12-01 10:00:00")), (Some("2026-12-01 08:00:00"), None)] {
        let filter = TrailFilter { from: from.and_then(time), to: to.and_then(time), ..all() };
        let expected = (1..=30).rev().filter(|n| if from.is_some() { *n >= 10 } else { *n <= 10 }).collect::<Vec<_>>();
        assert_eq!(search(filter, 100).0, expected, "{from:?} {to:?}");
    }
    let page = trail.search(&all(), 1, str::to_owned).unwrap();
    assert_eq!((page.newest.unwrap().n, page.oldest.unwrap().n), (30, 1));
    assert!(Log::new().trail().search(&all(), 10, str::to_owned).unwrap().newest.is_none());
}

#[test]
fn a_search_reads_a_bounded_number_of_bytes() {
    let log = Log::new();
    let trail = log.trail();
    let long = Details::default().with("hphm", "y".repeat(60_000));
    for _ in 0..300 {
        trail.append(Draft { details: Some(long.clone()), ..query("") }, NOW).unwrap();
    }
    let mut before = None;
    let mut pages = 0;
    loop {
        let filter = TrailFilter { plate: Some("x".to_owned()), before, ..TrailFilter::default() };
        let page = trail.search(&filter, 10, str::to_owned).unwrap();
        assert!(page.entries.is_empty());
        pages += 1;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3, "18 MB at 8 MiB each");
    let too_long = Draft { details: Some(long.with("more", "y".repeat(60_000))), ..query("") };
    trail.append(too_long, NOW).unwrap();
    let last = log.entries("2026-11-28").pop().unwrap();
    assert!(last.details.unwrap().get("too_long").is_some(), "no line is longer than 64 KiB");
}

#[test]
fn a_verification_beside_a_writer_sees_whole_entries() {
    let log = Log::new();
    let trail = log.trail();
    trail.append(query("x"), NOW).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..2000).all(|_| trail.append(query("苏C12345"), NOW).is_ok()));
        while !writing.is_finished() {
            log.verify().unwrap();
        }
        assert!(writing.join().unwrap());
    });
    assert_eq!(log.verify(), Ok(2001));
    // A copy has no lock, and one line more that is only begun.
    std::fs::remove_file(log.audit().join("head")).unwrap();
    assert_eq!(log.verify(), Ok(2001));
    OpenOptions::new().append(true).open(log.file("2026-11-28")).unwrap().write_all(b"{\"n\":2002").unwrap();
    log.broken("2026-11-28.jsonl", 2002, "no end");
}

#[test]
fn what_entries_say_is_erased_and_the_chain_holds() {
    let log = Log::new();
    let (trail, beside) = (log.trail(), log.trail());
    for (number, plate) in ["苏C12345", "苏C99999", "苏C12345", "苏C12345"].into_iter().enumerate() {
        trail.append(query(plate), NOW + number as i64 * DAY / 2).unwrap();
    }
    beside.append(query("苏C88888"), NOW + 2 * DAY).unwrap();
    let is_it = |entry: &Entry| entry.line().contains("苏C12345");
    assert_eq!(trail.naming(is_it).unwrap(), 3);
    // A killed process left a part of this.
    std::fs::write(log.audit().join("2026-11-28.part"), "苏C12345").unwrap();
    assert_eq!(trail.erase(is_it, NOW + 2 * DAY).unwrap(), 3);
    assert_eq!((trail.naming(is_it).unwrap(), trail.erase(is_it, NOW + 2 * DAY).unwrap()), (0, 0));
    // Both go on behind what was written again.
    beside.append(query("苏C77777"), NOW + 2 * DAY).unwrap();
    trail.append(query("苏C66666"), NOW + 2 * DAY).unwrap();
    assert_eq!(log.verify(), Ok(8));
    let files = std::fs::read_dir(log.audit()).unwrap().map(|file| file.unwrap().path());
    let mut all = String::new();
    for path in files {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o077, 0, "{path:?}");
        all += &std::fs::read_to_string(&path).unwrap();
    }
    assert!(!all.contains("苏C12345") && all.contains("苏C99999") && all.contains("\"action\":\"erase\""), "{all}");
}
