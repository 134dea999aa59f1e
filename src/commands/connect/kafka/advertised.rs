//! The advertised-address trap: a broker answers the first contact with the address under which it wants to be reached
//! from then on, and that address cannot be reached from this machine.

use super::super::reach::Address;
use super::events::Advertised;
use super::security::Security;
use super::session::cluster_at;
use crate::commands::report::{KAFKA, Report};
use crate::config::KafkaConfig;

/// Tries the address of every broker, except those in `kafka.brokers`, which were tried already.
pub(super) fn check(
    brokers: &[Advertised],
    bootstrap: &[Address],
    contact: &Address,
    wanted: &Security,
    kafka: &KafkaConfig,
    report: &mut Report,
) {
    for (id, address) in brokers.iter().filter(|(_, address)| !bootstrap.contains(address)) {
        if let Some(reason) = astray(address, contact, kafka) {
            let protocol = wanted.protocol();
            // With one broker its correct address is known: the one that answered.
            let example = match brokers.len() {
                1 => format!("{protocol}://{contact}"),
                _ => format!("{protocol}://ITS-ADDRESS:{}", contact.port),
            };
            report.problem(
                KAFKA,
                format!(
                    "{contact} answers, but broker {id} tells its clients to go on to {address} (its advertised address), and \
                     {reason}. On broker {id} change advertised.listeners (KAFKA_ADVERTISED_LISTENERS in a container): the \
                     listener that {contact} leads to must advertise an address that this machine reaches, such as \
                     {example}"
                ),
            );
        }
    }
}

/// Why an advertised address does not lead from here to its broker.
fn astray(address: &Address, contact: &Address, kafka: &KafkaConfig) -> Option<String> {
    let trap = address.is_loopback() && !contact.is_loopback();
    if trap && !contact.is_here() {
        return Some(format!("{} is this machine itself, not the broker's", address.host));
    }
    if let Err(reason) = address.connect() {
        return Some(if address.is_loopback() {
            format!("{} is always the machine that asks: here {reason}", address.host)
        } else {
            format!("from here {reason}")
        });
    }
    // What listens on this machine's own port may be another cluster.
    let (here, there) = address.is_loopback().then(|| (cluster_at(kafka, address), cluster_at(kafka, contact)))?;
    match (here, there) {
        (Some(here), Some(there)) if here != there => Some(format!("what listens there is another cluster ({here})")),
        (None, Some(_)) => Some("what listens there is not this cluster".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn localhost_is_never_where_another_machine_is() {
        let kafka = Config::from_toml("", []).unwrap().kafka;
        let address = |text| Address::parse(text).unwrap();
        // A block for documentation: no machine has such an address. This answer needs no connection.
        let remote = address("192.0.2.7:9092");
        let words = astray(&address("localhost:9092"), &remote, &kafka).unwrap();
        assert_eq!(words, "localhost is this machine itself, not the broker's");
        let words = astray(&address("no-such-broker.invalid:9092"), &remote, &kafka).unwrap();
        assert_eq!(words, "from here this machine cannot resolve the name");
    }
}
