//! Each camera errs as its truth says, and as to nothing else.

use std::collections::{HashMap, HashSet};

use super::super::super::settings::SimulatorSettings;
use super::support::{DAY, Run, START, civil, median, settings, share};

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
