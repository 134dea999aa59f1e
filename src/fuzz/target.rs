//! What a target is. It knows none of them.

/// One thing that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// Its name: of its folder in `fuzz/corpus/`, of its test, and of the binary of cargo-fuzz.
    pub(super) name: &'static str,
    /// Panics where something does not hold; else says what came out, see [`super::outcome`].
    pub(super) run: fn(&[u8]) -> u64,
    /// Texts that inputs are often made of.
    #[cfg_attr(not(test), expect(dead_code, reason = "cargo-fuzz finds them by itself"))]
    pub(super) words: &'static [&'static [u8]],
    /// Longest input that the driver makes.
    #[cfg_attr(not(test), expect(dead_code, reason = "cargo-fuzz has an option for it"))]
    pub(super) max_len: usize,
    /// Bytes that may be allocated at the same time: this many, and this many for each byte of the input.
    #[cfg_attr(not(test), expect(dead_code, reason = "cargo-fuzz has an option for it"))]
    pub(super) memory: (usize, usize),
}
