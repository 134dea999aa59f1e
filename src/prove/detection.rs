//! The whole detection over the passages of one partition, in memory: duplicate guard and rules, then the evidence. It
//! gives every passage of a complete plate to a visitor, with what the detection knows right after it, so that results
//! do not depend on where a batch ends.

use traffic::evidence::{Assessor, EvidenceSettings, Spot, Suspect, sighting};
use traffic::{
    Catalogue, Detector, DetectorSettings, Fate, Hit, KnownNames, NameTable, PassageBatch, PlateCode, Watermark,
};

/// Settings of the detection.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of the rules.
    pub detector: DetectorSettings,
    /// Of the evidence.
    pub evidence: EvidenceSettings,
}

/// Rules and evidence.
#[derive(Debug)]
pub(super) struct Detection {
    detector: Detector,
    assessor: Assessor,
    names: KnownNames,
    watermark: Watermark,
    fates: Vec<Fate>,
    hits: Vec<Hit>,
}

/// A passage of a complete plate, and what the detection says after it.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// Row in its batch.
    pub(super) row: usize,
    /// HPHM.
    pub(super) plate: PlateCode,
    /// The sighting.
    pub(super) spot: Spot,
    /// Where the stream is, in civil seconds: the watermark.
    pub(super) now: i64,
    /// What the rules found with this passage.
    pub(super) hits: &'a [Hit],
    /// The plate as a suspect, if it is one.
    pub(super) suspect: Option<&'a Suspect>,
}

impl Detection {
    /// A detection that knows nothing yet.
    pub(super) fn new(settings: Settings, catalogue: Catalogue) -> Self {
        Self {
            detector: Detector::new(settings.detector),
            assessor: Assessor::new(settings.evidence),
            names: KnownNames::new(catalogue, &NameTable::default()),
            watermark: Watermark::default(),
            fates: Vec::new(),
            hits: Vec::new(),
        }
    }

    /// Takes the passages of a batch in order. Duplicates, and passages of plates that are not complete, are not shown.
    pub(super) fn take(&mut self, batch: &PassageBatch, mut visit: impl FnMut(&Seen<'_>)) {
        for (dimension, name) in &batch.new_names {
            self.names.learn(*dimension, name);
        }
        let knowledge = self.names.knowledge();
        self.fates.clear();
        self.hits.clear();
        self.detector.observe(batch, knowledge, &mut self.fates, &mut self.hits);
        let mut hits = self.hits.as_slice();
        for (row, fate) in self.fates.iter().enumerate() {
            let count = hits.iter().take_while(|hit| hit.row as usize <= row).count();
            let (own, rest) = hits.split_at(count);
            hits = rest;
            if matches!(fate, Fate::Duplicate | Fate::Conflict) {
                continue;
            }
            let Some((plate, spot)) = sighting(batch, row, knowledge) else { continue };
            self.watermark.see(traffic::CivilTime(spot.time), spot.checkpoint);
            self.assessor.observe(plate, &spot, knowledge.places);
            let now = self.watermark.time().unwrap_or(spot.time);
            visit(&Seen { row, plate, spot, now, hits: own, suspect: self.assessor.suspect_of(plate) });
        }
        // Nobody asks for cases here.
        let _ = self.assessor.take_changed_cases();
    }
}
