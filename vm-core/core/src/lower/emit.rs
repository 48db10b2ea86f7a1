//! Emission: a planned mono function becomes micro-ops.

use super::code::{Block, ClosureCall, Comparison, Constant, Lowered, OperandList};
use super::destack::Temp;
use super::fuse::{self, Fuser};
use super::mono::{Binary, EqualBy, Inst, Mono, Shape};
use super::plan::{Plan, Where};
use super::select;
use super::steps::Steps;
use crate::context::Context;
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::{Field, Int, Kind};
use crate::context::module::Module;
use crate::interp::op::{LOCAL_VECTOR, Op, Slot};
use crate::paranoid::step::{ShadowBuilder, ShadowStep};
use crate::stop::{Fail, Run, Stop};
use monomove_types::StatusCode;
use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;

/// Emits the code of `mono`.
pub(super) fn emit(
    ctx: &Context,
    module: &Module,
    index: u16,
    ty_args: &[TypeId],
    mono: &Mono,
    plan: &Plan,
) -> Run<Lowered> {
    let mut this = Emitter {
        mono,
        plan,
        code: Vec::new(),
        origins: Vec::new(),
        pool: Vec::new(),
        constants: Vec::new(),
        failures: Vec::new(),
        operand_lists: Vec::new(),
        slot_lists: Vec::new(),
        closure_calls: Vec::new(),
        comparisons: Vec::new(),
        variant_fields: Vec::new(),
        shadow: Vec::new(),
        origin: 0,
        block_end: 0,
        block_code: 0,
        ctx,
    };
    // Position of the first op of each block, by the code offset of its first instruction.
    let mut starts = vec![0; mono.insts.len()];
    for block in &mono.stackless.blocks {
        starts[usize::from(block.start)] = this.code.len() as u32;
        this.block(block.clone())?;
    }
    for (next, op) in (1u32..).zip(&mut this.code) {
        if let Some(target) = select::target_mut(op) {
            let start = *starts.get(*target as usize).ok_or_else(broken)?;
            *target = start.wrapping_sub(next);
        }
    }
    if plan.form.folds() {
        fuse::fuse_loops(&mut this.code);
    }
    let steps = if plan.form.folds() {
        None
    } else {
        Some(Box::new(Steps::new(mono, plan)))
    };
    let (_, handle) = module.function(index);
    let locks_module = handle
        .attributes
        .contains(&monomove_format::FunctionAttribute::ModuleLock);
    let name = module.names[usize::from(handle.name.0)];
    let types = mono
        .locals
        .iter()
        .copied()
        .chain(mono.temps.iter().copied().flatten());
    let dependencies = ctx
        .defining_modules(types)
        .into_iter()
        .filter(|&m| m != module.id)
        .collect();
    let blocks = mono
        .stackless
        .blocks
        .iter()
        .map(|b| Block {
            start: b.start,
            end: b.end,
        })
        .collect();
    Ok(Lowered {
        module: module.id,
        function_index: index,
        name,
        form: plan.form,
        ty_args: ty_args.into(),
        params: mono.params.as_slice().into(),
        results: mono.results.as_slice().into(),
        shape: plan.shape.clone(),
        frame: plan.frame,
        extent: plan.extent,
        max_height: u32::from(mono.stackless.max_height),
        is_native: false,
        provisional_in: mono.provisional.then_some(ctx.transaction),
        locks_module,
        access: None,
        locals: mono.locals.len() as u32,
        code: this.code.into(),
        origins: this.origins.into(),
        costs: mono.costs.as_slice().into(),
        blocks,
        pool: this.pool.into(),
        constants: this.constants.into(),
        failures: this.failures.into(),
        operand_lists: this.operand_lists.into(),
        slot_lists: this.slot_lists.into(),
        closure_calls: this.closure_calls.into(),
        comparisons: this.comparisons.into(),
        variant_fields: this.variant_fields.into(),
        shadow: this.shadow.into(),
        dependencies,
        steps,
    })
}

fn broken() -> Stop {
    Stop::with_message(
        StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
        "lowering: a value has no place",
    )
}

struct Emitter<'a> {
    mono: &'a Mono,
    plan: &'a Plan,
    code: Vec<Op>,
    origins: Vec<u16>,
    pool: Vec<u8>,
    constants: Vec<Constant>,
    failures: Vec<Fail>,
    operand_lists: Vec<OperandList>,
    slot_lists: Vec<Box<[Slot]>>,
    closure_calls: Vec<ClosureCall>,
    comparisons: Vec<Comparison>,
    variant_fields: Vec<Rc<[Option<u32>]>>,
    shadow: Vec<ShadowStep>,
    /// Code offset that the ops being emitted come from.
    origin: u16,
    /// Code offset behind the block being emitted.
    block_end: u16,
    /// Where its ops start, its charge aside.
    block_code: usize,
    ctx: &'a Context,
}

impl Emitter<'_> {
    fn push(&mut self, op: Op) {
        let fuser = Fuser {
            temps: self.plan.temps_start..self.plan.frame,
            variant_fields: &self.variant_fields,
        };
        let fused = (self.plan.form.folds() && !self.ctx.paranoid)
            .then(|| fuser.fuse(&self.code[self.block_code..], op))
            .flatten();
        let (mut op, mut origin) = (op, self.origin);
        if let Some(fused) = fused {
            let from = self.code.len() - fused.replaced;
            let origins = self.origins.split_off(from);
            if let Some(Op::BorrowVariant { .. }) = self.code.last() {
                // Its table of fields came with it.
                self.variant_fields.pop();
            }
            self.code.truncate(from);
            if let Some(n) = fused.origin {
                origin = origins[origins.len() - 1 - n];
            }
            if let Some(kept) = fused.kept {
                self.code.push(kept);
                self.origins.push(origins[1]);
            }
            op = fused.op;
        }
        self.code.push(op);
        self.origins.push(origin);
    }

    fn moved(&mut self, size: u32, dst: Slot, src: Slot) {
        if dst != src
            && let Some(op) = select::move_slot(size, dst, src)
        {
            self.push(op);
        }
    }

    fn place(&self, temp: Temp) -> Where {
        self.plan.temps[temp as usize]
    }

    fn slot(&self, temp: Temp) -> Run<Slot> {
        match self.place(temp) {
            Where::Slot(slot) => Ok(slot),
            Where::Out(offset) => Ok(self.plan.frame + offset),
            _ => Err(broken()),
        }
    }

    fn size(&self, temp: Temp) -> u32 {
        self.plan.temp_sizes[temp as usize]
    }

    fn source(&self, offset: u16, n: usize) -> Run<Temp> {
        self.mono
            .stackless
            .sources(offset)
            .get(n)
            .copied()
            .ok_or_else(broken)
    }

    fn source_slot(&self, offset: u16, n: usize) -> Run<Slot> {
        self.slot(self.source(offset, n)?)
    }

    /// The vector that a vector instruction works on: source 0.
    fn vector(&self, offset: u16) -> Run<Slot> {
        match self.place(self.source(offset, 0)?) {
            Where::AddressOf(slot) => Ok(slot | LOCAL_VECTOR),
            _ => self.source_slot(offset, 0),
        }
    }

    /// The slot of a reference to where the tag of an enum lies: source 0, or one that is made here.
    fn enum_base(&mut self, at: u16, boxed: bool) -> Run<Slot> {
        let base = self.source_slot(at, 0)?;
        if !boxed {
            return Ok(base);
        }
        let dst = self.plan.enum_object;
        self.push(Op::Unbox { dst, base });
        Ok(dst)
    }

    /// Adds a list of slots.
    fn slot_list(&mut self, temps: &[Temp]) -> Run<u32> {
        let slots = temps.iter().map(|&t| self.slot(t));
        let slots = slots.collect::<Run<Vec<_>>>()?;
        self.slot_lists.push(slots.into());
        Ok(self.slot_lists.len() as u32 - 1)
    }

    fn result(&self, offset: u16) -> Run<Temp> {
        self.mono
            .stackless
            .results(offset)
            .first()
            .copied()
            .ok_or_else(broken)
    }

    fn result_slot(&self, offset: u16) -> Run<Slot> {
        self.slot(self.result(offset)?)
    }

    fn local(&self, local: u8) -> (Slot, u32) {
        (
            self.plan.locals[usize::from(local)],
            self.plan.local_sizes[usize::from(local)],
        )
    }

    fn block(&mut self, block: Range<u16>) -> Run<()> {
        self.origin = block.start;
        self.block_end = block.end;
        let range = usize::from(block.start)..usize::from(block.end);
        let gas = self.mono.costs[range]
            .iter()
            .fold(0u64, |sum, cost| sum.saturating_add(*cost));
        self.block_code = self.code.len();
        self.push(Op::Charge {
            instructions: u32::from(block.end - block.start),
            gas,
        });
        self.block_code += 1;
        let mut highest = 0;
        for offset in block {
            self.origin = offset;
            if !self.plan.form.folds() {
                self.push(Op::Step { offset });
            }
            self.shadow(offset, true)?;
            self.instruction(offset)?;
            if matches!(self.mono.insts[usize::from(offset)], Inst::Fail(_)) {
                // The rest of the block is never reached.
                break;
            }
            self.shadow(offset, false)?;
            if self.plan.form.checks_height() {
                let stackless = &self.mono.stackless;
                let after = usize::from(stackless.height(offset)) - stackless.sources(offset).len()
                    + stackless.results(offset).len();
                if after > highest {
                    highest = after;
                    self.origin = offset;
                    self.push(Op::CheckHeight {
                        height: after as u32,
                    });
                }
            }
        }
        Ok(())
    }

    /// In paranoid mode: the step before or after an instruction.
    fn shadow(&mut self, at: u16, before: bool) -> Run<()> {
        if !self.ctx.paranoid {
            return Ok(());
        }
        let builder = ShadowBuilder {
            ctx: self.ctx,
            mono: self.mono,
            locals: &|local| self.local(local),
            source: &|at, n| self.source_slot(at, n),
        };
        let step = if before {
            builder.before(at)?
        } else {
            builder.after(at, || self.result_slot(at))?
        };
        if let Some(step) = step {
            self.shadow.push(step);
            self.push(Op::Shadow {
                step: self.shadow.len() as u32 - 1,
            });
        }
        Ok(())
    }

    fn instruction(&mut self, at: u16) -> Run<()> {
        match &self.mono.insts[usize::from(at)] {
            Inst::Dead | Inst::Nop | Inst::Pop | Inst::Freeze => {}
            Inst::Fail(fail) => {
                let failure = self.failures.len() as u32;
                self.failures.push((**fail).clone());
                self.push(Op::Fail { failure });
            }
            Inst::Ret => {
                for (n, slot) in self.plan.shape.results.clone().into_iter().enumerate() {
                    let temp = self.source(at, n)?;
                    self.moved(self.size(temp), slot, self.slot(temp)?);
                }
                self.push(Op::Ret);
            }
            Inst::Branch(target) => self.jump(u32::from(*target)),
            Inst::BranchIf { when, target } => self.branch(at, *when, u32::from(*target))?,
            Inst::Abort => self.push(Op::Abort {
                code: self.source_slot(at, 0)?,
            }),
            Inst::AbortMessage => {
                self.push(Op::AbortMessage {
                    code: self.source_slot(at, 0)?,
                    message: self.source_slot(at, 1)?,
                });
            }
            Inst::Const { size, value } => {
                let temp = self.result(at)?;
                if !matches!(self.place(temp), Where::Immediate(_)) {
                    let (dst, value) = (self.slot(temp)?, *value);
                    self.push(match size {
                        1 => Op::Const1 {
                            dst,
                            value: value as u32,
                        },
                        2 => Op::Const2 {
                            dst,
                            value: value as u32,
                        },
                        4 => Op::Const4 {
                            dst,
                            value: value as u32,
                        },
                        _ => Op::Const8 { dst, value },
                    });
                }
            }
            Inst::Bytes(bytes)
                if matches!(bytes.len(), 16 | 32) && bytes[8..].iter().all(|b| *b == 0) =>
            {
                let (dst, mut low) = (self.result_slot(at)?, [0; 8]);
                low.copy_from_slice(&bytes[..8]);
                let value = u64::from_le_bytes(low);
                self.push(if bytes.len() == 16 {
                    Op::Const16 { dst, value }
                } else {
                    Op::Const32 { dst, value }
                });
            }
            Inst::Bytes(bytes) => {
                let pool = self.pool.len() as u32;
                self.pool.extend_from_slice(bytes);
                self.push(Op::ConstBytes {
                    size: bytes.len() as u16,
                    dst: self.result_slot(at)?,
                    pool,
                });
            }
            Inst::Value { layout, bytes } => {
                let constant = self.constants.len() as u32;
                self.constants.push(Constant {
                    layout: *layout,
                    bytes: bytes.clone(),
                    image: OnceCell::new(),
                });
                self.push(Op::ConstValue {
                    dst: self.result_slot(at)?,
                    constant,
                });
            }
            Inst::CopyLoc {
                local,
                plain: false,
                layout,
            } => {
                let (src, _) = self.local(*local);
                let (dst, layout) = (self.result_slot(at)?, layout.ok_or_else(broken)?);
                let closure = self.ctx.layout(layout).kind == Kind::Closure;
                self.push(if closure && self.plan.form.folds() {
                    Op::CopyClosure { dst, src, layout }
                } else {
                    Op::Copy { dst, src, layout }
                });
            }
            Inst::CopyLoc { local, .. } | Inst::MoveLoc(local) => {
                let (src, size) = self.local(*local);
                self.moved(size, self.result_slot(at)?, src);
            }
            Inst::StLoc(local) => {
                let (dst, size) = self.local(*local);
                self.moved(size, dst, self.source_slot(at, 0)?);
            }
            Inst::BorrowLoc(local) => {
                let temp = self.result(at)?;
                if !matches!(self.place(temp), Where::AddressOf(_)) {
                    self.push(Op::AddressOf {
                        dst: self.slot(temp)?,
                        slot: self.local(*local).0,
                    });
                }
            }
            Inst::BorrowField(delta) => self.borrow_field(at, *delta)?,
            Inst::BorrowVariant { offsets, boxed } => {
                let base = self.enum_base(at, *boxed)?;
                let fields = self.variant_fields.len() as u32;
                self.variant_fields.push(offsets.clone());
                self.push(Op::BorrowVariant {
                    dst: self.result_slot(at)?,
                    base,
                    fields,
                });
            }
            Inst::ReadRef {
                plain,
                size,
                layout,
            } => self.read_ref(at, *plain, *size, *layout)?,
            Inst::WriteRef { size } => self.write_ref(at, *size)?,
            Inst::Binary(op, int) => {
                let temp = self.result(at)?;
                if self.place(temp) != Where::Fused {
                    let op = self.binary(at, *op, *int, self.slot(temp)?)?;
                    self.push(op);
                }
            }
            Inst::Equal { by, negated } => self.equal(at, *by, *negated)?,
            Inst::Bool(op) => {
                let (dst, a, b) = (
                    self.result_slot(at)?,
                    self.source_slot(at, 0)?,
                    self.source_slot(at, 1)?,
                );
                self.push(select::binary(*op, Int::U8, dst, a, b).ok_or_else(broken)?);
            }
            Inst::Not => self.push(Op::Not {
                dst: self.result_slot(at)?,
                a: self.source_slot(at, 0)?,
            }),
            Inst::Negate(int) => {
                let (dst, a) = (self.result_slot(at)?, self.source_slot(at, 0)?);
                self.push(match int {
                    Int::I8 => Op::NegI8 { dst, a },
                    Int::I16 => Op::NegI16 { dst, a },
                    Int::I32 => Op::NegI32 { dst, a },
                    Int::I64 => Op::NegI64 { dst, a },
                    Int::I128 => Op::NegI128 { dst, a },
                    _ => Op::NegI256 { dst, a },
                });
            }
            Inst::Cast { from, to } => {
                let (dst, src) = (self.result_slot(at)?, self.source_slot(at, 0)?);
                self.push(select::cast(*from, *to, dst, src));
            }
            Inst::Call { target, shape } => self.call(at, *target, &shape.clone())?,
            Inst::PackClosure(kind) => {
                let (dst, kind) = (self.result_slot(at)?, *kind);
                let slots = self.slot_list(self.mono.stackless.sources(at))?;
                self.push(Op::PackClosure { dst, kind, slots });
            }
            Inst::CallClosure { results } => self.call_closure(at, &results.clone())?,
            Inst::Pack(fields) => {
                let dst = self.result_slot(at)?;
                self.pack(at, dst, &fields.clone())?;
            }
            Inst::PackVariant(tag, fields) => {
                let dst = self.result_slot(at)?;
                let (tag, fields) = (*tag, fields.clone());
                self.pack(at, dst, &fields)?;
                self.push(Op::Const2 {
                    dst,
                    value: u32::from(tag),
                });
            }
            Inst::Unpack(fields) => {
                let src = self.source_slot(at, 0)?;
                self.unpack(at, src, &fields.clone())?;
            }
            Inst::UnpackVariant(tag, fields) => {
                let src = self.source_slot(at, 0)?;
                let (tag, fields) = (*tag, fields.clone());
                self.push(Op::CheckVariant { tag, slot: src });
                self.unpack(at, src, &fields)?;
            }
            Inst::PackBoxed(tag, layout) => {
                let (dst, tag, layout) = (self.result_slot(at)?, *tag, *layout);
                let slots = self.slot_list(self.mono.stackless.sources(at))?;
                self.push(Op::PackBoxed {
                    tag,
                    dst,
                    layout,
                    slots,
                });
            }
            Inst::UnpackBoxed(tag, layout) => {
                let (src, tag, layout) = (self.source_slot(at, 0)?, *tag, *layout);
                let slots = self.slot_list(self.mono.stackless.results(at))?;
                self.push(Op::UnpackBoxed {
                    tag,
                    src,
                    layout,
                    slots,
                });
            }
            Inst::TestVariant { .. } if self.place(self.result(at)?) == Where::Fused => {}
            Inst::TestVariant { tag, boxed } => {
                let (dst, base) = (self.result_slot(at)?, self.enum_base(at, *boxed)?);
                self.push(Op::TestVariant {
                    tag: *tag,
                    dst,
                    base,
                });
            }
            Inst::VecPack { element, size } => {
                let (dst, element, size) = (self.result_slot(at)?, *element, *size);
                let sources = self.mono.stackless.sources(at);
                if sources.is_empty() {
                    self.push(Op::EmptyVector { dst });
                } else {
                    let slots = sources
                        .iter()
                        .map(|&t| self.slot(t))
                        .collect::<Run<Vec<_>>>()?;
                    let operands = self.operand_list(element, size, slots);
                    self.push(Op::VecPack { dst, operands });
                }
            }
            Inst::VecUnpack { element, size } => {
                let (src, element, size) = (self.source_slot(at, 0)?, *element, *size);
                let results = self.mono.stackless.results(at);
                let slots = results
                    .iter()
                    .map(|&t| self.slot(t))
                    .collect::<Run<Vec<_>>>()?;
                let operands = self.operand_list(element, size, slots);
                self.push(Op::VecUnpack { src, operands });
            }
            Inst::VecLen => self.push(Op::VecLen {
                dst: self.result_slot(at)?,
                vec: self.vector(at)?,
            }),
            Inst::VecBorrow { size } => {
                let temp = self.result(at)?;
                if self.place(temp) != Where::Fused {
                    let (vec, index) = (self.vector(at)?, self.source_slot(at, 1)?);
                    self.push(Op::VecBorrow {
                        size: *size as u16,
                        dst: self.slot(temp)?,
                        vec,
                        index,
                    });
                }
            }
            Inst::VecPush { element, size } => {
                let (vec, src) = (self.vector(at)?, self.source_slot(at, 1)?);
                self.push(select::vec_push(*size, vec, src, *element));
            }
            Inst::VecPop { size } => {
                let (dst, vec) = (self.result_slot(at)?, self.vector(at)?);
                self.push(Op::VecPop {
                    size: *size as u16,
                    dst,
                    vec,
                });
            }
            Inst::VecSwap { size } => {
                let (vec, i, j) = (
                    self.vector(at)?,
                    self.source_slot(at, 1)?,
                    self.source_slot(at, 2)?,
                );
                self.push(Op::VecSwap {
                    size: *size as u16,
                    vec,
                    i,
                    j,
                });
            }
            Inst::Exists(layout) => {
                let (dst, address) = (self.result_slot(at)?, self.source_slot(at, 0)?);
                self.push(Op::Exists {
                    dst,
                    address,
                    layout: *layout,
                });
            }
            Inst::BorrowGlobal { layout, mutable } => {
                let (dst, address) = (self.result_slot(at)?, self.source_slot(at, 0)?);
                self.push(Op::BorrowGlobal {
                    mutable: *mutable,
                    dst,
                    address,
                    layout: *layout,
                });
            }
            Inst::MoveFrom(layout) => {
                let (dst, address) = (self.result_slot(at)?, self.source_slot(at, 0)?);
                self.push(Op::MoveFrom {
                    dst,
                    address,
                    layout: *layout,
                });
            }
            Inst::MoveTo(layout) => {
                let (signer, src) = (self.source_slot(at, 0)?, self.source_slot(at, 1)?);
                self.push(Op::MoveTo {
                    signer,
                    src,
                    layout: *layout,
                });
            }
        }
        Ok(())
    }

    fn operand_list(&mut self, element: LayoutId, size: u32, slots: Vec<Slot>) -> u32 {
        self.operand_lists.push(OperandList {
            element,
            size,
            slots: slots.into(),
        });
        self.operand_lists.len() as u32 - 1
    }

    fn borrow_field(&mut self, at: u16, delta: u32) -> Run<()> {
        let temp = self.result(at)?;
        if matches!(
            self.place(temp),
            Where::AddressOf(_) | Where::RefPlus { .. }
        ) {
            return Ok(());
        }
        let dst = self.slot(temp)?;
        match self.place(self.source(at, 0)?) {
            Where::AddressOf(slot) => self.push(Op::AddressOf {
                dst,
                slot: slot + delta,
            }),
            Where::RefPlus { base, offset } => {
                let base = self.slot(base)?;
                self.push(Op::RefAdd {
                    dst,
                    base,
                    offset: offset + delta,
                });
            }
            _ => {
                let base = self.source_slot(at, 0)?;
                self.push(Op::RefAdd {
                    dst,
                    base,
                    offset: delta,
                });
            }
        }
        Ok(())
    }

    /// Operands and origin of the element borrow that is executed as a part of its consumer.
    fn fused_borrow(&self, reference: Temp) -> Run<(Slot, Slot, u16)> {
        let def = self.mono.stackless.temps[reference as usize].def;
        Ok((self.vector(def)?, self.source_slot(def, 1)?, def))
    }

    fn read_ref(&mut self, at: u16, plain: bool, size: u32, layout: Option<LayoutId>) -> Run<()> {
        let (dst, source) = (self.result_slot(at)?, self.source(at, 0)?);
        match self.place(source) {
            Where::AddressOf(src) => self.moved(size, dst, src),
            Where::RefPlus { base, offset } => {
                let base = self.slot(base)?;
                self.push(select::load(size, dst, base, offset));
            }
            Where::Fused => {
                let (vec, index, origin) = self.fused_borrow(source)?;
                self.origin = origin;
                self.push(select::vec_load(size, dst, vec, index));
            }
            _ if plain => {
                let base = self.slot(source)?;
                self.push(select::load(size, dst, base, 0));
            }
            _ => {
                let base = self.slot(source)?;
                self.push(Op::LoadCopy {
                    dst,
                    base,
                    layout: layout.ok_or_else(broken)?,
                });
            }
        }
        Ok(())
    }

    fn write_ref(&mut self, at: u16, size: u32) -> Run<()> {
        let (src, reference) = (self.source_slot(at, 0)?, self.source(at, 1)?);
        match self.place(reference) {
            Where::AddressOf(dst) => self.moved(size, dst, src),
            Where::RefPlus { base, offset } => {
                let base = self.slot(base)?;
                self.push(select::store(size, base, offset, src));
            }
            Where::Fused => {
                let (vec, index, origin) = self.fused_borrow(reference)?;
                self.origin = origin;
                self.push(select::vec_store(size, vec, index, src));
            }
            _ => {
                let base = self.slot(reference)?;
                self.push(select::store(size, base, 0, src));
            }
        }
        Ok(())
    }

    fn binary(&self, at: u16, op: Binary, int: Int, dst: Slot) -> Run<Op> {
        let (a, b) = (self.source(at, 0)?, self.source(at, 1)?);
        let made = match (self.place(a), self.place(b)) {
            (_, Where::Immediate(imm)) => select::binary_imm(op, int, dst, self.slot(a)?, imm),
            (Where::Immediate(imm), _) => {
                let swapped = match op {
                    Binary::Lt => Binary::Gt,
                    Binary::Gt => Binary::Lt,
                    Binary::Le => Binary::Ge,
                    Binary::Ge => Binary::Le,
                    other => other,
                };
                select::binary_imm(swapped, int, dst, self.slot(b)?, imm)
            }
            _ => select::binary(op, int, dst, self.slot(a)?, self.slot(b)?),
        };
        made.ok_or_else(broken)
    }

    fn equal_bytes(&self, at: u16, bytes: u32, negated: bool, dst: Slot) -> Run<Op> {
        let (a, b) = (self.source(at, 0)?, self.source(at, 1)?);
        let made = match (self.place(a), self.place(b)) {
            (_, Where::Immediate(imm)) => {
                select::equal_imm(bytes, negated, dst, self.slot(a)?, imm)
            }
            (Where::Immediate(imm), _) => {
                select::equal_imm(bytes, negated, dst, self.slot(b)?, imm)
            }
            _ => select::equal(bytes, negated, dst, self.slot(a)?, self.slot(b)?),
        };
        made.ok_or_else(broken)
    }

    fn equal(&mut self, at: u16, by: EqualBy, negated: bool) -> Run<()> {
        let temp = self.result(at)?;
        if self.place(temp) == Where::Fused {
            return Ok(());
        }
        let dst = self.slot(temp)?;
        let op = match by {
            EqualBy::Bytes(bytes) => self.equal_bytes(at, bytes, negated, dst)?,
            EqualBy::Layout(layout, by_reference) => {
                let comparison = u16::try_from(self.comparisons.len()).map_err(|_| broken())?;
                self.comparisons.push(Comparison {
                    layout,
                    by_reference,
                    negated,
                });
                Op::EqValues {
                    comparison,
                    dst,
                    a: self.source_slot(at, 0)?,
                    b: self.source_slot(at, 1)?,
                }
            }
        };
        self.push(op);
        Ok(())
    }

    /// An unconditional jump: nothing when the target comes next, one op with the increment that loops end in.
    fn jump(&mut self, target: u32) {
        if target == u32::from(self.block_end) {
            return;
        }
        if let Some(Op::AddImmU64 { dst, a, imm }) = self.code.last().copied()
            && dst == a
            && let Ok(imm) = u16::try_from(imm)
        {
            self.code.pop();
            // The op comes from the addition, which is what can fail.
            self.code.push(Op::AddImmJumpU64 {
                imm,
                slot: dst,
                target,
            });
            return;
        }
        self.push(Op::Jump { target });
    }

    fn branch(&mut self, at: u16, when: bool, target: u32) -> Run<()> {
        let cond = self.source(at, 0)?;
        if self.place(cond) == Where::Fused {
            let def = self.mono.stackless.temps[cond as usize].def;
            if let Inst::TestVariant { tag, boxed } = self.mono.insts[usize::from(def)] {
                let base = self.enum_base(def, boxed)?;
                self.push(if when {
                    Op::JumpVariant { tag, base, target }
                } else {
                    Op::JumpNotVariant { tag, base, target }
                });
                return Ok(());
            }
            let compare = match &self.mono.insts[usize::from(def)] {
                Inst::Binary(op, int) => self.binary(def, *op, *int, 0)?,
                Inst::Equal {
                    by: EqualBy::Bytes(bytes),
                    negated,
                } => self.equal_bytes(def, *bytes, *negated, 0)?,
                _ => return Err(broken()),
            };
            let op = select::fused_branch(compare, when, target).ok_or_else(broken)?;
            self.push(op);
            return Ok(());
        }
        let cond = self.slot(cond)?;
        self.push(if when {
            Op::JumpIf { cond, target }
        } else {
            Op::JumpIfNot { cond, target }
        });
        Ok(())
    }

    fn call(&mut self, at: u16, target: crate::context::ids::TargetId, shape: &Shape) -> Run<()> {
        let frame = self.plan.frame;
        for (n, slot) in shape.params.iter().enumerate() {
            let temp = self.source(at, n)?;
            self.moved(self.size(temp), frame + slot, self.slot(temp)?);
        }
        let height = usize::from(self.mono.stackless.height(at)) - shape.params.len();
        self.push(Op::Call {
            target,
            frame,
            height: height as u32,
        });
        for (n, slot) in shape.results.iter().enumerate() {
            let temp = self.mono.stackless.results(at)[n];
            self.moved(self.size(temp), self.slot(temp)?, frame + slot);
        }
        Ok(())
    }

    fn call_closure(&mut self, at: u16, results: &[u32]) -> Run<()> {
        let sources = self.mono.stackless.sources(at);
        let Some((&closure, args)) = sources.split_last() else {
            return Err(broken());
        };
        let arguments = args
            .iter()
            .map(|&t| Ok((self.slot(t)?, self.size(t))))
            .collect::<Run<Vec<_>>>()?;
        let height = usize::from(self.mono.stackless.height(at)) - sources.len();
        let closure = self.slot(closure)?;
        self.closure_calls.push(ClosureCall {
            arguments: arguments.into(),
            frame: self.plan.frame,
            height: height as u32,
        });
        self.push(Op::CallClosure {
            closure,
            call: self.closure_calls.len() as u32 - 1,
        });
        for (n, slot) in results.iter().enumerate() {
            let temp = self.mono.stackless.results(at)[n];
            self.moved(self.size(temp), self.slot(temp)?, self.plan.frame + slot);
        }
        Ok(())
    }

    fn pack(&mut self, at: u16, dst: Slot, fields: &[Field]) -> Run<()> {
        for (n, field) in fields.iter().enumerate() {
            let temp = self.source(at, n)?;
            self.moved(self.size(temp), dst + field.offset, self.slot(temp)?);
        }
        Ok(())
    }

    fn unpack(&mut self, at: u16, src: Slot, fields: &[Field]) -> Run<()> {
        for (n, field) in fields.iter().enumerate() {
            let temp = self.mono.stackless.results(at)[n];
            self.moved(self.size(temp), self.slot(temp)?, src + field.offset);
        }
        Ok(())
    }
}
