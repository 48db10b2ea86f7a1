//! Locals safety: no local is read when it may be empty, and no value without `drop` is lost in one.

use super::absint::{Analysis, analyze};
use super::cfg::{BlockId, Cfg};
use super::function::Function;
use super::types::Types;
use crate::{Meter, VerifierResult};
use monomove_format::{Bytecode, CodeOffset, LocalIndex};
use monomove_types::StatusCode;

/// Units for each instruction.
const STEP: u64 = 15;
/// Units for each local at a return.
const RETURN_LOCAL: u64 = 30;
/// Units for a join, and for each local in it.
const JOIN: u64 = 10;
const JOIN_LOCAL: u64 = 5;

/// A set of locals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Set([u64; 4]);

impl Set {
    fn first(count: usize) -> Self {
        let mut set = Self::default();
        for (index, word) in set.0.iter_mut().enumerate() {
            let bits = count.saturating_sub(index * 64).min(64) as u32;
            *word = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
        }
        set
    }

    fn contains(&self, local: LocalIndex) -> bool {
        self.0[usize::from(local >> 6)] >> (local & 63) & 1 != 0
    }

    fn insert(&mut self, local: LocalIndex) {
        self.0[usize::from(local >> 6)] |= 1 << (local & 63);
    }

    fn remove(&mut self, local: LocalIndex) {
        self.0[usize::from(local >> 6)] &= !(1 << (local & 63));
    }

    fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }
}

/// Which locals have a value: on all ways here, and on at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    surely: Set,
    maybe: Set,
}

/// The pass, with what it keeps between functions.
#[derive(Default)]
pub(crate) struct LocalsSafety {
    /// The locals whose values must not be lost.
    undroppable: Set,
}

impl LocalsSafety {
    /// Checks a function.
    pub(crate) fn check<'a>(
        &mut self,
        function: &Function<'_, 'a>,
        cfg: &Cfg,
        types: &mut Types<'a>,
        meter: &mut Meter,
    ) -> VerifierResult {
        self.undroppable = Set::default();
        let lists = [
            types.signature(function.handle.parameters),
            types.signature(function.unit.locals),
        ];
        let positions = lists
            .into_iter()
            .flat_map(|list| (0..types.len(list)).map(move |index| (list, index)))
            .collect::<Vec<_>>();
        for (local, (list, index)) in (0..=LocalIndex::MAX).zip(positions) {
            let constraints = &function.handle.type_parameters;
            if let Some(type_) = types.element(list, index)
                && !types.abilities(type_, constraints).has_drop()
            {
                self.undroppable.insert(local);
            }
        }
        let parameters = Set::first(function.parameters.len());
        let entry = State {
            surely: parameters,
            maybe: parameters,
        };
        let mut pass = Pass {
            function,
            cfg,
            undroppable: &self.undroppable,
            meter,
        };
        analyze(cfg, entry, &mut pass)
    }
}

struct Pass<'p, 's, 'a> {
    function: &'p Function<'s, 'a>,
    cfg: &'p Cfg,
    undroppable: &'p Set,
    meter: &'p mut Meter,
}

impl Analysis for Pass<'_, '_, '_> {
    type State = State;

    fn execute(&mut self, block: BlockId, before: &State) -> VerifierResult<State> {
        let block = self.cfg.block(block);
        let instructions = block.instructions(self.function.code);
        self.meter
            .add_items(STEP, usize::from(block.end - block.start) + 1)?;
        let mut state = *before;
        for (offset, instruction) in instructions {
            self.step(&mut state, offset, instruction)?;
        }
        Ok(state)
    }

    fn join(&mut self, before: &mut State, other: &State) -> VerifierResult<bool> {
        self.meter.add(JOIN)?;
        self.meter
            .add_items(JOIN_LOCAL, self.function.local_count())?;
        let old = *before;
        for (word, other) in before.surely.0.iter_mut().zip(other.surely.0) {
            *word &= other;
        }
        for (word, other) in before.maybe.0.iter_mut().zip(other.maybe.0) {
            *word |= other;
        }
        Ok(*before != old)
    }
}

impl Pass<'_, '_, '_> {
    fn step(
        &mut self,
        state: &mut State,
        offset: CodeOffset,
        instruction: &Bytecode,
    ) -> VerifierResult {
        use Bytecode as B;
        let available = |local: LocalIndex, status, message| {
            if state.surely.contains(local) {
                Ok(())
            } else {
                Err(self.function.error(status, offset, message))
            }
        };
        match instruction {
            B::StLoc(local) => {
                if state.maybe.contains(*local) && self.undroppable.contains(*local) {
                    return Err(self.function.error(
                        StatusCode::STLOC_UNSAFE_TO_DESTROY_ERROR,
                        offset,
                        "a value without drop is overwritten",
                    ));
                }
                state.surely.insert(*local);
                state.maybe.insert(*local);
            }
            B::MoveLoc(local) => {
                available(
                    *local,
                    StatusCode::MOVELOC_UNAVAILABLE_ERROR,
                    "the local that is moved may be empty",
                )?;
                state.surely.remove(*local);
                state.maybe.remove(*local);
            }
            B::CopyLoc(local) => available(
                *local,
                StatusCode::COPYLOC_UNAVAILABLE_ERROR,
                "the local that is copied may be empty",
            )?,
            B::ImmBorrowLoc(local) | B::MutBorrowLoc(local) => available(
                *local,
                StatusCode::BORROWLOC_UNAVAILABLE_ERROR,
                "the local that is borrowed may be empty",
            )?,
            B::Ret => {
                self.meter
                    .add_items(RETURN_LOCAL, self.function.local_count())?;
                if state.maybe.intersects(self.undroppable) {
                    return Err(self.function.error(
                        StatusCode::UNSAFE_RET_UNUSED_VALUES_WITHOUT_DROP,
                        offset,
                        "a local may hold a value without drop at the return",
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::testing::*;

    #[test]
    fn sets() {
        for count in [0, 1, 63, 64, 65, 255] {
            let set = Set::first(count);
            for local in 0..=LocalIndex::MAX {
                assert_eq!(set.contains(local), usize::from(local) < count);
            }
        }
    }

    #[test]
    fn accepts() {
        accept("struct N\n a: u64\nfun f(x: N): u64\n move_loc x\n unpack N\n ret\n");
        // Moved on one way, but set again before the ways meet.
        accept(
            "fun f(x: u64, c: bool): u64\n move_loc c\n br_false j\n move_loc x\n st_loc x\n j: copy_loc x\n ret\n",
        );
        accept("struct N\n a: u64\nfun f(x: N)\n ld_u64 1\n abort\n");
        accept("struct N\n a: u64\nfun f(x: N)\n l: branch l\n");
        // Never reached.
        accept("fun f(x: u64)\n ret\n move_loc x\n pop\n move_loc x\n pop\n ret\n");
    }

    #[test]
    fn rejects() {
        refuse("fun f(): u64\n local x: u64\n move_loc x\n ret\n", 1040, 0);
        refuse(
            "fun f(x: u64): u64\n move_loc x\n pop\n copy_loc x\n ret\n",
            1037,
            2,
        );
        refuse(
            "fun f(x: u64)\n move_loc x\n pop\n borrow_loc x\n pop\n ret\n",
            1043,
            2,
        );
        refuse("struct N\n a: u64\nfun f(x: N)\n ret\n", 1088, 0);
        refuse("fun f<T>(x: T)\n ret\n", 1088, 0);
        refuse(
            "struct N\n a: u64\nfun f(x: N, y: N)\n move_loc y\n st_loc x\n ld_u64 1\n abort\n",
            1028,
            1,
        );
        // Around a loop.
        refuse(
            "fun f(x: u64, c: bool)\n l: move_loc x\n pop\n copy_loc c\n br_true l\n ret\n",
            1040,
            0,
        );
    }
}
