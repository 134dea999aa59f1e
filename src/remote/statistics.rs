//! All statistics over the passages, by hour: the result of one scan of the table, from which every query over whole
//! hours is answered. Pure; it does not know SQL.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

use traffic::{VehicleType, brand_of};

use crate::mysql::{civil_time, whole};
use crate::reader::Group;

/// Counts by hour since 1970.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Statistics {
    hours: BTreeMap<i64, Hour>,
    names: HashMap<String, Arc<str>>,
}

/// Counts of one hour.
#[derive(Debug, Clone, Default, PartialEq)]
struct Hour {
    passages: u64,
    checkpoints: BTreeMap<Arc<str>, u64>,
    /// By district and checkpoint.
    units: BTreeMap<[Arc<str>; 2], u64>,
    kinds: [u64; VehicleType::ALL.len()],
    brands: BTreeMap<Arc<str>, u64>,
}

impl Statistics {
    /// Adds a row of [`super::statements::statistics`]; false if it is not one.
    pub(super) fn add(&mut self, row: Vec<Option<String>>) -> bool {
        let Ok([hour, kkmc, district, plate_type, brand, passages]) = <[Option<String>; 6]>::try_from(row) else {
            return false;
        };
        let hour = hour.and_then(|text| civil_time(&format!("{text}:00:00")));
        let (Some(hour), Some(passages)) = (hour, passages.and_then(|text| whole(&text))) else { return false };
        let (plate_type, brand) = (plate_type.unwrap_or_default(), brand.unwrap_or_default());
        let kind = VehicleType::of(&plate_type, &brand);
        let [kkmc, district] = [kkmc, district].map(|name| self.name(&name.unwrap_or_default()));
        let brand = self.name(brand_of(&brand));
        let counts = self.hours.entry(hour.hour()).or_default();
        counts.passages += passages;
        *counts.checkpoints.entry(kkmc.clone()).or_default() += passages;
        *counts.units.entry([district, kkmc]).or_default() += passages;
        *counts.brands.entry(brand).or_default() += passages;
        if let Some(count) = counts.kinds.get_mut(kind as usize) {
            *count += passages;
        }
        true
    }

    /// The shared copy of the name, so that each is held once.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(name);
        self.names.insert(name.to_owned(), new.clone());
        new
    }

    /// Adds those of another instance.
    pub(super) fn merge(&mut self, other: Self) {
        fn add<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            from.into_iter().for_each(|(name, count)| *to.entry(name).or_default() += count);
        }
        self.names.extend(other.names);
        for (hour, counts) in other.hours {
            let here = self.hours.entry(hour).or_default();
            here.passages += counts.passages;
            add(&mut here.checkpoints, counts.checkpoints);
            add(&mut here.units, counts.units);
            add(&mut here.brands, counts.brands);
            here.kinds.iter_mut().zip(counts.kinds).for_each(|(here, there)| *here += there);
        }
    }

    /// How many counts it holds.
    pub(super) fn len(&self) -> usize {
        self.hours.values().map(|hour| hour.checkpoints.len() + hour.units.len() + hour.brands.len() + 5).sum()
    }

    /// Hours and their passages.
    pub(super) fn passages(&self, hours: RangeInclusive<i64>) -> impl Iterator<Item = (i64, u64)> {
        self.within(hours).map(|(hour, counts)| (hour, counts.passages))
    }

    /// Hours and their passages by checkpoint.
    pub(super) fn checkpoints(&self, hours: RangeInclusive<i64>) -> impl Iterator<Item = (i64, Vec<(Arc<str>, u64)>)> {
        let all = |counts: &Hour| counts.checkpoints.iter().map(|(name, count)| (name.clone(), *count)).collect();
        self.within(hours).map(move |(hour, counts)| (hour, all(counts)))
    }

    /// The first and the last hour.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        Some((*self.hours.keys().next()?, *self.hours.keys().next_back()?))
    }

    /// Adds the counts of some hours by group to `sums`.
    pub(super) fn count_into(&self, group: Group, hours: RangeInclusive<i64>, sums: &mut BTreeMap<Arc<str>, u64>) {
        for (_, counts) in self.within(hours) {
            let named = match group {
                Group::Checkpoint => &counts.checkpoints,
                Group::District => {
                    for ([district, _], count) in &counts.units {
                        *sums.entry(district.clone()).or_default() += count;
                    }
                    continue;
                }
                Group::Brand => &counts.brands,
                Group::VehicleType => {
                    for (kind, count) in VehicleType::ALL.into_iter().zip(counts.kinds).filter(|(_, count)| *count > 0)
                    {
                        *sums.entry(Arc::from(kind.as_str())).or_default() += count;
                    }
                    continue;
                }
            };
            for (name, count) in named {
                *sums.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// Adds the counts of some hours by district and checkpoint to `sums`.
    pub(super) fn units_into(&self, hours: RangeInclusive<i64>, sums: &mut BTreeMap<[Arc<str>; 2], u64>) {
        for (_, counts) in self.within(hours) {
            for (names, count) in &counts.units {
                *sums.entry(names.clone()).or_default() += count;
            }
        }
    }

    fn within(&self, hours: RangeInclusive<i64>) -> impl Iterator<Item = (i64, &Hour)> {
        let empty = hours.is_empty();
        let hours = if empty { 0..=0 } else { hours };
        self.hours.range(hours).filter(move |_| !empty).map(|(hour, counts)| (*hour, counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: [&str; 6]) -> Vec<Option<String>> {
        columns.map(|text| Some(text.to_owned())).to_vec()
    }

    #[test]
    fn one_scan_answers_every_statistic() {
        let mut one = Statistics::default();
        assert!(one.add(row(["2024-01-01 07", "K1", "邳州市", "02", "大众", "3"])));
        assert!(one.add(row(["2024-01-01 08", "K1", "邳州市", "01", "福田 ", "2.0"])));
        let mut other = Statistics::default();
        assert!(other.add(row(["2024-01-01 07", "K2", "沛县", "02", "", "4"])));
        for wrong in
            [row(["2024-01-01 7x", "K", "d", "02", "b", "1"]), row(["2024-01-01 07", "K", "d", "02", "b", "x"])]
        {
            assert!(!other.add(wrong));
        }
        assert!(!other.add(vec![None; 5]));
        one.merge(other);
        let (first, last) = one.span().unwrap();
        assert_eq!(last, first + 1);
        let counts = |group, hours| {
            let mut sums = BTreeMap::new();
            one.count_into(group, hours, &mut sums);
            sums.into_iter().map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(counts(Group::Checkpoint, first..=last), "K1=5 K2=4");
        assert_eq!(counts(Group::Checkpoint, first..=first), "K1=3 K2=4");
        assert_eq!(counts(Group::District, last..=last), "邳州市=2");
        let mut units = BTreeMap::new();
        one.units_into(first..=first, &mut units);
        let unit = |district: &str, kkmc: &str| [Arc::from(district), Arc::from(kkmc)];
        assert_eq!(units, BTreeMap::from([(unit("邳州市", "K1"), 3), (unit("沛县", "K2"), 4)]));
        assert_eq!(counts(Group::Brand, first..=last), "大众=3 未知=4 福田=2");
        assert_eq!(counts(Group::VehicleType, first..=last), "小型客车=7 货车=2");
        assert_eq!(one.passages(first..=last).collect::<Vec<_>>(), [(first, 7), (last, 2)]);
        assert_eq!(one.passages(i64::MIN..=i64::MAX).count(), 2);
        let none = one.passages(last..=first).count();
        assert_eq!(none, 0);
        assert_eq!(one.checkpoints(last..=last).next().unwrap(), (last, vec![(Arc::from("K1"), 2)]));
    }
}
