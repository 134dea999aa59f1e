//! Committing: nanoseconds per passage of a parsed batch, by the size of the batch. Routing and detecting are included.
//! It writes to a temporary folder and does not force the disk, as a replay does.
//!
//! `items` of the report are passages. Run with `cargo bench --bench commit --profile release`.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

#[path = "road/traffic.rs"]
mod traffic_lines;

use divan::Bencher;
use divan::counter::ItemsCount;
use platewatch::internals::{Batch, Router, Store, StoreSettings};
use traffic::{Layout, PassageBatch};

fn main() {
    divan::main();
}

/// How batches come: their number and rows, with or without readers that see each commit.
#[derive(Debug, Clone, Copy)]
enum Feed {
    /// A replay.
    Replay,
    /// 10,000 records a second, committed five times a second.
    Live2000,
    /// 50 records a second.
    Live10,
}

#[divan::bench(args = [Feed::Replay, Feed::Live2000, Feed::Live10], sample_count = 5, sample_size = 1)]
fn commit(bencher: Bencher<'_, '_>, feed: Feed) {
    let (lines, rows, publish) = match feed {
        Feed::Replay => (1 << 20, 131_072, false),
        Feed::Live2000 => (400_000, 2000, true),
        Feed::Live10 => (10_000, 10, true),
    };
    let parsed = traffic_lines::batches(lines, rows);
    let total: usize = parsed.iter().map(PassageBatch::len).sum();
    let fresh = || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = StoreSettings { sync: false, publish, ..StoreSettings::default() };
        let store = Store::open(folder.path(), settings).expect("an empty folder opens");
        let router = Router::new(Layout::default().shard_key(), store.shards()).expect("the defaults are right");
        let batch = |passages: &PassageBatch| Batch { passages: passages.clone(), ..Batch::default() };
        let batches: Vec<Batch> = parsed.iter().map(batch).collect();
        (store, router, batches, folder)
    };
    bencher.counter(ItemsCount::new(total)).with_inputs(fresh).bench_local_values(
        |(mut store, mut router, batches, folder)| {
            for batch in &batches {
                store
                    .commit("bench", batch, |passages, names, shards| router.route(passages, names, shards))
                    .expect("it commits");
            }
            // Returned so that closing and removing are not measured.
            (store, batches, folder)
        },
    );
}
