//! The folder that `PipelineModel.save` of Apache Spark wrote: StringIndexer, VectorAssembler and LinearRegression, of Spark 2.4 to
//! 4. It reads and judges it; it writes nothing and serves nothing.
//!
//! | file | what is read |
//! |---|---|
//! | `metadata/part-*` | one line of JSON: the class, and `stageUids` in their order |
//! | `stages/N_UID/metadata/part-*` | class and parameters of a stage |
//! | `stages/N_UID/data/part-*.parquet` | what it learnt: `labels` (2.4) or `labelsArray` (3 and later); `coefficients`, a vector of `org.apache.spark.ml.linalg`, and `intercept` |
//!
//! Source: Spark's `Pipeline.SharedReadWrite`, `StringIndexerModel`, `LinearRegressionModel` and `VectorUDT`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Files beyond this are not of a model of some thousand checkpoints.
const MAX_BYTES: u64 = 16 << 20;
/// Features in the order of [`super::spark::SparkLinear`], beside the index.
const HOUR: &str = "hour";
const WEEKEND: &str = "is_weekend";
/// The column that StringIndexer numbers.
const CHECKPOINT: &str = "KKMC";
const EXPECTED: &str = "StringIndexer of KKMC, VectorAssembler of its index, hour and is_weekend, and LinearRegression";

/// What a folder of Spark holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPipeline {
    /// Checkpoints in the order of their index.
    pub labels: Vec<String>,
    /// Of index, hour and is_weekend.
    pub coefficients: [f64; 3],
    /// The constant term.
    pub intercept: f64,
    /// When it was saved, in seconds since 1970.
    pub saved_at: i64,
    /// The version of Spark.
    pub spark: String,
    /// The column that it learnt to predict, as far as its parameters say.
    pub label: Option<String>,
    /// What its features are called, in the order of the coefficients.
    pub features: [String; 3],
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is damaged, or something else.
    #[error("{} is not what PipelineModel.save writes: {why}; copy the whole folder again", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is a pipeline that does not predict flow by checkpoint and hour.
    #[error("this pipeline is another one: {0}; it must be {EXPECTED}")]
    Another(String),
}

/// `metadata` of a pipeline or a stage.
#[derive(Debug, Deserialize)]
struct About {
    class: String,
    timestamp: i64,
    #[serde(rename = "sparkVersion")]
    spark: String,
    #[serde(rename = "paramMap")]
    params: Map<String, Value>,
    /// Since Spark 3.
    #[serde(rename = "defaultParamMap", default)]
    defaults: Map<String, Value>,
}

impl About {
    fn param(&self, name: &str) -> Option<&Value> {
        self.params.get(name).or_else(|| self.defaults.get(name)).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.param(name).and_then(Value::as_str)
    }

    /// A parameter that is one text, or a list of texts under another name.
    /// What was set comes before what is the default: an output has a name of its own by default.
    fn texts(&self, one: &str, several: &str) -> Vec<&str> {
        in_map(&self.params, one, several).or_else(|| in_map(&self.defaults, one, several)).unwrap_or_default()
    }
}

fn in_map<'a>(map: &'a Map<String, Value>, one: &str, several: &str) -> Option<Vec<&'a str>> {
    match (map.get(one).and_then(Value::as_str), map.get(several).and_then(Value::as_array)) {
        (Some(text), _) => Some(vec![text]),
        (None, Some(all)) => Some(all.iter().filter_map(Value::as_str).collect()),
        (None, None) => None,
    }
}

impl SavedPipeline {
    /// Whether a folder looks like one of Spark.
    pub fn is_at(folder: &Path) -> bool {
        folder.join("metadata").is_dir() && folder.join("stages").is_dir()
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`PipelineError`].
    pub fn read(folder: &Path) -> Result<Self, PipelineError> {
        let about = about(folder)?;
        if about.class != "org.apache.spark.ml.PipelineModel" {
            return Err(PipelineError::Another(format!("its class is {}", about.class)));
        }
        let uids = about.texts("stageUid", "stageUids");
        let (mut indexer, mut assembler, mut line) = (None, None, None);
        for (number, uid) in uids.iter().enumerate() {
            let stage = stage_folder(folder, number, uids.len(), uid);
            let stage_about = self::about(&stage)?;
            let slot = match stage_about.class.rsplit('.').next() {
                Some("StringIndexerModel") => &mut indexer,
                Some("VectorAssembler") => &mut assembler,
                Some("LinearRegressionModel") => &mut line,
                _ => return Err(PipelineError::Another(format!("stage {} is a {}", number + 1, stage_about.class))),
            };
            if slot.replace((stage, stage_about)).is_some() {
                return Err(PipelineError::Another(format!("stage {} is there twice", number + 1)));
            }
        }
        let (Some(indexer), Some((_, assembler)), Some(line)) = (indexer, assembler, line) else {
            return Err(PipelineError::Another(format!("it has {} stages", uids.len())));
        };
        let (labels, index) = labels(&indexer)?;
        let places = places(&assembler, &index)?;
        let inputs = assembler.texts("inputCol", "inputCols");
        let names = places.map(|place| inputs.get(place).copied().unwrap_or_default().to_owned());
        let features = line.1.text("featuresCol").unwrap_or("features");
        if assembler.text("outputCol").is_some_and(|assembled| assembled != features) {
            return Err(PipelineError::Another(format!("LinearRegression reads {features}, which is not assembled")));
        }
        let (vector, intercept) = learnt_line(&line.0)?;
        if vector.len() != places.len() {
            let why = format!("there are {} coefficients for {} features", vector.len(), places.len());
            return Err(damaged(&line.0, why));
        }
        let coefficients = places.map(|place| vector.get(place).copied().unwrap_or(f64::NAN));
        if !coefficients.iter().chain([&intercept]).all(|number| number.is_finite()) {
            return Err(damaged(&line.0, "a coefficient is no number".to_owned()));
        }
        let saved_at = about.timestamp.div_euclid(1_000);
        let label = line.1.text("labelCol").map(str::to_owned);
        Ok(Self { labels, coefficients, intercept, saved_at, spark: about.spark, label, features: names })
    }
}

/// Spark pads the number of a stage to the width of the largest.
fn stage_folder(folder: &Path, number: usize, stages: usize, uid: &str) -> PathBuf {
    let width = stages.to_string().len();
    folder.join("stages").join(format!("{number:0width$}_{uid}"))
}

/// The labels of the indexer, and the name of its output.
fn labels((folder, about): &(PathBuf, About)) -> Result<(Vec<String>, String), PipelineError> {
    let (inputs, outputs) = (about.texts("inputCol", "inputCols"), about.texts("outputCol", "outputCols"));
    let place = inputs.iter().position(|name| name.eq_ignore_ascii_case(CHECKPOINT));
    let Some((place, output)) = place.and_then(|place| Some((place, outputs.get(place)?))) else {
        return Err(PipelineError::Another(format!("StringIndexer numbers {}", inputs.join(", "))));
    };
    let row = only_row(folder)?;
    let column = |name: &str| row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field);
    let labels = match (column("labels"), column("labelsArray")) {
        (Some(Field::ListInternal(labels)), _) => texts(labels.elements()),
        (None, Some(Field::ListInternal(all))) => match all.elements().get(place) {
            Some(Field::ListInternal(labels)) => texts(labels.elements()),
            _ => None,
        },
        _ => None,
    };
    let labels = labels.ok_or_else(|| damaged(folder, "it has no list of labels".to_owned()))?;
    if labels.is_empty() {
        return Err(damaged(folder, "it knows no checkpoint".to_owned()));
    }
    Ok((labels, (*output).to_owned()))
}

/// Where index, hour and is_weekend are among the features.
fn places(assembler: &About, index: &str) -> Result<[usize; 3], PipelineError> {
    let inputs = assembler.texts("inputCol", "inputCols");
    let another = || PipelineError::Another(format!("VectorAssembler takes {}", inputs.join(", ")));
    let place = |wanted: &str| inputs.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    match (inputs.len(), place(index), place(HOUR), place(WEEKEND)) {
        (3, Some(index), Some(hour), Some(weekend)) => Ok([index, hour, weekend]),
        _ => Err(another()),
    }
}

/// Coefficients and intercept of the line.
fn learnt_line(folder: &Path) -> Result<(Vec<f64>, f64), PipelineError> {
    let row = only_row(folder)?;
    let column = |name: &str| row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field);
    let wrong = |what: &str| damaged(folder, format!("it has no {what}"));
    let Some(Field::Double(intercept)) = column("intercept") else { return Err(wrong("intercept")) };
    let Some(Field::Group(vector)) = column("coefficients") else { return Err(wrong("coefficients")) };
    vector_of(vector).map(|vector| (vector, *intercept)).ok_or_else(|| wrong("coefficients"))
}

/// A vector as `VectorUDT` writes it: sparse (0) with size, indices and values, or dense (1) with values.
fn vector_of(row: &Row) -> Option<Vec<f64>> {
    let column = |name: &str| row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field);
    let Some(Field::ListInternal(values)) = column("values") else { return None };
    let number = |field: &Field| if let Field::Double(number) = field { Some(*number) } else { None };
    let values: Vec<f64> = values.elements().iter().map(number).collect::<Option<_>>()?;
    match column("type")? {
        Field::Byte(1) => Some(values),
        Field::Byte(0) => {
            let (Field::Int(size), Field::ListInternal(indices)) = (column("size")?, column("indices")?) else {
                return None;
            };
            let mut dense = vec![0.0; usize::try_from(*size).ok().filter(|size| *size <= 3)?];
            for (index, value) in indices.elements().iter().zip(&values) {
                let Field::Int(index) = index else { return None };
                *dense.get_mut(usize::try_from(*index).ok()?)? = *value;
            }
            (indices.len() == values.len()).then_some(dense)
        }
        _ => None,
    }
}

fn texts(fields: &[Field]) -> Option<Vec<String>> {
    fields.iter().map(|field| if let Field::Str(text) = field { Some(text.clone()) } else { None }).collect()
}

fn damaged(path: &Path, why: String) -> PipelineError {
    PipelineError::Damaged { path: path.to_owned(), why }
}

/// The metadata of a pipeline or stage: the first line of JSON in the parts of its folder.
fn about(folder: &Path) -> Result<About, PipelineError> {
    let folder = folder.join("metadata");
    for path in parts(&folder, |_| true)? {
        let bytes = read(&path)?;
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        if let Some(line) = lines.next() {
            return serde_json::from_slice(line).map_err(|error| damaged(&path, error.to_string()));
        }
    }
    Err(damaged(&folder, "no part of it has a line".to_owned()))
}

/// The row that a stage learnt: there is one.
fn only_row(folder: &Path) -> Result<Row, PipelineError> {
    let folder = folder.join("data");
    let mut only = None;
    for path in parts(&folder, |name| name.ends_with(".parquet"))? {
        let bytes = bytes::Bytes::from(read(&path)?);
        for row in rows(bytes).map_err(|why| damaged(&path, why))? {
            if only.replace(row).is_some() {
                return Err(damaged(&folder, "it has several rows".to_owned()));
            }
        }
    }
    only.ok_or_else(|| damaged(&folder, "it has no row".to_owned()))
}

/// The rows of a Parquet file. A damaged one may make its reader panic, so that runs apart.
fn rows(bytes: bytes::Bytes) -> Result<Vec<Row>, String> {
    let read = move || {
        let reader = SerializedFileReader::new(bytes)?;
        reader.get_row_iter(None)?.take(2).collect::<Result<Vec<_>, _>>()
    };
    match std::thread::spawn(read).join() {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it is no Parquet".to_owned()),
    }
}

/// The parts in a folder, in the order of their names.
fn parts(folder: &Path, is_meant: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, PipelineError> {
    let failed = |error| PipelineError::Io { path: folder.to_owned(), error };
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("part-") && is_meant(name) {
            parts.push(path);
        }
    }
    parts.sort();
    Ok(parts)
}

fn read(path: &Path) -> Result<Vec<u8>, PipelineError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| PipelineError::Io { path: path.to_owned(), error })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(damaged(path, format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}
