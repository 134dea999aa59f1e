//! Where bytes of a plate are found in a data directory: in keys and values of every family, and in the files as they are.

use std::path::Path;

use storage::{Database, Family};
use traffic::PlateCode;

/// The plate as its text, and packed as keys and values hold it.
fn forms(plate: &str) -> Vec<Vec<u8>> {
    let code = PlateCode::pack(plate).as_u64();
    vec![plate.as_bytes().to_vec(), code.to_be_bytes().to_vec(), code.to_le_bytes().to_vec()]
}

fn holds(bytes: &[u8], forms: &[Vec<u8>]) -> bool {
    forms.iter().any(|form| {
        // A plate that is the beginning of a longer one is another plate.
        let ends = |at: usize| bytes.get(at + form.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
        memchr::memmem::find_iter(bytes, form).any(|at| form.len() == 8 || ends(at))
    })
}

/// Keys and values that hold the plate, by family. Bodies of segments are compressed column by column: rows show them.
pub(super) fn in_values(database: &Database, plate: &str) -> Vec<String> {
    let forms = forms(plate);
    let mut found = Vec::new();
    for family in Family::all(database.shards()) {
        for item in database.scan(family, &[]) {
            let (key, value) = item.unwrap();
            if holds(&key, &forms) || holds(&value, &forms) {
                found.push(format!("{} {:?}", family.name(), String::from_utf8_lossy(&key)));
            }
        }
    }
    found
}

/// Files below a folder that hold the plate.
pub(super) fn in_files(folder: &Path, plate: &str) -> Vec<String> {
    let forms = forms(plate);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(in_files(&path, plate));
        } else if holds(&std::fs::read(&path).unwrap(), &forms) {
            found.push(path.display().to_string());
        }
    }
    found
}
