//! The gas schedule that a state carries.

use crate::state::{StateError, StateView};
use monomove_core::GasSchedule;
use monomove_types::{AccountAddress, StateKey, StructTag};
use thiserror::Error;

/// The gas schedule of a state cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GasScheduleError {
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The resource is not what it should be.
    #[error("0x1::gas_schedule::GasScheduleV2: at byte {offset}: {reason}")]
    Malformed {
        /// Where in the resource.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// The entries of the resource `0x1::gas_schedule::GasScheduleV2`, for [`EngineConfig::gas_schedule`](crate::EngineConfig::gas_schedule);
/// `None` if the state has none, which means the defaults.
pub fn gas_schedule_of(
    view: &(impl StateView + ?Sized),
) -> Result<Option<Vec<(String, u64)>>, GasScheduleError> {
    let Some(bytes) = view.get(&gas_schedule_key())? else {
        return Ok(None);
    };
    let entries = GasSchedule::entries_of_resource(&bytes);
    entries
        .map(Some)
        .map_err(|error| GasScheduleError::Malformed {
            offset: error.offset,
            reason: error.kind.to_string(),
        })
}

/// Where a chain keeps its gas schedule.
#[allow(
    clippy::expect_used,
    reason = "the text is a constant, and a test parses it"
)]
fn gas_schedule_key() -> StateKey {
    let tag: StructTag = "0x1::gas_schedule::GasScheduleV2"
        .parse()
        .expect("a struct tag");
    StateKey::resource(AccountAddress::ONE, tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryState;

    #[test]
    fn a_state_says_what_its_gas_costs() {
        let mut state = MemoryState::new();
        assert_eq!(gas_schedule_of(&state), Ok(None));
        let mut bytes = vec![54, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        bytes.extend(b"instr.nop");
        bytes.extend(5u64.to_le_bytes());
        state.insert(gas_schedule_key(), bytes.clone());
        let entries = vec![("instr.nop".to_owned(), 5)];
        assert_eq!(gas_schedule_of(&state), Ok(Some(entries)));
        bytes.pop();
        state.insert(gas_schedule_key(), bytes);
        assert!(matches!(
            gas_schedule_of(&state),
            Err(GasScheduleError::Malformed { .. })
        ));
    }
}
