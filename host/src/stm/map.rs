//! The keys that a block touches, each with one slot that all workers share and that stays where it is until the block ends.

use super::mvmap::Slot;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use monomove_types::StateKey;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Slots of the first chunk; each further one has twice as many as the one before.
const FIRST: usize = 64;

/// Chunks: enough for 2^32 slots.
const CHUNKS: usize = 26;

/// Locks, whatever a panic left behind: what is protected here is checked before it counts.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All slots of a block.
pub(super) struct SlotMap {
    /// Chunks grow, but never move.
    chunks: [OnceLock<Box<[OnceLock<Slot>]>>; CHUNKS],
    index: Mutex<Index>,
    hasher: RandomState,
}

#[derive(Default)]
struct Index {
    /// Numbers of slots, by their keys; with their hashes, so that growing does not touch the slots.
    numbers: HashTable<(u64, u32)>,
    len: u32,
}

impl SlotMap {
    pub(super) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            index: Mutex::default(),
            hasher: RandomState::default(),
        }
    }

    pub(super) fn hash(&self, key: &StateKey) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The cell of a slot.
    fn cell(&self, number: u32) -> &OnceLock<Slot> {
        let place = number as usize + FIRST;
        let chunk = (place.ilog2() - FIRST.ilog2()) as usize;
        let len = FIRST << chunk;
        let cells = self.chunks[chunk]
            .get_or_init(|| std::iter::repeat_with(OnceLock::new).take(len).collect());
        &cells[place - len]
    }

    /// The slot of `key`, whose hash is given; made if there is none.
    pub(super) fn slot(&self, hash: u64, key: &StateKey) -> &Slot {
        let mut index = lock(&self.index);
        let is_it = |(other, number): &(u64, u32)| {
            *other == hash
                && self
                    .cell(*number)
                    .get()
                    .is_some_and(|slot| slot.key == *key)
        };
        if let Some(&(_, number)) = index.numbers.find(hash, is_it)
            && let Some(slot) = self.cell(number).get()
        {
            return slot;
        }
        let number = index.len;
        let slot = self
            .cell(number)
            .get_or_init(|| Slot::new(number, key.clone()));
        index.len += 1;
        index
            .numbers
            .insert_unique(hash, (hash, number), |(hash, _)| *hash);
        slot
    }

    /// All slots, at the end of the block.
    pub(super) fn into_slots(self) -> impl Iterator<Item = Slot> {
        let chunks = self.chunks.into_iter().filter_map(OnceLock::into_inner);
        chunks.flatten().filter_map(OnceLock::into_inner)
    }
}

/// The slots that one worker has met: it finds them again without a lock.
pub(super) struct KnownSlots<'a> {
    map: &'a SlotMap,
    /// With their hashes, so that neither growing nor a miss touches the slots.
    slots: HashTable<(u64, &'a Slot)>,
}

impl<'a> KnownSlots<'a> {
    pub(super) fn new(map: &'a SlotMap) -> Self {
        Self {
            map,
            slots: HashTable::new(),
        }
    }

    /// The slot of `key`.
    pub(super) fn slot(&mut self, key: &StateKey) -> &'a Slot {
        let hash = self.map.hash(key);
        let known = self
            .slots
            .find(hash, |(other, slot)| *other == hash && slot.key == *key);
        if let Some(&(_, slot)) = known {
            return slot;
        }
        let slot = self.map.slot(hash, key);
        self.slots
            .insert_unique(hash, (hash, slot), |(hash, _)| *hash);
        slot
    }
}
