//! `spark-linear`: what the original pipeline learnt, to the digit. StringIndexer numbers the checkpoints by how many rows
//! they have, most first, ties by name; ordinary least squares over (index, hour, is_weekend) does the rest.
//!
//! Source: Apache Spark 3.5, `StringIndexer` (`frequencyDesc`) and `LinearRegression` with its defaults, whose solution is
//! that of plain least squares. Rows with equal features are summed up first and weighted by their number, which does
//! not change the solution. A feature that never varies has coefficient 0, as in Spark; so has one that the features
//! before it explain completely, where Spark's answer depends on its solver.

use std::collections::BTreeMap;
use std::sync::Arc;

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::calendar::HOURS;
use super::grid::Grid;
use super::pace::{Pace, Stopped};

/// Features of a row.
const FEATURES: usize = 3;
/// A column is explained by the others if the part that they do not explain is smaller than this, relative to it.
const COLLINEAR: f64 = 1e-10;

/// The fitted line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SparkLinear {
    /// Checkpoints in the order of their index.
    pub labels: Vec<String>,
    /// Of index, hour and is_weekend.
    pub coefficients: [f64; FEATURES],
    /// The constant term.
    pub intercept: f64,
    /// Root of the mean squared error over the rows it learnt from.
    pub rmse: f64,
    /// Share of the variance that it explains, over the same rows.
    pub r2: f64,
}

/// Rows with equal features.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    rows: f64,
    sum: f64,
    squares: f64,
}

impl SparkLinear {
    /// Learns from the first `days` days of `grid`.
    ///
    /// # Errors
    /// [`Stopped`] if `pace` reports a stop.
    pub fn fit(grid: &Grid, days: usize, pace: &Pace) -> Result<Self, Stopped> {
        let mut cells: Vec<[Cell; HOURS * 2]> = Vec::with_capacity(grid.sites().len());
        for site in 0..grid.sites().len() {
            let mut of_site = [Cell::default(); HOURS * 2];
            for seen in grid.observed_of(site, 0..days) {
                if let Some(cell) = of_site.get_mut(seen.hour * 2 + usize::from(seen.is_weekend)) {
                    cell.rows += 1.0;
                    cell.sum += seen.count;
                    cell.squares += seen.count * seen.count;
                }
            }
            cells.push(of_site);
            pace.step()?;
        }
        let rows_of = |site: &[Cell]| site.iter().map(|cell| cell.rows).sum::<f64>();
        let mut order: Vec<(&Arc<str>, &[Cell; HOURS * 2])> =
            grid.sites().iter().zip(&cells).filter(|(_, site)| rows_of(*site) > 0.0).collect();
        order.sort_by(|(name, site), (other_name, other)| {
            rows_of(*other).total_cmp(&rows_of(*site)).then_with(|| name.cmp(other_name))
        });
        let labels = order.iter().map(|(name, _)| name.to_string()).collect();
        let mut points = Vec::new();
        for (index, (_, site)) in order.iter().enumerate() {
            for (place, cell) in site.iter().enumerate().filter(|(_, cell)| cell.rows > 0.0) {
                points.push(([index as f64, (place / 2) as f64, (place % 2) as f64], *cell));
            }
        }
        Ok(Self::solve(labels, &points))
    }

    fn solve(labels: Vec<String>, points: &[([f64; FEATURES], Cell)]) -> Self {
        let total: f64 = points.iter().map(|(_, cell)| cell.rows).sum();
        let mean = points.iter().map(|(_, cell)| cell.sum).sum::<f64>() / total.max(1.0);
        let varying = independent_features(points, total);
        let (coefficients, intercept) = least_squares(points, &varying).unwrap_or(([0.0; FEATURES], mean));
        let mut model = Self { labels, coefficients, intercept, rmse: 0.0, r2: 0.0 };
        let (mut errors, mut variance) = (0.0, 0.0);
        for (features, cell) in points {
            let predicted = model.line(*features);
            // Within the cell and between the cell and the line.
            let own = cell.sum / cell.rows;
            let within = (cell.squares - cell.sum * own).max(0.0);
            errors += within + cell.rows * (own - predicted) * (own - predicted);
            variance += within + cell.rows * (own - mean) * (own - mean);
        }
        model.rmse = (errors / total.max(1.0)).sqrt();
        model.r2 = if variance > 0.0 { 1.0 - errors / variance } else { 0.0 };
        model
    }

    fn line(&self, features: [f64; FEATURES]) -> f64 {
        self.coefficients.iter().zip(features).map(|(coefficient, value)| coefficient * value).sum::<f64>()
            + self.intercept
    }

    /// The line's value, which may be negative; for an unknown checkpoint, that of the middle index.
    pub fn predict(&self, index: Option<usize>, hour: u8, is_weekend: bool) -> f64 {
        let index = index.map_or((self.labels.len() as f64 - 1.0).max(0.0) / 2.0, |index| index as f64);
        self.line([index, f64::from(hour), f64::from(u8::from(is_weekend))])
    }

    /// The index of each checkpoint.
    pub fn indices(&self) -> FxHashMap<&str, usize> {
        self.labels.iter().enumerate().map(|(index, label)| (label.as_str(), index)).collect()
    }

    /// Whether all its numbers are finite.
    pub(super) fn is_sound(&self) -> bool {
        self.coefficients.iter().chain([&self.intercept, &self.rmse, &self.r2]).all(|number| number.is_finite())
    }
}

/// The features that are neither constant nor explained by those before them.
fn independent_features(points: &[([f64; FEATURES], Cell)], total: f64) -> Vec<usize> {
    let mut basis: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for feature in 0..FEATURES {
        let value = |features: &[f64; FEATURES]| features.get(feature).copied().unwrap_or_default();
        let mean = points.iter().map(|(features, cell)| value(features) * cell.rows).sum::<f64>() / total.max(1.0);
        let mut column: Vec<f64> =
            points.iter().map(|(features, cell)| (value(features) - mean) * cell.rows.sqrt()).collect();
        let length = norm(&column);
        if length <= COLLINEAR {
            continue;
        }
        for other in basis.values() {
            let along: f64 = column.iter().zip(other).map(|(a, b)| a * b).sum();
            column.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
        }
        let left = norm(&column);
        if left > COLLINEAR * length {
            column.iter_mut().for_each(|value| *value /= left);
            basis.insert(feature, column);
        }
    }
    basis.into_keys().collect()
}

fn norm(column: &[f64]) -> f64 {
    column.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Weighted least squares by QR, each row and its intercept scaled by the root of its weight.
fn least_squares(points: &[([f64; FEATURES], Cell)], features: &[usize]) -> Option<([f64; FEATURES], f64)> {
    let columns = features.len() + 1;
    if points.len() < columns {
        return None;
    }
    let row = |(values, cell): &([f64; FEATURES], Cell)| {
        let weight = cell.rows.sqrt();
        let picked: Vec<f64> =
            features.iter().filter_map(|feature| values.get(*feature)).map(|value| value * weight).collect();
        picked.into_iter().chain([weight])
    };
    let records = Array2::from_shape_vec((points.len(), columns), points.iter().flat_map(row).collect()).ok()?;
    let targets: Array1<f64> = points.iter().map(|(_, cell)| cell.sum / cell.rows * cell.rows.sqrt()).collect();
    let fitted = LinearRegression::new().with_intercept(false).fit(&Dataset::new(records, targets)).ok()?;
    let (intercept, slopes) = fitted.params().as_slice()?.split_last()?;
    let mut coefficients = [0.0; FEATURES];
    for (feature, slope) in features.iter().zip(slopes) {
        if let Some(coefficient) = coefficients.get_mut(*feature) {
            *coefficient = *slope;
        }
    }
    let sound = coefficients.iter().chain([intercept]).all(|number| number.is_finite());
    sound.then_some((coefficients, *intercept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::calendar::Calendar;
    use crate::predict::grid::GridBuilder;
    use crate::predict::table::read_table;

    fn close(what: &str, found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-8 * expected.abs(), "{what}: {found}, but Spark has {expected}");
    }

    /// `data/spark_lr/expected.json` was written by pyspark from the same file.
    #[test]
    fn agrees_with_spark_to_a_relative_hundred_millionth() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/spark_lr");
        let file = std::fs::File::open(root.join("train.csv")).unwrap();
        let table = read_table(file, |_| {}).unwrap();
        assert_eq!(table.bad.total, 0);
        let expected: serde_json::Value =
            serde_json::from_slice(&std::fs::read(root.join("expected.json")).unwrap()).unwrap();
        let (grid, repeated) = table.rows.finish(&Calendar::default());
        assert!(repeated.is_empty());
        assert_eq!(grid.observed() as u64, expected["rows"].as_u64().unwrap());
        let model = SparkLinear::fit(&grid, grid.days(), &Pace::full()).unwrap();

        let labels: Vec<String> = serde_json::from_value(expected["labels"].clone()).unwrap();
        assert_eq!(model.labels, labels);
        for (place, coefficient) in model.coefficients.iter().enumerate() {
            close("a coefficient", *coefficient, expected["coefficients"][place].as_f64().unwrap());
        }
        close("the intercept", model.intercept, expected["intercept"].as_f64().unwrap());
        close("RMSE", model.rmse, expected["rmse"].as_f64().unwrap());
        close("R²", model.r2, expected["r2"].as_f64().unwrap());
        let indices = model.indices();
        for row in expected["predictions"].as_array().unwrap() {
            let index = indices.get(row["KKMC"].as_str().unwrap()).copied();
            let hour = row["hour"].as_u64().unwrap() as u8;
            let predicted = model.predict(index, hour, row["is_weekend"].as_u64() == Some(1));
            close("a prediction", predicted, row["prediction"].as_f64().unwrap());
        }
    }

    fn fit(rows: &[(&str, u8, bool, f64)]) -> SparkLinear {
        let mut builder = GridBuilder::default();
        for (name, hour, weekend, count) in rows {
            let site = builder.site(name).unwrap();
            builder.add_undated(site, *hour, *weekend, *count, 1);
        }
        let (grid, _) = builder.finish(&Calendar::default());
        SparkLinear::fit(&grid, grid.days(), &Pace::full()).unwrap()
    }

    #[test]
    fn ties_of_frequency_go_by_name() {
        let rows = [("b", 0, false, 1.0), ("c", 0, false, 1.0), ("c", 1, false, 1.0), ("a", 0, false, 1.0)];
        assert_eq!(fit(&rows).labels, ["c", "a", "b"]);
    }

    #[test]
    fn degenerate_tables_give_a_sound_line() {
        // One row; a constant target; the weekend flag a copy of the index.
        let one = fit(&[("a", 5, false, 7.0)]);
        assert_eq!((one.coefficients, one.intercept, one.r2), ([0.0; 3], 7.0, 0.0));
        let constant = fit(&[("a", 5, false, 7.0), ("a", 6, true, 7.0), ("b", 6, false, 7.0)]);
        assert!(constant.is_sound() && (constant.predict(Some(0), 23, true) - 7.0).abs() < 1e-9);
        let collinear = fit(&[("a", 0, false, 1.0), ("a", 1, false, 2.0), ("b", 0, true, 5.0), ("b", 1, true, 6.0)]);
        assert!(collinear.is_sound() && collinear.coefficients[2] == 0.0, "{collinear:?}");
        assert!((collinear.predict(Some(1), 1, true) - 6.0).abs() < 1e-9);
        assert!(fit(&[]).is_sound());
    }
}
