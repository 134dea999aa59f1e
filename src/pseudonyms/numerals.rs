//! Symbols of a plate as the numerals of FF1, in radix 128: seven bits each, at most eight of them, as one number. It knows no
//! key and no plate.

use fpe::ff1::{NumeralString, Operations};

/// Symbols are below this.
pub(super) const RADIX: u32 = 128;
const BITS: usize = 7;

/// At most eight symbols; the first has the highest bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbols {
    pub(super) number: u64,
    pub(super) count: usize,
}

/// The bytes of a half.
pub(super) struct HalfBytes([u8; size_of::<u64>()], usize);

impl AsRef<[u8]> for HalfBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.get(self.0.len().saturating_sub(self.1)..).unwrap_or(&self.0)
    }
}

fn modulo(number: u64, count: usize) -> u64 {
    number & ((1 << (BITS * count)) - 1)
}

/// The lowest 64 bits of a number in bytes; a half has fewer.
fn number_of(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
}

impl NumeralString for Symbols {
    type Ops = Self;

    fn is_valid(&self, radix: u32) -> bool {
        radix == RADIX && modulo(self.number, self.count) == self.number
    }

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn split(&self) -> (Self, Self) {
        let (first, second) = (self.count / 2, self.count - self.count / 2);
        let half = |number, count| Self { number: modulo(number, count), count };
        (half(self.number >> (BITS * second), first), half(self.number, second))
    }

    fn concat(first: Self, second: Self) -> Self {
        Self { number: first.number << (BITS * second.count) | second.number, count: first.count + second.count }
    }
}

impl Operations for Symbols {
    type Bytes = HalfBytes;

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn to_be_bytes(&self, _: u32, length: usize) -> HalfBytes {
        HalfBytes(self.number.to_be_bytes(), length)
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _: u32, count: usize) -> Self {
        Self { number: modulo(self.number.wrapping_add(number_of(other)), count), count }
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _: u32, count: usize) -> Self {
        Self { number: modulo(self.number.wrapping_sub(number_of(other)), count), count }
    }
}
