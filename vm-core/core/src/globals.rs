//! Global storage as one transaction sees it: values are decoded at first touch, changed in place, and written out at the end only
//! if their bytes differ from what the state holds.

use crate::WriteOp;
use crate::context::Context;
use crate::context::ids::{LayoutId, TypeId};
use crate::memory::{Addr, Memory};
use crate::stop::Run;
use crate::value::bcs;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use monomove_types::{AccountAddress, StateKey, codec};
use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::rc::Rc;

/// Which global value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GlobalKey {
    /// A resource: account and type.
    Resource(AccountAddress, TypeId),
    /// A table item: handle and serialized key.
    Item(AccountAddress, Vec<u8>),
}

#[derive(Debug)]
struct Entry {
    key: GlobalKey,
    layout: LayoutId,
    /// Where the value is; `None` when there is none.
    object: Option<Addr>,
    /// The bytes in the state; `None` when it has none.
    original: Option<Rc<[u8]>>,
    /// Whether it may differ from the state.
    touched: bool,
    /// BCS of the value when it was last asked for, unless it may have changed since.
    now: Option<Vec<u8>>,
}

impl Entry {
    /// What it takes to make the state's value this one. It must be serialized.
    fn change(&self) -> Option<Change> {
        match (self.object, &self.original) {
            (None, None) => None,
            (None, Some(_)) => Some(Change::Delete),
            (Some(_), None) => Some(Change::Create),
            (Some(_), Some(old)) => (self.now.as_deref() != Some(&**old)).then_some(Change::Modify),
        }
    }
}

/// What a change does to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has no such value yet.
    Create,
    /// Its value gets other bytes.
    Modify,
    /// Its value goes.
    Delete,
}

/// The values that a session had changed at one moment, without their keys.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint(Vec<(GlobalSlot, Option<Vec<u8>>)>);

/// A changed value: its key, the bytes that the state has, those that it has now.
type Changed = (StateKey, Option<Vec<u8>>, Option<Vec<u8>>);

impl Checkpoint {
    /// The changes. `globals` must be the working set that the checkpoint was taken of, with nothing forgotten.
    pub(crate) fn into_changes(self, ctx: &Context, globals: &Globals) -> Run<Vec<Changed>> {
        let changed = |(slot, now): (GlobalSlot, Option<Vec<u8>>)| {
            let entry = &globals.entries[slot.0];
            let original = entry.original.as_deref().map(<[u8]>::to_vec);
            Ok((state_key(ctx, &entry.key)?, original, now))
        };
        self.0.into_iter().map(changed).collect()
    }
}

/// What was done with a global value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessKind {
    /// Read from the state.
    Load,
    /// Looked up again.
    Find,
    /// Borrowed to be changed in place.
    Touch,
    /// Taken out.
    Take,
    /// Put in.
    Store,
}

/// One access to a global value, for a tracer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GlobalAccess {
    pub(crate) slot: GlobalSlot,
    pub(crate) kind: AccessKind,
    /// The value that is taken or stored.
    pub(crate) object: Option<Addr>,
}

/// The working set of one transaction.
#[derive(Debug)]
pub(crate) struct Globals {
    /// Accesses so far, if a tracer wants to know.
    pub(crate) log: Option<Vec<GlobalAccess>>,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    state: FixedState,
    /// Objects whose values were moved out since they were last taken (paranoid mode).
    removed: Vec<Addr>,
}

/// A slot of the working set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GlobalSlot(usize);

impl Globals {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            log: None,
            entries: Vec::new(),
            index: HashTable::new(),
            state: FixedState::with_seed(seed),
            removed: Vec::new(),
        }
    }

    /// Forgets everything: the next transaction starts from the state.
    pub(crate) fn clear(&mut self) {
        self.log = None;
        self.entries.clear();
        self.index.clear();
        self.removed.clear();
    }

    /// The slot of a value, if it was touched before.
    pub(crate) fn find(&mut self, key: &GlobalKey) -> Option<GlobalSlot> {
        let hash = self.state.hash_one(key);
        let slot = self
            .index
            .find(hash, |&i| self.entries[i as usize].key == *key)
            .map(|&i| GlobalSlot(i as usize))?;
        self.note(slot, AccessKind::Find, None);
        Some(slot)
    }

    #[inline]
    fn note(&mut self, slot: GlobalSlot, kind: AccessKind, object: Option<Addr>) {
        if let Some(log) = &mut self.log {
            log.push(GlobalAccess { slot, kind, object });
        }
    }

    /// The key and layout of a value, and the bytes that the state had for it.
    pub(crate) fn about(
        &self,
        ctx: &Context,
        slot: GlobalSlot,
    ) -> Run<(StateKey, LayoutId, Option<&[u8]>)> {
        let entry = &self.entries[slot.0];
        Ok((
            state_key(ctx, &entry.key)?,
            entry.layout,
            entry.original.as_deref(),
        ))
    }

    /// The bytes that the state had for values that may have changed, by their keys.
    pub(crate) fn originals(&self, ctx: &Context) -> BTreeMap<StateKey, Option<&[u8]>> {
        let touched = self.entries.iter().filter(|entry| entry.touched);
        touched
            .filter_map(|e| Some((state_key(ctx, &e.key).ok()?, e.original.as_deref())))
            .collect()
    }

    /// Adds a value that was read from the state, and made an object if there is one.
    pub(crate) fn add(
        &mut self,
        key: GlobalKey,
        layout: LayoutId,
        object: Option<Addr>,
        original: Option<Rc<[u8]>>,
    ) -> GlobalSlot {
        let slot = GlobalSlot(self.entries.len());
        let (state, id) = (self.state.clone(), slot.0 as u32);
        let hash = state.hash_one(&key);
        self.entries.push(Entry {
            key,
            layout,
            object,
            original,
            touched: false,
            now: None,
        });
        let entries = &self.entries;
        self.index
            .insert_unique(hash, id, |&i| state.hash_one(&entries[i as usize].key));
        self.note(slot, AccessKind::Load, None);
        slot
    }

    /// The objects of all values that are there, with their layouts: what a collection finds and sets.
    pub(crate) fn objects_mut(&mut self) -> impl Iterator<Item = (&mut Addr, LayoutId)> {
        let entries = self.entries.iter_mut();
        entries.filter_map(|entry| Some((entry.object.as_mut()?, entry.layout)))
    }

    /// The slots of all values that are there, with their objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (GlobalSlot, Addr)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(slot, entry)| Some((GlobalSlot(slot), entry.object?)))
    }

    /// Where the value is, if there is one.
    pub(crate) fn object(&self, slot: GlobalSlot) -> Option<Addr> {
        self.entries[slot.0].object
    }

    /// Replaces the value.
    pub(crate) fn set(&mut self, slot: GlobalSlot, object: Option<Addr>) {
        let entry = &mut self.entries[slot.0];
        let old = std::mem::replace(&mut entry.object, object);
        (entry.touched, entry.now) = (true, None);
        self.removed.extend(old);
        match object {
            Some(_) => self.note(slot, AccessKind::Store, object),
            None => self.note(slot, AccessKind::Take, old),
        }
    }

    /// The objects whose values were moved out since the last time.
    pub(crate) fn take_removed(&mut self) -> Vec<Addr> {
        std::mem::take(&mut self.removed)
    }

    /// The layout under which a value was loaded.
    pub(crate) fn layout(&self, slot: GlobalSlot) -> LayoutId {
        self.entries[slot.0].layout
    }

    /// Notes that the value may be changed in place.
    pub(crate) fn touch(&mut self, slot: GlobalSlot) {
        let entry = &mut self.entries[slot.0];
        (entry.touched, entry.now) = (true, None);
        self.note(slot, AccessKind::Touch, None);
    }

    /// The values that may differ from the state: their keys, where they are, their layouts.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (&GlobalKey, Addr, LayoutId)> {
        let touched = self.entries.iter().filter(|entry| entry.touched);
        touched.filter_map(|entry| Some((&entry.key, entry.object?, entry.layout)))
    }

    /// Serializes what may have changed since it was last serialized. Between calls no reference is alive, so that nothing changes without
    /// being touched again.
    pub(crate) fn serialize(&mut self, ctx: &Context, memory: &Memory) -> Run<()> {
        for entry in self.entries.iter_mut().filter(|e| e.touched) {
            if let GlobalKey::Resource(_, ty) = &entry.key {
                // It has a key in the state.
                ctx.resource_tag(*ty)?;
            }
            if let (Some(object), None) = (entry.object, &entry.now) {
                entry.now = Some(bcs::to_bytes(ctx, memory, object, entry.layout)?);
            }
        }
        Ok(())
    }

    /// What changed so far, to go back to. All must be serialized.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let entries = self.entries.iter().enumerate();
        let changed = entries.filter(|(_, e)| e.touched && e.change().is_some());
        Checkpoint(
            changed
                .map(|(n, e)| (GlobalSlot(n), e.now.clone()))
                .collect(),
        )
    }

    /// The changes so far, in no order: kind, key, bytes that the state has, bytes after it. All must be serialized.
    pub(crate) fn changed(
        &self,
    ) -> impl Iterator<Item = (Change, &GlobalKey, Option<&[u8]>, Option<&[u8]>)> {
        let touched = self.entries.iter().filter(|e| e.touched);
        touched.filter_map(|e| Some((e.change()?, &e.key, e.original.as_deref(), e.now.as_deref())))
    }

    /// What changed, in the order of the keys. The bytes leave the working set.
    pub(crate) fn changes(
        &mut self,
        ctx: &Context,
        memory: &Memory,
    ) -> Run<Vec<(StateKey, WriteOp)>> {
        self.serialize(ctx, memory)?;
        let mut changes = Vec::new();
        for entry in self.entries.iter_mut().filter(|e| e.touched) {
            let op = match (entry.change(), entry.now.take()) {
                (Some(Change::Delete), _) => WriteOp::Delete,
                (Some(Change::Create), Some(bytes)) => WriteOp::Create(bytes),
                (Some(Change::Modify), Some(bytes)) => WriteOp::Modify(bytes),
                _ => continue,
            };
            changes.push((state_key(ctx, &entry.key)?, op));
        }
        changes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(changes)
    }
}

/// The key of a value in the state.
pub(crate) fn state_key(ctx: &Context, key: &GlobalKey) -> Run<StateKey> {
    Ok(match key {
        GlobalKey::Resource(address, ty) => {
            StateKey::resource(*address, ctx.resource_tag(*ty)?.tag.clone())
        }
        GlobalKey::Item(handle, key) => StateKey::table_item(*handle, key.clone()),
    })
}

/// Length of the byte form of the key of a value in the state.
pub(crate) fn key_bytes(ctx: &Context, key: &GlobalKey) -> Run<u64> {
    Ok(match key {
        GlobalKey::Resource(_, ty) => ctx.resource_tag(*ty)?.key_bytes,
        GlobalKey::Item(_, key) => {
            let mut length = Vec::with_capacity(8);
            codec::write_uleb(&mut length, key.len() as u64);
            (1 + AccountAddress::LENGTH + length.len() + key.len()) as u64
        }
    })
}
