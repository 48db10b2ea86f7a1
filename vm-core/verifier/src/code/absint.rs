//! Abstract interpretation: runs an analysis over the graph until the state before each block covers all ways into it.

use super::cfg::{BlockId, Cfg};
use crate::VerifierResult;

/// What an analysis does with the states of its domain. Joins only ever go up, and chains of them are finite.
pub(crate) trait Analysis {
    /// What is known between two blocks.
    type State: Clone;

    /// The state after a block, from that before it.
    fn execute(&mut self, block: BlockId, before: &Self::State) -> VerifierResult<Self::State>;

    /// Makes `before` cover `other` too; whether that changed it.
    fn join(&mut self, before: &mut Self::State, other: &Self::State) -> VerifierResult<bool>;
}

/// Analyses a function from the state at its entry. Blocks that cannot be reached are not visited.
///
/// Blocks are visited in reverse postorder. After a back edge that changed the state of its target, the visit goes on there; blocks whose
/// state did not change since their last visit are passed over, since another visit would give what the last one gave.
pub(crate) fn analyze<A: Analysis>(cfg: &Cfg, entry: A::State, analysis: &mut A) -> VerifierResult {
    if cfg.blocks().len() == 1 && cfg.back_edge_count() == 0 {
        return analysis.execute(0, &entry).map(drop);
    }
    let mut states: Vec<Option<A::State>> = vec![None; cfg.blocks().len()];
    let mut pending = vec![false; cfg.blocks().len()];
    if let Some(&first) = cfg.order().first() {
        states[first as usize] = Some(entry);
        pending[first as usize] = true;
    }
    let mut position = 0;
    while let Some(&block) = cfg.order().get(position) {
        position += 1;
        if !std::mem::take(&mut pending[block as usize]) {
            continue;
        }
        let Some(before) = &states[block as usize] else {
            continue;
        };
        let after = analysis.execute(block, before)?;
        for successor in cfg.block(block).successors() {
            let changed = match &mut states[successor.block as usize] {
                Some(before) => analysis.join(before, &after)?,
                unvisited => {
                    *unvisited = Some(after.clone());
                    true
                }
            };
            if changed {
                pending[successor.block as usize] = true;
                if successor.is_back_edge {
                    position = position.min(cfg.position(successor.block));
                }
            }
        }
    }
    Ok(())
}
