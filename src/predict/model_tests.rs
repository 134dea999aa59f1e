//! What a model returns is sound whatever is inside, and the layout of its bytes has not changed.

use proptest::prelude::*;

use super::*;
use storage::codec::{self, Kind as CodecKind};

use crate::predict::folder::tests::model;
use crate::predict::layout::{FLOW_MODEL, OLD_FLOW_MODEL};
use crate::predict::nowcast::{LastHours, Latest, Step};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/flow_model_v2/model.bin");
const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/flow_model_v1/model.bin");

/// The bytes of the second version, which must always open. If the layout changes on purpose, so must its version, and this
/// file stays beside a new one.
#[test]
fn golden_bytes() {
    let bytes = model().encode().unwrap();
    let golden = std::fs::read(GOLDEN).unwrap_or_default();
    if bytes != golden {
        let written = std::env::temp_dir().join("platewatch-flow-model.bin");
        std::fs::write(&written, &bytes).unwrap();
        panic!("the layout of model.bin has changed; it would now be {}", written.display());
    }
    assert_eq!(FlowModel::decode(&golden).unwrap(), model());
}

/// The bytes of the first version, which must always open: under both its kinds.
#[test]
fn the_first_version_opens() {
    let first = std::fs::read(FIRST).unwrap();
    assert_eq!(first.get(..2), Some(&b"F\x01"[..]));
    assert_eq!(FlowModel::decode(&first).unwrap(), model());
    // Only the kind is another one since.
    let second = codec::with_kind(OLD_FLOW_MODEL, CodecKind { version: 1, ..FLOW_MODEL }, &first).unwrap().unwrap();
    assert_eq!(FlowModel::decode(&second).unwrap(), model());
}

#[test]
fn every_damaged_byte_is_refused_and_so_is_a_newer_layout() {
    let bytes = model().encode().unwrap();
    for place in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x55;
        assert!(FlowModel::decode(&damaged).is_err(), "byte {place}");
        assert!(FlowModel::decode(&bytes[..place]).is_err(), "cut at {place}");
    }
    let newer = codec::encode(CodecKind { version: 3, ..FLOW_MODEL }, &model()).unwrap();
    let error = FlowModel::decode(&newer).unwrap_err().to_string();
    assert!(error.contains("version 3") && error.contains("newer than 2"), "{error}");
}

#[track_caller]
pub(in crate::predict) fn assert_sound(model: &LoadedModel, hours: &[i64]) {
    let most = MAX_COUNT * model.model().sites.len().max(1) as f64 * 2.0;
    let check = |what: &str, forecast: FlowForecast| {
        let FlowForecast { flow, lower, upper, .. } = forecast;
        assert!(
            0.0 <= lower && lower <= flow && flow <= upper && upper <= most,
            "{what}: {lower} ≤ {flow} ≤ {upper} ≤ {most} does not hold"
        );
    };
    // The worst that the last hours can say.
    let latest = |deviation| Latest { deviation, ..Latest::default() };
    let last = |deviation| LastHours {
        last: hours.first().copied().unwrap_or_default().saturating_sub(1),
        sites: vec![latest(deviation); model.model().sites.len()],
        city: latest(deviation),
    };
    for hour in hours {
        for last in [f64::NAN, f64::INFINITY, -1.0, 1e300].map(last) {
            check("corrected city", model.city_after(*hour, Some(&last)));
            check("corrected checkpoint", model.checkpoint_after(0, *hour, Some(&last)));
        }
        check("city", model.city(*hour));
        check("unknown checkpoint", model.unknown_checkpoint(*hour));
        for site in 0..=model.model().sites.len() {
            check("checkpoint", model.checkpoint(site, *hour));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// A model with a correct checksum and any numbers is refused or answers soundly, and so it does without the check.
    #[test]
    fn no_absurd_flow_leaves_whatever_the_model_file(
        rates in proptest::collection::vec(any::<f32>(), SLOTS),
        typical in proptest::collection::vec(any::<f32>(), SLOTS),
        numbers in proptest::array::uniform6(any::<f64>()),
        hours in proptest::collection::vec(any::<i32>(), 1..8),
        is_dated in any::<bool>(),
    ) {
        let [level, most, first, second, third, intercept] = numbers;
        let mut hostile = FlowModel { weeks: rates.iter().rev().copied().collect(), rates, typical, is_dated, ..model() };
        hostile.seasonal_bounds.widths = vec![level as f32];
        hostile.seasonal_bounds.city_width = most as f32;
        hostile.nowcast.checkpoint = vec![Step { own: level, city: most, width: first }];
        hostile.nowcast.city = vec![Step { own: second, city: third, width: intercept }];
        hostile.sites[0] = Site { level, most, ..hostile.sites[0].clone() };
        hostile.spark.coefficients = [first, second, third];
        hostile.spark.intercept = intercept;
        let hours: Vec<i64> = hours.into_iter().map(i64::from).collect();
        for kind in Kind::ALL {
            assert_sound(&LoadedModel::new(hostile.clone(), Some(kind)), &hours);
            if let Ok(decoded) = FlowModel::decode(&hostile.encode().unwrap()) {
                assert_sound(&LoadedModel::new(decoded, Some(kind)), &hours);
            }
        }
    }

    /// Bytes that are not a model are refused, without a panic and without much memory.
    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(FlowModel::decode(&bytes).is_err());
    }
}

#[test]
fn the_hour_of_the_last_hour_of_time_is_answered() {
    assert_sound(&LoadedModel::new(model(), None), &[i64::MIN, i64::MAX, 0, -1]);
}
