//! The appliance is killed while it writes the lake: at each of its points, and at any moment. The lake is then as the store.

use std::path::Path;
use std::time::Duration;

use super::equals_store;
use crate::faults::points::{Rows, points_of};
use crate::harness::{Appliance, Random, folder, simulated, tell};

const SIGABRT: i32 = 6;
const LAKE: &str = "file_rows = 700\nmax_delay = \"50ms\"";

fn capture(folder: &Path, count: u64) -> std::path::PathBuf {
    let path = folder.join("capture.tsv");
    std::fs::write(&path, simulated(count, 5, &["--rate", "0.05"])).unwrap();
    path
}

/// No file that was being written is left.
fn is_tidy(lake: &Path) -> bool {
    let days = std::fs::read_dir(lake).unwrap().map(|day| day.unwrap().path()).filter(|day| day.is_dir());
    let names = days.flat_map(|day| std::fs::read_dir(day).unwrap()).map(|file| file.unwrap().file_name());
    names.into_iter().all(|name| !name.to_string_lossy().ends_with(".tmp"))
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_around_writing_and_renaming_the_lake_has_everything_once() {
    let folder = folder();
    let capture = capture(folder.path(), 6_000);
    for (number, point) in points_of(Rows::Lake).enumerate() {
        for time in [1, 4] {
            let place = folder.path().join(format!("{number}-{time}"));
            let lake = place.join("lake");
            let mut appliance = Appliance::new(&place);
            appliance.configure_lake(&lake, &capture, LAKE, "");
            appliance.environment("PLATEWATCH_FAILPOINTS", &format!("{point}=abort@{time}"));
            appliance.spawn();
            appliance.dies(SIGABRT);
            appliance.environment("PLATEWATCH_FAILPOINTS", "");
            appliance.start();
            appliance.wait_for_lake();
            appliance.stop();
            equals_store(&lake, &appliance.data(), &format!("{point}, time {time}"));
            assert!(is_tidy(&lake), "{point}, time {time}");
        }
    }
}

#[test]
fn killed_at_any_moment_the_lake_has_everything_once() {
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into();
    let seed = std::env::var("FAULTS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(seed);
    tell(&format!("the lake killed at any moment: FAULTS_SEED={seed}"));
    let mut random = Random(seed);
    let folder = folder();
    let capture = capture(folder.path(), 30_000);
    let lake = folder.path().join("lake");
    let mut appliance = Appliance::new(&folder.path().join("one"));
    appliance.configure_lake(&lake, &capture, "file_rows = 2000\nmax_delay = \"20ms\"", "");
    for _ in 0..12 {
        appliance.start();
        std::thread::sleep(Duration::from_millis(random.below(600) as u64));
        appliance.kill();
    }
    appliance.start();
    appliance.wait_for_lake();
    appliance.stop();
    equals_store(&lake, &appliance.data(), "after twelve kills");
    assert!(is_tidy(&lake));
}
