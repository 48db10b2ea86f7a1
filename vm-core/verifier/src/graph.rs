//! Strongly connected components of a directed graph, without recursion (Tarjan's algorithm).

/// A directed graph over nodes `0..len`.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Where the targets of each node begin in `targets`; one more entry than nodes.
    starts: Vec<usize>,
    targets: Vec<u32>,
}

impl Graph {
    /// A graph of `len` nodes with these edges; both ends must be below `len`.
    pub(crate) fn new(len: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; len + 1];
        for (from, _) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for node in 0..len {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut targets = vec![0; starts[len]];
        for (from, to) in edges {
            targets[next[from as usize]] = to;
            next[from as usize] += 1;
        }
        Self { starts, targets }
    }

    /// For each node the number of its component: equal for two nodes if and only if each can be reached from the other.
    pub(crate) fn components(&self) -> Vec<u32> {
        const NONE: u32 = u32::MAX;
        let len = self.starts.len() - 1;
        let mut component = vec![NONE; len];
        let mut components = 0;
        // Order of discovery, and the earliest node on the stack that is known to be reachable.
        let mut order = vec![NONE; len];
        let mut low = vec![NONE; len];
        let mut discovered = 0;
        let mut stack: Vec<usize> = Vec::new();
        let mut path: Vec<(usize, usize)> = Vec::new();
        for root in 0..len {
            if order[root] != NONE {
                continue;
            }
            path.push((root, self.starts[root]));
            while let Some((node, edge)) = path.last().copied() {
                if order[node] == NONE {
                    order[node] = discovered;
                    low[node] = discovered;
                    discovered += 1;
                    stack.push(node);
                }
                if edge < self.starts[node + 1] {
                    if let Some((_, next)) = path.last_mut() {
                        *next += 1;
                    }
                    let target = self.targets[edge] as usize;
                    if order[target] == NONE {
                        path.push((target, self.starts[target]));
                    } else if component[target] == NONE {
                        low[node] = low[node].min(order[target]);
                    }
                    continue;
                }
                path.pop();
                if let Some((parent, _)) = path.last() {
                    low[*parent] = low[*parent].min(low[node]);
                }
                if low[node] == order[node] {
                    while let Some(member) = stack.pop() {
                        component[member] = components;
                        if member == node {
                            break;
                        }
                    }
                    components += 1;
                }
            }
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn components(len: usize, edges: &[(u32, u32)]) -> Vec<u32> {
        Graph::new(len, edges.iter().copied()).components()
    }

    #[test]
    fn cycles_are_components() {
        let found = components(6, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (5, 5)]);
        assert_eq!(found[0], found[1]);
        assert_eq!(found[1], found[2]);
        assert_eq!(found[3], found[4]);
        assert_ne!(found[2], found[3]);
        assert_ne!(found[4], found[5]);
    }

    #[test]
    fn against_reachability() {
        let mut seed = 1u64;
        let mut random = |bound: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((seed >> 33) % bound) as u32
        };
        for _ in 0..300 {
            let len = random(8) as usize + 1;
            let edges: Vec<(u32, u32)> = (0..random(14))
                .map(|_| (random(len as u64), random(len as u64)))
                .collect();
            let mut reach = vec![vec![false; len]; len];
            for (node, row) in reach.iter_mut().enumerate() {
                row[node] = true;
            }
            for _ in 0..len {
                for &(from, to) in &edges {
                    for row in &mut reach {
                        row[to as usize] |= row[from as usize];
                    }
                }
            }
            let found = components(len, &edges);
            for a in 0..len {
                for b in 0..len {
                    assert_eq!(
                        found[a] == found[b],
                        reach[a][b] && reach[b][a],
                        "{edges:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_long_path_needs_no_call_stack() {
        let edges: Vec<(u32, u32)> = (0..1_000_000)
            .map(|node| (node, (node + 1) % 1_000_001))
            .collect();
        let found = components(1_000_001, &edges);
        assert_eq!(found.iter().max(), Some(&1_000_000));
    }
}
