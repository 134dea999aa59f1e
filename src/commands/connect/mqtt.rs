//! Checks `[mqtt]`: the connection, the login, and whether the topics may be read. The session of the appliance is not touched.

use super::reach::Address;
use crate::commands::report::{MQTT, Report};
use crate::config::Config;
use crate::mqtt;

/// Checks the broker, if one is configured.
///
/// # Errors
/// An I/O error if no runtime can be made.
pub(super) fn check(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let Some(url) = &config.mqtt.url else {
        report.sound(MQTT, "nothing to connect to: mqtt.url is \"\"");
        return Ok(());
    };
    let address = Address { host: url.host().to_owned(), port: url.port() };
    if let Err(reason) = address.connect() {
        report.problem(
            MQTT,
            format!("{address} of mqtt.url: {reason}; check the address, and that the broker listens on it"),
        );
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(mqtt::try_once(&config.mqtt, url)) {
        Ok(()) => report.sound(MQTT, format!("{url}; {} may be read", config.mqtt.topics.join(", "))),
        Err(reason) => report.problem(MQTT, format!("{url}: {reason}")),
    }
    Ok(())
}
