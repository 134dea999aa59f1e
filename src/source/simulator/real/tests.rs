//! Traffic on real roads as a whole: the truth that is given out is what the lines show.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::LazyLock;

use traffic::{CivilTime, TimeZoneName};

use super::super::event::Event;
use super::super::facts::{CameraFacts, PlateFacts, RoadFacts, TruePassage};
use super::super::settings::{Roads, SimulatorSettings};
use super::Real;

const START: i64 = SimulatorSettings::DEFAULT_START.0;

fn settings() -> SimulatorSettings {
    SimulatorSettings { roads: Roads::Real, rate: 10.0, passage_truth: true, ..Default::default() }
}

/// When a line arrived, its fields, and who passed.
type Seen<'a> = (&'a Event, [&'a str; 8], &'a TruePassage);

/// Lines, events and truth of some traffic.
struct Run {
    real: Real,
    events: Vec<(Event, String)>,
    /// By GCXH.
    truth: HashMap<String, TruePassage>,
}

impl Run {
    fn lines(settings: SimulatorSettings, lines: usize) -> Self {
        let mut real = Real::new(settings);
        let mut events = Vec::with_capacity(lines);
        for _ in 0..lines {
            let due = real.next_due();
            let mut bytes = Vec::new();
            let event = real.next_passage(&mut bytes);
            assert_eq!(event.arrived_at_ms, due);
            events.push((event, String::from_utf8(bytes).unwrap().trim_end().to_owned()));
        }
        let truth = real.take_passages().into_iter().map(|it| (it.gcxh.clone(), it)).collect();
        Self { real, events, truth }
    }

    /// Lines that are no repetitions, with what passed.
    fn passages(&self) -> impl Iterator<Item = Seen<'_>> {
        let first = self.events.iter().filter(|(event, _)| !event.is_retransmission);
        first.map(|(event, line)| {
            let fields = fields(line);
            (event, fields, &self.truth[fields[0]])
        })
    }

    /// Each camera with what it wrote.
    fn by_camera(&self) -> Vec<(CameraFacts, Vec<Seen<'_>>)> {
        let mut all: HashMap<&str, Vec<Seen<'_>>> = HashMap::new();
        for seen in self.passages() {
            all.entry(seen.1[2]).or_default().push(seen);
        }
        let with = |camera: CameraFacts| {
            let seen = all.remove(camera.kkmc.as_str()).unwrap();
            (camera, seen)
        };
        self.real.camera_facts().into_iter().map(with).collect()
    }

    fn cameras(&self, fault: &str) -> Vec<CameraFacts> {
        self.real.camera_facts().into_iter().filter(|it| it.fault == fault).collect()
    }
}

fn fields(line: &str) -> [&str; 8] {
    line.split('\t').collect::<Vec<_>>().try_into().unwrap()
}

fn civil(text: &str) -> i64 {
    CivilTime::parse(text.as_bytes(), &TimeZoneName::default()).unwrap().0
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A day at 48 checkpoints, where each fault is there.
static DAY: LazyLock<Run> =
    LazyLock::new(|| Run::lines(SimulatorSettings { sites: 48, rate: 6.0, ..settings() }, 560_000));

/// Milliseconds of free flow between any two checkpoints, by the shortest way.
fn free_flow(roads: &[RoadFacts]) -> HashMap<&str, HashMap<&str, u64>> {
    let mut from: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
    for road in roads {
        let milliseconds = (road.free_flow_seconds * 1000.0).round() as u64;
        from.entry(&road.from).or_default().push((&road.to, milliseconds));
    }
    from.keys().map(|start| (*start, shortest(start, &from))).collect()
}

fn shortest<'a>(start: &'a str, roads: &HashMap<&'a str, Vec<(&'a str, u64)>>) -> HashMap<&'a str, u64> {
    let mut reached = HashMap::new();
    let mut next = BinaryHeap::from([(Reverse(0), start)]);
    while let Some((Reverse(time), here)) = next.pop() {
        if !reached.contains_key(here) {
            reached.insert(here, time);
            next.extend(roads[here].iter().map(|(to, road)| (Reverse(time + road), *to)));
        }
    }
    reached
}

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
fn without_faults_the_lines_are_the_truth() {
    let run = Run::lines(settings().clean(), 200_000);
    assert!(run.events.is_sorted_by_key(|(event, _)| event.passed_at));
    assert_eq!(run.truth.len(), 200_000);
    for (event, [_, _, _, _, gcsj, _, hphm, _], truth) in run.passages() {
        assert_eq!((event.passed_at.0, event.arrived_at_ms), (truth.at_ms.div_euclid(1000), truth.at_ms));
        assert_eq!((civil(gcsj), hphm), (event.passed_at.0, truth.plate.as_str()));
    }
}

#[test]
fn faults_of_cameras_change_no_traffic() {
    let few = SimulatorSettings { double_read_rate: 0.0, ..settings() };
    let faulty = Run::lines(few.clone(), 200_000);
    let perfect = Run::lines(few.clean(), 230_000);
    // Later passages of the perfect one may be beyond its last line, and of the faulty one still be held.
    let end = perfect.events.last().unwrap().0.arrived_at_ms;
    let passed = |run: &Run| -> HashSet<_> {
        let early = run.passages().filter(|(_, _, truth)| truth.at_ms < end);
        early.map(|(_, fields, truth)| (truth.at_ms, truth.vehicle, fields[2].to_owned())).collect()
    };
    let (faulty, perfect) = (passed(&faulty), passed(&perfect));
    assert!(faulty.len() > 190_000 && faulty.is_subset(&perfect), "{}", faulty.difference(&perfect).count());
}

#[test]
fn clocks_are_as_wrong_as_the_truth_says() {
    let run = &*DAY;
    let mut wrong = 0;
    for (camera, passages) in run.by_camera() {
        let step = camera.step_seconds.map(|size| {
            let [from, until] =
                [&camera.step_from, &camera.step_until].map(|time| civil(time.as_ref().unwrap()) * 1000);
            (from, until, size)
        });
        let said = |at_ms: i64| {
            let days = (at_ms - START * 1000) as f64 / 86_400_000.0;
            let stepped = step.filter(|(from, until, _)| (*from..*until).contains(&at_ms)).map_or(0.0, |it| it.2);
            camera.offset_seconds + camera.drift_seconds_a_day * days + stepped
        };
        assert!(passages.len() > 1_000, "{}: {}", camera.kkmc, passages.len());
        let errors: Vec<_> = passages
            .iter()
            .map(|(event, _, truth)| event.passed_at.0 as f64 - truth.at_ms as f64 / 1000.0 - said(truth.at_ms))
            .collect();
        // The second of GCSJ, or its minute, is the only other error, leaps aside.
        let width = if camera.is_to_the_minute { 60.0 } else { 1.0 };
        let leaps = errors.iter().filter(|error| error.abs() > 3_500.0).count();
        let others = errors.iter().filter(|error| error.abs() <= 3_500.0);
        assert!(others.clone().all(|error| (-width - 0.002..=0.002).contains(error)), "{camera:?}");
        assert!((median(others.copied().collect()) + width / 2.0).abs() < width / 10.0);
        let leaping = share(leaps, errors.len());
        assert!((leaping - camera.leap_share).abs() < 0.004 && (leaps == 0) == (camera.leap_share == 0.0), "{leaping}");
        wrong += usize::from(
            errors.iter().any(|error| (error + said(START * 1000)).abs() > 15.0)
                || said(START * 1000 + 80_000_000).abs() > 15.0,
        );
    }
    assert!((12..24).contains(&wrong), "{wrong} of 48");
    for (fault, least, most) in [("offset", 20.0, 240.0), ("far", 600.0, 3000.0)] {
        let cameras = run.cameras(fault);
        assert!(!cameras.is_empty() && cameras.iter().all(|it| (least..=most).contains(&it.offset_seconds.abs())));
    }
}

#[test]
fn plates_brands_and_types_are_misread_as_often_as_the_truth_says() {
    let run = &*DAY;
    let mut models: HashMap<u32, HashMap<&str, usize>> = HashMap::new();
    for (_, fields, truth) in run.passages().filter(|(_, fields, _)| fields[7].contains('-') && fields[7].len() > 1) {
        *models.entry(truth.vehicle).or_default().entry(fields[7]).or_default() += 1;
    }
    for (camera, passages) in run.by_camera() {
        let read: Vec<_> = passages.iter().filter(|(_, line, _)| !line[6].contains(['*']) && line[6] != "-").collect();
        let wrong: Vec<_> = read.iter().filter(|(_, line, truth)| line[6] != truth.plate).collect();
        let misread = share(wrong.len(), read.len());
        let deviation = (camera.misread_share / read.len() as f64).sqrt();
        assert!((misread - camera.misread_share).abs() < 5.0 * deviation, "{camera:?}: {misread}");
        for (_, line, truth) in &wrong {
            let differing = line[6].chars().zip(truth.plate.chars()).filter(|(a, b)| a != b);
            assert_eq!((differing.count(), line[6].len()), (1, truth.plate.len()), "{} {}", line[6], truth.plate);
            assert!(!line[6].contains(['I', 'O']));
        }
    }
    assert!(run.cameras("misreads").iter().all(|it| it.misread_share == 0.08));
    let bad: HashSet<_> = run.cameras("brands").into_iter().map(|it| it.kkmc).collect();
    let (mut odd, mut seen) = ([0, 0], [0, 0]);
    for (_, fields, truth) in run.passages().filter(|(_, fields, _)| fields[7].matches('-').count() == 2) {
        let Some(common) = models[&truth.vehicle].iter().max_by_key(|(_, count)| **count).filter(|it| *it.1 >= 4)
        else {
            continue;
        };
        let place = usize::from(bad.contains(fields[2]));
        seen[place] += 1;
        odd[place] += usize::from(*common.0 != fields[7]);
    }
    let [usual, often] = [share(odd[0], seen[0]), share(odd[1], seen[1])];
    assert!((0.01..0.06).contains(&usual) && (0.15..0.37).contains(&often), "{usual} {often}");
}

#[test]
fn only_batches_arrive_late_and_then_together() {
    let run = &*DAY;
    assert!(run.events.is_sorted_by_key(|(event, _)| event.arrived_at_ms));
    for (camera, passages) in run.by_camera() {
        let waits = passages.iter().map(|(event, _, truth)| event.arrived_at_ms - truth.at_ms);
        let Some(minutes) = camera.batch_minutes else {
            assert!(waits.into_iter().all(|wait| (0..60_000).contains(&wait)), "{camera:?}");
            continue;
        };
        let every = minutes as i64 * 60_000;
        // A burst of some hundred lines takes a second or so.
        assert!(waits.clone().all(|wait| (-3_000..every + 10_000).contains(&wait)), "{camera:?}");
        let mean = waits.sum::<i64>() / passages.len() as i64;
        assert!((mean - every / 2).abs() < every / 10, "{camera:?}: {mean} ms");
        let uploads = passages.iter().map(|(event, _, _)| (event.arrived_at_ms - START * 1000) / every);
        let at = passages.iter().map(|(event, _, _)| (event.arrived_at_ms - START * 1000) % every);
        assert!(at.max().unwrap() < 10_000 && uploads.collect::<HashSet<_>>().len() > 15);
    }
    assert!(!run.cameras("batch").is_empty());
}

#[test]
fn silent_and_doubling_cameras_are_those_of_the_truth() {
    let run = &*DAY;
    for (camera, passages) in run.by_camera() {
        let from = camera.silent_from.as_ref().map(|time| (civil(time), camera.silent_hours.unwrap() as i64 * 3600));
        let silent = passages.iter().filter(|(_, _, truth)| {
            from.is_some_and(|(from, length)| (from..from + length).contains(&(truth.at_ms / 1000)))
        });
        assert!(silent.count() <= 2, "a second read may fall into it: {camera:?}");
        assert_eq!(from.is_some(), camera.fault == "silence");
        let mut before: HashMap<u32, i64> = HashMap::new();
        let doubled = passages.iter().filter(|(_, _, truth)| {
            before.insert(truth.vehicle, truth.at_ms).is_some_and(|before| (truth.at_ms - before).abs() <= 3_000)
        });
        let doubled = share(doubled.count(), passages.len());
        let expected = camera.double_read_share / (1.0 + camera.double_read_share);
        assert!((doubled - expected).abs() < 0.02, "{camera:?}: {doubled}");
    }
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
