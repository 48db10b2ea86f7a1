//! The tables of a module and of a script (binary-format spec §3, §5, §6, §8, §9).

use crate::index::*;
use crate::{CodeUnit, Signature, SignatureToken, TypeSignature};
use monomove_types::{AbilitySet, AccountAddress, Identifier};

/// A module in its binary form: tables that refer to each other by index.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CompiledModule {
    /// Binary version.
    pub version: u32,
    /// The handle of the module itself.
    pub self_module_handle_idx: ModuleHandleIndex,
    /// The modules that are named here, this one included.
    pub module_handles: Vec<ModuleHandle>,
    /// The structs and enums that are named here.
    pub struct_handles: Vec<StructHandle>,
    /// The functions that are named here.
    pub function_handles: Vec<FunctionHandle>,
    /// Fields of structs defined here, as instructions name them.
    pub field_handles: Vec<FieldHandle>,
    /// The modules that may call `friend` functions (not an index into `module_handles`).
    pub friend_decls: Vec<ModuleHandle>,
    /// Instantiations of structs defined here.
    pub struct_def_instantiations: Vec<StructDefInstantiation>,
    /// Instantiations of functions.
    pub function_instantiations: Vec<FunctionInstantiation>,
    /// Instantiations of fields.
    pub field_instantiations: Vec<FieldInstantiation>,
    /// Lists of types.
    pub signatures: Vec<Signature>,
    /// Names.
    pub identifiers: Vec<Identifier>,
    /// Addresses.
    pub address_identifiers: Vec<AccountAddress>,
    /// Constants.
    pub constant_pool: Vec<Constant>,
    /// Keyed byte strings that are not code.
    pub metadata: Vec<Metadata>,
    /// The structs and enums that the module defines.
    pub struct_defs: Vec<StructDefinition>,
    /// The functions that the module defines.
    pub function_defs: Vec<FunctionDefinition>,
    /// Variants of enums defined here, as instructions name them.
    pub struct_variant_handles: Vec<StructVariantHandle>,
    /// Instantiations of variants.
    pub struct_variant_instantiations: Vec<StructVariantInstantiation>,
    /// Fields that variants of enums defined here share, as instructions name them.
    pub variant_field_handles: Vec<VariantFieldHandle>,
    /// Instantiations of fields of variants.
    pub variant_field_instantiations: Vec<VariantFieldInstantiation>,
}

/// A script in its binary form: one function and what it names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CompiledScript {
    /// Binary version.
    pub version: u32,
    /// The modules that are named here.
    pub module_handles: Vec<ModuleHandle>,
    /// The structs and enums that are named here.
    pub struct_handles: Vec<StructHandle>,
    /// The functions that are named here.
    pub function_handles: Vec<FunctionHandle>,
    /// Instantiations of functions.
    pub function_instantiations: Vec<FunctionInstantiation>,
    /// Lists of types.
    pub signatures: Vec<Signature>,
    /// Names.
    pub identifiers: Vec<Identifier>,
    /// Addresses.
    pub address_identifiers: Vec<AccountAddress>,
    /// Constants.
    pub constant_pool: Vec<Constant>,
    /// Keyed byte strings that are not code.
    pub metadata: Vec<Metadata>,
    /// Constraints of the type parameters.
    pub type_parameters: Vec<AbilitySet>,
    /// Types of the parameters.
    pub parameters: SignatureIndex,
    /// What the script may access (version 8 and later); `None` is anything.
    pub access_specifiers: Option<Vec<AccessSpecifier>>,
    /// The code.
    pub code: CodeUnit,
}

/// A module that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleHandle {
    /// Its address.
    pub address: AddressIdentifierIndex,
    /// Its name.
    pub name: IdentifierIndex,
}

/// A struct or enum that is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructHandle {
    /// The module that defines it.
    pub module: ModuleHandleIndex,
    /// Its name.
    pub name: IdentifierIndex,
    /// Its declared abilities.
    pub abilities: AbilitySet,
    /// Its type parameters.
    pub type_parameters: Vec<StructTypeParameter>,
}

/// A type parameter of a struct or enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructTypeParameter {
    /// The abilities that an argument must have.
    pub constraints: AbilitySet,
    /// Whether the parameter is declared not to occur in a field's type.
    pub is_phantom: bool,
}

/// A function that is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionHandle {
    /// The module that defines it.
    pub module: ModuleHandleIndex,
    /// Its name.
    pub name: IdentifierIndex,
    /// Types of the parameters.
    pub parameters: SignatureIndex,
    /// Types of the results.
    pub return_: SignatureIndex,
    /// Constraints of the type parameters.
    pub type_parameters: Vec<AbilitySet>,
    /// What the function may access (version 7 and later); `None` is anything.
    pub access_specifiers: Option<Vec<AccessSpecifier>>,
    /// Attributes (version 8 and later).
    pub attributes: Vec<FunctionAttribute>,
}

/// An attribute of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionAttribute {
    /// The function survives upgrades, so closures over it can be stored (version 8).
    Persistent,
    /// The module is locked against re-entrance while the function runs (version 8).
    ModuleLock,
    /// Packs a struct (version 10).
    Pack,
    /// Packs this variant (version 10).
    PackVariant(VariantIndex),
    /// Unpacks a struct (version 10).
    Unpack,
    /// Unpacks this variant (version 10).
    UnpackVariant(VariantIndex),
    /// Tests for this variant (version 10).
    TestVariant(VariantIndex),
    /// Borrows the field at this position immutably (version 10).
    BorrowFieldImmutable(MemberCount),
    /// Borrows the field at this position mutably (version 10).
    BorrowFieldMutable(MemberCount),
    /// The body may not change on upgrade (version 11).
    Immutable,
    /// Returns a constant (version 11).
    ConstantAccessor,
}

/// A declared access to global storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessSpecifier {
    /// Reading or writing.
    pub kind: AccessKind,
    /// Whether the access is excluded rather than allowed.
    pub negated: bool,
    /// Which resources.
    pub resource: ResourceSpecifier,
    /// At which address.
    pub address: AddressSpecifier,
}

/// Kind of access to global storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessKind {
    /// Reading.
    Reads,
    /// Reading and writing.
    Writes,
}

/// Which resources an access specifier speaks of. Indices are not bounds-checked by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceSpecifier {
    /// All.
    Any,
    /// Those declared in modules at this address.
    DeclaredAtAddress(AddressIdentifierIndex),
    /// Those declared in this module.
    DeclaredInModule(ModuleHandleIndex),
    /// This one, with any type arguments.
    Resource(StructHandleIndex),
    /// This one with these type arguments.
    ResourceInstantiation(StructHandleIndex, SignatureIndex),
}

/// At which address an access specifier allows access. Indices are not bounds-checked by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressSpecifier {
    /// Any.
    Any,
    /// This one.
    Literal(AddressIdentifierIndex),
    /// The one in this parameter, or what this function makes of the parameter.
    Parameter(LocalIndex, Option<FunctionInstantiationIndex>),
}

/// A field of a struct defined here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldHandle {
    /// The struct.
    pub owner: StructDefinitionIndex,
    /// Position of the field.
    pub field: MemberCount,
}

/// A struct defined here, with type arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructDefInstantiation {
    /// The struct.
    pub def: StructDefinitionIndex,
    /// The type arguments.
    pub type_parameters: SignatureIndex,
}

/// A function with type arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionInstantiation {
    /// The function.
    pub handle: FunctionHandleIndex,
    /// The type arguments.
    pub type_parameters: SignatureIndex,
}

/// A field of a struct with type arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldInstantiation {
    /// The field.
    pub handle: FieldHandleIndex,
    /// The type arguments of the struct.
    pub type_parameters: SignatureIndex,
}

/// A field at the same position of one or several variants of an enum defined here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariantFieldHandle {
    /// The enum.
    pub struct_index: StructDefinitionIndex,
    /// The variants.
    pub variants: Vec<VariantIndex>,
    /// Position of the field in each.
    pub field: MemberCount,
}

/// A field of variants with type arguments of the enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariantFieldInstantiation {
    /// The field.
    pub handle: VariantFieldHandleIndex,
    /// The type arguments of the enum.
    pub type_parameters: SignatureIndex,
}

/// A variant of an enum defined here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructVariantHandle {
    /// The enum.
    pub struct_index: StructDefinitionIndex,
    /// Position of the variant.
    pub variant: VariantIndex,
}

/// A variant with type arguments of the enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructVariantInstantiation {
    /// The variant.
    pub handle: StructVariantHandleIndex,
    /// The type arguments of the enum.
    pub type_parameters: SignatureIndex,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constant {
    /// Its type.
    pub type_: SignatureToken,
    /// Its value in BCS (checked by the verifier).
    pub data: Vec<u8>,
}

/// A keyed byte string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metadata {
    /// What it is.
    pub key: Vec<u8>,
    /// The contents.
    pub value: Vec<u8>,
}

/// A struct or enum that the module defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructDefinition {
    /// Name, abilities and type parameters.
    pub struct_handle: StructHandleIndex,
    /// The fields.
    pub field_information: StructFieldInformation,
}

/// The fields of a struct or enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StructFieldInformation {
    /// A native struct, which has no fields.
    Native,
    /// A struct.
    Declared(Vec<FieldDefinition>),
    /// An enum (version 7 and later).
    DeclaredVariants(Vec<VariantDefinition>),
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDefinition {
    /// Its name.
    pub name: IdentifierIndex,
    /// Its type.
    pub signature: TypeSignature,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantDefinition {
    /// Its name.
    pub name: IdentifierIndex,
    /// Its fields.
    pub fields: Vec<FieldDefinition>,
}

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Visibility {
    /// The module itself.
    #[default]
    Private,
    /// Everyone.
    Public,
    /// The module and its friends.
    Friend,
}

/// A function that the module defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDefinition {
    /// Name and signature.
    pub function: FunctionHandleIndex,
    /// Who may call it.
    pub visibility: Visibility,
    /// Whether a transaction may call it directly.
    pub is_entry: bool,
    /// The resources that it acquires.
    pub acquires_global_resources: Vec<StructDefinitionIndex>,
    /// The code; `None` for a native function.
    pub code: Option<CodeUnit>,
}

impl FunctionDefinition {
    /// Whether the function is native.
    pub fn is_native(&self) -> bool {
        self.code.is_none()
    }
}

impl StructFieldInformation {
    /// The variants of an enum; none for a struct.
    pub fn variants(&self) -> &[VariantDefinition] {
        match self {
            Self::DeclaredVariants(variants) => variants,
            _ => &[],
        }
    }

    /// The fields of a struct (`variant` is `None`) or of a variant; `None` if there is no such thing.
    pub fn fields(&self, variant: Option<VariantIndex>) -> Option<&[FieldDefinition]> {
        match (self, variant) {
            (Self::Native, None) => Some(&[]),
            (Self::Declared(fields), None) => Some(fields),
            (Self::DeclaredVariants(variants), Some(index)) => variants
                .get(usize::from(index))
                .map(|variant| variant.fields.as_slice()),
            _ => None,
        }
    }
}
