//! The tables by name: those that are known, and those of a file of the user. A table is checked when it is read, so that a wrong one is
//! found at the start and not with the first vehicle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use super::part::Part;
use super::records::EventTable;

const KNOWN: &str = include_str!("known.toml");
/// Columns without which nothing can be stored.
const NEEDED: [&str; 4] = ["GCXH", "KKMC", "GCSJ", "HPHM"];

/// A table that cannot be used.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not what a file of tables is.
    #[error("{}: {reason}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

/// A table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    records: Option<String>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    columns: BTreeMap<String, Parts>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Parts {
    One(String),
    Several(Vec<String>),
}

/// All tables by name.
#[derive(Debug, Clone, Default)]
pub struct EventTables(Arc<BTreeMap<String, Arc<EventTable>>>);

impl EventTables {
    /// The known ones, and those of a file, which come before known ones of the same name. `names` are the columns of a record.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn load(file: Option<&Path>, names: &[String]) -> Result<Self, TableError> {
        let mut all = BTreeMap::new();
        let mut add = |path: &Path, text: &str| {
            let wrong = |reason| TableError::Wrong { path: path.to_owned(), reason };
            all.extend(tables(text, names).map_err(wrong)?);
            Ok(())
        };
        add(Path::new("known.toml"), KNOWN)?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path);
            add(path, &text.map_err(|error| TableError::Unread { path: path.to_owned(), error })?)?;
        }
        Ok(Self(Arc::new(all)))
    }

    /// The table of a name.
    pub fn get(&self, name: &str) -> Option<Arc<EventTable>> {
        self.0.get(name).cloned()
    }

    /// All names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn tables(text: &str, names: &[String]) -> Result<BTreeMap<String, Arc<EventTable>>, String> {
    let all: BTreeMap<String, Written> = toml::from_str(text).map_err(|error| error.to_string())?;
    all.into_iter()
        .map(|(name, written)| match table(written, names) {
            Ok(table) if is_name(&name) => Ok((name, Arc::new(table))),
            Ok(_) => Err(format!("[{name}]: a name has small letters, digits and hyphens only")),
            Err(reason) => Err(format!("[{name}]: {reason}")),
        })
        .collect()
}

/// Whether a name can stand in an address as it is.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn table(written: Written, names: &[String]) -> Result<EventTable, String> {
    let Written { records, only, columns } = written;
    let records = records.as_deref().map(part).transpose()?;
    let only: Vec<_> =
        only.into_iter().map(|(place, texts)| Ok((part(&place)?, texts))).collect::<Result<_, String>>()?;
    let mut read = Vec::new();
    for (name, parts) in columns {
        let known = names.iter().find(|known| known.eq_ignore_ascii_case(&name));
        let known = known.ok_or_else(|| format!("no column is called {name}: there are {}", names.join(", ")))?;
        let parts = match parts {
            Parts::One(place) => vec![place],
            Parts::Several(all) => all,
        };
        let parts: Vec<Part> = parts.iter().map(|place| part(place)).collect::<Result<_, _>>()?;
        if records.is_none() && parts.iter().any(Part::is_of_a_record) {
            return Err(format!(
                "{name} has a part of an element, and there is no list: give `records`, or begin it with /"
            ));
        }
        read.push((known.to_uppercase(), parts));
    }
    if records.as_ref().is_some_and(Part::is_of_a_record) || only.iter().any(|(place, _)| place.is_of_a_record()) {
        return Err("`records` and `only` are about the event: begin their parts with /".to_owned());
    }
    for needed in NEEDED {
        if !read.iter().any(|(name, parts)| name == needed && !parts.is_empty()) {
            return Err(format!("it has no {needed}: columns needs {}", NEEDED.join(", ")));
        }
    }
    Ok(EventTable { records, only, columns: read })
}

fn part(place: &str) -> Result<Part, String> {
    Part::parse(place).ok_or_else(|| {
        format!("{place:?} is no part of an event: \"/a/0/b\" of the event, \"./a\" of an element of `records`, or \"=text\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::Layout;

    fn names() -> Vec<String> {
        Layout::default().names().map(str::to_owned).collect()
    }

    #[track_caller]
    fn refused(text: &str, words: &[&str]) {
        let error = tables(text, &names()).unwrap_err();
        assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
    }

    const COLUMNS: &str = "columns = { GCXH = \"/id\", kkmc = \"/camera\", GCSJ = \"/time\", HPHM = [\"/plate\"] }\n";

    #[test]
    fn a_wrong_table_is_refused_in_words() {
        assert_eq!(tables(&format!("[a-1]\n{COLUMNS}"), &names()).unwrap().len(), 1);
        refused("[a]\n", &["columns"]);
        refused("[a]\ncolumns = { GCXH = \"/id\" }", &["[a]", "KKMC"]);
        refused(&format!("[A]\n{COLUMNS}"), &["[A]", "small letters"]);
        refused(&format!("[a]\nrecord = \"/x\"\n{COLUMNS}"), &["record", "records"]);
        refused(&format!("[a]\nrecords = \"x\"\n{COLUMNS}"), &["\"x\"", "/a/0/b"]);
        refused(&format!("[a]\nrecords = \"./x\"\n{COLUMNS}"), &["records", "/"]);
        refused(&format!("[a]\nonly = {{ \"./x\" = [\"a\"] }}\n{COLUMNS}"), &["only"]);
        refused(&format!("[a]\n{}", COLUMNS.replace("/plate", "./plate")), &["HPHM", "records"]);
        refused(&format!("[a]\n{}", COLUMNS.replace("[\"/plate\"]", "[]")), &["HPHM"]);
        refused(&format!("[a]\n{}", COLUMNS.replace("HPHM", "PLATE")), &["PLATE", "CLPPXH"]);
    }

    #[test]
    fn the_tables_of_a_file_come_before_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.toml");
        std::fs::write(&path, format!("[rekor]\n{COLUMNS}[gate]\n{COLUMNS}")).unwrap();
        let all = EventTables::load(Some(&path), &names()).unwrap();
        assert_eq!(all.names().collect::<Vec<_>>(), ["frigate", "gate", "plate-recognizer", "rekor"]);
        assert_eq!(all.get("rekor").unwrap().columns.len(), 4);
        assert!(all.get("other").is_none());
        let missing = EventTables::load(Some(&folder.path().join("none.toml")), &names()).unwrap_err();
        assert!(missing.to_string().contains("none.toml"), "{missing}");
        std::fs::write(&path, "[rekor]\n").unwrap();
        assert!(EventTables::load(Some(&path), &names()).unwrap_err().to_string().contains("events.toml"));
    }
}
