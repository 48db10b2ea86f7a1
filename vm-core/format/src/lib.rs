//! The Move binary format: types of a module and a script, reader with bounds checks, writer and disassembler.
//!
//! What [`CompiledModule::deserialize`] returns has every index in range (binary-format spec §13); it says nothing about
//! types, which is the verifier's work. A module put together by hand is checked with [`CompiledModule::check_bounds`].

mod bounds;
mod bytecode;
mod disasm;
mod error;
mod file_format;
mod index;
mod operand;
mod reader;
mod script_module;
mod signature;
mod stack_effect;
mod view;
mod writer;

pub use bytecode::{Bytecode, CodeUnit, I256Bytes, U256Bytes, mnemonic};
pub use disasm::{
    InstructionLine, Listing, MAX_ITEM, MAX_LISTING, constant_to_string, disassemble,
    disassemble_linked, disassemble_script, disassemble_script_linked, instruction_to_string,
    script_instruction_to_string, script_signature_token_to_string, signature_token_to_string,
};
pub use error::FormatError;
pub use file_format::{
    AccessKind, AccessSpecifier, AddressSpecifier, CompiledModule, CompiledScript, Constant,
    FieldDefinition, FieldHandle, FieldInstantiation, FunctionAttribute, FunctionDefinition,
    FunctionHandle, FunctionInstantiation, Metadata, ModuleHandle, ResourceSpecifier,
    StructDefInstantiation, StructDefinition, StructFieldInformation, StructHandle,
    StructTypeParameter, StructVariantHandle, StructVariantInstantiation, VariantDefinition,
    VariantFieldHandle, VariantFieldInstantiation, Visibility,
};
pub use index::{
    AddressIdentifierIndex, ClosureMask, CodeOffset, ConstantPoolIndex, FieldHandleIndex,
    FieldInstantiationIndex, FunctionDefinitionIndex, FunctionHandleIndex,
    FunctionInstantiationIndex, IdentifierIndex, LocalIndex, MemberCount, ModuleHandleIndex,
    SignatureIndex, StructDefInstantiationIndex, StructDefinitionIndex, StructHandleIndex,
    StructVariantHandleIndex, StructVariantInstantiationIndex, TableIndex, TypeParameterIndex,
    VariantFieldHandleIndex, VariantFieldInstantiationIndex, VariantIndex,
};
/// The abilities of [`StructHandle`]s and the names and addresses of the pools come from `monomove-types`.
pub use monomove_types::{Ability, AbilitySet, AccountAddress, Identifier, ModuleId, StatusCode};
pub use reader::DeserializerConfig;
pub use signature::{Preorder, Signature, SignatureToken, TypeSignature};
pub use stack_effect::StackEffect;

/// Oldest binary version that is written.
pub const VERSION_MIN_WRITTEN: u32 = 5;
/// Newest binary version that is accepted unless the configuration says otherwise.
pub const VERSION_DEFAULT_MAX: u32 = 10;
/// Newest binary version that this crate understands.
pub const VERSION_MAX: u32 = 11;
