//! Metrics of GA/T 1400.

use super::text::Exposition;
use crate::viid::{Stage, ViidStatus};

pub(super) fn write(out: &mut Exposition, status: &ViidStatus) {
    let devices = status.devices;
    let mut registered =
        out.gauge("platewatch_viid_devices", "Devices and platforms of GA/T 1400 that have registered.");
    registered.labelled(&[("state", "online")], devices.online as f64);
    registered.labelled(&[("state", "offline")], (devices.registered - devices.online) as f64);
    out.counter("platewatch_viid_vehicles_total", "Vehicles of GA/T 1400 that were stored, or had been before.")
        .value(status.vehicles as f64);
    out.counter("platewatch_viid_rejected_total", "Vehicles of GA/T 1400 that were rejected.")
        .value(status.rejected as f64);
    out.counter("platewatch_viid_refused_total", "Requests of GA/T 1400 that nobody proved to have sent.")
        .value(status.refused as f64);
    let Some(peer) = &status.peer else { return };
    out.gauge("platewatch_viid_subscribed", "1 while we are subscribed at the platform of GA/T 1400.")
        .value(f64::from(u8::from(peer.stage == Stage::Subscribed)));
    out.counter("platewatch_viid_notifications_total", "Notifications of the platform of GA/T 1400.")
        .value(peer.notifications as f64);
    if let Some(last) = peer.last_notification {
        out.gauge(
            "platewatch_viid_last_notification_seconds",
            "When the platform of GA/T 1400 sent its newest notification, in seconds since 1970.",
        )
        .value(last as f64);
    }
}
