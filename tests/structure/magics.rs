//! The first byte of a stored value says what it is: no two kinds have the same one.

use std::collections::BTreeMap;
use std::path::Path;

use super::CRATES;

/// Constants that declare a kind, `const NAME: Kind = Kind { magic: b'X', …`: the byte and the name.
fn declared(text: &str) -> impl Iterator<Item = (char, String)> {
    text.lines().filter_map(|line| {
        let (before, after) = line.split_once("magic: b'")?;
        let (_, name) = before.split_once("const ")?;
        Some((after.chars().next()?, name.split(':').next()?.to_owned()))
    })
}

fn collect(folder: &Path, found: &mut BTreeMap<char, Vec<String>>) {
    for entry in std::fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("it is text");
            // What follows are tests, with kinds of their own; `OLD_` are only read, each where the older kind stood.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (magic, name) in declared(text).filter(|(_, name)| !name.starts_with("OLD_")) {
                found.entry(magic).or_default().push(format!("{name} in {}", path.display()));
            }
        }
    }
}

#[test]
fn each_kind_of_stored_value_has_a_first_byte_of_its_own() {
    let mut found = BTreeMap::new();
    for folder in CRATES {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    assert!(found.len() >= 20, "only {found:?}");
    let twice: Vec<_> = found.iter().filter(|(_, names)| names.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn a_byte_that_stands_twice_is_found() {
    let text = "pub(super) const A: Kind = Kind { magic: b'A', version: 1 };\nconst B: Kind = Kind { magic: b'A', version: 2 };";
    assert_eq!(declared(text).collect::<Vec<_>>(), [('A', "A".to_owned()), ('A', "B".to_owned())]);
}
