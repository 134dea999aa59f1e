//! The numbers of a proof, as they are written to JSON: recall on merged pairs, an upper bound of false findings on all
//! other plates, and how far probabilities are right.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::merged::{LEVELS, Merged, RULES, Reached};
use super::others::Other;
use super::pairs::Choice;
use super::tracks::Tracks;
use super::trial::Trial;

/// Bands of probabilities.
const BANDS: usize = 10;

/// What a proof found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofReport)]
pub struct Report {
    /// The seed that chose the pairs.
    pub seed: u64,
    /// Whether the two cars of a pair may be of different brands.
    pub any_brand: bool,
    /// Passages of complete plates, without duplicates.
    pub passages: u64,
    /// The first GCSJ.
    pub first_time: Option<String>,
    /// The last GCSJ.
    pub last_time: Option<String>,
    /// Complete plates, as they came.
    pub plates: u64,
    /// Whether counts of plates are estimated from a sample, because there are very many.
    pub estimated: bool,
    /// Plates that may be merged.
    pub tracks: u64,
    /// The merged plates.
    pub merged: MergedCount,
    /// All other plates.
    pub others: OthersCount,
    /// Cases, by the probability that a plate reaches.
    pub cases: Vec<CaseCount>,
    /// Alerts of rules without evidence.
    pub rules: Vec<RuleCount>,
    /// Probabilities against what is true.
    pub reliability: Vec<Band>,
    /// Each merged plate, in the order chosen; left out where they are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairResult>,
}

/// Merged plates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofMerged)]
pub struct MergedCount {
    /// All.
    pub plates: u64,
    /// With a contradiction: the two cars met as far as the evidence can tell.
    pub contradicted: u64,
    /// With two contradictions or more.
    pub contradicted_twice: u64,
}

/// Plates that were not merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofOthers)]
pub struct OthersCount {
    /// All.
    pub plates: u64,
    /// With a contradiction.
    pub contradicted: u64,
}

/// Cases from one probability on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofCases)]
pub struct CaseCount {
    /// The probability.
    pub probability: f64,
    /// Merged plates that reach it.
    pub found: u64,
    /// The same as a share of all merged plates.
    pub share: f64,
    /// The same as a share of those with two contradictions or more.
    pub share_of_contradicted_twice: f64,
    /// Merged plates that have it at the end.
    pub found_at_end: u64,
    /// Contradictions of a merged plate when it reaches it.
    pub contradictions: Quantiles,
    /// Minutes from its first contradiction.
    pub minutes_from_contradiction: Quantiles,
    /// Minutes from when both cars had been seen.
    pub minutes_from_second_car: Quantiles,
    /// Other plates that reach it.
    pub others: Found,
}

/// Other plates of which something was found: an upper bound of what is false, since real clones are among them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofFound)]
pub struct Found {
    /// How many.
    pub plates: u64,
    /// In a thousand of them.
    pub per_thousand: f64,
}

/// Alerts of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofRule)]
pub struct RuleCount {
    /// `window`, or `great_circle`: severity high by speed alone.
    #[schema(value_type = String)]
    pub rule: Cow<'static, str>,
    /// Merged plates with an alert between the two cars.
    pub found: u64,
    /// The same as a share of all merged plates.
    pub share: f64,
    /// Alerts between the two cars of merged plates.
    pub alerts: u64,
    /// The same for each merged plate.
    pub alerts_per_plate: f64,
    /// Other plates with an alert.
    pub others: Found,
    /// Alerts of other plates.
    pub other_alerts: u64,
}

/// Suspects whose newest probability is in a band.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofBand)]
pub struct Band {
    /// The least probability of the band.
    pub from: f64,
    /// Its end.
    pub to: f64,
    /// The mean probability; none if there is no suspect.
    pub predicted: Option<f64>,
    /// The share of merged plates; none if there is no suspect.
    pub observed: Option<f64>,
    /// Merged plates.
    pub merged: u64,
    /// Other plates.
    pub others: u64,
}

/// What became of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofPair)]
pub struct PairResult {
    /// The plate of both.
    pub hphm: String,
    /// The plate that the second had.
    pub merged_hphm: String,
    /// Contradictions in all.
    pub contradictions: u32,
    /// The newest probability; none without a contradiction.
    pub probability: Option<f64>,
    /// Alerts of the flat rule between the two cars.
    pub window_alerts: u64,
    /// Alerts of the speed along the great circle between the two cars.
    pub great_circle_alerts: u64,
}

/// Median and 90 % of some numbers; none if there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofQuantiles)]
pub struct Quantiles {
    /// Half are at most this.
    pub median: Option<f64>,
    /// Nine tenths are at most this.
    pub p90: Option<f64>,
}

impl Quantiles {
    /// By nearest rank.
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let at = |tenths: usize| numbers.get((numbers.len() * tenths).div_ceil(10).checked_sub(1)?).copied();
        Self { median: at(5), p90: at(9) }
    }
}

impl Report {
    /// Of both passes.
    pub fn of(choice: Choice, tracks: &Tracks, trial: &Trial) -> Self {
        let plates = tracks.plates();
        let merged = &trial.merged;
        let others = plates.saturating_sub(2 * merged.len() as u64);
        let twice = count(merged, |merged| merged.contradictions >= 2);
        let (first, last) = trial.times.unzip();
        Self {
            seed: choice.seed,
            any_brand: choice.any_brand,
            passages: trial.passages,
            first_time: first.map(|time| time.to_string()),
            last_time: last.map(|time| time.to_string()),
            plates,
            estimated: tracks.is_partial() || trial.others.plates.is_partial(),
            tracks: tracks.fit(),
            merged: MergedCount {
                plates: merged.len() as u64,
                contradicted: count(merged, |merged| merged.contradictions >= 1),
                contradicted_twice: twice,
            },
            others: OthersCount {
                plates: others,
                contradicted: trial.others.plates.count(|other| other.probability.is_some()),
            },
            cases: (0..LEVELS.len()).map(|level| case_count(trial, level, twice, others)).collect(),
            rules: (0..RULES.len()).map(|rule| rule_count(trial, rule, others)).collect(),
            reliability: (0..BANDS).map(|band| reliability(trial, band)).collect(),
            pairs: merged.iter().map(PairResult::of).collect(),
        }
    }
}

#[cfg(test)]
impl Report {
    /// Of a small proof.
    pub fn sample() -> Self {
        let found = |plates| Found { plates, per_thousand: plates as f64 };
        let quantiles = Quantiles { median: Some(2.0), p90: Some(6.5) };
        let case = |probability, count| CaseCount {
            probability,
            found: count,
            share: share(count, 10),
            share_of_contradicted_twice: share(count, 9),
            found_at_end: count,
            contradictions: quantiles,
            minutes_from_contradiction: quantiles,
            minutes_from_second_car: quantiles,
            others: found(1),
        };
        let rule = |rule, count| RuleCount {
            rule: Cow::Borrowed(rule),
            found: count,
            share: share(count, 10),
            alerts: 4 * count,
            alerts_per_plate: 0.4 * count as f64,
            others: found(100),
            other_alerts: 340,
        };
        let band = |place: u32| Band {
            from: f64::from(place) / 10.0,
            to: f64::from(place + 1) / 10.0,
            predicted: (place == 9).then_some(0.98),
            observed: (place == 9).then_some(0.9),
            merged: if place == 9 { 9 } else { 0 },
            others: u64::from(place == 9),
        };
        Self {
            seed: 1,
            any_brand: false,
            passages: 52_000,
            first_time: Some("2024-01-01 00:00:03".to_owned()),
            last_time: Some("2024-01-01 23:59:58".to_owned()),
            plates: 1020,
            estimated: false,
            tracks: 400,
            merged: MergedCount { plates: 10, contradicted: 10, contradicted_twice: 9 },
            others: OthersCount { plates: 1000, contradicted: 12 },
            cases: vec![case(0.5, 10), case(0.9, 9)],
            rules: vec![rule("window", 4), rule("great_circle", 5)],
            reliability: (0..10).map(band).collect(),
            pairs: vec![PairResult {
                hphm: "苏C12345".to_owned(),
                merged_hphm: "苏C54321".to_owned(),
                contradictions: 3,
                probability: Some(0.98),
                window_alerts: 2,
                great_circle_alerts: 1,
            }],
        }
    }
}

impl PairResult {
    fn of(merged: &Merged) -> Self {
        let [window_alerts, great_circle_alerts] = merged.alerts;
        Self {
            hphm: merged.pair.plate.unpack(),
            merged_hphm: merged.pair.other.unpack(),
            contradictions: merged.contradictions,
            probability: merged.probability.map(rounded),
            window_alerts,
            great_circle_alerts,
        }
    }
}

fn case_count(trial: &Trial, level: usize, twice: u64, others: u64) -> CaseCount {
    let merged = &trial.merged;
    let probability = LEVELS.get(level).copied().unwrap_or(1.0);
    let reached = |merged: &Merged| merged.reached.get(level).copied().flatten();
    let all = || merged.iter().filter_map(|merged| Some((merged, reached(merged)?)));
    let minutes = |since: fn(&Merged) -> Option<i64>| {
        let since = move |(merged, reached): (&Merged, Reached)| Some(minutes(reached.at - since(merged)?));
        Quantiles::of(all().filter_map(since))
    };
    let found = all().count() as u64;
    let of_twice = all().filter(|(merged, _)| merged.contradictions >= 2).count() as u64;
    let has = |other: &Other| other.reached.get(level) == Some(&true);
    CaseCount {
        probability,
        found,
        share: share(found, merged.len() as u64),
        share_of_contradicted_twice: share(of_twice, twice),
        found_at_end: count(merged, |merged| merged.probability.is_some_and(|newest| newest >= probability)),
        contradictions: Quantiles::of(all().map(|(_, reached)| f64::from(reached.contradictions))),
        minutes_from_contradiction: minutes(|merged| merged.contradicted_at),
        minutes_from_second_car: minutes(|merged| merged.both_at),
        others: Found::of(trial.others.plates.count(has), others),
    }
}

fn rule_count(trial: &Trial, rule: usize, others: u64) -> RuleCount {
    let own = |merged: &Merged| merged.alerts.get(rule).copied().unwrap_or(0);
    let found = count(&trial.merged, |merged| own(merged) > 0);
    let alerts: u64 = trial.merged.iter().map(own).sum();
    let plates = trial.merged.len() as u64;
    RuleCount {
        rule: Cow::Borrowed(RULES.get(rule).map_or("", |(name, _)| name)),
        found,
        share: share(found, plates),
        alerts,
        alerts_per_plate: share(alerts, plates),
        others: Found::of(trial.others.plates.count(|other| other.raised.get(rule) == Some(&true)), others),
        other_alerts: trial.others.alerts.get(rule).copied().unwrap_or(0),
    }
}

fn reliability(trial: &Trial, band: usize) -> Band {
    let is_in = |probability: &f64| ((probability * BANDS as f64) as usize).min(BANDS - 1) == band;
    let merged: Vec<f64> = trial.merged.iter().filter_map(|merged| merged.probability).filter(is_in).collect();
    let is_in_other = |other: &Other| other.probability.as_ref().is_some_and(is_in);
    let others = trial.others.plates.count(is_in_other);
    let predicted_others = trial.others.plates.mean(|other| other.probability.filter(is_in));
    let all = merged.len() as u64 + others;
    let sum = merged.iter().sum::<f64>() + predicted_others.unwrap_or(0.0) * others as f64;
    Band {
        from: band as f64 / BANDS as f64,
        to: (band + 1) as f64 / BANDS as f64,
        predicted: (all > 0).then(|| rounded(sum / all as f64)),
        observed: (all > 0).then(|| share(merged.len() as u64, all)),
        merged: merged.len() as u64,
        others,
    }
}

impl Found {
    fn of(plates: u64, all: u64) -> Self {
        Self { plates, per_thousand: share(1000 * plates, all) }
    }
}

fn count(merged: &[Merged], satisfies: impl Fn(&Merged) -> bool) -> u64 {
    merged.iter().filter(|merged| satisfies(merged)).count() as u64
}

fn minutes(seconds: i64) -> f64 {
    (seconds as f64 / 6.0).round() / 10.0
}

/// A part of a whole, to four decimals; 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { rounded(part as f64 / whole as f64) }
}

fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let of = |numbers: &[f64]| Quantiles::of(numbers.iter().copied());
        assert_eq!(of(&[]), Quantiles { median: None, p90: None });
        assert_eq!(of(&[7.0]), Quantiles { median: Some(7.0), p90: Some(7.0) });
        assert_eq!(of(&[3.0, 1.0, 2.0]), Quantiles { median: Some(2.0), p90: Some(3.0) });
        let ten: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(of(&ten), Quantiles { median: Some(5.0), p90: Some(9.0) });
    }

    #[test]
    fn shares_and_minutes_are_rounded() {
        assert_eq!((share(1, 3), share(2, 3), share(5, 0)), (0.3333, 0.6667, 0.0));
        assert_eq!((minutes(90), minutes(100), minutes(0)), (1.5, 1.7, 0.0));
        assert_eq!(Found::of(3, 2000), Found { plates: 3, per_thousand: 1.5 });
    }
}
