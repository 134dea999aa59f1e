//! GA/T 1400 in `/api/status`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::codes::StageName;
use crate::serve::state::Api;
use crate::viid::{PeerStatus, ViidStatus};

/// GA/T 1400: who has registered here, and how far we are at the platform. Counts are of this process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ViidStatus)]
pub(super) struct ViidJson {
    /// Our own id.
    #[schema(example = "32031200005030000001")]
    device_id: String,
    /// Devices and platforms that have registered and not left.
    #[schema(example = 12)]
    registered: usize,
    /// Of these, that were heard of within `viid.keepalive_timeout`.
    #[schema(example = 11)]
    online: usize,
    /// When the newest of them was heard of, civil time of the road; null while there is none.
    #[schema(example = "2024-01-01 12:34:50")]
    newest_at: Option<String>,
    /// Vehicles that were stored, or had been before.
    #[schema(example = 4711)]
    vehicles: u64,
    /// Vehicles that were rejected.
    #[schema(example = 0)]
    rejected: u64,
    /// Requests that nobody proved to have sent.
    #[schema(example = 3)]
    refused: u64,
    /// Ids that came and have no checkpoint in `viid.checkpoints`, at most a thousand.
    #[schema(example = 1)]
    unknown_ids: usize,
    /// The platform at which we register; null where none is configured.
    peer: Option<PeerJson>,
}

/// The platform at which we register and subscribe.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ViidPeerStatus)]
pub(super) struct PeerJson {
    /// Its address, without the account.
    #[schema(example = "http://10.0.0.9:7001")]
    address: String,
    /// `starting`, `registered`, `subscribed`, or `away` (it does not answer, or refuses: `last_error` says what).
    #[schema(value_type = StageName, example = "subscribed")]
    stage: &'static str,
    /// Since when, civil time of the road; null while it starts.
    #[schema(example = "2024-01-01 12:00:00")]
    since: Option<String>,
    /// The id of our subscription there.
    #[schema(example = "320312000050032000010100000004711")]
    subscription: String,
    /// Notifications that came.
    #[schema(example = 17)]
    notifications: u64,
    /// When the newest came, civil time of the road; null if none did.
    #[schema(example = "2024-01-01 12:34:50")]
    last_notification: Option<String>,
    /// What failed last; null after it went well again.
    #[schema(example = json!(null))]
    last_error: Option<String>,
}

pub(super) fn viid_json(status: ViidStatus, api: &Api) -> ViidJson {
    let civil = |unix: i64| api.civil(unix);
    let ViidStatus { id, devices, vehicles, rejected, refused, unknown_ids, peer } = status;
    ViidJson {
        device_id: id,
        registered: devices.registered,
        online: devices.online,
        newest_at: devices.newest_at.map(civil),
        vehicles,
        rejected,
        refused,
        unknown_ids,
        peer: peer.map(|peer| {
            let PeerStatus { address, stage, since, subscription, notifications, last_notification, last_error } = peer;
            PeerJson {
                address,
                stage: stage.as_str(),
                since: since.map(civil),
                subscription,
                notifications,
                last_notification: last_notification.map(civil),
                last_error,
            }
        }),
    }
}
