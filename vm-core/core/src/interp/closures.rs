//! Function values, and the rules of re-entrancy that they bring (`specs/runtime.md`: closures and reentrancy).

use super::{Entered, Interpreter};
use crate::context::closure::ClosureId;
use crate::context::ids::{ModuleRef, TargetId};
use crate::lower::code::LOCKED;
use crate::memory::{Addr, object_cost};
use crate::stop::{Run, Stop};
use crate::value::closure;
use monomove_types::StatusCode;

impl Interpreter<'_> {
    /// Packs a function value: the function must exist and be visible.
    pub(super) fn pack_closure(
        &mut self,
        fp: Addr,
        dst: u32,
        id: ClosureId,
        slots: u32,
    ) -> Run<()> {
        let target = self.ctx.closures.at(id)?.target;
        if self.code.at(target).ready_in != self.transaction {
            self.prepare(target)?;
        }
        let kind = self.ctx.closures.at(id)?;
        let cost = object_cost(kind.size);
        self.reserve(cost)?;
        let kind = self.ctx.closures.at(id)?;
        let slots = &self.code.instance(self.instance).slot_lists[slots as usize];
        let object = self.memory.allocate(kind.size, id.descriptor())?;
        self.memory.set(object, u64::from(id.0));
        for (field, slot) in kind.captured.iter().zip(slots) {
            let size = self.ctx.layout(field.layout).size;
            self.memory.copy(object + field.offset, fp + slot, size);
        }
        self.memory.set(fp + dst, object);
        Ok(())
    }

    /// Puts the captured and the supplied arguments of a function value into the callee's frame. Returns the function.
    pub(super) fn place_closure_arguments(
        &mut self,
        fp: Addr,
        slot: u32,
        call: u32,
    ) -> Run<TargetId> {
        let (mut object, mut kind) = closure(self.ctx, self.memory, fp + slot)?;
        let id = kind.target;
        if self.code.at(id).ready_in != self.transaction {
            self.prepare(id)?;
            (object, kind) = closure(self.ctx, self.memory, fp + slot)?;
        }
        let target = self.code.at(id);
        let call = &self.code.instance(self.instance).closure_calls[call as usize];
        let new_fp = fp + call.frame;
        if new_fp.wrapping_sub(self.lead) + target.extent > self.stack_limit {
            return Err(Stop::status(StatusCode::CALL_STACK_OVERFLOW));
        }
        let memory = &mut *self.memory;
        let mut put = |to, from, size| {
            if !memory.copy_short(to, from, size) {
                memory.copy(to, from, size);
            }
        };
        let mut captured = kind.captured.iter();
        let mut supplied = call.arguments.iter();
        for (i, param) in self
            .code
            .instance(target.instance)
            .shape
            .params
            .iter()
            .enumerate()
        {
            if i < 64 && kind.mask & (1 << i) != 0 {
                if let Some(field) = captured.next() {
                    let size = self.ctx.layout(field.layout).size;
                    put(new_fp + param, object + field.offset, size);
                }
            } else if let Some((slot, size)) = supplied.next() {
                put(new_fp + param, fp + slot, *size);
            }
        }
        Ok(id)
    }

    /// Checks the rules of re-entrancy for a call whose parameters are in place at `fp`, adds its access specifiers, and says what its
    /// frame has to undo.
    pub(super) fn enter(&mut self, target: TargetId, fp: Addr, by_closure: bool) -> Run<Entered> {
        let callee = self.code.at(target);
        let (module, lock) = (callee.key.module, callee.locks_module);
        let (restricted, instance) = (callee.restricts, callee.instance);
        if self.locks + u32::from(lock) > 0
            && module != self.module_of_frame(self.frames.len())
            && self.is_active(module)
        {
            let stop = Stop::with_message(
                StatusCode::RUNTIME_DISPATCH_ERROR,
                "the module is entered again while it is locked",
            );
            return Err(stop.in_module(module));
        }
        self.locks += u32::from(lock);
        self.update_stamp();
        self.closure_frames += u32::from(by_closure);
        if restricted && let Some(clauses) = self.code.instance(instance).access.clone() {
            self.restrict(&clauses, fp)?;
        }
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        Ok(Entered(
            flag(by_closure, Entered::CLOSURE)
                | flag(lock, Entered::LOCK)
                | flag(restricted, Entered::RESTRICTED),
        ))
    }

    /// While modules are locked, every call is looked at.
    fn update_stamp(&mut self) {
        self.fast_stamp = if self.locks == 0 {
            self.transaction
        } else {
            LOCKED
        };
    }

    /// Undoes [`Interpreter::enter`] when the callee has returned.
    pub(super) fn leave(&mut self, entered: Entered) {
        self.locks -= u32::from(entered.has(Entered::LOCK));
        self.update_stamp();
        self.closure_frames -= u32::from(entered.has(Entered::CLOSURE));
        if entered.has(Entered::RESTRICTED) {
            self.rules.pop();
        }
    }

    /// Module of the function at a depth of the call stack; the running one is at `frames.len()`.
    fn module_of_frame(&self, depth: usize) -> ModuleRef {
        let instance = self
            .frames
            .get(depth)
            .map_or(self.instance, |frame| frame.instance);
        self.code.instance(instance).module
    }

    fn is_active(&self, module: ModuleRef) -> bool {
        (0..=self.frames.len()).any(|depth| self.module_of_frame(depth) == module)
    }

    /// A module that was entered again below itself may not use its resources: resources are only named by code of the module that
    /// defines them, so it is the running one.
    pub(super) fn check_unlocked(&self) -> Run<()> {
        if self.closure_frames == 0 {
            return Ok(());
        }
        let module = self.module_of_frame(self.frames.len());
        let entries = (0..=self.frames.len()).filter(|&depth| {
            let entered_by_closure =
                depth > 0 && self.frames[depth - 1].entered.has(Entered::CLOSURE);
            let from_elsewhere = depth == 0 || self.module_of_frame(depth - 1) != module;
            self.module_of_frame(depth) == module && (entered_by_closure || from_elsewhere)
        });
        if entries.count() > 1 {
            return Err(Stop::with_message(
                StatusCode::RUNTIME_DISPATCH_ERROR,
                "a resource is used while its module is entered again",
            ));
        }
        Ok(())
    }
}
