//! Monomorphization: one function under concrete type arguments. Every instruction gets its types, layouts and static cost.

mod checks;

use super::closure::{ClosureRequest, kind};
use super::code::{Code, TargetKey};
use super::destack::{Stackless, Temp};
use crate::StateView;
use crate::context::Context;
use crate::context::closure::ClosureId;
use crate::context::ids::{LayoutId, TargetId, TypeId};
use crate::context::layout::{Field, Int, Kind, MAX_VALUE_DEPTH, UNIT};
use crate::context::module::Module;
use crate::context::types::TypeNode;
use crate::gas::GasSchedule;
use crate::stop::{Fail, Run, Stop};
use monomove_format::{
    Bytecode, FieldHandleIndex, FunctionAttribute, FunctionHandleIndex, SignatureIndex,
    StructDefinitionIndex, StructVariantHandleIndex, VariantFieldHandleIndex,
};
use monomove_types::StatusCode;
use std::rc::Rc;

/// An operation on two integers of the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Binary {
    pub(crate) fn is_comparison(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

/// How equality is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EqualBy {
    /// Scalars of this many bytes.
    Bytes(u32),
    /// Values of a layout, or (`true`) what two references refer to.
    Layout(LayoutId, bool),
}

/// A concrete instruction. Operands are the temporaries of the stackless form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Inst {
    /// After an instruction that always fails.
    Dead,
    Fail(Box<Fail>),
    Nop,
    Pop,
    Ret,
    Branch(u16),
    BranchIf {
        when: bool,
        target: u16,
    },
    Abort,
    AbortMessage,
    /// A scalar of up to 8 bytes.
    Const {
        size: u32,
        value: u64,
    },
    /// A longer scalar.
    Bytes(Box<[u8]>),
    /// A constant that is decoded onto the heap.
    Value {
        layout: LayoutId,
        bytes: Rc<[u8]>,
    },
    /// `plain`: a copy is a copy of bytes, and its cost is static.
    CopyLoc {
        local: u8,
        plain: bool,
        layout: Option<LayoutId>,
    },
    MoveLoc(u8),
    StLoc(u8),
    BorrowLoc(u8),
    BorrowField(u32),
    /// `boxed`: the enum is a pointer to an object with its tag and fields.
    BorrowVariant {
        offsets: Rc<[Option<u32>]>,
        boxed: bool,
    },
    ReadRef {
        plain: bool,
        size: u32,
        layout: Option<LayoutId>,
    },
    WriteRef {
        size: u32,
    },
    Freeze,
    Binary(Binary, Int),
    Equal {
        by: EqualBy,
        negated: bool,
    },
    Bool(Binary),
    Not,
    Negate(Int),
    Cast {
        from: Int,
        to: Int,
    },
    Call {
        target: TargetId,
        shape: Rc<Shape>,
    },
    PackClosure(ClosureId),
    /// `results`: where the results lie in the callee's frame.
    CallClosure {
        results: Rc<[u32]>,
    },
    Pack(Rc<[Field]>),
    Unpack(Rc<[Field]>),
    PackVariant(u16, Rc<[Field]>),
    UnpackVariant(u16, Rc<[Field]>),
    /// Of an enum whose values are objects.
    PackBoxed(u16, LayoutId),
    UnpackBoxed(u16, LayoutId),
    TestVariant {
        tag: u16,
        boxed: bool,
    },
    VecPack {
        element: LayoutId,
        size: u32,
    },
    VecUnpack {
        element: LayoutId,
        size: u32,
    },
    VecLen,
    VecBorrow {
        size: u32,
    },
    VecPush {
        element: LayoutId,
        size: u32,
    },
    VecPop {
        size: u32,
    },
    VecSwap {
        size: u32,
    },
    Exists(LayoutId),
    BorrowGlobal {
        layout: LayoutId,
        mutable: bool,
    },
    MoveFrom(LayoutId),
    MoveTo(LayoutId),
}

/// Where results and parameters lie at the start of a frame: results first, so that writing one never hurts a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) results: Vec<u32>,
    pub(crate) params: Vec<u32>,
    /// Bytes of both, rounded up to 8.
    pub(crate) bytes: u32,
}

impl Shape {
    pub(crate) fn new(
        ctx: &mut Context,
        view: &mut dyn StateView,
        params: &[TypeId],
        results: &[TypeId],
    ) -> Run<Self> {
        for &ty in results.iter().chain(params) {
            ctx.slot(view, ty)?;
        }
        Self::known(ctx, params, results)
            .ok_or_else(|| Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR))
    }

    /// The shape for types whose layouts are made already.
    pub(crate) fn known(ctx: &Context, params: &[TypeId], results: &[TypeId]) -> Option<Self> {
        let mut end = 0;
        let mut place = |types: &[TypeId]| -> Option<Vec<u32>> {
            types
                .iter()
                .map(|&ty| {
                    let (size, align) = ctx.known_slot(ty)?;
                    let offset = u32::next_multiple_of(end, align);
                    end = offset + size;
                    Some(offset)
                })
                .collect()
        };
        let results = place(results)?;
        let params = place(params)?;
        Some(Self {
            results,
            params,
            bytes: end.next_multiple_of(8),
        })
    }
}

/// A function under concrete type arguments.
#[derive(Debug)]
pub(crate) struct Mono {
    pub(crate) stackless: Rc<Stackless>,
    pub(crate) params: Vec<TypeId>,
    pub(crate) results: Vec<TypeId>,
    /// Types of all locals, parameters first.
    pub(crate) locals: Vec<TypeId>,
    /// By code offset.
    pub(crate) insts: Vec<Inst>,
    /// Static cost by code offset.
    pub(crate) costs: Vec<u64>,
    /// Whether an instruction fails for want of something that the state may come to hold.
    pub(crate) provisional: bool,
    /// By temporary; `None` for those that no live instruction defines.
    pub(crate) temps: Vec<Option<TypeId>>,
    /// Paranoid mode: whether values of each local may be dropped.
    pub(crate) droppable: Rc<[bool]>,
}

impl Mono {
    /// Whether values of a local may be dropped (known in paranoid mode).
    pub(crate) fn droppable(&self, local: u8) -> bool {
        self.droppable
            .get(usize::from(local))
            .copied()
            .unwrap_or(false)
    }
}

/// Resolves one function. A failure of a single instruction becomes [`Inst::Fail`] there.
pub(crate) fn monomorphize(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &mut Code,
    gas: &GasSchedule,
    module: &Rc<Module>,
    index: u16,
    ty_args: &[TypeId],
) -> Run<Mono> {
    let (def, handle) = module.function(index);
    let Some(unit) = &def.code else {
        return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR));
    };
    let stackless = module.stackless(index)?;
    let params = ctx.signature(module, handle.parameters, ty_args)?.to_vec();
    let results = ctx.signature(module, handle.return_, ty_args)?.to_vec();
    let mut locals = params.clone();
    locals.extend_from_slice(&ctx.signature(module, unit.locals, ty_args)?);
    for &local in &locals {
        ctx.slot(view, local)?;
    }
    let mut this = Builder {
        ctx,
        view,
        code,
        gas,
        module,
        ty_args,
        locals: &locals,
        results: &results,
        temps: vec![None; stackless.temps.len()],
        stackless: &stackless,
    };
    let mut insts = vec![Inst::Dead; unit.code.len()];
    let mut costs = vec![0; unit.code.len()];
    let mut provisional = false;
    for block in &stackless.blocks {
        for offset in block.clone() {
            let at = usize::from(offset);
            match this.checked_instruction(offset, &unit.code[at]) {
                Ok((inst, cost)) => (insts[at], costs[at]) = (inst, cost),
                Err(Stop::Fail(mut fail)) => {
                    // What an instruction names is resolved before it is charged.
                    fail.uncharged = true;
                    provisional |= depends_on_absence(fail.status);
                    insts[at] = Inst::Fail(fail);
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
    }
    let droppable = this.droppable_locals()?;
    let temps = this.temps;
    Ok(Mono {
        provisional,
        stackless: stackless.clone(),
        params,
        results,
        locals,
        insts,
        costs,
        temps,
        droppable,
    })
}

/// Whether a failure may be gone in another state although no module that the function uses has changed.
fn depends_on_absence(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::LINKER_ERROR
            | StatusCode::STORAGE_ERROR
            | StatusCode::CODE_DESERIALIZATION_ERROR
            | StatusCode::TYPE_RESOLUTION_FAILURE
            | StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH
    )
}

struct Builder<'a> {
    ctx: &'a mut Context,
    view: &'a mut dyn StateView,
    code: &'a mut Code,
    gas: &'a GasSchedule,
    module: &'a Rc<Module>,
    ty_args: &'a [TypeId],
    locals: &'a [TypeId],
    results: &'a [TypeId],
    temps: Vec<Option<TypeId>>,
    stackless: &'a Stackless,
}

fn mismatch() -> Stop {
    Stop::status(StatusCode::INTERNAL_TYPE_ERROR)
}

impl Builder<'_> {
    fn source(&self, offset: u16, n: usize) -> Run<TypeId> {
        let temp: Temp = *self.stackless.sources(offset).get(n).ok_or_else(mismatch)?;
        self.temps
            .get(temp as usize)
            .copied()
            .flatten()
            .ok_or_else(mismatch)
    }

    /// Source `n` must be of type `ty`; `&mut T` serves as `&T`.
    fn expect(&self, offset: u16, n: usize, ty: TypeId) -> Run<()> {
        let found = self.source(offset, n)?;
        // A function value may have more abilities than its place asks for.
        let function = |t: TypeId| match self.ctx.types.node(t) {
            Some(TypeNode::Function { args, results, .. }) => Some((args, results)),
            _ => None,
        };
        self.check_function_abilities(found, ty)?;
        let fits = found == ty
            || (ty.is_reference()
                && !ty.is_mutable_reference()
                && found.is_reference()
                && found.referent() == ty.referent())
            || (function(found).is_some() && function(found) == function(ty));
        if fits { Ok(()) } else { Err(mismatch()) }
    }

    fn expect_all(&self, offset: u16, types: &[TypeId]) -> Run<()> {
        types
            .iter()
            .enumerate()
            .try_for_each(|(n, &ty)| self.expect(offset, n, ty))
    }

    fn define(&mut self, offset: u16, types: &[TypeId]) -> Run<()> {
        let results = self.stackless.results(offset);
        if results.len() != types.len() {
            return Err(mismatch());
        }
        // A type without a layout fails here, at its instruction.
        for &ty in types {
            self.ctx.slot(self.view, ty)?;
        }
        for (&temp, &ty) in results.iter().zip(types) {
            if let Some(slot) = self.temps.get_mut(temp as usize) {
                *slot = Some(ty);
            }
        }
        Ok(())
    }

    fn token(&mut self, index: SignatureIndex) -> Run<TypeId> {
        let types = self.ctx.signature(self.module, index, self.ty_args)?;
        types.first().copied().ok_or_else(mismatch)
    }

    fn type_arguments(&mut self, index: SignatureIndex) -> Run<Vec<TypeId>> {
        let types = self.ctx.signature(self.module, index, self.ty_args)?;
        Ok(types.to_vec())
    }

    fn layout(&mut self, ty: TypeId) -> Run<LayoutId> {
        self.ctx.layout_id(self.view, ty)
    }

    fn size(&mut self, ty: TypeId) -> Run<u32> {
        Ok(self.ctx.slot(self.view, ty)?.0)
    }

    /// A struct type of this module with its layout.
    fn struct_type(
        &mut self,
        def: StructDefinitionIndex,
        args: &[TypeId],
    ) -> Run<(TypeId, LayoutId)> {
        let handle = self.module.binary.struct_defs[usize::from(def.0)].struct_handle;
        let list = self.ctx.types.list_id(args)?;
        let template = self.module.templates[usize::from(handle.0)];
        let ty = self.ctx.types.compound(TypeNode::Struct(template, list))?;
        let layout = self.layout(ty)?;
        Ok((ty, layout))
    }

    fn struct_def(&mut self, index: StructDefinitionIndex) -> Run<(TypeId, LayoutId)> {
        self.struct_type(index, &[])
    }

    fn struct_instance(
        &mut self,
        index: monomove_format::StructDefInstantiationIndex,
    ) -> Run<(TypeId, LayoutId)> {
        let instance = &self.module.binary.struct_def_instantiations[usize::from(index.0)];
        let args = self.type_arguments(instance.type_parameters)?;
        self.struct_type(instance.def, &args)
    }

    fn fields(&self, layout: LayoutId) -> Run<Rc<[Field]>> {
        match &self.ctx.layout(layout).kind {
            Kind::Struct(fields) => Ok(fields.iter().copied().collect()),
            _ => Err(mismatch()),
        }
    }

    fn is_boxed(&self, layout: LayoutId) -> bool {
        matches!(&self.ctx.layout(layout).kind, Kind::Enum(variants) if variants.is_boxed())
    }

    fn variant_fields(&self, layout: LayoutId, variant: u16) -> Run<Rc<[Field]>> {
        match &self.ctx.layout(layout).kind {
            Kind::Enum(variants) => Ok(variants.of(variant).ok_or_else(mismatch)?.into()),
            _ => Err(mismatch()),
        }
    }

    fn field_types(&self, fields: &[Field]) -> Vec<TypeId> {
        fields
            .iter()
            .map(|f| self.ctx.layout(f.layout).ty)
            .collect()
    }

    /// Whether a copy of a value is a copy of its bytes with a static cost; then its abstract size.
    fn plain_units(&mut self, ty: TypeId) -> Run<(Option<u64>, Option<LayoutId>)> {
        if ty.is_reference() {
            return Ok((Some(UNIT), None));
        }
        let id = self.layout(ty)?;
        let layout = self.ctx.layout(id);
        let units = layout
            .fixed_units
            .filter(|_| layout.plain && layout.depth <= MAX_VALUE_DEPTH);
        Ok((units, Some(id)))
    }

    fn constant(&mut self, offset: u16, ty: TypeId, bytes: &[u8]) -> Run<Inst> {
        self.define(offset, &[ty])?;
        Ok(scalar(bytes))
    }

    /// The instruction at `offset` and its static cost.
    fn instruction(&mut self, offset: u16, op: &Bytecode) -> Run<(Inst, u64)> {
        use Bytecode as B;
        let gas = self.gas;
        let binary = self.module.clone();
        let binary = &binary.binary;
        Ok(match op {
            B::Pop => {
                self.source(offset, 0)?;
                (Inst::Pop, gas.pop)
            }
            B::Ret => {
                self.expect_all(offset, self.results)?;
                (Inst::Ret, gas.ret)
            }
            B::BrTrue(target) => {
                self.expect(offset, 0, TypeId::BOOL)?;
                (
                    Inst::BranchIf {
                        when: true,
                        target: *target,
                    },
                    gas.br_true,
                )
            }
            B::BrFalse(target) => {
                self.expect(offset, 0, TypeId::BOOL)?;
                (
                    Inst::BranchIf {
                        when: false,
                        target: *target,
                    },
                    gas.br_false,
                )
            }
            B::Branch(target) => (Inst::Branch(*target), gas.branch),
            B::Nop => (Inst::Nop, gas.nop),
            B::Abort => {
                self.expect(offset, 0, TypeId::U64)?;
                (Inst::Abort, gas.abort)
            }
            B::AbortMsg => {
                self.expect(offset, 0, TypeId::U64)?;
                let message = self.ctx.types.vector(TypeId::U8)?;
                self.expect(offset, 1, message)?;
                (Inst::AbortMessage, gas.abort_msg_base)
            }
            B::LdU8(v) => (
                self.constant(offset, TypeId::U8, &v.to_le_bytes())?,
                gas.ld_u8,
            ),
            B::LdU16(v) => (
                self.constant(offset, TypeId::U16, &v.to_le_bytes())?,
                gas.ld_u16,
            ),
            B::LdU32(v) => (
                self.constant(offset, TypeId::U32, &v.to_le_bytes())?,
                gas.ld_u32,
            ),
            B::LdU64(v) => (
                self.constant(offset, TypeId::U64, &v.to_le_bytes())?,
                gas.ld_u64,
            ),
            B::LdU128(v) => (
                self.constant(offset, TypeId::U128, &v.to_le_bytes())?,
                gas.ld_u128,
            ),
            B::LdU256(v) => (self.constant(offset, TypeId::U256, &v.0)?, gas.ld_u256),
            B::LdI8(v) => (
                self.constant(offset, TypeId::I8, &v.to_le_bytes())?,
                gas.ld_i8,
            ),
            B::LdI16(v) => (
                self.constant(offset, TypeId::I16, &v.to_le_bytes())?,
                gas.ld_i16,
            ),
            B::LdI32(v) => (
                self.constant(offset, TypeId::I32, &v.to_le_bytes())?,
                gas.ld_i32,
            ),
            B::LdI64(v) => (
                self.constant(offset, TypeId::I64, &v.to_le_bytes())?,
                gas.ld_i64,
            ),
            B::LdI128(v) => (
                self.constant(offset, TypeId::I128, &v.to_le_bytes())?,
                gas.ld_i128,
            ),
            B::LdI256(v) => (self.constant(offset, TypeId::I256, &v.0)?, gas.ld_i256),
            B::LdTrue => (self.constant(offset, TypeId::BOOL, &[1])?, gas.ld_true),
            B::LdFalse => (self.constant(offset, TypeId::BOOL, &[0])?, gas.ld_false),
            B::LdConst(index) => {
                let constant = &binary.constant_pool[usize::from(index.0)];
                let ty = self.ctx.instantiate(self.module, &constant.type_, &[])?;
                let cost = gas.ld_const_base + gas.ld_const_per_byte * constant.data.len() as u64;
                let id = self.layout(ty)?;
                let layout = self.ctx.layout(id);
                let inst = match layout.kind {
                    Kind::Vector(_) => Inst::Value {
                        layout: id,
                        bytes: constant.data.as_slice().into(),
                    },
                    Kind::Bool if constant.data.len() == 1 && constant.data[0] > 1 => {
                        return Err(Stop::status(StatusCode::MALFORMED_CONSTANT_DATA));
                    }
                    Kind::Bool | Kind::Int(_) | Kind::Address
                        if constant.data.len() == layout.size as usize =>
                    {
                        scalar(&constant.data)
                    }
                    _ => return Err(Stop::status(StatusCode::MALFORMED_CONSTANT_DATA)),
                };
                self.define(offset, &[ty])?;
                (inst, cost)
            }
            B::CopyLoc(local) => {
                let ty = self.local(*local)?;
                let (units, layout) = self.plain_units(ty)?;
                self.define(offset, &[ty])?;
                let cost = gas.copy_loc_base + gas.copy_loc_per_abs_val_unit * units.unwrap_or(0);
                (
                    Inst::CopyLoc {
                        local: *local,
                        plain: units.is_some(),
                        layout,
                    },
                    cost,
                )
            }
            B::MoveLoc(local) => {
                let ty = self.local(*local)?;
                self.define(offset, &[ty])?;
                (Inst::MoveLoc(*local), gas.move_loc_base)
            }
            B::StLoc(local) => {
                self.expect(offset, 0, self.local(*local)?)?;
                (Inst::StLoc(*local), gas.st_loc_base)
            }
            B::MutBorrowLoc(local) => {
                (self.borrow_local(offset, *local, true)?, gas.mut_borrow_loc)
            }
            B::ImmBorrowLoc(local) => (
                self.borrow_local(offset, *local, false)?,
                gas.imm_borrow_loc,
            ),
            B::MutBorrowField(f) => (
                self.borrow_field(offset, *f, None, true)?,
                gas.mut_borrow_field,
            ),
            B::ImmBorrowField(f) => (
                self.borrow_field(offset, *f, None, false)?,
                gas.imm_borrow_field,
            ),
            B::MutBorrowFieldGeneric(f) | B::ImmBorrowFieldGeneric(f) => {
                let mutable = matches!(op, B::MutBorrowFieldGeneric(_));
                let instance = &binary.field_instantiations[usize::from(f.0)];
                let inst = self.borrow_field(
                    offset,
                    instance.handle,
                    Some(instance.type_parameters),
                    mutable,
                )?;
                (
                    inst,
                    if mutable {
                        gas.mut_borrow_field_generic
                    } else {
                        gas.imm_borrow_field_generic
                    },
                )
            }
            B::MutBorrowVariantField(f) => (
                self.borrow_variant(offset, *f, None, true)?,
                gas.mut_borrow_variant_field,
            ),
            B::ImmBorrowVariantField(f) => (
                self.borrow_variant(offset, *f, None, false)?,
                gas.imm_borrow_variant_field,
            ),
            B::MutBorrowVariantFieldGeneric(f) | B::ImmBorrowVariantFieldGeneric(f) => {
                let mutable = matches!(op, B::MutBorrowVariantFieldGeneric(_));
                let instance = &binary.variant_field_instantiations[usize::from(f.0)];
                let inst = self.borrow_variant(
                    offset,
                    instance.handle,
                    Some(instance.type_parameters),
                    mutable,
                )?;
                let cost = if mutable {
                    gas.mut_borrow_variant_field_generic
                } else {
                    gas.imm_borrow_variant_field_generic
                };
                (inst, cost)
            }
            B::ReadRef => {
                let reference = self.source(offset, 0)?;
                if !reference.is_reference() {
                    return Err(mismatch());
                }
                let ty = reference.referent();
                let (units, layout) = self.plain_units(ty)?;
                self.define(offset, &[ty])?;
                let size = self.size(ty)?;
                let cost = gas.read_ref_base + gas.read_ref_per_abs_val_unit * units.unwrap_or(0);
                (
                    Inst::ReadRef {
                        plain: units.is_some(),
                        size,
                        layout,
                    },
                    cost,
                )
            }
            B::WriteRef => {
                let reference = self.source(offset, 1)?;
                if !reference.is_mutable_reference() {
                    return Err(mismatch());
                }
                self.expect(offset, 0, reference.referent())?;
                (
                    Inst::WriteRef {
                        size: self.size(reference.referent())?,
                    },
                    gas.write_ref_base,
                )
            }
            B::FreezeRef => {
                let ty = self.source(offset, 0)?;
                let frozen = ty
                    .referent()
                    .reference(false)
                    .filter(|_| ty.is_mutable_reference());
                self.define(offset, &[frozen.ok_or_else(mismatch)?])?;
                (Inst::Freeze, gas.freeze_ref)
            }
            B::Add => (self.arithmetic(offset, Binary::Add)?, gas.add),
            B::Sub => (self.arithmetic(offset, Binary::Sub)?, gas.sub),
            B::Mul => (self.arithmetic(offset, Binary::Mul)?, gas.mul),
            B::Div => (self.arithmetic(offset, Binary::Div)?, gas.div),
            B::Mod => (self.arithmetic(offset, Binary::Mod)?, gas.modulo),
            B::BitAnd => (self.arithmetic(offset, Binary::And)?, gas.bit_and),
            B::BitOr => (self.arithmetic(offset, Binary::Or)?, gas.bit_or),
            B::Xor => (self.arithmetic(offset, Binary::Xor)?, gas.bit_xor),
            B::Shl => (self.arithmetic(offset, Binary::Shl)?, gas.bit_shl),
            B::Shr => (self.arithmetic(offset, Binary::Shr)?, gas.bit_shr),
            B::Lt => (self.arithmetic(offset, Binary::Lt)?, gas.lt),
            B::Le => (self.arithmetic(offset, Binary::Le)?, gas.le),
            B::Gt => (self.arithmetic(offset, Binary::Gt)?, gas.gt),
            B::Ge => (self.arithmetic(offset, Binary::Ge)?, gas.ge),
            B::Or => (self.boolean(offset, Binary::Or)?, gas.or),
            B::And => (self.boolean(offset, Binary::And)?, gas.and),
            B::Not => {
                self.expect(offset, 0, TypeId::BOOL)?;
                self.define(offset, &[TypeId::BOOL])?;
                (Inst::Not, gas.not)
            }
            B::Eq => self.equality(offset, false, gas.eq_base, gas.eq_per_abs_val_unit)?,
            B::Neq => self.equality(offset, true, gas.neq_base, gas.neq_per_abs_val_unit)?,
            B::Negate => {
                let ty = self.source(offset, 0)?;
                let int = Int::of(ty)
                    .filter(|int| int.is_signed())
                    .ok_or_else(mismatch)?;
                self.define(offset, &[ty])?;
                (Inst::Negate(int), gas.negate)
            }
            B::CastU8 => (self.cast(offset, Int::U8)?, gas.cast_u8),
            B::CastU16 => (self.cast(offset, Int::U16)?, gas.cast_u16),
            B::CastU32 => (self.cast(offset, Int::U32)?, gas.cast_u32),
            B::CastU64 => (self.cast(offset, Int::U64)?, gas.cast_u64),
            B::CastU128 => (self.cast(offset, Int::U128)?, gas.cast_u128),
            B::CastU256 => (self.cast(offset, Int::U256)?, gas.cast_u256),
            B::CastI8 => (self.cast(offset, Int::I8)?, gas.cast_i8),
            B::CastI16 => (self.cast(offset, Int::I16)?, gas.cast_i16),
            B::CastI32 => (self.cast(offset, Int::I32)?, gas.cast_i32),
            B::CastI64 => (self.cast(offset, Int::I64)?, gas.cast_i64),
            B::CastI128 => (self.cast(offset, Int::I128)?, gas.cast_i128),
            B::CastI256 => (self.cast(offset, Int::I256)?, gas.cast_i256),
            // Calls are charged by the callee's entry: its locals are known there.
            B::Call(handle) => (self.call(offset, *handle, &[])?, 0),
            B::CallGeneric(i) => {
                let instance = &binary.function_instantiations[usize::from(i.0)];
                let args = self.type_arguments(instance.type_parameters)?;
                (self.call(offset, instance.handle, &args)?, 0)
            }
            B::Pack(def) => {
                let ty = self.struct_def(*def)?;
                self.pack(offset, ty, gas.pack_base, gas.pack_per_field)?
            }
            B::PackGeneric(i) => {
                let ty = self.struct_instance(*i)?;
                self.pack(
                    offset,
                    ty,
                    gas.pack_generic_base,
                    gas.pack_generic_per_field,
                )?
            }
            B::Unpack(def) => {
                let ty = self.struct_def(*def)?;
                self.unpack(offset, ty, gas.unpack_base, gas.unpack_per_field)?
            }
            B::UnpackGeneric(i) => {
                let ty = self.struct_instance(*i)?;
                self.unpack(
                    offset,
                    ty,
                    gas.unpack_generic_base,
                    gas.unpack_generic_per_field,
                )?
            }
            B::PackVariant(_) | B::PackVariantGeneric(_) => {
                let generic = matches!(op, B::PackVariantGeneric(_));
                let ((ty, layout), variant) = self.variant(op)?;
                self.ctx.check_packed_depth(self.view, ty)?;
                let fields = self.variant_fields(layout, variant)?;
                self.expect_all(offset, &self.field_types(&fields))?;
                self.define(offset, &[ty])?;
                let (base, per) = if generic {
                    (gas.pack_generic_base, gas.pack_generic_per_field)
                } else {
                    (gas.pack_base, gas.pack_per_field)
                };
                let cost = base + per * fields.len() as u64;
                let inst = if self.is_boxed(layout) {
                    Inst::PackBoxed(variant, layout)
                } else {
                    Inst::PackVariant(variant, fields)
                };
                (inst, cost)
            }
            B::UnpackVariant(_) | B::UnpackVariantGeneric(_) => {
                let generic = matches!(op, B::UnpackVariantGeneric(_));
                let ((ty, layout), variant) = self.variant(op)?;
                let fields = self.variant_fields(layout, variant)?;
                self.expect(offset, 0, ty)?;
                self.define(offset, &self.field_types(&fields))?;
                let (base, per) = if generic {
                    (gas.unpack_generic_base, gas.unpack_generic_per_field)
                } else {
                    (gas.unpack_base, gas.unpack_per_field)
                };
                let cost = base + per * (fields.len() as u64 + 1);
                let inst = if self.is_boxed(layout) {
                    Inst::UnpackBoxed(variant, layout)
                } else {
                    Inst::UnpackVariant(variant, fields)
                };
                (inst, cost)
            }
            B::TestVariant(_) | B::TestVariantGeneric(_) => {
                let generic = matches!(op, B::TestVariantGeneric(_));
                let ((ty, layout), variant) = self.variant(op)?;
                self.variant_fields(layout, variant)?;
                self.expect_reference(offset, 0, ty)?;
                self.define(offset, &[TypeId::BOOL])?;
                (
                    Inst::TestVariant {
                        tag: variant,
                        boxed: self.is_boxed(layout),
                    },
                    if generic {
                        gas.test_variant_generic
                    } else {
                        gas.test_variant
                    },
                )
            }
            B::Exists(_) | B::ExistsGeneric(_) => {
                let layout = self.global(offset, op)?.1;
                self.define(offset, &[TypeId::BOOL])?;
                let generic = matches!(op, B::ExistsGeneric(_));
                (
                    Inst::Exists(layout),
                    if generic {
                        gas.exists_generic_base
                    } else {
                        gas.exists_base
                    },
                )
            }
            B::MutBorrowGlobal(_) | B::MutBorrowGlobalGeneric(_) => {
                let cost = match op {
                    B::MutBorrowGlobal(_) => gas.mut_borrow_global_base,
                    _ => gas.mut_borrow_global_generic_base,
                };
                (self.borrow_global(offset, op, true)?, cost)
            }
            B::ImmBorrowGlobal(_) | B::ImmBorrowGlobalGeneric(_) => {
                let cost = match op {
                    B::ImmBorrowGlobal(_) => gas.imm_borrow_global_base,
                    _ => gas.imm_borrow_global_generic_base,
                };
                (self.borrow_global(offset, op, false)?, cost)
            }
            B::MoveFrom(_) | B::MoveFromGeneric(_) => {
                let (ty, layout) = self.global(offset, op)?;
                self.define(offset, &[ty])?;
                let generic = matches!(op, B::MoveFromGeneric(_));
                (
                    Inst::MoveFrom(layout),
                    if generic {
                        gas.move_from_generic_base
                    } else {
                        gas.move_from_base
                    },
                )
            }
            B::MoveTo(_) | B::MoveToGeneric(_) => {
                let (ty, layout) = match op {
                    B::MoveTo(def) => self.struct_def(*def)?,
                    B::MoveToGeneric(i) => self.struct_instance(*i)?,
                    _ => return Err(mismatch()),
                };
                self.expect_reference(offset, 0, TypeId::SIGNER)?;
                self.expect(offset, 1, ty)?;
                let generic = matches!(op, B::MoveToGeneric(_));
                (
                    Inst::MoveTo(layout),
                    if generic {
                        gas.move_to_generic_base
                    } else {
                        gas.move_to_base
                    },
                )
            }
            B::VecPack(sig, n) => {
                let element = self.token(*sig)?;
                self.ctx.check_packed_depth(self.view, element)?;
                let (layout, size) = (self.layout(element)?, self.size(element)?);
                let count = self.stackless.sources(offset).len();
                (0..count).try_for_each(|i| self.expect(offset, i, element))?;
                let ty = self.ctx.types.vector(element)?;
                self.layout(ty)?;
                self.define(offset, &[ty])?;
                (
                    Inst::VecPack {
                        element: layout,
                        size,
                    },
                    gas.vec_pack_base + gas.vec_pack_per_elem * *n,
                )
            }
            B::VecUnpack(sig, n) => {
                let element = self.token(*sig)?;
                let (layout, size) = (self.layout(element)?, self.size(element)?);
                let ty = self.ctx.types.vector(element)?;
                self.expect(offset, 0, ty)?;
                self.define(offset, &vec![element; self.stackless.results(offset).len()])?;
                let cost = gas.vec_unpack_base + gas.vec_unpack_per_expected_elem * *n;
                (
                    Inst::VecUnpack {
                        element: layout,
                        size,
                    },
                    cost,
                )
            }
            B::VecLen(sig) => {
                self.vector(offset, *sig, false)?;
                self.define(offset, &[TypeId::U64])?;
                (Inst::VecLen, gas.vec_len_base)
            }
            B::VecImmBorrow(sig) | B::VecMutBorrow(sig) => {
                let mutable = matches!(op, B::VecMutBorrow(_));
                let (element, _, size) = self.vector(offset, *sig, mutable)?;
                self.expect(offset, 1, TypeId::U64)?;
                self.define(offset, &[element.reference(mutable).ok_or_else(mismatch)?])?;
                (
                    Inst::VecBorrow { size },
                    if mutable {
                        gas.vec_mut_borrow_base
                    } else {
                        gas.vec_imm_borrow_base
                    },
                )
            }
            B::VecPushBack(sig) => {
                let (element, layout, size) = self.vector(offset, *sig, true)?;
                self.expect(offset, 1, element)?;
                (
                    Inst::VecPush {
                        element: layout,
                        size,
                    },
                    gas.vec_push_back_base,
                )
            }
            B::VecPopBack(sig) => {
                let (element, _, size) = self.vector(offset, *sig, true)?;
                self.define(offset, &[element])?;
                (Inst::VecPop { size }, gas.vec_pop_back_base)
            }
            B::VecSwap(sig) => {
                let (_, _, size) = self.vector(offset, *sig, true)?;
                self.expect(offset, 1, TypeId::U64)?;
                self.expect(offset, 2, TypeId::U64)?;
                (Inst::VecSwap { size }, gas.vec_swap_base)
            }
            B::PackClosure(handle, mask) => {
                let inst = self.pack_closure(offset, *handle, &[], mask.0)?;
                (
                    inst,
                    gas.pack_closure_base
                        + gas.pack_closure_per_arg * u64::from(mask.0.count_ones()),
                )
            }
            B::PackClosureGeneric(i, mask) => {
                let instance = &binary.function_instantiations[usize::from(i.0)];
                let args = self.type_arguments(instance.type_parameters)?;
                let inst = self.pack_closure(offset, instance.handle, &args, mask.0)?;
                let per_arg = gas.pack_closure_generic_per_arg * u64::from(mask.0.count_ones());
                (inst, gas.pack_closure_generic_base + per_arg)
            }
            // Charged like a call, by the callee's entry.
            B::CallClosure(sig) => (self.call_closure(offset, *sig)?, 0),
        })
    }

    fn local(&self, local: u8) -> Run<TypeId> {
        self.locals
            .get(usize::from(local))
            .copied()
            .ok_or_else(mismatch)
    }

    fn borrow_local(&mut self, offset: u16, local: u8, mutable: bool) -> Run<Inst> {
        let ty = self.local(local)?.reference(mutable).ok_or_else(mismatch)?;
        self.define(offset, &[ty])?;
        Ok(Inst::BorrowLoc(local))
    }

    fn expect_reference(&self, offset: u16, n: usize, referent: TypeId) -> Run<()> {
        let found = self.source(offset, n)?;
        if found.is_reference() && found.referent() == referent {
            Ok(())
        } else {
            Err(mismatch())
        }
    }

    fn borrow_field(
        &mut self,
        offset: u16,
        handle: FieldHandleIndex,
        args: Option<SignatureIndex>,
        mutable: bool,
    ) -> Run<Inst> {
        let handle = &self.module.clone().binary.field_handles[usize::from(handle.0)];
        let args = args.map_or(Ok(Vec::new()), |i| self.type_arguments(i))?;
        let (ty, layout) = self.struct_type(handle.owner, &args)?;
        let field = *self
            .fields(layout)?
            .get(usize::from(handle.field))
            .ok_or_else(mismatch)?;
        self.borrow_checked(offset, ty, mutable)?;
        let field_type = self.ctx.layout(field.layout).ty;
        self.define(
            offset,
            &[field_type.reference(mutable).ok_or_else(mismatch)?],
        )?;
        Ok(Inst::BorrowField(field.offset))
    }

    /// Source 0 must be a reference to `ty`, a mutable one if the result is.
    fn borrow_checked(&self, offset: u16, ty: TypeId, mutable: bool) -> Run<()> {
        self.expect_reference(offset, 0, ty)?;
        if mutable && !self.source(offset, 0)?.is_mutable_reference() {
            return Err(mismatch());
        }
        Ok(())
    }

    fn borrow_variant(
        &mut self,
        offset: u16,
        handle: VariantFieldHandleIndex,
        args: Option<SignatureIndex>,
        mutable: bool,
    ) -> Run<Inst> {
        let handle = &self.module.clone().binary.variant_field_handles[usize::from(handle.0)];
        let args = args.map_or(Ok(Vec::new()), |i| self.type_arguments(i))?;
        let (ty, layout) = self.struct_type(handle.struct_index, &args)?;
        let Kind::Enum(variants) = &self.ctx.layout(layout).kind else {
            return Err(mismatch());
        };
        let boxed = variants.is_boxed();
        let mut offsets = vec![None; variants.fields.len()];
        let mut field_type = None;
        for &variant in &handle.variants {
            let at = usize::from(variant);
            let field = variants
                .of(variant)
                .and_then(|fields| fields.get(usize::from(handle.field)))
                .ok_or_else(mismatch)?;
            let this_type = self.ctx.layout(field.layout).ty;
            if field_type.is_some_and(|ty| ty != this_type) {
                return Err(mismatch());
            }
            field_type = Some(this_type);
            offsets[at] = Some(field.offset);
        }
        self.borrow_checked(offset, ty, mutable)?;
        let reference = field_type
            .and_then(|ty| ty.reference(mutable))
            .ok_or_else(mismatch)?;
        self.define(offset, &[reference])?;
        Ok(Inst::BorrowVariant {
            offsets: offsets.into(),
            boxed,
        })
    }

    fn arithmetic(&mut self, offset: u16, op: Binary) -> Run<Inst> {
        let ty = self.source(offset, 0)?;
        let int = Int::of(ty).ok_or_else(mismatch)?;
        let shift = matches!(op, Binary::Shl | Binary::Shr);
        if int.is_signed() && (shift || matches!(op, Binary::And | Binary::Or | Binary::Xor)) {
            return Err(mismatch());
        }
        self.expect(offset, 1, if shift { TypeId::U8 } else { ty })?;
        self.define(
            offset,
            &[if op.is_comparison() { TypeId::BOOL } else { ty }],
        )?;
        Ok(Inst::Binary(op, int))
    }

    fn boolean(&mut self, offset: u16, op: Binary) -> Run<Inst> {
        self.expect_all(offset, &[TypeId::BOOL, TypeId::BOOL])?;
        self.define(offset, &[TypeId::BOOL])?;
        Ok(Inst::Bool(op))
    }

    fn cast(&mut self, offset: u16, to: Int) -> Run<Inst> {
        let from = Int::of(self.source(offset, 0)?).ok_or_else(mismatch)?;
        self.define(offset, &[to.ty()])?;
        Ok(Inst::Cast { from, to })
    }

    fn equality(
        &mut self,
        offset: u16,
        negated: bool,
        base: u64,
        per_unit: u64,
    ) -> Run<(Inst, u64)> {
        let (a, b) = (self.source(offset, 0)?, self.source(offset, 1)?);
        if a.is_reference() != b.is_reference() || a.referent() != b.referent() {
            return Err(mismatch());
        }
        let id = self.layout(a.referent())?;
        self.define(offset, &[TypeId::BOOL])?;
        let layout = self.ctx.layout(id);
        let scalar = matches!(layout.kind, Kind::Bool | Kind::Int(_) | Kind::Address);
        if scalar && !a.is_reference() {
            let by = EqualBy::Bytes(layout.size);
            return Ok((Inst::Equal { by, negated }, base + per_unit * 2 * UNIT));
        }
        Ok((
            Inst::Equal {
                by: EqualBy::Layout(id, a.is_reference()),
                negated,
            },
            base,
        ))
    }

    fn call(&mut self, offset: u16, handle: FunctionHandleIndex, args: &[TypeId]) -> Run<Inst> {
        let module = self.module.clone();
        let handle = &module.binary.function_handles[usize::from(handle.0)];
        let params = self.ctx.signature(&module, handle.parameters, args)?;
        let results = self.ctx.signature(&module, handle.return_, args)?;
        self.expect_all(offset, &params)?;
        self.define(offset, &results)?;
        let shape = Rc::new(Shape::new(self.ctx, self.view, &params, &results)?);
        let types = &mut self.ctx.types;
        let key = TargetKey {
            module: module.modules[usize::from(handle.module.0)],
            name: module.names[usize::from(handle.name.0)],
            ty_args: types.list_id(args)?,
            params: types.list_id(&params)?,
            results: types.list_id(&results)?,
            caller: Some(module.id),
        };
        Ok(Inst::Call {
            target: self.code.target(key)?,
            shape,
        })
    }

    fn pack_closure(
        &mut self,
        offset: u16,
        handle: FunctionHandleIndex,
        args: &[TypeId],
        mask: u64,
    ) -> Run<Inst> {
        let module = self.module.clone();
        let handle = &module.binary.function_handles[usize::from(handle.0)];
        let params = self.ctx.signature(&module, handle.parameters, args)?;
        let results = self.ctx.signature(&module, handle.return_, args)?;
        let captured = params
            .iter()
            .enumerate()
            .filter(|(i, _)| *i < 64 && mask & (1 << i) != 0)
            .map(|(_, &ty)| ty);
        self.expect_all(offset, &captured.collect::<Vec<_>>())?;
        let request = ClosureRequest {
            function: (
                module.modules[usize::from(handle.module.0)],
                module.names[usize::from(handle.name.0)],
                self.ctx.types.list_id(args)?,
            ),
            params: &params,
            results: &results,
            mask,
            persistent: handle.attributes.contains(&FunctionAttribute::Persistent),
            caller: Some(module.id),
        };
        let id = kind(self.ctx, self.view, self.code, &request)?;
        let ty = self.ctx.closures.at(id)?.value_type;
        self.define(offset, &[ty])?;
        Ok(Inst::PackClosure(id))
    }

    fn call_closure(&mut self, offset: u16, sig: SignatureIndex) -> Run<Inst> {
        let ty = self.token(sig)?;
        let Some(TypeNode::Function { args, results, .. }) = self.ctx.types.node(ty) else {
            return Err(Stop::status(StatusCode::CLOSURE_CALL_REQUIRES_FUNCTION));
        };
        let (args, results) = (
            self.ctx.types.list(args).to_vec(),
            self.ctx.types.list(results).to_vec(),
        );
        self.expect_all(offset, &args)?;
        self.expect(offset, args.len(), ty)?;
        self.define(offset, &results)?;
        let shape = Shape::new(self.ctx, self.view, &[], &results)?;
        Ok(Inst::CallClosure {
            results: shape.results.into(),
        })
    }

    fn pack(
        &mut self,
        offset: u16,
        ty: (TypeId, LayoutId),
        base: u64,
        per_field: u64,
    ) -> Run<(Inst, u64)> {
        self.ctx.check_packed_depth(self.view, ty.0)?;
        let fields = self.fields(ty.1)?;
        self.expect_all(offset, &self.field_types(&fields))?;
        self.define(offset, &[ty.0])?;
        let cost = base + per_field * fields.len() as u64;
        Ok((Inst::Pack(fields), cost))
    }

    fn unpack(
        &mut self,
        offset: u16,
        ty: (TypeId, LayoutId),
        base: u64,
        per_field: u64,
    ) -> Run<(Inst, u64)> {
        let fields = self.fields(ty.1)?;
        self.expect(offset, 0, ty.0)?;
        self.define(offset, &self.field_types(&fields))?;
        let cost = base + per_field * fields.len() as u64;
        Ok((Inst::Unpack(fields), cost))
    }

    fn variant(&mut self, op: &Bytecode) -> Run<((TypeId, LayoutId), u16)> {
        use Bytecode as B;
        let module = self.module.clone();
        let (handle, args): (StructVariantHandleIndex, Option<SignatureIndex>) = match op {
            B::PackVariant(i) | B::UnpackVariant(i) | B::TestVariant(i) => (*i, None),
            B::PackVariantGeneric(i) | B::UnpackVariantGeneric(i) | B::TestVariantGeneric(i) => {
                let instance = &module.binary.struct_variant_instantiations[usize::from(i.0)];
                (instance.handle, Some(instance.type_parameters))
            }
            _ => return Err(mismatch()),
        };
        let handle = &module.binary.struct_variant_handles[usize::from(handle.0)];
        let args = args.map_or(Ok(Vec::new()), |i| self.type_arguments(i))?;
        Ok((
            self.struct_type(handle.struct_index, &args)?,
            handle.variant,
        ))
    }

    /// The resource type of an instruction that takes an address.
    fn global(&mut self, offset: u16, op: &Bytecode) -> Run<(TypeId, LayoutId)> {
        use Bytecode as B;
        let ty = match op {
            B::Exists(d) | B::MoveFrom(d) | B::MutBorrowGlobal(d) | B::ImmBorrowGlobal(d) => {
                self.struct_def(*d)?
            }
            B::ExistsGeneric(i)
            | B::MoveFromGeneric(i)
            | B::MutBorrowGlobalGeneric(i)
            | B::ImmBorrowGlobalGeneric(i) => self.struct_instance(*i)?,
            _ => return Err(mismatch()),
        };
        self.expect(offset, 0, TypeId::ADDRESS)?;
        Ok(ty)
    }

    fn borrow_global(&mut self, offset: u16, op: &Bytecode, mutable: bool) -> Run<Inst> {
        let (ty, layout) = self.global(offset, op)?;
        self.define(offset, &[ty.reference(mutable).ok_or_else(mismatch)?])?;
        Ok(Inst::BorrowGlobal { layout, mutable })
    }

    /// The element type of a vector instruction whose source 0 is a reference to the vector.
    fn vector(
        &mut self,
        offset: u16,
        sig: SignatureIndex,
        mutable: bool,
    ) -> Run<(TypeId, LayoutId, u32)> {
        let element = self.token(sig)?;
        let ty = self.ctx.types.vector(element)?;
        self.borrow_checked(offset, ty, mutable)?;
        self.layout(ty)?;
        Ok((element, self.layout(element)?, self.size(element)?))
    }
}

/// A constant of scalar type from its little-endian bytes.
fn scalar(bytes: &[u8]) -> Inst {
    if bytes.len() > 8 {
        return Inst::Bytes(bytes.into());
    }
    let mut value = [0; 8];
    value[..bytes.len()].copy_from_slice(bytes);
    Inst::Const {
        size: bytes.len() as u32,
        value: u64::from_le_bytes(value),
    }
}
