//! Inputs on disk: the first ones of each target in `fuzz/corpus/`, and those that once failed in `fuzz/cases/`, by target. The
//! corpus holds at least the seeds of [`super::table::seeds`], which a test compares. It does not run anything.

use std::path::PathBuf;

use super::table::{TARGETS, seeds};

fn folder(kind: &str, target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target)
}

/// Path and bytes of every file of a target, by name.
pub(super) fn read(kind: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(files) = std::fs::read_dir(folder(kind, target)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let bytes = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    };
    paths.into_iter().map(bytes).collect()
}

/// More would not be looked through by anybody.
const MOST_BYTES: usize = 400 << 10;

#[test]
fn the_committed_corpus_holds_every_seed() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut all = 0;
    for target in TARGETS {
        for (number, seed) in seeds(target.name).into_iter().enumerate() {
            let path = folder("corpus", target.name).join(format!("seed-{number:02}"));
            if update {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &seed).unwrap();
            }
            let is_there = std::fs::read(&path).is_ok_and(|bytes| bytes == seed);
            assert!(is_there, "{} is not the seed of now: run scripts/generate", path.display());
        }
        let corpus = read("corpus", target.name);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        all += corpus.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        let binary = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{}.rs", target.name));
        let text = std::fs::read_to_string(&binary).unwrap_or_default();
        assert!(text.contains(&format!("run(\"{}\"", target.name)), "{} does not run it", binary.display());
    }
    assert!(all <= MOST_BYTES, "the corpus has {all} bytes");
}
