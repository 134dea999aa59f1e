//! The cost of a prediction, and of training in time and memory on a year of hourly counts of 1,000 checkpoints.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::io::Write as _;
use std::time::Instant;

use divan::{Bencher, black_box};
use platewatch::internals::{
    Calendar, FlowModel, Grid, GridBuilder, LoadedModel, Pace, TrainSettings, date_text, is_weekend, read_table, train,
};

/// 2024-01-01.
const FIRST_DAY: i64 = 19_723;
const SITES: usize = 1000;
const YEAR: i64 = 365;

fn main() {
    whole_year();
    divan::main();
}

/// A rhythm with chance from a small generator: the same counts at every run.
fn count(site: usize, hour: i64, state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let base = 20 + (site * 37) % 400;
    let shape = 10 - (hour.rem_euclid(24) - 13).abs().min(9);
    let weekend = if is_weekend(hour.div_euclid(24)) { 7 } else { 10 };
    let mean = base as u64 * shape as u64 * weekend / 50;
    mean * (75 + (*state >> 33) % 51) / 100
}

fn settings() -> TrainSettings {
    TrainSettings { interval: 0.8, ..TrainSettings::default() }
}

fn grid(sites: usize, days: i64) -> Grid {
    let mut builder = GridBuilder::default();
    let mut state = 1;
    for number in 0..sites {
        let site = builder.site(&format!("K{number:04}")).expect("few checkpoints");
        for hour in FIRST_DAY * 24..(FIRST_DAY + days) * 24 {
            builder.add(site, hour, is_weekend(hour.div_euclid(24)), count(number, hour, &mut state) as f64, 0);
        }
    }
    builder.finish(&Calendar::default()).0
}

fn model(sites: usize) -> FlowModel {
    train(&grid(sites, 28), &settings(), &Pace::full(), &|_| {}).expect("there are counts").model
}

/// Largest resident memory of this process so far, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// All steps of `train --input` once: read the table, choose, test, learn.
fn whole_year() {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let mut writer = std::io::BufWriter::new(&mut file);
    writeln!(writer, "date,KKMC,hour,is_weekend,traffic_count").expect("space on the disk");
    let mut state = 1;
    for hour in FIRST_DAY * 24..(FIRST_DAY + YEAR) * 24 {
        let day = hour.div_euclid(24);
        let (date, weekend) = (date_text(day), u8::from(is_weekend(day)));
        for site in 0..SITES {
            let count = count(site, hour, &mut state);
            writeln!(writer, "{date},K{site:04},{},{weekend},{count}", hour.rem_euclid(24)).expect("space on the disk");
        }
    }
    writer.flush().expect("space on the disk");
    drop(writer);
    std::io::Seek::rewind(&mut file).expect("a file");
    let started = Instant::now();
    let table = read_table(file, |_| {}).expect("a good table");
    assert_eq!(table.bad.total, 0);
    let (grid, _) = table.rows.finish(&Calendar::default());
    let read = started.elapsed();
    let trained = train(&grid, &settings(), &Pace::full(), &|_| {}).expect("there are counts");
    let (all, rows) = (started.elapsed(), grid.observed());
    println!("{}", trained.evaluation.map(|evaluation| evaluation.table()).unwrap_or_default());
    println!(
        "a year of {SITES} checkpoints, {rows} rows: read in {:.2} s, trained and tested in {:.2} s, {:.2} s together, \
         at most {} MiB\n",
        read.as_secs_f64(),
        (all - read).as_secs_f64(),
        all.as_secs_f64(),
        peak_mib()
    );
}

#[divan::bench(args = [19, 1000])]
fn one_checkpoint(bencher: Bencher<'_, '_>, sites: usize) {
    let model = LoadedModel::new(model(sites), None);
    bencher.bench_local(|| {
        let site = model.site(black_box("K0007")).expect("a checkpoint");
        model.checkpoint(site, black_box(FIRST_DAY * 24 + 800))
    });
}

#[divan::bench(args = [19, 1000])]
fn whole_city(bencher: Bencher<'_, '_>, sites: usize) {
    let model = LoadedModel::new(model(sites), None);
    bencher.bench_local(|| model.city(black_box(FIRST_DAY * 24 + 800)));
}

#[divan::bench(args = [19, 1000])]
fn load_a_model(bencher: Bencher<'_, '_>, sites: usize) {
    let bytes = model(sites).encode().expect("a small model");
    bencher.bench_local(|| LoadedModel::new(FlowModel::decode(black_box(&bytes)).expect("a good model"), None));
}
