//! Write-through against real servers: MariaDB as `sql/` sets it up, Redis, and a proxy that treats connections badly.

mod cases;
mod connect;
mod data;
mod deploy;
mod literals;
mod mycat;
mod roles;
mod same_json;
mod schema;
mod servers;
mod setup;
mod verify;
