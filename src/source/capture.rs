//! Captured logs as a source: files one after another as one partition, in the order of arrival or sorted by time.
//!
//! A file may be plain, gzip or Zstandard, UTF-8, UTF-16 with its mark (both told by the first bytes) or GB18030; `-` is standard input. The position
//! is the place behind the last line of a batch in decompressed bytes, together with what identifies the files, so that an
//! interrupted replay goes on only over the same input. A file that has grown since goes on behind its old end.
//!
//! A stream (standard input, a named pipe) has no position: whatever comes of it is new, and the duplicate guard drops what
//! comes twice. It may be live, such as `tail -F` of a log: its lines are given out within the batch interval, whether more
//! come or not, and a stop is heard while nothing comes.

mod compression;
mod input;
mod lines;
mod mark;
mod pipe;
mod position;
mod progress;
mod settings;
mod sort;
mod source;
mod utf16;

pub use mark::FileMark;
pub use progress::CaptureProgress;
pub use settings::CaptureSettings;
pub use source::{Capture, NAME};
