//! What the audit log costs a query: the same `POST /api/query` in turn at two servers over one store, one that records and one
//! that does not, by their own time (`Server-Timing`). Prints medians, 99th percentiles, their difference and their ratio.
//!
//! Run with `cargo bench --bench audit --profile release`. It fails if the median is more than 1 ms slower.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use platewatch::internals::{
    Appliance, Batch, ConnectionSettings, Router, ServeSettings, Store, StoreSettings, Trail, bind_server,
    serve_routers, serve_until,
};
use traffic::{CivilTime, Interner, Layout, LineParser, NameTable, ParserSettings, TimeZoneName};

const PASSAGES: u64 = 200_000;
const PLATES: u64 = 50_000;
const ROUNDS: usize = 40;
const OF_A_ROUND: usize = 50;
const LONGEST_MS: f64 = 1.0;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = filled(&folder.path().join("data"));
    let appliance = Arc::new(Appliance::new(store.shared(), "all", "none"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let trail = Arc::new(Trail::below(folder.path(), TimeZoneName::default()));
    let stop = tokio_util::sync::CancellationToken::new();
    let start = |trail: Option<Arc<Trail>>| {
        let now = CivilTime(start() + 3600);
        let settings = ServeSettings { trail, ..ServeSettings::new(Arc::new(move || now), TimeZoneName::default()) };
        let router = serve_routers(appliance.clone(), settings, stop.clone()).expect("the document is JSON").all;
        let address = ([127, 0, 0, 1], 0).into();
        let listener = runtime.block_on(bind_server(address)).expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let connections = ConnectionSettings::default();
        runtime.spawn(serve_until(listener, router, connections, stop.clone(), Duration::from_secs(1)));
        address
    };
    let servers = [start(None), start(Some(trail.clone()))];
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().new_agent();
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for number in 0..OF_A_ROUND {
            // In turn, so that whatever else this machine does hits both.
            let which = (round + number) % 2;
            for at in [which, 1 - which] {
                let plate = (round * OF_A_ROUND + number) as u64 % PLATES;
                let time = asked(&agent, servers.get(at).expect("two"), plate);
                times.get_mut(at).expect("two").push(time);
            }
        }
        trail.sync().expect("it is on the disk");
    }
    let [without, with] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        (at(&times, 50), at(&times, 99))
    });
    let count = ROUNDS * OF_A_ROUND;
    println!("{count} queries each, in turn; the server's own time in ms");
    println!("without audit  median {:.3}  p99 {:.3}", without.0, without.1);
    println!("with audit     median {:.3}  p99 {:.3}", with.0, with.1);
    println!(
        "ratio {:.3}, {:+.3} ms in the median, {:+.3} ms in p99",
        with.0 / without.0,
        with.0 - without.0,
        with.1 - without.1
    );
    let entries = trail.verify(None, &mut |_, _| {}).expect("it is read").result.expect("it is sound").entries;
    assert_eq!(entries, count as u64, "each query has an entry");
    assert!(with.0 - without.0 <= LONGEST_MS, "a query is more than {LONGEST_MS} ms slower");
    stop.cancel();
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    *sorted.get((sorted.len() - 1) * percent / 100).expect("not empty")
}

/// Milliseconds of the server.
fn asked(agent: &ureq::Agent, address: &str, plate: u64) -> f64 {
    let body = format!("{{\"hphm\":\"苏C{plate:05}\"}}");
    let request = agent.post(format!("http://{address}/api/query")).content_type("application/json");
    let mut response = request.send(body).expect("an answer");
    let timing = response.headers().get("server-timing").expect("its time").to_str().expect("a text").to_owned();
    response.body_mut().read_to_string().expect("a body");
    timing.strip_prefix("app;dur=").expect("its form").parse().expect("a number")
}

fn start() -> i64 {
    CivilTime::from_civil(2024, 1, 1, 0, 0, 0).expect("a real time").0
}

fn filled(folder: &Path) -> Store {
    let settings = StoreSettings { sync: false, ..StoreSettings::default() };
    let mut store = Store::open(folder, settings).expect("an empty folder opens");
    let mut parser = LineParser::new(
        ParserSettings {
            layout: Layout::default(),
            delimiter: None,
            not_after: CivilTime(i64::MAX),
            zone: TimeZoneName::default(),
            max_names: Interner::DEFAULT_MAX_NAMES,
        },
        &NameTable::default(),
    );
    let mut router = Router::new(Layout::default().shard_key(), store.shards()).expect("the defaults are right");
    let mut text = String::new();
    for number in 0..PASSAGES {
        let time = CivilTime(start() + (number / 100) as i64);
        let (kkmc, plate) = (number % 7, number % PLATES);
        writeln!(text, "G{number}\t邳州市\tK{kkmc}\t1\t{time}\t02\t苏C{plate:05}\t-").expect("a text takes it");
    }
    let mut batch = Batch { position: b"1".to_vec(), ..Batch::default() };
    parser.parse_lines(text.as_bytes(), u64::MAX, &mut batch.passages);
    store.commit("bench", &batch, |passages, names, shards| router.route(passages, names, shards)).expect("it commits");
    store.publish();
    store
}
