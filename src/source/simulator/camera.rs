//! How a camera reports a passage: the text it reads, and the line it writes.
//!
//! Most plates are read well, some are masked or not read at all, a few have one character wrong. It does not know
//! where a vehicle goes, nor whether its plate is cloned.

use traffic::{Checkpoint, CivilTime};

use super::chance::{Chance, Probability, pick};
use super::fleet::{PLATE_TYPES, SMALL_CAR, SMALL_CAR_UNPADDED, unread_plate_type};
use super::models::{ModelId, Models};
use super::network::SiteId;
use super::plates::{Plate, decimal};

/// How the camera read the plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it is.
    Right,
    /// With one wrong character.
    Misread,
    /// Masked, or not at all.
    Garbage,
}

/// The passage that a line reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage<'a> {
    pub(super) number: u64,
    pub(super) site: SiteId,
    pub(super) passed_at: CivilTime,
    pub(super) counts_up: bool,
    pub(super) plate: &'a Plate,
    pub(super) plate_type: u8,
    pub(super) model: ModelId,
}

/// The cameras of all checkpoints.
#[derive(Debug, Clone)]
pub(super) struct Cameras {
    sites: Vec<Site>,
    garbage: Probability,
    misread: Probability,
    no_model: Probability,
    brand_only: Probability,
    unpadded: Probability,
    /// Texts of seconds written lately, each at its number modulo [`STAMPS`].
    stamps: Vec<(CivilTime, Vec<u8>)>,
}

#[derive(Debug, Clone)]
struct Site {
    kkmc: String,
    /// From after GCXH to before FXLX, with the separators.
    middle: Vec<u8>,
    /// Whether its platform writes a `G` before its passage ids.
    has_prefix: bool,
}

/// Texts of seconds that are remembered.
const STAMPS: usize = 64;

/// First digits of a passage id: the code of Xuzhou, 320300.
const REGION_CODE: &[u8] = b"320300";

/// Passages are numbered below this.
pub(super) const NUMBERS: u64 = 1_000_000_000_000;

/// The number of the first passage of traffic that starts at `start`. Real ids of the turn of 2023 begin with
/// 109 027 253 771: the counter after them gains 144 a second, so that a later run continues with later numbers.
pub(super) fn first_number(start: CivilTime) -> u64 {
    let since_2000 = start.0.saturating_sub(CivilTime::MIN.0);
    since_2000.saturating_mul(144).rem_euclid(NUMBERS as i64) as u64
}

impl Cameras {
    pub(super) fn new(checkpoints: &[Checkpoint], full_names: bool, garbage: f64, misread: f64) -> Self {
        let site = |(index, checkpoint): (usize, &Checkpoint)| {
            let kkmc = if full_names { &checkpoint.name } else { &checkpoint.code };
            let middle = format!("\t{}\t{kkmc}\t", checkpoint.district).into_bytes();
            Site { kkmc: kkmc.to_string(), middle, has_prefix: index % 2 == 0 }
        };
        Self {
            sites: checkpoints.iter().enumerate().map(site).collect(),
            garbage: Probability::new(garbage),
            misread: Probability::new(misread),
            no_model: Probability::new(0.06),
            brand_only: Probability::new(0.04),
            unpadded: Probability::new(0.005),
            stamps: vec![(CivilTime(i64::MIN), Vec::new()); STAMPS],
        }
    }

    /// How the next plate is read.
    #[inline]
    pub(super) fn read(&self, chance: &mut Chance) -> Reading {
        if chance.happens(self.garbage) {
            Reading::Garbage
        } else if chance.happens(self.misread) {
            Reading::Misread
        } else {
            Reading::Right
        }
    }

    /// KKMC of a checkpoint.
    pub(super) fn kkmc(&self, site: SiteId) -> String {
        self.sites.get(usize::from(site)).map(|site| site.kkmc.clone()).unwrap_or_default()
    }

    /// Appends the GCXH of passage `number` at `site`.
    pub(super) fn write_gcxh(&self, number: u64, site: SiteId, out: &mut Vec<u8>) {
        if self.sites.get(usize::from(site)).is_some_and(|site| site.has_prefix) {
            out.push(b'G');
        }
        out.extend_from_slice(REGION_CODE);
        out.extend_from_slice(&decimal::<12>(number));
    }

    /// Appends the line of a passage, with its `\n`.
    pub(super) fn write_line(
        &mut self,
        passage: &Passage<'_>,
        reading: Reading,
        models: &Models,
        chance: &mut Chance,
        out: &mut Vec<u8>,
    ) {
        self.write_gcxh(passage.number, passage.site, out);
        if let Some(site) = self.sites.get(usize::from(passage.site)) {
            out.extend_from_slice(&site.middle);
        }
        out.extend_from_slice(if passage.counts_up { b"1\t" } else { b"2\t" });
        if let Some((second, text)) = self.stamps.get_mut(passage.passed_at.0.rem_euclid(STAMPS as i64) as usize) {
            if *second != passage.passed_at {
                text.clear();
                passage.passed_at.write_to(text);
                *second = passage.passed_at;
            }
            out.extend_from_slice(text);
        }
        out.push(b'\t');
        let plate = passage.plate.as_bytes();
        if reading == Reading::Garbage {
            out.extend_from_slice(unread_plate_type(chance.bits()).as_bytes());
            out.push(b'\t');
            write_garbage(plate, chance.bits(), out);
        } else {
            let unpadded = passage.plate_type == SMALL_CAR && chance.happens(self.unpadded);
            let plate_type = if unpadded { SMALL_CAR_UNPADDED } else { passage.plate_type };
            out.extend_from_slice(PLATE_TYPES.get(usize::from(plate_type)).map_or("-", |text| text).as_bytes());
            out.push(b'\t');
            if reading == Reading::Misread {
                write_misread(plate, chance.bits(), out);
            } else {
                out.extend_from_slice(plate);
            }
        }
        out.push(b'\t');
        let model = if chance.happens(self.no_model) {
            "-"
        } else if chance.happens(self.brand_only) {
            models.brand(passage.model)
        } else {
            models.text(passage.model)
        };
        out.extend_from_slice(model.as_bytes());
        out.push(b'\n');
    }
}

/// Bytes of a plate's first character, a Chinese one.
const PROVINCE: usize = 3;

/// A plate that is masked, in part or whole, or that the camera took from something else.
fn write_garbage(plate: &[u8], bits: u64, out: &mut Vec<u8>) {
    let (province, signs) = plate.split_at_checked(PROVINCE).unwrap_or((plate, &[]));
    let first = |count: usize| signs.get(..count).unwrap_or(signs);
    let parts: [&[u8]; 3] = match bits >> 58 {
        0..18 => [b"-", b"", b""],
        18..28 => [b"-", b"", b"***"],
        28..44 => [province, first(3), b"***"],
        44..50 => [province, first(5), b"***"],
        50..53 => [province, "宁".as_bytes(), b"CZ***"],
        _ => [b"", first(4), b"***"],
    };
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// A plate with one sign taken for another that looks like it.
fn write_misread(plate: &[u8], bits: u64, out: &mut Vec<u8>) {
    const LOOKALIKES: &[(u8, u8)] = &[
        (b'0', b'D'),
        (b'D', b'0'),
        (b'8', b'B'),
        (b'B', b'8'),
        (b'5', b'S'),
        (b'S', b'5'),
        (b'2', b'Z'),
        (b'Z', b'2'),
        (b'1', b'7'),
        (b'7', b'1'),
        (b'6', b'8'),
        (b'3', b'8'),
        (b'4', b'A'),
        (b'A', b'4'),
        (b'9', b'8'),
        (b'Q', b'0'),
        (b'G', b'C'),
        (b'C', b'G'),
        (b'E', b'F'),
        (b'F', b'E'),
        (b'M', b'N'),
        (b'N', b'M'),
        (b'H', b'N'),
        (b'V', b'Y'),
        (b'Y', b'V'),
        (b'U', b'V'),
        (b'K', b'X'),
    ];
    let start = out.len();
    out.extend_from_slice(plate);
    // After the province and the letter of the place come at least four signs.
    let place = PROVINCE + 1 + pick(&[0usize, 1, 2, 3], bits);
    let Some(sign) = out.get_mut(start + place) else { return };
    *sign = match LOOKALIKES.iter().find(|(right, _)| right == sign) {
        Some((_, wrong)) => *wrong,
        None => b'8',
    };
}
