//! The two phases of a machine's context, as guards.
//!
//! In an *execution* phase the context grows: modules are loaded, types interned, functions lowered; nothing is freed. Between blocks there
//! is *maintenance*: tables are measured, and all of them are dropped together when they are large or hold what no state has any more. A
//! guard borrows the machine exclusively, and what it hands out borrows from the same borrow, so that these do not compile:
//!
//! an id that outlives its phase,
//! ```compile_fail,E0499
//! # use monomove_core::{Machine, MachineConfig, NoState};
//! # use monomove_types::TypeTag;
//! let mut machine = Machine::new(MachineConfig::default());
//! let vector = TypeTag::Vector(Box::new(TypeTag::U8));
//! let ty = machine.execution().intern(&vector, &mut NoState).unwrap();
//! machine.maintenance().reset();
//! let _ = machine.execution().tag(ty);
//! ```
//! what was learned of a type, kept into maintenance,
//! ```compile_fail,E0499
//! # use monomove_core::{Machine, MachineConfig, NoState};
//! # use monomove_types::TypeTag;
//! let mut machine = Machine::new(MachineConfig::default());
//! let mut execution = machine.execution();
//! let ty = execution.intern(&TypeTag::U8, &mut NoState).unwrap();
//! let facts = execution.describe(ty, &mut NoState).unwrap();
//! machine.maintenance().reset();
//! drop(facts);
//! ```
//! and maintenance beside execution.
//! ```compile_fail,E0499
//! # use monomove_core::{Machine, MachineConfig};
//! let mut machine = Machine::new(MachineConfig::default());
//! let execution = machine.execution();
//! let maintenance = machine.maintenance();
//! drop(execution);
//! # drop(maintenance);
//! ```
//! An id can leave its phase as a [`RawTypeId`], a number with the epoch in which it was given. One from before a reset is refused:
//! ```
//! # use monomove_core::{Machine, MachineConfig, NoState, StaleId};
//! # use monomove_types::TypeTag;
//! let mut machine = Machine::new(MachineConfig::default());
//! let vector = TypeTag::Vector(Box::new(TypeTag::U8));
//! let raw = machine.execution().intern(&vector, &mut NoState).unwrap().raw();
//! assert!(machine.execution().resolve(raw).is_ok());
//! machine.maintenance().reset();
//! assert_eq!(machine.execution().resolve(raw).err(), Some(StaleId));
//! ```

use crate::context::ContextStats;
use crate::context::ids::TypeId;
use crate::context::layout::Kind;
use crate::context::types::TypeNode;
use crate::machine::{Machine, stop_to_failure};
use crate::stop::{Run, Stop};
use crate::{Call, CallOutput, Failure, StateView};
use monomove_types::{AbilitySet, StatusCode, TypeTag};
use std::marker::PhantomData;
use thiserror::Error;

/// Bytes of all tables above which maintenance drops them: with the growth that one block can bring (which the memory of a sandbox bounds),
/// ids stay far below the bits that are reserved for tags, which 2^28 entries of at least 8 bytes would be needed to reach.
pub const HEADROOM_BYTES: u64 = 96 << 20;

/// The execution phase: may read and add, never frees.
#[derive(Debug)]
pub struct ExecutionGuard<'m> {
    pub(crate) machine: &'m mut Machine,
}

/// The maintenance phase: may measure and drop. Nothing that an execution phase handed out exists.
#[derive(Debug)]
pub struct MaintenanceGuard<'m> {
    pub(crate) machine: &'m mut Machine,
}

/// An interned type, for as long as its phase lasts. Equal types have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interned<'m> {
    id: TypeId,
    epoch: u32,
    /// Neither shortened nor extended.
    phase: PhantomData<fn(&'m ()) -> &'m ()>,
}

/// The number of an interned type, and the epoch in which it had that number. Never part of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawTypeId {
    epoch: u32,
    id: u32,
}

/// An id from before a reset, or from another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the id of a type is used after its context was dropped")]
pub struct StaleId;

/// What the context knows of a type without walking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeFacts<'m> {
    /// Its abilities.
    pub abilities: AbilitySet,
    /// Nodes, a reference counting as one.
    pub nodes: u32,
    /// Nesting.
    pub depth: u32,
    /// Bytes of a value in memory.
    pub size: u32,
    /// Alignment of a value in memory.
    pub align: u32,
    /// Whether a value holds no pointers.
    pub plain: bool,
    /// The element of a vector.
    pub element: Option<Interned<'m>>,
    /// Type arguments of a struct or enum, or what a function value takes.
    pub arguments: Vec<Interned<'m>>,
    /// What a function value returns.
    pub results: Vec<Interned<'m>>,
    /// Fields of a struct or number of variants of an enum; 0 for others.
    pub parts: u32,
}

impl Interned<'_> {
    /// The id as a number, without the protection of its phase.
    pub fn raw(self) -> RawTypeId {
        RawTypeId {
            epoch: self.epoch,
            id: self.id.0,
        }
    }
}

impl<'m> ExecutionGuard<'m> {
    /// Runs one call ([`Machine::call`]). It drops the context when the state has other code than the context was made from: ids given before
    /// are stale then.
    pub fn call(&mut self, call: &Call, view: &mut dyn StateView) -> CallOutput {
        self.machine.call(call, view)
    }

    /// The id of a type; loads the modules that define its structs.
    #[allow(
        clippy::result_large_err,
        reason = "for tools, not on the path of calls"
    )]
    pub fn intern(
        &mut self,
        tag: &TypeTag,
        view: &mut dyn StateView,
    ) -> Result<Interned<'m>, Failure> {
        self.machine.next_transaction();
        let found = self.machine.ctx.type_of_tag(view, tag);
        found
            .map(|id| self.interned(id))
            .map_err(|stop| stop_to_failure(&self.machine.ctx, stop))
    }

    /// The type that an id stands for; of a reference, its referent.
    pub fn tag(&self, ty: Interned<'m>) -> Result<TypeTag, StaleId> {
        let id = self.check(ty)?;
        self.machine.ctx.tag(id).map_err(|_| StaleId)
    }

    /// What is known of a type; makes its layout if there is none yet.
    #[allow(
        clippy::result_large_err,
        reason = "for tools, not on the path of calls"
    )]
    pub fn describe(
        &mut self,
        ty: Interned<'m>,
        view: &mut dyn StateView,
    ) -> Result<TypeFacts<'m>, Failure> {
        self.machine.next_transaction();
        self.facts(ty, view)
            .map_err(|stop| stop_to_failure(&self.machine.ctx, stop))
    }

    fn facts(&mut self, ty: Interned<'m>, view: &mut dyn StateView) -> Run<TypeFacts<'m>> {
        let id = self.check(ty).map_err(|StaleId| {
            Stop::with_message(
                StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
                StaleId.to_string(),
            )
        })?;
        let ctx = &mut self.machine.ctx;
        let abilities = ctx.abilities(view, id)?;
        let (nodes, depth) = ctx.types.size(id);
        let (size, align) = ctx.slot(view, id)?;
        let (plain, parts) = match ctx.layout_if_made(id) {
            Some(layout) => (ctx.layout(layout).plain, parts(ctx.layout(layout))),
            None => (false, 0),
        };
        let (mut element, mut arguments, mut results) = (None, Vec::new(), Vec::new());
        match self.machine.ctx.types.node(id) {
            Some(TypeNode::Vector(inner)) => element = Some(self.interned(inner)),
            Some(TypeNode::Struct(_, args)) => arguments = self.list(args),
            Some(TypeNode::Function {
                args, results: out, ..
            }) => {
                (arguments, results) = (self.list(args), self.list(out));
            }
            None => {}
        }
        Ok(TypeFacts {
            abilities,
            nodes,
            depth,
            size,
            align,
            plain,
            element,
            arguments,
            results,
            parts,
        })
    }

    fn list(&self, list: crate::context::ids::TypeListId) -> Vec<Interned<'m>> {
        let types = self.machine.ctx.types.list(list);
        types.iter().map(|&id| self.interned(id)).collect()
    }

    /// The type of a number that was given in this epoch.
    pub fn resolve(&self, raw: RawTypeId) -> Result<Interned<'m>, StaleId> {
        let id = TypeId(raw.id);
        let known = match id.referent().compound_index() {
            Some(index) => index < self.machine.ctx.types.len(),
            None => true,
        };
        if raw.epoch != self.machine.epoch || !known {
            return Err(StaleId);
        }
        Ok(self.interned(id))
    }

    /// Sizes and hits of the tables.
    pub fn stats(&self) -> ContextStats {
        self.machine.stats()
    }

    fn interned(&self, id: TypeId) -> Interned<'m> {
        Interned {
            id,
            epoch: self.machine.epoch,
            phase: PhantomData,
        }
    }

    fn check(&self, ty: Interned<'m>) -> Result<TypeId, StaleId> {
        self.resolve(ty.raw()).map(|ty| ty.id)
    }
}

fn parts(layout: &crate::context::layout::Layout) -> u32 {
    match &layout.kind {
        Kind::Struct(fields) => fields.len() as u32,
        Kind::Enum(variants) => variants.fields.len() as u32,
        _ => 0,
    }
}

impl MaintenanceGuard<'_> {
    /// Sizes and hits of the tables.
    pub fn stats(&self) -> ContextStats {
        self.machine.stats()
    }

    /// Drops the context if its tables have outgrown [`HEADROOM_BYTES`]; returns whether it did.
    pub fn check_headroom(&mut self) -> bool {
        let full = self.stats().bytes > HEADROOM_BYTES;
        if full {
            self.reset();
        }
        full
    }

    /// Drops everything derived from code: every table, since each refers to others. Ids given before are refused from now on.
    pub fn reset(&mut self) {
        self.machine.reset_context();
    }
}
