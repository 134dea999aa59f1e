//! Vehicles, roads and levels are as the truth says; bytes and memory.

use std::collections::HashMap;

use super::super::super::facts::{PlateFacts, TruePassage};
use super::super::super::settings::SimulatorSettings;
use super::super::Real;
use super::support::{Run, START, civil, free_flow, median, settings, share};

#[test]
fn equal_seeds_give_equal_bytes_and_bytes_do_not_change() {
    let some = |seed| Run::lines(SimulatorSettings { seed, ..settings() }, 20_000).events;
    let one = some(7);
    assert_eq!(one, some(7));
    assert_ne!(one[0], some(8)[0]);
    let bytes = one.iter().flat_map(|(_, line)| line.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    assert_eq!(hash, GOLDEN, "the traffic of a seed has changed: if meant, say so in the changelog");
}

const GOLDEN: u64 = 5_487_984_128_644_313_936;

/// How often a vehicle was compared with its own passage before, and how near it came to the free-flow time at least.
fn check_no_vehicle_is_too_fast(run: &Run) -> (usize, f64) {
    let roads = run.real.road_facts();
    let free = free_flow(&roads);
    let mut tracks: HashMap<u32, Vec<(i64, &str)>> = HashMap::new();
    for (_, fields, truth) in run.passages() {
        tracks.entry(truth.vehicle).or_default().push((truth.at_ms, fields[2]));
    }
    let (mut compared, mut nearest) = (0, f64::INFINITY);
    for (vehicle, mut track) in tracks {
        track.sort_unstable();
        for pair in track.windows(2) {
            let [(left, from), (came, to)] = [pair[0], pair[1]];
            let least = free[from][to];
            assert!(
                (came - left) as u64 >= least,
                "vehicle {vehicle} from {from} to {to}: {} ms, {least} ms",
                came - left
            );
            if from != to {
                compared += 1;
                nearest = nearest.min((came - left) as f64 / least as f64);
            }
        }
    }
    (compared, nearest)
}

#[test]
fn no_single_vehicle_undercuts_free_flow() {
    // A second read is a second later than its passage.
    let settings = SimulatorSettings { double_read_rate: 0.0, ..settings() };
    let run = Run::lines(SimulatorSettings { rate: 4.0, clone_rate: 0.005, ..settings.clone() }, 360_000);
    let (compared, nearest) = check_no_vehicle_is_too_fast(&run);
    assert!(compared > 100_000 && nearest < 1.03, "{compared} {nearest}");
    let run = Run::lines(SimulatorSettings { sites: 400, rate: 10.0, ..settings }, 300_000);
    let (compared, nearest) = check_no_vehicle_is_too_fast(&run);
    assert!(compared > 100_000 && nearest < 1.03, "{compared} {nearest}");
}

#[test]
fn clones_and_twins_drive_on_tracks_of_their_own() {
    let run = Run::lines(SimulatorSettings { clone_rate: 0.002, double_read_rate: 0.0, ..settings() }, 800_000);
    let plates = run.real.plate_facts();
    let count = |kind: &str| plates.iter().filter(|it| it.kind == kind).count();
    assert_eq!([count("clone"), count("twin")], [43, 5]);
    let mut by_vehicle: HashMap<u32, Vec<([&str; 8], &TruePassage)>> = HashMap::new();
    for (_, fields, truth) in run.passages() {
        by_vehicle.entry(truth.vehicle).or_default().push((fields, truth));
    }
    let plate_of: HashMap<&str, &PlateFacts> = plates.iter().map(|it| (it.plate.as_str(), it)).collect();
    for (_, _, truth) in run.passages() {
        let shared = plate_of.get(truth.plate.as_str());
        assert_eq!(
            shared.is_some_and(|it| it.vehicle == truth.vehicle || it.other_vehicle == truth.vehicle),
            shared.is_some()
        );
        let kind =
            shared.map_or("-", |it| if it.kind == "clone" && it.vehicle == truth.vehicle { "-" } else { it.kind });
        assert_eq!(truth.kind, kind);
    }
    let mut met = 0;
    for plate in &plates {
        // A clone that begins to drive late may not have passed yet.
        let none = Vec::new();
        let [one, other] =
            [plate.vehicle, plate.other_vehicle].map(|vehicle| by_vehicle.get(&vehicle).unwrap_or(&none));
        assert!(other.iter().all(|(_, truth)| truth.at_ms >= civil(&plate.since) * 1000));
        assert!(one.len() > 8, "{plate:?}: {}", one.len());
        met += usize::from(other.len() > 10);
        if plate.kind == "twin" {
            assert_ne!(plate.plate_type, plate.other_plate_type);
            for (passages, expected) in [(one, plate.plate_type), (other, plate.other_plate_type)] {
                let right = passages
                    .iter()
                    .filter(|(fields, _)| fields[5].trim_start_matches('0') == expected.trim_start_matches('0'));
                assert!(share(right.count(), passages.len()) > 0.9, "{plate:?}");
            }
        }
    }
    assert!(met > plates.len() * 3 / 5, "{met} of {}", plates.len());

    // What no single car could have done, again and again: enough for a case.
    let roads = run.real.road_facts();
    let free = free_flow(&roads);
    let contradictions = |plate: &&PlateFacts| {
        let both = [plate.vehicle, plate.other_vehicle].into_iter().filter_map(|vehicle| by_vehicle.get(&vehicle));
        let mut seen: Vec<_> = both.flatten().map(|(line, truth)| (truth.at_ms, truth.vehicle, line[2])).collect();
        seen.sort_unstable();
        let impossible = |pair: &&[(i64, u32, &str)]| ((pair[1].0 - pair[0].0) as u64) < free[pair[0].2][pair[1].2];
        seen.windows(2).filter(impossible).inspect(|pair| assert_ne!(pair[0].1, pair[1].1)).count()
    };
    let clones = plates.iter().filter(|it| it.kind == "clone");
    let clear = clones.filter(|plate| contradictions(plate) >= 3).count();
    assert!(clear > 43 * 7 / 10, "{clear} of 43");
}

#[test]
fn pairs_of_the_truth_are_two_vehicles_in_true_time() {
    let mut run = Run::lines(SimulatorSettings { clone_rate: 0.005, truth: true, ..settings() }, 400_000);
    let pairs = run.real.take_truth();
    let known: Vec<_> = pairs
        .iter()
        .filter_map(|pair| Some((pair, run.truth.get(&pair.prev_gcxh)?, run.truth.get(&pair.curr_gcxh)?)))
        .collect();
    assert!(known.len() > 300 && known.len() > pairs.len() * 9 / 10, "{} of {}", known.len(), pairs.len());
    for (pair, prev, curr) in known {
        assert_eq!([&prev.plate, &curr.plate], [&pair.hphm; 2]);
        assert!((prev.kind == "clone") != (curr.kind == "clone"), "{pair:?}");
        assert_eq!([civil(&pair.prev_time), civil(&pair.curr_time)], [prev, curr].map(|it| it.at_ms.div_euclid(1000)));
        assert!((0..=3600).contains(&pair.gap_seconds) && pair.prev_kkmc != pair.curr_kkmc);
    }
}

#[test]
fn roads_fill_up_when_the_truth_says() {
    let run = Run::lines(SimulatorSettings { rate: 20.0, ..settings() }.clean(), 900_000);
    let roads: HashMap<_, _> =
        run.real.road_facts().into_iter().map(|it| ((it.from.clone(), it.to.clone()), it)).collect();
    let mut taken: HashMap<(&str, &str, i64), Vec<f64>> = HashMap::new();
    let mut last: HashMap<u32, (i64, &str)> = HashMap::new();
    for (_, fields, truth) in run.passages() {
        if let Some((left, from)) = last.insert(truth.vehicle, (truth.at_ms, fields[2])) {
            let hour = (left / 1000 - START) / 3600;
            taken.entry((from, fields[2], hour)).or_default().push((truth.at_ms - left) as f64 / 1000.0);
        }
    }
    let (mut compared, mut near) = (0, 0);
    for ((from, to, hour), times) in taken {
        let Some(road) = roads.get(&(from.to_owned(), to.to_owned())).filter(|_| times.len() >= 20 && hour < 23) else {
            continue;
        };
        let hours: Vec<f64> = road.hours.split(' ').map(|it| it.parse().unwrap()).collect();
        let expected = (hours[hour as usize] + hours[hour as usize + 1]) / 2.0;
        let factor = median(times) / road.free_flow_seconds;
        compared += 1;
        // A car is slower than free flow by its habits too; incidents come on top.
        near += usize::from((expected * 1.03..expected * 1.45).contains(&factor));
    }
    assert!(compared > 300 && share(near, compared) > 0.85, "{near} of {compared}");
}

#[test]
fn traffic_keeps_its_rate_and_changes_by_the_step_of_the_truth() {
    const WEEK: i64 = 7 * 86_400;
    let mut real = Real::new(SimulatorSettings { rate: 0.5, passage_truth: false, ..settings() });
    let camera = real.camera_facts().swap_remove(0);
    let step = civil(camera.region_step_at.as_ref().unwrap());
    // The first week, the week before the step, the week after it.
    let (mut first, mut before, mut after) = (0, 0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let now = real.next_passage(&mut line).arrived_at_ms / 1000;
        if now >= step + WEEK {
            break;
        }
        first += i32::from(now < START + WEEK);
        before += i32::from(now < step && now >= step - WEEK);
        after += i32::from(now >= step);
    }
    let mean = f64::from(first) / (0.5 * WEEK as f64);
    assert!((0.93..1.1).contains(&mean), "{mean}");
    // The waves move it by less than 5 % in a week.
    let change = f64::from(after) / f64::from(before) - 1.0;
    assert!((change - camera.region_step_share).abs() < 0.08, "{change} {camera:?}");
    assert_eq!(camera.region_step_share.abs(), 0.15);
}

#[test]
fn memory_is_that_of_journeys_under_way_and_lines_that_wait() {
    let mut real = Real::new(SimulatorSettings { rate: 5.0, truth: true, passage_truth: false, ..settings() });
    let (mut line, mut most) = (Vec::new(), [[0usize; 2]; 4]);
    loop {
        line.clear();
        let day = (real.next_passage(&mut line).arrived_at_ms / 1000 - START) / 86_400;
        let Some(most) = most.get_mut(day as usize) else { break };
        let now = real.waiting();
        *most = [most[0].max(now[0]), most[1].max(now[1])];
    }
    // Nine lines a second at the peak: journeys take less than an hour between two passages, and a batch as long at most.
    assert!(most.iter().all(|[journeys, lines]| *journeys < 9 * 3600 && *lines < 9 * 3600 / 5), "{most:?}");
    assert!(most[3][0] < most[0][0] * 6 / 5 && most[3][1] < most[0][1] * 3 / 2, "{most:?}");
}
