//! `platewatch shard KEY...`: where MyCat would put each key. It does not open a data directory.

use std::io::Write;

use shard::Ring;

/// Prints which of `shards` shards each key belongs to, one line each: key, TAB, shard.
///
/// # Errors
/// If there cannot be that many shards, or the output cannot be written.
pub fn run(keys: &[String], shards: usize, out: &mut impl Write) -> anyhow::Result<()> {
    let ring = Ring::mycat_default(shards)?;
    for key in keys {
        writeln!(out, "{key}\t{}", ring.shard_of(key.trim()))?;
    }
    Ok(())
}
