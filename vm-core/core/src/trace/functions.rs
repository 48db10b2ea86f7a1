//! The tables of functions and types that a recording refers to.

use super::format::{Trace, TraceFunction, TracePlace};
use crate::context::ids::{InstanceId, TypeId};
use crate::interp::Interpreter;
use crate::lower::code::Lowered;
use crate::lower::steps::Place;
use std::collections::BTreeMap;

/// Functions by instance, types by id and by name.
#[derive(Debug, Default)]
pub(super) struct Functions {
    /// By the number of the instance: index and one, or 0.
    by_instance: Vec<u32>,
    functions: Vec<TraceFunction>,
    /// Slot and size of each parameter.
    params: Vec<Vec<(u32, u32)>>,
    by_type: BTreeMap<TypeId, u32>,
    by_name: BTreeMap<String, u32>,
    types: Vec<String>,
}

impl Functions {
    /// The index of a function.
    pub(super) fn of(
        &mut self,
        run: &mut Interpreter<'_>,
        instance: InstanceId,
        lowered: &Lowered,
    ) -> u32 {
        let known = self.by_instance.get(instance.0 as usize).copied();
        if let Some(index) = known.and_then(|index| index.checked_sub(1)) {
            return index;
        }
        let mut params = Vec::with_capacity(lowered.params.len());
        let mut locals = Vec::new();
        for (&ty, &slot) in lowered.params.iter().zip(&lowered.shape.params) {
            let size = run.ctx.slot(run.view, ty).map_or(0, |(size, _)| size);
            params.push((slot, size));
            locals.push(Place { slot, size, ty });
        }
        let module = run.ctx.module_id(lowered.module);
        let mut function = TraceFunction {
            module: module.map_or(String::new(), |id| id.to_string()),
            name: run.ctx.types.name_text(lowered.name).to_owned(),
            index: lowered.function_index,
            ty_args: self.types(run, &lowered.ty_args),
            native: lowered.is_native,
            frame: lowered.frame,
            params: params.len() as u32,
            locals: Vec::new(),
            blocks: lowered.blocks.iter().map(|block| block.start).collect(),
            operand_end: Vec::new(),
            operands: Vec::new(),
        };
        if let Some(steps) = &lowered.steps {
            locals = steps.locals.to_vec();
            for offset in 0..steps.len() as u16 {
                let operands = steps.operands(offset);
                function.operands.extend(self.places(run, operands));
                function.operand_end.push(function.operands.len() as u32);
            }
        }
        function.locals = self.places(run, &locals);
        let index = self.functions.len() as u32;
        self.functions.push(function);
        self.params.push(params);
        let slot = instance.0 as usize;
        if self.by_instance.len() <= slot {
            self.by_instance.resize(slot + 1, 0);
        }
        self.by_instance[slot] = index + 1;
        index
    }

    /// Slot and size of each parameter of a function, in the order of their slots.
    pub(super) fn params(&self, function: u32) -> &[(u32, u32)] {
        self.params
            .get(function as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The index of a type by its name.
    pub(super) fn type_name(&mut self, name: String) -> u32 {
        let next = self.types.len() as u32;
        *self.by_name.entry(name).or_insert_with_key(|name| {
            self.types.push(name.clone());
            next
        })
    }

    /// Puts the tables into the trace.
    pub(super) fn finish(self, trace: &mut Trace) {
        trace.functions = self.functions;
        trace.types = self.types;
    }

    fn places(&mut self, run: &Interpreter<'_>, places: &[Place]) -> Vec<TracePlace> {
        let place = |place: &Place| TracePlace {
            slot: place.slot,
            size: place.size,
            ty: self.of_type(run, place.ty),
        };
        places.iter().map(place).collect()
    }

    fn types(&mut self, run: &Interpreter<'_>, types: &[TypeId]) -> Vec<u32> {
        types.iter().map(|&ty| self.of_type(run, ty)).collect()
    }

    fn of_type(&mut self, run: &Interpreter<'_>, ty: TypeId) -> u32 {
        if let Some(&index) = self.by_type.get(&ty) {
            return index;
        }
        let prefix = match (ty.is_reference(), ty.is_mutable_reference()) {
            (_, true) => "&mut ",
            (true, _) => "&",
            _ => "",
        };
        let name = run
            .ctx
            .tag(ty.referent())
            .map_or("?".to_owned(), |tag| tag.to_string());
        let index = self.type_name(format!("{prefix}{name}"));
        self.by_type.insert(ty, index);
        index
    }
}
