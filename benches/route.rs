//! What it costs to find the shard of a KKMC.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use shard::Ring;

fn main() {
    divan::main();
}

fn keys(form: &str) -> Vec<String> {
    (0..1000)
        .map(|n| match form {
            "code" => format!("S{n}_Pizhou_Sulu"),
            _ => format!("徐州市邳州市S250宿邳线K{n}江苏徐州-S250-苏鲁界省际卡口"),
        })
        .collect()
}

#[divan::bench(args = ["code", "full name"])]
fn shard_of(bencher: Bencher<'_, '_>, form: &str) {
    let ring = Ring::mycat_default(2).expect("two shards");
    let keys = keys(form);
    bencher
        .counter(ItemsCount::new(keys.len()))
        .bench_local(|| keys.iter().map(|key| ring.shard_of(black_box(key))).sum::<usize>());
}

#[divan::bench]
fn build_ring() -> Ring {
    Ring::mycat_default(black_box(2)).expect("two shards")
}
