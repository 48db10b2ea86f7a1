//! Bytecode to stackless form, once per function: the operand stack becomes temporaries.
//!
//! In verified code the stack is empty at block boundaries, so this is block-local and needs no phis: every temporary is pushed once
//! and popped once, inside one block. The form is polymorphic; instruction `i` is the bytecode at code offset `i`.

use crate::stop::{Run, Stop};
use monomove_format::{
    Bytecode, CodeUnit, CompiledModule, SignatureIndex, StructDefinitionIndex,
    StructFieldInformation,
};
use monomove_types::StatusCode;
use std::ops::Range;

/// Values one instruction may push: more never fit the operand stack.
const MAX_PUSHES: usize = 1024;
/// Operands of all instructions of a function together.
const MAX_OPERANDS: usize = 1 << 21;

/// A value that was on the operand stack: index into [`Stackless::temps`].
pub(crate) type Temp = u32;

/// Where a temporary is pushed and popped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TempInfo {
    /// Code offset of the instruction that pushes it.
    pub(crate) def: u16,
    /// Code offset of the instruction that pops it.
    pub(crate) used: u16,
}

/// Operands of one instruction: ranges of [`Stackless::operands`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operands {
    start: u32,
    sources: u16,
    results: u16,
    /// Operands on the stack before the instruction.
    height: u16,
}

/// A function without its operand stack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stackless {
    /// Basic blocks in code order.
    pub(crate) blocks: Vec<Range<u16>>,
    instructions: Vec<Operands>,
    operands: Vec<Temp>,
    pub(crate) temps: Vec<TempInfo>,
    /// Most operands on the stack at once.
    pub(crate) max_height: u16,
}

impl Stackless {
    /// Destacks function definition `index`, which has code.
    pub(crate) fn new(module: &CompiledModule, index: u16) -> Run<Self> {
        let def = &module.function_defs[usize::from(index)];
        let Some(unit) = &def.code else {
            return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR));
        };
        let handle = &module.function_handles[usize::from(def.function.0)];
        let results = module.signatures[usize::from(handle.return_.0)].0.len();
        let mut this = Self {
            blocks: blocks(unit)?,
            instructions: Vec::with_capacity(unit.code.len()),
            operands: Vec::new(),
            temps: Vec::new(),
            max_height: 0,
        };
        for block in this.blocks.clone() {
            this.block(module, unit, block, results)?;
        }
        Ok(this)
    }

    fn block(
        &mut self,
        module: &CompiledModule,
        unit: &CodeUnit,
        block: Range<u16>,
        results: usize,
    ) -> Run<()> {
        let mut stack: Vec<Temp> = Vec::new();
        for offset in block {
            let op = &unit.code[usize::from(offset)];
            let (pops, pushes) = effect(module, op, results);
            let start = self.operands.len() as u32;
            let height = stack.len();
            let Some(below) = height.checked_sub(pops) else {
                return Err(Stop::status(StatusCode::NEGATIVE_STACK_SIZE_WITHIN_BLOCK));
            };
            if pushes > MAX_PUSHES || self.operands.len() > MAX_OPERANDS {
                return Err(Stop::status(StatusCode::VALUE_STACK_PUSH_OVERFLOW));
            }
            for temp in stack.drain(below..) {
                if let Some(info) = self.temps.get_mut(temp as usize) {
                    info.used = offset;
                }
                self.operands.push(temp);
            }
            for _ in 0..pushes {
                let temp = self.temps.len() as Temp;
                self.temps.push(TempInfo {
                    def: offset,
                    used: offset,
                });
                self.operands.push(temp);
                stack.push(temp);
            }
            let (Ok(sources), Ok(results), Ok(height), Ok(after)) = (
                u16::try_from(pops),
                u16::try_from(pushes),
                u16::try_from(height),
                u16::try_from(stack.len()),
            ) else {
                return Err(Stop::status(StatusCode::VALUE_STACK_PUSH_OVERFLOW));
            };
            self.max_height = self.max_height.max(after).max(height);
            self.instructions.push(Operands {
                start,
                sources,
                results,
                height,
            });
        }
        if stack.is_empty() {
            Ok(())
        } else {
            Err(Stop::status(StatusCode::POSITIVE_STACK_SIZE_AT_BLOCK_END))
        }
    }

    /// Temporaries that the instruction at `offset` pops, the deepest first.
    pub(crate) fn sources(&self, offset: u16) -> &[Temp] {
        let o = self.instructions[usize::from(offset)];
        &self.operands[o.start as usize..o.start as usize + usize::from(o.sources)]
    }

    /// Temporaries that the instruction at `offset` pushes.
    pub(crate) fn results(&self, offset: u16) -> &[Temp] {
        let o = self.instructions[usize::from(offset)];
        let start = o.start as usize + usize::from(o.sources);
        &self.operands[start..start + usize::from(o.results)]
    }

    /// Operands on the stack before the instruction at `offset`.
    pub(crate) fn height(&self, offset: u16) -> u16 {
        self.instructions[usize::from(offset)].height
    }
}

/// Basic blocks in code order.
fn blocks(unit: &CodeUnit) -> Run<Vec<Range<u16>>> {
    let len = u16::try_from(unit.code.len())
        .map_err(|_| Stop::status(StatusCode::INDEX_OUT_OF_BOUNDS))?;
    let mut leader = vec![false; unit.code.len() + 1];
    let mut mark = |offset: usize| {
        if let Some(flag) = leader.get_mut(offset) {
            *flag = true;
        }
    };
    mark(0);
    for (offset, op) in unit.code.iter().enumerate() {
        match op {
            Bytecode::BrTrue(target) | Bytecode::BrFalse(target) | Bytecode::Branch(target) => {
                mark(usize::from(*target));
                mark(offset + 1);
            }
            Bytecode::Ret | Bytecode::Abort | Bytecode::AbortMsg => mark(offset + 1),
            _ => {}
        }
    }
    match unit.code.last() {
        None => return Err(Stop::status(StatusCode::EMPTY_CODE_UNIT)),
        Some(Bytecode::Branch(_) | Bytecode::Ret | Bytecode::Abort | Bytecode::AbortMsg) => {}
        Some(_) => return Err(Stop::status(StatusCode::INVALID_FALL_THROUGH)),
    }
    let mut blocks = Vec::new();
    let mut start = 0;
    for offset in 1..=len {
        if offset == len || leader[usize::from(offset)] {
            blocks.push(start..offset);
            start = offset;
        }
    }
    Ok(blocks)
}

/// How many operands an instruction pops and pushes. The module is bounds-checked.
fn effect(module: &CompiledModule, op: &Bytecode, results: usize) -> (usize, usize) {
    use Bytecode as B;
    let signature = |index: SignatureIndex| &module.signatures[usize::from(index.0)].0;
    let call = |handle: monomove_format::FunctionHandleIndex| {
        let handle = &module.function_handles[usize::from(handle.0)];
        (
            signature(handle.parameters).len(),
            signature(handle.return_).len(),
        )
    };
    let fields = |def: StructDefinitionIndex| match &module.struct_defs[usize::from(def.0)]
        .field_information
    {
        StructFieldInformation::Declared(fields) => fields.len(),
        _ => 0,
    };
    let generic_def = |i: &monomove_format::StructDefInstantiationIndex| {
        module.struct_def_instantiations[usize::from(i.0)].def
    };
    let variant = |i: monomove_format::StructVariantHandleIndex| {
        let handle = &module.struct_variant_handles[usize::from(i.0)];
        match &module.struct_defs[usize::from(handle.struct_index.0)].field_information {
            StructFieldInformation::DeclaredVariants(variants) => variants
                .get(usize::from(handle.variant))
                .map_or(0, |v| v.fields.len()),
            _ => 0,
        }
    };
    let generic_variant = |i: &monomove_format::StructVariantInstantiationIndex| {
        module.struct_variant_instantiations[usize::from(i.0)].handle
    };
    let count = |n: &u64| usize::try_from(*n).unwrap_or(usize::MAX);
    match op {
        B::Pop | B::BrTrue(_) | B::BrFalse(_) | B::StLoc(_) | B::Abort => (1, 0),
        B::AbortMsg => (2, 0),
        B::Ret => (results, 0),
        B::Branch(_) | B::Nop => (0, 0),
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
        | B::LdConst(_)
        | B::LdTrue
        | B::LdFalse
        | B::CopyLoc(_)
        | B::MoveLoc(_)
        | B::MutBorrowLoc(_)
        | B::ImmBorrowLoc(_) => (0, 1),
        B::MutBorrowField(_)
        | B::ImmBorrowField(_)
        | B::MutBorrowFieldGeneric(_)
        | B::ImmBorrowFieldGeneric(_)
        | B::MutBorrowVariantField(_)
        | B::ImmBorrowVariantField(_)
        | B::MutBorrowVariantFieldGeneric(_)
        | B::ImmBorrowVariantFieldGeneric(_)
        | B::TestVariant(_)
        | B::TestVariantGeneric(_)
        | B::ReadRef
        | B::FreezeRef
        | B::Not
        | B::Negate
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
        | B::Exists(_)
        | B::ExistsGeneric(_)
        | B::MutBorrowGlobal(_)
        | B::MutBorrowGlobalGeneric(_)
        | B::ImmBorrowGlobal(_)
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
        | B::Or
        | B::And
        | B::Eq
        | B::Neq
        | B::Lt
        | B::Gt
        | B::Le
        | B::Ge
        | B::Shl
        | B::Shr
        | B::VecImmBorrow(_)
        | B::VecMutBorrow(_) => (2, 1),
        B::WriteRef | B::MoveTo(_) | B::MoveToGeneric(_) | B::VecPushBack(_) => (2, 0),
        B::VecSwap(_) => (3, 0),
        B::Call(handle) => call(*handle),
        B::CallGeneric(i) => call(module.function_instantiations[usize::from(i.0)].handle),
        B::Pack(def) => (fields(*def), 1),
        B::PackGeneric(i) => (fields(generic_def(i)), 1),
        B::Unpack(def) => (1, fields(*def)),
        B::UnpackGeneric(i) => (1, fields(generic_def(i))),
        B::PackVariant(i) => (variant(*i), 1),
        B::PackVariantGeneric(i) => (variant(generic_variant(i)), 1),
        B::UnpackVariant(i) => (1, variant(*i)),
        B::UnpackVariantGeneric(i) => (1, variant(generic_variant(i))),
        B::VecPack(_, n) => (count(n), 1),
        B::VecUnpack(_, n) => (1, count(n)),
        B::PackClosure(_, mask) | B::PackClosureGeneric(_, mask) => {
            (mask.0.count_ones() as usize, 1)
        }
        B::CallClosure(i) => match signature(*i).first() {
            Some(monomove_format::SignatureToken::Function(args, results, _)) => {
                (args.len() + 1, results.len())
            }
            _ => (1, 0),
        },
    }
}
