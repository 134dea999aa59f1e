//! Training from very bad tables: whatever is in them, what the model returns is sound.

use proptest::prelude::*;

use super::calendar::parse_date;
use super::grid::MAX_COUNT;
use super::model::tests::assert_sound;
use super::train::Trained;
use super::*;

const MONDAY: i64 = 19_723 * 24;

fn settings(interval: f64) -> TrainSettings {
    TrainSettings { interval, ..TrainSettings::default() }
}

#[track_caller]
fn trained(grid: &Grid) -> Trained {
    let trained = train(grid, &settings(0.8), &Pace::full(), &|_| {}).unwrap();
    let bytes = trained.model.encode().unwrap();
    assert_eq!(FlowModel::decode(&bytes).unwrap(), trained.model, "what is trained can be loaded");
    let hours: Vec<i64> = (0..24 * 9).map(|hour| MONDAY + 24 * 40 + hour).collect();
    for kind in Kind::ALL {
        assert_sound(&LoadedModel::new(trained.model.clone(), Some(kind)), &hours);
    }
    trained
}

fn grid(rows: impl IntoIterator<Item = (&'static str, i64, bool, f64)>) -> Grid {
    let mut builder = GridBuilder::default();
    for (name, hour, weekend, count) in rows {
        let site = builder.site(name).unwrap();
        builder.add(site, MONDAY + hour, weekend, count, 1);
    }
    builder.finish(&Calendar::default()).0
}

#[test]
fn a_constant_is_learnt_as_one() {
    let rows = (0..24 * 28).flat_map(|hour| [("a", hour, false, 7.0), ("b", hour, false, 700.0)]);
    let model = LoadedModel::new(trained(&grid(rows)).model, None);
    for (site, expected) in [(0, 7.0), (1, 700.0)] {
        let forecast = model.checkpoint(site, MONDAY + 24 * 30 + 5);
        assert!((forecast.flow - expected).abs() < 0.02 * expected, "{forecast:?}");
    }
    assert!((model.city(MONDAY + 24 * 30).flow - 707.0).abs() < 15.0);
}

#[test]
fn one_row_one_checkpoint_all_zero_and_huge_counts() {
    let one = trained(&grid([("a", 5, false, 9.0)]));
    assert!(one.evaluation.is_none());
    let flow = LoadedModel::new(one.model, None).checkpoint(0, MONDAY + 24 * 7 + 5);
    assert!(flow.flow > 1.0 && flow.flow < 30.0 && flow.basis == crate::forecast::Basis::ShortHistory, "{flow:?}");
    trained(&grid((0..24 * 10).map(|hour| ("a", hour, false, 0.0))));
    trained(&grid((0..24 * 10).map(|hour| ("a", hour, hour % 2 == 0, MAX_COUNT))));
    let silent = train(&grid([]), &settings(0.8), &Pace::full(), &|_| {});
    assert_eq!(silent.unwrap_err(), TrainError::Empty);
}

#[test]
fn holidays_are_like_rest_days_and_not_like_their_weekday() {
    // Four weeks with quiet weekends, and a Wednesday that is a holiday.
    let is_quiet = |day: i64| day % 7 >= 5 || day == 16;
    let calendar = Calendar::parse_csv("date,kind\n2024-01-17,holiday\n2024-02-07,holiday\n").unwrap();
    let mut builder = GridBuilder::default();
    let site = builder.site("a").unwrap();
    for hour in 0..24 * 28 {
        let count = if is_quiet(hour / 24) { 50.0 } else { 100.0 };
        builder.add(site, MONDAY + hour, false, count, 1);
    }
    let (grid, _) = builder.finish(&calendar);
    let settings = TrainSettings { calendar, ..settings(0.8) };
    let model = LoadedModel::new(train(&grid, &settings, &Pace::full(), &|_| {}).unwrap().model, None);
    let flow = |date: &str| model.checkpoint(0, parse_date(date).unwrap() * 24 + 9).flow;
    assert!((flow("2024-02-07") - 50.0).abs() < 8.0, "a holiday: {}", flow("2024-02-07"));
    assert!((flow("2024-02-14") - 100.0).abs() < 8.0, "a Wednesday: {}", flow("2024-02-14"));
}

#[test]
fn unknown_checkpoints_are_typical_ones_with_a_wide_interval() {
    let rows =
        (0..24 * 28).flat_map(|hour| [("a", hour, false, 90.0), ("b", hour, false, 100.0), ("c", hour, false, 800.0)]);
    let model = LoadedModel::new(trained(&grid(rows)).model, None);
    let unknown = model.unknown_checkpoint(MONDAY + 24 * 30);
    assert!((unknown.flow - 100.0).abs() < 5.0, "the middle one: {unknown:?}");
    assert!(unknown.lower < 60.0 && unknown.upper > 150.0, "{unknown:?}");
    assert_eq!((model.site("b"), model.site("z")), (Some(1), None));
}

#[test]
fn the_pinned_model_is_served() {
    let rows: Vec<_> = (0..24 * 28).map(|hour| ("a", hour, false, if hour % 24 < 12 { 10.0 } else { 90.0 })).collect();
    let grid = grid(rows);
    for (pinned, kind) in [(None, Kind::Seasonal), (Some(Kind::SparkLinear), Kind::SparkLinear)] {
        let settings = TrainSettings { pinned, ..settings(0.8) };
        assert_eq!(train(&grid, &settings, &Pace::full(), &|_| {}).unwrap().model.kind, kind);
    }
    let stopped = tokio_util::sync::CancellationToken::new();
    stopped.cancel();
    let stopped = train(&grid, &settings(0.8), &Pace::background(stopped), &|_| {});
    assert_eq!(stopped.unwrap_err(), TrainError::Stopped);
}

/// A count as tables have them: none, usual, and as large as is believed.
fn count() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..500.0f64, Just(MAX_COUNT), 0.0..MAX_COUNT]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_absurd_flow_leaves_whatever_the_training_data(
        rows in proptest::collection::vec((0u8..4, 0i64..24 * 40, any::<bool>(), count()), 1..600),
        dated in any::<bool>(),
        nominal in 0.5..0.99f64,
    ) {
        let mut builder = GridBuilder::default();
        for (name, hour, weekend, count) in rows {
            let site = builder.site(&name.to_string()).unwrap();
            match dated {
                true => builder.add(site, MONDAY + hour, weekend, count, 1),
                false => builder.add_undated(site, (hour % 24) as u8, weekend, count, 1),
            }
        }
        let grid = builder.finish(&Calendar::default()).0;
        let trained = train(&grid, &settings(nominal), &Pace::full(), &|_| {}).unwrap();
        let bytes = trained.model.encode().unwrap();
        let model = FlowModel::decode(&bytes).unwrap();
        let hours: Vec<i64> = (0..24 * 8).step_by(5).map(|hour| MONDAY + hour).collect();
        for kind in Kind::ALL {
            assert_sound(&LoadedModel::new(model.clone(), Some(kind)), &hours);
        }
        if let Some(evaluation) = trained.evaluation {
            for tested in evaluation.tested {
                for metrics in [tested.checkpoints, tested.city] {
                    prop_assert!(metrics.mae.is_finite() && metrics.rmse.is_finite());
                    prop_assert!(metrics.wape.is_none_or(|wape| wape.is_finite() && wape >= 0.0));
                    prop_assert!(metrics.coverage.is_none_or(|share| (0.0..=1.0).contains(&share)));
                }
            }
        }
    }
}
