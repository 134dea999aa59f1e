//! How the lines of one source are laid out: what separates their fields, and where the columns stand. The first lines
//! decide, headers change the order. It reads no line.

use serde::{Deserialize, Serialize};

use super::{Column, Layout};

/// What separates the fields of a line. The order is that in which they are tried, and part of stored positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Delimiter {
    /// TAB; quotes are text.
    Tab,
    /// Comma, with CSV quoting.
    Comma,
    /// Semicolon, with CSV quoting.
    Semicolon,
    /// `|`, with CSV quoting.
    Pipe,
}

impl Delimiter {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Tab, Self::Comma, Self::Semicolon, Self::Pipe];

    /// The separator itself, which is ASCII.
    #[inline]
    pub const fn as_byte(self) -> u8 {
        match self {
            Self::Tab => b'\t',
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Pipe => b'|',
        }
    }

    /// The name in configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tab => "tab",
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Pipe => "pipe",
        }
    }

    /// The separator that a text means: by its name or as itself.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let is = |delimiter: &Self| text == delimiter.as_str() || text.as_bytes() == [delimiter.as_byte()];
        Self::ALL.into_iter().find(is).or((text == "\\t").then_some(Self::Tab))
    }
}

/// Where the eight columns stand in a line, as a header or a [`Layout`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnOrder {
    width: u8,
    places: [u8; Column::ALL.len()],
}

impl ColumnOrder {
    /// The order of lines of `width` fields; none if a column has no place among them, or there are too many.
    pub(super) fn new(width: usize, places: [Option<usize>; Column::ALL.len()]) -> Option<Self> {
        let mut order = Self { width: u8::try_from(width).ok()?, places: [0; Column::ALL.len()] };
        for (to, place) in order.places.iter_mut().zip(places) {
            *to = u8::try_from(place.filter(|place| *place < width)?).ok()?;
        }
        (width <= Layout::MAX_COLUMNS).then_some(order)
    }

    /// The same places in lines of another width; none if one of them lies outside.
    pub(super) fn in_width(self, width: usize) -> Option<Self> {
        Self::new(width, self.places.map(|place| Some(usize::from(place))))
    }

    /// Fields of a line.
    pub(super) fn width(self) -> usize {
        usize::from(self.width)
    }

    /// The place of a column, from 0.
    pub(super) fn place(self, column: Column) -> usize {
        self.places.get(column as usize).copied().map_or(usize::MAX, usize::from)
    }

    /// The columns' names in their order, `…` for a place that is none of them.
    pub(super) fn names(self) -> String {
        let name = |place: usize| Column::ALL.into_iter().find(|column| self.place(*column) == place);
        let names: Vec<_> = (0..self.width()).map(|place| name(place).map_or("…", Column::as_str)).collect();
        names.join(",")
    }
}

/// The layout that the lines of a source have shown so far. It is part of a source's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct LineForm {
    /// The separator; none until a line had the right number of fields.
    pub delimiter: Option<Delimiter>,
    /// The order that a header set; none for the configured one.
    pub order: Option<ColumnOrder>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_by_name() {
        for delimiter in Delimiter::ALL {
            assert_eq!(Delimiter::parse(&delimiter.as_str().to_uppercase()), Some(delimiter));
            assert_eq!(Delimiter::parse(&char::from(delimiter.as_byte()).to_string()), Some(delimiter));
        }
        assert_eq!((Delimiter::parse("\\t"), Delimiter::parse("space")), (Some(Delimiter::Tab), None));
    }

    #[test]
    fn places_lie_within_the_line() {
        let places = [7, 6, 5, 4, 3, 2, 1, 0].map(Some);
        assert_eq!(ColumnOrder::new(7, places), None);
        assert_eq!(ColumnOrder::new(Layout::MAX_COLUMNS + 1, places), None);
        let order = ColumnOrder::new(9, places).unwrap();
        assert_eq!(order.names(), "CLPPXH,HPHM,HPZL,GCSJ,FXLX,KKMC,XZQHMC,GCXH,…");
        assert_eq!(order.in_width(8).unwrap().place(Column::Gcxh), 7);
        assert_eq!(order.in_width(7), None);
    }
}
