//! What librdkafka's errors mean in words, and which of them a retry does not solve. It makes no request.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// librdkafka's message that a certificate was not accepted, for whatever reason.
pub(super) const VERIFY_FAILED: &str = "certificate verify failed";

pub(super) fn is_refusal(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed)
}

/// Whether a retry is of no use.
pub(super) fn is_final(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{BadCompression, BadMessage, InvalidMessage, NotImplemented, UnsupportedCompressionType};
    let codes = [BadCompression, BadMessage, InvalidMessage, NotImplemented, UnsupportedCompressionType];
    is_refusal(error) || error.rdkafka_error_code().is_some_and(|code| codes.contains(&code))
}

/// The end of a sentence about records.
pub(super) fn unreadable(error: &KafkaError) -> &'static str {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::NotImplemented | RDKafkaErrorCode::UnsupportedCompressionType) => {
            "are compressed with a codec that this program does not have; let the producers use gzip, snappy, lz4 or zstd"
        }
        _ => "are damaged; see to the disk of the broker that leads them",
    }
}

/// An error for which a retry is of no use.
pub(super) enum Trouble {
    /// The certificate was not accepted; librdkafka does not say whether for its name or its authority.
    Untrusted(String),
    Other(String),
}

pub(super) fn definite(code: RDKafkaErrorCode, reason: &str) -> Option<Trouble> {
    if reason.contains(VERIFY_FAILED) {
        return Some(Trouble::Untrusted(reason.to_owned()));
    }
    let words = match code {
        RDKafkaErrorCode::SSL => format!("TLS with the broker fails: {reason}"),
        RDKafkaErrorCode::Authentication if reason.contains("SASL state") => {
            format!("the listener takes no login: in [kafka.properties] set \"security.protocol\" = \"SSL\" ({reason})")
        }
        RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => format!(
            "the broker refuses the login: check \"sasl.mechanism\", \"sasl.username\" and \"sasl.password\" in \
             [kafka.properties] ({reason})"
        ),
        _ => return None,
    };
    Some(Trouble::Other(words))
}

pub(super) fn untrusted(reason: &str) -> String {
    format!(
        "the broker's certificate is not trusted: in [kafka.properties] set \"ssl.ca.location\" to the file of the \
         authority that signed it ({reason})"
    )
}

pub(super) fn misnamed(reason: &str) -> String {
    format!(
        "the broker's certificate is for another name than the one in kafka.brokers: write the name that it holds, or give \
         the broker one that holds this name ({reason})"
    )
}
