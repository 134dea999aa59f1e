//! `platewatch shard KEY...`: where MyCat would put each key. It does not open a data directory.

use std::io::Write;

use shard::Ring;

use crate::pipeline::SHARDS;

/// Prints the shard of each key, one line each: key, TAB, shard.
///
/// # Errors
/// If the output cannot be written.
pub fn run(keys: &[String], out: &mut impl Write) -> anyhow::Result<()> {
    let ring = Ring::mycat_default(SHARDS)?;
    for key in keys {
        writeln!(out, "{key}\t{}", ring.shard_of(key.trim()))?;
    }
    Ok(())
}
