//! Interning of names, module ids, struct templates, types and lists of types (hash-consing): equal things have equal ids.

use super::ids::{ModuleRef, NameId, TemplateId, TypeId, TypeListId};
use super::stats::ContextStats;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use monomove_types::{AbilitySet, AccountAddress, StatusCode};
use std::hash::{BuildHasher, Hash};

/// Nodes that a type may have (`max_ty_size` of the gas schedule).
pub(crate) const MAX_TYPE_NODES: u32 = 128;
/// Nesting that a type may have (`max_ty_depth` of the gas schedule).
pub(crate) const MAX_TYPE_DEPTH: u32 = 20;

/// Nodes and nesting of types that are only parts of layouts. Far above what a layout can have; it bounds the recursion over types
/// that recursive definitions would make without end.
const MAX_PART_NODES: u32 = 1 << 16;
/// See [`MAX_PART_NODES`].
const MAX_PART_DEPTH: u32 = 512;

/// Limit of any table: far above what one block can add, far below where tags would collide.
const MAX_ENTRIES: usize = 1 << 28;

/// Whether the limits of run-time types hold for a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limits {
    /// The program instantiates it.
    Runtime,
    /// It is only a part of a layout.
    None,
}

/// A compound type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TypeNode {
    Vector(TypeId),
    Struct(TemplateId, TypeListId),
    Function {
        args: TypeListId,
        results: TypeListId,
        abilities: AbilitySet,
    },
}

/// Kinds of keys, in their two top bits.
const VECTOR: u64 = 0;
const STRUCT: u64 = 1;
const FUNCTION: u64 = 2;

/// A compound type as one word, the key under which it is interned: kind, then the id of the element, of template and list of arguments, or
/// of the signature. Ids of templates stay below 2^28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct TypeKey(u64);

/// What a function value takes and returns, and its abilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FunctionSignature {
    args: TypeListId,
    results: TypeListId,
    abilities: AbilitySet,
}

#[derive(Clone, Copy, Debug)]
struct TypeEntry {
    key: TypeKey,
    nodes: u32,
    depth: u32,
}

/// An entry of the index of types. It has what a lookup needs, so that it need not look anywhere else.
#[derive(Clone, Copy, Debug)]
struct TypeSlot {
    key: TypeKey,
    /// Index into the entries.
    index: u32,
    /// Whether it is within the limits of run-time types.
    within: bool,
}

/// Hash-consed values of one kind, numbered in order of arrival.
#[derive(Debug)]
struct Interner<T> {
    items: Vec<T>,
    index: HashTable<u32>,
}

impl<T> Interner<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            index: HashTable::new(),
        }
    }

    /// Bytes that the table takes, without what its items point to.
    fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + self.index.allocation_size()
    }

    fn find<Q: Hash + ?Sized>(
        &self,
        state: &FixedState,
        key: &Q,
        eq: impl Fn(&T) -> bool,
    ) -> Option<u32> {
        self.index
            .find(state.hash_one(key), |&i| {
                self.items.get(i as usize).is_some_and(&eq)
            })
            .copied()
    }

    /// Adds an item that is not there yet; `rehash` hashes as `key` did.
    fn add<Q: Hash + ?Sized>(
        &mut self,
        state: &FixedState,
        key: &Q,
        item: T,
        rehash: impl Fn(&T) -> u64,
    ) -> Result<u32, StatusCode> {
        if self.items.len() >= MAX_ENTRIES {
            return Err(StatusCode::MEMORY_LIMIT_EXCEEDED);
        }
        let id = self.items.len() as u32;
        self.items.push(item);
        let items = &self.items;
        self.index.insert_unique(state.hash_one(key), id, |&i| {
            items.get(i as usize).map_or(0, &rehash)
        });
        Ok(id)
    }
}

/// All interned names and types of one context.
#[derive(Debug)]
pub(crate) struct Types {
    state: FixedState,
    names: Interner<Box<str>>,
    modules: Interner<(AccountAddress, NameId)>,
    templates: Interner<(ModuleRef, NameId)>,
    functions: Interner<FunctionSignature>,
    types: Vec<TypeEntry>,
    type_index: HashTable<TypeSlot>,
    lists: Interner<Box<[TypeId]>>,
}

impl Types {
    pub(crate) fn new(seed: u64) -> Self {
        let mut types = Self {
            state: FixedState::with_seed(seed),
            names: Interner::new(),
            modules: Interner::new(),
            templates: Interner::new(),
            functions: Interner::new(),
            types: Vec::new(),
            type_index: HashTable::new(),
            lists: Interner::new(),
        };
        // List 0 is the empty list; it is never looked up by hash.
        types.lists.items.push(Box::default());
        types
    }

    /// Sizes of the tables.
    pub(crate) fn stats(&self) -> ContextStats {
        let text: usize = self.names.items.iter().map(|name| name.len()).sum();
        let lists: usize = self
            .lists
            .items
            .iter()
            .map(|list| size_of_val(&**list))
            .sum();
        let tables = [
            self.names.bytes(),
            self.modules.bytes(),
            self.templates.bytes(),
            self.functions.bytes(),
            self.types.capacity() * size_of::<TypeEntry>() + self.type_index.allocation_size(),
            self.lists.bytes(),
        ];
        ContextStats {
            names: self.names.items.len() as u64,
            modules: self.modules.items.len() as u64,
            templates: self.templates.items.len() as u64,
            types: self.types.len() as u64,
            type_lists: self.lists.items.len() as u64,
            bytes: (tables.iter().sum::<usize>() + text + lists) as u64,
            ..ContextStats::default()
        }
    }

    /// How many compound types there are.
    pub(crate) fn len(&self) -> usize {
        self.types.len()
    }

    pub(crate) fn name(&mut self, name: &str) -> Result<NameId, StatusCode> {
        if let Some(id) = self.names.find(&self.state, name, |n| **n == *name) {
            return Ok(NameId(id));
        }
        let state = self.state.clone();
        self.names
            .add(&state, name, name.into(), |n| state.hash_one(&**n))
            .map(NameId)
    }

    pub(crate) fn name_text(&self, id: NameId) -> &str {
        self.names.items.get(id.0 as usize).map_or("", |n| n)
    }

    pub(crate) fn module(
        &mut self,
        address: AccountAddress,
        name: &str,
    ) -> Result<ModuleRef, StatusCode> {
        let key = (address, self.name(name)?);
        let state = self.state.clone();
        let id = match self.modules.find(&state, &key, |m| *m == key) {
            Some(id) => id,
            None => self.modules.add(&state, &key, key, |m| state.hash_one(m))?,
        };
        Ok(ModuleRef::new(id, address.is_special()))
    }

    pub(crate) fn module_parts(&self, id: ModuleRef) -> (AccountAddress, NameId) {
        self.modules
            .items
            .get(id.index())
            .copied()
            .unwrap_or((AccountAddress::ZERO, NameId(0)))
    }

    pub(crate) fn template(
        &mut self,
        module: ModuleRef,
        name: NameId,
    ) -> Result<TemplateId, StatusCode> {
        let key = (module, name);
        let state = self.state.clone();
        match self.templates.find(&state, &key, |t| *t == key) {
            Some(id) => Ok(TemplateId(id)),
            None => self
                .templates
                .add(&state, &key, key, |t| state.hash_one(t))
                .map(TemplateId),
        }
    }

    pub(crate) fn template_parts(&self, id: TemplateId) -> (ModuleRef, NameId) {
        self.templates
            .items
            .get(id.0 as usize)
            .copied()
            .unwrap_or((ModuleRef(0), NameId(0)))
    }

    /// Interns a compound type, within the limits of run-time types if asked.
    pub(crate) fn within(&mut self, node: TypeNode, limits: Limits) -> Result<TypeId, StatusCode> {
        match limits {
            Limits::Runtime => self.compound(node),
            Limits::None => self.compound_unlimited(node),
        }
    }

    /// Interns a compound type. Fails on types above the size and depth limits of run-time types.
    pub(crate) fn compound(&mut self, node: TypeNode) -> Result<TypeId, StatusCode> {
        let slot = self.slot(node)?;
        let ty = TypeId(slot.index + TypeId::FIRST_COMPOUND);
        if slot.within {
            return Ok(ty);
        }
        let (nodes, depth) = self.size(ty);
        if depth > MAX_TYPE_DEPTH {
            return Err(StatusCode::VM_MAX_TYPE_DEPTH_REACHED);
        }
        if nodes > MAX_TYPE_NODES {
            return Err(StatusCode::TOO_MANY_TYPE_NODES);
        }
        Ok(ty)
    }

    fn compound_unlimited(&mut self, node: TypeNode) -> Result<TypeId, StatusCode> {
        Ok(TypeId(self.slot(node)?.index + TypeId::FIRST_COMPOUND))
    }

    /// The word for a node.
    fn key(&mut self, node: TypeNode) -> Result<TypeKey, StatusCode> {
        Ok(TypeKey(match node {
            TypeNode::Vector(element) => VECTOR << 62 | u64::from(element.0),
            TypeNode::Struct(template, args) => {
                STRUCT << 62 | u64::from(template.0) << 32 | u64::from(args.0)
            }
            TypeNode::Function {
                args,
                results,
                abilities,
            } => {
                let signature = FunctionSignature {
                    args,
                    results,
                    abilities,
                };
                let state = self.state.clone();
                let id = match self.functions.find(&state, &signature, |s| *s == signature) {
                    Some(id) => id,
                    None => self
                        .functions
                        .add(&state, &signature, signature, |s| state.hash_one(s))?,
                };
                FUNCTION << 62 | u64::from(id)
            }
        }))
    }

    /// The node of a word.
    fn unpack(&self, TypeKey(key): TypeKey) -> Option<TypeNode> {
        let low = key as u32;
        match key >> 62 {
            VECTOR => Some(TypeNode::Vector(TypeId(low))),
            STRUCT => {
                let template = TemplateId((key >> 32) as u32 & (MAX_ENTRIES as u32 - 1));
                Some(TypeNode::Struct(template, TypeListId(low)))
            }
            _ => {
                let signature = self.functions.items.get(low as usize)?;
                Some(TypeNode::Function {
                    args: signature.args,
                    results: signature.results,
                    abilities: signature.abilities,
                })
            }
        }
    }

    /// The entry of the index for a compound type, which is made if it is new.
    fn slot(&mut self, node: TypeNode) -> Result<TypeSlot, StatusCode> {
        let key = self.key(node)?;
        let hash = self.state.hash_one(key.0);
        match self.type_index.find(hash, |slot| slot.key == key) {
            Some(slot) => Ok(*slot),
            None => self.add_type(node, key, hash),
        }
    }

    #[cold]
    fn add_type(
        &mut self,
        node: TypeNode,
        key: TypeKey,
        hash: u64,
    ) -> Result<TypeSlot, StatusCode> {
        let (mut nodes, mut depth) = (1u32, 1u32);
        let mut child = |types: &Self, ty: TypeId| {
            let (n, d) = types.size(ty);
            nodes = nodes.saturating_add(n);
            depth = depth.max(d.saturating_add(1));
        };
        match node {
            TypeNode::Vector(element) => child(self, element),
            TypeNode::Struct(_, args) => self.list(args).iter().for_each(|&t| child(self, t)),
            TypeNode::Function { args, results, .. } => {
                self.list(args)
                    .iter()
                    .chain(self.list(results).iter())
                    .for_each(|&t| child(self, t));
            }
        }
        if depth > MAX_PART_DEPTH {
            return Err(StatusCode::VM_MAX_TYPE_DEPTH_REACHED);
        }
        if nodes > MAX_PART_NODES {
            return Err(StatusCode::TOO_MANY_TYPE_NODES);
        }
        if self.types.len() >= MAX_ENTRIES {
            return Err(StatusCode::MEMORY_LIMIT_EXCEEDED);
        }
        let slot = TypeSlot {
            key,
            index: self.types.len() as u32,
            within: depth <= MAX_TYPE_DEPTH && nodes <= MAX_TYPE_NODES,
        };
        self.types.push(TypeEntry { key, nodes, depth });
        let state = &self.state;
        self.type_index
            .insert_unique(hash, slot, |slot| state.hash_one(slot.key.0));
        Ok(slot)
    }

    pub(crate) fn vector(&mut self, element: TypeId) -> Result<TypeId, StatusCode> {
        self.compound(TypeNode::Vector(element))
    }

    /// The node of a compound value type; `None` for primitives and references.
    pub(crate) fn node(&self, ty: TypeId) -> Option<TypeNode> {
        self.unpack(self.types.get(ty.compound_index()?)?.key)
    }

    /// Nodes and depth of a type; a reference counts as a node.
    pub(crate) fn size(&self, ty: TypeId) -> (u32, u32) {
        let (nodes, depth) = ty
            .referent()
            .compound_index()
            .and_then(|i| self.types.get(i))
            .map_or((1, 1), |t| (t.nodes, t.depth));
        if ty.is_reference() {
            (nodes + 1, depth + 1)
        } else {
            (nodes, depth)
        }
    }

    pub(crate) fn list_id(&mut self, list: &[TypeId]) -> Result<TypeListId, StatusCode> {
        match list {
            [] => return Ok(TypeListId::EMPTY),
            [one] => {
                if let Some(id) = TypeListId::single(*one) {
                    return Ok(id);
                }
            }
            _ => {}
        }
        let state = self.state.clone();
        match self.lists.find(&state, list, |l| **l == *list) {
            Some(id) => Ok(TypeListId(id)),
            None => self
                .lists
                .add(&state, list, list.into(), |l| state.hash_one(&**l))
                .map(TypeListId),
        }
    }

    pub(crate) fn list(&self, id: TypeListId) -> TypeList<'_> {
        match id.as_single() {
            Some(ty) => TypeList::Single([ty]),
            None => TypeList::Slice(self.lists.items.get(id.0 as usize).map_or(&[], |l| l)),
        }
    }
}

/// The types of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TypeList<'a> {
    Single([TypeId; 1]),
    Slice(&'a [TypeId]),
}

impl std::ops::Deref for TypeList<'_> {
    type Target = [TypeId];

    fn deref(&self) -> &[TypeId] {
        match self {
            Self::Single(one) => one,
            Self::Slice(slice) => slice,
        }
    }
}
