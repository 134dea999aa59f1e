//! The pure domain of Platewatch: passages, plates, civil time, checkpoints, alerts and the rules that raise them.
//!
//! State in, state and alerts out. This crate knows no file, socket, thread or clock: time comes from the record, and
//! bad input comes back as a [`Reject`], never as an error. It does not know where a record came from or where it goes.

mod alert;
mod batch;
mod cause;
mod checkpoint;
mod detector;
mod dimension;
pub mod evidence;
mod known_names;
mod line;
mod names;
mod passage_id;
mod plate;
mod plate_type;
mod rules;
mod time;
mod vehicle;

pub use alert::{Alert, AlertId, AlertSighting};
pub use batch::{PassageBatch, RawLines, Reject, RejectReason, odd_text};
pub use cause::Cause;
pub use checkpoint::{Catalogue, CatalogueError, Checkpoint, CheckpointProblem, great_circle_km};
pub use detector::{
    ClockCount, Detector, DetectorSettings, Evidence, Fate, Hit, Knowledge, Lead, Pair, Places, PlateScope, Reached,
    Sighting, Watermark, WatermarkState,
};
pub use dimension::{Dimension, NameId, PerDimension};
pub use known_names::KnownNames;
pub use line::{
    Column, ColumnAdvice, ColumnOrder, Delimiter, HeaderConflict, Layout, LayoutError, LineForm, LineParser,
    ParserSettings, ShardKey, clean_field, field_of, line_end,
};
pub use names::{Interner, NameTable, NamesFull};
pub use passage_id::PassageId;
pub use plate::{
    LongPseudonym, PSEUDONYM_MARK, PlateClass, PlateCode, Pseudonym, PseudonymKind, normalise_plate, spell_plates,
};
pub use plate_type::PlateType;
pub use rules::{Measured, Rule, Severity, UnknownRule};
pub use time::{CivilTime, Resolution, TimeRange, TimeZoneName, UnknownTimeZone};
pub use vehicle::{BUS_MAKERS, FuelType, LORRY_MAKERS, UNKNOWN_BRAND, VehicleType, brand_of, province_of};
