//! How a command line says to reach Kafka's brokers: properties of librdkafka. It connects to none.

use std::path::PathBuf;

use clap::Args;

use crate::commands::failure::Usage;

/// Where lines go: shared by `ship` and `simulate`.
#[derive(Debug, Clone, Args)]
pub struct BrokerArgs {
    /// A property of librdkafka, such as security.protocol=SASL_SSL; may be given several times
    #[arg(long = "property", value_name = "NAME=VALUE", value_parser = parse_property)]
    properties: Vec<(String, String)>,
    /// A file of such properties, one in a line; for passwords, which a command line shows to everybody
    #[arg(long, value_name = "FILE")]
    properties_file: Option<PathBuf>,
}

impl BrokerArgs {
    /// All properties, those of the file first.
    ///
    /// # Errors
    /// [`Usage`]: the file cannot be read or has a line that is not a property.
    pub fn properties(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut properties = Vec::new();
        if let Some(path) = &self.properties_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Usage(format!("cannot read the properties in {}: {error}", path.display())))?;
            for (at, line) in text.lines().enumerate() {
                let line = line.trim();
                if !line.is_empty() && !line.starts_with(['#', '!']) {
                    let property = parse_property(line);
                    properties
                        .push(property.map_err(|it| Usage(format!("{}, line {}: {it}", path.display(), at + 1)))?);
                }
            }
        }
        properties.extend(self.properties.iter().cloned());
        Ok(properties)
    }
}

fn parse_property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write name=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_come_from_the_file_and_the_command_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("client.properties");
        std::fs::write(&path, "# comment\n\nsasl.password = a=b\nlinger.ms=1\n").unwrap();
        let args = BrokerArgs {
            properties: vec![("linger.ms".to_owned(), "2".to_owned())],
            properties_file: Some(path.clone()),
        };
        let expected = [("sasl.password", "a=b"), ("linger.ms", "1"), ("linger.ms", "2")];
        assert_eq!(args.properties().unwrap(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        std::fs::write(&path, "linger.ms=1\nnonsense\n").unwrap();
        let error = args.properties().unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().ends_with("line 2: write name=value"), "{error}");
    }

    #[test]
    fn properties_need_a_name() {
        assert_eq!(parse_property("a=b"), Ok(("a".to_owned(), "b".to_owned())));
        assert!(parse_property("=b").is_err() && parse_property("a").is_err());
    }
}
