//! Write-through against real servers: MariaDB as `sql/` sets it up, Redis, and a proxy that treats connections badly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../servers/mod.rs"]
mod servers;

mod connect;
mod data;
mod deploy;
mod harness;
mod literals;
mod mycat;
mod process;
mod roles;
mod same_json;
mod schema;
mod setup;
mod verify;
