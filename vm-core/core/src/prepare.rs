//! Lowering ahead of calls: what one machine had to lower is reported, and another one lowers it in advance.

use crate::invoke::type_arguments;
use crate::lower::{self, Form, Source};
use crate::machine::{MAX_RESTARTS, Machine};
use crate::stop::{Run, Stop};
use crate::{ContextStats, StateView};
use monomove_types::{Identifier, ModuleId, StatusCode, TypeTag};
use serde::{Deserialize, Serialize};

/// A function that a machine had to lower.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoadRequest {
    /// Its module.
    pub module: ModuleId,
    /// Its name.
    pub function: Identifier,
    /// Its type arguments.
    #[serde(with = "crate::api::tag_list")]
    pub ty_args: Vec<TypeTag>,
}

impl Machine {
    /// The functions that were lowered since this was asked last, in the order in which they were. Maintenance only looks at it: results do
    /// not depend on what is lowered when.
    pub fn take_load_requests(&mut self) -> Vec<LoadRequest> {
        let ctx = &self.ctx;
        let request = |function: &lower::code::Lowered| {
            let name = ctx.types.name_text(function.name);
            let ty_args = function.ty_args.iter().map(|&ty| ctx.tag(ty));
            Some(LoadRequest {
                module: ctx.module_id(function.module).ok()?,
                function: Identifier::new(name).ok()?,
                ty_args: ty_args.collect::<Run<_>>().ok()?,
            })
        };
        let mut requests: Vec<_> = self.code.take_fresh().filter_map(|f| request(f)).collect();
        // The forms of one function are one request.
        let mut seen = std::collections::BTreeSet::new();
        requests.retain(|request| seen.insert(request.clone()));
        requests
    }

    /// Lowers functions as `view` has them. Those that cannot be lowered are passed over: their calls will say why.
    pub fn prepare(&mut self, requests: &[LoadRequest], view: &mut dyn StateView) -> ContextStats {
        for _ in 0..MAX_RESTARTS {
            self.next_transaction();
            let stale = requests
                .iter()
                .any(|request| matches!(self.prepare_one(request, view), Err(Stop::Stale)));
            if !stale {
                break;
            }
            self.reset_context();
        }
        self.code.take_fresh().for_each(drop);
        // Tokens of values belong to one instance.
        self.values.clear();
        self.stats()
    }

    fn prepare_one(&mut self, request: &LoadRequest, view: &mut dyn StateView) -> Run<()> {
        let ctx = &mut self.ctx;
        let id = ctx.module_ref(&request.module)?;
        let module = ctx.module(view, id)?;
        let name = ctx.types.name(request.function.as_str())?;
        let index = module
            .function_index(name)
            .ok_or_else(|| Stop::status(StatusCode::FUNCTION_RESOLUTION_FAILURE))?;
        let (_, handle) = module.function(index);
        let ty_args = type_arguments(
            ctx,
            view,
            &request.ty_args,
            &module,
            &handle.type_parameters,
        )?;
        let list = ctx.types.list_id(&ty_args)?;
        if self.code.find(id, index, list, Form::Fast).is_some() {
            return Ok(());
        }
        let source = Source {
            ctx,
            view,
            code: &mut self.code,
            gas: &self.schedule,
        };
        let lowered = lower::function(source, &module, index, &ty_args, Form::Fast)?;
        // What was lowered while something was missing would hold for this transaction only.
        if lowered.provisional_in.is_none() {
            self.code.add(id, index, list, Form::Fast, lowered)?;
        }
        Ok(())
    }
}
