//! Where gas and instructions went: by call stack, function and basic block.

use super::events::TraceEvent;
use super::format::Trace;
use std::collections::BTreeMap;

/// Where in the call stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileFrame {
    /// A function: index into [`Trace::functions`].
    Function(u32),
    /// A basic block of the function before it: its number, and the code offset where it starts.
    Block(u32, u16),
}

/// Gas and instructions by call stack. Stacks are in the order of their first use; the last frame of each is a basic block, or a
/// native function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Call stack, gas, instructions.
    pub stacks: Vec<(Vec<ProfileFrame>, u64, u64)>,
}

/// Call stacks as a tree.
#[derive(Default)]
struct Tree {
    /// Parent and frame of each node; node 0 is the root.
    nodes: Vec<(u32, ProfileFrame)>,
    children: BTreeMap<(u32, ProfileFrame), u32>,
    /// Gas and instructions of each node itself.
    totals: Vec<(u64, u64)>,
}

impl Tree {
    fn child(&mut self, parent: u32, frame: ProfileFrame) -> u32 {
        let next = self.nodes.len() as u32;
        *self.children.entry((parent, frame)).or_insert_with(|| {
            self.nodes.push((parent, frame));
            self.totals.push((0, 0));
            next
        })
    }

    fn add(&mut self, node: u32, gas: u64, instructions: u64) {
        if let Some(total) = self.totals.get_mut(node as usize) {
            total.0 = total.0.saturating_add(gas);
            total.1 += instructions;
        }
    }

    fn stack(&self, mut node: u32) -> Vec<ProfileFrame> {
        let mut stack = Vec::new();
        while let Some(&(parent, frame)) = self.nodes.get(node as usize).filter(|_| node > 0) {
            stack.push(frame);
            node = parent;
        }
        stack.reverse();
        stack
    }
}

impl Profile {
    /// The profile of a recording.
    pub fn of(trace: &Trace) -> Self {
        let mut tree = Tree::default();
        let root = tree.child(0, ProfileFrame::Function(u32::MAX));
        let mut stack = vec![root];
        if let Some(&first) = trace.steps.function.first() {
            stack.push(tree.child(root, ProfileFrame::Function(first)));
        }
        for step in 0..trace.len() {
            let function = trace.functions.get(trace.steps.function[step] as usize);
            let own = stack.last().copied().unwrap_or(root);
            let mut gas = trace.gas_of(step);
            for event in trace.events_of(step) {
                match trace.events.at(event) {
                    Some(TraceEvent::Call {
                        function: callee,
                        gas: began,
                        ..
                    }) => {
                        let node = tree.child(own, ProfileFrame::Function(callee));
                        if trace
                            .functions
                            .get(callee as usize)
                            .is_some_and(|f| f.native)
                        {
                            // All that the step used after the call began is the native's.
                            let here = trace.steps.gas[step];
                            let inside = gas.saturating_sub(began.saturating_sub(here));
                            tree.add(node, inside, 0);
                            gas -= inside;
                        }
                        stack.push(node);
                    }
                    Some(TraceEvent::Return { .. }) => {
                        stack.pop();
                    }
                    _ => {}
                }
            }
            if let Some(function) = function {
                let (block, start) = function.block_of(trace.steps.offset[step]);
                let leaf = tree.child(own, ProfileFrame::Block(block as u32, start));
                tree.add(leaf, gas, 1);
            }
        }
        let used = (0..)
            .zip(&tree.totals)
            .filter(|(_, total)| **total != (0, 0));
        Self {
            stacks: used
                .map(|(node, &(gas, count))| (tree.stack(node), gas, count))
                .collect(),
        }
    }

    /// Gas of all stacks.
    pub fn gas(&self) -> u64 {
        self.stacks.iter().map(|(_, gas, _)| gas).sum()
    }
}

impl Trace {
    /// The name of a frame in a profile: `0x1::m::f`, or `0x1::m::f#2@17` for a block of it.
    pub fn frame_name(&self, stack: &[ProfileFrame], at: usize) -> String {
        let path = |index: u32| {
            let function = self.functions.get(index as usize);
            function.map_or("?".to_owned(), |function| function.path())
        };
        let caller = at.checked_sub(1).and_then(|at| stack.get(at));
        match (stack.get(at), caller) {
            (Some(ProfileFrame::Function(index)), _) => path(*index),
            (Some(ProfileFrame::Block(block, start)), Some(ProfileFrame::Function(index))) => {
                format!("{}#{block}@{start}", path(*index))
            }
            _ => "?".to_owned(),
        }
    }
}
