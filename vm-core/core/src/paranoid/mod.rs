//! Paranoid mode: runtime checks that make any bounds-checked bytecode, verified or not, end with a status.
//!
//! Two parts. When a function is lowered, what the verifier would know about types is checked again for the concrete types
//! (`lower::mono`'s `checks`): abilities, private operations, constraints. When it runs, a *shadow* executes beside it: lowered code
//! has an [`Op::Shadow`](crate::interp::op::Op::Shadow) before each instruction (nothing is folded, so that each operand has a slot
//! of its own), which carries one [`ShadowStep`]. The shadow has an operand stack and locals of its own that hold no values but
//! what is known about them ([`Tag`]): whether a local is there, and what each reference was borrowed from.
//!
//! What follows from it, and why nothing else is needed:
//! - *Ownership is unique.* Operands are used once (the operand stack is balanced per block), locals that were moved are gone, copies are
//!   deep, and a place that lost its value without a move of its local (a popped element, a moved resource) is behind an object
//!   whose generation was raised. So values are trees, and walking one costs no more than its bytes on the heap.
//! - *A reference is followed only into what it was borrowed from*, and only while that is alive: the local still holds the value it
//!   held, the object has the generation it had, every enum on the way has the variant it had, and the bytes lie within. So the bytes
//!   behind a reference of type `&T` are always a `T`.
//! - *Values are well formed* before an operation walks them or follows a vector's header: [`values`]. This cannot fail if the
//!   two points above hold; it is checked all the same, so that no address outside the transaction's own memory is used in wasm32
//!   either, where the memory is not checked on access.
//!
//! Gas and results are those of the unchecked mode: steps are not charged, and a program that passes the verifier fails no check.

pub(crate) mod shadow;
pub(crate) mod step;
pub(crate) mod values;

pub(crate) use shadow::Shadow;
pub(crate) use step::ShadowStep;

use crate::memory::{Addr, Memory};
use crate::stop::Stop;
use monomove_types::StatusCode;
use std::rc::Rc;

/// Sub-status of `UNKNOWN_INVARIANT_VIOLATION_ERROR`: a runtime type check (`specs/runtime.md`, appendix).
const PARANOID: u64 = 1;
/// Sub-status: a reference is used that is not valid any more.
const REFERENCE_SAFETY: u64 = 3;
/// Sub-status: a reference into an enum is used after the enum changed its variant.
const VARIANT_CHANGED: u64 = 4;

fn violation(sub_status: u64, message: &'static str) -> Stop {
    let stop = Stop::with_message(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR, message);
    match stop {
        Stop::Fail(mut fail) => {
            fail.sub_status = Some(sub_status);
            Stop::Fail(fail)
        }
        stale => stale,
    }
}

/// A runtime check failed.
#[cold]
pub(crate) fn failed(message: &'static str) -> Stop {
    violation(PARANOID, message)
}

/// A reference is not valid.
#[cold]
pub(crate) fn dangling(message: &'static str) -> Stop {
    violation(REFERENCE_SAFETY, message)
}

/// The enum around a reference changed its variant.
#[cold]
pub(crate) fn variant_changed() -> Stop {
    violation(
        VARIANT_CHANGED,
        "the enum that a reference points into has another variant now",
    )
}

/// What is known about an operand or a local.
#[derive(Clone, Debug)]
pub(crate) enum Tag {
    /// A value: it owns everything it has.
    Value,
    /// A reference.
    Reference(Origin),
}

/// What a reference was borrowed from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    base: Base,
    /// The innermost enum on the way from the base to the referent.
    guard: Option<Rc<Guard>>,
}

/// Where a reference starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// A local of the activation `serial` at `depth`, while it holds what it held: its generation.
    Local {
        depth: usize,
        serial: u64,
        local: u8,
        generation: u32,
        start: Addr,
        size: u32,
    },
    /// An object on the heap: a global value, a table item, the elements of a vector, an argument of the transaction.
    Object { address: Addr, generation: u32 },
    /// An object that was not alive any more when the heap was collected.
    Gone,
    /// An element without bytes.
    Nothing,
}

impl Tag {
    /// While a collection runs: follows the object that a reference was borrowed from.
    fn relocate(&mut self, memory: &Memory) {
        let Self::Reference(origin) = self else {
            return;
        };
        let Base::Object {
            address,
            generation,
        } = origin.base
        else {
            return;
        };
        origin.base = match memory.moved(address) {
            Some(to) => {
                let by = to.wrapping_sub(address);
                origin.guard = origin.guard.as_deref().map(|guard| guard.moved(by));
                Base::Object {
                    address: to,
                    generation,
                }
            }
            None => Base::Gone,
        };
    }
}

/// An enum that a reference points into: it must have this variant. It lies in what the reference was borrowed from.
#[derive(Debug)]
struct Guard {
    at: Addr,
    variant: u16,
    outer: Option<Rc<Guard>>,
}

impl Guard {
    /// The same, with all that is around it, in an object that has moved. There are no more of them than types nest.
    fn moved(&self, by: u32) -> Rc<Self> {
        Rc::new(Self {
            at: self.at.wrapping_add(by),
            variant: self.variant,
            outer: self.outer.as_deref().map(|outer| outer.moved(by)),
        })
    }
}
