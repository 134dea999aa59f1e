//! The long way of a line: every check of the contract, in its order. It is slow and certain; see [`super`] for the
//! short way.

use std::borrow::Cow;

use super::{BYTE_ORDER_MARK, Delimiter, LineParser, Row, pack_plate, split_csv, text};
use crate::{CivilTime, Dimension, NameId, NamesFull, PassageBatch, PassageId, RejectReason, Resolution};

impl LineParser {
    /// Decides what the line is, and takes, counts or rejects it. The line is within the length limit and without its
    /// line ending.
    #[inline(never)]
    pub(super) fn judge(&mut self, line: &str, out: &mut PassageBatch) {
        let text = line.trim_start_matches(BYTE_ORDER_MARK);
        if text.chars().all(text::is_blank) {
            out.blank += 1;
            return;
        }
        let delimiter =
            *self.delimiter.get_or_insert(if text.contains('\t') { Delimiter::Tab } else { Delimiter::Comma });
        let fields: Vec<Cow<'_, str>> = match delimiter {
            Delimiter::Tab => text.split('\t').map(Cow::Borrowed).collect(),
            Delimiter::Comma => split_csv(text),
        };
        let fields: Vec<&str> = fields.iter().map(|field| text::trim(field)).collect();
        if text::is_header(fields.iter().copied()) {
            out.headers += 1;
        } else if let Err(reason) = self.take(&fields, out) {
            self.reject(line.as_bytes(), reason, out);
        }
    }

    /// Takes a line of trimmed fields that is no header.
    fn take(&mut self, fields: &[&str], out: &mut PassageBatch) -> Result<(), RejectReason> {
        if fields.len() != self.places.count {
            return Err(RejectReason::WrongColumnCount);
        }
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        let name_places = self.places.names;
        let name_of = |dimension: Dimension| name_places.get(dimension as usize).copied().flatten().map(field);
        let gcxh = field(self.places.gcxh);
        let kkmc = name_of(Dimension::Checkpoint).unwrap_or_default();
        if gcxh.is_empty() {
            return Err(RejectReason::EmptyGcxh);
        }
        if kkmc.is_empty() {
            return Err(RejectReason::EmptyKkmc);
        }
        if text::is_unroutable(kkmc) || name_of(self.places.shard_key).is_some_and(text::is_unroutable) {
            return Err(RejectReason::KkmcUnroutable);
        }
        let time = self.read_time(field(self.places.gcsj))?;
        let names = self.intern_all(name_of, out).map_err(|_| RejectReason::TooManyNames)?;
        let (plate, class, odd_plate) = pack_plate(field(self.places.hphm));
        let row = Row { time, resolution: Resolution::Second, id: PassageId::pack(gcxh), plate, class, names };
        self.push(row, gcxh, odd_plate, out);
        Ok(())
    }

    fn read_time(&self, gcsj: &str) -> Result<CivilTime, RejectReason> {
        match CivilTime::parse(gcsj.as_bytes(), &self.settings.zone) {
            None => Err(RejectReason::InvalidGcsj),
            Some(time) if time < CivilTime::MIN => Err(RejectReason::GcsjTooOld),
            Some(time) if time > self.settings.not_after => Err(RejectReason::GcsjInFuture),
            Some(time) => Ok(time),
        }
    }

    fn intern_all<'a>(
        &mut self,
        name_of: impl Fn(Dimension) -> Option<&'a str>,
        out: &mut PassageBatch,
    ) -> Result<[NameId; Dimension::COUNT], NamesFull> {
        let mut names = [0; Dimension::COUNT];
        for (dimension, number) in Dimension::ALL.into_iter().zip(&mut names) {
            if let Some(name) = name_of(dimension) {
                *number = self.intern(dimension, name, out)?;
            }
        }
        Ok(names)
    }
}
