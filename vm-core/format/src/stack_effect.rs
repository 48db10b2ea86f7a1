//! How many values each instruction takes from the operand stack and puts there.

use crate::{
    Bytecode, CompiledModule, FunctionHandleIndex, SignatureIndex, SignatureToken,
    StructDefinitionIndex, StructVariantHandleIndex,
};

/// How many values an instruction takes from the stack and puts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackEffect {
    /// Values taken.
    pub pops: u64,
    /// Values put there.
    pub pushes: u64,
}

impl CompiledModule {
    /// The effect of an instruction of a function with this many results. All that it names must be in its table.
    pub fn stack_effect(&self, instruction: &Bytecode, results: usize) -> StackEffect {
        let module = self;
        use Bytecode as B;
        let (pops, pushes) = match instruction {
            B::Nop | B::Branch(_) => (0, 0),
            B::Pop | B::BrTrue(_) | B::BrFalse(_) | B::Abort | B::StLoc(_) => (1, 0),
            B::AbortMsg => (2, 0),
            B::Ret => (results as u64, 0),
            B::LdU8(_)
            | B::LdU16(_)
            | B::LdU32(_)
            | B::LdU64(_)
            | B::LdU128(_)
            | B::LdU256(_)
            | B::LdI8(_)
            | B::LdI16(_)
            | B::LdI32(_)
            | B::LdI64(_)
            | B::LdI128(_)
            | B::LdI256(_)
            | B::LdTrue
            | B::LdFalse
            | B::LdConst(_)
            | B::CopyLoc(_)
            | B::MoveLoc(_)
            | B::MutBorrowLoc(_)
            | B::ImmBorrowLoc(_) => (0, 1),
            B::Not
            | B::Negate
            | B::FreezeRef
            | B::ReadRef
            | B::CastU8
            | B::CastU16
            | B::CastU32
            | B::CastU64
            | B::CastU128
            | B::CastU256
            | B::CastI8
            | B::CastI16
            | B::CastI32
            | B::CastI64
            | B::CastI128
            | B::CastI256
            | B::MutBorrowField(_)
            | B::ImmBorrowField(_)
            | B::MutBorrowFieldGeneric(_)
            | B::ImmBorrowFieldGeneric(_)
            | B::MutBorrowVariantField(_)
            | B::ImmBorrowVariantField(_)
            | B::MutBorrowVariantFieldGeneric(_)
            | B::ImmBorrowVariantFieldGeneric(_)
            | B::TestVariant(_)
            | B::TestVariantGeneric(_)
            | B::Exists(_)
            | B::ExistsGeneric(_)
            | B::MutBorrowGlobal(_)
            | B::ImmBorrowGlobal(_)
            | B::MutBorrowGlobalGeneric(_)
            | B::ImmBorrowGlobalGeneric(_)
            | B::MoveFrom(_)
            | B::MoveFromGeneric(_)
            | B::VecLen(_)
            | B::VecPopBack(_) => (1, 1),
            B::Add
            | B::Sub
            | B::Mul
            | B::Mod
            | B::Div
            | B::BitOr
            | B::BitAnd
            | B::Xor
            | B::Shl
            | B::Shr
            | B::Or
            | B::And
            | B::Eq
            | B::Neq
            | B::Lt
            | B::Gt
            | B::Le
            | B::Ge
            | B::VecImmBorrow(_)
            | B::VecMutBorrow(_) => (2, 1),
            B::WriteRef | B::MoveTo(_) | B::MoveToGeneric(_) | B::VecPushBack(_) => (2, 0),
            B::VecSwap(_) => (3, 0),
            B::VecPack(_, count) => (*count, 1),
            B::VecUnpack(_, count) => (1, *count),
            B::Pack(index) => (fields(module, *index), 1),
            B::PackGeneric(index) => (
                fields(module, module.struct_instantiation_at(*index).def),
                1,
            ),
            B::Unpack(index) => (1, fields(module, *index)),
            B::UnpackGeneric(index) => (
                1,
                fields(module, module.struct_instantiation_at(*index).def),
            ),
            B::PackVariant(index) => (variant_fields(module, *index), 1),
            B::PackVariantGeneric(index) => {
                let handle = module.struct_variant_instantiation_at(*index).handle;
                (variant_fields(module, handle), 1)
            }
            B::UnpackVariant(index) => (1, variant_fields(module, *index)),
            B::UnpackVariantGeneric(index) => {
                let handle = module.struct_variant_instantiation_at(*index).handle;
                (1, variant_fields(module, handle))
            }
            B::Call(index) => call(module, *index),
            B::CallGeneric(index) => call(module, module.function_instantiation_at(*index).handle),
            B::PackClosure(_, mask) | B::PackClosureGeneric(_, mask) => {
                (mask.captured_count().into(), 1)
            }
            B::CallClosure(index) => call_closure(module, *index),
        };
        StackEffect { pops, pushes }
    }
}

/// The number of fields of a struct; an enum or native struct counts as having none.
fn fields(module: &CompiledModule, index: StructDefinitionIndex) -> u64 {
    let definition = module.struct_def_at(index);
    definition
        .field_information
        .fields(None)
        .map_or(0, <[_]>::len) as u64
}

fn variant_fields(module: &CompiledModule, index: StructVariantHandleIndex) -> u64 {
    let handle = module.struct_variant_handle_at(index);
    let definition = module.struct_def_at(handle.struct_index);
    definition
        .field_information
        .fields(Some(handle.variant))
        .map_or(0, <[_]>::len) as u64
}

fn call(module: &CompiledModule, index: FunctionHandleIndex) -> (u64, u64) {
    let handle = module.function_handle_at(index);
    (
        module.signature_at(handle.parameters).len() as u64,
        module.signature_at(handle.return_).len() as u64,
    )
}

fn call_closure(module: &CompiledModule, index: SignatureIndex) -> (u64, u64) {
    match module.signature_at(index).tokens() {
        [SignatureToken::Function(parameters, results, _)] => {
            (parameters.len() as u64 + 1, results.len() as u64)
        }
        // Refused by the signature checker.
        _ => (1, 0),
    }
}
