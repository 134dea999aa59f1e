//! Checks `[kafka]`: the first contact, the protocol and the login, the addresses that the brokers advertise, the
//! topic, the rights, the group.
//!
//! It goes from the outside in and stops where the next steps could only fail for the same reason. No step changes
//! anything: see [`session`].

mod advertised;
mod events;
mod probe;
mod refusals;
mod security;
mod session;

use super::reach::Address;
use crate::commands::report::{KAFKA, Report};
use crate::config::{Config, SourceKind};
use probe::Listener;
use security::Security;
use session::Session;

/// Checks Kafka, if it is the source.
///
/// # Errors
/// [`Usage`](crate::commands::failure::Usage): librdkafka refuses a property.
pub(super) fn check(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    if config.source.kind != SourceKind::Kafka {
        let kind = config.source.kind.as_str();
        report.sound(KAFKA, format!("nothing to connect to: source.kind is \"{kind}\""));
        return Ok(());
    }
    let kafka = &config.kafka;
    let session = Session::open(kafka)?;
    let bootstrap: Vec<Address> = kafka.brokers.split(',').filter_map(Address::parse).collect();
    let wanted = Security::of(kafka);
    let contacts: Vec<&Address> = bootstrap.iter().filter(|address| first_contact(address, &wanted, report)).collect();
    let Some(contact) = contacts.first() else { return Ok(()) };
    let metadata = session.metadata();
    let brokers = metadata.as_ref().map_or_else(|_| session.learned(), session::advertised);
    let problems = report.problems();
    advertised::check(&brokers, &bootstrap, contact, &wanted, kafka, report);
    // Through wrong addresses every further answer would be late, or another cluster's.
    if report.problems() > problems {
        return Ok(());
    }
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(words) => {
            report.problem(KAFKA, words);
            return Ok(());
        }
    };
    let Some(partitions) = session.topic(&metadata, report) else { return Ok(()) };
    session.reading(partitions, report);
    session.group(partitions, report);
    if report.problems() == 0 {
        let brokers = brokers.len();
        report.sound(
            KAFKA,
            format!(
                "{} as {wanted}; brokers: {brokers}; topic {}, partitions: {partitions}; group {} can be used",
                kafka.brokers, kafka.topic, kafka.group
            ),
        );
    }
    Ok(())
}

/// Whether a broker that fits the settings listens at an address of `kafka.brokers`.
fn first_contact(address: &Address, wanted: &Security, report: &mut Report) -> bool {
    let listener = match probe::probe(|| address.connect(), &wanted.mechanism) {
        Ok(listener) => listener,
        Err(reason) => {
            report.problem(
                KAFKA,
                format!("{address} of kafka.brokers: {reason}; check the address, and that the broker runs and listens on it"),
            );
            return false;
        }
    };
    match misfit(&listener, wanted) {
        None => true,
        Some(words) => {
            report.problem(KAFKA, format!("{address} of kafka.brokers: {words}"));
            false
        }
    }
}

/// The mismatch between what listens and what is configured.
fn misfit(listener: &Listener, wanted: &Security) -> Option<String> {
    const SET: &str = "in [kafka.properties] set \"security.protocol\" =";
    let protocol = wanted.protocol();
    Some(match listener {
        Listener::Tls if !wanted.tls => format!(
            "the listener speaks TLS, and security.protocol is {protocol}: {SET} \"SSL\", or \"SASL_SSL\" where one logs in \
             with a name and a password"
        ),
        Listener::Plain if wanted.tls || wanted.login => {
            format!(
                "the listener has neither TLS nor a login, and security.protocol is {protocol}: {SET} \"PLAINTEXT\""
            )
        }
        Listener::Login(_) if wanted.tls => {
            format!(
                "the listener has a login without TLS, and security.protocol is {protocol}: {SET} \"SASL_PLAINTEXT\""
            )
        }
        Listener::Login(mechanisms) if !wanted.login => format!(
            "the listener wants a login, and security.protocol is {protocol}: {SET} \"SASL_PLAINTEXT\", \"sasl.mechanism\" \
             (the broker offers {}), \"sasl.username\" and \"sasl.password\"",
            mechanisms.join(", ")
        ),
        Listener::Login(mechanisms) if !mechanisms.is_empty() && !mechanisms.contains(&wanted.mechanism) => format!(
            "the broker offers no login by {}: in [kafka.properties] set \"sasl.mechanism\" to one of {}",
            wanted.mechanism,
            mechanisms.join(", ")
        ),
        Listener::Controller => {
            "this is the port of a KRaft controller, which serves no clients: name a broker's listener \
                                 (`listeners` in its server.properties)"
                .to_owned()
        }
        Listener::Foreign(said) => format!(
            "what listens there is not Kafka (it said \"{said}\"): check the port, a broker's is the one in `listeners` of \
             its server.properties"
        ),
        Listener::Mute => {
            "something listens there and closes without an answer in Kafka's protocol or TLS: check the port; \
                           a proxy or firewall between may do this too"
                .to_owned()
        }
        Listener::Plain | Listener::Login(_) | Listener::Tls => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn security(text: &str) -> Security {
        let text = format!("[kafka.properties]\n{text}\n");
        Security::of(&Config::from_toml(&text, []).unwrap().kafka)
    }

    fn check(listener: Listener, properties: &str, expected: Option<&str>) {
        let words = misfit(&listener, &security(properties));
        match (&words, expected) {
            (None, None) => {}
            (Some(words), Some(part)) if words.contains(part) => {}
            _ => panic!("{listener:?} with {properties:?}: {words:?}"),
        }
    }

    #[test]
    fn what_listens_is_compared_with_what_is_configured() {
        let login = || Listener::Login(vec!["PLAIN".to_owned(), "SCRAM-SHA-512".to_owned()]);
        let (tls, scram) = ("security.protocol = \"ssl\"", "security.protocol = \"sasl_plaintext\"\nsasl.mechanism = ");
        check(Listener::Plain, "", None);
        check(Listener::Tls, tls, None);
        check(Listener::Tls, "security.protocol = \"SASL_SSL\"", None);
        check(login(), &format!("{scram}\"SCRAM-SHA-512\""), None);
        check(Listener::Tls, "", Some("speaks TLS, and security.protocol is PLAINTEXT"));
        check(Listener::Plain, tls, Some("set \"security.protocol\" = \"PLAINTEXT\""));
        check(login(), "", Some("the broker offers PLAIN, SCRAM-SHA-512"));
        check(login(), "security.protocol = \"SASL_SSL\"", Some("a login without TLS"));
        check(login(), &format!("{scram}\"SCRAM-SHA-256\""), Some("to one of PLAIN, SCRAM-SHA-512"));
        check(Listener::Controller, "", Some("KRaft controller"));
        check(Listener::Foreign("HTTP/1.1".to_owned()), tls, Some("is not Kafka (it said \"HTTP/1.1\")"));
        check(Listener::Mute, tls, Some("closes without an answer"));
    }
}
