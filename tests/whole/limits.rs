//! Input made to fill memory or the disk: long lines, long fields, more names than any road has. The real program
//! handles it within its bounds and goes on.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::demo::stop;
use crate::harness::{PATIENCE, Random, Replay, Results, folder, get_data, serve_fed, tell};

const MIB: u64 = 1 << 20;

/// The most memory that a process has had, in bytes, as the kernel reports it while the process lives.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// Feeds a replay what `write` makes; returns its results and the most memory that it had.
fn replay_fed(replay: Replay, write: impl FnOnce(&mut dyn std::io::Write) + Send + 'static) -> (Results, u64) {
    let (mut command, out) = (replay.command, replay.out);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = std::io::BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    let feeding = std::thread::spawn(move || {
        write(&mut input);
        input.flush().unwrap();
    });
    let most = AtomicU64::new(0);
    let ended = loop {
        most.fetch_max(peak(&child).unwrap_or(0), Ordering::Relaxed);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let stderr = crate::harness::rest_of(&mut child);
    assert!(ended.success(), "{stderr}");
    feeding.join().unwrap();
    (Results::read(&out), most.into_inner())
}

fn passage(number: usize, hphm: &str) -> String {
    format!(
        "P{number:018}\t邳州市\tS250_Pizhou_Sulu\t1\t2024-01-01 08:{:02}:{:02}\t02\t{hphm}\t大众牌-朗逸-2015\n",
        number / 60 % 60,
        number % 60
    )
}

#[track_caller]
fn within(most: u64, bound: u64, what: &str) {
    tell(&format!("{what}: {} MiB at most", most / MIB));
    assert!(most < bound, "{what} takes {} MiB", most / MIB);
}

/// 65 KB of garbage a line, over and under the longest line: two batches' worth of records, 1.9 GB.
#[test]
fn long_garbage_lines_stay_within_memory() {
    const LINES: usize = 30_000;
    let folder = folder();
    for order in ["arrival", "time"] {
        let replay = Replay::new("-", &folder.path().join("out")).args(["--order", order]);
        let (results, most) = replay_fed(replay, |out| {
            let garbage: Vec<u8> = (0..66_000u32).map(|at| b'a' + (at * at % 23) as u8).collect();
            for number in 0..LINES {
                let length = if number % 2 == 0 { 65_000 } else { 66_000 };
                out.write_all(&garbage[..length]).unwrap();
                out.write_all(b"\n").unwrap();
                if number % 100 == 0 {
                    out.write_all(passage(number, "苏C12345").as_bytes()).unwrap();
                }
            }
        });
        results.adds_up();
        let reasons = &results.summary["rejected"]["by_reason"];
        assert_eq!((&reasons["wrong_column_count"], &reasons["line_too_long"]), (&15_000.into(), &15_000.into()));
        assert_eq!(results.count("accepted"), 300);
        let rejects = results.rejects();
        for (reject, bytes) in rejects.iter().zip([65_000, 66_000]) {
            let raw = reject["raw"].as_str().unwrap();
            assert_eq!((raw.len(), &reject["bytes"]), (4096, &bytes.into()), "a reject tells how long its line was");
        }
        within(most, 400 * MIB, &format!("{LINES} lines of 65 KB, {order}"));
    }
}

/// As many lines as one batch has at most, each with a plate of 8.6 KB: 1.1 GB.
#[test]
fn a_batch_of_long_fields_is_rejected_and_not_repeated() {
    const LINES: usize = 131_072;
    let folder = folder();
    let data = folder.path().join("data");
    let replay = || Replay::new("-", &folder.path().join("out")).args(["--data-dir"]).args([&data]);
    let (results, most) = replay_fed(replay(), |out| {
        let mut random = Random(81);
        let plates: Vec<String> = (0..16).map(|_| format!("{:016x}", random.next()).repeat(540)).collect();
        for number in 0..LINES {
            out.write_all(passage(number, &plates[number % 16]).as_bytes()).unwrap();
        }
    });
    results.adds_up();
    assert_eq!(results.summary["rejected"]["by_reason"], serde_json::json!({ "field_too_long": LINES }));
    within(most, 400 * MIB, "a plate of 8.6 KB in every line");
    // And it is not repeated without end: the directory opens, and takes more.
    let more = replay().input(passage(LINES, "苏C12345").as_bytes()).results();
    assert_eq!((more.count("lines"), more.count("accepted")), (LINES as u64 + 1, results.count("accepted") + 1));
}

/// Every text of every line is different, and as long as a field may be.
#[test]
fn names_and_odd_texts_stay_within_memory() {
    const LINES: usize = 90_000;
    let folder = folder();
    let (results, most) = replay_fed(Replay::new("-", &folder.path().join("out")), |out| {
        let mut random = Random(82);
        for number in 0..LINES {
            let mut text = || format!("{:016x}", random.next()).repeat(60);
            let (id, district, site, way, kind, plate, model) =
                (text(), text(), text(), text(), text(), text(), text());
            writeln!(
                out,
                "{id}\t{district}\t{site}\t{way}\t2024-01-01 08:{:02}:00\t{kind}\t{plate}\t{model}",
                number % 60
            )
            .unwrap();
        }
    });
    results.adds_up();
    assert_eq!(results.count("lines"), LINES as u64);
    assert!(results.count("accepted") > 10_000 && results.rejected() > 0, "{}", results.summary);
    within(most, 1024 * MIB, "texts of 960 bytes everywhere");
}

/// What is kept of rejected lines is bounded on the disk of an appliance too, and dropping the oldest is reported.
#[test]
fn rejects_of_an_appliance_stay_within_their_size() {
    let folder = folder();
    let data = folder.path().join("data");
    let config = format!(
        "data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"-\"]\n[store]\nretention = \"forever\"\n\
         rejects_retention = \"forever\"\nrejects_size = \"1MiB\"\n"
    );
    let (mut running, address) = serve_fed(&config);
    let mut input = running.child.stdin.take().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let fed = done.clone();
    let feeding = std::thread::spawn(move || {
        for _ in 0..40 {
            input.write_all(&[vec![b'x'; 5_000], vec![b'\n']].concat().repeat(100)).unwrap();
        }
        input.write_all(b"the last\n").unwrap();
        fed.store(true, Ordering::Relaxed);
        input
    });
    running.wait_for("rejected lines take more than store.rejects_size");
    let deadline = Instant::now() + PATIENCE;
    let list = loop {
        let list = get_data(&address, "/api/rejects");
        if list["total"] == 4_001 {
            break list;
        }
        assert!(Instant::now() < deadline, "{list}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(done.load(Ordering::Relaxed));
    // The last commit may have brought more than it dropped.
    let kept = list["kept"].as_u64().unwrap();
    assert!((200..4_000).contains(&kept), "{kept} are kept");
    assert_eq!((&list["records"][0]["text"], &list["records"][1]["bytes"]), (&"the last".into(), &5_000.into()));
    let _input = feeding.join().unwrap();
    stop(running, PATIENCE);
}
