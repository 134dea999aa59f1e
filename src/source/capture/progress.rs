//! How far a capture was read. It does not know how that is shown.

use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

/// Sentences on files that are kept for the user.
const MAX_NOTES: usize = 20;

/// How far reading is, for a progress bar.
#[derive(Debug, Default)]
pub struct CaptureProgress {
    /// Bytes of all files as they lie on disk; 0 if one is standard input.
    pub total_bytes: AtomicU64,
    /// Bytes read of them.
    pub read_bytes: AtomicU64,
    /// Lines that sorting has in hand; 0 when not sorting.
    pub sorted_lines: AtomicU64,
    /// Lines that sorting has returned.
    pub given_lines: AtomicU64,
    notes: Mutex<Vec<String>>,
}

impl CaptureProgress {
    /// What the user should know of the files, in whole sentences.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().clone()
    }

    pub(super) fn note(&self, sentence: String) {
        let mut notes = self.notes.lock();
        if notes.len() < MAX_NOTES {
            notes.push(sentence);
        }
    }
}
