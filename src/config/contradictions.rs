//! Settings that are valid by themselves but contradict one another.

use traffic::ShardKey;

use super::error::{Origin, Problem};
use super::sections::{Config, DetectConfig, Role, SourceKind};
use super::units::duration_text;

/// Contradicting settings.
pub(super) fn contradictions(config: &Config, origin: impl Fn(&str) -> Origin) -> Vec<Problem> {
    let mut problems = Vec::new();
    // Reports the first of `settings` that is set explicitly.
    let mut refuse = |settings: [&str; 2], message: String| {
        let [first, second] = settings;
        let blamed = if origin(first) == Origin::Default { second } else { first };
        problems.push(Problem { origin: origin(blamed), setting: blamed.to_owned(), message });
    };
    let DetectConfig { window, state_ttl, .. } = config.detect;
    let [window_text, ttl_text] = [window, state_ttl].map(duration_text);
    if window > state_ttl {
        refuse(
            ["detect.window", "detect.state_ttl"],
            format!(
                "detect.window ({window_text}) is longer than detect.state_ttl ({ttl_text}), so sightings would be forgotten \
             before they can be compared; write a state_ttl of at least {window_text}, better twice that"
            ),
        );
    } else if config.detect.speed_window() > state_ttl {
        let speed_text = duration_text(config.detect.speed_window());
        refuse(
            ["detect.speed_window", "detect.state_ttl"],
            format!(
                "detect.speed_window ({speed_text}) is longer than detect.state_ttl ({ttl_text}), so sightings would be \
             forgotten before they can be compared; write a state_ttl of at least {speed_text}"
            ),
        );
    }
    let api = &config.api;
    let [certificate, key] = ["api.tls_certificate", "api.tls_key"];
    for (is_alone, set, missing) in [
        (api.tls_certificate.is_some() && api.tls_key.is_none(), certificate, key),
        (api.tls_key.is_some() && api.tls_certificate.is_none(), key, certificate),
    ] {
        if is_alone {
            refuse([set, missing], format!("{set} is set and {missing} is not: HTTPS needs both, HTTP neither"));
        }
    }
    if api.metrics_listen == Some(api.listen) && api.listen.port() != 0 {
        refuse(
            ["api.metrics_listen", "api.listen"],
            format!("api.metrics_listen and api.listen are both {}: write another port for one of them", api.listen),
        );
    }
    let oidc = &config.oidc;
    let parts = [
        ("oidc.client_id", oidc.client_id.is_empty(), "what the provider calls Platewatch"),
        (
            "oidc.redirect_url",
            oidc.redirect_url.is_empty(),
            "\"https://HOST/api/session/oidc/callback\", as it is entered at the provider",
        ),
        (
            "oidc.roles",
            oidc.roles.is_empty(),
            "which value of the claim means which role, such as [\"traffic-desk=operator\"]: without it everybody is refused",
        ),
    ];
    for (setting, is_missing, what) in parts {
        if oidc.is_on() && is_missing {
            refuse(["oidc.issuer", setting], format!("oidc.issuer is set and {setting} is not; write {what}"));
        } else if !oidc.is_on() && !is_missing {
            refuse(
                [setting, "oidc.issuer"],
                format!("{setting} is set and oidc.issuer is not; write the provider's issuer, or leave [oidc] out"),
            );
        }
    }
    if oidc.is_on() && api.open {
        let message = "api.open lets everybody in, so nobody could log in by oidc.issuer; leave one of them out";
        refuse(["api.open", "oidc.issuer"], message.to_owned());
    }
    let source = &config.source;
    if config.role == Role::Api {
        let wrong = if config.mycat.urls.is_empty() {
            Some(("mycat.urls", "answers from MySQL; name MyCat or the instances in mycat.urls"))
        } else if config.redis.url.is_none() {
            Some(("redis.url", "answers from Redis; name it in redis.url"))
        } else if source.kind != SourceKind::None {
            Some(("source.kind", "takes nothing in; leave source.kind out here, and set it where role = \"ingest\""))
        } else {
            None
        };
        if let Some((setting, what)) = wrong {
            refuse([setting, "role"], format!("role = \"api\" {what}"));
        }
    }
    let mqtt = &config.mqtt;
    if mqtt.url.is_some() && source.kind != SourceKind::Http {
        let message = "messages of MQTT are taken beside what is sent over HTTP; write source.kind = \"http\", or leave mqtt.url out";
        refuse(["mqtt.url", "source.kind"], message.to_owned());
    }
    if mqtt.url.is_some() && mqtt.topics.is_empty() {
        refuse(
            ["mqtt.topics", "mqtt.url"],
            "mqtt.url is set and mqtt.topics is empty; write the topics to subscribe to".to_owned(),
        );
    }
    let viid = &config.viid;
    if viid.is_on() && source.kind != SourceKind::Http {
        let message = "vehicles of GA/T 1400 are taken beside what is sent over HTTP; write source.kind = \"http\", or leave viid.device_id out";
        refuse(["viid.device_id", "source.kind"], message.to_owned());
    }
    if viid.is_on() && viid.users_file.is_none() && viid.peer.is_none() {
        let message = "viid.device_id is set, and nobody can register here and we register nowhere; name the accounts of cameras in \
                       viid.users_file, or a platform in viid.peer";
        refuse(["viid.device_id", "viid.users_file"], message.to_owned());
    }
    let parts = [
        ("viid.device_id", !viid.is_on(), "our own id of 20 digits"),
        ("viid.peer_id", viid.peer_id.is_empty(), "the platform's id of 20 digits"),
        (
            "viid.receive_url",
            viid.receive_url.is_empty(),
            "where it reaches us: \"http://host:port/VIID/SubscribeNotifications\"",
        ),
    ];
    for (setting, _, what) in parts.into_iter().filter(|(_, is_missing, _)| viid.peer.is_some() && *is_missing) {
        refuse([setting, "viid.peer"], format!("viid.peer is set and {setting} is not; write {what}"));
    }
    if config.redis.key == config.redis.cases_key {
        let key = &config.redis.key;
        let message = format!("redis.key and redis.cases_key are both {key}: alerts and cases need a list each");
        refuse(["redis.cases_key", "redis.key"], message);
    }
    if let Err(error) = source.layout() {
        refuse(["source.shard_key", "source.columns"], error.to_string());
    }
    if config.mycat.urls.len() == 1
        && source.layout().is_ok_and(|layout| matches!(layout.shard_key(), ShardKey::Extra(_)))
    {
        refuse(
            ["source.shard_key", "mycat.urls"],
            format!(
                "MyCat cannot route by {}, which is not a column of traffic_data; write the URLs of the instances as mycat.urls, \
                 or another shard key",
                source.shard_key
            ),
        );
    }
    let (shards, urls, nodes) = (config.store.shards, config.mycat.urls.len(), config.mycat.data_nodes.len());
    let stores = config.role != Role::Api;
    if stores && urls > 1 && urls != shards {
        refuse(
            ["mycat.urls", "store.shards"],
            format!(
                "there are {urls} URLs and {shards} shards (store.shards); write one URL of MyCat, or one of each shard's MySQL \
                 instance in the order of MyCat's dataNodes"
            ),
        );
    }
    // Instances that are asked directly need no names.
    if stores && urls == 1 && nodes != shards {
        refuse(
            ["mycat.data_nodes", "store.shards"],
            format!(
                "there are {nodes} dataNodes and {shards} shards (store.shards); write the dataNode of each shard, as in \
                 data_nodes = [\"dn1\", \"dn2\"]"
            ),
        );
    }
    if source.kind == SourceKind::Capture && source.files.is_empty() {
        refuse(
            ["source.kind", "source.files"],
            "a capture source needs files; write files = [\"passages.log\"]".to_owned(),
        );
    }
    problems
}
