//! What the schedule says about transactions: who is admitted, what a transaction and its effects cost and may be.

use crate::gas::GasSchedule;
use crate::{Budget, Event, Transaction, WriteOp};
use monomove_types::{StateKey, StatusCode};

/// The gas of a transaction that was admitted, in internal gas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// All that it may use.
    pub(super) total: u64,
    /// Of that, what execution may use.
    pub(super) execution: u64,
    /// What storage may use; `None` if it costs nothing.
    pub(super) io: Option<u64>,
    /// What is charged before anything runs.
    pub(super) intrinsic: u64,
    /// Internal gas of a unit.
    pub(super) per_unit: u64,
}

impl Allowance {
    /// Checks a transaction against the bounds of the schedule.
    pub(super) fn of(transaction: &Transaction, gas: &GasSchedule) -> Result<Self, StatusCode> {
        let per_unit = gas.gas_unit_scaling_factor.max(1);
        let (max_gas, price, size) = match transaction.budget {
            Budget::Internal(limit) => {
                let total = limit.min(transaction.gas_bound);
                return Ok(Self {
                    total,
                    execution: total,
                    io: None,
                    intrinsic: 0,
                    per_unit,
                });
            }
            Budget::Units {
                max_gas,
                price,
                size,
            } => (max_gas, price, size),
        };
        if size > gas.max_transaction_size {
            return Err(StatusCode::EXCEEDED_MAX_TRANSACTION_SIZE);
        }
        let total = max_gas.checked_mul(per_unit);
        let total = total
            .filter(|&total| total <= transaction.gas_bound && max_gas <= gas.maximum_gas_units)
            .ok_or(StatusCode::MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND)?;
        let excess = size.saturating_sub(gas.large_transaction_cutoff);
        let intrinsic = gas
            .min_transaction_gas
            .saturating_add(gas.intrinsic_gas_per_byte.saturating_mul(excess));
        if intrinsic > total {
            return Err(StatusCode::MAX_GAS_UNITS_BELOW_MIN_TRANSACTION_GAS_UNITS);
        }
        if price < gas.min_price_per_gas_unit {
            return Err(StatusCode::GAS_UNIT_PRICE_BELOW_MIN_BOUND);
        }
        if price > gas.max_price_per_gas_unit {
            return Err(StatusCode::GAS_UNIT_PRICE_ABOVE_MAX_BOUND);
        }
        Ok(Self {
            total,
            execution: gas.max_execution_gas,
            io: Some(gas.max_io_gas),
            intrinsic,
            per_unit,
        })
    }
}

/// What writing these effects costs; refused if they are too many or too large.
pub(super) fn effects(
    gas: &GasSchedule,
    writes: &[(StateKey, WriteOp)],
    events: &[Event],
) -> Result<u64, StatusCode> {
    let refused = Err(StatusCode::STORAGE_WRITE_LIMIT_REACHED);
    if writes.len() as u64 > gas.max_write_ops {
        return refused;
    }
    let (mut cost, mut all) = (0u64, 0u64);
    for (key, op) in writes {
        let value = match op {
            WriteOp::Create(bytes) | WriteOp::Modify(bytes) => bytes.len() as u64,
            WriteOp::Delete => 0,
        };
        let bytes = value + key.encode().len() as u64;
        all = all.saturating_add(bytes);
        if value > gas.max_bytes_per_write_op || all > gas.max_bytes_all_write_ops {
            return refused;
        }
        cost = cost
            .saturating_add(gas.storage_io_per_state_slot_write)
            .saturating_add(gas.storage_io_per_state_byte_write.saturating_mul(bytes));
    }
    let mut all = 0u64;
    for event in events {
        let bytes = event.data.len() as u64;
        all = all.saturating_add(bytes);
        if bytes > gas.max_bytes_per_event || all > gas.max_bytes_all_events {
            return refused;
        }
    }
    Ok(cost.saturating_add(gas.storage_io_per_event_byte_write.saturating_mul(all)))
}
