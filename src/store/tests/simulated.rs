//! What the simulation of docs/simulation.md needs of a store beyond what everyone may ask.

use storage::Family;
use storage::simulated::Disk;

use super::scene::SMALL;
use crate::store::Store;
use crate::store::disk::keys;
use crate::store::disk::records::MirrorCursor;
use crate::store::write::Saving;

impl Store {
    /// Sizes at which a few hundred rows take every branch; `rows`: plates are saved after as many.
    pub(crate) fn shrink(&mut self, rows: u64) {
        for log in self.state.logs.values_mut() {
            log.sizes = SMALL;
        }
        self.saving = Saving { at_once_changes: 0, rows, ..Saving::default() };
    }
}

/// The position of `source` that a power cut leaves on the disk.
pub(crate) fn durable_position(disk: &Disk, source: &str) -> Option<Vec<u8>> {
    disk.durable(Family::Meta, &keys::position(source)).map(|value| value.to_vec())
}

/// The cursor of a mirror that a power cut leaves on the disk.
pub(crate) fn durable_cursor(disk: &Disk, name: &str) -> Option<MirrorCursor> {
    let value = disk.durable(Family::Meta, &keys::mirror(name))?;
    Some(storage::codec::decode(keys::MIRROR, &value).expect("a cursor"))
}
