//! The lake: passages as Hive-partitioned Parquet in a folder of the user's, for DuckDB, Spark and whatever reads such files.
//!
//! ```text
//! DIR/_platewatch.json                                              whose lake it is
//! DIR/date=2024-01-01/platewatch-s00-000000000000-000000983039.parquet   the day's passages among rows 0 to 983,039 of shard 0
//! DIR/date=2024-01-01/.platewatch-s00-….tmp                         being written; Spark and DuckDB pass over it
//! ```
//!
//! **Exactly once.** A file's name holds the rows of the log that it was made of, and nothing else decides what is in it, so
//! that writing it again gives the same. It is written under another name, forced to the disk, and renamed; the cursor comes
//! after it. The rows of a shard are cut into ranges without a gap; a range has a file in the folder of each day that it
//! holds. A cut that was made stands in the names, so that whoever goes on after a crash makes the same one.
//!
//! It knows neither the store nor when a file is due; `mirror::lake` does.

mod aside;
mod error;
mod folder;
mod hold;
mod name;
mod part;

pub use error::LakeError;
pub use folder::{LakeFolder, Pending, is_usable, refuse_anothers};
pub use name::{PartName, day_of, number_name};
pub use part::PartWriter;
