//! A holder of the data, asked by pseudonyms and answering with plates.

use std::sync::Arc;

use tokio::sync::watch;
use traffic::{AlertId, Catalogue};

use super::cipher::PlateCipher;
use super::snapshot::RevealedSnapshot;
use crate::cameras::CameraReport;
use crate::case_json::WorkedCase;
use crate::kept_proof::KeptProof;
use crate::reader::{ReadError, Reader, Snapshot};
use crate::roads::Roads;
use crate::status::Status;
use crate::work::{WorkChange, WorkError, WorkedAlert};

/// The data with plates.
pub struct RevealingReader {
    stored: Arc<dyn Reader>,
    cipher: Arc<PlateCipher>,
}

impl RevealingReader {
    /// Answers with the plates behind the pseudonyms of `stored`.
    pub fn new(stored: Arc<dyn Reader>, cipher: Arc<PlateCipher>) -> Self {
        Self { stored, cipher }
    }

    /// The change as it is stored: its note is encrypted.
    fn hidden(&self, change: &WorkChange) -> WorkChange {
        WorkChange { note: self.cipher.seal_text(&change.note), ..change.clone() }
    }
}

impl Reader for RevealingReader {
    fn counts_at_once(&self) -> bool {
        self.stored.counts_at_once()
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(RevealedSnapshot { stored: self.stored.snapshot(), cipher: self.cipher.clone() })
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.stored.commits()
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.stored.catalogue()
    }

    fn status(&self) -> Status {
        self.stored.status()
    }

    fn cameras(&self) -> Result<CameraReport, ReadError> {
        self.stored.cameras()
    }

    fn proof(&self) -> Result<Option<KeptProof>, ReadError> {
        self.stored.proof()
    }

    fn roads(&self) -> Result<Arc<Roads>, ReadError> {
        self.stored.roads()
    }

    fn failure(&self) -> Option<String> {
        self.stored.failure()
    }

    fn change_work(&self, id: AlertId, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        let WorkedAlert { alert, work } = self.stored.change_work(id, &self.hidden(change))?;
        Ok(WorkedAlert { alert: self.cipher.alert(alert), work: self.cipher.work(work) })
    }

    fn change_case(&self, id: u64, change: &WorkChange) -> Result<WorkedCase, WorkError> {
        Ok(self.cipher.case(self.stored.change_case(id, &self.hidden(change))?))
    }
}
