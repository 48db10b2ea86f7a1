//! Where execution stands in lowered code: a pointer into the ops of one function.

use crate::interp::op::Op;

/// A position in the code of a function.
///
/// The machine keeps every [`CodeRef`] it has handed out alive for as long as a transaction runs (lowered functions are boxed and
/// dropped only with the whole context), and lowered code always ends in an op that leaves it; `lower::check` makes sure that each
/// jump target lies in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pc(*const Op);

/// The first op of a lowered function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeRef(*const Op);

impl CodeRef {
    /// No code: the placeholder of functions that are not lowered yet. Never executed.
    pub(crate) const NONE: Self = Self(std::ptr::null());

    /// The code of a function that the caller keeps alive and in place.
    pub(crate) fn new(code: &[Op]) -> Self {
        Self(code.as_ptr())
    }

    /// The position of the op at `index`.
    #[inline(always)]
    pub(crate) fn at(self, index: u32) -> Pc {
        // SAFETY: `index` is a checked jump target (or 0) of this code, so the result points into the same allocation.
        Pc(unsafe { self.0.add(index as usize) })
    }
}

impl Pc {
    /// The op here.
    #[inline(always)]
    pub(crate) fn op<'a>(self) -> &'a Op {
        // SAFETY: a `Pc` points at an op of a lowered function that outlives the transaction (see the type).
        unsafe { &*self.0 }
    }

    /// The cost of the block that starts here: instructions and gas.
    #[inline(always)]
    pub(crate) fn charge(self) -> (u32, u64) {
        match *self.op() {
            Op::Charge { instructions, gas } => (instructions, gas),
            // SAFETY: only asked for at the start of a function, behind a conditional jump, or at a jump target; `lower::check`
            // makes sure that there is a `Charge` at each of them.
            _ => unsafe { std::hint::unreachable_unchecked() },
        }
    }

    /// The position after this one.
    #[inline(always)]
    pub(crate) fn next(self) -> Pc {
        // SAFETY: at most one past the end; code ends in an op that leaves it, so it is not read there.
        Pc(unsafe { self.0.add(1) })
    }

    /// The position before this one.
    pub(crate) fn previous(self) -> Pc {
        // SAFETY: only asked for behind an op that was executed, so there is one before.
        Pc(unsafe { self.0.sub(1) })
    }

    /// The position `delta` ops from here, as the two's complement of a signed number.
    #[inline(always)]
    pub(crate) fn jump(self, delta: u32) -> Pc {
        // SAFETY: `delta` leads from behind a jump to its target; `lower::check` made sure that it lies in this code.
        Pc(unsafe { self.0.offset(delta as i32 as isize) })
    }

    /// Index of this position in `code`.
    pub(crate) fn index_in(self, code: CodeRef) -> usize {
        (self.0 as usize).wrapping_sub(code.0 as usize) / size_of::<Op>()
    }
}
