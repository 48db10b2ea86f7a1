//! Steps: what the shadow does at one instruction. Made when the instruction is lowered.

use crate::context::Context;
use crate::context::ids::{LayoutId, TypeId};
use crate::interp::op::Slot;
use crate::lower::mono::{EqualBy, Inst, Mono};
use crate::stop::Run;
use std::rc::Rc;

/// A reference operand: its slot, and the layout of what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) referent: LayoutId,
}

/// What the shadow does before an instruction (or, where it says so, after it).
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ShadowStep {
    /// Takes operands of any kind and leaves values.
    Values { pops: u16, pushes: u16 },
    /// Copies a local; `walk`: its slot and layout, when the copy is more than one of bytes.
    CopyLocal {
        local: u8,
        walk: Option<(Slot, LayoutId)>,
    },
    /// Moves a local out.
    MoveLocal { local: u8 },
    /// Stores to a local, whose old value goes.
    StoreLocal { local: u8, droppable: bool },
    /// Borrows a local.
    BorrowLocal { local: u8, slot: Slot, size: u32 },
    /// Borrows a part of what a reference refers to.
    BorrowField(Place),
    /// The same, of the live variant of an enum.
    BorrowVariant(Place),
    /// Reads through a reference; `walk`: the copy is more than one of bytes.
    Read { from: Place, walk: bool },
    /// Writes through the reference on top.
    Write(Place),
    /// Compares referents.
    EqualReferents(Place, Place),
    /// Compares values that have pointers.
    EqualValues { a: Slot, b: Slot, layout: LayoutId },
    /// Takes a code and the message in this slot.
    Message { slot: Slot, layout: LayoutId },
    /// Calls a function with so many arguments.
    Call { arguments: u16 },
    /// Calls the function value in a slot with so many arguments.
    CallClosure { closure: Slot, arguments: u16 },
    /// Tests for a variant.
    TestVariant(Place),
    /// Borrows a part of the object of an enum.
    BorrowBoxed(Place),
    /// Tests for a variant of an enum that is an object.
    TestBoxed(Place),
    /// Takes an enum apart that is an object.
    UnpackBoxed {
        slot: Slot,
        layout: LayoutId,
        pushes: u16,
    },
    /// Takes a vector apart.
    VecUnpack {
        slot: Slot,
        element: LayoutId,
        pushes: u16,
    },
    /// Reads the length of a vector.
    VecLen { vector: Place, element: LayoutId },
    /// Borrows an element.
    VecBorrow { vector: Place, element: LayoutId },
    /// Adds, removes or exchanges elements.
    VecChange {
        vector: Place,
        element: LayoutId,
        pops: u16,
        pushes: u16,
    },
    /// Stores a value under the signer that the deeper operand refers to.
    MoveTo(Place),
    /// After the instruction: the reference in this slot, which is on top, refers to an object.
    Borrowed { slot: Slot },
    /// Leaves the function. Locals that are still there must be droppable.
    Return { results: u16, droppable: Rc<[bool]> },
    /// Enters a native.
    NativeCall,
    /// Leaves it.
    NativeReturn,
}

/// What building a step reads.
pub(crate) struct ShadowBuilder<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) mono: &'a Mono,
    /// Slot and size of each local.
    pub(crate) locals: &'a dyn Fn(u8) -> (Slot, u32),
    /// Slot of an operand, by code offset and position.
    pub(crate) source: &'a dyn Fn(u16, usize) -> Run<Slot>,
}

impl ShadowBuilder<'_> {
    fn operand_type(&self, at: u16, n: usize) -> Option<TypeId> {
        let temp = *self.mono.stackless.sources(at).get(n)?;
        self.mono.temps.get(temp as usize).copied().flatten()
    }

    fn place(&self, at: u16, n: usize) -> Run<Place> {
        let referent = self
            .operand_type(at, n)
            .and_then(|ty| self.ctx.layout_if_made(ty.referent()))
            .ok_or_else(|| super::failed("the referent of an operand has no layout"))?;
        Ok(Place {
            slot: (self.source)(at, n)?,
            referent,
        })
    }

    /// The element layout of the vector that operand `n` is or refers to.
    fn element(&self, at: u16, n: usize) -> Run<LayoutId> {
        self.operand_type(at, n)
            .and_then(|ty| self.ctx.layout_if_made(ty.referent()))
            .and_then(|id| super::values::element_of(self.ctx, id))
            .ok_or_else(|| super::failed("an operand is not a vector"))
    }

    /// The step before the instruction at `at`; `None` where there is nothing to do.
    pub(crate) fn before(&self, at: u16) -> Run<Option<ShadowStep>> {
        let pops = self.mono.stackless.sources(at).len() as u16;
        let pushes = self.mono.stackless.results(at).len() as u16;
        let source = |n| (self.source)(at, n);
        Ok(Some(match &self.mono.insts[usize::from(at)] {
            Inst::Dead
            | Inst::Fail(_)
            | Inst::Nop
            | Inst::Branch(_)
            // Freezing changes the type, and nothing that the shadow knows.
            | Inst::Freeze => return Ok(None),
            Inst::CopyLoc {
                local,
                plain,
                layout,
            } => ShadowStep::CopyLocal {
                local: *local,
                walk: layout
                    .filter(|_| !plain)
                    .map(|layout| ((self.locals)(*local).0, layout)),
            },
            Inst::MoveLoc(local) => ShadowStep::MoveLocal { local: *local },
            Inst::StLoc(local) => ShadowStep::StoreLocal {
                local: *local,
                droppable: self.mono.droppable(*local),
            },
            Inst::BorrowLoc(local) => {
                let (slot, size) = (self.locals)(*local);
                ShadowStep::BorrowLocal {
                    local: *local,
                    slot,
                    size,
                }
            }
            Inst::BorrowField(_) => ShadowStep::BorrowField(self.place(at, 0)?),
            Inst::BorrowVariant { boxed: true, .. } => ShadowStep::BorrowBoxed(self.place(at, 0)?),
            Inst::BorrowVariant { .. } => ShadowStep::BorrowVariant(self.place(at, 0)?),
            Inst::ReadRef { plain, .. } => ShadowStep::Read {
                from: self.place(at, 0)?,
                walk: !plain,
            },
            Inst::WriteRef { .. } => ShadowStep::Write(self.place(at, 1)?),
            Inst::Equal {
                by: EqualBy::Layout(_, true),
                ..
            } => ShadowStep::EqualReferents(self.place(at, 0)?, self.place(at, 1)?),
            Inst::Equal {
                by: EqualBy::Layout(layout, false),
                ..
            } => ShadowStep::EqualValues {
                a: source(0)?,
                b: source(1)?,
                layout: *layout,
            },
            Inst::AbortMessage => ShadowStep::Message {
                slot: source(1)?,
                layout: self.place(at, 1)?.referent,
            },
            Inst::Call { .. } => ShadowStep::Call { arguments: pops },
            Inst::CallClosure { .. } => {
                let arguments = pops.saturating_sub(1);
                ShadowStep::CallClosure {
                    closure: source(usize::from(arguments))?,
                    arguments,
                }
            }
            Inst::TestVariant { boxed: true, .. } => ShadowStep::TestBoxed(self.place(at, 0)?),
            Inst::UnpackBoxed(_, layout) => ShadowStep::UnpackBoxed {
                slot: source(0)?,
                layout: *layout,
                pushes,
            },
            Inst::TestVariant { .. } => ShadowStep::TestVariant(self.place(at, 0)?),
            Inst::VecUnpack { element, .. } => ShadowStep::VecUnpack {
                slot: source(0)?,
                element: *element,
                pushes,
            },
            Inst::VecLen => ShadowStep::VecLen {
                vector: self.place(at, 0)?,
                element: self.element(at, 0)?,
            },
            Inst::VecBorrow { .. } => ShadowStep::VecBorrow {
                vector: self.place(at, 0)?,
                element: self.element(at, 0)?,
            },
            Inst::VecPush { .. } | Inst::VecPop { .. } | Inst::VecSwap { .. } => ShadowStep::VecChange {
                vector: self.place(at, 0)?,
                element: self.element(at, 0)?,
                pops,
                pushes,
            },
            Inst::MoveTo(_) => ShadowStep::MoveTo(self.place(at, 0)?),
            Inst::Ret => ShadowStep::Return {
                results: pops,
                droppable: self.mono.droppable.clone(),
            },
            Inst::Pop
            | Inst::BranchIf { .. }
            | Inst::Abort
            | Inst::Const { .. }
            | Inst::Bytes(_)
            | Inst::Value { .. }
            | Inst::Binary(..)
            | Inst::Equal { .. }
            | Inst::Bool(_)
            | Inst::Not
            | Inst::Negate(_)
            | Inst::Cast { .. }
            | Inst::PackClosure(_)
            | Inst::Pack(_)
            | Inst::Unpack(_)
            | Inst::PackVariant(..)
            | Inst::UnpackVariant(..)
            | Inst::PackBoxed(..)
            | Inst::VecPack { .. }
            | Inst::Exists(_)
            | Inst::BorrowGlobal { .. }
            | Inst::MoveFrom(_) => ShadowStep::Values { pops, pushes },
        }))
    }

    /// The step after the instruction at `at`, if there is one. `slot`: of its result.
    pub(crate) fn after(
        &self,
        at: u16,
        slot: impl FnOnce() -> Run<Slot>,
    ) -> Run<Option<ShadowStep>> {
        Ok(match self.mono.insts[usize::from(at)] {
            Inst::BorrowGlobal { .. } => Some(ShadowStep::Borrowed { slot: slot()? }),
            _ => None,
        })
    }
}
