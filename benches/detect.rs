//! Detecting: nanoseconds per passage, duplicate guard, plate state and comparison together.
//!
//! `items` of the report are passages. Run with `cargo bench --bench detect --profile release`.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

#[path = "road/traffic.rs"]
mod traffic_lines;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use traffic::{
    CivilTime, Detector, DetectorSettings, Dimension, Knowledge, PassageBatch, PassageId, PlateCode, PlateScope,
    Resolution,
};

const ROWS: usize = 1 << 20;
const BATCH: u64 = 131_072;

fn main() {
    divan::main();
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
enum Traffic {
    /// The simulator's, in the order of time.
    Clean,
    /// The same, with masked and irregular plates compared too.
    AnyPlate,
    /// The same, where every plate's state is kept for an hour.
    LongState,
    /// One plate at every second passage: a misreading that is compared, or an attack.
    HotPlate,
}

#[divan::bench(args = [Traffic::Clean, Traffic::AnyPlate, Traffic::LongState, Traffic::HotPlate], sample_count = 10, sample_size = 1)]
fn observe(bencher: Bencher<'_, '_>, traffic: Traffic) {
    let mut settings = DetectorSettings::default();
    match traffic {
        Traffic::Clean => {}
        Traffic::AnyPlate | Traffic::HotPlate => settings.plates = PlateScope::Any,
        Traffic::LongState => (settings.state_ttl, settings.speed_window) = (3600, 3600),
    }
    let batches = match traffic {
        Traffic::HotPlate => hot_plate(),
        _ => traffic_lines::batches(ROWS, BATCH),
    };
    let places = traffic_lines::places(&batches);
    let known = Knowledge { places: &places, plate_types: &[], brands: &[] };
    let rows: usize = batches.iter().map(PassageBatch::len).sum();
    bencher.counter(ItemsCount::new(rows)).with_inputs(|| Detector::new(settings)).bench_local_values(
        |mut detector| {
            let (mut fates, mut hits) = (Vec::new(), Vec::new());
            for batch in &batches {
                fates.clear();
                hits.clear();
                detector.observe(black_box(batch), known, &mut fates, &mut hits);
            }
            detector
        },
    );
}

/// Ten passages a second, every other one of the same plate: its state holds 3,000 sightings.
fn hot_plate() -> Vec<PassageBatch> {
    let start = CivilTime::from_civil(2024, 1, 1, 0, 0, 0).expect("a real time").0;
    let batch = |from: usize| {
        let mut batch = PassageBatch::default();
        for row in from..from + BATCH as usize {
            let text = if row % 2 == 0 { "-".to_owned() } else { format!("苏C{:05}", row % 100_000) };
            let plate = PlateCode::pack(&text);
            batch.times.push(CivilTime(start + row as i64 / 10));
            batch.resolutions.push(Resolution::Second);
            batch.ids.push(PassageId::pack(&format!("G{row:012}")));
            batch.plates.push(plate);
            batch.classes.push(plate.class(&text));
            batch.columns[Dimension::Checkpoint].push((row % 3) as u32);
        }
        batch
    };
    (0..ROWS).step_by(BATCH as usize).map(batch).collect()
}
