//! How values of a type lie in memory: size, alignment, field offsets, and where the pointers are.
//!
//! Primitives are raw little-endian bytes; structs are inline, fields in declaration order at their natural alignment (8 at most);
//! enums have a `u16` tag at offset 0 and the fields of the live variant behind it, inline with the size of the largest variant, or, where
//! that is more than [`DEFAULT_ENUM_INLINE_BYTES`], in an object on the heap to which the value is a pointer; a vector is
//! `{pointer u32, length u32, capacity u32}` over heap storage; a reference is `{base u32, offset u32}`.

use super::ids::{LayoutId, TypeId};

/// Bytes of a vector header.
pub(crate) const VECTOR_BYTES: u32 = 12;
/// Bytes of a reference.
pub(crate) const REFERENCE_BYTES: u32 = 8;
/// Bytes of an enum tag.
pub(crate) const TAG_BYTES: u32 = 2;
/// The largest enum that lies inline, unless the embedder says otherwise: as much as the interpreter's loop copies itself. A longer one
/// leaves the loop whenever it moves, so that an object of its live variant costs no more.
pub(crate) const DEFAULT_ENUM_INLINE_BYTES: u32 = crate::memory::MAX_SHORT;
/// Bytes of an enum that is a pointer.
pub(crate) const BOX_BYTES: u32 = 4;
/// Largest inline value; a micro-op keeps sizes in 16 bits.
pub(crate) const MAX_VALUE_BYTES: u32 = 60_000;
/// Nesting of struct definitions that a layout follows.
pub(crate) const MAX_LAYOUT_DEPTH: u32 = 400;
/// Nesting of a value that may be copied, compared, serialized (`specs/runtime.md` §0).
pub(crate) const MAX_VALUE_DEPTH: u32 = 128;

/// An integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Int {
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    I8,
    I16,
    I32,
    I64,
    I128,
    I256,
}

impl Int {
    pub(crate) fn of(ty: TypeId) -> Option<Self> {
        Some(match ty {
            TypeId::U8 => Self::U8,
            TypeId::U16 => Self::U16,
            TypeId::U32 => Self::U32,
            TypeId::U64 => Self::U64,
            TypeId::U128 => Self::U128,
            TypeId::U256 => Self::U256,
            TypeId::I8 => Self::I8,
            TypeId::I16 => Self::I16,
            TypeId::I32 => Self::I32,
            TypeId::I64 => Self::I64,
            TypeId::I128 => Self::I128,
            TypeId::I256 => Self::I256,
            _ => return None,
        })
    }

    pub(crate) fn ty(self) -> TypeId {
        match self {
            Self::U8 => TypeId::U8,
            Self::U16 => TypeId::U16,
            Self::U32 => TypeId::U32,
            Self::U64 => TypeId::U64,
            Self::U128 => TypeId::U128,
            Self::U256 => TypeId::U256,
            Self::I8 => TypeId::I8,
            Self::I16 => TypeId::I16,
            Self::I32 => TypeId::I32,
            Self::I64 => TypeId::I64,
            Self::I128 => TypeId::I128,
            Self::I256 => TypeId::I256,
        }
    }

    pub(crate) fn is_signed(self) -> bool {
        self as u8 >= Self::I8 as u8
    }

    /// Width in bytes.
    pub(crate) fn bytes(self) -> u32 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 => 4,
            Self::U64 | Self::I64 => 8,
            Self::U128 | Self::I128 => 16,
            Self::U256 | Self::I256 => 32,
        }
    }
}

/// A field: where it lies in its struct or enum, and its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) offset: u32,
    pub(crate) layout: LayoutId,
}

/// What an enum consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variants {
    /// Fields by variant, at their offsets from the tag.
    pub(crate) fields: Box<[Box<[Field]>]>,
    /// Bytes of the object of each variant; `None` for an enum that lies inline.
    pub(crate) objects: Option<Box<[u32]>>,
}

impl Variants {
    /// Whether a value is a pointer to an object with the tag and the fields of the live variant.
    pub(crate) fn is_boxed(&self) -> bool {
        self.objects.is_some()
    }

    /// Bytes of the object of a variant, if such values are objects.
    pub(crate) fn object_bytes(&self, tag: u16) -> Option<u32> {
        self.objects.as_ref()?.get(usize::from(tag)).copied()
    }

    /// The fields of a variant.
    pub(crate) fn of(&self, tag: u16) -> Option<&[Field]> {
        self.fields.get(usize::from(tag)).map(|fields| &**fields)
    }

    /// The fields of all variants.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().flatten()
    }
}

/// What a value consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int(Int),
    Address,
    Signer,
    Vector(LayoutId),
    Struct(Box<[Field]>),
    Enum(Variants),
    Closure,
}

/// The layout of a type.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) ty: TypeId,
    pub(crate) size: u32,
    pub(crate) align: u32,
    pub(crate) kind: Kind,
    /// Whether a value is its bytes alone: no pointers, so that a copy is a copy of bytes.
    pub(crate) plain: bool,
    /// Abstract size (gas) when it is the same for all values.
    pub(crate) fixed_units: Option<u64>,
    /// Length of the BCS form when it is the same for all values.
    pub(crate) fixed_bcs: Option<u32>,
    /// Deepest nesting that a value can have, vectors included.
    pub(crate) depth: u32,
    /// Nodes of the unfolded layout.
    pub(crate) nodes: u32,
}

/// Abstract size of a scalar, and of the shell of a struct, vector or enum tag (`misc.abs_val.*`).
pub(crate) const UNIT: u64 = 40;
/// Abstract size of a signer: a two-slot enum (struct, tag, address).
pub(crate) const SIGNER_UNITS: u64 = 120;

impl Layout {
    pub(crate) fn primitive(ty: TypeId) -> Option<Self> {
        let (kind, size, units) = match ty {
            TypeId::BOOL => (Kind::Bool, 1, UNIT),
            TypeId::ADDRESS => (Kind::Address, 32, UNIT),
            TypeId::SIGNER => (Kind::Signer, 32, SIGNER_UNITS),
            _ => {
                let int = Int::of(ty)?;
                (Kind::Int(int), int.bytes(), UNIT)
            }
        };
        Some(Self {
            ty,
            size,
            align: size.min(8),
            kind,
            plain: true,
            fixed_units: Some(units),
            fixed_bcs: Some(size),
            depth: 1,
            nodes: 1,
        })
    }
}

/// Lays fields out one after another.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) fields: Vec<Field>,
    pub(crate) end: u32,
    pub(crate) align: u32,
    pub(crate) plain: bool,
    pub(crate) units: Option<u64>,
    pub(crate) bcs: Option<u32>,
    pub(crate) depth: u32,
    pub(crate) nodes: u32,
}

impl Builder {
    /// Starts behind `start` bytes, which have abstract size `units`.
    pub(crate) fn new(start: u32, units: u64) -> Self {
        Self {
            fields: Vec::new(),
            end: start,
            align: 1,
            plain: true,
            units: Some(units),
            bcs: Some(0),
            depth: 1,
            nodes: 1,
        }
    }

    /// Adds a field; `None` when the value gets too large.
    pub(crate) fn push(&mut self, id: LayoutId, layout: &Layout) -> Option<()> {
        let offset = self.end.checked_next_multiple_of(layout.align)?;
        self.end = offset
            .checked_add(layout.size)
            .filter(|&end| end <= MAX_VALUE_BYTES)?;
        self.fields.push(Field { offset, layout: id });
        self.align = self.align.max(layout.align);
        self.plain &= layout.plain;
        self.units = self
            .units
            .zip(layout.fixed_units)
            .map(|(a, b)| a.saturating_add(b));
        self.bcs = self
            .bcs
            .zip(layout.fixed_bcs)
            .map(|(a, b)| a.saturating_add(b));
        self.depth = self.depth.max(layout.depth.saturating_add(1));
        self.nodes = self.nodes.saturating_add(layout.nodes);
        Some(())
    }
}
