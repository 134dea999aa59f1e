//! Forecasts of traffic that drifts: a slow change of level, a step, a weekly rhythm, and noise that is wider than chance and
//! common to all checkpoints. Every day is predicted by a model trained on the days before it, as the appliance does.

use traffic::Catalogue;

use super::feedback::last_hours;
use super::*;
use crate::forecast::FlowForecast;
use crate::reader::HourCounts;

/// 2024-01-01, a Monday.
const FIRST_DAY: i64 = 19_723;
const SITES: usize = 22;
const DAYS: usize = 84;
/// The first day that is predicted.
const TEST: usize = 56;
/// The day on which traffic moves from some checkpoints to the others.
const STEP: usize = 66;

/// Numbers that look random, the same in every run.
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().max(1e-300).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Noise that forgets a share of itself every hour and has this deviation in the long run.
#[derive(Clone, Copy)]
struct Persistent {
    value: f64,
    keeps: f64,
    deviation: f64,
}

impl Persistent {
    fn next(&mut self, chance: &mut Chance) -> f64 {
        let fresh = self.deviation * (1.0 - self.keeps * self.keeps).sqrt();
        self.value = self.keeps * self.value + fresh * chance.normal();
        self.value
    }
}

/// Counts by hour and checkpoint.
fn drifting(seed: u64) -> Vec<Vec<f64>> {
    let mut chance = Chance(seed);
    let sizes: Vec<f64> = (0..SITES).map(|site| 40.0 * 1.17f64.powi(site as i32)).collect();
    let slopes: Vec<f64> = (0..SITES).map(|_| 0.1 * chance.normal() / 28.0).collect();
    let persistent = |keeps, deviation| Persistent { value: 0.0, keeps, deviation };
    let mut city = [persistent(0.97, 0.08), persistent(0.8, 0.06)];
    let mut own = [persistent(0.9, 0.08); SITES];
    (0..DAYS * 24)
        .map(|hour| {
            let (day, of_day) = (hour / 24, (hour % 24) as f64);
            let common = city.iter_mut().map(|noise| noise.next(&mut chance)).sum::<f64>();
            let season = 0.12 * (day as f64 / 40.0).sin();
            let count = |site: usize| {
                let peak = |at: f64, width: f64| (-((of_day - at) / width).powi(2)).exp();
                let (early, late) = if site.is_multiple_of(2) { (1.6, 1.1) } else { (1.0, 1.7) };
                let shape = if day % 7 >= 5 {
                    0.15 + 0.8 * peak(14.0, 5.0)
                } else {
                    0.12 + early * peak(8.0, 2.0) + late * peak(17.5, 2.5) + 0.6 * peak(13.0, 4.0)
                };
                let moved = if day < STEP {
                    1.0
                } else if site.is_multiple_of(3) {
                    0.75
                } else {
                    1.12
                };
                let level = (season + slopes[site] * day as f64 + common + own[site].next(&mut chance)).exp();
                let mean = sizes[site] * shape * level * moved;
                // Twice the variance of a Poisson count, beyond the noise that lasts.
                (mean + (2.0 * mean).sqrt() * chance.normal()).round().max(0.0)
            };
            (0..SITES).map(count).collect()
        })
        .collect()
}

fn names() -> Vec<String> {
    (0..SITES).map(|site| format!("K{site:02}")).collect()
}

/// The model trained on the days before `day`.
fn trained(counts: &[Vec<f64>], day: usize) -> LoadedModel {
    let mut builder = GridBuilder::default();
    for (site, name) in names().iter().enumerate() {
        let number = builder.site(name).unwrap();
        for (hour, counts) in counts.iter().enumerate().take(day * 24) {
            builder.add(number, FIRST_DAY * 24 + hour as i64, false, counts[site], 1);
        }
    }
    let (grid, _) = builder.finish(&Calendar::default());
    let settings = TrainSettings { interval: 0.8, ..TrainSettings::default() };
    LoadedModel::new(train(&grid, &settings, &Pace::full(), &|_| {}).unwrap().model, None)
}

/// The mean of this hour of the week over the last weeks before it.
fn mean_of_weeks(counts: &[Vec<f64>], hour: usize, site: usize, weeks: usize) -> f64 {
    let of_weeks: Vec<f64> = (1..=weeks).map_while(|back| Some(counts[hour.checked_sub(back * 168)?][site])).collect();
    of_weeks.iter().sum::<f64>() / of_weeks.len() as f64
}

/// Errors, counts and hits of one predictor.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    hours: f64,
    errors: f64,
    counted: f64,
    hits: f64,
}

impl Sum {
    fn add(&mut self, forecast: &FlowForecast, counted: f64) {
        self.add_flow(forecast.flow, counted);
        self.hits += f64::from(u8::from((forecast.lower..=forecast.upper).contains(&counted)));
    }

    fn add_flow(&mut self, flow: f64, counted: f64) {
        self.hours += 1.0;
        self.errors += (flow - counted).abs();
        self.counted += counted;
    }

    fn wape(&self) -> f64 {
        self.errors / self.counted
    }

    fn coverage(&self) -> f64 {
        self.hits / self.hours
    }
}

/// Everything that is measured over the days from [`TEST`] on.
#[derive(Debug, Default)]
struct Measured {
    sites: [Sum; SITES],
    all: Sum,
    city: Sum,
    weeks: Sum,
    hour_of_week: Sum,
    /// One hour after the last finished one: with and without the correction, and the city.
    nowcast: [Sum; 2],
    city_nowcast: [Sum; 2],
    kinds: std::collections::BTreeMap<&'static str, usize>,
}

fn measure(seed: u64) -> Measured {
    let counts = drifting(seed);
    let names = names();
    let finished: Vec<HourCounts> = counts
        .iter()
        .enumerate()
        .map(|(hour, counts)| HourCounts {
            hour: FIRST_DAY * 24 + hour as i64,
            is_whole: true,
            checkpoints: names.iter().zip(counts).map(|(name, count)| (name.as_str().into(), *count as u64)).collect(),
        })
        .collect();
    let mut measured = Measured::default();
    for day in TEST..DAYS {
        let model = trained(&counts, day);
        *measured.kinds.entry(model.kind().as_str()).or_default() += 1;
        for hour in day * 24..(day + 1) * 24 {
            let at = FIRST_DAY * 24 + hour as i64;
            let last = last_hours(&model, &finished[hour - 72..hour], at, &Catalogue::default()).unwrap();
            for (site, counted) in counts[hour].iter().copied().enumerate() {
                let plain = model.checkpoint(site, at);
                measured.sites[site].add(&plain, counted);
                measured.all.add(&plain, counted);
                measured.weeks.add_flow(mean_of_weeks(&counts, hour, site, 3), counted);
                measured.hour_of_week.add_flow(mean_of_weeks(&counts, hour, site, DAYS), counted);
                measured.nowcast[0].add(&plain, counted);
                measured.nowcast[1].add(&model.checkpoint_after(site, at, Some(&last)), counted);
            }
            let counted = counts[hour].iter().sum();
            measured.city.add(&model.city(at), counted);
            measured.city_nowcast[0].add(&model.city(at), counted);
            measured.city_nowcast[1].add(&model.city_after(at, Some(&last)), counted);
        }
    }
    measured
}

#[test]
fn on_drifting_traffic_intervals_hold_and_no_simple_mean_is_better() {
    for seed in [1, 2, 3] {
        let measured = measure(seed);
        let Measured { sites, all, city, weeks, hour_of_week, nowcast, city_nowcast, kinds } = &measured;
        let shares: Vec<f64> = sites.iter().map(Sum::coverage).collect();
        let (low, high) =
            shares.iter().fold((1.0f64, 0.0f64), |(low, high), share| (low.min(*share), high.max(*share)));
        println!(
            "seed {seed}, {kinds:?}: WAPE {:.4} (last three weeks {:.4}, hour of the week {:.4}), coverage {:.3}, by \
             checkpoint {low:.3} to {high:.3}\n  city: WAPE {:.4}, coverage {:.3}\n  the next hour: WAPE {:.4} -> {:.4}, \
             coverage {:.3}; city {:.4} -> {:.4}, coverage {:.3}",
            all.wape(),
            weeks.wape(),
            hour_of_week.wape(),
            all.coverage(),
            city.wape(),
            city.coverage(),
            nowcast[0].wape(),
            nowcast[1].wape(),
            nowcast[1].coverage(),
            city_nowcast[0].wape(),
            city_nowcast[1].wape(),
            city_nowcast[1].coverage(),
        );
        let simple = weeks.wape().min(hour_of_week.wape());
        assert!(all.wape() <= simple * 1.02, "seed {seed}: {} against {simple}", all.wape());
        for (what, coverage) in [
            ("all checkpoints", all.coverage()),
            ("the lowest checkpoint", low),
            ("the highest checkpoint", high),
            ("the city", city.coverage()),
            ("the next hour", nowcast[1].coverage()),
            ("the city's next hour", city_nowcast[1].coverage()),
        ] {
            assert!((coverage - 0.8).abs() <= 0.04, "seed {seed}, {what}: {coverage}");
        }
        assert!(nowcast[1].wape() < 0.95 * nowcast[0].wape(), "seed {seed}: the next hour");
        assert!(city_nowcast[1].wape() < 0.9 * city_nowcast[0].wape(), "seed {seed}: the city's next hour");
    }
}
