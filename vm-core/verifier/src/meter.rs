//! A bound on the work of the passes that are not linear.

use crate::{VerifierConfig, VerifierError, VerifierResult};
use monomove_types::StatusCode;

/// Counts units of work, for the function at hand and for the module.
#[derive(Clone, Debug)]
pub struct Meter {
    function: Budget,
    module: Budget,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    used: u64,
    max: u64,
}

impl Meter {
    /// A meter for one module or script.
    pub fn new(config: &VerifierConfig) -> Self {
        let budget = |max: Option<u64>| Budget {
            used: 0,
            max: max.unwrap_or(u64::MAX),
        };
        Self {
            function: budget(config.max_units_per_function),
            module: budget(config.max_units_per_module),
        }
    }

    /// Begins the next function.
    pub fn enter_function(&mut self) {
        self.function.used = 0;
    }

    /// Counts `units`, before the work that they stand for is done.
    pub fn add(&mut self, units: u64) -> VerifierResult {
        self.function.add(units)?;
        self.module.add(units)
    }

    /// Counts `count` times `units`.
    pub fn add_items(&mut self, units: u64, count: usize) -> VerifierResult {
        self.add(units.saturating_mul(count as u64))
    }
}

impl Budget {
    fn add(&mut self, units: u64) -> VerifierResult {
        self.used = self.used.saturating_add(units);
        if self.used <= self.max {
            return Ok(());
        }
        Err(too_complex())
    }
}

/// What is refused would take more work, or more memory, than anything reasonable does.
pub(crate) fn too_complex() -> VerifierError {
    VerifierError::new(StatusCode::CONSTRAINT_NOT_SATISFIED, "program too complex")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_budgets_count() {
        let mut meter = Meter::new(&VerifierConfig {
            max_units_per_function: Some(10),
            max_units_per_module: Some(15),
            ..VerifierConfig::aptos()
        });
        meter.add(10).unwrap();
        assert_eq!(
            meter.add(1).unwrap_err().status,
            StatusCode::CONSTRAINT_NOT_SATISFIED
        );
        meter.enter_function();
        meter.add_items(2, 2).unwrap();
        assert!(meter.add_items(1, 2).is_err());
        assert!(meter.add_items(u64::MAX, usize::MAX).is_err());
    }
}
