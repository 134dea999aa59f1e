//! A holder of the data, as far as a scope reaches.

use std::sync::Arc;

use tokio::sync::watch;
use traffic::{AlertId, Catalogue};

use super::hide;
use super::reach::Reach;
use super::snapshot::ScopedSnapshot;
use crate::cameras::CameraReport;
use crate::case_json::WorkedCase;
use crate::kept_proof::KeptProof;
use crate::reader::{ReadError, Reader, Snapshot};
use crate::roads::Roads;
use crate::status::Status;
use crate::work::{WorkChange, WorkError, WorkedAlert};

/// The data, as far as a scope reaches.
pub(super) struct ScopedReader {
    whole: Arc<dyn Reader>,
    reach: Arc<Reach>,
}

impl ScopedReader {
    pub(super) fn new(whole: Arc<dyn Reader>, reach: Arc<Reach>) -> Self {
        Self { whole, reach }
    }
}

impl Reader for ScopedReader {
    fn counts_at_once(&self) -> bool {
        self.whole.counts_at_once()
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(ScopedSnapshot::new(self.whole.snapshot(), self.reach.clone()))
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.whole.commits()
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.reach.catalogue().clone()
    }

    /// The state of the appliance is about no place, but for the clocks of checkpoints and samples of what was wrong.
    fn status(&self) -> Status {
        let mut status = self.whole.status();
        if let Some(detection) = &mut status.detection {
            detection.checkpoints.retain(|clock| self.reach.has(&clock.kkmc));
            detection.conflict_sample = None;
        }
        status.mirrors.iter_mut().for_each(|mirror| mirror.recently_refused.clear());
        status
    }

    fn cameras(&self) -> Result<CameraReport, ReadError> {
        let report = self.whole.cameras()?;
        let cameras = report.cameras.iter().filter(|camera| self.reach.has(&camera.kkmc)).cloned().collect();
        Ok(CameraReport { cameras, ..report })
    }

    /// Its numbers are about no place; the pairs are about plates everywhere.
    fn proof(&self) -> Result<Option<KeptProof>, ReadError> {
        let mut proof = self.whole.proof()?;
        if let Some(proof) = &mut proof {
            proof.report.pairs.clear();
        }
        Ok(proof)
    }

    /// Segments with both ends in reach.
    fn roads(&self) -> Result<Arc<Roads>, ReadError> {
        let whole = self.whole.roads()?;
        let inside = whole.all.iter().filter(|road| self.reach.has(&road.from) && self.reach.has(&road.to));
        Ok(Arc::new(Roads { state: whole.state, now: whole.now, all: inside.cloned().collect() }))
    }

    fn failure(&self) -> Option<String> {
        self.whole.failure()
    }

    fn change_work(&self, id: AlertId, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        self.snapshot().alert(id).map_err(unread)?.ok_or(WorkError::NotFound(id))?;
        let WorkedAlert { alert, work } = self.whole.change_work(id, change)?;
        let alert = hide::alert(&self.reach, alert).ok_or(WorkError::NotFound(id))?;
        Ok(WorkedAlert { alert, work })
    }

    fn change_case(&self, id: u64, change: &WorkChange) -> Result<WorkedCase, WorkError> {
        let no_case = || WorkError::NoCase(AlertId(id));
        self.snapshot().case(id).map_err(unread)?.ok_or_else(no_case)?;
        let WorkedCase { case, work } = self.whole.change_case(id, change)?;
        let case = hide::case(&self.reach, case).ok_or_else(no_case)?;
        Ok(WorkedCase { case, work })
    }
}

/// Whether it is in reach could not be read, so nothing was changed.
fn unread(error: ReadError) -> WorkError {
    match error {
        ReadError::Unsupported(who_can) => WorkError::Unsupported(who_can),
        ReadError::Storage(cause)
        | ReadError::TooExpensive(cause)
        | ReadError::Unavailable(cause)
        | ReadError::PartOfPlate(cause) => WorkError::Failed(cause),
    }
}
