//! What is read from which files, and how. It opens none of them.

use std::path::PathBuf;
use std::time::Duration;

use traffic::ParserSettings;

/// What is read, and how.
#[derive(Debug, Clone)]
pub struct CaptureSettings {
    /// The files in order; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// Whether lines are GB18030 instead of UTF-8.
    pub gb18030: bool,
    /// Whether all files are sorted together by GCSJ first; stable.
    pub by_time: bool,
    /// How lines are parsed.
    pub parser: ParserSettings,
    /// What else decides the result, such as the rule, in words: a continued replay must have the same.
    pub options: String,
    /// Lines of one batch at most.
    pub batch_records: u64,
    /// The longest that a line of standard input waits for others.
    pub batch_interval: Duration,
    /// Memory for sorting, in bytes.
    pub sort_memory: usize,
    /// Folder for what sorting does not hold in memory.
    pub spill_folder: PathBuf,
}

impl CaptureSettings {
    /// Everything but the files that decides the result, in words.
    pub(super) fn all_options(&self) -> String {
        let layout = &self.parser.layout;
        let columns: Vec<_> = layout.names().collect();
        format!(
            "columns {}, shard key {:?}, {}, delimiter {:?}, zone {}, {}",
            columns.join(","),
            layout.shard_key(),
            if self.gb18030 { "gb18030" } else { "utf-8" },
            self.parser.delimiter,
            self.parser.zone,
            self.options
        )
    }
}
