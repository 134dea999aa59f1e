//! An approximate set of plates: "certainly not here" or "perhaps here", in about ten bits a plate.
//!
//! It is a split-block Bloom filter: a key sets one bit in each of the eight words of one block, so that a test touches
//! one cache line; at ten bits a key about one absent key in a hundred seems present. It knows plates only as codes.

use traffic::PlateCode;

use crate::SegmentError;
use crate::codec::{Cursor, put_varint};

/// The plates of a segment, for pruning.
///
/// Its keys are every plate's code, odd or not, and every run of seven or eight symbols inside a plate that a search
/// text could be: so a search for eight symbols, or for seven that start with a province, can be pruned even if a
/// longer plate may hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlateFilter {
    blocks: Vec<Block>,
}

type Block = [u32; 8];

const BITS_PER_KEY: usize = 10;
const BLOCK_BYTES: usize = size_of::<Block>();
/// More blocks than a segment's plates can need.
const MAX_BLOCKS: usize = 1 << 18;
/// An odd plate longer than this is not cut into runs; a segment with one has no filter.
const MAX_ODD_SYMBOLS: usize = 64;
/// Multipliers of the split-block filter, as Parquet's specification lists them.
const SALT: Block =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

impl PlateFilter {
    /// A filter of these plates, or none if one of the odd texts is too long to be cut into runs.
    pub(crate) fn of(plates: &[PlateCode], odd_texts: &[(u32, Box<str>)]) -> Option<Self> {
        let runs = runs_in(odd_texts)?;
        let mut estimate = Estimate::for_about(plates.len());
        for_each_key(plates, &runs, |key| estimate.insert(key));
        let blocks = (estimate.distinct() * BITS_PER_KEY).div_ceil(8 * BLOCK_BYTES).clamp(1, MAX_BLOCKS);
        let mut filter = Self { blocks: vec![[0; 8]; blocks] };
        for_each_key(plates, &runs, |key| filter.insert(key));
        Some(filter)
    }

    /// Whether a plate with this code, or this run of symbols, may be among the plates. `run` must be a whole plate's
    /// code, eight symbols, or seven that start with a province.
    #[inline]
    pub fn may_contain(&self, run: PlateCode) -> bool {
        let (block, bits) = self.place(run.as_u64());
        self.blocks.get(block).is_none_or(|words| words.iter().zip(bits).all(|(word, bit)| word & bit != 0))
    }

    /// Memory and storage that the filter takes.
    pub fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK_BYTES
    }

    #[inline]
    fn insert(&mut self, key: u64) {
        let (block, bits) = self.place(key);
        if let Some(words) = self.blocks.get_mut(block) {
            words.iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
        }
    }

    #[inline]
    fn place(&self, key: u64) -> (usize, Block) {
        let hash = mix(key);
        let block = ((hash >> 32) * self.blocks.len() as u64) >> 32;
        (block as usize, SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27)))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.blocks.len() as u64);
        out.extend(self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()));
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, SegmentError> {
        let count = cursor.count(MAX_BLOCKS)?;
        if count == 0 {
            return Err(SegmentError::Damaged("plate filter"));
        }
        let mut words = Cursor(cursor.take(count * BLOCK_BYTES)?);
        let mut blocks = vec![[0; 8]; count];
        for word in blocks.iter_mut().flatten() {
            *word = words.u32()?;
        }
        Ok(Self { blocks })
    }
}

/// Whether a symbol is one of the 31 provinces.
pub(crate) fn is_province(symbol: u8) -> bool {
    (0x01..=0x1f).contains(&symbol)
}

/// The code of at most eight symbols.
pub(crate) fn code_of(symbols: &[u8]) -> u64 {
    symbols.iter().rev().fold(0, |code, symbol| code << 8 | u64::from(*symbol))
}

/// The finaliser of splitmix64: every bit of the key reaches every bit of the hash.
#[inline]
fn mix(key: u64) -> u64 {
    let key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

/// The runs of symbols in odd plates that are keys; none if a text is too long.
fn runs_in(odd_texts: &[(u32, Box<str>)]) -> Option<Vec<u64>> {
    let mut runs = Vec::new();
    for (_, text) in odd_texts {
        let symbols: Vec<u8> =
            text.chars().take(MAX_ODD_SYMBOLS + 1).map(|c| PlateCode::symbol_of(c).unwrap_or(0)).collect();
        if symbols.len() > MAX_ODD_SYMBOLS {
            return None;
        }
        for run in symbols.windows(7).chain(symbols.windows(8)) {
            if !run.contains(&0) && (run.len() == 8 || run.first().is_some_and(|first| is_province(*first))) {
                runs.push(code_of(run));
            }
        }
    }
    Some(runs)
}

#[inline]
fn for_each_key(plates: &[PlateCode], runs: &[u64], mut visit: impl FnMut(u64)) {
    for plate in plates {
        let code = plate.as_u64();
        visit(code);
        if !plate.is_odd() && code >> 56 != 0 && !plate.is_pseudonym() {
            // Eight symbols hold two runs of seven.
            for run in [code & (u64::MAX >> 8), code >> 8] {
                if is_province(run as u8) {
                    visit(run);
                }
            }
        }
    }
    runs.iter().for_each(|run| visit(*run));
}

/// Estimates the number of distinct keys to within about a hundredth by linear counting, enough for a filter's size.
struct Estimate {
    bits: Vec<u64>,
}

impl Estimate {
    fn for_about(keys: usize) -> Self {
        Self { bits: vec![0; (keys / 8).next_power_of_two().max(64)] }
    }

    #[inline]
    fn insert(&mut self, key: u64) {
        let hash = mix(key);
        let word = hash as usize >> 6 & (self.bits.len() - 1);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= 1 << (hash & 63);
        }
    }

    /// Whang, Vander-Zanden and Taylor, 1990: −m ln(share of bits that are still clear).
    fn distinct(&self) -> usize {
        let size = 64.0 * self.bits.len() as f64;
        let clear: u32 = self.bits.iter().map(|word| word.count_zeros()).sum();
        (-size * (f64::from(clear.max(1)) / size).ln()).ceil() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_plates_and_few_others() {
        let plates: Vec<PlateCode> = (0..30_000).map(|n| PlateCode::pack(&format!("苏C{n:05}"))).collect();
        let twice: Vec<PlateCode> = plates.iter().chain(&plates).copied().collect();
        let filter = PlateFilter::of(&twice, &[]).unwrap();
        assert!((37_000..38_200).contains(&filter.bytes()), "{}", filter.bytes());
        assert!(plates.iter().all(|plate| filter.may_contain(*plate)));
        let wrong = (0..30_000).filter(|n| filter.may_contain(PlateCode::pack(&format!("鲁D{n:05}")))).count();
        assert!(wrong < 600, "{wrong} of 30000 absent plates seem present");
        let mut bytes = Vec::new();
        filter.encode(&mut bytes);
        assert_eq!(PlateFilter::decode(&mut Cursor(&bytes)).unwrap(), filter);
    }

    #[test]
    fn knows_the_runs_inside_longer_plates() {
        let odd: (u32, Box<str>) = (1, "无苏C1234567".into());
        let plates = [PlateCode::pack("苏CD12345"), PlateCode::pack(&odd.1)];
        let filter = PlateFilter::of(&plates, std::slice::from_ref(&odd)).unwrap();
        for run in ["苏CD12345", "苏CD1234", "苏C12345", "苏C123456", "C1234567"] {
            assert!(filter.may_contain(PlateCode::pack(run)), "{run}");
        }
        assert!(filter.may_contain(PlateCode::pack(&odd.1)));
        assert!(!filter.may_contain(PlateCode::pack("苏CD12346")));
        let long = (0, "苏".repeat(65).into());
        assert_eq!(PlateFilter::of(&[PlateCode::pack("x")], &[long]), None);
    }
}
