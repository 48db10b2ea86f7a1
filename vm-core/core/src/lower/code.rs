//! Lowered functions and the table of functions that code may call.

use super::Form;
use super::live::LiveCache;
use super::mono::Shape;
use super::steps::Steps;
use crate::access::Clauses;
use crate::context::ContextStats;
use crate::context::ids::{InstanceId, LayoutId, ModuleRef, NameId, TargetId, TypeId, TypeListId};
use crate::interp::op::{Op, Slot};
use crate::memory::code::CodeRef;
use crate::paranoid::ShadowStep;
use crate::stop::{Fail, Run, Stop};
use crate::value::image::Image;
use monomove_types::StatusCode;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// No transaction has this number, and no machine runs with it as its stamp.
pub(crate) const NEVER: u32 = 0;
/// The stamp of a machine in which modules are locked: no callee has it.
pub(crate) const LOCKED: u32 = u32::MAX;

/// What a caller says about the function it calls. The signature is part of it, so that caller and callee agree on the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TargetKey {
    pub(crate) module: ModuleRef,
    pub(crate) name: NameId,
    pub(crate) ty_args: TypeListId,
    pub(crate) params: TypeListId,
    pub(crate) results: TypeListId,
    /// Module of the caller, for visibility; `None` for the entry of a transaction.
    pub(crate) caller: Option<ModuleRef>,
}

/// A callable function. The hot fields are filled when it is first called in a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) key: TargetKey,
    /// The transaction in which it was last found callable; 0: never.
    pub(crate) ready_in: u32,
    /// The same, when it may be called without looking at locks or access specifiers; else [`NEVER`].
    pub(crate) fast_in: u32,
    pub(crate) native: bool,
    pub(crate) locks_module: bool,
    /// Whether it has access specifiers.
    pub(crate) restricts: bool,
    pub(crate) instance: InstanceId,
    pub(crate) code: CodeRef,
    /// Bytes from the frame pointer to the end of the area where its callees' results and parameters are put.
    pub(crate) extent: u32,
    /// Most operands it has on the stack at once.
    pub(crate) max_height: u32,
    /// What the call instruction and the first block cost.
    pub(crate) entry_gas: u64,
    /// Instructions of the first block.
    pub(crate) entry_instructions: u32,
    /// What the call instruction costs.
    pub(crate) call_gas: u64,
    /// What it costs to call it as a function value.
    pub(crate) closure_gas: u64,
    /// Its traced form, once that was made in this transaction.
    pub(crate) traced: Option<InstanceId>,
}

impl Target {
    /// Marks it as callable in a transaction.
    pub(crate) fn ready_in_transaction(&mut self, transaction: u32) {
        self.ready_in = transaction;
        self.fast_in = if self.locks_module || self.restricts {
            NEVER
        } else {
            transaction
        };
    }
}

/// A function that was called from outside without type arguments: what a call of it needs to know.
#[derive(Debug)]
pub(crate) struct EntryPoint {
    pub(crate) target: TargetId,
    pub(crate) params: Vec<TypeId>,
    pub(crate) results: Vec<TypeId>,
    pub(crate) shape: Shape,
}

/// A comparison of values with pointers, or of referents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) layout: LayoutId,
    pub(crate) by_reference: bool,
    pub(crate) negated: bool,
}

/// The operands of a `VecPack` or `VecUnpack`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OperandList {
    pub(crate) element: LayoutId,
    pub(crate) size: u32,
    pub(crate) slots: Box<[Slot]>,
}

/// What a call of a function value needs besides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClosureCall {
    /// Slot and size of each supplied argument.
    pub(crate) arguments: Box<[(Slot, u32)]>,
    /// Where the callee's frame starts.
    pub(crate) frame: u32,
    /// Pending operands of the calling frame.
    pub(crate) height: u32,
}

/// A constant that is put onto the heap.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    pub(crate) layout: LayoutId,
    pub(crate) bytes: Rc<[u8]>,
    /// The value, once it was used.
    pub(crate) image: OnceCell<Rc<Image>>,
}

/// A basic block of a lowered function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Code offsets of the bytecode.
    pub(crate) start: u16,
    pub(crate) end: u16,
}

/// A lowered function: micro-ops and everything they refer to.
#[derive(Clone, Debug)]
pub(crate) struct Lowered {
    pub(crate) module: ModuleRef,
    pub(crate) function_index: u16,
    pub(crate) name: NameId,
    pub(crate) form: Form,
    pub(crate) ty_args: Box<[TypeId]>,
    pub(crate) params: Box<[TypeId]>,
    pub(crate) results: Box<[TypeId]>,
    pub(crate) shape: Shape,
    /// Bytes of the frame; frames of callees start behind it.
    pub(crate) frame: u32,
    /// Bytes of the frame and of the area where callees' results and parameters are put.
    pub(crate) extent: u32,
    pub(crate) max_height: u32,
    pub(crate) is_native: bool,
    /// Whether modules on the call stack may not be entered again below it (`module_lock`).
    pub(crate) locks_module: bool,
    /// Which resources it and the functions that it calls may access, if it says so.
    pub(crate) access: Option<Clauses>,
    /// Length of the whole table of locals, parameters included; 0 for natives.
    pub(crate) locals: u32,
    pub(crate) code: Box<[Op]>,
    /// Code offset of the bytecode that each op comes from.
    pub(crate) origins: Box<[u16]>,
    /// Static cost by code offset.
    pub(crate) costs: Box<[u64]>,
    pub(crate) blocks: Box<[Block]>,
    pub(crate) pool: Box<[u8]>,
    pub(crate) constants: Box<[Constant]>,
    pub(crate) failures: Box<[Fail]>,
    pub(crate) operand_lists: Box<[OperandList]>,
    pub(crate) slot_lists: Box<[Box<[Slot]>]>,
    pub(crate) closure_calls: Box<[ClosureCall]>,
    pub(crate) comparisons: Box<[Comparison]>,
    pub(crate) variant_fields: Box<[Rc<[Option<u32>]>]>,
    /// The transaction in which it was lowered, if that met something missing: it holds for that transaction only.
    pub(crate) provisional_in: Option<u32>,
    /// What paranoid mode does at each `Op::Shadow`; empty without it.
    pub(crate) shadow: Box<[ShadowStep]>,
    /// Modules whose definitions the code depends on, besides its own.
    pub(crate) dependencies: Box<[ModuleRef]>,
    /// What each instruction does to the frame: in the traced form of functions with code.
    pub(crate) steps: Option<Box<Steps>>,
}

/// All lowered code of a context.
#[derive(Debug, Default)]
pub(crate) struct Code {
    targets: Vec<Target>,
    target_index: BTreeMap<TargetKey, TargetId>,
    instances: Vec<Rc<Lowered>>,
    /// By module, function, type arguments, and form.
    instance_index: BTreeMap<(ModuleRef, u16, TypeListId, Form), InstanceId>,
    /// By module and function. As long as the modules are what they were, so are the entry points.
    pub(crate) entry_points: BTreeMap<(ModuleRef, u16), Rc<EntryPoint>>,
    /// How often a lowered function was asked for.
    lookups: u64,
    /// Lowered functions that were asked for by [`Code::take_fresh`].
    reported: usize,
    /// What collections found out about functions.
    pub(crate) live: LiveCache,
}

/// Entries of any table: far below where ids would wrap.
const MAX_ENTRIES: usize = 1 << 28;

impl Code {
    /// The id of a callable function. Nothing is loaded.
    pub(crate) fn target(&mut self, key: TargetKey) -> Run<TargetId> {
        if let Some(&id) = self.target_index.get(&key) {
            return Ok(id);
        }
        if self.targets.len() >= MAX_ENTRIES {
            return Err(Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED));
        }
        let id = TargetId(self.targets.len() as u32);
        self.targets.push(Target {
            key,
            ready_in: 0,
            fast_in: NEVER,
            native: false,
            locks_module: false,
            restricts: false,
            instance: InstanceId(0),
            code: CodeRef::NONE,
            extent: 0,
            max_height: 0,
            entry_gas: 0,
            entry_instructions: 0,
            call_gas: 0,
            closure_gas: 0,
            traced: None,
        });
        self.target_index.insert(key, id);
        Ok(id)
    }

    /// The function under `id`.
    #[inline(always)]
    pub(crate) fn at(&self, id: TargetId) -> &Target {
        &self.targets[id.0 as usize]
    }

    /// The function under `id`, if there is one.
    pub(crate) fn get(&self, id: TargetId) -> Option<&Target> {
        self.targets.get(id.0 as usize)
    }

    pub(crate) fn at_mut(&mut self, id: TargetId) -> &mut Target {
        &mut self.targets[id.0 as usize]
    }

    /// A lowered function.
    #[inline(always)]
    pub(crate) fn instance(&self, id: InstanceId) -> &Rc<Lowered> {
        &self.instances[id.0 as usize]
    }

    /// A lowered function, if there is one under `id`.
    #[inline(always)]
    pub(crate) fn running(&self, id: InstanceId) -> Option<&Lowered> {
        self.instances.get(id.0 as usize).map(|lowered| &**lowered)
    }

    /// Adds the sizes of these tables.
    pub(crate) fn stats(&self, stats: ContextStats) -> ContextStats {
        let bytes = |lowered: &Rc<Lowered>| {
            size_of::<Lowered>()
                + size_of_val::<[Op]>(&lowered.code)
                + size_of_val::<[u16]>(&lowered.origins)
        };
        let code: usize = self.instances.iter().map(bytes).sum();
        let tables = self.targets.len() * size_of::<Target>();
        ContextStats {
            code_bytes: (code + tables) as u64,
            functions: self.instances.len() as u64,
            function_lookups: self.lookups,
            targets: self.targets.len() as u64,
            ..stats
        }
    }

    /// The functions that were lowered since the last time.
    pub(crate) fn take_fresh(&mut self) -> impl Iterator<Item = &Rc<Lowered>> {
        let from = std::mem::replace(&mut self.reported, self.instances.len());
        self.instances.get(from..).into_iter().flatten()
    }

    pub(crate) fn find(
        &mut self,
        module: ModuleRef,
        index: u16,
        ty_args: TypeListId,
        form: Form,
    ) -> Option<InstanceId> {
        self.lookups += 1;
        self.instance_index
            .get(&(module, index, ty_args, form))
            .copied()
    }

    pub(crate) fn add(
        &mut self,
        module: ModuleRef,
        index: u16,
        ty_args: TypeListId,
        form: Form,
        lowered: Lowered,
    ) -> Run<InstanceId> {
        if self.instances.len() >= MAX_ENTRIES {
            return Err(Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED));
        }
        let id = InstanceId(self.instances.len() as u32);
        self.instances.push(Rc::new(lowered));
        self.instance_index
            .insert((module, index, ty_args, form), id);
        Ok(id)
    }
}
