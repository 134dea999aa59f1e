//! `[cases]`: when a plate becomes a case.

use crate::config::checks::within;
use crate::config::declare::settings;

settings! {
    /// Cases: plates that two cars are likely to wear, from all their contradictions (see `detect.evidence`).
    pub struct CasesConfig {
        /// The probability of two cars from which on a plate is a case, 0.05 to 0.99.
        open: f64 = 0.5, within(0.05, 0.99);
    }
}
