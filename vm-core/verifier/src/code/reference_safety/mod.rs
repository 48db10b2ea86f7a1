//! Reference safety: nothing is moved, overwritten or destroyed while a reference to it may be used, and what a `&mut` points to
//! is reached through it alone.
//!
//! An abstract interpretation over a [`graph::Graph`] of borrows. Where the code cannot be reached, nothing is checked.

mod calls;
mod graph;
mod path;
mod state;
mod step;

use super::absint::{Analysis, analyze};
use super::cfg::{BlockId, Cfg};
use super::function::Function;
use crate::{Meter, VerifierResult};
use graph::NodeId;
use monomove_format::{CodeOffset, LocalIndex};
use state::{Frame, State};

/// Units for each instruction; for each local, and for each node and edge of the graph at it.
const STEP: u64 = 10;
const STEP_LOCAL: u64 = 20;
const STEP_ITEM: u64 = 50;
/// Units for each join; for each local, and for each node and edge of the graph at it.
const JOIN: u64 = 100;
const JOIN_LOCAL: u64 = 10;
const JOIN_ITEM: u64 = 50;

/// What the pass keeps between functions.
#[derive(Default)]
pub(crate) struct Buffers {
    frame: Frame,
    stack: Vec<Option<NodeId>>,
}

/// Checks a function.
pub(crate) fn check(
    function: &Function<'_, '_>,
    cfg: &Cfg,
    buffers: &mut Buffers,
    meter: &mut Meter,
) -> VerifierResult {
    buffers.frame.enter(function.local_count());
    let parameters = (0..=LocalIndex::MAX).zip(function.parameters);
    let entry = State::entry(
        parameters
            .filter(|(_, token)| token.is_reference())
            .map(|(local, token)| (local, token.is_mutable_reference())),
    );
    let mut pass = Pass {
        function,
        cfg,
        frame: &mut buffers.frame,
        stack: &mut buffers.stack,
        meter,
        offset: 0,
    };
    analyze(cfg, entry, &mut pass)
}

/// The pass over one function.
struct Pass<'p, 's, 'a> {
    function: &'p Function<'s, 'a>,
    cfg: &'p Cfg,
    frame: &'p mut Frame,
    /// The operands: references, or other values.
    stack: &'p mut Vec<Option<NodeId>>,
    meter: &'p mut Meter,
    /// The instruction at hand.
    offset: CodeOffset,
}

impl Analysis for Pass<'_, '_, '_> {
    type State = State;

    fn execute(&mut self, block: BlockId, before: &State) -> VerifierResult<State> {
        let block = *self.cfg.block(block);
        self.frame.load(before);
        self.stack.clear();
        let locals = self.function.local_count();
        for (offset, instruction) in block.instructions(self.function.code) {
            self.offset = offset;
            self.meter.add(STEP)?;
            self.meter.add_items(STEP_LOCAL, locals)?;
            self.meter.add_items(STEP_ITEM, self.frame.graph.size())?;
            self.step(instruction)?;
        }
        if block.successors().is_empty() {
            return Ok(State::default());
        }
        if !self.stack.is_empty() {
            return Err(self.function.broken(block.end));
        }
        Ok(self.frame.store())
    }

    fn join(&mut self, before: &mut State, other: &State) -> VerifierResult<bool> {
        self.meter.add(JOIN)?;
        self.meter
            .add_items(JOIN_LOCAL, self.function.local_count())?;
        self.meter.add_items(JOIN_ITEM, other.size())?;
        self.frame.join(before, other, self.meter)
    }
}
