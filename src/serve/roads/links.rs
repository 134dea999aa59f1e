//! The neighbours of the catalogue as ordered pairs, made once per catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use traffic::Catalogue;

use crate::serve::neighbours::{Link, neighbours};

/// Why two checkpoints are a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum RoadLink {
    /// Consecutive checkpoints of a road of the catalogue.
    Road,
    /// Near each other on different roads of the catalogue.
    Near,
    /// Cars drive from one to the other.
    Driven,
}

impl RoadLink {
    /// All of them.
    pub(in crate::serve) const ALL: [Self; 3] = [Self::Road, Self::Near, Self::Driven];

    /// The name in the API.
    pub(in crate::serve) fn as_str(self) -> &'static str {
        match self {
            Self::Road => "road",
            Self::Near => "near",
            Self::Driven => "driven",
        }
    }
}

/// Catalogues that are remembered: the whole one, and the parts that users see who are limited to some places.
const MOST: usize = 16;

/// The link of each ordered pair of codes.
pub(super) type Links = BTreeMap<(String, String), RoadLink>;

/// The links, each with the catalogue that they were made from.
#[derive(Debug, Default)]
pub(in crate::serve) struct KnownLinks(Mutex<Vec<(Arc<Catalogue>, Arc<Links>)>>);

impl KnownLinks {
    /// The links of a catalogue.
    pub(super) fn of(&self, catalogue: &Arc<Catalogue>) -> Arc<Links> {
        // Held while they are made, so that only one of many concurrent requests makes them.
        let mut known = self.0.lock();
        if let Some((_, links)) = known.iter().find(|(of, _)| Arc::ptr_eq(of, catalogue)) {
            return links.clone();
        }
        let mut links = Links::new();
        for (checkpoint, neighbours) in catalogue.iter().zip(neighbours(catalogue)) {
            for neighbour in neighbours {
                let link = match neighbour.link {
                    Link::Road => RoadLink::Road,
                    Link::Near => RoadLink::Near,
                };
                links.insert((checkpoint.code.clone(), neighbour.code), link);
            }
        }
        if known.len() >= MOST {
            known.clear();
        }
        let links = Arc::new(links);
        known.push((catalogue.clone(), links.clone()));
        links
    }
}
