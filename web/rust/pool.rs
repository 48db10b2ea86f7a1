//! Machines that are not in use. The memory of a machine is pages of linear memory, which an instance cannot give back: so they are used again.

use monomove_core::{Machine, MachineConfig};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Machines kept at most.
const KEPT: usize = 4;

thread_local! {
    static IDLE: RefCell<Vec<Machine>> = const { RefCell::new(Vec::new()) };
}

/// A machine that goes back to the others when it is dropped.
#[derive(Debug)]
pub struct Pooled(Option<Machine>);

impl Pooled {
    /// A machine with these bounds that knows no code yet.
    pub fn new(config: &MachineConfig) -> Self {
        let idle = IDLE.with_borrow_mut(|idle| {
            let at = idle.iter().position(|machine| machine.config() == config)?;
            Some(idle.swap_remove(at))
        });
        let mut machine = idle.unwrap_or_else(|| Machine::new(config.clone()));
        machine.maintenance().reset();
        Self(Some(machine))
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(machine) = self.0.take() {
            IDLE.with_borrow_mut(|idle| {
                if idle.len() < KEPT {
                    idle.push(machine);
                }
            });
        }
    }
}

impl Deref for Pooled {
    type Target = Machine;

    #[allow(clippy::expect_used, reason = "it is taken by the destructor only")]
    fn deref(&self) -> &Machine {
        self.0.as_ref().expect("a machine")
    }
}

impl DerefMut for Pooled {
    #[allow(clippy::expect_used, reason = "it is taken by the destructor only")]
    fn deref_mut(&mut self) -> &mut Machine {
        self.0.as_mut().expect("a machine")
    }
}
