//! Type safety of structs and enums: packing, unpacking, testing variants.

use super::{Checker, TypeId, VerifierResult};
use crate::code::members::Struct;
use monomove_format::{StructDefinitionIndex, StructFieldInformation};
use monomove_types::StatusCode;

impl Checker<'_, '_, '_> {
    /// Whether a definition has fields of its own, which an enum or a native struct has not.
    pub(super) fn is_struct(&self, index: StructDefinitionIndex) -> bool {
        let definition = self.function.module.struct_def_at(index);
        matches!(
            definition.field_information,
            StructFieldInformation::Declared(_)
        )
    }

    pub(super) fn pack(&mut self, (type_, fields): Struct, is_struct: bool) -> VerifierResult {
        self.require(
            is_struct,
            StatusCode::PACK_TYPE_MISMATCH_ERROR,
            "what is packed is no struct",
        )?;
        for index in (0..self.types.len(fields)).rev() {
            let field = self.element(fields, index)?;
            let operand = self.pop()?;
            self.require(
                self.types.is_assignable(field, operand),
                StatusCode::PACK_TYPE_MISMATCH_ERROR,
                "a value has another type than the field",
            )?;
        }
        self.push(type_)
    }

    pub(super) fn unpack(&mut self, (type_, fields): Struct, is_struct: bool) -> VerifierResult {
        let operand = self.pop()?;
        self.require(
            operand == type_,
            StatusCode::UNPACK_TYPE_MISMATCH_ERROR,
            "what is unpacked is of another type",
        )?;
        self.require(
            is_struct,
            StatusCode::PACK_TYPE_MISMATCH_ERROR,
            "what is unpacked is no struct",
        )?;
        self.push_list(fields)
    }

    pub(super) fn test_variant(&mut self, type_: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        self.require(
            self.types.referent(operand) == Some(type_),
            StatusCode::TEST_VARIANT_TYPE_MISMATCH_ERROR,
            "no reference to the enum is tested",
        )?;
        self.push(TypeId::BOOL)
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    const S: &str = "struct S has drop\n x: u64\n y: bool\nstruct G<T> has drop\n x: T\nenum E has drop\n A\n  x: u64\n B\n";

    fn with(code: &str) -> String {
        format!("{S}{code}")
    }

    #[test]
    fn accepts() {
        accept(&with(
            "fun f(): (u64, bool)\n ld_u64 1\n ld_true\n pack S\n unpack S\n ret\n",
        ));
        accept(&with(
            "fun f<T>(x: T): G<G<T>>\n move_loc x\n pack G<T>\n pack G<G<T>>\n ret\n",
        ));
        accept(&with(
            "fun f(e: &mut E): bool\n move_loc e\n test_variant E, B\n ret\n",
        ));
        accept(&with(
            "fun f(): E\n pack_variant E, B\n unpack_variant E, B\n pack_variant E, B\n ret\n",
        ));
    }

    #[test]
    fn rejects() {
        refuse(
            &with("fun f()\n ld_true\n ld_u64 1\n pack S\n pop\n ret\n"),
            1047,
            2,
        );
        refuse(
            &with("fun f<T>(x: T)\n move_loc x\n pack G<u8>\n pop\n ret\n"),
            1047,
            1,
        );
        refuse(
            &with("fun f(x: E)\n move_loc x\n unpack S\n pop\n pop\n ret\n"),
            1048,
            1,
        );
        refuse(
            &with("fun f(x: G<u8>)\n move_loc x\n unpack G<bool>\n pop\n ret\n"),
            1048,
            1,
        );
        refuse(
            &with("fun f(x: E): bool\n move_loc x\n test_variant E, A\n ret\n"),
            1129,
            1,
        );
        refuse(
            &with("fun f(x: &S): bool\n move_loc x\n test_variant E, A\n ret\n"),
            1129,
            1,
        );
        // An enum counts as a struct without fields until the types are checked.
        refuse(&with("fun f()\n pack E\n pop\n ret\n"), 1047, 0);
        refuse(
            &with("fun f(e: E)\n move_loc e\n unpack E\n ret\n"),
            1047,
            1,
        );
    }
}
