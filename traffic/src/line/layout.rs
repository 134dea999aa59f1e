//! Which column stands where in a line, and which one routes to a shard. It reads no line.

use crate::Dimension;

/// A column of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Column {
    /// Passage id 过车序号.
    Gcxh = 0,
    /// District 行政区划名称.
    Xzqhmc = 1,
    /// Checkpoint 卡口名称.
    Kkmc = 2,
    /// Direction 方向类型.
    Fxlx = 3,
    /// Passage time 过车时间.
    Gcsj = 4,
    /// Plate type 号牌种类.
    Hpzl = 5,
    /// Plate number 号牌号码.
    Hphm = 6,
    /// Brand and model 车辆品牌型号.
    Clppxh = 7,
}

impl Column {
    /// All columns, in the default order.
    pub const ALL: [Self; 8] =
        [Self::Gcxh, Self::Xzqhmc, Self::Kkmc, Self::Fxlx, Self::Gcsj, Self::Hpzl, Self::Hphm, Self::Clppxh];

    /// The column's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gcxh => "GCXH",
            Self::Xzqhmc => "XZQHMC",
            Self::Kkmc => "KKMC",
            Self::Fxlx => "FXLX",
            Self::Gcsj => "GCSJ",
            Self::Hpzl => "HPZL",
            Self::Hphm => "HPHM",
            Self::Clppxh => "CLPPXH",
        }
    }

    /// The column of a name, in upper or lower case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.as_str().eq_ignore_ascii_case(name))
    }

    /// The dimension that numbers the column's values, if its values repeat.
    pub fn dimension(self) -> Option<Dimension> {
        match self {
            Self::Kkmc => Some(Dimension::Checkpoint),
            Self::Xzqhmc => Some(Dimension::District),
            Self::Fxlx => Some(Dimension::Direction),
            Self::Hpzl => Some(Dimension::PlateType),
            Self::Clppxh => Some(Dimension::Model),
            Self::Gcxh | Self::Gcsj | Self::Hphm => None,
        }
    }
}

/// The column whose text decides on the shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardKey {
    /// A column that is stored and whose values repeat: KKMC unless configured.
    Column(Column),
    /// An extra column by its name; it is read for routing and not stored.
    Extra(String),
}

impl ShardKey {
    /// The dimension that numbers the key's values.
    pub fn dimension(&self) -> Dimension {
        match self {
            Self::Column(column) => column.dimension().unwrap_or(Dimension::Checkpoint),
            Self::Extra(_) => Dimension::Route,
        }
    }
}

/// The columns of a line in order, and the shard key. The default is the contract's order, routed by KKMC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<LayoutColumn>,
    shard_key: ShardKey,
    stated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LayoutColumn {
    Known(Column),
    Extra(String),
}

impl LayoutColumn {
    fn name(&self) -> &str {
        match self {
            Self::Known(column) => column.as_str(),
            Self::Extra(name) => name,
        }
    }
}

/// Why a layout is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A column of the contract is missing.
    #[error(
        "the columns lack {0}: all of GCXH, XZQHMC, KKMC, FXLX, GCSJ, HPZL, HPHM, CLPPXH must be named, in the order of the file"
    )]
    Missing(String),
    /// A name occurs twice.
    #[error("column {0} is named twice: name each column of the file once")]
    Repeated(String),
    /// A name is empty.
    #[error("column {0} has no name: give a column that is not needed any other name, such as EXTRA{0}")]
    Unnamed(usize),
    /// There are too many columns.
    #[error("{0} columns: a line may have at most {max}", max = Layout::MAX_COLUMNS)]
    TooMany(usize),
    /// The shard key is not a column of the layout.
    #[error("shard key {0} is not among the columns: name it there too, at its place in the file")]
    UnknownShardKey(String),
    /// The shard key has a value of its own in nearly every record.
    #[error("{0} cannot be the shard key: use KKMC, another column whose values repeat, or an extra column")]
    UnfitShardKey(&'static str),
}

impl Layout {
    /// How many columns a line may have.
    pub const MAX_COLUMNS: usize = 32;

    /// Reads a list of names, separated by commas: the eight of the contract in any order, and freely chosen names for
    /// extra columns.
    ///
    /// # Errors
    /// If one of the eight is missing, or a name is repeated or empty.
    pub fn parse(names: &str) -> Result<Self, LayoutError> {
        let mut columns = Vec::new();
        for (index, name) in names.split(',').map(str::trim).enumerate() {
            if name.is_empty() {
                return Err(LayoutError::Unnamed(index + 1));
            }
            if columns.iter().any(|column: &LayoutColumn| column.name().eq_ignore_ascii_case(name)) {
                return Err(LayoutError::Repeated(name.to_owned()));
            }
            columns.push(Column::parse(name).map_or_else(|| LayoutColumn::Extra(name.to_owned()), LayoutColumn::Known));
        }
        let missing: Vec<_> = Column::ALL
            .into_iter()
            .filter(|column| !columns.contains(&LayoutColumn::Known(*column)))
            .map(Column::as_str)
            .collect();
        if !missing.is_empty() {
            return Err(LayoutError::Missing(missing.join(", ")));
        }
        if columns.len() > Self::MAX_COLUMNS {
            return Err(LayoutError::TooMany(columns.len()));
        }
        let stated = !columns.iter().eq(Column::ALL.map(LayoutColumn::Known).iter());
        Ok(Self { columns, shard_key: ShardKey::Column(Column::Kkmc), stated })
    }

    /// The same layout, routed by another column.
    ///
    /// # Errors
    /// If the layout has no such column, or it is GCXH, GCSJ or HPHM.
    pub fn with_shard_key(mut self, name: &str) -> Result<Self, LayoutError> {
        let column = self.columns.iter().find(|column| column.name().eq_ignore_ascii_case(name.trim()));
        self.shard_key = match column {
            Some(LayoutColumn::Known(column)) if column.dimension().is_some() => ShardKey::Column(*column),
            Some(LayoutColumn::Known(column)) => return Err(LayoutError::UnfitShardKey(column.as_str())),
            Some(LayoutColumn::Extra(name)) => ShardKey::Extra(name.clone()),
            None => return Err(LayoutError::UnknownShardKey(name.to_owned())),
        };
        Ok(self)
    }

    /// The same layout, marked as stated by the user: a header that contradicts it is an error. A layout that is not
    /// marked, such as the default, follows a header that names another order.
    pub fn stated(self) -> Self {
        Self { stated: true, ..self }
    }

    /// Whether a header that names another order contradicts the user.
    pub fn is_stated(&self) -> bool {
        self.stated
    }

    /// The column that routes.
    pub fn shard_key(&self) -> &ShardKey {
        &self.shard_key
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(LayoutColumn::name)
    }

    /// The place of a column, from 0.
    pub fn position(&self, column: Column) -> usize {
        self.columns.iter().position(|at| *at == LayoutColumn::Known(column)).unwrap_or(usize::MAX)
    }

    /// The place of the shard key where it is an extra column.
    pub(super) fn route_position(&self) -> Option<usize> {
        self.columns.iter().position(
            |at| matches!((at, &self.shard_key), (LayoutColumn::Extra(name), ShardKey::Extra(key)) if name == key),
        )
    }

    /// The places of the extra columns that are not read.
    pub(super) fn ignored_positions(&self) -> Vec<usize> {
        let route = self.route_position();
        let extra = |index: &usize| matches!(self.columns.get(*index), Some(LayoutColumn::Extra(_)));
        (0..self.columns.len()).filter(extra).filter(|index| Some(*index) != route).collect()
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            columns: Column::ALL.into_iter().map(LayoutColumn::Known).collect(),
            shard_key: ShardKey::Column(Column::Kkmc),
            stated: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_order() {
        let layout = Layout::parse("kkmc, GCXH,SFZRKMC,XZQHMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH,note").unwrap();
        let names: Vec<_> = layout.names().collect();
        assert_eq!(names, ["KKMC", "GCXH", "SFZRKMC", "XZQHMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH", "note"]);
        assert_eq!((layout.position(Column::Kkmc), layout.position(Column::Clppxh)), (0, 8));
        assert_eq!((layout.route_position(), layout.ignored_positions()), (None, vec![2, 9]));
        let routed = layout.with_shard_key("sfzrkmc").unwrap();
        assert_eq!(routed.shard_key(), &ShardKey::Extra("SFZRKMC".into()));
        assert_eq!((routed.route_position(), routed.ignored_positions()), (Some(2), vec![9]));
        assert_eq!(routed.shard_key().dimension(), Dimension::Route);
        let all = Column::ALL.map(Column::as_str).join(",");
        assert_eq!(Layout::parse(&all).unwrap(), Layout::default());
        assert_eq!(Layout::default().with_shard_key("xzqhmc").unwrap().shard_key().dimension(), Dimension::District);
    }

    #[test]
    fn refusals() {
        let all = Column::ALL.map(Column::as_str).join(",");
        let refused = |names: &str| Layout::parse(names).unwrap_err();
        assert_eq!(refused("GCXH,KKMC,FXLX,GCSJ,HPZL,HPHM"), LayoutError::Missing("XZQHMC, CLPPXH".into()));
        assert_eq!(refused(&format!("{all},hphm")), LayoutError::Repeated("hphm".into()));
        assert_eq!(refused(&format!("{all},x,X")), LayoutError::Repeated("X".into()));
        assert_eq!(refused(&format!("{all},")), LayoutError::Unnamed(9));
        let many: String = (0..30).map(|index| format!(",x{index}")).collect();
        assert_eq!(refused(&format!("{all}{many}")), LayoutError::TooMany(38));
        let routed = |name| Layout::default().with_shard_key(name).unwrap_err();
        assert_eq!(routed("SFZRKMC"), LayoutError::UnknownShardKey("SFZRKMC".into()));
        assert_eq!(routed("hphm"), LayoutError::UnfitShardKey("HPHM"));
    }
}
