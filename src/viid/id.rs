//! Ids of devices and platforms (GA/T 1400.1): 20 digits.

use std::fmt;

/// Digits of an id.
pub const DIGITS: usize = 20;

/// The id of a device, a tollgate or a platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(Box<str>);

impl DeviceId {
    /// Reads an id; none if it is not 20 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_id = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| Self(text.into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_20_digits() {
        assert_eq!(DeviceId::parse(" 32031200001310000001").unwrap().as_str(), "32031200001310000001");
        for wrong in ["", "3203120000131000000", "320312000013100000011", "3203120000131000000x", "３２０３１２０"]
        {
            assert_eq!(DeviceId::parse(wrong), None, "{wrong}");
        }
    }
}
