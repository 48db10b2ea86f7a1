//! The passes over the code of functions, in the order of the platform (verifier spec §10).

mod absint;
mod acquires;
mod cfg;
mod control_flow;
mod function;
mod locals_safety;
mod members;
mod reference_safety;
mod stack_usage;
mod structured;
#[cfg(test)]
mod testing;
mod type_safety;
mod types;

use crate::{Meter, Unit, VerifierConfig, VerifierResult};
use cfg::Cfg;
use function::{Function, Scope};
use monomove_format::{CompiledModule, FunctionDefinitionIndex};
use monomove_types::StatusCode;
use types::Types;

/// Checks the functions of a module, one after the other. What is worth keeping between functions (types, buffers) is kept.
pub(crate) struct CodeVerifier<'a> {
    scope: Scope<'a>,
    passes: Passes<'a>,
}

struct Passes<'a> {
    config: &'a VerifierConfig,
    max_basic_blocks: Option<usize>,
    types: Types<'a>,
    locals: locals_safety::LocalsSafety,
    references: reference_safety::Buffers,
    cfg: Cfg,
    /// Back edges of the functions so far.
    back_edges: usize,
}

impl<'a> CodeVerifier<'a> {
    /// A verifier for the functions of `module`, whose indices must be in range.
    pub(crate) fn new(module: &'a CompiledModule, unit: Unit, config: &'a VerifierConfig) -> Self {
        Self {
            scope: Scope::new(module),
            passes: Passes {
                config,
                max_basic_blocks: match unit {
                    Unit::Module => config.max_basic_blocks,
                    Unit::Script => config.max_basic_blocks_in_script,
                },
                types: Types::new(module),
                locals: locals_safety::LocalsSafety::default(),
                references: reference_safety::Buffers::default(),
                cfg: Cfg::default(),
                back_edges: 0,
            },
        }
    }

    /// Checks the code of a function; one without code passes.
    pub(crate) fn verify_function(
        &mut self,
        index: FunctionDefinitionIndex,
        meter: &mut Meter,
    ) -> VerifierResult {
        match Function::new(&self.scope, index) {
            Some(function) => self
                .passes
                .run(&function, meter)
                .map_err(|error| error.in_function(index)),
            None => Ok(()),
        }
    }
}

impl<'a> Passes<'a> {
    fn run(&mut self, function: &Function<'_, 'a>, meter: &mut Meter) -> VerifierResult {
        control_flow::check_end(function)?;
        self.cfg.build(function.code);
        control_flow::check_loops(function, &self.cfg, self.config)?;
        self.limits(function)?;
        stack_usage::check(function, &self.cfg, self.config)?;
        type_safety::check(function, &self.cfg, &mut self.types, meter)?;
        self.locals
            .check(function, &self.cfg, &mut self.types, meter)?;
        reference_safety::check(function, &self.cfg, &mut self.references, meter)?;
        acquires::check(function)
    }

    /// The limits on basic blocks and back edges.
    fn limits(&mut self, function: &Function<'_, 'a>) -> VerifierResult {
        let exceeds = |count: usize, max: Option<usize>| max.is_some_and(|max| count > max);
        if exceeds(self.cfg.blocks().len(), self.max_basic_blocks) {
            return Err(function.error(
                StatusCode::TOO_MANY_BASIC_BLOCKS,
                0,
                "too many basic blocks",
            ));
        }
        let back_edges = self.cfg.back_edge_count();
        self.back_edges = self.back_edges.saturating_add(back_edges);
        if exceeds(back_edges, self.config.max_back_edges_per_function)
            || exceeds(self.back_edges, self.config.max_back_edges_per_module)
        {
            return Err(function.error(StatusCode::TOO_MANY_BACK_EDGES, 0, "too many back edges"));
        }
        Ok(())
    }
}
