//! Flow prediction: how many vehicles a checkpoint, or the whole city, will see in an hour.
//!
//! ```text
//! table (CSV) ─┐
//!              ├─▶ grid ─▶ train ─▶ model folder ─▶ service ─▶ forecasts
//! history ─────┘          (candidates, evaluate, intervals,       (watches the folder, retrains,
//!                          adaptive, nowcast)                      feedback of the last hours)
//! ```
//!
//! A folder of Spark itself ([`pipeline_folder`]) is served too, as what it says ([`imported`]).
//!
//! Four models: [`spark`] is the original pipeline to the digit, [`seasonal`] knows the hour of the week, [`weeks`] is the mean
//! of the last weeks, and the fourth the mean of these two. Training measures them forward in time against simple predictors
//! ([`evaluate`], [`candidates`]) and the best one is served, unless one is pinned. While it is served, the finished hours
//! correct the next ones ([`nowcast`]) and widen or narrow the intervals ([`adaptive`], [`feedback`]).
//!
//! It asks for counts through [`crate::reader`] and answers through [`crate::forecast`]; it does not know HTTP, sources or
//! mirrors.

mod adaptive;
mod baseline;
mod calendar;
mod candidates;
#[cfg(test)]
mod drift_tests;
mod evaluate;
mod feedback;
mod folder;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod grid;
mod history;
mod imported;
mod intervals;
mod layout;
mod model;
mod nowcast;
mod pace;
mod pipeline_folder;
mod registry;
mod seasonal;
mod service;
mod spark;
mod stamp;
mod table;
#[cfg(test)]
mod tests;
mod train;
mod weeks;

use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, date_text, is_weekend};
pub use candidates::TrainSettings;
pub use folder::{Origin, save};
pub use grid::{Grid, GridBuilder};
pub use history::History;
pub use imported::{Imported, import};
pub use model::{FlowModel, LoadedModel};
pub use pace::Pace;
pub use registry::{MemoryRegistry, Registry, VERSIONS};
pub use service::{Service, ServiceSettings, read_holidays};
pub use table::{BadRows, Table, read_table};
pub use train::{TrainError, train};

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Shrunk rhythms by hour of the week, and a level.
    Seasonal,
    /// Spark's line over index, hour and weekend.
    SparkLinear,
    /// The mean of the last weeks at the same hour of the week.
    RecentWeeks,
    /// The mean of `seasonal` and `recent-weeks`.
    Blend,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Seasonal, Self::SparkLinear, Self::RecentWeeks, Self::Blend];

    /// The name in files, settings and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seasonal => "seasonal",
            Self::SparkLinear => "spark-linear",
            Self::RecentWeeks => "recent-weeks",
            Self::Blend => "blend",
        }
    }
}
