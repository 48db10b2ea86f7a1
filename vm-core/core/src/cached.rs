//! Values of the state that were decoded before: as flat images, with the token that their view gave for their bytes.
//!
//! A cached value is used in a transaction only after the view said, in this transaction, that the state still has these bytes. Reading it
//! is a copy of its image onto the heap, which takes as much room there as decoding it anew, so that the cache shows in nothing but time. It goes
//! with the context (layouts), and starts over when it is full. Large values come from the embedder as images, if another instance has decoded
//! them ([`shared`](crate::value::shared)).

use crate::context::Context;
use crate::context::ids::LayoutId;
use crate::globals::GlobalKey;
use crate::value::image::Image;
use crate::value::shared::Shape;
use crate::{ValueCacheStats, ValueToken};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::rc::Rc;

/// What an entry takes besides image and bytes, about.
const ENTRY_BYTES: u64 = 256;

/// A value of the state.
#[derive(Clone, Debug)]
pub(crate) struct CachedValue {
    pub(crate) layout: LayoutId,
    pub(crate) token: ValueToken,
    pub(crate) image: Rc<Image>,
    /// Its BCS.
    pub(crate) bytes: Rc<[u8]>,
}

impl CachedValue {
    fn footprint(&self) -> u64 {
        self.image.footprint() + self.bytes.len() as u64 + ENTRY_BYTES
    }
}

/// The values of one context.
#[derive(Debug)]
pub(crate) struct ValueCache {
    entries: Vec<(GlobalKey, CachedValue)>,
    index: HashTable<u32>,
    state: FixedState,
    /// Bytes that it may take.
    limit: u64,
    stats: ValueCacheStats,
    /// Shapes of the layouts whose values were large; `None` for those that are not shared.
    shapes: BTreeMap<LayoutId, Option<Rc<Shape>>>,
}

impl ValueCache {
    pub(crate) fn new(seed: u64, limit: u64) -> Self {
        Self {
            entries: Vec::new(),
            index: HashTable::new(),
            state: FixedState::with_seed(seed),
            limit,
            stats: ValueCacheStats::default(),
            shapes: BTreeMap::new(),
        }
    }

    /// Forgets all values.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.index.clear();
        self.shapes.clear();
        (self.stats.values, self.stats.bytes) = (0, 0);
    }

    pub(crate) fn stats(&self) -> ValueCacheStats {
        self.stats
    }

    /// The value under `key`, whatever the state has now.
    pub(crate) fn find(&self, key: &GlobalKey) -> Option<&CachedValue> {
        let hash = self.state.hash_one(key);
        let found = self
            .index
            .find(hash, |&i| self.entries[i as usize].0 == *key)?;
        self.entries.get(*found as usize).map(|(_, value)| value)
    }

    /// Counts a value that was used again.
    pub(crate) fn hit(&mut self) {
        self.stats.hits += 1;
    }

    /// Counts a value that was decoded.
    pub(crate) fn decoded(&mut self) {
        self.stats.decoded += 1;
    }

    /// Counts a value that came as an image.
    pub(crate) fn came_flat(&mut self) {
        self.stats.shared += 1;
    }

    /// The shape of a layout, if its values can be shared.
    pub(crate) fn shape(&mut self, ctx: &Context, layout: LayoutId) -> Option<Rc<Shape>> {
        let shape = self.shapes.entry(layout);
        shape
            .or_insert_with(|| Shape::of(ctx, layout).map(Rc::new))
            .clone()
    }

    /// The value under `key`, if it has these bytes: from now on under this token.
    pub(crate) fn rename(
        &mut self,
        key: &GlobalKey,
        layout: LayoutId,
        token: ValueToken,
        bytes: &[u8],
    ) -> Option<CachedValue> {
        let hash = self.state.hash_one(key);
        let entries = &mut self.entries;
        let at = *(self.index).find(hash, |&i| entries[i as usize].0 == *key)?;
        let (_, value) = entries.get_mut(at as usize)?;
        if value.layout != layout || token == ValueToken::NONE || *value.bytes != *bytes {
            return None;
        }
        value.token = token;
        self.stats.hits += 1;
        Some(value.clone())
    }

    /// Takes in a value, in place of an earlier one under its key.
    pub(crate) fn add(&mut self, key: &GlobalKey, value: CachedValue) {
        let footprint = value.footprint();
        if value.token == ValueToken::NONE || !value.image.is_plain_data() || footprint > self.limit
        {
            return;
        }
        let hash = self.state.hash_one(key);
        let entries = &mut self.entries;
        if let Some(&at) = self.index.find(hash, |&i| entries[i as usize].0 == *key)
            && let Some((_, old)) = entries.get_mut(at as usize)
        {
            self.stats.bytes = self.stats.bytes + footprint - old.footprint();
            *old = value;
            return;
        }
        if self.stats.bytes + footprint > self.limit {
            self.clear();
        }
        let entries = &mut self.entries;
        let id = entries.len() as u32;
        entries.push((key.clone(), value));
        let state = &self.state;
        self.index
            .insert_unique(hash, id, |&i| state.hash_one(&entries[i as usize].0));
        self.stats.values += 1;
        self.stats.bytes += footprint;
    }
}
