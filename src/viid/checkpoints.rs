//! Which checkpoint an id of GA/T 1400 is: a table of the user, from a CSV file. What it does not have stays an id.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::id::DeviceId;

/// Ids without a checkpoint that are counted and named in the log, at most.
const MOST_UNKNOWN: usize = 1_000;
/// The columns of the file.
const COLUMNS: [&str; 3] = ["id", "kkmc", "xzqhmc"];

/// The file cannot be used; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}{line}: {reason}; write a header `id,kkmc,xzqhmc` and below it a line for each id of 20 digits", .path.display())]
pub struct CheckpointsError {
    path: PathBuf,
    /// `, line N`, or nothing.
    line: String,
    reason: String,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name in KKMC.
    pub kkmc: String,
    /// The district; may be empty.
    pub district: String,
}

/// The table.
#[derive(Debug, Default)]
pub struct Checkpoints {
    places: HashMap<DeviceId, Place>,
    unknown: Mutex<HashSet<Box<str>>>,
}

impl Checkpoints {
    /// The table of a file; an empty one without a file.
    ///
    /// # Errors
    /// [`CheckpointsError`].
    pub fn load(file: Option<&Path>) -> Result<Self, CheckpointsError> {
        let Some(path) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path);
        let wrong = |line: Option<u64>, reason: String| CheckpointsError {
            path: path.to_owned(),
            line: line.map_or_else(String::new, |line| format!(", line {line}")),
            reason,
        };
        let text = text.map_err(|error| wrong(None, error.to_string()))?;
        let mut lines = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = lines.headers().map_err(|error| wrong(None, error.to_string()))?;
        let at = COLUMNS.map(|name| {
            header.iter().position(|known| known.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        });
        let [Some(id_at), Some(kkmc_at), district_at] = at else {
            return Err(wrong(None, "the header names no `id` or no `kkmc`".to_owned()));
        };
        let mut places = HashMap::new();
        for record in lines.records() {
            let record = record.map_err(|error| wrong(None, error.to_string()))?;
            let line = record.position().map(csv::Position::line);
            let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
            let id = DeviceId::parse(&field(id_at));
            let id = id.ok_or_else(|| wrong(line, format!("{:?} is no id", field(id_at))))?;
            let place = Place { kkmc: field(kkmc_at), district: district_at.map(field).unwrap_or_default() };
            if place.kkmc.is_empty() {
                return Err(wrong(line, format!("{id} has no kkmc")));
            }
            if places.insert(id.clone(), place).is_some() {
                return Err(wrong(line, format!("{id} is there twice")));
            }
        }
        Ok(Self { places, unknown: Mutex::default() })
    }

    /// Where a vehicle was, by the ids that it comes with: the first that the table has, or else the first as it is.
    pub fn place(&self, ids: &[&str]) -> Place {
        let named = ids.iter().find_map(|id| DeviceId::parse(id).and_then(|id| self.places.get(&id)));
        if let Some(place) = named {
            return place.clone();
        }
        let first = ids.iter().find(|id| !id.is_empty()).copied().unwrap_or_default();
        if !first.is_empty() {
            self.note(first);
        }
        Place { kkmc: first.to_owned(), district: String::new() }
    }

    /// Says once of each id that it has no name.
    fn note(&self, id: &str) {
        let mut unknown = self.unknown.lock();
        if unknown.contains(id) || unknown.len() >= MOST_UNKNOWN {
            return;
        }
        unknown.insert(id.into());
        tracing::info!(
            id = &*crate::plain::line(id),
            "vehicles come from an id without a checkpoint, which is stored as KKMC: name it in viid.checkpoints"
        );
    }

    /// Ids that came and have no name; not more than a thousand are counted.
    pub fn unknown(&self) -> usize {
        self.unknown.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: &str = "32031200001310000001";
    const CAMERA: &str = "32031200001190000001";

    fn load(text: &str) -> Result<Checkpoints, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.csv");
        std::fs::write(&path, text).unwrap();
        Checkpoints::load(Some(&path)).map_err(|error| error.to_string())
    }

    #[test]
    fn ids_become_names_and_others_stay() {
        let table = load(&format!("\u{feff}ID, kkmc ,xzqhmc\n{GATE},G3_Sulu,铜山县\n{CAMERA},S250\n")).unwrap();
        let named = |ids: &[&str]| {
            let place = table.place(ids);
            (place.kkmc, place.district)
        };
        assert_eq!(named(&[GATE, CAMERA]), ("G3_Sulu".to_owned(), "铜山县".to_owned()));
        assert_eq!(named(&["32031200001310000002", CAMERA]).0, "S250");
        assert_eq!(named(&["", CAMERA]).0, "S250");
        assert_eq!(table.unknown(), 0);
        assert_eq!(named(&["32031200001310000002", "x"]).0, "32031200001310000002");
        assert_eq!(named(&["", "x"]).0, "x");
        assert_eq!((named(&["", ""]).0, table.unknown()), (String::new(), 2));
        (0..2 * MOST_UNKNOWN).for_each(|number| drop(named(&[&number.to_string()])));
        assert_eq!(table.unknown(), MOST_UNKNOWN);
        assert_eq!(Checkpoints::load(None).unwrap().place(&[GATE]).kkmc, GATE);
    }

    #[test]
    fn a_wrong_file_is_refused_in_words() {
        for (text, words) in [
            ("", "header"),
            ("id,name\n", "header"),
            ("id,kkmc\n7,a\n", "line 2"),
            (&format!("id,kkmc\n{GATE},\n"), "no kkmc"),
            (&format!("id,kkmc\n{GATE},a\n\n{GATE},b\n"), "twice"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.contains(words) && error.contains("id,kkmc,xzqhmc"), "{error}");
        }
        assert!(Checkpoints::load(Some(Path::new("/nowhere"))).unwrap_err().to_string().contains("/nowhere"));
    }
}
