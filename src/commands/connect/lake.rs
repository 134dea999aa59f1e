//! Checks `[lake]`: whether its folder can be written, and how much room it has. A file is made there and removed.

use crate::commands::report::{LAKE, Report};
use crate::config::{Config, Role};
use crate::lake::is_usable;

/// Room below which a lake should not be begun.
const LITTLE_ROOM: u64 = 5 << 30;

/// Checks the folder of the lake, if there is one.
pub(super) fn check(config: &Config, report: &mut Report) {
    let Some(folder) = config.lake.dir.as_ref().filter(|_| config.role != Role::Api) else { return };
    if let Err(error) = is_usable(folder) {
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
