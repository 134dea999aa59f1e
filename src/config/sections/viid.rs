//! `[viid]`: cameras and platforms of GA/T 1400.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::{filled, viid_id, viid_ids, viid_realm, viid_receive_url, viid_url, within};
use crate::config::declare::{choices, settings};
use crate::config::server::{Secret, ServerUrl};
use crate::config::units::ByteSize;

settings! {
    /// Vehicles from cameras and platforms of GA/T 1400 (公安视频图像信息应用系统, 视图库), beside what is sent to `/api/ingest`; with
    /// `source.kind = "http"`. See docs/gat1400.md.
    pub struct ViidConfig {
        /// Our own id, 20 digits. `""` means that nothing of GA/T 1400 is spoken here.
        device_id: String = String::new(), |id: &String| viid_id(id);
        /// A file of the accounts with which cameras and platforms register here: a line `NAME:PASSWORD` for each. Only the account of the
        /// service may read it.
        users_file: Option<PathBuf> = None;
        /// What these accounts belong to, as it is shown to who registers.
        realm: String = "viid".to_owned(), |realm: &String| viid_realm(realm);
        /// Ids that may register, 20 digits each; an empty list means all that have an account.
        devices: Vec<String> = Vec::new(), |ids: &Vec<String>| viid_ids(ids);
        /// How a device that has registered proves with each request that it is the same.
        proof: ViidProof = ViidProof::Address;
        /// A device that has not been heard of for so long must register again. GA/T 1400 has three keep-alives of 90 s.
        keepalive_timeout: Duration = Duration::from_secs(270), within(Duration::from_secs(1), Duration::from_secs(3_600));
        /// A CSV file that says which checkpoint an id is (`id,kkmc,xzqhmc`); `""` leaves the ids as they are.
        checkpoints: Option<PathBuf> = None;
        /// Maximum size of a body with its pictures, of which nothing is kept. Without pictures `api.ingest_max_body` holds.
        max_body: ByteSize = ByteSize::mib(64), within(ByteSize::kib(64), ByteSize::mib(1_024));
        /// A platform at which we register and subscribe to its vehicles: `"http://host:port"` or `"https://host:port"`. `""` means none.
        peer: Option<ServerUrl> = None, |url: &Option<ServerUrl>| viid_url(url.as_ref());
        /// The id of that platform, 20 digits.
        peer_id: String = String::new(), |id: &String| viid_id(id);
        /// The account that it gave us. An account in the URL comes before it.
        peer_user: String = String::new();
        /// The password of that account. Better set in the environment than in the file.
        peer_password: Secret = Secret::default();
        /// A file of CA certificates (PEM) for its certificate; `""` uses those of this machine. For `https://`.
        peer_ca: Option<PathBuf> = None;
        /// Addresses from which its notifications come, beside those of its name.
        peer_senders: Vec<IpAddr> = Vec::new();
        /// Where it sends its notifications, as it reaches us: `"http://host:port/VIID/SubscribeNotifications"`.
        receive_url: String = String::new(), |url: &String| viid_receive_url(url);
        /// What is subscribed to: `"13"` are vehicles.
        subscribe_detail: String = "13".to_owned(), |text: &String| filled(text);
        /// Whose vehicles are subscribed to: ids of tollgates, devices or platforms with commas between them, or a district; `""` is all
        /// of that platform.
        subscribe_to: String = String::new();
        /// How often we tell the platform that we are there.
        keepalive: Duration = Duration::from_secs(60), within(Duration::from_millis(100), Duration::from_secs(90));
        /// Maximum time of one request to the platform.
        timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(60));
        /// Maximum pause between two attempts while the platform is away. The number of attempts is not limited.
        retry_max: Duration = Duration::from_secs(60), within(Duration::from_millis(10), Duration::from_secs(3_600));
    }
}

impl ViidConfig {
    /// Whether GA/T 1400 is spoken.
    pub fn is_on(&self) -> bool {
        !self.device_id.is_empty()
    }
}

choices! {
    /// How a device that has registered proves with each request that it is the same.
    pub enum ViidProof {
        /// By its id, from the address from which it registered, as most cameras do; or by digest.
        Address = "address",
        /// By digest.
        Digest = "digest",
    }
}
