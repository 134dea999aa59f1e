//! Texts of one row of a segment. It does not know how a row was found.

use shard::{Column, ColumnKind, ColumnLoader, SegmentError};
use std::sync::Arc;
use traffic::{CivilTime, Dimension, PassageId, PlateCode};

use super::view::Columns;
use crate::reader::PassageRow;

/// The whole row.
pub(in crate::store) fn passage_row(columns: &Columns<'_>, row: u32) -> Result<PassageRow, SegmentError> {
    let (gcxh, gcsj, hphm) = (id_text(columns, row)?, time(columns, row)?, plate_text(columns, row)?);
    PassageRow::of(gcxh, gcsj, hphm, |dimension| name(columns, dimension, row))
}

/// The text of an odd id or plate.
pub(in crate::store) fn odd_text(columns: &Columns<'_>, kind: ColumnKind, row: u32) -> Result<String, SegmentError> {
    match &*columns.load(kind)? {
        Column::OddTexts(texts) => Ok(texts
            .binary_search_by_key(&row, |(at, _)| *at)
            .ok()
            .and_then(|at| texts.get(at))
            .map_or_else(String::new, |(_, text)| text.to_string())),
        _ => Err(SegmentError::WrongColumn("odd texts")),
    }
}

fn time(columns: &Columns<'_>, row: u32) -> Result<CivilTime, SegmentError> {
    match &*columns.load(ColumnKind::Times)? {
        Column::Times(times) => times.get(row as usize).copied().ok_or(SegmentError::WrongColumn("times")),
        _ => Err(SegmentError::WrongColumn("times")),
    }
}

fn id_text(columns: &Columns<'_>, row: u32) -> Result<String, SegmentError> {
    match &*columns.load(ColumnKind::Ids)? {
        Column::Ids(ids) => match ids.get(row as usize) {
            Some(id) if PassageId::is_odd(*id) => odd_text(columns, ColumnKind::OddIds, row),
            Some(id) => Ok(id.unpack()),
            None => Err(SegmentError::WrongColumn("ids")),
        },
        _ => Err(SegmentError::WrongColumn("ids")),
    }
}

fn plate_text(columns: &Columns<'_>, row: u32) -> Result<String, SegmentError> {
    match &*columns.load(ColumnKind::Plates)? {
        Column::Plates(codes) => match codes.get(row as usize).map(|code| PlateCode::from_u64(*code)) {
            Some(plate) if plate.is_odd() || plate.as_u64() == 0 => odd_text(columns, ColumnKind::OddPlates, row),
            Some(plate) => Ok(plate.unpack()),
            None => Err(SegmentError::WrongColumn("plates")),
        },
        _ => Err(SegmentError::WrongColumn("plates")),
    }
}

fn name(columns: &Columns<'_>, dimension: Dimension, row: u32) -> Result<Arc<str>, SegmentError> {
    match &*columns.load(ColumnKind::Names(dimension))? {
        Column::Names(names) => Ok(Arc::from(names.text(row as usize))),
        _ => Err(SegmentError::WrongColumn("names")),
    }
}
