//! A pipeline of Spark as a model that is served. It learnt elsewhere: how many hours from, and how well, is not known, so intervals are
//! assumed, and nothing is ever corrected by the last hours.

use std::path::Path;

use super::Kind;
use super::calendar::{Calendar, DayClass, HOURS, SLOTS};
use super::folder::{Metadata, Origin, PIPELINE, metadata_of};
use super::grid::{MAX_COUNT, MAX_SITES};
use super::model::{Bounds, FlowModel, ModelError, Site};
use super::nowcast::Nowcast;
use super::pipeline_folder::{PipelineError, SavedPipeline};
use super::seasonal::Options;
use super::spark::SparkLinear;
use super::train::Trained;

/// Share of the counts that the assumed intervals are to hold.
const NOMINAL: f64 = 0.8;
/// A checkpoint is known as well as by a week of its own hours.
const HOURS_OF_A_WEEK: u32 = 7 * HOURS as u32;

/// A pipeline that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder cannot be read.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// It knows more checkpoints than can be served.
    #[error("it knows {0} checkpoints, and {MAX_SITES} can be served")]
    TooMany(usize),
    /// Its numbers do not form a model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// A pipeline as a model.
#[derive(Debug)]
pub struct Imported {
    /// The model.
    pub trained: Trained,
    /// From where it is.
    pub origin: Origin,
    /// When it was saved, in seconds since 1970.
    pub saved_at: i64,
    /// The column that it learnt to predict, as far as the folder says.
    pub label: Option<String>,
    /// The columns that it predicts from, in the order of its coefficients.
    pub features: [String; 3],
}

/// The model of the pipeline in `folder`, and from where it is.
///
/// # Errors
/// [`ImportError`].
pub fn import(folder: &Path) -> Result<Imported, ImportError> {
    let mut pipeline = SavedPipeline::read(folder)?;
    if pipeline.labels.len() > MAX_SITES {
        return Err(ImportError::TooMany(pipeline.labels.len()));
    }
    let path = format!("{} (Spark {})", folder.display(), pipeline.spark);
    let origin = Origin { kind: PIPELINE.to_owned(), path, rows: 0, rejected: 0 };
    let saved_at = pipeline.saved_at;
    let (label, features) = (pipeline.label.take(), std::mem::take(&mut pipeline.features));
    let trained = Trained { model: model(pipeline), evaluation: None, options: Options::DEFAULT };
    trained.model.check()?;
    Ok(Imported { trained, origin, saved_at, label, features })
}

/// The same, as it is served from where it is.
///
/// # Errors
/// [`ImportError`].
pub(super) fn served(folder: &Path) -> Result<(FlowModel, Metadata), ImportError> {
    let Imported { trained, origin, saved_at, .. } = import(folder)?;
    let bytes = trained.model.encode()?;
    let metadata = metadata_of(&trained, origin, saved_at, &bytes);
    Ok((trained.model, metadata))
}

fn model(pipeline: SavedPipeline) -> FlowModel {
    let SavedPipeline { labels, coefficients, intercept, .. } = pipeline;
    // How many a road can carry is not known here, so nothing that the line says is cut.
    let site = |name: &String| Site { name: name.clone(), level: 1.0, hours: HOURS_OF_A_WEEK, most: MAX_COUNT };
    let sites: Vec<Site> = labels.iter().map(site).collect();
    let spark = SparkLinear { labels, coefficients, intercept, rmse: 0.0, r2: 0.0 };
    let slots = |index: Option<usize>| -> Vec<f32> {
        let flow = |class: DayClass, hour: usize| spark.predict(index, hour as u8, class.is_rest()).max(0.0) as f32;
        DayClass::all().flat_map(|class| (0..HOURS).map(move |hour| (class, hour))).map(|(c, h)| flow(c, h)).collect()
    };
    // The other kinds, should one of them be pinned, say the same.
    let rates: Vec<f32> = (0..sites.len()).flat_map(|index| slots(Some(index))).collect();
    let typical = slots(None);
    debug_assert_eq!((typical.len(), rates.len()), (SLOTS, sites.len() * SLOTS));
    let bounds = || Bounds::assumed(NOMINAL);
    FlowModel {
        kind: Kind::SparkLinear,
        is_dated: false,
        first_hour: 0,
        last_hour: 0,
        hours: 0,
        sites,
        weeks: rates.clone(),
        rates,
        typical,
        calendar: Calendar::default(),
        spark,
        seasonal_bounds: bounds(),
        spark_bounds: bounds(),
        weeks_bounds: bounds(),
        blend_bounds: bounds(),
        nowcast: Nowcast::default(),
    }
}
