//! By hand: the window, the index and its level, the profile, the next hours, and several partitions.

use std::sync::Arc;

use traffic::evidence::{HourTimes, SegmentState};

use super::*;

fn names() -> [Arc<str>; 2] {
    ["A".into(), "B".into()]
}

fn hour(hour: i32, median: u16) -> HourTimes {
    HourTimes { hour, cars: 20, low: median - 10, median, high: median + 20 }
}

fn road(recent: &[(u16, u16)], hours: Vec<HourTimes>) -> Road {
    Road::new(names(), 600.0, recent, 10.0, Arc::new(hours))
}

#[test]
fn levels_begin_at_their_index() {
    let of = |index: f64| RoadLevel::of(index).as_str();
    assert_eq!([of(0.9), of(1.19), of(1.2), of(1.49)], ["free", "free", "mostly_free", "mostly_free"]);
    assert_eq!([of(1.5), of(1.8), of(2.09), of(2.1)], ["light", "moderate", "moderate", "severe"]);
}

#[test]
fn five_cars_of_15_minutes_or_of_an_hour() {
    let quarter = road(&[(0, 900), (100, 950), (300, 1000), (800, 870), (900, 930), (901, 5000)], Vec::new());
    // 870 900 930 950 1000: the middle one over 600 s.
    assert_eq!((quarter.basis, quarter.cars, quarter.median), (RoadBasis::Quarter, 5, Some(930.0)));
    assert_eq!((quarter.index(), quarter.level()), (Some(1.55), Some(RoadLevel::Light)));
    let hour = road(&[(10, 600), (20, 610), (1000, 1300), (2000, 1310), (3000, 1320), (3600, 1330)], Vec::new());
    // 600 610 1300 1310 1320 1330: half of 1300 and 1310.
    assert_eq!((hour.basis, hour.cars, hour.median), (RoadBasis::Hour, 6, Some(1305.0)));
    assert_eq!(hour.level(), Some(RoadLevel::Severe));
    let few = road(&[(10, 600), (20, 610), (1000, 1300), (2000, 1310)], Vec::new());
    assert_eq!((few.basis, few.cars, few.median, few.level()), (RoadBasis::TooFew, 4, None, None));
    // Clocks that may be 91 s wrong in 600 s say nothing.
    let doubtful = Road::new(names(), 600.0, &[(0, 900); 9], 91.0, Arc::default());
    assert_eq!((doubtful.basis, doubtful.median, doubtful.level()), (RoadBasis::Clocks, None, None));
}

/// The hour since 1970 of an hour of a day of January 2024; the first was a Monday.
fn at(day: i64, hour: i64) -> i64 {
    (19_722 + day) * 24 + hour
}

#[test]
fn a_profile_is_of_earlier_days_of_its_kind() {
    let days = [(2, 700), (3, 720), (4, 710), (6, 600), (8, 2000)];
    let hours: Vec<_> = days.iter().map(|(day, median)| hour(at(*day, 8) as i32, *median)).collect();
    let road = road(&[], hours);
    // Of Monday the 8th: Tuesday to Thursday, not Saturday, and not that day itself.
    let profile = road.profile(at(8, 8)).unwrap();
    assert_eq!((profile.days, profile.low, profile.median, profile.high), (3, 700.0, 710.0, 730.0));
    // Of Sunday the 7th: all, since one Saturday is not enough. 600 700 710 720.
    let sunday = road.profile(at(7, 8)).unwrap();
    assert_eq!((sunday.days, sunday.median), (4, 705.0));
    assert_eq!(road.profile(at(8, 9)), None);
    assert_eq!(road.profile(at(2, 8)), None);
    assert_eq!(road.day(at(8, 8)).count(), 1);
}

#[test]
fn the_next_hours_follow_the_profile_and_what_is_left_of_the_deviation() {
    let hours = |hour_of_day| (2..5).map(move |day| hour(at(day, hour_of_day) as i32, 700 + 10 * hour_of_day as u16));
    let mut all: Vec<_> = hours(8).chain(hours(9)).chain(hours(10)).collect();
    all.sort_by_key(|hour| hour.hour);
    // Twice the profile's 780 s.
    let road = road(&[(0, 1560); 5], all);
    let expected = road.expected(at(5, 8) * 3600 + 1800);
    let hours: Vec<_> = expected.iter().map(|expected| expected.hour).collect();
    assert_eq!(hours, [at(5, 9), at(5, 10)]);
    for (expected, (factor, median)) in expected.iter().zip([(1.3, 790.0), (1.09, 800.0)]) {
        assert!((expected.factor - factor).abs() < 1e-6, "{expected:?}");
        assert!((expected.median - median * factor).abs() < 1e-3, "{expected:?}");
        assert!((expected.high - (median + 20.0) * factor).abs() < 1e-3, "{expected:?}");
    }
    // Without cars the profile stands alone.
    let quiet = Road { median: None, ..road.clone() };
    assert!(quiet.expected(at(5, 8) * 3600).iter().all(|expected| expected.factor == 1.0));
    // Days 3 and 4 have a day before them, each with two pairs of hours, and the profile is always right.
    let measured = road.forecast_error().unwrap();
    assert_eq!((measured.hours, measured.error, measured.of_profile), (4, 0.0, 0.0));
}

#[test]
fn an_error_by_hand() {
    // The profile is 600 s; the day after begins with twice that, and the next hour takes 800 s.
    let all = vec![
        hour(at(2, 8) as i32, 600),
        hour(at(2, 9) as i32, 600),
        hour(at(3, 8) as i32, 1200),
        hour(at(3, 9) as i32, 800),
    ];
    let measured = road(&[], all).forecast_error().unwrap();
    // 0.3 of the deviation is left: 780 s are expected.
    assert_eq!((measured.hours, measured.of_profile), (1, 0.25));
    assert!((measured.error - 0.025).abs() < 1e-9, "{measured:?}");
}

#[test]
fn partitions_are_put_together() {
    let part = |from, free_flow, counted, recent: &[(u16, u16)], hours: &[HourTimes]| SegmentState {
        from,
        to: 1,
        recent: recent.to_vec(),
        free_flow: Some(free_flow),
        counted,
        clock_error: 1.0,
        hours: Arc::new(hours.to_vec()),
    };
    let one = part(0, 600.0, 300, &[(0, 700), (10, 710)], &[hour(5, 700), hour(6, 720)]);
    let more = HourTimes { cars: 60, ..hour(6, 740) };
    let other = part(0, 640.0, 100, &[(5, 720), (6, 730), (900, 740)], &[more]);
    let alone = part(2, 300.0, 50, &[], &[]);
    let name = |id: traffic::NameId| Arc::from(["A", "B", "C"][id as usize]);
    let roads = merged([one, alone, other].into_iter(), Some(7), name);
    let [road, quiet] = &roads.all[..] else { panic!("{roads:?}") };
    assert_eq!((&*road.from, &*road.to, road.free_flow), ("A", "B", 610.0));
    assert_eq!((road.basis, road.cars, road.median), (RoadBasis::Quarter, 5, Some(720.0)));
    // 20 cars of 720 s and 60 of 740 s.
    let hours: Vec<_> = road.hours.iter().map(|hour| (hour.hour, hour.cars, hour.median)).collect();
    assert_eq!(hours, [(5, 20, 700), (6, 80, 735)]);
    assert_eq!((&*quiet.from, quiet.basis, roads.state), ("C", RoadBasis::TooFew, RoadsState::Ready));
    assert!(roads.find(&["x".into(), "C".into()], &["B".into()]).is_some());
    assert_eq!(merged(std::iter::empty(), None, name).state, RoadsState::Learning);
}
