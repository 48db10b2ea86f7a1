//! The control-flow graph of a function: basic blocks, a depth-first walk over them, back edges.
//!
//! The order of the walk is part of the semantics, because the first error counts: successors are in ascending order, the last one is
//! walked first, and analyses visit the blocks in reverse postorder.

use monomove_format::{Bytecode, CodeOffset};

/// A basic block, by position of its first instruction among those of all blocks.
pub(crate) type BlockId = u32;
/// A block that control can reach, numbered in preorder of the walk.
pub(crate) type NodeId = u32;

const NONE: u32 = u32::MAX;

/// A run of instructions that is entered only at its first and left only at its last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// First instruction.
    pub(crate) start: CodeOffset,
    /// Last instruction.
    pub(crate) end: CodeOffset,
    successors: [Successor; 2],
    successor_count: u8,
}

/// Where a block goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Successor {
    pub(crate) block: BlockId,
    /// Whether the edge goes back to a block that the walk is still inside of.
    pub(crate) is_back_edge: bool,
}

impl Block {
    /// The blocks that may follow, in ascending order.
    pub(crate) fn successors(&self) -> &[Successor] {
        &self.successors[..usize::from(self.successor_count)]
    }

    /// The instructions of the block with their offsets.
    pub(crate) fn instructions<'a>(
        &self,
        code: &'a [Bytecode],
    ) -> impl Iterator<Item = (CodeOffset, &'a Bytecode)> + use<'a> {
        (self.start..=self.end).zip(
            code.get(usize::from(self.start)..=usize::from(self.end))
                .unwrap_or_default(),
        )
    }
}

/// An edge of the walk.
#[derive(Clone, Copy, Debug)]
struct Edge {
    to: NodeId,
    from: NodeId,
}

/// What the walk still has to do.
#[derive(Clone, Copy, Debug)]
enum Step {
    Visit { from: NodeId, slot: u8, to: BlockId },
    Finish { node: NodeId, parent: NodeId },
}

/// The graph. One value serves one function after the other, so that its buffers are reused.
#[derive(Debug, Default)]
pub(crate) struct Cfg {
    blocks: Vec<Block>,
    /// For each instruction, the block that starts there.
    starts: Vec<BlockId>,
    /// For each node, its block.
    nodes: Vec<BlockId>,
    /// For each node, how many nodes are below it in the tree of the walk.
    descendants: Vec<u32>,
    /// For each block, its node and whether the walk has left it.
    visits: Vec<(NodeId, bool)>,
    /// Reachable blocks in reverse postorder, and for each block its position there.
    order: Vec<BlockId>,
    positions: Vec<u32>,
    /// Edges back and all others, both sorted by target; within one target in the order of the walk.
    back: Vec<Edge>,
    forward: Vec<Edge>,
    stack: Vec<Step>,
}

impl Cfg {
    /// Builds the graph of `code`, which must not be empty and whose branch targets must be in range.
    pub(crate) fn build(&mut self, code: &[Bytecode]) {
        self.find_blocks(code);
        self.walk();
    }

    /// The blocks, by first instruction.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block with this id.
    pub(crate) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id as usize]
    }

    /// The blocks that can be reached, in reverse postorder.
    pub(crate) fn order(&self) -> &[BlockId] {
        &self.order
    }

    /// Position of a reachable block in [`Cfg::order`].
    pub(crate) fn position(&self, block: BlockId) -> usize {
        self.positions[block as usize] as usize
    }

    /// The number of back edges.
    pub(crate) fn back_edge_count(&self) -> usize {
        self.back.len()
    }

    /// The number of blocks that can be reached.
    pub(crate) fn node_count(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// First instruction of the block of a node.
    pub(crate) fn node_start(&self, node: NodeId) -> CodeOffset {
        self.block(self.nodes[node as usize]).start
    }

    /// Sources of the back edges to a node.
    pub(crate) fn back_edges(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        edges_to(&self.back, node)
    }

    /// Sources of the other edges to a node.
    pub(crate) fn forward_edges(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        edges_to(&self.forward, node)
    }

    /// Whether the walk found `node` from `ancestor`, or they are the same.
    pub(crate) fn is_descendant(&self, ancestor: NodeId, node: NodeId) -> bool {
        ancestor <= node && node - ancestor <= self.descendants[ancestor as usize]
    }

    fn find_blocks(&mut self, code: &[Bytecode]) {
        self.blocks.clear();
        self.starts.clear();
        self.starts.resize(code.len(), NONE);
        let mut mark = |offset: usize| {
            if let Some(start) = self.starts.get_mut(offset) {
                *start = 0;
            }
        };
        mark(0);
        for (offset, instruction) in code.iter().enumerate() {
            if let Some(target) = instruction.branch_target() {
                mark(usize::from(target));
            }
            if ends_block(instruction) {
                mark(offset + 1);
            }
        }
        for (offset, start) in (0..=CodeOffset::MAX).zip(&mut self.starts) {
            if *start == 0 {
                *start = self.blocks.len() as u32;
                self.blocks.push(Block {
                    start: offset,
                    end: offset,
                    successors: Default::default(),
                    successor_count: 0,
                });
            } else if let Some(block) = self.blocks.last_mut() {
                block.end = offset;
            }
        }
        for block in &mut self.blocks {
            let end = usize::from(block.end);
            let Some(last) = code.get(end) else { continue };
            let target = last.branch_target().map(usize::from);
            let next = (!last.is_unconditional_exit() && end + 1 < code.len()).then_some(end + 1);
            let (first, second) = match (target, next) {
                (Some(target), Some(next)) if target != next => {
                    (Some(target.min(next)), Some(target.max(next)))
                }
                (target, next) => (target.or(next), None),
            };
            for offset in [first, second].into_iter().flatten() {
                if let Some(&id) = self.starts.get(offset) {
                    block.successors[usize::from(block.successor_count)].block = id;
                    block.successor_count += 1;
                }
            }
        }
    }

    /// Walks the graph depth first from the entry.
    fn walk(&mut self) {
        self.nodes.clear();
        self.descendants.clear();
        self.order.clear();
        self.back.clear();
        self.forward.clear();
        self.visits.clear();
        self.visits.resize(self.blocks.len(), (NONE, false));
        if !self.blocks.is_empty() {
            self.enter(0, NONE);
        }
        while let Some(step) = self.stack.pop() {
            match step {
                Step::Finish { node, parent } => {
                    let block = self.nodes[node as usize];
                    self.visits[block as usize].1 = true;
                    self.order.push(block);
                    if parent != NONE {
                        self.descendants[parent as usize] += 1 + self.descendants[node as usize];
                    }
                }
                Step::Visit { from, slot, to } => match self.visits[to as usize] {
                    (NONE, _) => {
                        let node = self.nodes.len() as u32;
                        self.forward.push(Edge { to: node, from });
                        self.enter(to, from);
                    }
                    (node, false) => {
                        self.back.push(Edge { to: node, from });
                        let source = self.nodes[from as usize];
                        self.blocks[source as usize].successors[usize::from(slot)].is_back_edge =
                            true;
                    }
                    (node, true) => self.forward.push(Edge { to: node, from }),
                },
            }
        }
        // Stable: within one target the order of the walk stays.
        self.back.sort_by_key(|edge| edge.to);
        self.forward.sort_by_key(|edge| edge.to);
        self.order.reverse();
        self.positions.clear();
        self.positions.resize(self.blocks.len(), NONE);
        for (position, &block) in (0..).zip(&self.order) {
            self.positions[block as usize] = position;
        }
    }

    fn enter(&mut self, block: BlockId, parent: NodeId) {
        let node = self.nodes.len() as u32;
        self.nodes.push(block);
        self.descendants.push(0);
        self.visits[block as usize] = (node, false);
        self.stack.push(Step::Finish { node, parent });
        let successors = self.blocks[block as usize].successors;
        let count = self.blocks[block as usize].successor_count;
        for (slot, successor) in (0..count).zip(successors) {
            self.stack.push(Step::Visit {
                from: node,
                slot,
                to: successor.block,
            });
        }
    }
}

/// Whether the next instruction, if there is one, starts a block.
fn ends_block(instruction: &Bytecode) -> bool {
    instruction.is_unconditional_exit() || instruction.branch_target().is_some()
}

fn edges_to(edges: &[Edge], node: NodeId) -> impl Iterator<Item = NodeId> {
    let first = edges.partition_point(|edge| edge.to < node);
    edges[first..]
        .iter()
        .take_while(move |edge| edge.to == node)
        .map(|edge| edge.from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Bytecode as B;

    fn build(code: &[Bytecode]) -> Cfg {
        let mut cfg = Cfg::default();
        cfg.build(code);
        cfg
    }

    fn shape(cfg: &Cfg) -> Vec<(u16, u16, Vec<u32>)> {
        cfg.blocks()
            .iter()
            .map(|block| {
                let successors = block.successors().iter().map(|s| s.block).collect();
                (block.start, block.end, successors)
            })
            .collect()
    }

    #[test]
    fn blocks_start_at_targets_and_behind_jumps() {
        let cfg = build(&[
            B::LdTrue,
            B::BrTrue(4),
            B::Nop,
            B::Ret,
            B::Nop,
            B::Ret,
            B::Ret,
        ]);
        assert_eq!(
            shape(&cfg),
            [
                (0, 1, vec![1, 2]),
                (2, 3, vec![]),
                (4, 5, vec![]),
                (6, 6, vec![]),
            ]
        );
        assert_eq!(cfg.order(), [0, 1, 2]);
        assert_eq!(cfg.node_count(), 3);
        assert_eq!(cfg.back_edge_count(), 0);
    }

    #[test]
    fn a_branch_to_the_next_instruction_is_one_edge() {
        let cfg = build(&[B::LdTrue, B::BrTrue(2), B::Ret]);
        assert_eq!(shape(&cfg), [(0, 1, vec![1]), (2, 2, vec![])]);
    }

    #[test]
    fn back_edges() {
        let cfg = build(&[
            B::Nop,
            B::LdTrue,
            B::BrTrue(0),
            B::LdTrue,
            B::BrTrue(3),
            B::Branch(0),
        ]);
        assert_eq!(cfg.back_edge_count(), 3);
        assert_eq!(cfg.back_edges(0).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(cfg.back_edges(1).collect::<Vec<_>>(), [1]);
        assert_eq!(cfg.forward_edges(1).collect::<Vec<_>>(), [0]);
        assert!(cfg.is_descendant(0, 2));
        assert!(!cfg.is_descendant(2, 1));
        assert!(cfg.block(1).successors()[0].is_back_edge);
        assert!(!cfg.block(1).successors()[1].is_back_edge);
    }
}
