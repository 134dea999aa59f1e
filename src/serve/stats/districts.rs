//! Units that are no districts, folded into districts: 高速五大队 polices a motorway, which runs through 铜山县, and a map of
//! districts has no place for it. Pure; it does not know who asks.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use traffic::{Catalogue, Checkpoint, great_circle_km};

use crate::reader::UnitCount;

/// How the names of districts end (民政部, 县级以上行政区划代码): all else is a unit of another kind.
const ENDINGS: [char; 4] = ['县', '市', '区', '旗'];

/// Passages by district, busiest first, ties by name. Their sum is that of `counts`.
pub(super) fn folded(counts: Vec<UnitCount>, catalogue: &Catalogue) -> Vec<(Arc<str>, u64)> {
    let mut places: BTreeMap<Arc<str>, Option<Arc<str>>> = BTreeMap::new();
    let mut sums: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for UnitCount { district, kkmc, passages } in counts {
        let place = match is_district(&district) {
            true => None,
            false => places.entry(kkmc).or_insert_with_key(|kkmc| district_of(kkmc, catalogue).map(Arc::from)).clone(),
        };
        *sums.entry(place.unwrap_or(district)).or_default() += passages;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    // Stable: ties stay in the order of their names.
    sums.sort_by_key(|(_, count)| Reverse(*count));
    sums
}

fn is_district(name: &str) -> bool {
    name.ends_with(ENDINGS)
}

/// The district where a checkpoint is: that of the catalogue, or, where the catalogue has a unit too, that of the nearest
/// checkpoint that has one. None if neither is known.
fn district_of<'a>(kkmc: &str, catalogue: &'a Catalogue) -> Option<&'a str> {
    let checkpoint = catalogue.find(kkmc)?;
    if is_district(&checkpoint.district) {
        return Some(&checkpoint.district);
    }
    let here = checkpoint.position()?;
    let away = |other: &Checkpoint| Some(great_circle_km(here, other.position()?));
    let others = catalogue.iter().filter(|other| is_district(&other.district));
    let nearest =
        others.filter_map(|other| Some((away(other)?, other))).min_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest.map(|(_, other)| other.district.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, &str, u64)]) -> Vec<UnitCount> {
        let count = |&(district, kkmc, passages): &(&str, &str, u64)| UnitCount {
            district: district.into(),
            kkmc: kkmc.into(),
            passages,
        };
        rows.iter().map(count).collect()
    }

    #[track_caller]
    fn check(catalogue: &Catalogue, rows: &[(&str, &str, u64)], expected: &[(&str, u64)]) {
        let found = folded(counts(rows), catalogue);
        let expected: Vec<(Arc<str>, u64)> = expected.iter().map(|(name, count)| (Arc::from(*name), *count)).collect();
        assert_eq!(found, expected);
        let sum = |counts: &[(Arc<str>, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!(sum(&found), rows.iter().map(|(_, _, count)| count).sum::<u64>());
    }

    #[test]
    fn only_units_that_are_no_districts_move() {
        let catalogue = Catalogue::xuzhou();
        check(
            &catalogue,
            &[
                // The catalogue says where it is, though the record does not.
                ("高速五大队", "S250_Pizhou_Sulu", 3),
                // The catalogue has the unit too: the nearest checkpoint is G104_Tongshan_Sulu, three kilometres away.
                ("高速五大队", "G3_Sulu", 20),
                ("高速五大队", "G3京台高速K731江苏高速五大队江苏徐州-G3-苏鲁界省际卡口", 1),
                // A district stays what was recorded, whatever the catalogue says.
                ("睢宁县", "S250_Pizhou_Sulu", 4),
                ("邳州市", "S250_Pizhou_Sulu", 5),
                // Nothing is known about these.
                ("高速五大队", "unlisted-1", 2),
                ("", "unlisted-2", 1),
            ],
            &[("铜山县", 21), ("邳州市", 8), ("睢宁县", 4), ("高速五大队", 2), ("", 1)],
        );
    }

    #[test]
    fn without_a_place_a_unit_stays() {
        check(&Catalogue::default(), &[("高速五大队", "G3_Sulu", 2)], &[("高速五大队", 2)]);
        let lonely = Checkpoint {
            code: "K".into(),
            name: "卡口".into(),
            district: "高速五大队".into(),
            ..Checkpoint::default()
        };
        check(&Catalogue::new(vec![lonely]).unwrap(), &[("高速五大队", "K", 2)], &[("高速五大队", 2)]);
    }
}
