//! What a model folder looks like from outside: whether its files have changed, and whether they are somebody's who imported a
//! model. It serves nothing and writes nothing.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::folder::{self, FolderError, METADATA, MODEL, PIPELINE};
use super::pipeline_folder::SavedPipeline;

/// Sizes and times of change: of our two files, and of the two folders of Spark with all that is in them, which may be copied in
/// slowly, file by file.
pub(super) type Stamp = [Option<(u64, SystemTime)>; 4];

/// Files of a stage that are looked at; a pipeline of ours has some four.
const MOST_FILES: usize = 64;

/// What the files in `folder` look like now.
pub(super) fn stamp(folder: &Path) -> Stamp {
    [
        seen(&folder.join(MODEL)),
        seen(&folder.join(METADATA)),
        all_in(&folder.join("metadata"), entries(&folder.join("metadata"))),
        all_in(&folder.join("stages"), stage_files(&folder.join("stages"))),
    ]
}

/// Whether the model in `folder` was learnt by Spark: imported, or served from where Spark saved it, even if it cannot be loaded
/// at the moment. Whoever put it there wants that one.
pub(super) fn is_of_spark(folder: &Path) -> bool {
    match folder::load(folder) {
        Ok((_, metadata)) => metadata.trained_from.kind == PIPELINE,
        Err(FolderError::Missing { .. }) => SavedPipeline::is_at(folder),
        Err(_) => false,
    }
}

fn seen(path: &Path) -> Option<(u64, SystemTime)> {
    facts(&std::fs::metadata(path).ok()?)
}

fn facts(metadata: &Metadata) -> Option<(u64, SystemTime)> {
    Some((metadata.len(), metadata.modified().ok()?))
}

/// A folder and files below it as one: the sum of the sizes and the newest time.
fn all_in(folder: &Path, files: Vec<PathBuf>) -> Option<(u64, SystemTime)> {
    let begin = seen(folder)?;
    let found = files.iter().filter_map(|path| seen(path));
    Some(found.fold(begin, |(size, newest), (more, time)| (size.wrapping_add(more), newest.max(time))))
}

fn stage_files(stages: &Path) -> Vec<PathBuf> {
    let parts = entries(stages).into_iter().flat_map(|stage| ["metadata", "data"].map(|part| stage.join(part)));
    parts.flat_map(|part| entries(&part).into_iter().chain([part])).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).take(MOST_FILES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::folder::{Origin, save, tests as models};
    use crate::predict::seasonal::Options;
    use crate::predict::train::Trained;

    #[test]
    fn a_pipeline_that_is_copied_in_slowly_is_seen_to_change_with_each_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = vec![stamp(folder.path())];
        for part in ["metadata", "stages/0_a/metadata", "stages/0_a/data", "stages/2_c/data"] {
            std::fs::create_dir_all(folder.path().join(part)).unwrap();
            seen.push(stamp(folder.path()));
            let file = folder.path().join(part).join("part-00000");
            std::fs::write(&file, "x").unwrap();
            seen.push(stamp(folder.path()));
            // More of the same file: neither folder changes by that.
            std::fs::write(&file, "xyz").unwrap();
            seen.push(stamp(folder.path()));
        }
        for pair in seen.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        assert_eq!(stamp(folder.path()), stamp(folder.path()));
    }

    #[test]
    fn what_spark_learnt_is_known_though_it_cannot_be_loaded() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_of_spark(folder.path()), "an empty one");
        for part in ["metadata", "stages"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        assert!(is_of_spark(folder.path()), "what Spark saved, half of it");
        let imported = tempfile::tempdir().unwrap();
        models::saved(imported.path(), 1_704_165_300);
        assert!(!is_of_spark(imported.path()), "learnt from a table");
        let origin = Origin { kind: PIPELINE.to_owned(), path: "pipeline".to_owned(), rows: 0, rejected: 0 };
        let trained = Trained { model: models::model(), evaluation: None, options: Options::DEFAULT };
        save(imported.path(), &trained, origin, 1_704_165_300).unwrap();
        assert!(is_of_spark(imported.path()), "imported");
    }
}
