//! Local shards as numbers: how many there are, which one is meant, and a value for each.
//!
//! It does not know what a shard holds, nor which key belongs to it (see [`Ring`](crate::Ring)).

use std::fmt;
use std::slice;

use serde::{Deserialize, Serialize};

/// How many local shards a data directory has: from 1 to [`ShardCount::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardCount(u8);

impl ShardCount {
    /// The most local shards.
    pub const MAX: usize = 64;

    /// None if `count` is 0 or more than [`ShardCount::MAX`].
    pub fn new(count: usize) -> Option<Self> {
        u8::try_from(count).ok().filter(|_| (1..=Self::MAX).contains(&count)).map(Self)
    }

    /// The number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }

    /// The number in a byte.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The shards, in order.
    pub fn ids(self) -> impl DoubleEndedIterator<Item = ShardId> + ExactSizeIterator + Clone {
        (0..self.0).map(ShardId)
    }

    /// The shard with this number; none if there is none.
    pub fn id(self, number: usize) -> Option<ShardId> {
        u8::try_from(number).ok().filter(|number| *number < self.0).map(ShardId)
    }
}

impl Default for ShardCount {
    /// Two, as the usual pair of MySQL servers behind MyCat.
    fn default() -> Self {
        Self(2)
    }
}

/// A local shard: MyCat's dataNode at the same place of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(u8);

impl ShardId {
    /// Its number, from 0.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its place in a list of all shards.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A value for each local shard. The default is that of no shard at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PerShard<T>(Box<[T]>);

impl<T> Default for PerShard<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> PerShard<T> {
    /// The value that `make` gives for each of `shards` shards.
    pub fn new(shards: ShardCount, make: impl FnMut(ShardId) -> T) -> Self {
        Self(shards.ids().map(make).collect())
    }

    /// How many shards there are; none if this is [`PerShard::default`].
    pub fn shards(&self) -> Option<ShardCount> {
        ShardCount::new(self.0.len())
    }

    /// The value of a shard; none if there is no such shard.
    pub fn get(&self, shard: ShardId) -> Option<&T> {
        self.0.get(shard.index())
    }

    /// The value of a shard, to change it; none if there is no such shard.
    pub fn get_mut(&mut self, shard: ShardId) -> Option<&mut T> {
        self.0.get_mut(shard.index())
    }

    /// Each shard and its value.
    pub fn iter(&self) -> impl Iterator<Item = (ShardId, &T)> {
        (0..).map(ShardId).zip(&self.0)
    }

    /// The values, in the order of the shards.
    pub fn values(&self) -> slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The values, to change them.
    pub fn values_mut(&mut self) -> slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// The values, in the order of the shards.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// Another value for each shard, made of this one.
    pub fn map_ref<U>(&self, make: impl FnMut(&T) -> U) -> PerShard<U> {
        PerShard(self.0.iter().map(make).collect())
    }
}

/// From the values in the order of the shards; none if their number is not one of [`ShardCount`].
impl<T> TryFrom<Vec<T>> for PerShard<T> {
    type Error = Vec<T>;

    fn try_from(values: Vec<T>) -> Result<Self, Vec<T>> {
        if ShardCount::new(values.len()).is_some() { Ok(Self(values.into())) } else { Err(values) }
    }
}

impl<T> IntoIterator for PerShard<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_1_to_64_shards() {
        for (count, possible) in [(0, false), (1, true), (2, true), (64, true), (65, false), (256, false), (257, false)]
        {
            assert_eq!(ShardCount::new(count).map(ShardCount::get), possible.then_some(count), "{count}");
        }
        let four = ShardCount::new(4).unwrap();
        assert_eq!(four.ids().map(ShardId::index).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!((four.id(3).map(ShardId::number), four.id(4), four.id(260)), (Some(3), None, None));
    }

    #[test]
    fn a_value_for_each_shard() {
        let three = ShardCount::new(3).unwrap();
        let mut values = PerShard::new(three, |shard| shard.index() * 10);
        *values.get_mut(three.id(1).unwrap()).unwrap() += 1;
        assert_eq!(values.as_slice(), [0, 11, 20]);
        assert_eq!(values.get(ShardCount::new(4).unwrap().id(3).unwrap()), None);
        assert_eq!(values.map_ref(|value| value + 1).into_iter().collect::<Vec<_>>(), [1, 12, 21]);
        assert_eq!(PerShard::<u8>::try_from(Vec::new()), Err(Vec::new()));
        assert_eq!(PerShard::<u8>::default().shards(), None);
    }
}
