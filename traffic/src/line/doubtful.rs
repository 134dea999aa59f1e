//! The slow path of a line: every check of the contract, in its order. It is slow and certain; see [`super`] for the
//! fast path.

use std::borrow::Cow;

use super::fields::split;
use super::{
    BYTE_ORDER_MARK, Column, ColumnOrder, HeaderConflict, LineForm, LineParser, Row, clean_field, pack_plate, text,
};
use crate::{CivilTime, Dimension, NameId, NamesFull, PassageBatch, PassageId, PerDimension, RejectReason, Resolution};

impl LineParser {
    /// Decides what the line is, and takes, counts or rejects it. The line is without its line ending.
    #[inline(never)]
    pub(super) fn take_doubtful(&mut self, line: &str, out: &mut PassageBatch) {
        let line = line.trim_matches('\0');
        if line.len() > Self::MAX_LINE_BYTES {
            return self.reject(line.as_bytes(), RejectReason::LineTooLong, out);
        }
        let text = line.trim_start_matches([BYTE_ORDER_MARK, '\0']);
        if text::is_blank_line(text) {
            out.blank += 1;
            return;
        }
        let fields = self.fields(text);
        let fields: Vec<&str> = fields.iter().map(|field| clean_field(field)).collect();
        if self.has_headers
            && let Some(order) = text::header(&fields)
        {
            out.headers += 1;
            if let Some(order) = order {
                self.follow(order, &fields);
            }
        } else if let Err(reason) = self.take(&fields, out) {
            if reason == RejectReason::WrongColumnCount && self.survey.is_open() {
                self.survey.see_wrong(text);
            }
            self.reject(line.as_bytes(), reason, out);
        }
    }

    /// The fields of a line; none if no separator is decided yet and this line does not decide it.
    fn fields<'a>(&mut self, line: &'a str) -> Vec<Cow<'a, str>> {
        if let Some(delimiter) = self.form.delimiter {
            return split(line, delimiter);
        }
        if self.conflict.is_some() {
            return Vec::new();
        }
        for delimiter in self.candidates() {
            let fields = split(line, delimiter);
            if fields.len() == self.places.count {
                self.form.delimiter = Some(delimiter);
                return fields;
            }
        }
        if self.settings.layout.is_stated() {
            return Vec::new();
        }
        // No line had as many fields as there are columns: then a header may say how many there are.
        for delimiter in self.candidates() {
            let fields = split(line, delimiter);
            let cleaned: Vec<&str> = fields.iter().map(|field| clean_field(field)).collect();
            if let Some(Some(order)) = text::header(&cleaned) {
                self.set_form(LineForm { delimiter: Some(delimiter), order: Some(order) });
                return fields;
            }
        }
        Vec::new()
    }

    /// Follows a header that names all columns, unless the user has stated another order. A header of another width
    /// leaves the width unchanged.
    fn follow(&mut self, order: ColumnOrder, fields: &[&str]) {
        if self.settings.layout.is_stated() {
            let agrees = |column: &Column| {
                let field = fields.get(self.settings.layout.position(*column)).copied().unwrap_or_default();
                field.to_uppercase().contains(column.as_str())
            };
            if order.width() == self.places.count && !Column::ALL.iter().all(agrees) {
                self.refuse(order);
            }
        } else if let Some(order) = order.in_width(self.places.count) {
            self.set_form(LineForm { order: Some(order), ..self.form });
        }
    }

    fn refuse(&mut self, order: ColumnOrder) {
        let stated: Vec<_> = self.settings.layout.names().collect();
        let conflict = HeaderConflict { line: self.line_number, header: order.names(), stated: stated.join(",") };
        self.conflict.get_or_insert(conflict);
        // No line takes the fast path any more.
        self.form.delimiter = None;
    }

    /// Takes a line of cleaned fields that is no header.
    fn take(&mut self, fields: &[&str], out: &mut PassageBatch) -> Result<(), RejectReason> {
        if fields.len() != self.places.count {
            return Err(RejectReason::WrongColumnCount);
        }
        if fields.iter().any(|field| field.len() > Self::MAX_FIELD_BYTES) {
            return Err(RejectReason::FieldTooLong);
        }
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        let name_places = self.places.names;
        let name_of = |dimension: Dimension| name_places[dimension].map(field);
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
        let (time, resolution) = self.read_time(field(self.places.gcsj))?;
        let (plate, class, odd_plate) = pack_plate(field(self.places.hphm));
        // Normalising may turn one character into many.
        if odd_plate.as_ref().is_some_and(|plate| plate.len() > Self::MAX_FIELD_BYTES) {
            return Err(RejectReason::FieldTooLong);
        }
        let names = self.intern_all(name_of, out).map_err(|_| RejectReason::TooManyNames)?;
        self.push(Row { time, resolution, id: PassageId::pack(gcxh), plate, class, names }, gcxh, odd_plate, out);
        Ok(())
    }

    fn read_time(&self, gcsj: &str) -> Result<(CivilTime, Resolution), RejectReason> {
        match CivilTime::parse_with_resolution(gcsj.as_bytes(), &self.settings.zone) {
            None => Err(RejectReason::InvalidGcsj),
            Some((time, _)) if time < CivilTime::MIN => Err(RejectReason::GcsjTooOld),
            Some((time, _)) if time > self.settings.not_after => Err(RejectReason::GcsjInFuture),
            Some(read) => Ok(read),
        }
    }

    fn intern_all<'a>(
        &mut self,
        name_of: impl Fn(Dimension) -> Option<&'a str>,
        out: &mut PassageBatch,
    ) -> Result<PerDimension<NameId>, NamesFull> {
        let mut names = PerDimension::default();
        for dimension in Dimension::ALL {
            if let Some(name) = name_of(dimension) {
                names[dimension] = self.intern(dimension, name, out)?;
            }
        }
        Ok(names)
    }
}
