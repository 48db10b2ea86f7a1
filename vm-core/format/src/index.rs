//! Indices into the tables of a module or script, and the other small numbers of the format.

use std::fmt;

/// An index into a table.
pub type TableIndex = u16;
/// An index of a local variable; parameters come first.
pub type LocalIndex = u8;
/// An index of an instruction in its function.
pub type CodeOffset = u16;
/// A number of fields, or the position of a field in its struct or variant.
pub type MemberCount = u16;
/// The position of a variant in its enum.
pub type VariantIndex = u16;
/// The position of a type parameter in the list of its struct or function.
pub type TypeParameterIndex = u16;

macro_rules! indices {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub TableIndex);

        impl $name {
            /// The index as a position in a slice.
            #[inline]
            pub const fn into_index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

indices! {
    /// Index into `module_handles`.
    ModuleHandleIndex;
    /// Index into `struct_handles`.
    StructHandleIndex;
    /// Index into `function_handles`.
    FunctionHandleIndex;
    /// Index into `field_handles`.
    FieldHandleIndex;
    /// Index into `struct_def_instantiations`.
    StructDefInstantiationIndex;
    /// Index into `function_instantiations`.
    FunctionInstantiationIndex;
    /// Index into `field_instantiations`.
    FieldInstantiationIndex;
    /// Index into `identifiers`.
    IdentifierIndex;
    /// Index into `address_identifiers`.
    AddressIdentifierIndex;
    /// Index into `constant_pool`.
    ConstantPoolIndex;
    /// Index into `signatures`.
    SignatureIndex;
    /// Index into `struct_defs`.
    StructDefinitionIndex;
    /// Index into `function_defs`.
    FunctionDefinitionIndex;
    /// Index into `struct_variant_handles`.
    StructVariantHandleIndex;
    /// Index into `struct_variant_instantiations`.
    StructVariantInstantiationIndex;
    /// Index into `variant_field_handles`.
    VariantFieldHandleIndex;
    /// Index into `variant_field_instantiations`.
    VariantFieldInstantiationIndex;
}

/// Which parameters a closure captures: bit `i` set means that parameter `i` is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ClosureMask(pub u64);

impl ClosureMask {
    /// Whether parameter `index` is captured; none from 64 on can be.
    pub const fn is_captured(self, index: usize) -> bool {
        index < 64 && self.0 & (1 << index) != 0
    }

    /// The number of captured parameters.
    pub const fn captured_count(self) -> u32 {
        self.0.count_ones()
    }

    /// The highest captured parameter, if there is one.
    pub const fn max_captured(self) -> Option<u32> {
        self.0.checked_ilog2()
    }
}
