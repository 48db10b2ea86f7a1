//! Instructions as text: mnemonic and operands, with the names of what they refer to.

use super::constant;
use super::names::{Names, join};
use super::text::{BoundedText, decimal, signed_decimal};
use crate::index::*;
use crate::{Bytecode, VariantFieldHandle};
use std::fmt::{self, Write};

/// One instruction, and what its function knows about locals and labels.
pub(super) struct Instruction<'a> {
    names: Names<'a>,
    instruction: &'a Bytecode,
    /// Number of parameters, to tell them from other locals.
    parameters: Option<usize>,
    /// Number of the block at a code offset.
    labels: &'a [(CodeOffset, usize)],
}

impl<'a> Instruction<'a> {
    pub(super) fn new(names: Names<'a>, instruction: &'a Bytecode) -> Self {
        Self {
            names,
            instruction,
            parameters: None,
            labels: &[],
        }
    }

    /// An instruction in a function: locals are printed as `p0` or `l1`, branch targets with their label. `labels` is
    /// ordered by offset.
    pub(super) fn in_function(self, parameters: usize, labels: &'a [(CodeOffset, usize)]) -> Self {
        Self {
            parameters: Some(parameters),
            labels,
            ..self
        }
    }

    pub(super) fn write(&self, out: &mut BoundedText) -> fmt::Result {
        use Bytecode as B;
        let names = &self.names;
        out.write_str(self.instruction.mnemonic())?;
        match self.instruction {
            B::BrTrue(target) | B::BrFalse(target) | B::Branch(target) => self.target(out, *target),
            B::CopyLoc(local)
            | B::MoveLoc(local)
            | B::StLoc(local)
            | B::MutBorrowLoc(local)
            | B::ImmBorrowLoc(local) => self.local(out, *local),
            B::LdConst(index) => self.constant(out, *index),
            B::LdU8(value) => write!(out, " {value}"),
            B::LdU16(value) => write!(out, " {value}"),
            B::LdU32(value) => write!(out, " {value}"),
            B::LdU64(value) => write!(out, " {value}"),
            B::LdU128(value) => write!(out, " {value}"),
            B::LdU256(value) => write!(out, " {}", decimal(&value.0)),
            B::LdI8(value) => write!(out, " {value}"),
            B::LdI16(value) => write!(out, " {value}"),
            B::LdI32(value) => write!(out, " {value}"),
            B::LdI64(value) => write!(out, " {value}"),
            B::LdI128(value) => write!(out, " {value}"),
            B::LdI256(value) => write!(out, " {}", signed_decimal(&value.0)),
            B::Call(index) => {
                out.write_str(" ")?;
                names.function(out, *index)
            }
            B::CallGeneric(index) => {
                out.write_str(" ")?;
                names.function_instantiation(out, *index)
            }
            B::PackClosure(index, mask) => {
                out.write_str(" ")?;
                names.function(out, *index)?;
                write!(out, ", {:#b}", mask.0)
            }
            B::PackClosureGeneric(index, mask) => {
                out.write_str(" ")?;
                names.function_instantiation(out, *index)?;
                write!(out, ", {:#b}", mask.0)
            }
            B::VecPack(index, count) | B::VecUnpack(index, count) => {
                names.type_arguments(out, *index)?;
                write!(out, " {count}")
            }
            B::VecLen(index)
            | B::VecImmBorrow(index)
            | B::VecMutBorrow(index)
            | B::VecPushBack(index)
            | B::VecPopBack(index)
            | B::VecSwap(index)
            | B::CallClosure(index) => names.type_arguments(out, *index),
            _ => self.structure(out),
        }
    }

    /// Operands of instructions on structs, fields and variants; nothing for instructions without operands.
    fn structure(&self, out: &mut BoundedText) -> fmt::Result {
        use Bytecode as B;
        match self.instruction {
            B::Pack(index)
            | B::Unpack(index)
            | B::Exists(index)
            | B::MutBorrowGlobal(index)
            | B::ImmBorrowGlobal(index)
            | B::MoveFrom(index)
            | B::MoveTo(index) => {
                out.write_str(" ")?;
                self.names.struct_definition(out, *index)
            }
            B::PackGeneric(index)
            | B::UnpackGeneric(index)
            | B::ExistsGeneric(index)
            | B::MutBorrowGlobalGeneric(index)
            | B::ImmBorrowGlobalGeneric(index)
            | B::MoveFromGeneric(index)
            | B::MoveToGeneric(index) => self.struct_instantiation(out, *index),
            B::MutBorrowField(index) | B::ImmBorrowField(index) => self.field(out, *index, None),
            B::MutBorrowFieldGeneric(index) | B::ImmBorrowFieldGeneric(index) => {
                match self
                    .names
                    .tables
                    .field_instantiations
                    .get(index.into_index())
                {
                    Some(inst) => self.field(out, inst.handle, Some(inst.type_parameters)),
                    None => write!(out, " ?field_inst[{index}]"),
                }
            }
            B::PackVariant(index) | B::UnpackVariant(index) | B::TestVariant(index) => {
                self.variant(out, *index, None)
            }
            B::PackVariantGeneric(index)
            | B::UnpackVariantGeneric(index)
            | B::TestVariantGeneric(index) => {
                let table = self.names.tables.struct_variant_instantiations;
                match table.get(index.into_index()) {
                    Some(inst) => self.variant(out, inst.handle, Some(inst.type_parameters)),
                    None => write!(out, " ?variant_inst[{index}]"),
                }
            }
            B::MutBorrowVariantField(index) | B::ImmBorrowVariantField(index) => {
                self.variant_field(out, *index, None)
            }
            B::MutBorrowVariantFieldGeneric(index) | B::ImmBorrowVariantFieldGeneric(index) => {
                let table = self.names.tables.variant_field_instantiations;
                match table.get(index.into_index()) {
                    Some(inst) => self.variant_field(out, inst.handle, Some(inst.type_parameters)),
                    None => write!(out, " ?variant_field_inst[{index}]"),
                }
            }
            _ => Ok(()),
        }
    }

    fn target(&self, out: &mut BoundedText, target: CodeOffset) -> fmt::Result {
        match self.labels.binary_search_by_key(&target, |label| label.0) {
            Ok(place) => {
                let label = self.labels.get(place).map_or(0, |label| label.1);
                write!(out, " L{label} ({target})")
            }
            Err(_) => write!(out, " {target}"),
        }
    }

    fn local(&self, out: &mut BoundedText, local: LocalIndex) -> fmt::Result {
        match self.parameters {
            None => write!(out, " {local}"),
            Some(parameters) if usize::from(local) < parameters => write!(out, " p{local}"),
            Some(_) => write!(out, " l{local}"),
        }
    }

    fn constant(&self, out: &mut BoundedText, index: ConstantPoolIndex) -> fmt::Result {
        match self.names.tables.constant_pool.get(index.into_index()) {
            None => write!(out, " ?constant[{index}]"),
            Some(constant) => {
                out.write_str("<")?;
                self.names.token(out, &constant.type_)?;
                out.write_str("> ")?;
                constant::write(out, constant)
            }
        }
    }

    fn struct_instantiation(
        &self,
        out: &mut BoundedText,
        index: StructDefInstantiationIndex,
    ) -> fmt::Result {
        out.write_str(" ")?;
        let table = self.names.tables.struct_def_instantiations;
        match table.get(index.into_index()) {
            None => write!(out, "?struct_inst[{index}]"),
            Some(inst) => self.owner(out, inst.def, Some(inst.type_parameters)),
        }
    }

    /// A struct or enum with its type arguments.
    fn owner(
        &self,
        out: &mut BoundedText,
        owner: StructDefinitionIndex,
        args: Option<SignatureIndex>,
    ) -> fmt::Result {
        self.names.struct_definition(out, owner)?;
        match args {
            Some(args) => self.names.type_arguments(out, args),
            None => Ok(()),
        }
    }

    /// `Point.x`, `Pair<u64>.first`.
    fn field(
        &self,
        out: &mut BoundedText,
        index: FieldHandleIndex,
        args: Option<SignatureIndex>,
    ) -> fmt::Result {
        out.write_str(" ")?;
        let Some(handle) = self.names.tables.field_handles.get(index.into_index()) else {
            return write!(out, "?field_handle[{index}]");
        };
        self.owner(out, handle.owner, args)?;
        out.write_str(".")?;
        self.names.field(out, handle.owner, None, handle.field)
    }

    /// `Shape::Circle`, `Option<u64>::Some`.
    fn variant(
        &self,
        out: &mut BoundedText,
        index: StructVariantHandleIndex,
        args: Option<SignatureIndex>,
    ) -> fmt::Result {
        out.write_str(" ")?;
        let table = self.names.tables.struct_variant_handles;
        let Some(handle) = table.get(index.into_index()) else {
            return write!(out, "?variant_handle[{index}]");
        };
        self.owner(out, handle.struct_index, args)?;
        out.write_str("::")?;
        self.names.variant(out, handle.struct_index, handle.variant)
    }

    /// `Shape, Circle.radius, Ring.radius`.
    fn variant_field(
        &self,
        out: &mut BoundedText,
        index: VariantFieldHandleIndex,
        args: Option<SignatureIndex>,
    ) -> fmt::Result {
        out.write_str(" ")?;
        let table = self.names.tables.variant_field_handles;
        let Some(handle) = table.get(index.into_index()) else {
            return write!(out, "?variant_field_handle[{index}]");
        };
        let VariantFieldHandle {
            struct_index,
            variants,
            field,
        } = handle;
        self.owner(out, *struct_index, args)?;
        out.write_str(", ")?;
        join(out, variants, |out, &variant| {
            self.names.variant(out, *struct_index, variant)?;
            out.write_str(".")?;
            self.names.field(out, *struct_index, Some(variant), *field)
        })
    }
}
