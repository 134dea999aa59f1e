//! The failpoints of a build for tests: what the environment says happens where the sources name a point.
//!
//! `PLATEWATCH_FAILPOINTS` holds `NAME=ACTION` with `;` between them:
//!
//! | action | what happens |
//! |---|---|
//! | `abort@N` | the process ends at the N-th time it comes there, as after kill -9: nothing is cleaned up |
//! | `fail@N:TEXT` | from the N-th time on the operation there fails with this error; only where the point stands for one |
//! | `count` | nothing, but every time a line with the name is added to the file `PLATEWATCH_FAILPOINTS_HITS` |
//!
//! It knows no point: they are in the sources, and tests/faults has them in its matrix.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to happen, and the file for the hits.
const ACTIONS: &str = "PLATEWATCH_FAILPOINTS";
const HITS: &str = "PLATEWATCH_FAILPOINTS_HITS";

/// Does as the environment says from now on.
pub(crate) fn begin() -> Result<(), String> {
    let Ok(actions) = std::env::var(ACTIONS) else { return Ok(()) };
    let hits = std::env::var_os(HITS).map(|file| File::options().append(true).create(true).open(file));
    let hits = hits.transpose().map_err(|error| format!("{HITS}: {error}"))?.map(Arc::new);
    for action in actions.split(';').filter(|action| !action.is_empty()) {
        set(action, hits.as_ref()).ok_or_else(|| format!("{ACTIONS}: {action:?} is no action"))??;
    }
    Ok(())
}

/// None if `text` is no action.
fn set(text: &str, hits: Option<&Arc<File>>) -> Option<Result<(), String>> {
    let (name, action) = text.split_once('=')?;
    if action == "count" {
        let (file, line) = (hits?.clone(), format!("{name}\n"));
        return Some(fail::cfg_callback(name, move || {
            let _ = (&*file).write_all(line.as_bytes());
        }));
    }
    let (kind, when) = action.split_once('@')?;
    match kind {
        "abort" => {
            let (last, come) = (when.parse::<u64>().ok()?, AtomicU64::new(0));
            Some(fail::cfg_callback(name, move || {
                if come.fetch_add(1, Ordering::Relaxed) + 1 == last {
                    std::process::abort();
                }
            }))
        }
        "fail" => {
            let (first, error) = when.split_once(':')?;
            let before = match first.parse::<u64>().ok()? {
                0 | 1 => String::new(),
                first => format!("{}*off->", first - 1),
            };
            Some(fail::cfg(name, &format!("{before}return({error})")))
        }
        _ => None,
    }
}
