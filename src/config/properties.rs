//! Properties of librdkafka as a setting: a table whose keys are the names of the properties.
//!
//! It knows only the few properties that Platewatch must decide itself. Values may be secrets: no message and no
//! `Debug` output holds one.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::DeValue;

use super::declare::Setting;
use super::text::quoted;

/// Properties that decide which records were consumed cannot be set.
const OURS: [(&str, &str); 8] = [
    ("bootstrap.servers", "write kafka.brokers instead"),
    ("metadata.broker.list", "write kafka.brokers instead"),
    ("group.id", "write kafka.group instead"),
    ("auto.offset.reset", "write kafka.start for the beginning; a gap later on is always recorded and shown"),
    ("enable.auto.commit", "it is always false: the data directory says what was consumed"),
    ("enable.auto.offset.store", "it is always false: the data directory says what was consumed"),
    ("enable.partition.eof", "it is always false"),
    ("statistics.interval.ms", "it is always 1000: the lag is read from the statistics"),
];

/// Properties by name, in the order of their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match OURS.iter().find(|(name, _)| self.0.contains_key(*name)) {
            Some((name, advice)) => Err(format!("{name} cannot be set here: {advice}")),
            None => Ok(()),
        }
    }

    /// `a.b = 1` without quotes is a table in a table to TOML.
    fn read(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), String> {
        let text = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Table(table) => {
                for (key, value) in table {
                    let key = key.get_ref();
                    let path = if name.is_empty() { key.to_string() } else { format!("{name}.{key}") };
                    self.read(&path, value.get_ref())?;
                }
                return Ok(());
            }
            DeValue::Array(_) | DeValue::Datetime(_) => {
                return Err(format!("{name}: a property is a text, a number, true or false; write one of these"));
            }
        };
        self.0.insert(name.to_owned(), text);
        Ok(())
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Setting for Properties {
    fn expected() -> String {
        r#"properties below [kafka.properties], each `"name" = "value"`"#.to_owned()
    }

    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let mut properties = Self::default();
        match value {
            DeValue::Table(_) => properties.read("", value)?,
            // The value is not shown: it may be a secret.
            _ => return Err(format!("this is not a table; write {}", Self::expected())),
        }
        Ok(properties)
    }

    fn to_toml(&self) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
        if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
    }

    fn to_shown(&self) -> String {
        let hidden = self.0.keys().map(|name| (name.clone(), "…".to_owned()));
        Self(hidden.collect()).to_toml()
    }
}
