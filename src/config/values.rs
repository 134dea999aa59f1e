//! The basic types of settings, and how each is read from and written as TOML.
//!
//! This module knows no setting by name.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use toml::de::DeValue;
use traffic::{TimeZoneName, UnknownTimeZone};

use super::declare::Setting;
use super::text::{mismatch, quoted, text_of};

impl Setting for String {
    fn expected() -> String {
        "a text in quotes".to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        text_of(value, &Self::expected()).map(str::to_owned)
    }
    fn to_toml(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    fn expected() -> String {
        "a path in quotes".to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        match text_of(value, &Self::expected())? {
            "" => Err("the path is empty; write a path, such as \"/var/lib/platewatch\"".to_owned()),
            text => Ok(text.into()),
        }
    }
    fn to_toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Setting for SocketAddr {
    fn expected() -> String {
        r#"an IP address and a port, such as "127.0.0.1:5000", or "0.0.0.0:5000" for every network of this machine"#
            .to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let text = text_of(value, &Self::expected())?;
        text.parse().map_err(|_| format!("{} is not an address to listen on; write {}", quoted(text), Self::expected()))
    }
    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for IpAddr {
    fn expected() -> String {
        r#"an IP address, such as "127.0.0.1""#.to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let text = text_of(value, &Self::expected())?;
        text.parse().map_err(|_| format!("{} is no IP address; write {}", quoted(text), Self::expected()))
    }
    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for TimeZoneName {
    fn expected() -> String {
        r#"the IANA name of a time zone, such as "Asia/Shanghai" or "UTC""#.to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        text_of(value, &Self::expected())?.parse().map_err(|error: UnknownTimeZone| error.to_string())
    }
    fn to_toml(&self) -> String {
        quoted(self.as_str())
    }
}

impl Setting for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| mismatch(value, &Self::expected()))
    }
    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Setting for u64 {
    fn expected() -> String {
        "a whole number".to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let integer = value.as_integer().ok_or_else(|| mismatch(value, &Self::expected()))?;
        Self::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| format!("{integer} is out of range; write {}, 0 or more", Self::expected()))
    }
    fn to_toml(&self) -> String {
        grouped(*self)
    }
}

impl Setting for usize {
    fn expected() -> String {
        u64::expected()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let number = u64::from_toml(value)?;
        Self::try_from(number).map_err(|_| format!("{number} is too large for this machine"))
    }
    fn to_toml(&self) -> String {
        grouped(*self as u64)
    }
}

impl Setting for f64 {
    fn expected() -> String {
        "a number".to_owned()
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let parsed = match value {
            DeValue::Float(float) => float.as_str().parse::<Self>().ok(),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as Self),
            _ => None,
        };
        parsed.filter(|number| number.is_finite()).ok_or_else(|| mismatch(value, &Self::expected()))
    }
    fn to_toml(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn expected() -> String {
        format!("a list in brackets, each {}", T::expected())
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        // The value is not shown: a URL in it may hold a secret.
        let list = value.as_array().ok_or_else(|| format!("this is not a list; write {}", Self::expected()))?;
        list.iter().map(|item| T::from_toml(item.get_ref())).collect()
    }
    /// In the environment a list may also be written with commas: `a,b`.
    fn from_text(text: &str) -> Result<Self, String> {
        if !text.trim_start().starts_with('[') {
            return text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::from_text).collect();
        }
        match DeValue::parse(text) {
            Ok(value) => Self::from_toml(value.get_ref()),
            Err(_) => Err(format!("this is not a TOML list; write {}", Self::expected())),
        }
    }
    fn to_toml(&self) -> String {
        let items: Vec<String> = self.iter().map(Setting::to_toml).collect();
        format!("[{}]", items.join(", "))
    }
    fn to_shown(&self) -> String {
        let items: Vec<String> = self.iter().map(Setting::to_shown).collect();
        format!("[{}]", items.join(", "))
    }
}

/// `""` is none.
impl<T: Setting> Setting for Option<T> {
    fn expected() -> String {
        format!("{}; or \"\"", T::expected())
    }
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        if value.as_str() == Some("") { Ok(None) } else { T::from_toml(value).map(Some) }
    }
    fn to_toml(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), Setting::to_toml)
    }
    fn to_shown(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), Setting::to_shown)
    }
}

/// 131072 as TOML's `131_072`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1_000"), (131_072, "131_072"), (1_000_000, "1_000_000")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
