//! Flow prediction: how many vehicles a checkpoint, or the whole city, will see in an hour.
//!
//! ```text
//! table (CSV) ─┐
//!              ├─▶ grid ─▶ train ─▶ model folder ─▶ service ─▶ forecasts
//! history ─────┘          (seasonal, spark, evaluate, intervals)  (watches the folder, retrains)
//! ```
//!
//! Two models: [`spark`] is the original pipeline to the digit, [`seasonal`] knows the hour of the week. Training measures
//! both forward in time against simple predictors ([`evaluate`]) and the better one is served, unless one is pinned.
//!
//! It asks for counts through [`crate::reader`] and answers through [`crate::forecast`]; it does not know HTTP, sources or
//! mirrors.

mod baseline;
mod calendar;
mod evaluate;
mod folder;
mod grid;
mod history;
mod intervals;
mod model;
mod pace;
mod registry;
mod seasonal;
mod service;
mod spark;
mod table;
#[cfg(test)]
mod tests;
mod train;

use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, date_text, is_weekend};
pub use folder::{Origin, save};
pub use grid::{Grid, GridBuilder};
pub use history::History;
pub use model::{FlowModel, LoadedModel};
pub use pace::Pace;
pub use registry::{MemoryRegistry, Registry, VERSIONS};
pub use service::{Service, ServiceSettings, read_holidays};
pub use table::{BadRows, Table, read_table};
pub use train::{TrainError, TrainSettings, train};

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Shrunk rhythms by hour of the week, and a level.
    Seasonal,
    /// Spark's line over index, hour and weekend.
    SparkLinear,
}

impl Kind {
    /// The name in files, settings and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seasonal => "seasonal",
            Self::SparkLinear => "spark-linear",
        }
    }
}
