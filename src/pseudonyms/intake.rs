//! The plates of a batch become pseudonyms, before it is routed, compared or stored. It does not know where a batch comes from.

use std::sync::Arc;

use traffic::{PassageBatch, PlateCode, odd_text};

use super::cipher::{NO_PLATE, PlateCipher};

/// Pseudonyms that are remembered: a car passes several cameras within minutes. 1 MiB.
const REMEMBERED: usize = 1 << 16;

/// Replaces plates.
pub struct Intake {
    cipher: Arc<PlateCipher>,
    /// Plate and pseudonym, at the place of the plate's hash; 0 is no plate.
    known: Vec<(u64, u64)>,
    no_plate: PlateCode,
}

impl Intake {
    /// Replaces plates with this key.
    pub fn new(cipher: Arc<PlateCipher>) -> Self {
        Self { cipher, known: vec![(0, 0); REMEMBERED], no_plate: PlateCode::pack(NO_PLATE) }
    }

    /// Replaces the plates of all rows.
    pub fn hide(&mut self, passages: &mut PassageBatch) {
        let mut odd_plates = Vec::with_capacity(passages.odd_plates.len());
        for (row, plate) in passages.plates.iter_mut().enumerate() {
            if *plate == self.no_plate {
                continue;
            }
            if !plate.is_odd()
                && !plate.is_pseudonym()
                && let Some(hidden) = self.packed(*plate)
            {
                *plate = hidden;
                continue;
            }
            let text = if plate.is_odd() { odd_text(&passages.odd_plates, row) } else { "" };
            let (hidden, text) = self.cipher.hide(*plate, text);
            *plate = hidden;
            odd_plates.extend(text.map(|text| (row as u32, text)));
        }
        passages.odd_plates = odd_plates;
    }

    fn packed(&mut self, plate: PlateCode) -> Option<PlateCode> {
        let number = plate.as_u64();
        // Fibonacci hashing.
        let place = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize & (REMEMBERED - 1);
        if let Some((known, hidden)) = self.known.get(place)
            && *known == number
        {
            return Some(PlateCode::from_u64(*hidden));
        }
        let hidden = self.cipher.hide_packed(plate)?;
        if let Some(slot) = self.known.get_mut(place) {
            *slot = (number, hidden.as_u64());
        }
        Some(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonyms::PlateKey;

    #[test]
    fn every_row_has_the_pseudonym_of_its_plate_and_no_plate_stays() {
        let cipher = Arc::new(PlateCipher::new(&PlateKey::of([1; 32])).unwrap());
        let texts = ["苏C12345", "-", "无牌", "苏CD12345", "民航A1234", "苏C12345", "苏#094D2PF2AYD"];
        let mut passages = PassageBatch::default();
        for (row, text) in texts.iter().enumerate() {
            let code = PlateCode::pack(text);
            passages.plates.push(code);
            if code.is_odd() {
                passages.odd_plates.push((row as u32, (*text).into()));
            }
        }
        Intake::new(cipher.clone()).hide(&mut passages);
        for (row, text) in texts.iter().enumerate() {
            let stored = passages.plate_text(row);
            assert_eq!(stored, cipher.hide_plate(text));
            assert_eq!(cipher.reveal(&stored).as_deref().unwrap_or("-"), *text);
        }
    }
}
