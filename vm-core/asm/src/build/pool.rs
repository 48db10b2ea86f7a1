//! Tables whose entries are made when they are first needed.

use std::collections::BTreeMap;

/// A table without duplicates, except those that are pushed.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    items: Vec<T>,
    index: BTreeMap<T, u16>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            index: BTreeMap::new(),
        }
    }
}

impl<T: Ord + Clone> Pool<T> {
    /// The index of an entry, which is added if it is not there; `None` if the table is full.
    pub(crate) fn intern(&mut self, item: T) -> Option<u16> {
        match self.index.get(&item) {
            Some(&index) => Some(index),
            None => self.push(item),
        }
    }

    /// Adds an entry even if there is an equal one.
    pub(crate) fn push(&mut self, item: T) -> Option<u16> {
        let index = u16::try_from(self.items.len()).ok()?;
        self.index.entry(item.clone()).or_insert(index);
        self.items.push(item);
        Some(index)
    }

    /// An entry, to change what does not tell it from others.
    pub(crate) fn get_mut(&mut self, index: u16) -> Option<&mut T> {
        self.items.get_mut(usize::from(index))
    }

    /// The table.
    pub(crate) fn take(&mut self) -> Vec<T> {
        self.index.clear();
        std::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_shared_until_the_table_is_full() {
        let mut pool = Pool::default();
        assert_eq!(pool.intern(7), Some(0));
        assert_eq!(pool.intern(8), Some(1));
        assert_eq!(pool.intern(7), Some(0));
        assert_eq!(pool.push(7), Some(2));
        assert_eq!(pool.intern(7), Some(0));
        for item in 100..65633 {
            assert!(pool.intern(item).is_some());
        }
        assert_eq!(pool.intern(9), None);
        assert_eq!(pool.intern(8), Some(1));
        assert_eq!(pool.take().len(), 65536);
    }
}
