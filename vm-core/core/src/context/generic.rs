//! Types with parameters as flat bytes, and their instantiation without recursion.
//!
//! The bytes are ops for a stack of types, arguments before what is made of them (the last argument first, so that the first is on top).
//! What contains no parameter is interned when it is flattened, and is one op with its `TypeId`.

use super::ids::{ModuleRef, TemplateId, TypeId, TypeListId};
use super::types::{Limits, TypeNode, Types};
use crate::stop::{Run, Stop};
use monomove_format::{SignatureIndex, SignatureToken};
use monomove_types::{AbilitySet, StatusCode};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A type with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GenericType(Box<[u8]>);

/// An op: its first byte, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    /// A known type: `TypeId` u32.
    Leaf(TypeId),
    /// A type parameter: u16.
    Parameter(u16),
    Vector,
    /// A struct with type arguments: `TemplateId` u32, their number u16.
    Struct(TemplateId, u16),
    /// A function type: numbers of arguments and results u16, abilities u8.
    Function(u16, u16, AbilitySet),
    Reference,
    MutableReference,
}

/// What flattening knows of a part: where its bytes start, and its type if that is known already.
struct Part {
    start: usize,
    ty: Option<TypeId>,
}

impl GenericType {
    /// Flattens a token. `templates` are the structs by handle, `limits` those under which it will be instantiated.
    pub(crate) fn new(
        types: &mut Types,
        templates: &[TemplateId],
        token: &SignatureToken,
        limits: Limits,
    ) -> Run<Self> {
        let mut bytes = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let tokens: Vec<_> = token.preorder().collect();
        for token in tokens.into_iter().rev() {
            let (op, arity) = op_of(templates, token)?;
            let first = parts.len().checked_sub(arity).ok_or_else(broken)?;
            let start = parts.get(first).map_or(bytes.len(), |part| part.start);
            let known: Option<Vec<TypeId>> =
                parts.drain(first..).rev().map(|part| part.ty).collect();
            let ty = match (op, known) {
                (Op::Leaf(ty), _) => Some(ty),
                (Op::Parameter(_), _) | (_, None) => None,
                // What fails now fails again, and with its status, when it is instantiated.
                (_, Some(arguments)) => make(types, op, &arguments, limits).ok(),
            };
            match ty {
                Some(ty) => {
                    bytes.truncate(start);
                    write(&mut bytes, Op::Leaf(ty));
                }
                None => write(&mut bytes, op),
            }
            parts.push(Part { start, ty });
        }
        Ok(Self(bytes.into()))
    }

    /// The type without parameters, if it has none.
    pub(crate) fn closed(&self) -> Option<TypeId> {
        match read(&self.0) {
            Some((Op::Leaf(ty), [])) => Some(ty),
            _ => None,
        }
    }

    /// The type under `args`.
    pub(crate) fn instantiate(
        &self,
        types: &mut Types,
        args: &[TypeId],
        limits: Limits,
    ) -> Run<TypeId> {
        if let Some(ty) = self.closed() {
            return Ok(ty);
        }
        let mut stack: Vec<TypeId> = Vec::new();
        let mut rest = &*self.0;
        while let Some((op, behind)) = read(rest) {
            rest = behind;
            let ty = match op {
                Op::Leaf(ty) => ty,
                Op::Parameter(index) => *args
                    .get(usize::from(index))
                    .ok_or_else(|| Stop::status(StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH))?,
                op => {
                    let first = stack.len().checked_sub(op.arity()).ok_or_else(broken)?;
                    let mut arguments = stack.split_off(first);
                    arguments.reverse();
                    make(types, op, &arguments, limits)?
                }
            };
            stack.push(ty);
        }
        stack.pop().ok_or_else(broken)
    }
}

impl Op {
    fn arity(self) -> usize {
        match self {
            Self::Leaf(_) | Self::Parameter(_) => 0,
            Self::Vector | Self::Reference | Self::MutableReference => 1,
            Self::Struct(_, n) => usize::from(n),
            Self::Function(args, results, _) => usize::from(args) + usize::from(results),
        }
    }
}

/// The op of a token, and how many parts it has.
fn op_of(templates: &[TemplateId], token: &SignatureToken) -> Run<(Op, usize)> {
    let template = |index: u16| {
        templates
            .get(usize::from(index))
            .copied()
            .ok_or_else(broken)
    };
    let count =
        |n: usize| u16::try_from(n).map_err(|_| Stop::status(StatusCode::TOO_MANY_TYPE_NODES));
    let op = match token {
        SignatureToken::Bool => Op::Leaf(TypeId::BOOL),
        SignatureToken::U8 => Op::Leaf(TypeId::U8),
        SignatureToken::U16 => Op::Leaf(TypeId::U16),
        SignatureToken::U32 => Op::Leaf(TypeId::U32),
        SignatureToken::U64 => Op::Leaf(TypeId::U64),
        SignatureToken::U128 => Op::Leaf(TypeId::U128),
        SignatureToken::U256 => Op::Leaf(TypeId::U256),
        SignatureToken::I8 => Op::Leaf(TypeId::I8),
        SignatureToken::I16 => Op::Leaf(TypeId::I16),
        SignatureToken::I32 => Op::Leaf(TypeId::I32),
        SignatureToken::I64 => Op::Leaf(TypeId::I64),
        SignatureToken::I128 => Op::Leaf(TypeId::I128),
        SignatureToken::I256 => Op::Leaf(TypeId::I256),
        SignatureToken::Address => Op::Leaf(TypeId::ADDRESS),
        SignatureToken::Signer => Op::Leaf(TypeId::SIGNER),
        SignatureToken::Vector(_) => Op::Vector,
        SignatureToken::Reference(_) => Op::Reference,
        SignatureToken::MutableReference(_) => Op::MutableReference,
        SignatureToken::TypeParameter(index) => Op::Parameter(*index),
        SignatureToken::Struct(handle) => Op::Struct(template(handle.0)?, 0),
        SignatureToken::StructInstantiation(handle, args) => {
            Op::Struct(template(handle.0)?, count(args.len())?)
        }
        SignatureToken::Function(args, results, abilities) => {
            Op::Function(count(args.len())?, count(results.len())?, *abilities)
        }
    };
    Ok((op, op.arity()))
}

/// Makes a type of its arguments, whose number is the op's arity.
fn make(types: &mut Types, op: Op, arguments: &[TypeId], limits: Limits) -> Run<TypeId> {
    let misplaced = || Stop::status(StatusCode::INVALID_SIGNATURE_TOKEN);
    let are_values = arguments.iter().all(|ty| !ty.is_reference());
    let node = match (op, arguments) {
        (Op::Reference, [ty]) => return ty.reference(false).ok_or_else(misplaced),
        (Op::MutableReference, [ty]) => return ty.reference(true).ok_or_else(misplaced),
        (Op::Vector, &[element]) if are_values => TypeNode::Vector(element),
        (Op::Struct(template, _), args) if are_values => {
            TypeNode::Struct(template, types.list_id(args)?)
        }
        (Op::Function(count, _, abilities), both) => {
            let (args, results) = both
                .split_at_checked(usize::from(count))
                .ok_or_else(broken)?;
            TypeNode::Function {
                args: types.list_id(args)?,
                results: types.list_id(results)?,
                abilities,
            }
        }
        _ => return Err(misplaced()),
    };
    Ok(types.within(node, limits)?)
}

fn write(bytes: &mut Vec<u8>, op: Op) {
    match op {
        Op::Leaf(ty) => {
            bytes.push(0);
            bytes.extend(ty.0.to_le_bytes());
        }
        Op::Parameter(index) => {
            bytes.push(1);
            bytes.extend(index.to_le_bytes());
        }
        Op::Vector => bytes.push(2),
        Op::Struct(template, count) => {
            bytes.push(3);
            bytes.extend(template.0.to_le_bytes());
            bytes.extend(count.to_le_bytes());
        }
        Op::Function(args, results, abilities) => {
            bytes.push(4);
            bytes.extend(args.to_le_bytes());
            bytes.extend(results.to_le_bytes());
            bytes.push(abilities.into_u8());
        }
        Op::Reference => bytes.push(5),
        Op::MutableReference => bytes.push(6),
    }
}

/// The first op and the bytes behind it; `None` at the end.
fn read(bytes: &[u8]) -> Option<(Op, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let u16_of = |bytes: [u8; 2]| u16::from_le_bytes(bytes);
    Some(match tag {
        0 => {
            let (&ty, rest) = rest.split_first_chunk::<4>()?;
            (Op::Leaf(TypeId(u32::from_le_bytes(ty))), rest)
        }
        1 => {
            let (&index, rest) = rest.split_first_chunk::<2>()?;
            (Op::Parameter(u16_of(index)), rest)
        }
        2 => (Op::Vector, rest),
        3 => {
            let (&template, rest) = rest.split_first_chunk::<4>()?;
            let (&count, rest) = rest.split_first_chunk::<2>()?;
            let template = TemplateId(u32::from_le_bytes(template));
            (Op::Struct(template, u16_of(count)), rest)
        }
        4 => {
            let (&args, rest) = rest.split_first_chunk::<2>()?;
            let (&results, rest) = rest.split_first_chunk::<2>()?;
            let (&abilities, rest) = rest.split_first()?;
            let abilities = AbilitySet::from_u8(abilities)?;
            (Op::Function(u16_of(args), u16_of(results), abilities), rest)
        }
        5 => (Op::Reference, rest),
        6 => (Op::MutableReference, rest),
        _ => return None,
    })
}

#[cold]
fn broken() -> Stop {
    Stop::with_message(
        StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
        "a flattened type is malformed",
    )
}

/// Which signature, under which type arguments.
pub(crate) type SignatureKey = (ModuleRef, SignatureIndex, TypeListId);

/// The instantiations of signatures: each is made once.
#[derive(Debug, Default)]
pub(crate) struct Instantiations {
    made: BTreeMap<SignatureKey, Rc<[TypeId]>>,
    /// How often one was asked for.
    pub(crate) lookups: u64,
}

impl Instantiations {
    /// What was made before.
    pub(crate) fn get(&mut self, key: SignatureKey) -> Option<Rc<[TypeId]>> {
        self.lookups += 1;
        self.made.get(&key).cloned()
    }

    pub(crate) fn add(&mut self, key: SignatureKey, types: Rc<[TypeId]>) {
        self.made.insert(key, types);
    }

    /// How many were made.
    pub(crate) fn len(&self) -> usize {
        self.made.len()
    }
}
