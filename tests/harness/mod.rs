//! What all tests share: the real program as a process, replays with their results, a client of its HTTP interface, and
//! waiting. It knows no server; those are in `servers` and `kafka`.

mod appliance;
mod http;
mod program;
mod random;
mod replay;
mod road;
mod running;
mod wait;

use std::path::{Path, PathBuf};

pub(crate) use appliance::{Answer, Appliance};
pub(crate) use http::{agent, answer, get, get_data, patch, post, post_data, try_get, try_patch, url};
pub(crate) use program::{Ended, Program, binary, done, folder, memory_kib, platewatch, rest_of, run, simulated, tell};
pub(crate) use random::Random;
pub(crate) use replay::{Replay, Results};
pub(crate) use road::{CLONED, LEG, SITES, road};
pub(crate) use running::{Running, serve, serve_fed, serve_nothing};
pub(crate) use wait::{LONG, PATIENCE, wait_until};

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
