//! The HTTP interface: the eight endpoints of the contract, what the page needs beyond them, health, metrics and the
//! embedded page itself.
//!
//! It alone shapes API JSON. It asks a [`Reader`](crate::reader::Reader) domain questions and does not know how they are
//! answered, which source feeds the data, or that there is a pipeline. A request reads one consistent snapshot; what may
//! touch the disk runs on blocking threads, bounded by [`lanes`], so that no query can slow the pipeline.
//!
//! Layers, outside in: one for metrics, `Server-Timing`, the headers of every answer, the limit of the URI, the limits of one client
//! ([`throttle`]) and plain error to envelope; compression; for `/api/*` alone origins (CORS); panic to 500; who may do what, what
//! the audit log says of it ([`access`]), and parameters; timeout (not for the event stream).

mod access;
mod alert;
mod alerts_today;
mod assets;
mod audit;
mod calibration;
mod cameras;
mod cases;
mod checkpoints;
mod codes;
mod docs;
mod embedded;
mod endpoints;
mod error;
mod export;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod headers;
mod health;
mod ingest;
mod lanes;
mod layers;
mod listen;
mod metrics;
mod neighbours;
mod notice;
mod openapi;
mod origins;
mod outermost;
mod overview;
mod predict;
mod prove;
mod query;
mod rates;
mod recent;
mod records;
mod rejects;
mod replay;
mod roads;
mod router;
mod session;
mod sessions;
mod settings;
mod shares;
mod sight;
mod sign_on;
mod state;
mod stats;
mod status;
mod stream;
mod throttle;
mod tokens;
mod track;
mod untrained;
mod users;
mod viid;
mod warnings;
mod work;

#[cfg(test)]
mod tests;

pub use listen::{ConnectionSettings, Tls, TlsFiles, bind, open_files, serve};
pub use rates::RateSettings;
pub use router::routers;
pub use settings::ServeSettings;
