//! The position in a capture: which files, and how far each was read. It does not know what the lines say.
//!
//! A file is known by its content: length, and hashes of its beginning and of its old end. So one that grew is resumed
//! at its old end, under whatever name; one that was replaced is noticed. What is not a regular file (standard input, a
//! pipe) has no position: everything read from it is new.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::codec::{self, Kind};
use traffic::{CivilTime, Delimiter, LineForm};

use super::compression::Packing;
use super::mark::{Change, FileMark};
use crate::source::SourceError;

/// Layout 1 is bincode of [`First`]; layout 2 a text of JSON, so that fields can be added.
const KIND: Kind = Kind { magic: b'C', version: 2 };

/// How far one file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// Decompressed bytes read of it.
    pub(super) offset: u64,
    /// Lines read of it.
    pub(super) line: u64,
    /// How its lines are laid out, as far as they have shown: the order of a header holds for what follows.
    pub(super) form: LineForm,
    /// Set if it was read to its end: the size that its mark stated then.
    ended: Option<u64>,
}

/// How far a capture was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CapturePosition {
    files: Vec<FileMark>,
    by_time: bool,
    not_after: i64,
    options: String,
    /// Index of the file that is read.
    pub(super) file: usize,
    /// By file, for those that were started.
    places: Vec<Place>,
    /// By time: the file and line up to which everything that is not a passage was counted.
    scanned_file: usize,
    scanned_line: u64,
    /// By time: sorted lines returned.
    pub(super) given: u64,
}

/// The fields of layout 1: marks of the files (name, size, hash of the beginning), order, limit, options, then file, offset,
/// line and separator, then what was scanned and returned.
type First = (Vec<(String, Option<u64>, u64)>, bool, i64, String, (usize, u64, u64, Option<u8>), (usize, u64, u64));

impl CapturePosition {
    pub(super) fn start(files: Vec<FileMark>, by_time: bool, not_after: CivilTime, options: String) -> Self {
        Self {
            files,
            by_time,
            not_after: not_after.0,
            options,
            file: 0,
            places: Vec::new(),
            scanned_file: 0,
            scanned_line: 0,
            given: 0,
        }
    }

    /// The committed position, if it is one of these files; more files may have been added at the end of the list, and
    /// files may have grown. None if all input is streams, which have no position.
    ///
    /// # Errors
    /// [`SourceError`] if the files, the order or the options are others.
    pub(super) fn resume(
        bytes: &[u8],
        paths: &[PathBuf],
        files: &[FileMark],
        by_time: bool,
        options: &str,
    ) -> Result<Option<Self>, SourceError> {
        if files.iter().all(FileMark::is_stream) {
            return Ok(None);
        }
        let mut position = Self::decode(bytes)?;
        let others = || {
            let names: Vec<_> = position.files.iter().map(|file| file.name.as_str()).collect();
            SourceError::Refused(format!(
                "the data directory holds the replay of other input ({}, order {}): give the same files and order to \
                 continue it, or another --data-dir",
                names.join(", "),
                if position.by_time { "time" } else { "arrival" },
            ))
        };
        let fewer = files.len() < position.files.len();
        if fewer || position.by_time != by_time || (by_time && files.len() != position.files.len()) {
            return Err(others());
        }
        if by_time && files.iter().any(FileMark::is_stream) {
            return Err(SourceError::Refused(
                "standard input that was sorted by time together with files cannot be continued: give another --data-dir"
                    .to_owned(),
            ));
        }
        for ((was, is), path) in position.files.iter().zip(files).zip(paths) {
            match was.change(is, path)? {
                Change::None => {}
                // Its lines are made from all of it, so those that were read are not the first of what it has now.
                Change::Grown if is.packing(path)? == Packing::Parquet => {
                    return Err(SourceError::Refused(replaced(
                        path,
                        "has grown, which Parquet does only when it is written again",
                    )));
                }
                Change::Grown if by_time => {
                    return Err(SourceError::Refused(format!(
                        "{} has grown since it was sorted by time: sort all of it into another --data-dir",
                        path.display()
                    )));
                }
                Change::Grown => {}
                Change::Other => return Err(others()),
                Change::Replaced(how) => return Err(SourceError::Refused(replaced(path, &how))),
            }
        }
        if position.options != options {
            return Err(SourceError::Refused(format!(
                "the data directory holds a replay with other options ({}): give the same ones to continue it, or another \
                 --data-dir",
                position.options
            )));
        }
        position.go_on(files.to_vec(), paths)?;
        Ok(Some(position))
    }

    fn decode(bytes: &[u8]) -> Result<Self, SourceError> {
        let failed = |error: &dyn fmt::Display| SourceError::damaged("the capture", error);
        if codec::version(KIND, bytes).map_err(|error| failed(&error))? > 1 {
            let json: String = codec::decode(KIND, bytes).map_err(|error| failed(&error))?;
            return serde_json::from_str(&json).map_err(|error| failed(&error));
        }
        let first: First = codec::decode(KIND, bytes).map_err(|error| failed(&error))?;
        let (files, by_time, not_after, options, (file, offset, line, delimiter), scanned) = first;
        let files: Vec<_> = files.into_iter().map(|(name, size, head)| FileMark::first(name, size, head)).collect();
        // The end of a file was not kept: it is the file's size, if it was not packed.
        let ended = files.iter().take(file).map(|file| {
            let size = file.size.unwrap_or_default();
            Place { offset: size, ended: Some(size), ..Place::default() }
        });
        let mut places: Vec<_> = ended.collect();
        let delimiter = delimiter.map(|byte| if byte == b',' { Delimiter::Comma } else { Delimiter::Tab });
        places.push(Place { offset, line, form: LineForm { delimiter, order: None }, ended: None });
        let (scanned_file, scanned_line, given) = scanned;
        Ok(Self { files, by_time, not_after, options, file, places, scanned_file, scanned_line, given })
    }

    /// Takes the files as they are now, and goes to the first that holds something new.
    fn go_on(&mut self, files: Vec<FileMark>, paths: &[PathBuf]) -> Result<(), SourceError> {
        for (((was, is), path), place) in self.files.iter().zip(&files).zip(paths).zip(&mut self.places) {
            if is.is_stream() {
                *place = Place::default();
            }
            if was.size >= is.size || place.ended.is_none() {
                continue;
            }
            if !was.knows_end() && is.packing(path)? != Packing::None {
                return Err(SourceError::Refused(format!(
                    "{} has grown since an older platewatch read it, and where it ended then is not known for a packed \
                     file: give another --data-dir",
                    path.display()
                )));
            }
            tracing::info!(file = %path.display(), was = was.size, bytes = is.size, "a capture has grown, going on where it ended");
        }
        self.files = files;
        if !self.by_time {
            self.file = self.next_unread(0);
        }
        Ok(())
    }

    /// The first file from `from` on that was not read to its end.
    fn next_unread(&self, from: usize) -> usize {
        let is_read = |(at, file): &(usize, &FileMark)| {
            self.places.get(*at).is_some_and(|place| place.ended.is_some() && place.ended >= file.size)
        };
        self.files.iter().enumerate().skip(from).find(|file| !is_read(file)).map_or(self.files.len(), |(at, _)| at)
    }

    pub(super) fn not_after(&self) -> CivilTime {
        CivilTime(self.not_after)
    }

    /// How far the file that is read was read.
    pub(super) fn place(&mut self) -> &mut Place {
        let at = self.file;
        if self.places.len() <= at {
            self.places.resize(at + 1, Place::default());
        }
        // The list was made long enough.
        #[expect(clippy::indexing_slicing, reason = "it was made long enough right above")]
        &mut self.places[at]
    }

    pub(super) fn scanned(&self) -> (usize, u64) {
        (self.scanned_file, self.scanned_line)
    }

    pub(super) fn set_scanned(&mut self) {
        let here = (self.file, self.places.get(self.file).map_or(0, |place| place.line));
        if here > self.scanned() {
            (self.scanned_file, self.scanned_line) = here;
        }
    }

    /// The file that is read has ended.
    pub(super) fn next_file(&mut self) {
        let size = self.files.get(self.file).and_then(|file| file.size);
        self.place().ended = Some(size.unwrap_or_default());
        self.file = if self.by_time { self.file + 1 } else { self.next_unread(self.file + 1) };
    }

    /// Back to the first file; what was counted and returned stays known.
    pub(super) fn rewind(&mut self) {
        self.file = 0;
        self.places.clear();
    }

    pub(super) fn file_name(&self) -> Arc<str> {
        self.name_of(self.file)
    }

    /// The name of a file by its index.
    pub(super) fn name_of(&self, file: usize) -> Arc<str> {
        self.files.get(file).map_or_else(|| Arc::from(""), |file| Arc::from(file.name.as_str()))
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, SourceError> {
        let json = serde_json::to_string(self).map_err(SourceError::failed)?;
        codec::encode(KIND, &json).map_err(SourceError::failed)
    }
}

fn replaced(path: &Path, how: &str) -> String {
    let path = path.display();
    format!(
        "{path} {how}: it was rotated or replaced. To go on, name the file that was read before it and then this one (such \
         as {path}.1 {path}); to read this one alone, give another --data-dir"
    )
}

impl fmt::Display for CapturePosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.files.get(self.file) {
            _ if self.given > 0 => write!(formatter, "{} lines in the order of time", self.given),
            Some(file) => {
                let line = self.places.get(self.file).map_or(0, |place| place.line);
                write!(formatter, "{} line {line}", file.name)
            }
            None => write!(formatter, "the end of {} files", self.files.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the program before layout 2 wrote it.
    fn first_layout(files: &[(&str, Option<u64>, u64)], file: usize, offset: u64, line: u64) -> Vec<u8> {
        let files = files.iter().map(|(name, size, head)| ((*name).to_owned(), *size, *head)).collect();
        let first: First =
            (files, false, 4_000_000_000, "options".to_owned(), (file, offset, line, Some(b'\t')), (0, 0, 0));
        codec::encode(Kind { version: 1, ..KIND }, &first).unwrap()
    }

    fn resume(bytes: &[u8], paths: &[PathBuf]) -> Result<Option<CapturePosition>, SourceError> {
        let marks: Vec<_> = paths.iter().map(|path| FileMark::of(path).unwrap()).collect();
        CapturePosition::resume(bytes, paths, &marks, false, "options")
    }

    #[test]
    fn the_first_layout_is_read_to_the_letter() {
        let hex: String = first_layout(&[("-", None, 0)], 0, 300, 7).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "43012ec01bb001012d000000fd0050d6dc01000000076f7074696f6e7300fb2c01070109000000");
    }

    #[test]
    fn a_stored_place_in_standard_input_is_none() {
        let bytes = first_layout(&[("-", None, 0)], 0, 300, 7);
        assert_eq!(resume(&bytes, &["-".into()]).unwrap(), None);
    }

    #[test]
    fn a_file_of_the_first_layout_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tsv");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let head = xxhash_rust::xxh3::xxh3_64(b"one\ntwo\n");
        let paths = [path.clone()];
        for (file, offset, line, expected) in [(0, 4, 1, (0, 4, 1)), (1, 0, 0, (0, 8, 0))] {
            std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
            let bytes = first_layout(&[("a.tsv", Some(8), head)], file, offset, line);
            let mut position = resume(&bytes, &paths).unwrap().unwrap();
            let place = position.place().clone();
            assert_eq!((position.file, place.offset, place.line), expected);
            assert_eq!(place.form.delimiter, (file == 0).then_some(Delimiter::Tab));
            // And again as this program keeps it.
            let again = resume(&position.encode().unwrap(), &paths).unwrap().unwrap();
            assert_eq!(again, position);
        }
        for (text, part) in [("one\n", "is shorter than"), ("One\ntwo\nthree\n", "begins with other lines than")] {
            std::fs::write(&path, text).unwrap();
            let bytes = first_layout(&[("a.tsv", Some(8), head)], 1, 0, 0);
            let error = resume(&bytes, &paths).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("rotated or replaced"), "{error}");
        }
    }

    #[test]
    fn every_file_that_grew_is_read_on() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| folder.path().join(name));
        for path in &paths {
            std::fs::write(path, format!("{}\n", path.display())).unwrap();
        }
        let marks: Vec<_> = paths.iter().map(|path| FileMark::of(path).unwrap()).collect();
        let mut position = CapturePosition::start(marks, false, CivilTime(0), "options".to_owned());
        for (file, path) in paths.iter().enumerate() {
            assert_eq!(position.file, file);
            *position.place() = Place { offset: path.metadata().unwrap().len(), line: 1, ..Place::default() };
            position.next_file();
        }
        assert_eq!(position.to_string(), "the end of 3 files");
        let bytes = position.encode().unwrap();
        assert_eq!(resume(&bytes, &paths).unwrap().unwrap().file, 3);
        for path in [&paths[0], &paths[2]] {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, format!("{text}more\n")).unwrap();
        }
        let mut position = resume(&bytes, &paths).unwrap().unwrap();
        assert_eq!((position.file, position.place().line), (0, 1));
        position.next_file();
        assert_eq!((position.file, position.place().line), (2, 1));
        position.next_file();
        assert_eq!(position.file, 3);
        // Renamed, and followed by another: as after a rotation.
        let rotated = folder.path().join("c.1");
        std::fs::rename(&paths[2], &rotated).unwrap();
        std::fs::write(&paths[2], "new\n").unwrap();
        let bytes = position.encode().unwrap();
        let error = resume(&bytes, &paths).unwrap_err().to_string();
        assert!(error.contains("is shorter than") && error.contains("rotated or replaced"), "{error}");
        let list = [&paths[0], &paths[1], &rotated, &paths[2]].map(PathBuf::clone);
        assert_eq!(resume(&bytes, &list).unwrap().unwrap().file, 3);
    }

    #[test]
    fn parquet_that_grew_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("a.parquet")];
        std::fs::write(&paths[0], "PAR1 and more").unwrap();
        let marks = vec![FileMark::of(&paths[0]).unwrap()];
        let mut position = CapturePosition::start(marks, false, CivilTime(0), "options".to_owned());
        *position.place() = Place { offset: 70, line: 2, ..Place::default() };
        position.next_file();
        let bytes = position.encode().unwrap();
        assert_eq!(resume(&bytes, &paths).unwrap().unwrap().file, 1);
        std::fs::write(&paths[0], "PAR1 and more, and more").unwrap();
        let error = resume(&bytes, &paths).unwrap_err().to_string();
        assert!(error.contains("when it is written again") && error.contains("rotated or replaced"), "{error}");
    }
}
