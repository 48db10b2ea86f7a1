//! Which locals certainly hold a value before each instruction, from the bytecode alone.

use monomove_format::{Bytecode, CodeUnit};

/// A set of locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Locals([u64; 4]);

impl Locals {
    fn first(count: usize) -> Self {
        let mut all = Self([0; 4]);
        (0..count.min(256)).for_each(|local| all.0[local / 64] |= 1 << (local % 64));
        all
    }

    fn after(mut self, instruction: &Bytecode) -> Self {
        match instruction {
            Bytecode::StLoc(x) => self.0[usize::from(x >> 6)] |= 1 << (x & 63),
            Bytecode::MoveLoc(x) => self.0[usize::from(x >> 6)] &= !(1 << (x & 63)),
            _ => {}
        }
        self
    }
}

/// By code offset; `None` where no path leads.
#[derive(Clone, Debug)]
pub(super) struct Assigned(Vec<Option<Locals>>);

impl Assigned {
    /// Looks at every instruction until nothing changes: sets only shrink, so that it ends.
    pub(super) fn new(unit: &CodeUnit, parameters: usize) -> Self {
        let mut before = vec![None; unit.code.len()];
        let mut work = vec![(0usize, Locals::first(parameters))];
        while let Some((mut at, mut locals)) = work.pop() {
            while let (Some(slot), Some(instruction)) = (before.get_mut(at), unit.code.get(at)) {
                let met = slot.map_or(locals, |old: Locals| {
                    Locals(std::array::from_fn(|i| old.0[i] & locals.0[i]))
                });
                if *slot == Some(met) {
                    break;
                }
                *slot = Some(met);
                locals = met.after(instruction);
                if let Some(target) = instruction.branch_target() {
                    work.push((usize::from(target), locals));
                }
                match instruction {
                    Bytecode::Branch(_) | Bytecode::Ret | Bytecode::Abort => break,
                    _ => at += 1,
                }
            }
        }
        Self(before)
    }

    /// Whether a local holds a value before the instruction at `offset`.
    pub(super) fn holds(&self, offset: u16, local: usize) -> bool {
        let locals = self.0.get(usize::from(offset)).copied().flatten();
        let bit = |locals: Locals| {
            locals
                .0
                .get(local / 64)
                .is_some_and(|w| w >> (local % 64) & 1 == 1)
        };
        locals.is_some_and(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monomove_format::SignatureIndex;

    #[test]
    fn a_local_that_one_path_only_assigns_holds_nothing() {
        let unit = CodeUnit {
            locals: SignatureIndex(0),
            code: vec![
                Bytecode::CopyLoc(0),
                Bytecode::BrFalse(4),
                Bytecode::LdTrue,
                Bytecode::StLoc(1),
                Bytecode::MoveLoc(0),
                Bytecode::Pop,
                Bytecode::Ret,
            ],
        };
        let assigned = Assigned::new(&unit, 1);
        let holds = |offset| (assigned.holds(offset, 0), assigned.holds(offset, 1));
        assert_eq!(
            [0, 3, 4, 5].map(holds),
            [(true, false), (true, false), (true, false), (false, false)]
        );
    }
}
