//! The state between two blocks: the references that locals hold, and the graph between them.
//!
//! At the end of a block the stack is empty, so all references are in locals, and each has the name of its local. States of different
//! ways into a block can thus be compared and joined as they are.

use super::graph::{Edge, Graph, NodeId, ROOT, Strength};
use super::path::{PathId, Paths};
use crate::{Meter, VerifierResult};
use monomove_format::LocalIndex;

/// A local that holds no reference.
pub(super) const NO_REFERENCE: NodeId = NodeId::MAX;

/// The name of the frame. There are at most 255 locals.
const FRAME: LocalIndex = LocalIndex::MAX;

/// An edge between locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LocalEdge {
    parent: LocalIndex,
    child: LocalIndex,
    strength: Strength,
    path: PathId,
}

impl LocalEdge {
    fn as_edge(&self) -> Edge {
        Edge {
            child: self.child.into(),
            strength: self.strength,
            path: self.path,
        }
    }
}

/// The state between two blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The locals that hold references, and whether those are mutable; ascending.
    references: Vec<(LocalIndex, bool)>,
    /// Sorted.
    edges: Vec<LocalEdge>,
}

impl State {
    /// The state at the entry: parameters that are references point to unknown places.
    pub(super) fn entry(references: impl Iterator<Item = (LocalIndex, bool)>) -> Self {
        Self {
            references: references.collect(),
            edges: Vec::new(),
        }
    }

    /// Number of nodes and edges, the frame included.
    pub(super) fn size(&self) -> usize {
        1 + self.references.len() + self.edges.len()
    }
}

/// The state in the middle of a block.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) graph: Graph,
    pub(super) paths: Paths,
    /// For each local, the reference in it.
    pub(super) locals: Vec<NodeId>,
    /// For each node, its local; only while a state is stored.
    names: Vec<LocalIndex>,
}

impl Frame {
    /// Begins a function with this many locals.
    pub(super) fn enter(&mut self, locals: usize) {
        self.paths.clear();
        self.locals.clear();
        self.locals.resize(locals, NO_REFERENCE);
    }

    /// Puts a state into effect.
    pub(super) fn load(&mut self, state: &State) {
        self.graph.clear();
        self.locals.fill(NO_REFERENCE);
        for &(local, is_mutable) in &state.references {
            let node = self.graph.add_node(is_mutable);
            if let Some(slot) = self.locals.get_mut(usize::from(local)) {
                *slot = node;
            }
        }
        for edge in &state.edges {
            let (Some(parent), Some(child)) = (self.node(edge.parent), self.node(edge.child))
            else {
                continue;
            };
            self.graph.add_edge(
                parent,
                Edge {
                    child,
                    ..edge.as_edge()
                },
            );
        }
    }

    fn node(&self, name: LocalIndex) -> Option<NodeId> {
        if name == FRAME {
            return Some(ROOT);
        }
        self.locals.get(usize::from(name)).copied()
    }

    /// The state in effect. No reference may be outside of locals.
    pub(super) fn store(&mut self) -> State {
        let mut state = State::default();
        for (local, &node) in (0..FRAME).zip(&self.locals) {
            if node != NO_REFERENCE {
                state.references.push((local, self.graph.is_mutable(node)));
                let node = node as usize;
                if self.names.len() <= node {
                    self.names.resize(node + 1, FRAME);
                }
                self.names[node] = local;
            }
        }
        let nodes = std::iter::once((FRAME, ROOT)).chain(
            (0..FRAME)
                .zip(self.locals.iter().copied())
                .filter(|&(_, node)| node != NO_REFERENCE),
        );
        for (parent, node) in nodes {
            for edge in self.graph.edges(node) {
                state.edges.push(LocalEdge {
                    parent,
                    child: self
                        .names
                        .get(edge.child as usize)
                        .copied()
                        .unwrap_or(FRAME),
                    strength: edge.strength,
                    path: edge.path,
                });
            }
        }
        state.edges.sort_unstable();
        state
    }

    /// Makes `state` cover `other` too; whether that changed it. A reference that is in a local on one way only is released.
    pub(super) fn join(
        &mut self,
        state: &mut State,
        other: &State,
        meter: &mut Meter,
    ) -> VerifierResult<bool> {
        let mut changed = self.keep_common(state, other, meter)?;
        let mut narrowed = None;
        if state.references != other.references {
            let other = narrowed.insert(other.clone());
            self.keep_common(other, state, meter)?;
        }
        let other = narrowed.as_ref().unwrap_or(other);
        let missing: Vec<LocalEdge> = other
            .edges
            .iter()
            .filter(|edge| !is_covered(edge, &state.edges, &self.paths))
            .copied()
            .collect();
        if !missing.is_empty() {
            changed = true;
            self.load(state);
            for edge in missing {
                if let (Some(parent), Some(child)) = (self.node(edge.parent), self.node(edge.child))
                {
                    self.graph.add_edge(
                        parent,
                        Edge {
                            child,
                            ..edge.as_edge()
                        },
                    );
                }
            }
            *state = self.store();
        }
        Ok(changed)
    }

    /// Releases the references of `state` that `other` does not have; whether there were any.
    fn keep_common(
        &mut self,
        state: &mut State,
        other: &State,
        meter: &mut Meter,
    ) -> VerifierResult<bool> {
        if state.references == other.references {
            return Ok(false);
        }
        let surplus: Vec<LocalIndex> = state
            .references
            .iter()
            .map(|&(local, _)| local)
            .filter(|local| {
                other
                    .references
                    .binary_search_by_key(local, |&(other, _)| other)
                    .is_err()
            })
            .collect();
        if surplus.is_empty() {
            return Ok(false);
        }
        self.load(state);
        for local in surplus {
            if let Some(slot) = self.locals.get_mut(usize::from(local)) {
                let node = std::mem::replace(slot, NO_REFERENCE);
                self.graph.release(node, &mut self.paths, meter)?;
            }
        }
        *state = self.store();
        Ok(true)
    }
}

/// Whether one of the edges between the same locals covers `edge`.
fn is_covered(edge: &LocalEdge, edges: &[LocalEdge], paths: &Paths) -> bool {
    let key = (edge.parent, edge.child);
    let start = edges.partition_point(|other| (other.parent, other.child) < key);
    edges[start..]
        .iter()
        .take_while(|other| (other.parent, other.child) == key)
        .any(|other| other.as_edge().covers(&edge.as_edge(), paths))
}
