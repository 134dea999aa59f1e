//! Captures on standard input whose lines come as they are written, as from `tail -F`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::demo::stop;
use super::formats::gzip;
use crate::harness::{PATIENCE, Running, folder, get, get_data, serve_fed};

const ENOUGH: Duration = Duration::from_secs(20);

fn passage(number: usize, kkmc: &str, second: usize) -> String {
    format!("LIVE{number}\t邳州市\t{kkmc}\t1\t2024-01-01 08:00:{second:02}\t02\t苏C12345\t大众牌-朗逸-2015\n")
}

#[test]
fn lines_are_served_while_the_input_is_open_and_a_stop_is_heard() {
    for encoding in ["utf-8", "gb18030"] {
        let folder = folder();
        let data = folder.path().join("data");
        let config =
            format!("data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"-\"]\nencoding = \"{encoding}\"\n");
        let (mut running, address) = serve_fed(&config);
        let mut input = running.child.stdin.take().unwrap();
        let mut written = 0;
        let mut write = |text: &str| {
            let text = encoding_rs::Encoding::for_label(encoding.as_bytes()).unwrap().encode(text).0.into_owned();
            input.write_all(&text).unwrap();
        };
        for kkmc in ["S250_Pizhou_Sulu", "G3_Sulu", "S250_Pizhou_Sulu"] {
            written += 1;
            let line = passage(written, kkmc, written);
            // In two pieces, the second of which comes later.
            let (head, tail) = line.split_at(20);
            write(head);
            std::thread::sleep(Duration::from_millis(30));
            write(tail);
            let deadline = Instant::now() + PATIENCE;
            while get_data(&address, "/api/overview")["total"] != written {
                assert!(Instant::now() < deadline, "{encoding}: passage {written} does not come");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // Each was compared with the one before it.
        assert_eq!(get_data(&address, "/api/warnings/realtime").as_array().unwrap().len(), 2);
        stop(running, ENOUGH);
    }
}

#[test]
fn a_stop_is_heard_before_anything_comes() {
    let folder = folder();
    let data = folder.path().join("data");
    let (running, _) = serve_fed(&format!("data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"-\"]\n"));
    stop(running, ENOUGH);
}

fn config(data: &std::path::Path) -> String {
    format!("data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"-\"]\n[store]\nretention = \"forever\"\n")
}

/// Waits until that many lines are stored.
#[track_caller]
fn wait_for_lines(address: &str, lines: usize) {
    let deadline = Instant::now() + PATIENCE;
    while get_data(address, "/api/status")["pipeline"]["lines"] != lines {
        assert!(Instant::now() < deadline, "{lines} lines do not come: {}", get_data(address, "/api/status"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| passage(number, "S250_Pizhou_Sulu", number % 60)).collect()
}

fn started(data: &std::path::Path) -> (Running, String, std::process::ChildStdin) {
    let (mut running, address) = serve_fed(&config(data));
    let input = running.child.stdin.take().unwrap();
    (running, address, input)
}

#[test]
fn what_comes_after_a_restart_is_new() {
    let folder = folder();
    let data = folder.path().join("data");
    let (running, address, mut input) = started(&data);
    input.write_all(lines(0..50).as_bytes()).unwrap();
    wait_for_lines(&address, 50);
    stop(running, ENOUGH);

    // It is up before anything comes; then 20 lines come again, and 100 new ones.
    let (running, address, mut input) = started(&data);
    assert_eq!(get(&address, "/readyz").0, 200);
    assert_eq!(get_data(&address, "/api/overview")["total"], 50);
    input.write_all(lines(30..150).as_bytes()).unwrap();
    wait_for_lines(&address, 170);
    let status = get_data(&address, "/api/status");
    assert_eq!((&status["pipeline"]["accepted"], &status["pipeline"]["duplicates"]), (&150.into(), &20.into()));
    assert_eq!(status["source"]["state"], "running");
    stop(running, ENOUGH);
}

#[test]
fn the_end_of_the_input_is_said() {
    let folder = folder();
    let data = folder.path().join("data");
    let (running, address, mut input) = started(&data);
    // The last line has no end.
    input.write_all(lines(0..5).trim_end().as_bytes()).unwrap();
    drop(input);
    let deadline = Instant::now() + PATIENCE;
    while get(&address, "/readyz").0 == 200 {
        assert!(Instant::now() < deadline, "it goes on saying that it is ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, body) = get(&address, "/readyz");
    assert_eq!(status, 503);
    assert!(body.contains("not ready: standard input has ended") && body.contains("restart with an input"), "{body}");
    let told = get_data(&address, "/api/status");
    assert_eq!((&told["source"]["state"], &told["ready"]), (&"ended".into(), &false.into()), "{told}");
    assert!(told["failure"].as_str().unwrap().starts_with("standard input has ended"), "{told}");
    // What is stored is served anyway, and the first signal ends it, with success.
    assert_eq!(get_data(&address, "/api/overview")["total"], 5);
    assert_eq!(get(&address, "/healthz").0, 200);
    stop(running, ENOUGH);
}

#[test]
fn a_stop_is_heard_in_the_middle_of_a_line_and_of_a_packed_stream() {
    let packed = gzip(lines(0..3).as_bytes());
    let half_a_line = lines(0..3).into_bytes();
    for (bytes, stored) in [(&half_a_line[..half_a_line.len() - 10], 2), (&packed[..packed.len() - 12], 0)] {
        let folder = folder();
        let data = folder.path().join("data");
        let (running, address, mut input) = started(&data);
        input.write_all(bytes).unwrap();
        if stored > 0 {
            wait_for_lines(&address, stored);
        }
        stop(running, ENOUGH);
        // The half line was not taken for a line.
        let (running, address, _input) = started(&data);
        assert_eq!(get_data(&address, "/api/overview")["total"], stored);
        stop(running, ENOUGH);
    }
}

#[test]
fn packed_lines_are_served_while_the_input_is_open() {
    let folder = folder();
    let (running, address, mut input) = started(&folder.path().join("data"));
    for member in 0..3 {
        input.write_all(&gzip(lines(member * 10..member * 10 + 10).as_bytes())).unwrap();
        wait_for_lines(&address, member * 10 + 10);
    }
    stop(running, ENOUGH);
}

/// A position in standard input as an earlier program stored it: 50 lines of a stream that is gone.
#[test]
fn a_data_directory_with_a_place_in_standard_input_opens() {
    use storage::{Database, Durability, Family, Settings, codec};
    let folder = folder();
    let data = folder.path().join("data");
    let (running, address, mut input) = started(&data);
    input.write_all(lines(0..50).as_bytes()).unwrap();
    wait_for_lines(&address, 50);
    stop(running, ENOUGH);

    let files = vec![("-".to_owned(), None::<u64>, 0u64)];
    let options = "other options".to_owned();
    let place = (0usize, 5_000u64, 50u64, Some(b'\t'));
    let position = (files, false, 1_704_153_600i64, options, place, (0usize, 0u64, 0u64));
    let settings = Settings { memory: 32 << 20, sync: true, compaction: false, accept_loss: false, shards: None };
    let database = Database::open(&data, settings).unwrap();
    let mut commit = database.begin();
    let kind = codec::Kind { magic: b'C', version: 1 };
    commit.put(Family::Meta, b"position/capture", &codec::encode(kind, &position).unwrap());
    database.commit(commit, Durability::AsConfigured).unwrap();
    drop(database);

    let (running, address, mut input) = started(&data);
    input.write_all(lines(50..70).as_bytes()).unwrap();
    wait_for_lines(&address, 70);
    assert_eq!(get_data(&address, "/api/overview")["total"], 70);
    stop(running, ENOUGH);
}
