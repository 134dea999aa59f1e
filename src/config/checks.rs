//! Checks of values beyond their type. Each says what to write instead.

use std::time::Duration;

use traffic::Layout;

use super::declare::{Check, Setting};
use super::server::ServerUrl;
use super::units::{Retention, duration_text};

/// A value from `least` to `most`, both included; the reference shows them.
pub(super) struct Within<T> {
    least: T,
    most: T,
}

pub(super) fn within<T: Setting + PartialOrd>(least: T, most: T) -> Within<T> {
    Within { least, most }
}

impl<T: Setting + PartialOrd> Check<T> for Within<T> {
    fn note(&self) -> Option<String> {
        Some(format!("from {} to {}", self.least.to_toml(), self.most.to_toml()))
    }

    fn check(&self, value: &T) -> Result<(), String> {
        if *value < self.least || *value > self.most {
            let [value, least, most] = [value, &self.least, &self.most].map(Setting::to_toml);
            return Err(format!("{value} is out of range; write {least} to {most}"));
        }
        Ok(())
    }
}

pub(super) fn whole_seconds(duration: &Duration) -> Result<(), String> {
    if duration.subsec_nanos() != 0 {
        let text = duration_text(*duration);
        return Err(format!("{text} is not a whole number of seconds; passage times have none smaller"));
    }
    within(Duration::from_secs(1), Duration::from_secs(7 * 86_400)).check(duration)
}

pub(super) fn at_least_an_hour(retention: &Retention) -> Result<(), String> {
    match retention {
        Retention::For(duration) | Retention::Unwritten(duration) => {
            within(Duration::from_secs(3_600), Duration::from_secs(36_500 * 86_400)).check(duration)
        }
        Retention::Forever => Ok(()),
    }
}

pub(super) fn column_names(names: &[String]) -> Result<(), String> {
    Layout::parse(&names.join(",")).map(|_| ()).map_err(|error| error.to_string())
}

pub(super) fn origins(origins: &[String]) -> Result<(), String> {
    for origin in origins {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let valid = origin == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '*']));
        if !valid {
            return Err(format!(
                "\"{origin}\" is not an origin; write scheme, host and port without a path, such as \
                 \"https://example.org\", or \"*\""
            ));
        }
    }
    Ok(())
}

/// Names of hosts, without port.
pub(super) fn host_names(list: &[String]) -> Result<(), String> {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    match list.iter().find(|name| *name != "*" && !is_name(name)) {
        Some(wrong) => {
            Err(format!("\"{wrong}\" is no name of a host; write it without scheme and port, such as \"db-app\""))
        }
        None => Ok(()),
    }
}

/// Origins that may change something must be named.
pub(super) fn named_origins(list: &[String]) -> Result<(), String> {
    if list.iter().any(|origin| origin == "*") {
        return Err("any origin may not change something; name the origins, such as \"https://example.org\"".to_owned());
    }
    origins(list)
}

pub(super) fn filled(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("the text is empty; write a name".to_owned()) } else { Ok(()) }
}

pub(super) fn host_ports(list: &str) -> Result<(), String> {
    for item in list.split(',').map(str::trim) {
        let port = item.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(_)) => {}
            _ if item.is_empty() => return Err("a broker is missing; write \"host:9092\"".to_owned()),
            _ => return Err(format!("\"{item}\" has no port that could be one; write \"{item}:9092\"")),
        }
    }
    Ok(())
}

/// Kafka's rule for names of topics.
pub(super) fn topic_name(topic: &str) -> Result<(), String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if topic.is_empty() || topic.len() > 249 || matches!(topic, "." | "..") || !topic.bytes().all(letter) {
        return Err(format!(
            "\"{topic}\" cannot be a topic of Kafka; write at most 249 letters, digits, dots, dashes and underscores"
        ));
    }
    Ok(())
}

pub(super) fn mysql_urls(urls: &[ServerUrl]) -> Result<(), String> {
    for url in urls {
        if url.scheme() != "mysql" {
            return Err(format!("{url} is no address of MySQL or MyCat; write \"mysql://host:port/database\""));
        }
        if url.path().is_empty() {
            return Err(format!(
                "{url} names no database; write \"{url}/MYETCDB\" for MyCat, or \"{url}/traffic_db\" for an instance"
            ));
        }
    }
    match twice(urls.iter().map(ToString::to_string)) {
        Some(url) => Err(format!(
            "two URLs are the same, {url}; write one URL if it is MyCat's, or those of different instances"
        )),
        None => Ok(()),
    }
}

/// The names are put into a comment that MyCat reads, so nothing in them may end it.
pub(super) fn data_nodes(names: &[String]) -> Result<(), String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$".contains(&byte);
    if let Some(name) = names.iter().find(|name| name.is_empty() || !name.bytes().all(letter)) {
        return Err(format!("\"{name}\" is no name of a dataNode; write letters, digits, dashes and underscores"));
    }
    match twice(names.iter().cloned()) {
        Some(name) => Err(format!("two names are \"{name}\"; write the names of schema.xml, each once")),
        None => Ok(()),
    }
}

/// The first value that repeats an earlier one.
fn twice(values: impl Iterator<Item = String>) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    values.into_iter().find(|value| !seen.insert(value.clone()))
}

/// An address of a broker of MQTT.
pub(super) fn mqtt_url(url: Option<&ServerUrl>) -> Result<(), String> {
    match url {
        Some(url) if !matches!(url.scheme(), "mqtt" | "mqtts") || !url.path().is_empty() => Err(format!(
            "{url} is no address of a broker of MQTT; write \"mqtt://host:1883\", or \"mqtts://host:8883\" with TLS"
        )),
        _ => Ok(()),
    }
}

/// Filters of topics, as MQTT 3.1.1 has them in section 4.7.
pub(super) fn mqtt_topics(topics: &[String]) -> Result<(), String> {
    let is_filter = |topic: &&String| {
        let mut levels = topic.split('/').rev();
        let last = levels.next().is_some_and(|level| level == "#" || level == "+" || !level.contains(['#', '+']));
        !topic.is_empty() && last && levels.all(|level| level == "+" || !level.contains(['#', '+']))
    };
    match topics.iter().find(|topic| !is_filter(topic)) {
        Some(topic) => Err(format!(
            "{topic:?} is no filter of topics; write one such as \"frigate/events\", \"gates/+/passages\" or \"gates/#\""
        )),
        None => Ok(()),
    }
}

/// An id of GA/T 1400.
pub(super) fn viid_id(id: &str) -> Result<(), String> {
    let is_id = id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_digit());
    if id.is_empty() || is_id { Ok(()) } else { Err(format!("\"{id}\" is no id of GA/T 1400; write its 20 digits")) }
}

pub(super) fn viid_ids(ids: &[String]) -> Result<(), String> {
    if ids.iter().any(String::is_empty) {
        return Err("an id is empty; write 20 digits for each".to_owned());
    }
    ids.iter().try_for_each(|id| viid_id(id))
}

/// It stands in a header between quotes.
pub(super) fn viid_realm(realm: &str) -> Result<(), String> {
    let is_plain = realm.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ',' | ':'));
    if realm.is_empty() || !is_plain {
        return Err(format!("\"{realm}\" cannot be shown in a challenge; write letters, digits, dots and dashes"));
    }
    Ok(())
}

/// An address of a platform of GA/T 1400.
pub(super) fn viid_url(url: Option<&ServerUrl>) -> Result<(), String> {
    match url {
        Some(url) if !matches!(url.scheme(), "http" | "https") || !url.path().is_empty() => Err(format!(
            "{url} is no address of a platform; write \"http://host:port\", or \"https://host:port\" with TLS"
        )),
        _ => Ok(()),
    }
}

/// Where a platform sends notifications to.
pub(super) fn viid_receive_url(url: &str) -> Result<(), String> {
    const PATH: &str = "/VIID/SubscribeNotifications";
    let place = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let place = place.and_then(|place| place.strip_suffix(PATH)).filter(|host| !host.is_empty() && !host.contains('/'));
    if url.is_empty() || place.is_some() {
        return Ok(());
    }
    Err(format!("\"{url}\" leads elsewhere; write \"http://host:port{PATH}\", as the platform reaches this machine"))
}

/// An address of Redis.
pub(super) fn redis_url(url: Option<&ServerUrl>) -> Result<(), String> {
    let Some(url) = url else { return Ok(()) };
    if !matches!(url.scheme(), "redis" | "rediss") {
        return Err(format!("{url} is no address of Redis; write \"redis://host:6379\", or \"rediss://…\" with TLS"));
    }
    if !url.path().is_empty() && url.path().parse::<u16>().is_err() {
        return Err(format!("{url} does not end with the number of a database; write \"redis://host:6379/0\""));
    }
    Ok(())
}
