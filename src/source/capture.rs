//! Captured logs as a source: files one after another as one partition, in the order of arrival or sorted by time.
//!
//! A file may be plain, gzip or Zstandard, UTF-8, UTF-16 with its mark (both detected from the first bytes) or GB18030; or
//! Parquet, which is read as the lines that it stands for. `-` is standard input. The position is the place after the last line of a batch in decompressed bytes, with what
//! identifies the files, so that an interrupted replay resumes only over the same input. A grown file is resumed at its
//! old end.
//!
//! A stream (standard input, a named pipe) has no position: everything read from it is new, and the duplicate guard
//! drops repeats. It may be live, such as `tail -F` of a log: its lines are returned within the batch interval, whether
//! more arrive or not, and a stop is noticed while none arrive.

mod compression;
mod input;
mod lines;
mod listed;
mod mark;
mod parquet;
mod pipe;
mod position;
mod progress;
mod settings;
mod sort;
mod source;
mod utf16;

pub use listed::listed;
pub use mark::FileMark;
pub use progress::CaptureProgress;
pub use settings::CaptureSettings;
pub use source::{Capture, NAME};
