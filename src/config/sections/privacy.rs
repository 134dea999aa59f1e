//! `[privacy]`: what is kept instead of plates.

use std::path::PathBuf;

use crate::config::declare::settings;

settings! {
    /// Pseudonyms in the place of plates. See docs/privacy.md.
    pub struct PrivacyConfig {
        /// The file of a plate key, which `platewatch plate-key new FILE` makes; only its owner may read it. With it every plate is
        /// replaced by a pseudonym before anything is stored, compared or mirrored, and those who may see plates see them. It is
        /// chosen for an empty data directory and stays: without it nothing more is taken in, and no plate can be brought back.
        plate_key_file: Option<PathBuf> = None;
    }
}
