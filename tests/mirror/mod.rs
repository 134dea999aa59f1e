//! The mirrors against real servers: two MariaDB as `sql/` makes them, Redis, and a proxy in front of each that
//! refuses, stalls, cuts and truncates. The appliance is the real program, and is killed.
//!
//! `PLATEWATCH_TEST_ROWS` and `PLATEWATCH_TEST_OUTAGE_SECONDS` make the long test shorter for development.

mod chaos;
mod list;
pub(crate) mod mirroring;
mod outage;
mod pseudonyms;
mod records;
mod refused;
mod secrets;
mod shards;
mod through;
pub(crate) mod truth;
