//! Whether two functions of two modules have the same body: the same instructions on what has the same meaning, whatever its place in the tables.

use crate::same_type::Pair;
use monomove_format::{
    Bytecode, FunctionDefinition, FunctionHandleIndex, FunctionInstantiationIndex, SignatureIndex,
    StructDefinitionIndex,
};

/// Whether the functions have the same code and locals; two natives are the same.
pub(crate) fn same_body(
    pair: Pair<'_>,
    left: &FunctionDefinition,
    right: &FunctionDefinition,
) -> bool {
    match (&left.code, &right.code) {
        (None, None) => true,
        (Some(left), Some(right)) => {
            pair.same_signature(left.locals, right.locals)
                && left.code.len() == right.code.len()
                && left
                    .code
                    .iter()
                    .zip(&right.code)
                    .all(|(left, right)| pair.same_instruction(left, right))
        }
        _ => false,
    }
}

impl Pair<'_> {
    fn same_signature(self, left: SignatureIndex, right: SignatureIndex) -> bool {
        self.same_list(self.left.signature_at(left), self.right.signature_at(right))
    }

    fn same_function(self, left: FunctionHandleIndex, right: FunctionHandleIndex) -> bool {
        let (left, right) = (
            self.left.function_handle_at(left),
            self.right.function_handle_at(right),
        );
        self.left.identifier_at(left.name) == self.right.identifier_at(right.name)
            && self.same_module(left.module, right.module)
    }

    fn same_definition(self, left: StructDefinitionIndex, right: StructDefinitionIndex) -> bool {
        self.same_struct(
            self.left.struct_def_at(left).struct_handle,
            self.right.struct_def_at(right).struct_handle,
        )
    }

    /// Same opcode, and operands with the same meaning.
    fn same_instruction(self, left: &Bytecode, right: &Bytecode) -> bool {
        use Bytecode as B;
        let Self { left: l, right: r } = self;
        match (left, right) {
            (B::LdConst(a), B::LdConst(b)) => {
                let (a, b) = (l.constant_at(*a), r.constant_at(*b));
                a.data == b.data && self.same(&a.type_, &b.type_)
            }
            (B::MutBorrowField(a), B::MutBorrowField(b))
            | (B::ImmBorrowField(a), B::ImmBorrowField(b)) => {
                let (a, b) = (l.field_handle_at(*a), r.field_handle_at(*b));
                a.field == b.field && self.same_definition(a.owner, b.owner)
            }
            (B::MutBorrowFieldGeneric(a), B::MutBorrowFieldGeneric(b))
            | (B::ImmBorrowFieldGeneric(a), B::ImmBorrowFieldGeneric(b)) => {
                let (a, b) = (l.field_instantiation_at(*a), r.field_instantiation_at(*b));
                let (x, y) = (l.field_handle_at(a.handle), r.field_handle_at(b.handle));
                x.field == y.field
                    && self.same_definition(x.owner, y.owner)
                    && self.same_signature(a.type_parameters, b.type_parameters)
            }
            (B::MutBorrowVariantField(a), B::MutBorrowVariantField(b))
            | (B::ImmBorrowVariantField(a), B::ImmBorrowVariantField(b)) => {
                let (a, b) = (l.variant_field_handle_at(*a), r.variant_field_handle_at(*b));
                a.field == b.field
                    && a.variants == b.variants
                    && self.same_definition(a.struct_index, b.struct_index)
            }
            (B::MutBorrowVariantFieldGeneric(a), B::MutBorrowVariantFieldGeneric(b))
            | (B::ImmBorrowVariantFieldGeneric(a), B::ImmBorrowVariantFieldGeneric(b)) => {
                let (a, b) = (
                    l.variant_field_instantiation_at(*a),
                    r.variant_field_instantiation_at(*b),
                );
                let (x, y) = (
                    l.variant_field_handle_at(a.handle),
                    r.variant_field_handle_at(b.handle),
                );
                x.field == y.field
                    && x.variants == y.variants
                    && self.same_definition(x.struct_index, y.struct_index)
                    && self.same_signature(a.type_parameters, b.type_parameters)
            }
            (B::PackVariant(a), B::PackVariant(b))
            | (B::UnpackVariant(a), B::UnpackVariant(b))
            | (B::TestVariant(a), B::TestVariant(b)) => {
                let (a, b) = (
                    l.struct_variant_handle_at(*a),
                    r.struct_variant_handle_at(*b),
                );
                a.variant == b.variant && self.same_definition(a.struct_index, b.struct_index)
            }
            (B::PackVariantGeneric(a), B::PackVariantGeneric(b))
            | (B::UnpackVariantGeneric(a), B::UnpackVariantGeneric(b))
            | (B::TestVariantGeneric(a), B::TestVariantGeneric(b)) => {
                let (a, b) = (
                    l.struct_variant_instantiation_at(*a),
                    r.struct_variant_instantiation_at(*b),
                );
                let (x, y) = (
                    l.struct_variant_handle_at(a.handle),
                    r.struct_variant_handle_at(b.handle),
                );
                x.variant == y.variant
                    && self.same_definition(x.struct_index, y.struct_index)
                    && self.same_signature(a.type_parameters, b.type_parameters)
            }
            (B::Pack(a), B::Pack(b))
            | (B::Unpack(a), B::Unpack(b))
            | (B::Exists(a), B::Exists(b))
            | (B::MutBorrowGlobal(a), B::MutBorrowGlobal(b))
            | (B::ImmBorrowGlobal(a), B::ImmBorrowGlobal(b))
            | (B::MoveFrom(a), B::MoveFrom(b))
            | (B::MoveTo(a), B::MoveTo(b)) => self.same_definition(*a, *b),
            (B::PackGeneric(a), B::PackGeneric(b))
            | (B::UnpackGeneric(a), B::UnpackGeneric(b))
            | (B::ExistsGeneric(a), B::ExistsGeneric(b))
            | (B::MutBorrowGlobalGeneric(a), B::MutBorrowGlobalGeneric(b))
            | (B::ImmBorrowGlobalGeneric(a), B::ImmBorrowGlobalGeneric(b))
            | (B::MoveFromGeneric(a), B::MoveFromGeneric(b))
            | (B::MoveToGeneric(a), B::MoveToGeneric(b)) => {
                let (a, b) = (l.struct_instantiation_at(*a), r.struct_instantiation_at(*b));
                self.same_definition(a.def, b.def)
                    && self.same_signature(a.type_parameters, b.type_parameters)
            }
            (B::Call(a), B::Call(b)) => self.same_function(*a, *b),
            (B::PackClosure(a, x), B::PackClosure(b, y)) => x == y && self.same_function(*a, *b),
            (B::CallGeneric(a), B::CallGeneric(b)) => self.same_call(*a, *b),
            (B::PackClosureGeneric(a, x), B::PackClosureGeneric(b, y)) => {
                x == y && self.same_call(*a, *b)
            }
            (B::VecPack(a, x), B::VecPack(b, y)) | (B::VecUnpack(a, x), B::VecUnpack(b, y)) => {
                x == y && self.same_signature(*a, *b)
            }
            (B::VecLen(a), B::VecLen(b))
            | (B::VecImmBorrow(a), B::VecImmBorrow(b))
            | (B::VecMutBorrow(a), B::VecMutBorrow(b))
            | (B::VecPushBack(a), B::VecPushBack(b))
            | (B::VecPopBack(a), B::VecPopBack(b))
            | (B::VecSwap(a), B::VecSwap(b))
            | (B::CallClosure(a), B::CallClosure(b)) => self.same_signature(*a, *b),
            // What is left has no operand that is an index into a table.
            _ => left == right,
        }
    }

    fn same_call(
        self,
        left: FunctionInstantiationIndex,
        right: FunctionInstantiationIndex,
    ) -> bool {
        let (left, right) = (
            self.left.function_instantiation_at(left),
            self.right.function_instantiation_at(right),
        );
        self.same_function(left.handle, right.handle)
            && self.same_signature(left.type_parameters, right.type_parameters)
    }
}
