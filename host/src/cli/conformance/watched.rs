//! A machine whose recordings are looked at: which instructions run at which operand widths, and what the slow meter says.
//!
//! The tests of the workspace package `monomove-tests` include this file too.

use monomove::{Call, StateKey, TraceLimits, WriteOp};
use monomove_tests::{Coverage, Executed, Executor, Metered, ModuleBinary, Modules, check_gas};

use super::executor::SandboxExecutor;

/// What is recorded for [`Watched`]: whole runs of all but the longest cases.
pub(crate) const WATCHED: TraceLimits = TraceLimits {
    steps: 4_000_000,
    bytes: 1 << 29,
    checkpoint_steps: u32::MAX,
    memory: true,
};

/// An executor that traces, and what its recordings showed.
pub(crate) struct Watched {
    machine: SandboxExecutor,
    modules: Modules,
    meter: bool,
    /// What was executed so far.
    pub(crate) coverage: Coverage,
    /// What was compared so far, and how many calls were recorded completely.
    pub(crate) metered: Metered,
    /// Calls that were compared in total, not only up to where their recording ends.
    pub(crate) complete: u64,
}

impl Watched {
    /// Watches `machine`, which traces; with `meter`, its recordings are metered instruction by instruction.
    pub(crate) fn new(machine: SandboxExecutor, meter: bool) -> Self {
        Self {
            machine,
            modules: Modules::default(),
            meter,
            coverage: Coverage::default(),
            metered: Metered::default(),
            complete: 0,
        }
    }
}

impl Executor for Watched {
    fn load(&mut self, modules: &[ModuleBinary]) -> Result<(), String> {
        self.modules = Modules::read(modules);
        self.machine.load(modules)
    }

    fn reset(&mut self) {
        self.machine.reset();
    }

    fn execute(&mut self, call: &Call) -> Executed {
        self.machine.recorded = None;
        let executed = self.machine.execute(call);
        let (Executed::Output(output), Some(trace)) = (&executed, &self.machine.recorded) else {
            return executed;
        };
        self.coverage.add(&self.modules, trace);
        if self.meter {
            match check_gas(&self.modules, trace, output) {
                Ok(metered) => {
                    self.metered.instructions += metered.instructions;
                    self.metered.bounded += metered.bounded;
                    self.complete += u64::from(metered.complete);
                }
                Err(error) => return Executed::Fault(format!("slow meter: {error}")),
            }
        }
        executed
    }

    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), String> {
        self.machine.commit(writes)
    }

    fn value(&self, key: &StateKey) -> Option<Vec<u8>> {
        self.machine.value(key)
    }
}
