//! The folder of `--truth-dir`: everything that is true about traffic on real roads.
//!
//! `truth.tsv` has one row for each line, without a header: GCXH, number of the vehicle, its plate, the true Unix time in
//! seconds, and `clone`, `twin` or `-`. `cameras.tsv`, `roads.tsv`, `incidents.tsv` and `plates.tsv` have headers, and
//! `checkpoints.csv` is as `replay --checkpoints` takes it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use traffic::CivilTime;

use super::files::{create, write_checkpoints};
use crate::source::simulator::Simulator;

/// Names of the files.
pub(super) const FILES: [&str; 6] = [PASSAGES, CAMERAS, ROADS, INCIDENTS, PLATES, CHECKPOINTS];
const PASSAGES: &str = "truth.tsv";
const CAMERAS: &str = "cameras.tsv";
const ROADS: &str = "roads.tsv";
const INCIDENTS: &str = "incidents.tsv";
const PLATES: &str = "plates.tsv";
const CHECKPOINTS: &str = "checkpoints.csv";

/// Milliseconds by which the civil time of the road is ahead of UTC: China Standard Time, without summer time since 1991.
const CIVIL_AHEAD_MS: i64 = 8 * 3_600_000;
/// Incidents are written this many seconds at a time.
const HOUR: i64 = 3600;

/// The open folder.
pub(super) struct TruthFolder {
    passages: BufWriter<File>,
    passages_path: PathBuf,
    incidents: csv::Writer<File>,
    incidents_path: PathBuf,
    /// Incidents that begin before this are written.
    incidents_until: CivilTime,
}

impl TruthFolder {
    /// Creates the folder and writes what does not change.
    ///
    /// # Errors
    /// A folder or file that cannot be created or written.
    pub(super) fn create(dir: &Path, simulator: &mut Simulator) -> Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create the folder {}", dir.display()))?;
        write_checkpoints(simulator.checkpoints(), &dir.join(CHECKPOINTS))?;
        write_table(simulator.camera_facts(), &dir.join(CAMERAS))?;
        write_table(simulator.road_facts(), &dir.join(ROADS))?;
        write_table(simulator.plate_facts(), &dir.join(PLATES))?;
        let [passages_path, incidents_path] = [PASSAGES, INCIDENTS].map(|name| dir.join(name));
        Ok(Self {
            passages: BufWriter::new(create(&passages_path)?),
            incidents: table(&incidents_path)?,
            // Those that hold at the start began up to two hours before.
            incidents_until: CivilTime(simulator.next_due() / 1000 - 2 * HOUR),
            passages_path,
            incidents_path,
        })
    }

    /// Appends what has become known.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn append(&mut self, simulator: &mut Simulator) -> Result<()> {
        let name = || format!("cannot write to {}", self.passages_path.display());
        for it in simulator.take_passages() {
            let (plate, unix_ms) = (&it.plate, it.at_ms - CIVIL_AHEAD_MS);
            let (seconds, ms) = (unix_ms.div_euclid(1000), unix_ms.rem_euclid(1000));
            writeln!(self.passages, "{}\t{}\t{plate}\t{seconds}.{ms:03}\t{}", it.gcxh, it.vehicle, it.kind)
                .with_context(name)?;
        }
        self.passages.flush().with_context(name)?;
        let now = CivilTime(simulator.next_due() / 1000);
        let name = || format!("cannot write to {}", self.incidents_path.display());
        for incident in simulator.incident_facts(self.incidents_until, now) {
            self.incidents.serialize(incident).with_context(name)?;
        }
        self.incidents_until = self.incidents_until.max(now);
        self.incidents.flush().with_context(name)
    }
}

fn table(path: &Path) -> Result<csv::Writer<File>> {
    Ok(csv::WriterBuilder::new().delimiter(b'\t').from_writer(create(path)?))
}

fn write_table<T: Serialize>(rows: Vec<T>, path: &Path) -> Result<()> {
    let name = || format!("cannot write to {}", path.display());
    let mut writer = table(path)?;
    for row in rows {
        writer.serialize(row).with_context(name)?;
    }
    writer.flush().with_context(name)
}
