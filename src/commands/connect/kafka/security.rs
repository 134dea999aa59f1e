//! What `[kafka.properties]` says about TLS and login. It connects to nothing.

use crate::config::KafkaConfig;

/// What `[kafka.properties]` says about TLS and login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Security {
    pub(super) tls: bool,
    pub(super) login: bool,
    pub(super) mechanism: String,
}

impl Security {
    pub(super) fn of(kafka: &KafkaConfig) -> Self {
        let property = |wanted: &[&str]| {
            let found = kafka.properties.iter().find(|(name, _)| wanted.contains(name));
            found.map(|(_, value)| value.to_ascii_uppercase())
        };
        let protocol = property(&["security.protocol"]).unwrap_or_default();
        Self {
            tls: protocol.ends_with("SSL"),
            login: protocol.starts_with("SASL"),
            mechanism: property(&["sasl.mechanism", "sasl.mechanisms"]).unwrap_or_else(|| "GSSAPI".to_owned()),
        }
    }

    pub(super) fn protocol(&self) -> &'static str {
        match (self.login, self.tls) {
            (false, false) => "PLAINTEXT",
            (false, true) => "SSL",
            (true, false) => "SASL_PLAINTEXT",
            (true, true) => "SASL_SSL",
        }
    }
}

impl std::fmt::Display for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.protocol())?;
        if self.login { write!(f, " ({})", self.mechanism) } else { Ok(()) }
    }
}
