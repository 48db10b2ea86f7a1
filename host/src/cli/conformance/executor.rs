//! The corpus runner's machine: a sandbox (or the native core) with a state in memory.
//!
//! The tests of the workspace package `monomove-tests` include this file too.

use monomove::{
    Call, CallOutput, Engine, MemoryState, Outcome, Sandbox, StateCommit, StateKey, StateView,
    TransactionOutcome, WriteOp,
};
use monomove_tests::{Executed, Executor, ModuleBinary};

/// A sandbox with a state in memory.
pub(crate) struct SandboxExecutor {
    sandbox: Sandbox,
    loaded: MemoryState,
    state: MemoryState,
}

impl SandboxExecutor {
    /// A sandbox of `engine`, no modules loaded.
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            sandbox: Sandbox::new(engine),
            loaded: MemoryState::new(),
            state: MemoryState::new(),
        }
    }
}

impl Executor for SandboxExecutor {
    fn load(&mut self, modules: &[ModuleBinary]) -> Result<(), String> {
        self.loaded = MemoryState::new();
        for module in modules {
            let inserted = self.loaded.insert_module(module.bytes.as_slice());
            inserted.map_err(|error| format!("{}: {error}", module.path.display()))?;
        }
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.state = self.loaded.clone();
    }

    fn execute(&mut self, call: &Call) -> Executed {
        match self.sandbox.execute(call, &self.state) {
            Ok(TransactionOutcome::Kept(output)) => Executed::Output(Box::new(output)),
            Ok(TransactionOutcome::Discarded(failure)) => Executed::Output(Box::new(CallOutput {
                outcome: Outcome::Failed(failure),
                gas_used: 0,
                instruction_gas: 0,
                instructions: 0,
                writes: Vec::new(),
                events: Vec::new(),
                new_tables: Vec::new(),
                removed_tables: Vec::new(),
                publish_request: None,
            })),
            Ok(TransactionOutcome::SandboxFault(fault)) => Executed::Fault(fault.to_string()),
            Err(error) => Executed::Fault(error.to_string()),
        }
    }

    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), String> {
        self.state.commit(writes).map_err(|error| error.to_string())
    }

    fn value(&self, key: &StateKey) -> Option<Vec<u8>> {
        self.state
            .get(key)
            .ok()
            .flatten()
            .map(|bytes| bytes.to_vec())
    }
}
