//! What a plate reader sends when it has seen a vehicle, to records: a table says which parts of an event are which columns. It knows
//! neither HTTP nor MQTT, nor what a column means beyond its name and that GCSJ is a time.
//!
//! | an event | becomes |
//! |---|---|
//! | of a vehicle | a JSON object with the names of columns, on a line |
//! | of several | one for each |
//! | of none, or about something else | an empty line |
//! | without a part that GCXH needs, or with a part that is no text or number, or longer than a field | itself on a line that is refused, and kept |

mod part;
mod records;
mod table;

pub use records::{Bounds, EventLines, EventTable, TooMuch, read_event};
pub use table::EventTables;

#[cfg(test)]
mod tests;
