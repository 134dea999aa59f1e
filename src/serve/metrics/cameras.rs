//! What the traffic says about cameras, for Prometheus: how many are in each state, and of each its state and clock.
//!
//! **Bounds.** Of each camera there are two samples, of the worst [`MAX_CAMERAS`] only; codes and states are fixed.

use traffic::evidence::CameraFault;

use super::text::Exposition;
use crate::cameras::{CameraCounts, CameraHealth, CameraReport};

/// Cameras that have samples of their own.
const MAX_CAMERAS: usize = 2000;

/// Writes what is known; nothing before the first whole hour is learnt.
pub(super) fn write(out: &mut Exposition, report: &CameraReport) {
    let Some(counts) = report.counts() else { return };
    let CameraCounts { ok, doubtful, bad } = counts;
    let mut states = out.gauge("platewatch_cameras", "Cameras by state.");
    for (health, count) in CameraHealth::ALL.into_iter().zip([ok, doubtful, bad]) {
        states.labelled(&[("state", health.as_str())], count as f64);
    }
    let mut findings = out.gauge("platewatch_camera_findings", "Cameras by what is wrong with them.");
    for fault in CameraFault::ALL {
        let count = report.cameras.iter().filter(|camera| camera.faults().any(|own| own == fault)).count();
        findings.labelled(&[("code", fault.as_str())], count as f64);
    }
    let mut cameras = report.worst_first();
    cameras.truncate(MAX_CAMERAS);
    let mut state =
        out.gauge("platewatch_camera_state", "0 for a camera that is ok, 1 for a doubtful one, 2 for a bad one.");
    for camera in &cameras {
        state.labelled(&[("kkmc", &camera.kkmc)], f64::from(camera.health() as u8));
    }
    let mut offsets = out.gauge(
        "platewatch_camera_clock_offset_seconds",
        "Seconds that a camera's clock is fast, learnt from two-way traffic.",
    );
    for camera in &cameras {
        if let Some((offset, _)) = camera.offset() {
            offsets.labelled(&[("kkmc", &camera.kkmc)], offset);
        }
    }
}
