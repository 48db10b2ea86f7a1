//! Kinds of function values: which function, which of its parameters are captured, and how the captured values lie in memory.
//!
//! A function value is a pointer to a heap object: the id of its kind (u32, padded to 8 bytes), then the captured values.

use super::ids::{ModuleRef, NameId, TargetId, TypeId, TypeListId};
use super::layout::Field;
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where captured values start in a closure object.
pub(crate) const CAPTURED_OFFSET: u32 = 8;

/// Kinds in one context; far above what a block can add.
const MAX_KINDS: usize = 1 << 28;

/// In the descriptor of a closure object: it is of a kind, not of a layout.
const CLOSURE_OBJECT: u32 = 1 << 31;

/// A kind of function value: index into [`Closures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClosureId(pub(crate) u32);

impl ClosureId {
    /// What the header of an object of this kind says. No layout has such a number.
    #[inline(always)]
    pub(crate) fn descriptor(self) -> u32 {
        self.0 | CLOSURE_OBJECT
    }

    /// The kind of the object whose header says `descriptor`, if it is a function value.
    pub(crate) fn of_descriptor(descriptor: u32) -> Option<Self> {
        (descriptor & CLOSURE_OBJECT != 0).then_some(Self(descriptor & !CLOSURE_OBJECT))
    }
}

/// What all function values of one kind share.
#[derive(Debug)]
pub(crate) struct ClosureKind {
    pub(crate) target: TargetId,
    pub(crate) module: ModuleRef,
    pub(crate) name: NameId,
    pub(crate) ty_args: TypeListId,
    /// Bit `i`: parameter `i` is captured.
    pub(crate) mask: u64,
    /// The captured values, by their offsets in the object.
    pub(crate) captured: Box<[Field]>,
    /// The abstract size of such a value, if what it captures is bytes alone.
    pub(crate) plain_units: Option<u64>,
    /// Bytes of the object.
    pub(crate) size: u32,
    /// Whether values of this kind may be stored: the function must stay as it is over upgrades.
    pub(crate) storable: bool,
    /// The function type that such a value has.
    pub(crate) value_type: TypeId,
}

/// All kinds of function values of a context.
#[derive(Debug, Default)]
pub(crate) struct Closures {
    kinds: Vec<Rc<ClosureKind>>,
    index: BTreeMap<(TargetId, u64), ClosureId>,
}

impl Closures {
    /// The id of a kind; equal targets and masks have equal ids.
    pub(crate) fn add(&mut self, kind: ClosureKind) -> Run<ClosureId> {
        let key = (kind.target, kind.mask);
        if let Some(&id) = self.index.get(&key) {
            return Ok(id);
        }
        if self.kinds.len() >= MAX_KINDS {
            return Err(Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED));
        }
        let id = ClosureId(self.kinds.len() as u32);
        self.kinds.push(Rc::new(kind));
        self.index.insert(key, id);
        Ok(id)
    }

    /// Abstract size and bytes of the function values of a kind, if what they capture is bytes alone.
    #[inline(always)]
    pub(crate) fn plain(&self, id: ClosureId) -> Option<(u64, u32)> {
        let kind = self.kinds.get(id.0 as usize)?;
        Some((kind.plain_units?, kind.size))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// A kind by its id.
    pub(crate) fn at(&self, id: ClosureId) -> Run<&Rc<ClosureKind>> {
        let missing = || {
            Stop::with_message(
                StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
                "no such kind of closure",
            )
        };
        self.kinds.get(id.0 as usize).ok_or_else(missing)
    }
}
