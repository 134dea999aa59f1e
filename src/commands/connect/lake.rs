//! Checks `[lake]`: whether its folder can be written, whose it is, and how much room it has. A file is made there and removed.

use std::path::Path;

use crate::commands::report::{LAKE, Report};
use crate::config::{Config, Role};
use crate::lake::{LakeError, is_usable, number_name, refuse_anothers};
use crate::store::Frozen;

/// Room below which a lake should not be begun.
const LITTLE_ROOM: u64 = 5 << 30;

/// Checks the folder of the lake, if there is one.
pub(super) fn check(config: &Config, report: &mut Report) {
    let Some(folder) = config.lake.dir.as_ref().filter(|_| config.role != Role::Api) else { return };
    if let Err(error) = is_usable(folder).and_then(|()| is_ours(folder, config)) {
        report.problem(LAKE, error.to_string());
        return;
    }
    let place = folder.ancestors().find(|place| place.is_dir()).unwrap_or(folder);
    let free = match rustix::fs::statvfs(place) {
        Ok(room) => room.f_bavail.saturating_mul(room.f_frsize),
        Err(error) => {
            report.problem(LAKE, format!("{}: how much room there is cannot be asked: {error}", folder.display()));
            return;
        }
    };
    let text = format!("{} can be written, {:.1} GiB are free", folder.display(), free as f64 / f64::from(1 << 30));
    if free < LITTLE_ROOM {
        report.problem(LAKE, format!("{text}, too little: make room, or name another disk in lake.dir"));
    } else {
        report.sound(LAKE, text);
    }
}

/// Whether a lake in this folder is that of the data directory. One that cannot be read is reported elsewhere.
fn is_ours(folder: &Path, config: &Config) -> Result<(), LakeError> {
    let name = number_name(config.lake.edition);
    let number = match Frozen::open(&config.data_dir) {
        Ok(store) => store.mirror_cursor(&name).map(|known| known.map(|number| number.next)),
        Err(_) if !config.data_dir.exists() => Ok(None),
        Err(error) => Err(error),
    };
    number.map_or(Ok(()), |number| refuse_anothers(folder, number))
}
