//! All tests of the real program in one binary, so that RocksDB and librdkafka are linked once. Each module is a group of
//! tests; `cargo test --test it -- GROUP::` runs one. `harness`, `servers` and `kafka` hold no tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;
mod kafka;
mod servers;

mod faults;
mod kafka_secure;
mod kafka_source;
mod lake;
mod mirror;
mod ship;
mod spark;
mod structure;
mod whole;
mod write_through;
