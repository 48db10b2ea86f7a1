//! Loops before version 6: well formed in the text of the code. A loop reaches from the target of a backward jump to the last
//! jump back to it; jumps go back to the innermost loop only, out of a loop only to the instruction behind it, and never into one.

use super::function::Function;
use crate::{VerifierConfig, VerifierResult};
use monomove_format::CodeOffset;
use monomove_types::StatusCode;

/// A loop around the instruction at hand.
#[derive(Clone, Copy)]
struct Loop {
    head: CodeOffset,
    /// The last jump back to the head.
    last: CodeOffset,
}

/// Checks the loops of a function.
pub(crate) fn check(function: &Function<'_, '_>, config: &VerifierConfig) -> VerifierResult {
    let lasts = last_jumps(function);
    check_back_jumps(function, &lasts, config)?;
    check_exits(function, &lasts)?;
    check_entries(function, &lasts)
}

/// For each instruction that is the head of a loop, the last jump back to it.
fn last_jumps(function: &Function<'_, '_>) -> Vec<Option<CodeOffset>> {
    let mut lasts = vec![None; function.code.len()];
    for (offset, target) in jumps(function) {
        if target <= offset
            && let Some(last) = lasts.get_mut(usize::from(target))
        {
            *last = Some(offset);
        }
    }
    lasts
}

/// All jumps: where they are, and where they go.
fn jumps<'f>(
    function: &'f Function<'_, '_>,
) -> impl Iterator<Item = (CodeOffset, CodeOffset)> + use<'f> {
    (0..=CodeOffset::MAX)
        .zip(function.code)
        .filter_map(|(offset, instruction)| Some((offset, instruction.branch_target()?)))
}

/// Goes through the code with the loops around each instruction.
fn walk(
    function: &Function<'_, '_>,
    lasts: &[Option<CodeOffset>],
    mut check: impl FnMut(&[Loop], CodeOffset, Option<CodeOffset>) -> VerifierResult,
) -> VerifierResult {
    let mut loops: Vec<Loop> = Vec::new();
    for ((head, instruction), last) in (0..=CodeOffset::MAX).zip(function.code).zip(lasts) {
        if let Some(last) = *last {
            loops.push(Loop { head, last });
        }
        check(&loops, head, instruction.branch_target())?;
        if loops.last().is_some_and(|innermost| innermost.last == head) {
            loops.pop();
        }
    }
    Ok(())
}

/// Jumps go back to the head of the innermost loop, and loops do not nest too deep.
fn check_back_jumps(
    function: &Function<'_, '_>,
    lasts: &[Option<CodeOffset>],
    config: &VerifierConfig,
) -> VerifierResult {
    walk(function, lasts, |loops, offset, target| {
        if config.max_loop_depth.is_some_and(|max| loops.len() > max) {
            return Err(function.error(
                StatusCode::LOOP_MAX_DEPTH_REACHED,
                offset,
                "loops nest too deep",
            ));
        }
        match (target, loops.last()) {
            (Some(target), Some(innermost)) if target <= offset && target != innermost.head => {
                Err(function.error(
                    StatusCode::INVALID_LOOP_CONTINUE,
                    offset,
                    "jump back to another loop than the innermost",
                ))
            }
            _ => Ok(()),
        }
    })
}

/// Jumps out of a loop go to the instruction behind it.
fn check_exits(function: &Function<'_, '_>, lasts: &[Option<CodeOffset>]) -> VerifierResult {
    walk(function, lasts, |loops, offset, target| {
        match (target, loops.last()) {
            (Some(target), Some(innermost))
                if target > offset && target > innermost.last && target - 1 != innermost.last =>
            {
                Err(function.error(
                    StatusCode::INVALID_LOOP_BREAK,
                    offset,
                    "jump out of a loop past its end",
                ))
            }
            _ => Ok(()),
        }
    })
}

/// Jumps do not go into a loop: forward they stay at their depth, out of a loop they go up one.
fn check_entries(function: &Function<'_, '_>, lasts: &[Option<CodeOffset>]) -> VerifierResult {
    // The depth of the code around each instruction; a head counts as outside of its loop.
    let mut inside = Vec::with_capacity(lasts.len());
    let mut outside = Vec::with_capacity(lasts.len());
    walk(function, lasts, |loops, offset, _| {
        let own = lasts.get(usize::from(offset)).is_some_and(Option::is_some);
        inside.push(loops.len());
        outside.push(loops.len() - usize::from(own));
        Ok(())
    })?;
    walk(function, lasts, |loops, offset, target| {
        let Some(target) = target.filter(|&target| target > offset) else {
            return Ok(());
        };
        let leaves = loops
            .last()
            .is_some_and(|innermost| target > innermost.last);
        let from = inside.get(usize::from(offset)).copied().unwrap_or(0);
        let to = outside.get(usize::from(target)).copied().unwrap_or(0);
        if from == to + usize::from(leaves) {
            return Ok(());
        }
        Err(function.error(
            StatusCode::INVALID_LOOP_SPLIT,
            offset,
            "jump into the middle of a loop",
        ))
    })
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    #[test]
    fn accepts() {
        accept_version(
            5,
            "fun f(c: bool)\n h: copy_loc c\n br_true x\n branch h\n x: ret\n",
        );
        // A jump to the head of a loop from before it, and two jumps back to one head.
        accept_version(
            5,
            "fun f(c: bool)\n branch h\n h: copy_loc c\n br_true h\n copy_loc c\n br_true h\n ret\n",
        );
    }

    #[test]
    fn rejects() {
        let refuse = |code, status, offset| refuse_version(5, code, status, offset);
        refuse(
            "fun f(c: bool)\n h: copy_loc c\n br_true x\n copy_loc c\n br_true h\n nop\n x: ret\n",
            1086,
            1,
        );
        refuse(
            "fun f(c: bool)\n copy_loc c\n br_true m\n h: nop\n m: copy_loc c\n br_true h\n ret\n",
            1085,
            1,
        );
        refuse(
            "fun f(c: bool)\n a: nop\n b: copy_loc c\n br_true a\n copy_loc c\n br_true b\n ret\n",
            1087,
            2,
        );
    }
}
