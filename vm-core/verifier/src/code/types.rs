//! The types of a module, interned: equal types have equal ids, so that comparing types costs the same whatever their size.
//!
//! A type contains only types with smaller ids. Lists of types are interned too.

use super::members::Members;
use monomove_format::{
    AbilitySet, CompiledModule, SignatureToken, StructHandleIndex, TypeParameterIndex,
};
use std::collections::BTreeMap;

/// Units for each node of a type that is made or pushed.
pub(crate) const NODE: u64 = 30;

/// Types, elements of lists and substitutions that a module may need: far more than any that does something.
const MAX_ENTRIES: usize = 1 << 20;

/// An interned type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypeId(u32);

/// An interned list of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListId(u32);

/// The head of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Type {
    /// A type without parts that does not depend on the module.
    Primitive,
    Parameter(TypeParameterIndex),
    Vector(TypeId),
    Reference(TypeId),
    MutableReference(TypeId),
    /// A struct or enum with its type arguments.
    Struct(StructHandleIndex, ListId),
    Function(ListId, ListId, AbilitySet),
}

impl TypeId {
    pub(crate) const BOOL: Self = Self(0);
    pub(crate) const U8: Self = Self(1);
    pub(crate) const U16: Self = Self(2);
    pub(crate) const U32: Self = Self(3);
    pub(crate) const U64: Self = Self(4);
    pub(crate) const U128: Self = Self(5);
    pub(crate) const U256: Self = Self(6);
    pub(crate) const I8: Self = Self(7);
    pub(crate) const I16: Self = Self(8);
    pub(crate) const I32: Self = Self(9);
    pub(crate) const I64: Self = Self(10);
    pub(crate) const I128: Self = Self(11);
    pub(crate) const I256: Self = Self(12);
    pub(crate) const ADDRESS: Self = Self(13);
    pub(crate) const SIGNER: Self = Self(14);
    const PRIMITIVES: u32 = 15;

    pub(crate) fn is_unsigned(self) -> bool {
        (Self::U8..=Self::U256).contains(&self)
    }

    pub(crate) fn is_signed(self) -> bool {
        (Self::I8..=Self::I256).contains(&self)
    }

    pub(crate) fn is_integer(self) -> bool {
        (Self::U8..=Self::I256).contains(&self)
    }
}

impl ListId {
    /// The empty list.
    pub(crate) const EMPTY: Self = Self(0);
}

#[derive(Clone, Copy)]
struct Entry {
    type_: Type,
    /// Number of types in it, itself included.
    nodes: u32,
    /// Whether there is no type parameter in it.
    closed: bool,
    /// Its abilities, valid in `scope`.
    abilities: AbilitySet,
    /// The scope of type parameters in which `abilities` were computed; [`ANY_SCOPE`] if they do not depend on it.
    scope: u32,
    /// `&` and `&mut` to the type, once there was one.
    references: [Option<TypeId>; 2],
}

#[derive(Clone, Copy)]
struct List {
    start: u32,
    len: u32,
    closed: bool,
}

const ANY_SCOPE: u32 = u32::MAX;
const NO_SCOPE: u32 = 0;

/// The types of a module.
pub(crate) struct Types<'a> {
    pub(super) module: &'a CompiledModule,
    entries: Vec<Entry>,
    ids: BTreeMap<Type, TypeId>,
    lists: Vec<List>,
    /// The elements of all lists.
    elements: Vec<TypeId>,
    list_ids: BTreeMap<Vec<TypeId>, ListId>,
    substitutions: BTreeMap<(TypeId, ListId), TypeId>,
    /// The current scope of type parameters.
    scope: u32,
    /// What was converted already.
    pub(super) members: Members,
    scratch: Vec<TypeId>,
    pending: Vec<TypeId>,
}

impl<'a> Types<'a> {
    /// The types of `module`, whose indices must be in range.
    pub(crate) fn new(module: &'a CompiledModule) -> Self {
        let mut types = Self {
            module,
            entries: Vec::new(),
            ids: BTreeMap::new(),
            lists: Vec::new(),
            elements: Vec::new(),
            list_ids: BTreeMap::new(),
            substitutions: BTreeMap::new(),
            scope: NO_SCOPE + 1,
            members: Members::new(module),
            scratch: Vec::new(),
            pending: Vec::new(),
        };
        for id in 0..TypeId::PRIMITIVES {
            types.entries.push(Entry {
                type_: Type::Primitive,
                nodes: 1,
                closed: true,
                abilities: if id == TypeId::SIGNER.0 {
                    AbilitySet::SIGNER
                } else {
                    AbilitySet::PRIMITIVES
                },
                scope: ANY_SCOPE,
                references: [None; 2],
            });
        }
        types.list(&[]);
        types
    }

    /// Whether there are so many types that the module is too complex.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() + self.elements.len() + self.substitutions.len() > MAX_ENTRIES
    }

    /// Begins a function: type parameters may have other constraints than before.
    pub(crate) fn enter_scope(&mut self) {
        self.scope = self.scope.saturating_add(1).min(ANY_SCOPE - 1);
    }

    /// The head of a type.
    pub(crate) fn get(&self, id: TypeId) -> Type {
        self.entries[id.0 as usize].type_
    }

    /// Number of types in a type, itself included.
    pub(crate) fn nodes(&self, id: TypeId) -> u64 {
        self.entries[id.0 as usize].nodes.into()
    }

    /// The types of a list.
    pub(crate) fn elements(&self, id: ListId) -> &[TypeId] {
        let list = self.lists[id.0 as usize];
        &self.elements[list.start as usize..][..list.len as usize]
    }

    /// Number of types in a list.
    pub(crate) fn len(&self, id: ListId) -> usize {
        self.lists[id.0 as usize].len as usize
    }

    /// The type at a position of a list.
    pub(crate) fn element(&self, id: ListId, index: usize) -> Option<TypeId> {
        self.elements(id).get(index).copied()
    }

    /// Whether this is `&T` or `&mut T`.
    pub(crate) fn is_reference(&self, id: TypeId) -> bool {
        matches!(self.get(id), Type::Reference(_) | Type::MutableReference(_))
    }

    /// What a reference points to.
    pub(crate) fn referent(&self, id: TypeId) -> Option<TypeId> {
        match self.get(id) {
            Type::Reference(inner) | Type::MutableReference(inner) => Some(inner),
            _ => None,
        }
    }

    /// Whether a value of type `source` may be where `target` is expected: the same type; a function type with more abilities than
    /// expected; or `&` to such.
    pub(crate) fn is_assignable(&self, target: TypeId, source: TypeId) -> bool {
        if target == source {
            return true;
        }
        match (self.get(target), self.get(source)) {
            (Type::Reference(target), Type::Reference(source)) => {
                match (self.get(target), self.get(source)) {
                    (Type::Reference(_), _) => false,
                    _ => self.is_assignable(target, source),
                }
            }
            (Type::Function(args, results, needed), Type::Function(own_args, own_results, own)) => {
                args == own_args && results == own_results && needed.is_subset(own)
            }
            _ => false,
        }
    }

    /// Interns a type.
    pub(crate) fn intern(&mut self, type_: Type) -> TypeId {
        if let Some(&id) = self.ids.get(&type_) {
            return id;
        }
        let id = TypeId(self.entries.len() as u32);
        let mut nodes: u32 = 1;
        let mut closed = true;
        let mut add = |entry: Entry| {
            nodes = nodes.saturating_add(entry.nodes);
            closed &= entry.closed;
        };
        match type_ {
            Type::Primitive => {}
            Type::Parameter(_) => closed = false,
            Type::Vector(inner) | Type::Reference(inner) | Type::MutableReference(inner) => {
                add(self.entries[inner.0 as usize]);
            }
            Type::Struct(_, list) => {
                for part in self.elements(list) {
                    add(self.entries[part.0 as usize]);
                }
            }
            Type::Function(args, results, _) => {
                for part in self.elements(args).iter().chain(self.elements(results)) {
                    add(self.entries[part.0 as usize]);
                }
            }
        }
        self.entries.push(Entry {
            type_,
            nodes,
            closed,
            abilities: AbilitySet::EMPTY,
            scope: NO_SCOPE,
            references: [None; 2],
        });
        self.ids.insert(type_, id);
        if closed {
            // The parts are closed too, so their abilities are known.
            let abilities = self.abilities_of_parts(id, &[]).unwrap_or_default();
            let entry = &mut self.entries[id.0 as usize];
            entry.abilities = abilities;
            entry.scope = ANY_SCOPE;
        }
        id
    }

    /// A reference to a type.
    pub(crate) fn reference(&mut self, mutable: bool, referent: TypeId) -> TypeId {
        let kind = usize::from(mutable);
        if let Some(known) = self.entries[referent.0 as usize].references[kind] {
            return known;
        }
        let id = self.intern(match mutable {
            true => Type::MutableReference(referent),
            false => Type::Reference(referent),
        });
        self.entries[referent.0 as usize].references[kind] = Some(id);
        id
    }

    /// Interns a list of types.
    pub(crate) fn list(&mut self, types: &[TypeId]) -> ListId {
        if let Some(&id) = self.list_ids.get(types) {
            return id;
        }
        let id = ListId(self.lists.len() as u32);
        self.lists.push(List {
            start: self.elements.len() as u32,
            len: types.len() as u32,
            closed: types
                .iter()
                .all(|type_| self.entries[type_.0 as usize].closed),
        });
        self.elements.extend_from_slice(types);
        self.list_ids.insert(types.to_vec(), id);
        id
    }

    /// The abilities of a type where type parameters have these constraints.
    pub(crate) fn abilities(&mut self, id: TypeId, constraints: &[AbilitySet]) -> AbilitySet {
        let entry = self.entries[id.0 as usize];
        if entry.scope == ANY_SCOPE || entry.scope == self.scope {
            return entry.abilities;
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.clear();
        pending.push(id);
        while let Some(&next) = pending.last() {
            match self.abilities_of_parts(next, constraints) {
                Ok(abilities) => {
                    let entry = &mut self.entries[next.0 as usize];
                    entry.abilities = abilities;
                    entry.scope = self.scope;
                    pending.pop();
                }
                Err(part) => pending.push(part),
            }
        }
        self.pending = pending;
        self.entries[id.0 as usize].abilities
    }

    /// The abilities of a type, or a part whose abilities must be found first.
    fn abilities_of_parts(
        &self,
        id: TypeId,
        constraints: &[AbilitySet],
    ) -> Result<AbilitySet, TypeId> {
        let of = |part: TypeId| {
            let entry = self.entries[part.0 as usize];
            if entry.scope == ANY_SCOPE || entry.scope == self.scope {
                Ok(entry.abilities)
            } else {
                Err(part)
            }
        };
        Ok(match self.get(id) {
            Type::Primitive => self.entries[id.0 as usize].abilities,
            Type::Parameter(index) => constraints
                .get(usize::from(index))
                .copied()
                .unwrap_or_default(),
            Type::Reference(_) | Type::MutableReference(_) => AbilitySet::REFERENCES,
            Type::Function(_, _, abilities) => abilities,
            Type::Vector(element) => {
                AbilitySet::polymorphic_abilities(AbilitySet::VECTOR, [false], [of(element)?])
            }
            Type::Struct(handle, arguments) => {
                let handle = self.module.struct_handle_at(handle);
                let mut common = AbilitySet::ALL;
                let phantoms = handle
                    .type_parameters
                    .iter()
                    .map(|parameter| parameter.is_phantom)
                    .chain(std::iter::repeat(false));
                for (&argument, is_phantom) in self.elements(arguments).iter().zip(phantoms) {
                    if !is_phantom {
                        common = common.intersect(of(argument)?);
                    }
                }
                AbilitySet::polymorphic_abilities(handle.abilities, [false], [common])
            }
        })
    }

    /// Converts a type. Needs no call stack.
    pub(crate) fn token(&mut self, token: &SignatureToken) -> TypeId {
        if let Some(id) = self.leaf(token) {
            return id;
        }
        let order: Vec<&SignatureToken> = token.preorder().collect();
        // What is not yet part of something; the first part of the type at hand is on top.
        let mut parts = std::mem::take(&mut self.scratch);
        let base = parts.len();
        for token in order.into_iter().rev() {
            let id = match token {
                SignatureToken::Vector(_) => {
                    let inner = pop(&mut parts);
                    self.intern(Type::Vector(inner))
                }
                SignatureToken::Reference(_) => {
                    let inner = pop(&mut parts);
                    self.intern(Type::Reference(inner))
                }
                SignatureToken::MutableReference(_) => {
                    let inner = pop(&mut parts);
                    self.intern(Type::MutableReference(inner))
                }
                SignatureToken::StructInstantiation(handle, arguments) => {
                    let arguments = self.pop_list(&mut parts, arguments.len());
                    self.intern(Type::Struct(*handle, arguments))
                }
                SignatureToken::Function(arguments, results, abilities) => {
                    let arguments = self.pop_list(&mut parts, arguments.len());
                    let results = self.pop_list(&mut parts, results.len());
                    self.intern(Type::Function(arguments, results, *abilities))
                }
                leaf => self.leaf(leaf).unwrap_or(TypeId::BOOL),
            };
            parts.push(id);
        }
        let id = pop(&mut parts);
        parts.truncate(base);
        self.scratch = parts;
        id
    }

    /// A type without parts.
    fn leaf(&mut self, token: &SignatureToken) -> Option<TypeId> {
        use SignatureToken as T;
        Some(match token {
            T::Bool => TypeId::BOOL,
            T::U8 => TypeId::U8,
            T::U16 => TypeId::U16,
            T::U32 => TypeId::U32,
            T::U64 => TypeId::U64,
            T::U128 => TypeId::U128,
            T::U256 => TypeId::U256,
            T::I8 => TypeId::I8,
            T::I16 => TypeId::I16,
            T::I32 => TypeId::I32,
            T::I64 => TypeId::I64,
            T::I128 => TypeId::I128,
            T::I256 => TypeId::I256,
            T::Address => TypeId::ADDRESS,
            T::Signer => TypeId::SIGNER,
            T::Struct(handle) => self.intern(Type::Struct(*handle, ListId::EMPTY)),
            T::TypeParameter(index) => self.intern(Type::Parameter(*index)),
            _ => return None,
        })
    }

    /// Makes a list of the topmost `count` parts, the first on top.
    fn pop_list(&mut self, parts: &mut Vec<TypeId>, count: usize) -> ListId {
        let start = parts.len().saturating_sub(count);
        parts[start..].reverse();
        let list = self.list(&parts[start..]);
        parts.truncate(start);
        list
    }

    /// A type with its type parameters replaced.
    pub(crate) fn substitute(&mut self, id: TypeId, arguments: ListId) -> TypeId {
        if self.entries[id.0 as usize].closed {
            return id;
        }
        let mut pending = std::mem::take(&mut self.pending);
        let base = pending.len();
        pending.push(id);
        let mut result = id;
        while pending.len() > base {
            let next = pending[pending.len() - 1];
            match self.substitute_in_parts(next, arguments) {
                Ok(replaced) => {
                    self.substitutions.insert((next, arguments), replaced);
                    result = replaced;
                    pending.pop();
                }
                Err(part) => pending.push(part),
            }
        }
        self.pending = pending;
        result
    }

    /// The type with its type parameters replaced, or a part in which they must be replaced first.
    fn substitute_in_parts(&mut self, id: TypeId, arguments: ListId) -> Result<TypeId, TypeId> {
        if let Some(&known) = self.substitutions.get(&(id, arguments)) {
            return Ok(known);
        }
        let type_ = match self.get(id) {
            Type::Primitive => return Ok(id),
            Type::Parameter(index) => {
                return Ok(self.element(arguments, usize::from(index)).unwrap_or(id));
            }
            Type::Vector(inner) => Type::Vector(self.replaced(inner, arguments)?),
            Type::Reference(inner) => Type::Reference(self.replaced(inner, arguments)?),
            Type::MutableReference(inner) => {
                Type::MutableReference(self.replaced(inner, arguments)?)
            }
            Type::Struct(handle, list) => {
                Type::Struct(handle, self.replaced_list(list, arguments)?)
            }
            Type::Function(args, results, abilities) => Type::Function(
                self.replaced_list(args, arguments)?,
                self.replaced_list(results, arguments)?,
                abilities,
            ),
        };
        Ok(self.intern(type_))
    }

    fn replaced(&self, part: TypeId, arguments: ListId) -> Result<TypeId, TypeId> {
        if self.entries[part.0 as usize].closed {
            return Ok(part);
        }
        self.substitutions
            .get(&(part, arguments))
            .copied()
            .ok_or(part)
    }

    fn replaced_list(&mut self, list: ListId, arguments: ListId) -> Result<ListId, TypeId> {
        if self.lists[list.0 as usize].closed {
            return Ok(list);
        }
        let parts = self
            .elements(list)
            .iter()
            .map(|&part| self.replaced(part, arguments))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.list(&parts))
    }

    pub(super) fn substitute_list(&mut self, list: ListId, arguments: ListId) -> ListId {
        if self.lists[list.0 as usize].closed {
            return list;
        }
        let parts: Vec<TypeId> = (0..self.len(list))
            .filter_map(|index| self.element(list, index))
            .collect();
        let parts: Vec<TypeId> = parts
            .into_iter()
            .map(|part| self.substitute(part, arguments))
            .collect();
        self.list(&parts)
    }
}

/// The part on top. The number of parts is what the type says, so there is one.
fn pop(parts: &mut Vec<TypeId>) -> TypeId {
    parts.pop().unwrap_or(TypeId::BOOL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::testing::assemble;
    use monomove_format::{FunctionHandleIndex, StructDefinitionIndex};

    #[test]
    fn abilities_and_substitution() {
        let module = assemble(
            10,
            "struct S<T, phantom P> has copy+drop+store\n x: T\n y: vector<T>\nfun f<A: drop, B>(x: S<A, B>, y: S<u8, B>, z: |&A|vector<B> has copy)\n ret\nfun g()\n ld_u64 1\n abort\n",
        );
        let mut types = Types::new(&module);
        let (parameters, _) = types.function(FunctionHandleIndex(0));
        let [x, y, z] = *types.elements(parameters) else {
            panic!("three parameters");
        };
        types.enter_scope();
        let constraints = &module.function_handles[0].type_parameters;
        assert_eq!(types.abilities(x, constraints), AbilitySet::SIGNER);
        assert_eq!(types.abilities(y, constraints), AbilitySet::PRIMITIVES);
        types.enter_scope();
        assert_eq!(types.abilities(x, &[]), AbilitySet::EMPTY);
        let arguments = types.list(&[TypeId::U8, TypeId::BOOL]);
        let replaced = types.substitute(x, arguments);
        assert_eq!(types.abilities(replaced, &[]), AbilitySet::PRIMITIVES);
        assert_eq!(types.nodes(replaced), 3);
        let function = types.substitute(z, arguments);
        assert_eq!(types.nodes(function), 5);
        assert_eq!(types.substitute(z, arguments), function);
        let (struct_, fields) = types.struct_(StructDefinitionIndex(0));
        assert_eq!(types.substitute(struct_, arguments), replaced);
        assert_eq!(types.len(fields), 2);
    }
}
