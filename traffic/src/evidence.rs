//! Evidence from the traffic itself: how long cars take, how wrong clocks are, how often plates are misread; and from
//! it, how likely two cars wear a plate.
//!
//! [`PartitionAssessor`] takes the batches of a partition, and its [`Assessor`] every accepted passage in order. A *contradiction* is two consecutive sightings of a
//! plate with a gap that no car makes; from the first on the plate is a *suspect*, whose sightings of a day are kept and
//! weighed together ([`Verdict`]); where two cars are likely, it is a *case*. Nothing here knows files, clocks of machines
//! or how anything is stored or shown.
//!
//! | module | what it is |
//! |---|---|
//! | `stream_clock` | where the stream is in event time, whatever single clocks say |
//! | `last_seen` | the last sighting of each plate within reach |
//! | `buckets`, `travel_times`, `paths` | gaps, travel times of pairs, the fastest credible time between any two |
//! | `learnt` | the travel times as they were learnt at a whole hour, for readers |
//! | `segments` | the roads among the pairs: travel times of the last hour and of the hours before |
//! | `cameras`, `leads`, `faults`, `offsets`, `trend` | counts and faults of each camera; its clock's steps and slope; the clocks solved over the network; what gets worse |
//! | `misreads` | whether a plate that differs in one character was due |
//! | `contradiction`, `chains`, `posterior` | what one car cannot do, the two cars apart, the explanations weighed |
//! | `suspects`, `cases`, `cars` | what is kept of a suspect, what is shown of a case |
//! | `alerts`, `pair`, `calibration` | what an alert's pair is worth |
//! | `assessor`, `learning`, `saved` | one passage, one hour, the state as it is kept |
//! | `numbering`, `partition`, `batch` | a partition's own numbers of names, the partition, a batch of its passages |

mod alerts;
mod assessor;
mod batch;
mod buckets;
mod calibration;
mod cameras;
mod cars;
mod cases;
mod chains;
mod contradiction;
mod faults;
mod last_seen;
mod leads;
mod learning;
mod learnt;
mod misreads;
mod numbering;
mod offsets;
mod pair;
mod partition;
mod paths;
mod posterior;
mod saved;
mod segments;
mod stream_clock;
mod suspects;
mod travel_times;
mod trend;

pub use assessor::{Assessor, EvidenceSettings};
pub use batch::{Findings, sighting};
pub use cases::{Case, CaseCar, NextPassage};
pub use chains::Car;
pub use contradiction::{Contradiction, Mark};
pub use faults::{CameraFault, CameraState};
pub use last_seen::Spot;
pub use learnt::{DriveTimes, LearntTimes};
pub use misreads::{Neighbours, one_edit_neighbours};
pub use pair::{PairEvidence, PairFinding, Reason};
pub use partition::{PartitionAssessor, SavedPartition};
pub use posterior::{Explanations, Rates, Run, Verdict};
pub use saved::{SavedEvidence, SavedPair, SavedSightings};
pub use segments::{HourTimes, SavedSegment, SegmentState};
pub use suspects::Suspect;
