//! Names numbered again, in the order in which one partition brings them.
//!
//! A process numbers names as all of its partitions bring them. Of the evidence some sums and ties follow the numbers, so
//! with those it would depend on what else the process reads. It knows no names, only their numbers.

use crate::NameId;

const NONE: NameId = NameId::MAX;

/// Numbers of a process and of a partition, each by the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Numbering {
    /// The partition's number by the process's.
    own: Vec<NameId>,
    /// The process's number by the partition's.
    all: Vec<NameId>,
}

impl Numbering {
    /// As it was, from the process's numbers in the partition's order.
    pub(super) fn restore(all: &[NameId]) -> Self {
        let mut restored = Self::default();
        for name in all {
            let _ = restored.own(*name);
        }
        restored
    }

    /// The partition's number of a name; a new name gets the next one.
    #[inline]
    pub(super) fn own(&mut self, name: NameId) -> NameId {
        match self.own.get(name as usize) {
            Some(&own) if own != NONE => own,
            _ => self.add(name),
        }
    }

    #[cold]
    fn add(&mut self, name: NameId) -> NameId {
        if self.own.len() <= name as usize {
            self.own.resize(name as usize + 1, NONE);
        }
        let own = self.all.len() as NameId;
        if let Some(place) = self.own.get_mut(name as usize) {
            *place = own;
            self.all.push(name);
        }
        own
    }

    /// The partition's number of a name that it may not have.
    pub(super) fn find(&self, name: NameId) -> Option<NameId> {
        self.own.get(name as usize).copied().filter(|own| *own != NONE)
    }

    /// The process's number of a name of the partition.
    #[inline]
    pub(super) fn name(&self, own: NameId) -> NameId {
        self.all.get(own as usize).copied().unwrap_or(NONE)
    }

    /// The process's numbers in the partition's order.
    pub(super) fn names(&self) -> &[NameId] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_order_in_which_names_come() {
        let mut numbering = Numbering::default();
        assert_eq!([7, 2, 7, 0, 2].map(|name| numbering.own(name)), [0, 1, 0, 2, 1]);
        assert_eq!(numbering.names(), [7, 2, 0]);
        assert_eq!([0, 1, 2].map(|own| numbering.name(own)), [7, 2, 0]);
        assert_eq!([7, 1, 99].map(|name| numbering.find(name)), [Some(0), None, None]);
        assert_eq!(Numbering::restore(&[7, 2, 0]), numbering);
    }
}
