//! The borrow graph: which reference was borrowed from which, and along which path.
//!
//! Nodes are abstract references; node [`ROOT`] stands for the frame, from which locals and resources are borrowed. An edge `parent → child` with
//! a path means that the child points to what lies at that path from where the parent points: exactly there (*strong*), or there or
//! anywhere below (*weak*). After S. Blackshear, J. Mitchell, T. Nowacki, S. Qadeer: "The Move Borrow Checker" (2022).
//!
//! Between two nodes there are at most [`MAX_EDGES`] edges; one more, and a single weak edge with the empty path, which covers all there can be,
//! takes the place of all.

use super::path::{Label, PathId, Paths};
use crate::meter::too_complex;
use crate::{Meter, VerifierResult};

/// An abstract reference.
pub(super) type NodeId = u32;

/// The frame.
pub(super) const ROOT: NodeId = 0;

/// Most edges between two nodes.
const MAX_EDGES: usize = 10;

/// Units for each label of a path beyond the first few.
const LABEL: u64 = 8;
const FREE_LABELS: usize = 16;
/// Units for each pair of edges that a release looks at.
const PAIR: u64 = 1;

/// What an edge says about where the child points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Exactly to the path.
    Strong,
    /// To the path or below.
    Weak,
    /// Weak; stands for more edges than are kept, and takes in all further ones.
    Overflow,
}

/// An edge, as its parent keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) child: NodeId,
    pub(super) strength: Strength,
    pub(super) path: PathId,
}

impl Edge {
    /// Whether all that `other` allows is allowed by this edge; both lead to the same child.
    pub(super) fn covers(&self, other: &Self, paths: &Paths) -> bool {
        match self.strength {
            Strength::Strong => other.strength == Strength::Strong && self.path == other.path,
            _ => paths.is_prefix(self.path, other.path),
        }
    }
}

#[derive(Debug, Default)]
struct Node {
    is_live: bool,
    is_mutable: bool,
    /// Sorted.
    edges: Vec<Edge>,
    /// The nodes with edges to this one, each once.
    parents: Vec<NodeId>,
}

/// The graph. Nodes that were removed are used again.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// Number of nodes in use since [`Graph::clear`], those that were removed included; the others are as new.
    used: u32,
    /// The nodes that were removed.
    free: Vec<NodeId>,
    /// Number of nodes and edges.
    size: usize,
    scratch: Vec<Edge>,
}

impl Graph {
    /// Removes everything but the root.
    pub(super) fn clear(&mut self) {
        self.free.clear();
        self.size = 0;
        for node in self.nodes.iter_mut().take(self.used as usize) {
            node.is_live = false;
            node.edges.clear();
            node.parents.clear();
        }
        self.used = 0;
        self.add_node(false);
    }

    /// Number of nodes and edges.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Adds a reference without edges. The first node after [`Graph::clear`] is the root.
    pub(super) fn add_node(&mut self, is_mutable: bool) -> NodeId {
        self.size += 1;
        let id = self.free.pop().unwrap_or_else(|| {
            if self.nodes.len() == self.used as usize {
                self.nodes.push(Node::default());
            }
            self.used += 1;
            self.used - 1
        });
        let node = &mut self.nodes[id as usize];
        node.is_live = true;
        node.is_mutable = is_mutable;
        id
    }

    /// Whether the reference is `&mut`.
    pub(super) fn is_mutable(&self, id: NodeId) -> bool {
        self.nodes[id as usize].is_mutable
    }

    /// The edges from a node.
    pub(super) fn edges(&self, id: NodeId) -> &[Edge] {
        &self.nodes[id as usize].edges
    }

    /// Whether something is borrowed from all that a reference points to.
    pub(super) fn has_whole_borrows(&self, id: NodeId) -> bool {
        self.edges(id).iter().any(|edge| edge.path == PathId::EMPTY)
    }

    /// Whether something is borrowed from what a reference points to, or from all of it, or from the part of it with this label.
    pub(super) fn is_borrowed(&self, id: NodeId, part: Option<Label>, paths: &Paths) -> bool {
        self.edges(id)
            .iter()
            .any(|edge| concerns(edge, part, paths))
    }

    /// The same of mutable borrows only.
    pub(super) fn is_mutably_borrowed(
        &self,
        id: NodeId,
        part: Option<Label>,
        paths: &Paths,
    ) -> bool {
        self.edges(id)
            .iter()
            .any(|edge| concerns(edge, part, paths) && self.is_mutable(edge.child))
    }

    /// Adds an edge.
    pub(super) fn add_edge(&mut self, parent: NodeId, edge: Edge) {
        let edges = &mut self.nodes[parent as usize].edges;
        let start = edges.partition_point(|other| other.child < edge.child);
        let count = edges[start..]
            .iter()
            .take_while(|other| other.child == edge.child)
            .count();
        let known = &edges[start..start + count];
        if known
            .first()
            .is_some_and(|first| first.strength == Strength::Overflow)
        {
            return;
        }
        if count == MAX_EDGES {
            edges.drain(start + 1..start + count);
            edges[start] = Edge {
                child: edge.child,
                strength: Strength::Overflow,
                path: PathId::EMPTY,
            };
            self.size -= count - 1;
            return;
        }
        if let Err(position) = known.binary_search(&edge) {
            edges.insert(start + position, edge);
            self.size += 1;
            if count == 0 {
                self.nodes[edge.child as usize].parents.push(parent);
            }
        }
    }

    /// Makes `child`, which is new, a strong borrow of `parent` at a path. What was borrowed from there before is now borrowed through it.
    pub(super) fn add_strong(
        &mut self,
        parent: NodeId,
        path: PathId,
        child: NodeId,
        paths: &mut Paths,
        meter: &mut Meter,
    ) -> VerifierResult {
        let skip = paths.labels(path).len();
        let mut moved = std::mem::take(&mut self.scratch);
        moved.clear();
        self.nodes[parent as usize].edges.retain(|edge| {
            let moves = paths.is_prefix(path, edge.path);
            if moves {
                moved.push(*edge);
            }
            !moves
        });
        self.size -= moved.len();
        let mut last = None;
        for edge in &moved {
            if last.replace(edge.child) != Some(edge.child) {
                self.drop_parent_unless_linked(parent, edge.child);
            }
        }
        for edge in &moved {
            charge(edge.path, paths, meter)?;
            let strength = match edge.strength {
                Strength::Strong => Strength::Strong,
                _ => Strength::Weak,
            };
            let path = paths.suffix(edge.path, skip);
            self.add_edge(
                child,
                Edge {
                    child: edge.child,
                    strength,
                    path,
                },
            );
        }
        self.scratch = moved;
        self.add_edge(
            parent,
            Edge {
                child,
                strength: Strength::Strong,
                path,
            },
        );
        Ok(())
    }

    /// Makes `child` a borrow of `parent` at a path or below.
    pub(super) fn add_weak(&mut self, parent: NodeId, path: PathId, child: NodeId) {
        self.add_edge(
            parent,
            Edge {
                child,
                strength: Strength::Weak,
                path,
            },
        );
    }

    /// Removes a reference. What was borrowed from it is now borrowed from what it was borrowed from.
    pub(super) fn release(
        &mut self,
        id: NodeId,
        paths: &mut Paths,
        meter: &mut Meter,
    ) -> VerifierResult {
        let children = std::mem::take(&mut self.nodes[id as usize].edges);
        let mut parents = std::mem::take(&mut self.nodes[id as usize].parents);
        for &Edge { child, .. } in &children {
            let of_child = &mut self.nodes[child as usize].parents;
            if let Some(position) = of_child.iter().position(|&other| other == id) {
                of_child.swap_remove(position);
            }
        }
        self.size -= children.len() + 1;
        let mut incoming = std::mem::take(&mut self.scratch);
        for &parent in &parents {
            incoming.clear();
            let edges = &mut self.nodes[parent as usize].edges;
            let start = edges.partition_point(|edge| edge.child < id);
            let count = edges[start..]
                .iter()
                .take_while(|edge| edge.child == id)
                .count();
            incoming.extend(edges.drain(start..start + count));
            self.size -= count;
            meter.add_items(PAIR, count.saturating_mul(children.len()))?;
            for upper in &incoming {
                for lower in &children {
                    // Nothing borrows from itself.
                    if lower.child == parent {
                        continue;
                    }
                    let edge = if upper.strength == Strength::Strong {
                        let path = paths.join(upper.path, lower.path);
                        charge(path, paths, meter)?;
                        Edge {
                            child: lower.child,
                            strength: lower.strength.min(Strength::Weak),
                            path,
                        }
                    } else {
                        Edge {
                            child: lower.child,
                            strength: Strength::Weak,
                            path: upper.path,
                        }
                    };
                    self.add_edge(parent, edge);
                }
            }
        }
        self.scratch = incoming;
        parents.clear();
        let mut children = children;
        children.clear();
        let node = &mut self.nodes[id as usize];
        node.is_live = false;
        node.edges = children;
        node.parents = parents;
        self.free.push(id);
        Ok(())
    }

    fn drop_parent_unless_linked(&mut self, parent: NodeId, child: NodeId) {
        let edges = &self.nodes[parent as usize].edges;
        if edges
            .binary_search_by(|edge| edge.child.cmp(&child))
            .is_ok()
        {
            return;
        }
        let parents = &mut self.nodes[child as usize].parents;
        if let Some(position) = parents.iter().position(|&other| other == parent) {
            parents.swap_remove(position);
        }
    }

    /// Whether every parent knows its children and the other way round, and the size is right.
    #[cfg(test)]
    pub(super) fn is_consistent(&self) -> bool {
        let mut size = 0;
        for (id, node) in (0..).zip(&self.nodes) {
            if !node.is_live {
                if !node.edges.is_empty() || !node.parents.is_empty() {
                    return false;
                }
                continue;
            }
            size += 1 + node.edges.len();
            let children_know = node.edges.iter().all(|edge| {
                let child = &self.nodes[edge.child as usize];
                edge.child != id && child.is_live && child.parents.contains(&id)
            });
            let parents_know = node.parents.iter().all(|&parent| {
                let parent = &self.nodes[parent as usize];
                parent.is_live && parent.edges.iter().any(|edge| edge.child == id)
            });
            if !children_know || !parents_know || !node.edges.is_sorted() {
                return false;
            }
        }
        size == self.size
    }
}

/// Whether an edge is to all of what its parent points to or to the part with this label; any edge, if no part is named.
fn concerns(edge: &Edge, part: Option<Label>, paths: &Paths) -> bool {
    match (paths.first(edge.path), part) {
        (None, _) | (_, None) => true,
        (Some(first), Some(part)) => first == part,
    }
}

/// Counts the labels of a path that is about to be made or was made, if it is unusually long.
fn charge(path: PathId, paths: &Paths, meter: &mut Meter) -> VerifierResult {
    if paths.is_full() {
        return Err(too_complex());
    }
    let extra = paths.labels(path).len().saturating_sub(FREE_LABELS);
    meter.add_items(LABEL, extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VerifierConfig;
    use monomove_format::StructHandleIndex;

    fn field(index: u16) -> Label {
        Label::Field(StructHandleIndex(0), index)
    }

    struct Scene {
        graph: Graph,
        paths: Paths,
        meter: Meter,
    }

    impl Scene {
        fn new() -> Self {
            let mut graph = Graph::default();
            graph.clear();
            Self {
                graph,
                paths: Paths::default(),
                meter: Meter::new(&VerifierConfig::aptos()),
            }
        }

        fn strong(&mut self, parent: NodeId, label: Option<Label>, mutable: bool) -> NodeId {
            let path = label.map_or(PathId::EMPTY, |label| self.paths.single(label));
            let child = self.graph.add_node(mutable);
            self.graph
                .add_strong(parent, path, child, &mut self.paths, &mut self.meter)
                .unwrap();
            assert!(self.graph.is_consistent());
            child
        }

        fn release(&mut self, id: NodeId) {
            self.graph
                .release(id, &mut self.paths, &mut self.meter)
                .unwrap();
            assert!(self.graph.is_consistent());
        }
    }

    #[test]
    fn a_new_strong_borrow_goes_between() {
        let mut scene = Scene::new();
        let s = scene.graph.add_node(true);
        let first = scene.strong(s, Some(field(1)), true);
        let second = scene.strong(s, Some(field(1)), true);
        assert!(scene.graph.has_whole_borrows(second));
        assert!(scene.graph.edges(first).is_empty());
        let copy = scene.strong(s, None, true);
        assert!(!scene.graph.has_whole_borrows(copy));
        assert!(scene.graph.is_borrowed(copy, Some(field(1)), &scene.paths));
        assert!(!scene.graph.is_borrowed(copy, Some(field(2)), &scene.paths));
        assert!(scene.graph.has_whole_borrows(s));
    }

    #[test]
    fn release_joins_paths() {
        let mut scene = Scene::new();
        let s = scene.graph.add_node(true);
        let inner = scene.strong(s, Some(field(1)), true);
        let leaf = scene.strong(inner, Some(field(2)), false);
        scene.release(inner);
        let [edge] = scene.graph.edges(s) else {
            panic!("one edge");
        };
        assert_eq!(edge.child, leaf);
        assert_eq!(scene.paths.labels(edge.path), [field(1), field(2)]);
        assert!(scene.graph.is_borrowed(s, Some(field(1)), &scene.paths));
        assert!(!scene.graph.is_mutably_borrowed(s, None, &scene.paths));
    }

    #[test]
    fn a_weak_edge_swallows_what_follows() {
        let mut scene = Scene::new();
        let s = scene.graph.add_node(true);
        let element = scene.graph.add_node(true);
        scene.graph.add_weak(s, PathId::EMPTY, element);
        let leaf = scene.strong(element, Some(field(2)), true);
        scene.release(element);
        let [edge] = scene.graph.edges(s) else {
            panic!("one edge");
        };
        assert_eq!((edge.child, edge.path), (leaf, PathId::EMPTY));
        assert_eq!(edge.strength, Strength::Weak);
    }

    #[test]
    fn cycles_do_not_make_a_reference_borrow_from_itself() {
        let mut scene = Scene::new();
        let a = scene.graph.add_node(true);
        let b = scene.graph.add_node(true);
        scene.graph.add_weak(a, PathId::EMPTY, b);
        scene.graph.add_weak(b, PathId::EMPTY, a);
        assert!(scene.graph.is_consistent());
        scene.release(a);
        assert!(scene.graph.edges(b).is_empty());
    }

    #[test]
    fn many_edges_become_one() {
        let mut scene = Scene::new();
        let a = scene.graph.add_node(true);
        let b = scene.graph.add_node(true);
        for index in 0..20 {
            let path = scene.paths.single(field(index));
            scene.graph.add_weak(a, path, b);
            assert!(scene.graph.is_consistent());
            assert_eq!(scene.graph.has_whole_borrows(a), index >= 10);
        }
        assert_eq!(scene.graph.edges(a).len(), 1);
    }
}
