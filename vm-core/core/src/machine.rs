//! The machine: one execution context and one transaction at a time.

use crate::{Call, CallOutput, MachineConfig, StateView};

/// A Move machine: the code context that outlives transactions, and the memory of one transaction.
#[derive(Debug)]
pub struct Machine {
    config: MachineConfig,
}

impl Machine {
    /// A machine with an empty context.
    pub fn new(config: MachineConfig) -> Self {
        Self { config }
    }

    /// The bounds of this machine.
    pub fn config(&self) -> &MachineConfig {
        &self.config
    }

    /// Runs one call against `view`.
    pub fn call(&mut self, call: &Call, view: &mut dyn StateView) -> CallOutput {
        let _ = (call, view);
        CallOutput {
            outcome: crate::Outcome::Failed(crate::Failure {
                status: monomove_types::StatusCode::UNKNOWN_STATUS,
                sub_status: None,
                message: None,
                location: crate::Location::Undefined,
                function: None,
                function_index: None,
                offset: None,
            }),
            gas_used: 0,
            instruction_gas: 0,
            instructions: 0,
            writes: Vec::new(),
            events: Vec::new(),
            new_tables: Vec::new(),
        }
    }
}
