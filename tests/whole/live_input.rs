//! Captures on standard input whose lines come as somebody writes them, as `tail -F` gives them.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::demo::stop;
use crate::harness::{PATIENCE, folder, get_data, serve_fed};

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
