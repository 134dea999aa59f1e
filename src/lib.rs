//! Platewatch.
