//! Verifying the whole audit log. It changes nothing, and works beside the process that writes it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use access::trail::{Checked, Checker, Flaw, Head};

use super::error::{At as _, TrailError};
use super::folder::Folder;
use super::writer::Trail;

/// Bytes between two words about the progress.
const STEP: u64 = 1 << 20;

/// Where a log is not as it was written, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong, as a sentence.
    pub what: String,
}

/// The end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayHead {
    /// The file.
    pub file: String,
    /// Its entries.
    pub entries: u64,
    /// Its last entry.
    pub head: Head,
}

/// What was found.
#[derive(Debug)]
pub struct Verified {
    /// Of each file that is sound.
    pub days: Vec<DayHead>,
    /// All of it, or where it is broken first.
    pub result: Result<Checked, Broken>,
}

/// A file, as long as it was when the verification began.
struct Part {
    name: String,
    file: File,
    length: u64,
}

impl Trail {
    /// Verifies the log as it is now, and that the heads which were `noted` elsewhere lie on it. `progress` is told how many bytes of
    /// how many were read.
    ///
    /// # Errors
    /// [`TrailError`] if it cannot be read.
    pub fn verify(
        &self,
        noted: impl IntoIterator<Item = Head>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Verified, TrailError> {
        let (parts, head) = self.parts()?;
        let all = parts.iter().map(|part| part.length).sum();
        let mut checker = Checker::default().expect(noted).expect(head);
        let (mut days, mut before) = (Vec::new(), 0);
        let mut end = (String::new(), 0);
        for part in parts {
            let name = part.name.clone();
            let length = part.length;
            match of_file(part, &mut checker, &mut |read| progress(before + read, all)) {
                Ok(day) => {
                    end = (name, day.entries);
                    days.push(day);
                }
                Err(FileFlaw::Broken(broken)) => return Ok(Verified { days, result: Err(broken) }),
                Err(FileFlaw::Unreadable(error)) => return Err(error).at(&self.files.path("").with_file_name(name)),
            }
            before += length;
        }
        let result = checker.finish().map_err(|flaw| {
            let (file, line) = match &flaw {
                Flaw::NoStart(_) => (days.first().map_or_else(String::new, |day| day.file.clone()), 1),
                _ => end,
            };
            Broken { file, line, what: flaw.to_string() }
        });
        Ok(Verified { days, result })
    }

    /// The files and the newest head, while nobody writes.
    fn parts(&self) -> Result<(Vec<Part>, Option<Head>), TrailError> {
        let lock = self.files.lock_to_read();
        let part = |day: &String| {
            let file = self.files.read(day)?;
            let length = file.metadata().at(&self.files.path(day))?.len();
            Ok(Part { name: Folder::name(day), file, length })
        };
        let parts: Result<Vec<Part>, TrailError> = self.files.days()?.iter().map(part).collect();
        Ok((parts?, lock.and_then(|lock| lock.read())))
    }
}

enum FileFlaw {
    Broken(Broken),
    Unreadable(std::io::Error),
}

fn of_file(part: Part, checker: &mut Checker, progress: &mut dyn FnMut(u64)) -> Result<DayHead, FileFlaw> {
    let Part { name, file, length } = part;
    let mut reader = BufReader::with_capacity(1 << 18, file.take(length));
    let mut day = DayHead { file: name.clone(), entries: 0, head: Head::NONE };
    let (mut line, mut read, mut told) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let size = reader.read_until(b'\n', &mut line).map_err(FileFlaw::Unreadable)?;
        if size == 0 {
            progress(read);
            return Ok(day);
        }
        let broken = |what: String| FileFlaw::Broken(Broken { file: name.clone(), line: day.entries + 1, what });
        let text = line.strip_suffix(b"\n").ok_or_else(|| broken(TORN.to_owned()))?;
        day.head = checker.take(text).map_err(|flaw| broken(flaw.to_string()))?.head();
        day.entries += 1;
        read += size as u64;
        if read - told >= STEP {
            told = read;
            progress(read);
        }
    }
}

const TORN: &str = "the line has no end: a write was cut off, by a power cut or a full disk; the next start cuts the rest off, and says so";
