//! Detection proved on recorded traffic: real tracks are merged in pairs under one plate, and the detection is run over
//! the traffic with these merges. What it finds of them is its recall on these roads; what it finds elsewhere is an upper
//! bound of its false cases.
//!
//! ```text
//! pass 1: passages ─▶ detection ─▶ Tracks ─▶ choose ─▶ pairs
//! pass 2: passages ─▶ merge the pairs ─▶ detection ─▶ Trial ─▶ Report ─▶ table, JSON
//! ```
//!
//! Everything depends on the passages, their order and the seed alone. It knows no file, store or terminal.
//!
//! **Bounds.** Beside the state of the detection, which is that of the pipeline, each pass keeps at most 2²⁰ plates
//! ([`sample`]) of 48 bytes: 150 MB at most while a table grows. The second pass keeps 6 KB for each pair, too.
//!
//! | module | what it is |
//! |---|---|
//! | `detection` | rules and evidence over the passages of one partition, passage by passage |
//! | `sample` | a table of plates with a limit: beyond it, those of a fixed sample |
//! | `tracks`, `pairs` | what is known of each plate after the first pass; which of them are merged |
//! | `trial`, `merged`, `others` | the second pass; what became of a pair; what was found of other plates |
//! | `report`, `table` | the numbers; the same for people |

mod detection;
mod merged;
mod others;
mod pairs;
mod report;
mod sample;
mod table;
mod tracks;
mod trial;

#[cfg(test)]
mod tests;

pub use detection::Settings;
pub use pairs::{Choice, choose};
pub use report::Report;
pub use tracks::Tracks;
pub use trial::Trial;
