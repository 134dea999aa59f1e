//! The whole pipeline: a capture in a file, parsed, routed, compared and committed to a temporary folder, until it is
//! closed. `items/s` of the report are records per second.
//!
//! Run with `cargo bench --bench road --profile release`; ROAD_LINES is how many lines (2,000,000).

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

#[path = "road/traffic.rs"]
mod traffic_lines;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use platewatch::internals::{Capture, CaptureSettings, Router, Store, StoreSettings, run_pipeline};
use tokio_util::sync::CancellationToken;
use traffic::Layout;

fn main() {
    divan::main();
}

#[divan::bench(args = [false, true], sample_count = 5, sample_size = 1)]
fn replay(bencher: Bencher<'_, '_>, by_time: bool) {
    let lines = std::env::var("ROAD_LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(2_000_000);
    let capture = traffic_lines::capture(lines);
    let input = tempfile::tempdir().expect("a temporary folder");
    let file = input.path().join("capture.tsv");
    std::fs::write(&file, &capture).expect("the capture is written");
    let bytes = capture.len();
    drop(capture);
    let fresh = || tempfile::tempdir().expect("a temporary folder");
    bencher.counter(ItemsCount::new(lines)).counter(BytesCount::new(bytes)).with_inputs(fresh).bench_local_values(
        |folder| {
            let settings = StoreSettings { sync: false, publish: false, ..StoreSettings::default() };
            let mut store = Store::open(&folder.path().join("data"), settings).expect("an empty folder opens");
            let settings = CaptureSettings {
                files: vec![file.clone()],
                gb18030: false,
                by_time,
                parser: traffic_lines::parser_settings(),
                options: String::new(),
                batch_records: 131_072,
                batch_interval: std::time::Duration::from_millis(200),
                sort_memory: 128 << 20,
                spill_folder: folder.path().to_owned(),
            };
            let mut source = Capture::open(settings, store.names(), None, Arc::default()).expect("the capture opens");
            let mut router =
                Router::new(Layout::default().shard_key(), store.shards()).expect("the defaults are right");
            run_pipeline(&mut store, &mut source, &mut router, &CancellationToken::new(), |_, _| {})
                .expect("the pipeline runs");
            assert_eq!(store.totals().lines, lines as u64);
            store.close().expect("it closes");
            folder
        },
    );
}
