//! `[mqtt]`: a broker whose messages are taken beside what is sent to `/api/ingest`.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::{filled, mqtt_topics, mqtt_url, within};
use crate::config::declare::settings;
use crate::config::server::{Secret, ServerUrl};

settings! {
    /// A broker of MQTT (3.1.1) whose messages are taken beside what is sent to `/api/ingest`; with `source.kind = "http"`.
    pub struct MqttConfig {
        /// The broker: `"mqtt://host:1883"`, with TLS `"mqtts://host:8883"`. `""` means none.
        url: Option<ServerUrl> = None, |url: &Option<ServerUrl>| mqtt_url(url.as_ref());
        /// The user, if the URL names none.
        user: String = String::new();
        /// The password, if the URL has none; `""` is none. Better set in the environment than in the file.
        password: Secret = Secret::default();
        /// A file of CA certificates (PEM) for the broker's certificate; `""` uses those of this machine. For `mqtts://`.
        tls_ca: Option<PathBuf> = None;
        /// The name of this client, under which the broker keeps what comes while it is away. No other client of the broker may have it.
        client_id: String = "platewatch".to_owned(), |id: &String| filled(id);
        /// Topics to subscribe to, with QoS 1; `+` and `#` stand for any level and for all that follow.
        topics: Vec<String> = Vec::new(), |topics: &Vec<String>| mqtt_topics(topics);
        /// What a message is: `"lines"` as in a capture, `"json"` a JSON object with the names of the columns, or the name of events such as
        /// `"frigate"` (see `source.events`).
        format: String = "json".to_owned(), |format: &String| filled(format);
        /// How often the connection is tried while nothing comes.
        keep_alive: Duration = Duration::from_secs(30), within(Duration::from_secs(1), Duration::from_secs(3_600));
        /// Maximum time to connect.
        connect_timeout: Duration = Duration::from_secs(5), within(Duration::from_secs(1), Duration::from_secs(600));
        /// Maximum pause between two attempts while the broker is away. The number of attempts is not limited.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
    }
}
