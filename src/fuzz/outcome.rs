//! What a target says of an input: a number that is another one where something else came out, such as another error or a much
//! longer result. The driver keeps inputs whose number is new; that is its only guidance. It knows no target.

use std::hash::{BuildHasher as _, Hash};

use rustc_hash::FxBuildHasher;

/// The number of these parts. No part may vary with each input, else every input is kept.
pub(crate) fn outcome(parts: impl Hash) -> u64 {
    FxBuildHasher.hash_one(parts)
}

/// A length, coarsely: lengths of as many binary digits are the same.
pub(crate) fn size(length: usize) -> u32 {
    usize::BITS - length.leading_zeros()
}

/// The words of an error, without the digits and what is quoted: those come from the input.
pub(crate) fn kind(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let words = text.split(['"', '`']).step_by(2).flat_map(str::chars);
    words.filter(|symbol| symbol.is_ascii_alphabetic()).take(30).collect()
}
