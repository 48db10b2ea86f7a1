//! Stack usage: each block leaves the operand stack as it found it, and never reaches below.
//!
//! Dead code is checked too. Errors are placed at the first instruction of the block.

use super::cfg::{Block, Cfg};
use super::function::Function;
use crate::{VerifierConfig, VerifierResult};
use monomove_format::StackEffect;
use monomove_types::StatusCode;

/// Checks all blocks of a function.
pub(crate) fn check(
    function: &Function<'_, '_>,
    cfg: &Cfg,
    config: &VerifierConfig,
) -> VerifierResult {
    cfg.blocks()
        .iter()
        .try_for_each(|block| check_block(function, block, config))
}

fn check_block(
    function: &Function<'_, '_>,
    block: &Block,
    config: &VerifierConfig,
) -> VerifierResult {
    let error =
        |status: StatusCode, message: &str| Err(function.error(status, block.start, message));
    let max_height = config.max_value_stack_size as u64;
    let max_pushes = config.max_push_size.map(|max| max as u64);
    let mut height: u64 = 0;
    let mut pushed: u64 = 0;
    for (_, instruction) in block.instructions(function.code) {
        let StackEffect { pops, pushes } = function
            .module
            .stack_effect(instruction, function.returns.len());
        pushed = pushed.saturating_add(pushes);
        if max_pushes.is_some_and(|max| pushed > max) {
            return error(
                StatusCode::VALUE_STACK_PUSH_OVERFLOW,
                "a block pushes too many values",
            );
        }
        let Some(rest) = height.checked_sub(pops) else {
            return error(
                StatusCode::NEGATIVE_STACK_SIZE_WITHIN_BLOCK,
                "a block pops what it did not push",
            );
        };
        height = rest.saturating_add(pushes);
        if height > max_height {
            return error(StatusCode::VALUE_STACK_OVERFLOW, "the stack grows too high");
        }
    }
    if height > 0 {
        return error(
            StatusCode::POSITIVE_STACK_SIZE_AT_BLOCK_END,
            "a block leaves values on the stack",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    #[test]
    fn accepts() {
        accept("fun f(): (u64, bool)\n ld_u64 1\n ld_true\n ret\n");
        accept("fun f()\n ld_u64 1\n abort\n");
        let high = |height: usize| {
            let up = " ld_true\n".repeat(height);
            let down = " pop\n".repeat(height);
            format!("fun f()\n{up}{down} ret\n")
        };
        accept(&high(1024));
        refuse(&high(1025), 1115, 0);
    }

    #[test]
    fn rejects() {
        refuse("fun f()\n pop\n ret\n", 1009, 0);
        refuse("fun f()\n ld_true\n branch l\n l: pop\n ret\n", 1069, 0);
        refuse("fun f(): bool\n nop\n ret\n", 1009, 0);
        // Also where control never comes, at the start of the block.
        refuse("fun f()\n ret\n nop\n pop\n ret\n", 1009, 1);
        let many = |pairs: usize| format!("fun f()\n{} ret\n", " ld_true\n pop\n".repeat(pairs));
        accept(&many(10_000));
        refuse(&many(10_001), 1117, 0);
    }
}
