//! Bounds checks: every index that a binary holds must be in range, struct types must have the right number of
//! arguments, enums must have variants (binary-format spec §13). Linear in the size of the binary.
//!
//! Not checked, as on the platform: indices inside access specifiers.

use crate::index::*;
use crate::view::Tables;
use crate::{
    Bytecode, CodeUnit, CompiledModule, CompiledScript, FormatError, SignatureToken,
    StructFieldInformation,
};
use monomove_types::StatusCode;

/// Most parameters and locals of a function together.
const MAX_LOCALS: usize = 255;

impl CompiledModule {
    /// Checks all indices. The reader has done this already; it is for modules put together by hand.
    pub fn check_bounds(&self) -> Result<(), FormatError> {
        if self.module_handles.is_empty() {
            return Err(FormatError::new(
                StatusCode::NO_MODULE_HANDLES,
                "module without module handles",
            ));
        }
        let mut checker = Checker::new(self.into());
        checker.in_range(
            "ModuleHandle",
            self.self_module_handle_idx.0,
            self.module_handles.len(),
        )?;
        checker.handles()?;
        for friend in &self.friend_decls {
            checker.module_handle(friend.address, friend.name)?;
        }
        for (index, definition) in (0..=u16::MAX).zip(&self.struct_defs) {
            checker.struct_definition(
                index,
                definition.struct_handle,
                &definition.field_information,
            )?;
        }
        checker.members()?;
        for (index, definition) in (0..=u16::MAX).zip(&self.function_defs) {
            let index = FunctionDefinitionIndex(index);
            let handle = checker.get(
                "FunctionHandle",
                definition.function.0,
                &self.function_handles,
            )?;
            for acquired in &definition.acquires_global_resources {
                checker.in_range("StructDefinition", acquired.0, self.struct_defs.len())?;
            }
            if let Some(code) = &definition.code {
                checker.code(
                    Some(index),
                    handle.type_parameters.len(),
                    handle.parameters,
                    code,
                )?;
            }
        }
        Ok(())
    }
}

impl CompiledScript {
    /// Checks all indices. The reader has done this already; it is for scripts put together by hand.
    pub fn check_bounds(&self) -> Result<(), FormatError> {
        let mut checker = Checker::new(self.into());
        checker.handles()?;
        checker.members()?;
        let type_parameters = self.type_parameters.len();
        checker.signature_uses(self.parameters, type_parameters)?;
        checker.code(None, type_parameters, self.parameters, &self.code)
    }
}

/// The tables, and for each signature how many type parameters it needs: found once, so that a signature used from
/// many places is not walked again.
struct Checker<'a> {
    tables: Tables<'a>,
    needed_type_parameters: Vec<usize>,
    stack: Vec<&'a SignatureToken>,
}

impl<'a> Checker<'a> {
    fn new(tables: Tables<'a>) -> Self {
        Self {
            tables,
            needed_type_parameters: Vec::with_capacity(tables.signatures.len()),
            stack: Vec::new(),
        }
    }

    fn get<'t, T>(
        &self,
        kind: &str,
        index: TableIndex,
        table: &'t [T],
    ) -> Result<&'t T, FormatError> {
        table
            .get(usize::from(index))
            .ok_or_else(|| out_of_range(kind, index.into(), table.len()))
    }

    fn in_range(&self, kind: &str, index: TableIndex, length: usize) -> Result<(), FormatError> {
        if usize::from(index) < length {
            Ok(())
        } else {
            Err(out_of_range(kind, index.into(), length))
        }
    }

    fn identifier(&self, index: IdentifierIndex) -> Result<(), FormatError> {
        self.in_range("Identifier", index.0, self.tables.identifiers.len())
    }

    fn module_handle(
        &self,
        address: AddressIdentifierIndex,
        name: IdentifierIndex,
    ) -> Result<(), FormatError> {
        self.in_range(
            "AddressIdentifier",
            address.0,
            self.tables.address_identifiers.len(),
        )?;
        self.identifier(name)
    }

    /// The tables that modules and scripts share.
    fn handles(&mut self) -> Result<(), FormatError> {
        let tables = self.tables;
        for handle in tables.module_handles {
            self.module_handle(handle.address, handle.name)?;
        }
        for handle in tables.struct_handles {
            self.in_range("ModuleHandle", handle.module.0, tables.module_handles.len())?;
            self.identifier(handle.name)?;
        }
        for signature in tables.signatures {
            let mut needed = 0;
            for token in &signature.0 {
                needed = needed.max(self.token(token)?);
            }
            self.needed_type_parameters.push(needed);
        }
        for constant in tables.constant_pool {
            self.token(&constant.type_)?;
        }
        for handle in tables.function_handles {
            self.in_range("ModuleHandle", handle.module.0, tables.module_handles.len())?;
            self.identifier(handle.name)?;
            self.signature_uses(handle.parameters, handle.type_parameters.len())?;
            self.signature_uses(handle.return_, handle.type_parameters.len())?;
        }
        Ok(())
    }

    /// Checks the structs that a type names; gives the number of type parameters that the type needs.
    fn token(&mut self, token: &'a SignatureToken) -> Result<usize, FormatError> {
        let mut needed = 0;
        self.stack.clear();
        self.stack.push(token);
        while let Some(token) = self.stack.pop() {
            match token {
                SignatureToken::Struct(handle) => self.struct_arity(*handle, 0)?,
                SignatureToken::StructInstantiation(handle, args) => {
                    self.struct_arity(*handle, args.len())?;
                }
                SignatureToken::TypeParameter(index) => {
                    needed = needed.max(usize::from(*index) + 1)
                }
                _ => {}
            }
            self.stack.extend(token.children());
        }
        Ok(needed)
    }

    fn struct_arity(&self, handle: StructHandleIndex, args: usize) -> Result<(), FormatError> {
        let declared = self
            .get("StructHandle", handle.0, self.tables.struct_handles)?
            .type_parameters
            .len();
        if declared == args {
            return Ok(());
        }
        Err(FormatError::new(
            StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH,
            format!(
                "StructHandle {handle} has {declared} type parameters and gets {args} arguments"
            ),
        ))
    }

    /// A signature used where there are `available` type parameters.
    fn signature_uses(&self, index: SignatureIndex, available: usize) -> Result<(), FormatError> {
        match self.needed_type_parameters.get(index.into_index()) {
            None => Err(out_of_range(
                "Signature",
                index.into_index(),
                self.tables.signatures.len(),
            )),
            Some(&needed) => type_parameters_in_range(needed, available),
        }
    }

    fn signature(&self, index: SignatureIndex) -> Result<(), FormatError> {
        self.in_range("Signature", index.0, self.tables.signatures.len())
    }

    fn struct_definition(
        &mut self,
        index: TableIndex,
        handle: StructHandleIndex,
        fields: &'a StructFieldInformation,
    ) -> Result<(), FormatError> {
        let tables = self.tables;
        let available = self
            .get("StructHandle", handle.0, tables.struct_handles)?
            .type_parameters
            .len();
        let (fields, variants) = match fields {
            StructFieldInformation::Native => return Ok(()),
            StructFieldInformation::Declared(fields) => (fields.as_slice(), [].as_slice()),
            StructFieldInformation::DeclaredVariants(variants) => {
                if variants.is_empty() {
                    return Err(FormatError::new(
                        StatusCode::ZERO_VARIANTS_ERROR,
                        format!("StructDefinition {index} is an enum without variants"),
                    ));
                }
                ([].as_slice(), variants.as_slice())
            }
        };
        for variant in variants {
            self.identifier(variant.name)?;
        }
        for field in fields
            .iter()
            .chain(variants.iter().flat_map(|variant| &variant.fields))
        {
            self.identifier(field.name)?;
            let needed = self.token(&field.signature.0)?;
            type_parameters_in_range(needed, available)?;
        }
        Ok(())
    }

    /// Fields, variants and instantiations.
    fn members(&self) -> Result<(), FormatError> {
        let tables = &self.tables;
        for handle in tables.field_handles {
            self.field(handle.owner, None, handle.field)?;
        }
        for handle in tables.struct_variant_handles {
            self.variant(handle.struct_index, handle.variant)?;
        }
        for handle in tables.variant_field_handles {
            self.in_range(
                "StructDefinition",
                handle.struct_index.0,
                tables.struct_defs.len(),
            )?;
            if handle.variants.is_empty() {
                return Err(FormatError::new(
                    StatusCode::ZERO_VARIANTS_ERROR,
                    "variant field handle without variants",
                ));
            }
            for &variant in &handle.variants {
                self.variant(handle.struct_index, variant)?;
                self.field(handle.struct_index, Some(variant), handle.field)?;
            }
        }
        for inst in tables.struct_def_instantiations {
            self.in_range("StructDefinition", inst.def.0, tables.struct_defs.len())?;
            self.signature(inst.type_parameters)?;
        }
        for inst in tables.function_instantiations {
            self.in_range(
                "FunctionHandle",
                inst.handle.0,
                tables.function_handles.len(),
            )?;
            self.signature(inst.type_parameters)?;
        }
        for inst in tables.field_instantiations {
            self.in_range("FieldHandle", inst.handle.0, tables.field_handles.len())?;
            self.signature(inst.type_parameters)?;
        }
        for inst in tables.struct_variant_instantiations {
            self.in_range(
                "StructVariantHandle",
                inst.handle.0,
                tables.struct_variant_handles.len(),
            )?;
            self.signature(inst.type_parameters)?;
        }
        for inst in tables.variant_field_instantiations {
            self.in_range(
                "VariantFieldHandle",
                inst.handle.0,
                tables.variant_field_handles.len(),
            )?;
            self.signature(inst.type_parameters)?;
        }
        Ok(())
    }

    fn variant(
        &self,
        owner: StructDefinitionIndex,
        variant: VariantIndex,
    ) -> Result<(), FormatError> {
        let definition = self.get("StructDefinition", owner.0, self.tables.struct_defs)?;
        self.in_range(
            "MemberCount",
            variant,
            definition.field_information.variants().len(),
        )
    }

    fn field(
        &self,
        owner: StructDefinitionIndex,
        variant: Option<VariantIndex>,
        field: MemberCount,
    ) -> Result<(), FormatError> {
        let definition = self.get("StructDefinition", owner.0, self.tables.struct_defs)?;
        let fields = definition
            .field_information
            .fields(variant)
            .unwrap_or_default();
        self.in_range("MemberCount", field, fields.len())
    }

    fn code(
        &self,
        function: Option<FunctionDefinitionIndex>,
        type_parameters: usize,
        parameters: SignatureIndex,
        unit: &CodeUnit,
    ) -> Result<(), FormatError> {
        let parameters = self
            .get("Signature", parameters.0, self.tables.signatures)?
            .len();
        let locals = self
            .get("Signature", unit.locals.0, self.tables.signatures)?
            .len();
        let locals = parameters.saturating_add(locals);
        if locals > MAX_LOCALS {
            return Err(FormatError {
                function,
                ..FormatError::new(
                    StatusCode::TOO_MANY_LOCALS,
                    format!("{locals} parameters and locals"),
                )
            });
        }
        self.signature_uses(unit.locals, type_parameters)?;
        let scope = Scope {
            type_parameters,
            locals,
            instructions: unit.code.len(),
        };
        for (offset, instruction) in (0..=CodeOffset::MAX).zip(&unit.code) {
            self.instruction(&scope, instruction)
                .map_err(|error| error.in_code(function, offset))?;
        }
        Ok(())
    }

    #[inline]
    fn instruction(&self, scope: &Scope, instruction: &Bytecode) -> Result<(), FormatError> {
        use Bytecode as B;
        let tables = &self.tables;
        match instruction {
            B::CopyLoc(local)
            | B::MoveLoc(local)
            | B::StLoc(local)
            | B::MutBorrowLoc(local)
            | B::ImmBorrowLoc(local) => {
                self.in_range("LocalIndex", u16::from(*local), scope.locals)
            }
            B::BrTrue(target) | B::BrFalse(target) | B::Branch(target) => {
                self.in_range("CodeOffset", *target, scope.instructions)
            }
            B::LdConst(index) => self.in_range("ConstantPool", index.0, tables.constant_pool.len()),
            B::MutBorrowField(index) | B::ImmBorrowField(index) => {
                self.in_range("FieldHandle", index.0, tables.field_handles.len())
            }
            B::Call(index) | B::PackClosure(index, _) => {
                self.in_range("FunctionHandle", index.0, tables.function_handles.len())
            }
            B::Pack(index)
            | B::Unpack(index)
            | B::Exists(index)
            | B::MutBorrowGlobal(index)
            | B::ImmBorrowGlobal(index)
            | B::MoveFrom(index)
            | B::MoveTo(index) => {
                self.in_range("StructDefinition", index.0, tables.struct_defs.len())
            }
            B::PackVariant(index) | B::UnpackVariant(index) | B::TestVariant(index) => self
                .in_range(
                    "StructVariantHandle",
                    index.0,
                    tables.struct_variant_handles.len(),
                ),
            B::MutBorrowVariantField(index) | B::ImmBorrowVariantField(index) => self.in_range(
                "VariantFieldHandle",
                index.0,
                tables.variant_field_handles.len(),
            ),
            _ => match self.type_arguments(instruction)? {
                Some(signature) => self.signature_uses(signature, scope.type_parameters),
                None => Ok(()),
            },
        }
    }

    /// The signature with the type arguments of a generic, vector or closure instruction.
    fn type_arguments(
        &self,
        instruction: &Bytecode,
    ) -> Result<Option<SignatureIndex>, FormatError> {
        use Bytecode as B;
        let tables = &self.tables;
        Ok(Some(match instruction {
            B::MutBorrowFieldGeneric(index) | B::ImmBorrowFieldGeneric(index) => {
                self.get("FieldInstantiation", index.0, tables.field_instantiations)?
                    .type_parameters
            }
            B::CallGeneric(index) | B::PackClosureGeneric(index, _) => {
                self.get(
                    "FunctionInstantiation",
                    index.0,
                    tables.function_instantiations,
                )?
                .type_parameters
            }
            B::PackGeneric(index)
            | B::UnpackGeneric(index)
            | B::ExistsGeneric(index)
            | B::MutBorrowGlobalGeneric(index)
            | B::ImmBorrowGlobalGeneric(index)
            | B::MoveFromGeneric(index)
            | B::MoveToGeneric(index) => {
                self.get(
                    "StructDefInstantiation",
                    index.0,
                    tables.struct_def_instantiations,
                )?
                .type_parameters
            }
            B::PackVariantGeneric(index)
            | B::UnpackVariantGeneric(index)
            | B::TestVariantGeneric(index) => {
                self.get(
                    "StructVariantInstantiation",
                    index.0,
                    tables.struct_variant_instantiations,
                )?
                .type_parameters
            }
            B::MutBorrowVariantFieldGeneric(index) | B::ImmBorrowVariantFieldGeneric(index) => {
                self.get(
                    "VariantFieldInstantiation",
                    index.0,
                    tables.variant_field_instantiations,
                )?
                .type_parameters
            }
            B::VecPack(signature, _)
            | B::VecUnpack(signature, _)
            | B::VecLen(signature)
            | B::VecImmBorrow(signature)
            | B::VecMutBorrow(signature)
            | B::VecPushBack(signature)
            | B::VecPopBack(signature)
            | B::VecSwap(signature)
            | B::CallClosure(signature) => *signature,
            _ => return Ok(None),
        }))
    }
}

/// What the indices in a function's code may range over.
struct Scope {
    type_parameters: usize,
    locals: usize,
    instructions: usize,
}

fn type_parameters_in_range(needed: usize, available: usize) -> Result<(), FormatError> {
    if needed <= available {
        Ok(())
    } else {
        Err(out_of_range("TypeParameter", needed - 1, available))
    }
}

fn out_of_range(kind: &str, index: usize, length: usize) -> FormatError {
    FormatError::new(
        StatusCode::INDEX_OUT_OF_BOUNDS,
        format!("{kind} {index} out of range (there are {length})"),
    )
}
