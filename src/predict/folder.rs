//! The model folder: `model.bin` and `metadata.json`, which can be copied to another machine and loaded there. It does not know how a
//! model is learnt or served.
//!
//! Each file is replaced whole. `model.bin` is written first, and `metadata.json` names its size and checksum, so that
//! a folder caught between the two is detected.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::Kind;
use super::evaluate::Evaluation;
use super::model::{FlowModel, ModelError};
use super::seasonal::Options;
use super::train::{Trained, no_evaluation};

/// The model.
pub(super) const MODEL: &str = "model.bin";
/// What people and programs may want to know about it.
pub(super) const METADATA: &str = "metadata.json";
/// The kind of [`Origin`] of what Spark learnt.
pub(super) const PIPELINE: &str = "pipeline";
const IMPORTED: &str =
    "it was learnt by Spark and imported: its test is not known, and intervals are assumed, not measured";
/// The layout of the folder that this program writes.
const FORMAT: u32 = 1;
/// Larger files are not read, and not written.
const MAX_MODEL_BYTES: u64 = storage::codec::MAX_VALUE as u64;
const MAX_METADATA_BYTES: u64 = 1 << 20;

/// What a model learnt from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `csv`, `counters` or `pipeline`.
    pub kind: String,
    /// The file, the data directory, or the folder of Spark and its version.
    pub path: String,
    /// Counts that were used.
    pub rows: u64,
    /// Rows that were refused.
    pub rejected: u64,
}

/// `metadata.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Layout of the folder.
    pub format: u32,
    /// Time of training and checksum of the model.
    pub version: String,
    /// The best model, or the one that was pinned.
    pub kind: Kind,
    /// UTC.
    pub trained_at: String,
    /// The time of training in seconds since 1970.
    pub trained_at_unix: i64,
    /// What it learnt from.
    pub trained_from: Origin,
    /// How many checkpoints it knows.
    pub checkpoints: u64,
    /// First hour that it learnt from, `YYYY-MM-DD HH:MM:SS`; none where rows have no date.
    pub first: Option<String>,
    /// Last hour that it learnt from.
    pub last: Option<String>,
    /// Hours between them in which something was counted.
    pub hours: u64,
    /// Holidays and worked weekends in its calendar.
    pub holidays: u64,
    /// Share of the counts that an interval is to hold.
    pub interval: f64,
    /// Held-out hours that its intervals were measured on; 0 if they are assumed.
    pub interval_samples: u64,
    /// What was chosen for `seasonal`.
    pub options: Options,
    /// Label order, coefficients and so on of `spark-linear`.
    pub spark: SparkSummary,
    /// The test; none if there were too few days.
    pub evaluation: Option<Evaluation>,
    /// Why there is no test.
    pub note: Option<String>,
    /// Size of `model.bin`.
    pub model_bytes: u64,
    /// XXH3 of `model.bin`, 16 hexadecimal digits.
    pub model_xxh3: String,
    /// Version of the program that trained it.
    pub program: String,
}

/// `spark-linear` in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SparkSummary {
    /// Of index, hour and is_weekend.
    pub coefficients: [f64; 3],
    /// The constant term.
    pub intercept: f64,
    /// On the rows that it learnt from; none if it was learnt elsewhere.
    pub rmse: Option<f64>,
    /// On the rows that it learnt from; none if it was learnt elsewhere.
    pub r2: Option<f64>,
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no model in it.
    #[error("there is no {file} in {}", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file that is not there.
        file: &'static str,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file is damaged, or of a newer program.
    #[error("{} cannot be used: {why}; train the model again, or copy both files of its folder again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Writes a model into `folder`, which is made if need be. `now` is the time in seconds since 1970, UTC.
///
/// # Errors
/// [`FolderError::Io`] if a file cannot be written.
pub fn save(folder: &Path, trained: &Trained, origin: Origin, now: i64) -> Result<Metadata, FolderError> {
    let path = folder.join(MODEL);
    let senseless = |error: ModelError| FolderError::Damaged { path: path.clone(), why: error.to_string() };
    let bytes = trained.model.encode().map_err(senseless)?;
    // A model that could not be loaded again is not written.
    FlowModel::decode(&bytes).map_err(senseless)?;
    let metadata = metadata_of(trained, origin, now, &bytes);
    let json = serde_json::to_vec_pretty(&metadata)
        .map_err(|error| FolderError::Damaged { path: folder.join(METADATA), why: error.to_string() })?;
    if json.len() as u64 >= MAX_METADATA_BYTES {
        let why = format!("it would be larger than {MAX_METADATA_BYTES} bytes, which is not read");
        return Err(FolderError::Damaged { path: folder.join(METADATA), why });
    }
    std::fs::create_dir_all(folder).map_err(|error| FolderError::Io {
        action: "make",
        path: folder.to_owned(),
        error,
    })?;
    replace(&path, &bytes)?;
    replace(&folder.join(METADATA), &[json.as_slice(), b"\n"].concat())?;
    Ok(metadata)
}

/// What is to be known of a model whose file holds `bytes`.
pub(super) fn metadata_of(trained: &Trained, origin: Origin, now: i64, bytes: &[u8]) -> Metadata {
    let Trained { model, evaluation, options } = trained;
    let checksum = xxh3_64(bytes);
    let time = jiff::Timestamp::from_second(now).unwrap_or_default();
    let hour = |hour: i64| model.is_dated.then(|| traffic::CivilTime(hour * 3600).to_string());
    let bounds = model.bounds_of(model.kind);
    let is_imported = origin.kind == PIPELINE;
    let measured = |number: f64| (!is_imported).then_some(number);
    Metadata {
        format: FORMAT,
        version: format!("{}-{:08x}", time.strftime("%Y%m%dT%H%M%SZ"), checksum >> 32),
        kind: model.kind,
        trained_at: time.to_string(),
        trained_at_unix: now,
        trained_from: origin,
        checkpoints: model.sites.len() as u64,
        first: hour(model.first_hour),
        last: hour(model.last_hour),
        hours: model.hours,
        holidays: model.calendar.len() as u64,
        interval: bounds.checkpoint.nominal(),
        interval_samples: bounds.checkpoint.samples(),
        options: *options,
        spark: SparkSummary {
            coefficients: model.spark.coefficients,
            intercept: model.spark.intercept,
            rmse: measured(model.spark.rmse),
            r2: measured(model.spark.r2),
        },
        note: evaluation.is_none().then(|| if is_imported { IMPORTED.to_owned() } else { no_evaluation() }),
        evaluation: evaluation.clone(),
        model_bytes: bytes.len() as u64,
        model_xxh3: format!("{checksum:016x}"),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Reads the model in `folder`.
///
/// # Errors
/// [`FolderError`] if there is none, or it is damaged or of a newer program.
pub fn load(folder: &Path) -> Result<(FlowModel, Metadata), FolderError> {
    let text = read(folder, METADATA, MAX_METADATA_BYTES)?;
    let damaged = |file: &str, why: String| Err(FolderError::Damaged { path: folder.join(file), why });
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    match serde_json::from_slice::<Format>(&text) {
        Ok(Format { format }) if format > FORMAT => {
            return damaged(METADATA, format!("its format {format} is newer than {FORMAT}, which this program knows"));
        }
        Ok(_) => {}
        Err(error) => return damaged(METADATA, format!("it is no metadata of a model ({error})")),
    }
    // With the path of the field that does not fit: people write into this file.
    let metadata: Metadata = match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&text)) {
        Ok(metadata) => metadata,
        Err(error) => return damaged(METADATA, format!("it is no metadata of a model ({error})")),
    };
    let bytes = read(folder, MODEL, MAX_MODEL_BYTES)?;
    let model = match FlowModel::decode(&bytes) {
        Ok(model) => model,
        Err(error) => return damaged(MODEL, error.to_string()),
    };
    if metadata.model_xxh3 != format!("{:016x}", xxh3_64(&bytes)) {
        return damaged(METADATA, format!("it belongs to another {MODEL} than the one beside it"));
    }
    Ok((model, metadata))
}

fn read(folder: &Path, file: &'static str, most: u64) -> Result<Vec<u8>, FolderError> {
    let path = folder.join(file);
    let mut bytes = Vec::new();
    let result = File::open(&path).and_then(|open| open.take(most + 1).read_to_end(&mut bytes));
    match result {
        Ok(read) if read as u64 > most => {
            Err(FolderError::Damaged { path, why: format!("it is larger than {most} bytes") })
        }
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(FolderError::Missing { folder: folder.to_owned(), file })
        }
        Err(error) => Err(FolderError::Io { action: "read", path, error }),
    }
}

/// Replaces a file whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let mut part = path.as_os_str().to_owned();
    // A fixed name: the file of a killed process is replaced, and none accumulate.
    part.push(".part");
    let write = || {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|error| FolderError::Io { action: "write", path: path.to_owned(), error })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::predict::calendar::{Calendar, SLOTS};
    use crate::predict::model::{Bounds, Site};
    use crate::predict::nowcast::Nowcast;
    use crate::predict::spark::SparkLinear;

    /// A small model with simple numbers.
    pub(in crate::predict) fn model() -> FlowModel {
        FlowModel {
            kind: Kind::Seasonal,
            is_dated: true,
            first_hour: 473_352,
            last_hour: 474_023,
            hours: 672,
            sites: vec![Site { name: "S250_Pizhou_Sulu".to_owned(), level: 1.25, hours: 672, most: 300.0 }],
            rates: (0..SLOTS).map(|slot| slot as f32).collect(),
            typical: (0..SLOTS).map(|slot| slot as f32 / 2.0).collect(),
            calendar: Calendar::parse_csv("date,kind\n2024-02-10,holiday\n2024-02-04,workday\n").unwrap(),
            spark: SparkLinear {
                labels: vec!["S250_Pizhou_Sulu".to_owned()],
                coefficients: [0.0, 2.5, -30.0],
                intercept: 80.0,
                rmse: 10.0,
                r2: 0.5,
            },
            seasonal_bounds: Bounds::assumed(0.75),
            spark_bounds: Bounds::assumed(0.75),
            weeks: (0..SLOTS).map(|slot| slot as f32 * 1.25).collect(),
            weeks_bounds: Bounds::assumed(0.75),
            blend_bounds: Bounds::assumed(0.75),
            nowcast: Nowcast::default(),
        }
    }

    pub(in crate::predict) fn saved(folder: &Path, now: i64) -> Metadata {
        let trained = Trained { model: model(), evaluation: None, options: Options::DEFAULT };
        let origin = Origin { kind: "csv".to_owned(), path: "table.csv".to_owned(), rows: 672, rejected: 3 };
        save(folder, &trained, origin, now).unwrap()
    }

    #[test]
    fn a_folder_is_loaded_wherever_it_is_copied() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let metadata = saved(&first.path().join("deep/down"), 1_704_165_300);
        assert!(metadata.version.starts_with("20240102T031500Z-"), "{}", metadata.version);
        assert_eq!(metadata.first.as_deref(), Some("2024-01-01 00:00:00"));
        for file in [MODEL, METADATA] {
            std::fs::copy(first.path().join("deep/down").join(file), second.path().join(file)).unwrap();
        }
        let (loaded, again) = load(second.path()).unwrap();
        assert_eq!((loaded, again), (model(), metadata));
        assert_eq!(std::fs::read_dir(second.path()).unwrap().count(), 2);
    }

    #[track_caller]
    fn refused(folder: &Path, parts: &[&str]) {
        let error = load(folder).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        refused(folder.path(), &["there is no metadata.json in"]);
        saved(folder.path(), 1_704_165_300);
        let [model, metadata] = [MODEL, METADATA].map(|file| folder.path().join(file));
        let [bytes, json] = [&model, &metadata].map(|file| std::fs::read(file).unwrap());

        let mut damaged = bytes.clone();
        damaged[100] ^= 1;
        std::fs::write(&model, &damaged).unwrap();
        refused(folder.path(), &["model.bin cannot be used", "checksum", "copy both files"]);
        std::fs::write(&model, &bytes[..50]).unwrap();
        refused(folder.path(), &["model.bin cannot be used"]);
        std::fs::remove_file(&model).unwrap();
        refused(folder.path(), &["there is no model.bin in"]);

        // Another valid model, beside the metadata of the first.
        let other = FlowModel { hours: 1, ..super::tests::model() };
        std::fs::write(&model, other.encode().unwrap()).unwrap();
        refused(folder.path(), &["metadata.json cannot be used", "belongs to another model.bin"]);
        std::fs::write(&model, &bytes).unwrap();

        let text = String::from_utf8(json).unwrap();
        std::fs::write(&metadata, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
        refused(folder.path(), &["metadata.json", "format 2 is newer than 1"]);
        std::fs::write(&metadata, text.replace("\"rejected\": 3", "\"rejected\": \"three\"")).unwrap();
        refused(folder.path(), &["metadata.json", "trained_from.rejected: invalid type: string"]);
        std::fs::write(&metadata, "{}").unwrap();
        refused(folder.path(), &["metadata.json", "no metadata of a model"]);
        std::fs::write(&metadata, text).unwrap();
        load(folder.path()).unwrap();
    }
}
