//! Files that the command creates.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use traffic::Checkpoint;

pub(super) fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| {
        format!("cannot create {}: check that its folder exists and can be written to", path.display())
    })
}

/// Writes the columns that [`traffic::Catalogue::parse_csv`] reads.
pub(super) fn write_checkpoints(checkpoints: &[Checkpoint], path: &Path) -> Result<()> {
    let name = || format!("cannot write to {}", path.display());
    let degrees = |value: Option<f64>| value.map(|degrees| degrees.to_string()).unwrap_or_default();
    let mut writer = csv::Writer::from_writer(create(path)?);
    writer.write_record(["code", "kkmc", "label", "xzqhmc", "road", "lon", "lat"]).with_context(name)?;
    for it in checkpoints {
        let (lon, lat) = (degrees(it.lon), degrees(it.lat));
        let record = [&it.code, &it.name, &it.label, &it.district, &it.road, &lon, &lat];
        writer.write_record(record).with_context(name)?;
    }
    writer.flush().with_context(name)
}
