//! Where every temporary of a mono function lives: decided per basic block, before any op is emitted.
//!
//! Each temporary is defined once and used once in its block, which makes three things local and cheap:
//! a read of a local becomes the local's own slot when nothing writes it before the use; a value is produced right where it is
//! consumed (a local, a field of a struct being packed, an argument or result slot) when that place is free from there on; and small
//! constants and addresses of locals are folded into their consumer. What is left gets a slot of the frame, reused within the block.

use super::Form;
use super::destack::Temp;
use super::mono::{Binary, EqualBy, Inst, Mono, Shape};
use super::select::has_immediates;
use crate::StateView;
use crate::context::Context;
use crate::context::layout::{MAX_VALUE_BYTES, REFERENCE_BYTES};
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;
use std::collections::BTreeMap;
use std::ops::Range;

/// Instructions looked at between definition and use; beyond that a value simply gets a slot of its own.
const WINDOW: u16 = 64;

/// Bytes of a frame and the areas of its callees; `Op` slots and the stack region allow far more.
pub(super) const MAX_FRAME: u32 = 1 << 22;

/// Where a temporary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// Not decided, or never defined.
    Nowhere,
    /// In the frame.
    Slot(u32),
    /// In the area after the frame, where callees have their results and parameters.
    Out(u32),
    /// Folded into its consumer.
    Immediate(u32),
    /// A reference to this slot of the frame, folded into its consumer.
    AddressOf(u32),
    /// The reference in `base` moved by `offset`, folded into its consumer.
    RefPlus { base: Temp, offset: u32 },
    /// Its instruction is executed as a part of its consumer.
    Fused,
}

/// The frame of a function.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) shape: Shape,
    pub(super) locals: Vec<u32>,
    pub(super) local_sizes: Vec<u32>,
    pub(super) temps: Vec<Where>,
    pub(super) temp_sizes: Vec<u32>,
    /// Where instructions keep a reference to the object of an enum while they look at it; the frame has the slot if one needs it.
    pub(super) enum_object: u32,
    /// Where the slots of temporaries start; they end with the frame.
    pub(super) temps_start: u32,
    pub(super) frame: u32,
    pub(super) extent: u32,
    pub(super) form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Root {
    /// A slot of its own, shared with the parts that are produced into it; named by the outermost temporary.
    Own(Temp),
    Local(u8),
    Result(u32),
    Out,
}

#[derive(Clone, Copy, Debug)]
struct Dest {
    root: Root,
    offset: u32,
    /// Code offset where the root is consumed.
    until: u16,
}

struct Planner<'a> {
    mono: &'a Mono,
    shape: &'a Shape,
    locals: &'a [u32],
    sizes: &'a [u32],
    borrowed: Vec<bool>,
    /// Whether operands may share places with others; if not, each has a slot of its own.
    folds: bool,
    places: Vec<Where>,
    /// The local whose slot a folded temporary reads.
    reads: Vec<Option<u8>>,
    dests: Vec<Option<Dest>>,
    /// Life of own slots, by root: first definition, last use.
    lives: Vec<Option<(u16, u16)>>,
    /// Where call results wait in the out area: from the call to their use.
    busy: Vec<(u16, u16)>,
    temps_start: u32,
    temps_end: u32,
}

/// Plans the frame of `mono`.
pub(super) fn plan(
    ctx: &mut Context,
    view: &mut dyn StateView,
    mono: &Mono,
    form: Form,
) -> Run<Plan> {
    let too_large = || {
        Stop::with_message(
            StatusCode::MEMORY_LIMIT_EXCEEDED,
            "the frame of the function is too large",
        )
    };
    let shape = Shape::new(ctx, view, &mono.params, &mono.results)?;
    let (mut locals, mut local_sizes, mut end) = (Vec::new(), Vec::new(), shape.bytes);
    for (i, &ty) in mono.locals.iter().enumerate() {
        let (size, align) = ctx.slot(view, ty)?;
        local_sizes.push(size);
        locals.push(match shape.params.get(i) {
            Some(&slot) => slot,
            None => {
                let slot = end.next_multiple_of(align);
                end = slot + size;
                slot
            }
        });
    }
    let mut sizes = Vec::with_capacity(mono.temps.len());
    for ty in &mono.temps {
        sizes.push(ty.map_or(Ok(0), |ty| ctx.slot(view, ty).map(|s| s.0))?);
    }
    let enum_object = end.next_multiple_of(8);
    let temps_start = if mono.insts.iter().any(looks_into_object) {
        enum_object + REFERENCE_BYTES
    } else {
        enum_object
    };
    let mut planner = Planner {
        mono,
        shape: &shape,
        locals: &locals,
        sizes: &sizes,
        borrowed: borrowed(mono),
        folds: form.folds() && !ctx.paranoid,
        places: vec![Where::Nowhere; mono.temps.len()],
        reads: vec![None; mono.temps.len()],
        dests: vec![None; mono.temps.len()],
        lives: vec![None; mono.temps.len()],
        busy: Vec::new(),
        temps_start,
        temps_end: temps_start,
    };
    for block in &mono.stackless.blocks {
        planner.block(block.clone());
    }
    let (temps, frame) = (planner.places, planner.temps_end);
    let out = mono
        .insts
        .iter()
        .zip(0..)
        .map(|(inst, offset)| match inst {
            Inst::Call { shape, .. } => shape.bytes,
            Inst::CallClosure { results } => results
                .iter()
                .zip(mono.stackless.results(offset))
                .map(|(slot, &temp)| slot + sizes[temp as usize])
                .max()
                .unwrap_or(0),
            _ => 0,
        })
        .max();
    let extent = frame
        .checked_add(out.unwrap_or(0))
        .filter(|&n| n <= MAX_FRAME)
        .ok_or_else(too_large)?;
    Ok(Plan {
        shape,
        locals,
        local_sizes,
        temps,
        temp_sizes: sizes,
        enum_object,
        temps_start,
        frame,
        extent,
        form,
    })
}

/// Whether an instruction looks at an enum that is an object.
pub(super) fn looks_into_object(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::BorrowVariant { boxed: true, .. } | Inst::TestVariant { boxed: true, .. }
    )
}

/// Locals that a reference is ever taken of.
fn borrowed(mono: &Mono) -> Vec<bool> {
    let mut borrowed = vec![false; mono.locals.len()];
    for inst in &mono.insts {
        if let Inst::BorrowLoc(local) = inst {
            borrowed[usize::from(*local)] = true;
        }
    }
    borrowed
}

/// Whether an instruction may read or write what a reference refers to.
fn follows_references(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::ReadRef { .. }
            | Inst::WriteRef { .. }
            | Inst::Call { .. }
            | Inst::CallClosure { .. }
            | Inst::BorrowVariant { .. }
            | Inst::TestVariant { .. }
            | Inst::Equal { .. }
            | Inst::VecLen
            | Inst::VecBorrow { .. }
            | Inst::VecPush { .. }
            | Inst::VecPop { .. }
            | Inst::VecSwap { .. }
            | Inst::MoveTo(_)
    )
}

/// Whether an instruction may write what a reference refers to.
fn writes_references(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::WriteRef { .. }
            | Inst::Call { .. }
            | Inst::CallClosure { .. }
            | Inst::VecPush { .. }
            | Inst::VecPop { .. }
            | Inst::VecSwap { .. }
    )
}

/// Whether an instruction becomes one op, which reads all its operands before it writes its result.
fn is_atomic(inst: &Inst) -> bool {
    !matches!(
        inst,
        Inst::Pack(_)
            | Inst::Unpack(_)
            | Inst::PackVariant(..)
            | Inst::UnpackVariant(..)
            | Inst::PackBoxed(..)
            | Inst::UnpackBoxed(..)
            | Inst::VecUnpack { .. }
            | Inst::VecPack { .. }
            | Inst::PackClosure(_)
            | Inst::CallClosure { .. }
            | Inst::Call { .. }
    )
}

/// Whether an instruction runs another function, which uses the out area.
fn is_call(inst: &Inst) -> bool {
    matches!(inst, Inst::Call { .. } | Inst::CallClosure { .. })
}

impl Planner<'_> {
    fn inst(&self, offset: u16) -> &Inst {
        &self.mono.insts[usize::from(offset)]
    }

    fn result(&self, offset: u16) -> Option<Temp> {
        self.mono.stackless.results(offset).first().copied()
    }

    fn source(&self, offset: u16, n: usize) -> Option<Temp> {
        self.mono.stackless.sources(offset).get(n).copied()
    }

    /// The instruction that really consumes a temporary (freezing only renames it), and as which operand.
    fn consumer(&self, temp: Temp) -> (u16, usize) {
        let mut temp = temp;
        loop {
            let used = self.mono.stackless.temps[temp as usize].used;
            match self.result(used) {
                Some(next) if matches!(self.inst(used), Inst::Freeze) && next != temp => {
                    temp = next
                }
                _ => {
                    let operand = self
                        .mono
                        .stackless
                        .sources(used)
                        .iter()
                        .position(|&t| t == temp);
                    return (used, operand.unwrap_or(0));
                }
            }
        }
    }

    fn place(&self, temp: Temp) -> Where {
        self.places[temp as usize]
    }

    fn set(&mut self, temp: Temp, place: Where, reads: Option<u8>) {
        self.places[temp as usize] = place;
        self.reads[temp as usize] = reads;
    }

    fn block(&mut self, block: Range<u16>) {
        self.busy.clear();
        if self.folds {
            for offset in block.clone() {
                self.fold(offset);
            }
        }
        for offset in block.clone().rev() {
            for n in 0..self.mono.stackless.results(offset).len() {
                let temp = self.mono.stackless.results(offset)[n];
                if self.is_own(temp) && self.renamed(temp).is_none() {
                    self.choose_destination(temp, offset);
                }
            }
        }
        self.extend_bases(block.clone());
        self.assign_slots(block);
    }

    /// Whether a temporary needs a place that is not decided by `fold`.
    fn is_own(&self, temp: Temp) -> bool {
        self.place(temp) == Where::Nowhere && self.mono.temps[temp as usize].is_some()
    }

    // --- Folding -----------------------------------------------------------------------------------------------------------

    /// Folds what the instruction at `offset` defines into its consumer, where that is possible.
    fn fold(&mut self, offset: u16) {
        let Some(temp) = self.result(offset) else {
            return;
        };
        let (used, operand) = self.consumer(temp);
        match *self.inst(offset) {
            Inst::Const { value, .. } => {
                if let Some(imm) = self.immediate(used, operand, value) {
                    self.set(temp, Where::Immediate(imm), None);
                }
            }
            Inst::CopyLoc {
                local, plain: true, ..
            }
            | Inst::MoveLoc(local)
                if !self.written_between(local, offset, used) =>
            {
                self.set(
                    temp,
                    Where::Slot(self.locals[usize::from(local)]),
                    Some(local),
                );
            }
            Inst::BorrowLoc(local) if self.takes_address(used, operand) => {
                self.set(
                    temp,
                    Where::AddressOf(self.locals[usize::from(local)]),
                    Some(local),
                );
            }
            Inst::BorrowField(delta) => self.fold_field(offset, temp, delta, used, operand),
            Inst::ReadRef { plain: true, .. } => {
                let Some(source) = self.source(offset, 0) else {
                    return;
                };
                if let (Where::AddressOf(slot), Some(local)) =
                    (self.place(source), self.reads[source as usize])
                    && !self.written_between(local, offset, used)
                {
                    self.set(temp, Where::Slot(slot), Some(local));
                }
            }
            Inst::Freeze => {
                // A renaming: whatever was decided for the source holds; its consumer is the same.
                if let Some(source) = self.source(offset, 0) {
                    let (place, reads) = (self.place(source), self.reads[source as usize]);
                    self.set(temp, place, reads);
                }
            }
            Inst::Binary(op, int) if op.is_comparison() && has_immediates(int) => {
                self.fuse_branch(offset, temp, used)
            }
            Inst::TestVariant { .. } => self.fuse_branch(offset, temp, used),
            Inst::Equal {
                by: EqualBy::Bytes(1 | 2 | 4 | 8),
                ..
            } => self.fuse_branch(offset, temp, used),
            Inst::VecBorrow { .. } => {
                let access = match self.inst(used) {
                    Inst::ReadRef { plain, .. } => *plain,
                    Inst::WriteRef { .. } => operand == 1,
                    _ => false,
                };
                if access && used == offset + 1 {
                    self.set(temp, Where::Fused, None);
                }
            }
            Inst::Call { .. } | Inst::CallClosure { .. } => self.fold_results(offset),
            _ => {}
        }
    }

    fn fuse_branch(&mut self, offset: u16, temp: Temp, used: u16) {
        if used == offset + 1 && matches!(self.inst(used), Inst::BranchIf { .. }) {
            self.set(temp, Where::Fused, None);
        }
    }

    /// Results of a call stay where the callee left them until they are used, if no call comes before.
    fn fold_results(&mut self, offset: u16) {
        let slots = match self.inst(offset) {
            Inst::Call { shape, .. } => shape.results.clone(),
            Inst::CallClosure { results } => results.to_vec(),
            _ => return,
        };
        for (n, slot) in slots.into_iter().enumerate() {
            let temp = self.mono.stackless.results(offset)[n];
            let (used, _) = self.consumer(temp);
            if used - offset <= WINDOW && !(offset + 1..=used).any(|k| is_call(self.inst(k))) {
                self.set(temp, Where::Out(slot), None);
                self.busy.push((offset, used));
            }
        }
    }

    fn fold_field(&mut self, offset: u16, temp: Temp, delta: u32, used: u16, operand: usize) {
        let Some(source) = self.source(offset, 0) else {
            return;
        };
        match self.place(source) {
            Where::AddressOf(slot) if self.takes_address(used, operand) => {
                self.set(
                    temp,
                    Where::AddressOf(slot + delta),
                    self.reads[source as usize],
                );
            }
            Where::RefPlus {
                base,
                offset: first,
            } if self.takes_offset(used, operand) && self.base_lives(base, offset, used) => {
                self.set(
                    temp,
                    Where::RefPlus {
                        base,
                        offset: first + delta,
                    },
                    self.reads[base as usize],
                );
            }
            Where::Slot(_) | Where::Nowhere
                if self.takes_offset(used, operand) && self.base_lives(source, offset, used) =>
            {
                self.set(
                    temp,
                    Where::RefPlus {
                        base: source,
                        offset: delta,
                    },
                    self.reads[source as usize],
                );
            }
            _ => {}
        }
    }

    /// Whether the reference in `base` is still there at `used` (its own use is at `offset`).
    fn base_lives(&self, base: Temp, offset: u16, used: u16) -> bool {
        self.reads[base as usize].is_none_or(|local| !self.written_between(local, offset, used))
    }

    /// Whether `local` may be written after `from` and before `to`.
    fn written_between(&self, local: u8, from: u16, to: u16) -> bool {
        if to - from > WINDOW {
            return true;
        }
        let borrowed = self.borrowed[usize::from(local)];
        (from + 1..to).any(|k| match self.inst(k) {
            Inst::StLoc(x) => *x == local,
            inst => borrowed && writes_references(inst),
        })
    }

    /// Whether operand `operand` of the instruction at `used` may be the address of a slot that is only computed there.
    fn takes_address(&self, used: u16, operand: usize) -> bool {
        let vector = matches!(
            self.inst(used),
            Inst::VecLen
                | Inst::VecBorrow { .. }
                | Inst::VecPush { .. }
                | Inst::VecPop { .. }
                | Inst::VecSwap { .. }
        );
        (vector && operand == 0) || self.takes_offset(used, operand)
    }

    /// Whether operand `operand` of the instruction at `used` may be a reference with an offset that is only added there.
    fn takes_offset(&self, used: u16, operand: usize) -> bool {
        match self.inst(used) {
            Inst::ReadRef { plain, .. } => *plain,
            Inst::BorrowField(_) => true,
            Inst::WriteRef { .. } => operand == 1,
            _ => false,
        }
    }

    /// The immediate form of a constant, if its consumer has an op for it.
    fn immediate(&self, used: u16, operand: usize, value: u64) -> Option<u32> {
        let imm = u32::try_from(value).ok()?;
        let other_is_constant = || {
            let other = self.source(used, 1 - operand.min(1));
            other.is_none_or(|t| {
                matches!(
                    self.inst(self.mono.stackless.temps[t as usize].def),
                    Inst::Const { .. }
                )
            })
        };
        match *self.inst(used) {
            Inst::Binary(op, int) if has_immediates(int) => {
                if operand == 0 {
                    let swaps = op.is_comparison()
                        || matches!(
                            op,
                            Binary::Add | Binary::Mul | Binary::And | Binary::Or | Binary::Xor
                        );
                    return (swaps && !other_is_constant()).then_some(imm);
                }
                match op {
                    Binary::Div | Binary::Mod if imm == 0 => None,
                    Binary::Shl | Binary::Shr if imm >= int.bytes() * 8 => None,
                    _ => Some(imm),
                }
            }
            Inst::Equal {
                by: EqualBy::Bytes(1 | 2 | 4 | 8),
                ..
            } => (operand == 1 || !other_is_constant()).then_some(imm),
            _ => None,
        }
    }

    // --- Destinations ------------------------------------------------------------------------------------------------------

    fn choose_destination(&mut self, temp: Temp, def: u16) {
        let (used, operand) = self.consumer(temp);
        let direct = match self.inst(used) {
            _ if !self.folds => None,
            Inst::StLoc(local) if self.local_free(*local, def, used) => Some(Dest {
                root: Root::Local(*local),
                offset: 0,
                until: used,
            }),
            Inst::Ret => self.shape.results.get(operand).map(|&slot| Dest {
                root: Root::Result(slot),
                offset: 0,
                until: used,
            }),
            Inst::Call { shape, .. } if self.out_free(def, used) => {
                shape.params.get(operand).map(|&slot| Dest {
                    root: Root::Out,
                    offset: slot,
                    until: used,
                })
            }
            Inst::Pack(fields) | Inst::PackVariant(_, fields) => {
                self.destination_in(def, used, fields.get(operand))
            }
            _ => None,
        };
        let dest = direct.unwrap_or(Dest {
            root: Root::Own(temp),
            offset: 0,
            until: used,
        });
        self.dests[temp as usize] = Some(dest);
        if let Root::Own(root) = dest.root {
            let life = self.lives[root as usize].get_or_insert((def, dest.until));
            life.0 = life.0.min(def);
            life.1 = life.1.max(dest.until);
        }
    }

    /// The place of a field inside the value that the instruction at `used` packs.
    fn destination_in(
        &self,
        def: u16,
        used: u16,
        field: Option<&crate::context::layout::Field>,
    ) -> Option<Dest> {
        let whole = self.dests[self.result(used)? as usize]?;
        let free = match whole.root {
            Root::Own(_) | Root::Result(_) => true,
            Root::Local(local) => self.local_free(local, def, whole.until),
            Root::Out => self.out_free(def, whole.until),
        };
        free.then_some(Dest {
            offset: whole.offset + field?.offset,
            ..whole
        })
    }

    /// Whether `local` may hold a new value from `def` on, though it is stored only at `until`.
    fn local_free(&self, local: u8, def: u16, until: u16) -> bool {
        if until - def > WINDOW || (!is_atomic(self.inst(def)) && self.touches(def, local)) {
            return false;
        }
        let borrowed = self.borrowed[usize::from(local)];
        !(def + 1..until)
            .any(|k| self.touches(k, local) || (borrowed && follows_references(self.inst(k))))
    }

    /// Whether the instruction at `k` reads or writes the slot of `local` by name.
    fn touches(&self, k: u16, local: u8) -> bool {
        let named = match self.inst(k) {
            Inst::CopyLoc { local: x, .. }
            | Inst::MoveLoc(x)
            | Inst::StLoc(x)
            | Inst::BorrowLoc(x) => *x == local,
            _ => false,
        };
        named
            || self
                .mono
                .stackless
                .sources(k)
                .iter()
                .any(|&t| self.reads[t as usize] == Some(local))
    }

    /// Whether the out area may be written from `def` on for the call at `until`.
    fn out_free(&self, def: u16, until: u16) -> bool {
        if until - def > WINDOW || (def + 1..until).any(|k| is_call(self.inst(k))) {
            return false;
        }
        // Several results of one call may overlap the parameters of the next.
        if is_call(self.inst(def)) && self.mono.stackless.results(def).len() > 1 {
            return false;
        }
        let atomic = is_atomic(self.inst(def));
        !self
            .busy
            .iter()
            .any(|&(call, used)| call < def && (def < used || (def == used && !atomic)))
    }

    // --- Slots -------------------------------------------------------------------------------------------------------------

    /// A folded operand keeps what it is based on alive up to its own consumer.
    fn extend_bases(&mut self, block: Range<u16>) {
        for offset in block {
            for n in 0..self.mono.stackless.results(offset).len() {
                let temp = self.mono.stackless.results(offset)[n];
                let (used, _) = self.consumer(temp);
                match self.place(temp) {
                    Where::RefPlus { base, .. } => self.keep(base, used),
                    Where::Fused => {
                        for i in 0..self.mono.stackless.sources(offset).len() {
                            let source = self.mono.stackless.sources(offset)[i];
                            self.keep(source, used);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn keep(&mut self, temp: Temp, until: u16) {
        let mut root = temp;
        // A frozen reference lives in the slot of its source.
        while let Some(source) = self.renamed(root) {
            root = source;
        }
        if let Some(Dest {
            root: Root::Own(own),
            ..
        }) = self.dests[root as usize]
            && let Some(life) = &mut self.lives[own as usize]
        {
            life.1 = life.1.max(until);
        }
    }

    fn renamed(&self, temp: Temp) -> Option<Temp> {
        let def = self.mono.stackless.temps[temp as usize].def;
        if matches!(self.inst(def), Inst::Freeze) {
            self.source(def, 0).filter(|&s| s != temp)
        } else {
            None
        }
    }

    /// Gives own slots their place in the frame: first fit by size among those whose life is over.
    fn assign_slots(&mut self, block: Range<u16>) {
        let mut roots: Vec<(u16, u16, Temp)> = Vec::new();
        let temps = |this: &Self, offset: u16| this.mono.stackless.results(offset).to_vec();
        for offset in block.clone() {
            for temp in temps(self, offset) {
                if let Some((from, to)) = self.lives[temp as usize] {
                    roots.push((from, to, temp));
                }
            }
        }
        roots.sort_unstable();
        let mut free: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut active: BTreeMap<(u16, Temp), (u32, u32)> = BTreeMap::new();
        let mut slots: BTreeMap<Temp, u32> = BTreeMap::new();
        let mut end = self.temps_start;
        for (from, to, root) in roots {
            while let Some((&key, &(size, slot))) = active.first_key_value() {
                if key.0 >= from {
                    break;
                }
                active.remove(&key);
                free.entry(size).or_default().push(slot);
            }
            let size = self.sizes[root as usize]
                .min(MAX_VALUE_BYTES)
                .next_multiple_of(8);
            let slot = free.get_mut(&size).and_then(Vec::pop).unwrap_or_else(|| {
                let slot = end;
                end = end.saturating_add(size);
                slot
            });
            slots.insert(root, slot);
            active.insert((to, root), (size, slot));
        }
        self.temps_end = self.temps_end.max(end);
        for offset in block {
            for temp in temps(self, offset) {
                if let Some(source) = self.renamed(temp)
                    && self.place(temp) == Where::Nowhere
                {
                    self.places[temp as usize] = self.place(source);
                    continue;
                }
                let Some(dest) = self.dests[temp as usize] else {
                    continue;
                };
                self.places[temp as usize] = match dest.root {
                    Root::Own(root) => Where::Slot(
                        slots.get(&root).copied().unwrap_or(self.temps_start) + dest.offset,
                    ),
                    Root::Local(local) => {
                        Where::Slot(self.locals[usize::from(local)] + dest.offset)
                    }
                    Root::Result(slot) => Where::Slot(slot + dest.offset),
                    Root::Out => Where::Out(dest.offset),
                };
            }
        }
    }
}
