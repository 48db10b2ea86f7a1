//! Ids of the execution context: small numbers that stand for names, modules, types and lists of types.
//!
//! They are never persisted, never part of an output, and may differ from run to run.

/// An interned identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(pub(crate) u32);

/// An interned module id. The top bit says that the address is special (0x0 to 0xF).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModuleRef(pub(crate) u32);

impl ModuleRef {
    const SPECIAL: u32 = 1 << 31;

    pub(crate) fn new(index: u32, special: bool) -> Self {
        Self(index | if special { Self::SPECIAL } else { 0 })
    }

    /// Whether its address is special.
    pub(crate) fn is_special(self) -> bool {
        self.0 & Self::SPECIAL != 0
    }

    /// Index into the module table.
    pub(crate) fn index(self) -> usize {
        (self.0 & !Self::SPECIAL) as usize
    }
}

/// A struct or enum definition: module and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TemplateId(pub(crate) u32);

/// An interned concrete type. The two top bits: 00 a value, 01 an immutable reference, 11 a mutable reference to one.
/// Primitive types are constants below [`TypeId::FIRST_COMPOUND`]; only compound types are in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TypeId(pub(crate) u32);

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
    /// Index of the first compound type.
    pub(crate) const FIRST_COMPOUND: u32 = 16;

    const REFERENCE: u32 = 1 << 30;
    const MUTABLE: u32 = 1 << 31;
    const TAGS: u32 = Self::REFERENCE | Self::MUTABLE;

    /// `&self` or `&mut self`; `None` when this is a reference already.
    pub(crate) fn reference(self, mutable: bool) -> Option<Self> {
        (!self.is_reference()).then_some(Self(
            self.0 | if mutable { Self::TAGS } else { Self::REFERENCE },
        ))
    }

    pub(crate) fn is_reference(self) -> bool {
        self.0 & Self::REFERENCE != 0
    }

    pub(crate) fn is_mutable_reference(self) -> bool {
        self.0 & Self::TAGS == Self::TAGS
    }

    /// The type referred to, or the type itself.
    pub(crate) fn referent(self) -> Self {
        Self(self.0 & !Self::TAGS)
    }

    /// Index of a compound value type in the table.
    pub(crate) fn compound_index(self) -> Option<usize> {
        let index = self.0 & !Self::TAGS;
        (index >= Self::FIRST_COMPOUND && !self.is_reference())
            .then(|| (index - Self::FIRST_COMPOUND) as usize)
    }
}

/// An interned list of types: 0 is the empty list; with the top bit set, the one value type that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TypeListId(pub(crate) u32);

impl TypeListId {
    pub(crate) const EMPTY: Self = Self(0);
    const SINGLE: u32 = 1 << 31;

    /// The list of one value type; `None` for references, which have no room for the tag.
    pub(crate) fn single(ty: TypeId) -> Option<Self> {
        (!ty.is_reference()).then_some(Self(ty.0 | Self::SINGLE))
    }

    /// The type of a list made by [`TypeListId::single`].
    pub(crate) fn as_single(self) -> Option<TypeId> {
        (self.0 & Self::SINGLE != 0).then_some(TypeId(self.0 & !Self::SINGLE))
    }
}

/// A value layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LayoutId(pub(crate) u32);

/// Marks the descriptor of an object with the live variant of an enum; the rest is the layout of the enum.
const VARIANT_OBJECT: u32 = 1 << 30;

impl LayoutId {
    /// What the header of an object with the tag and the fields of an enum of this layout says. The descriptor of any other object is the
    /// layout of the values in it.
    pub(crate) fn variant_descriptor(self) -> u32 {
        self.0 | VARIANT_OBJECT
    }

    /// The layout of the enum whose live variant an object with this descriptor holds.
    pub(crate) fn of_variant_descriptor(descriptor: u32) -> Option<Self> {
        (descriptor & VARIANT_OBJECT != 0).then_some(Self(descriptor & !VARIANT_OBJECT))
    }
}

/// A function that code may call, with its type arguments and the signature the caller expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TargetId(pub(crate) u32);

/// A lowered function: definition and type arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct InstanceId(pub(crate) u32);
