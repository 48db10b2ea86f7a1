//! Control flow: code must not be empty nor run past its end; loops must have one entry and may not nest too deep.
//!
//! From version 6 on the graph must be reducible (R. E. Tarjan, "Testing flow graph reducibility", 1974); before, loops must be well
//! formed in the text of the code ([`super::structured`]).

use super::cfg::{Cfg, NodeId};
use super::function::Function;
use super::structured;
use crate::{VerifierConfig, VerifierError, VerifierResult};
use monomove_format::CodeOffset;
use monomove_types::StatusCode;

/// First version in which the graph counts, not the text.
const VERSION_REDUCIBLE: u32 = 6;

/// Checks that there is code, and that control cannot run past its end.
pub(crate) fn check_end(function: &Function<'_, '_>) -> VerifierResult {
    let Some(last) = function.code.last() else {
        return Err(
            VerifierError::new(StatusCode::EMPTY_CODE_UNIT, "no instructions")
                .in_function(function.index),
        );
    };
    // Offsets of longer code, which no reader gives, would not fit.
    let Ok(offset) = CodeOffset::try_from(function.code.len() - 1) else {
        return Err(function.broken(CodeOffset::MAX));
    };
    if last.is_unconditional_exit() {
        return Ok(());
    }
    Err(function.error(
        StatusCode::INVALID_FALL_THROUGH,
        offset,
        "control runs past the last instruction",
    ))
}

/// Checks the loops of a function.
pub(crate) fn check_loops(
    function: &Function<'_, '_>,
    cfg: &Cfg,
    config: &VerifierConfig,
) -> VerifierResult {
    if function.module.version < VERSION_REDUCIBLE {
        structured::check(function, config)
    } else if cfg.back_edge_count() > 0 {
        check_reducible(function, cfg, config)
    } else {
        Ok(())
    }
}

/// Goes through the loops from inside out, finds the body of each, and makes it one node with the head.
fn check_reducible(
    function: &Function<'_, '_>,
    cfg: &Cfg,
    config: &VerifierConfig,
) -> VerifierResult {
    let mut partition = Partition::new(cfg.node_count());
    let mut body = Vec::new();
    let mut frontier = Vec::new();
    for head in (0..cfg.node_count()).rev() {
        body.clear();
        body.extend(
            cfg.back_edges(head)
                .map(|node| partition.find(node))
                .filter(|&node| node != head),
        );
        if body.is_empty() && cfg.back_edges(head).next().is_none() {
            continue;
        }
        body.sort_unstable();
        body.dedup();
        for &node in &body {
            partition.enter(node, head);
        }
        frontier.clear();
        frontier.extend_from_slice(&body);
        while let Some(node) = frontier.pop() {
            for source in cfg.forward_edges(node) {
                let source = partition.find(source);
                if !cfg.is_descendant(head, source) {
                    return Err(function.error(
                        StatusCode::INVALID_LOOP_SPLIT,
                        cfg.node_start(source),
                        "jump into the middle of a loop",
                    ));
                }
                if source != head && partition.enter(source, head) {
                    body.push(source);
                    frontier.push(source);
                }
            }
        }
        let depth = partition.collapse(head, &body);
        if config.max_loop_depth.is_some_and(|max| depth > max) {
            return Err(function.error(
                StatusCode::LOOP_MAX_DEPTH_REACHED,
                cfg.node_start(head),
                "loops nest too deep",
            ));
        }
    }
    Ok(())
}

/// Which nodes have become one: a union-find forest whose roots are loop heads and nodes outside of the loops so far.
struct Partition {
    parents: Vec<NodeId>,
    /// Of a root: how deep the loops in it nest.
    depths: Vec<usize>,
    /// The head in whose body a node was put last.
    in_body_of: Vec<NodeId>,
}

impl Partition {
    fn new(nodes: u32) -> Self {
        Self {
            parents: (0..nodes).collect(),
            depths: vec![0; nodes as usize],
            in_body_of: vec![NodeId::MAX; nodes as usize],
        }
    }

    /// The root of a node; halves the path to it.
    fn find(&mut self, mut node: NodeId) -> NodeId {
        while self.parents[node as usize] != node {
            let parent = self.parents[node as usize];
            self.parents[node as usize] = self.parents[parent as usize];
            node = parent;
        }
        node
    }

    /// Puts a node into the body of the loop at hand; whether it was not there yet.
    fn enter(&mut self, node: NodeId, head: NodeId) -> bool {
        std::mem::replace(&mut self.in_body_of[node as usize], head) != head
    }

    /// Makes the body one node with the head; gives the depth of nesting.
    fn collapse(&mut self, head: NodeId, body: &[NodeId]) -> usize {
        let mut depth = 0;
        for &node in body {
            self.parents[node as usize] = head;
            depth = depth.max(self.depths[node as usize]);
        }
        self.depths[head as usize] = depth + 1;
        depth + 1
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    #[test]
    fn accepts() {
        accept("fun f()\n a: branch a\n");
        accept(
            "fun f(c: bool)\n o: nop\n i: copy_loc c\n br_true i\n copy_loc c\n br_true o\n ret\n",
        );
        // Two loops of which neither contains the other, with the same entry.
        accept(
            "fun f(c: bool)\n a: nop\n b: copy_loc c\n br_true a\n copy_loc c\n br_true b\n ret\n",
        );
        // Irreducible, but unreachable.
        accept("fun f(c: bool)\n ret\n copy_loc c\n br_true m\n h: nop\n m: branch h\n");
    }

    #[test]
    fn rejects() {
        refuse("fun f()\n nop\n", 1007, 0);
        refuse(
            "fun f(c: bool)\n copy_loc c\n br_true m\n h: nop\n m: copy_loc c\n br_true h\n ret\n",
            1085,
            0,
        );
        let nested = |depth: usize| {
            let heads: String = (0..depth).map(|i| format!(" l{i}: nop\n")).collect();
            let tails: String = (0..depth)
                .rev()
                .map(|i| format!(" copy_loc c\n br_true l{i}\n"))
                .collect();
            format!("fun f(c: bool)\n{heads}{tails} ret\n")
        };
        accept(&nested(5));
        refuse(&nested(6), 1111, 0);
        refuse(&nested(8), 1111, 2);
    }
}
